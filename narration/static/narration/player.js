// <narration-player>: turns the server's <audio> and transcript into a read-along player.
//
// The page is left alone until Play is pressed for the first time. Then the manifest is fetched,
// the sentence being said is lit, and sentences can be clicked. All wording is in the template.
// For hosts: `element.currentSegment` (position or null) and bubbling `narration:segment` events.

import { TextMap, findPlace } from "./anchors.js";
import { findPrevious, findSegment, findWord, formatClock, formatSpoken } from "./cues.js";
import { Dock } from "./dock.js";
import { Follower } from "./follow.js";
import { Lamp } from "./highlight.js";
import { findAction } from "./keyboard.js";
import { bindMediaKeys, describeMedia, tellMedia } from "./mediakeys.js";
import { readPreferences, writePreferences } from "./preferences.js";
import { loadWaveform } from "./waveform.js";

const STEP_S = 10;
const SLIDER_STEP_S = 5;
const NOT_A_SENTENCE = "a[href], button, input, select, textarea, label, summary, audio, video";

class NarrationPlayer extends HTMLElement {
  #manifest = null;
  #map = null;
  #index = -1;
  #word = null;
  #isStarted = false;
  #frame = 0;
  #lamp = new Lamp();
  #preferences = readPreferences();
  #parts = {};
  #leaving = null;
  #follower = null;
  #dock = null;

