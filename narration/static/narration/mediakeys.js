// The lock screen and the keys of headphones (MediaSession).

const HANDLERS = {
  play: "play",
  seekbackward: "back",
  seekforward: "forward",
  previoustrack: "previous",
  nexttrack: "next",
};

/** Give the media keys to `player`, taking them from whichever player had them. */
export function bindMediaKeys(player) {
  if (!("mediaSession" in navigator)) return;
  const set = (action, handle) => {
    try {
      navigator.mediaSession.setActionHandler(action, handle);
    } catch {
      // Browsers know different keys and throw on the others.
    }
  };
  for (const [action, method] of Object.entries(HANDLERS)) set(action, () => player[method]());
  set("pause", () => player.audio.pause());
  set("seekto", (details) => player.seek(details.seekTime));
}

/** What a lock screen shows: the lesson, and who speaks. */
export function describeMedia(manifest, { title = "", textSynthetic = "" }) {
  if (!("mediaSession" in navigator)) return;
  const voices = manifest.voices.map((voice) => voice.name).join(", ");
  const artist = manifest.synthetic ? [textSynthetic, voices].filter(Boolean).join(" · ") : voices;
  navigator.mediaSession.metadata = new MediaMetadata({ title, artist });
}

/** Whether the sound runs: media keys toggle on it. */
export function tellMedia(isPlaying) {
  if (!("mediaSession" in navigator)) return;
  navigator.mediaSession.playbackState = isPlaying ? "playing" : "paused";
}
