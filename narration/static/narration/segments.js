// The sentence list: one <audio> for all its play buttons.

const audio = new Audio();
let button = null;

function show(isPlaying) {
  if (!button) return;
  button.classList.toggle("is-playing", isPlaying);
  button.setAttribute("aria-label", isPlaying ? button.dataset.textPause : button.dataset.textPlay);
}

function toggle(pressed) {
  if (pressed === button && !audio.paused) {
    audio.pause();
    return;
  }
  if (pressed !== button) {
    show(false);
    button = pressed;
    audio.src = button.dataset.playSegment;
  }
  // A player on the page listens for this and falls silent.
  document.dispatchEvent(new Event("play"));
  audio.play().catch((error) => {
    const trouble = document.querySelector("[data-segment-trouble]");
    if (error.name !== "AbortError" && trouble) trouble.hidden = false;
  });
}

function reveal(root) {
  for (const each of root.querySelectorAll("[data-play-segment]")) {
    each.hidden = false;
    each.setAttribute("aria-label", each.dataset.textPlay);
  }
}

audio.addEventListener("playing", () => show(true));
audio.addEventListener("pause", () => show(false));
document.addEventListener("play", (event) => {
  if (event.target !== document) audio.pause();
}, true);
document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-play-segment]");
  if (pressed) toggle(pressed);
});
document.addEventListener("htmx:load", (event) => reveal(event.target));
reveal(document);