  connectedCallback() {
    this.audio = this.querySelector("audio");
    if (!this.audio || this.#parts.controls) return;
    for (const part of this.querySelectorAll("[data-part]")) this.#parts[part.dataset.part] = part;
    this.#leaving = new AbortController();
    this.#follower = new Follower(this.#leaving.signal);
    this.#dock = new Dock(this, this.#parts.controls, this.#leaving.signal);
    this.audio.controls = false;
    for (const name of ["controls", "speedoption", "settings"]) this.#parts[name].hidden = false;
    this.#applyPreferences();
    this.#bindControls();
    this.#bindAudio();
    this.#bindPage();
    this.#showTime();
    if (this.dataset.peaks) loadWaveform(this.#parts.wave, this.dataset.peaks, this.#leaving.signal);
  }

  disconnectedCallback() {
    this.#leaving?.abort();
    cancelAnimationFrame(this.#frame);
    this.#lamp.clear();
    this.audio?.pause();
    this.#parts = {};
  }

  /** Position in the manifest of the sentence being said, null when there is none. */
  get currentSegment() {
    return this.#manifest?.segments[this.#index]?.position ?? null;
  }

  get #durationS() {
    const known = this.audio.duration;
    return Number.isFinite(known) ? known : Number(this.dataset.durationMs) / 1000;
  }

  get #ms() {
    return this.audio.currentTime * 1000;
  }

  // Doing ------------------------------------------------------------------------------------

  play() {
    this.#setMessage("");
    this.audio.play().catch((error) => {
      if (error.name !== "AbortError") this.#explainFailure();
    });
  }

  toggle() {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  seek(seconds) {
    const latest = Math.max(0, this.#durationS - 0.05);
    this.audio.currentTime = Math.min(Math.max(0, seconds), latest);
    this.#follower.rejoin();
    this.#sync();
    this.#describeTime();
  }

  back() {
    this.seek(this.audio.currentTime - STEP_S);
  }

  forward() {
    this.seek(this.audio.currentTime + STEP_S);
  }

  previous() {
    this.#seekSegment(this.#manifest ? findPrevious(this.#manifest.segments, this.#ms) : -1);
  }

  next() {
    this.#seekSegment(this.#manifest ? findSegment(this.#manifest.segments, this.#ms) + 1 : -1);
  }

  captions() {
    this.#prefer("captions", !this.#preferences.captions);
  }

  undock() {
    this.audio.pause();
    this.#dock.close();
  }

  #seekSegment(index) {
    const segment = this.#manifest?.segments[index];
    // A millisecond late rather than early: media clocks round, and early is the sentence before.
    if (segment) this.seek((segment.start_ms + 1) / 1000);
  }

  // Binding ----------------------------------------------------------------------------------

  #bindControls() {
    const { seek, speed, highlight, keys } = this.#parts;
    const signal = this.#leaving.signal;
    this.addEventListener("click", (event) => {
      const action = event.target.closest("[data-action]")?.dataset.action;
      if (action) this[action]();
    }, { signal });
    seek.addEventListener("input", () => this.seek(Number(seek.value) / 1000), { signal });
    seek.addEventListener("keydown", (event) => this.#stepSlider(event), { signal });
    seek.addEventListener("focus", () => this.#describeTime(), { signal });
    speed.addEventListener("change", () => this.#prefer("speed", Number(speed.value)), { signal });
    highlight.addEventListener("change", () => this.#prefer("highlight", highlight.value), { signal });
    keys.addEventListener("change", () => this.#prefer("keys", keys.checked), { signal });
  }

  #stepSlider(event) {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -6, PageUp: 6 };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.seek(this.audio.currentTime + step * SLIDER_STEP_S);
  }

  #bindAudio() {
    const signal = this.#leaving.signal;
    const on = (types, handle, capture = false) => {
      for (const type of types.split(" ")) {
        this.audio.addEventListener(type, handle, { signal, capture });
      }
    };
    on("play", () => this.#begin());
    on("play pause ended", () => this.#showPlaying());
    on("playing", () => this.#run());
    on("timeupdate seeked durationchange ended", () => this.#sync());
    on("pause seeked loadedmetadata", () => this.#describeTime());
    // A <source> that fails tells only itself; captured here, judged when the browser gave up.
    on("error", () => setTimeout(() => this.#isLost && this.#explainFailure()), true);
  }

  #bindPage() {
    const signal = this.#leaving.signal;
    document.addEventListener("keydown", (event) => {
      const action = findAction(event, this, this.#isStarted && this.#preferences.keys);
      if (!action) return;
      event.preventDefault();
      this[action]();
    }, { signal });
    document.addEventListener("click", (event) => this.#clickText(event), { signal });
    document.addEventListener("play", (event) => {
      if (event.target !== this.audio) this.audio.pause();
    }, { capture: true, signal });
  }

  // Beginning --------------------------------------------------------------------------------

  #begin() {
    bindMediaKeys(this);
    this.#isStarted = true;
    this.#dock.open();
    if (!this.#manifest) this.#loadManifest();
  }

  async #loadManifest() {
    const { manifest, problem } = await this.#fetchManifest();
    if (this.#manifest) return;
    if (problem) {
      this.#setMessage(problem);
      return;
    }
    this.#manifest = manifest;
    this.#map = new TextMap(this.#scope);
    this.#scope.classList.add("nr-listening");
    describeMedia(manifest, this.dataset);
    this.#sync();
  }

  /** `{manifest}` of the track this page holds, or `{problem}`: the name of a message. */
  async #fetchManifest() {
    let response;
    try {
      response = await fetch(this.dataset.manifest, { credentials: "same-origin" });
    } catch {
      return { problem: "offline" };
    }
    if ([401, 403, 404, 410].includes(response.status)) return { problem: "gone" };
    const manifest = response.ok ? await response.json().catch(() => null) : null;
    if (!manifest) return { problem: "failed" };
    return manifest.track === this.dataset.track ? { manifest } : { problem: "changed" };
  }

  get #scope() {
    return document.querySelector(this.dataset.scope || ":root") ?? document.documentElement;
  }

  // Following the sound ----------------------------------------------------------------------

  #run() {
    cancelAnimationFrame(this.#frame);
    const turn = () => {
      this.#sync();
      if (!this.audio.paused && !this.audio.ended) this.#frame = requestAnimationFrame(turn);
    };
    turn();
  }

  /** Chromium says "ended" of a pause shortly before the end too, with all of it decoded. */
  get #isOver() {
    return this.audio.ended && this.audio.currentTime > this.audio.duration - 0.1;
  }

  #sync() {
    this.#showTime();
    if (!this.#manifest) return;
    const index = this.#isOver ? -1 : findSegment(this.#manifest.segments, this.#ms);
    if (index !== this.#index) this.#enter(index);
    this.#enterWord();
  }

  #enter(index) {
    this.#index = index;
    this.#word = null;
    this.#light();
    const segment = this.#manifest.segments[index];
    if (segment) this.#showLine(segment.text);
    const detail = segment
      ? { position: segment.position, anchor: segment.anchor, text: segment.text }
      : { position: null, anchor: "", text: "" };
    this.dispatchEvent(new CustomEvent("narration:segment", { bubbles: true, detail }));
  }

  #showLine(text) {
    const { line } = this.#parts;
    line.textContent = text;
    delete line.dataset.idle;
  }

  #light() {
    const segment = this.#manifest?.segments[this.#index];
    this.#lamp.clear();
    if (!segment || this.#preferences.highlight === "off") return;
    const place = this.#map.findSegment(segment);
    this.#lamp.lightSentence(place);
    if (!this.audio.paused) this.#follower.show(place.ranges, this.#dock.height);
  }

  #enterWord() {
    const segment = this.#manifest.segments[this.#index];
    const isWanted = segment && this.#preferences.highlight === "word";
    const word = isWanted ? findWord(segment, this.#ms) : null;
    if (word === this.#word) return;
    this.#word = word;
    if (word) this.#lamp.lightWord(this.#map.findWord(segment, word));
    else this.#lamp.clearWord();
  }

  #clickText(event) {
    if (!this.#manifest || event.defaultPrevented || event.button) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const sentence = event.target.closest?.("[data-narration]");
    if (!sentence || !this.#scope.contains(sentence)) return;
    if (event.target.closest(NOT_A_SENTENCE) || !getSelection().isCollapsed) return;
    const index = this.#findClicked(sentence.dataset.narration, event);
    if (index < 0) return;
    this.#seekSegment(index);
    if (this.audio.paused) this.play();
  }

  /** The segment under the pointer: a long sentence may be several. */
  #findClicked(anchor, event) {
    const place = findPlace(event.clientX, event.clientY);
    const at = place ? this.#map.locate(anchor, place.node, place.offset) : 0;
    const { segments } = this.#manifest;
    const first = segments.findIndex((segment) => segment.anchor === anchor);
    const reached = segments.findLastIndex(
      (segment) => segment.anchor === anchor && segment.offset <= at,
    );
    return reached < 0 ? first : reached;
  }

  // Showing ----------------------------------------------------------------------------------

  #showPlaying() {
    const { play } = this.#parts;
    const isPlaying = !this.audio.paused && !this.audio.ended;
    this.classList.toggle("is-playing", isPlaying);
    play.setAttribute("aria-label", isPlaying ? this.dataset.textPause : this.dataset.textPlay);
    tellMedia(isPlaying);
  }

  #showTime() {
    const { seek, elapsed, total } = this.#parts;
    const duration = this.#durationS || 0;
    const now = this.audio.currentTime;
    const clock = formatClock(now * 1000);
    if (elapsed.textContent !== clock) elapsed.textContent = clock;
    const length = formatClock(duration * 1000);
    if (total.textContent !== length) total.textContent = length;
    seek.max = String(Math.round(duration * 1000));
    seek.value = String(Math.round(now * 1000));
    const heard = duration ? (100 * now) / duration : 0;
    this.style.setProperty("--nr-heard", `${heard.toFixed(2)}%`);
  }

  /** Only when the learner moves or stops: a slider that talks every second is no help. */
  #describeTime() {
    const language = document.documentElement.lang || undefined;
    const [now, length] = [this.audio.currentTime, this.#durationS].map((seconds) =>
      formatSpoken(seconds * 1000, language));
    const text = this.dataset.textPosition.replace("{elapsed}", now).replace("{total}", length);
    this.#parts.seek.setAttribute("aria-valuetext", text);
  }

  #prefer(name, value) {
    this.#preferences[name] = value;
    writePreferences(this.#preferences);
    this.#applyPreferences();
    this.#word = null;
    if (name === "highlight") this.#light();
  }

  #applyPreferences() {
    const { speed, highlight, captions, line, keys } = this.#parts;
    speed.value = String(this.#preferences.speed);
    if (!speed.value) speed.value = "1";
    this.audio.defaultPlaybackRate = this.audio.playbackRate = Number(speed.value);
    highlight.value = this.#preferences.highlight;
    if (!highlight.value) highlight.value = "word";
    captions.setAttribute("aria-pressed", String(this.#preferences.captions));
    line.hidden = !this.#preferences.captions;
    keys.checked = this.#preferences.keys;
  }

  // Trouble ----------------------------------------------------------------------------------

  get #isLost() {
    return this.audio.error || this.audio.networkState === HTMLMediaElement.NETWORK_NO_SOURCE;
  }

  async #explainFailure() {
    const { problem } = await this.#fetchManifest();
    this.#setMessage(problem ?? "failed");
  }

  /** Show the message named `problem`, or none for "". */
  #setMessage(problem) {
    const { trouble, message, retry } = this.#parts;
    const isOutdated = problem === "changed";
    message.textContent = problem ? this.dataset[`text${problem[0].toUpperCase()}${problem.slice(1)}`] : "";
    retry.textContent = isOutdated ? this.dataset.textReload : this.dataset.textRetry;
    retry.dataset.action = isOutdated ? "reload" : "retry";
    trouble.hidden = !problem;
  }

  reload() {
    location.reload();
  }

  retry() {
    const at = this.audio.currentTime;
    if (this.#isLost) {
      this.audio.load();
      this.audio.currentTime = at;
    }
    this.play();
  }
}

customElements.define("narration-player", NarrationPlayer);
