// Following: keep the lit sentence in view, unless the learner has just looked elsewhere.

const PATIENCE_MS = 8000;
const OWN_SCROLL_MS = 1200;

export class Follower {
  #scrolledAt = -Infinity;
  #ownUntil = 0;

  constructor(signal) {
    const note = () => {
      if (performance.now() > this.#ownUntil) this.#scrolledAt = performance.now();
    };
    const options = { capture: true, passive: true, signal };
    document.addEventListener("scroll", note, options);
    // A hand on the wheel outranks a scroll of ours that is still under way.
    const take = () => { this.#scrolledAt = performance.now(); };
    document.addEventListener("wheel", take, options);
    document.addEventListener("touchmove", take, options);
  }

  /** The learner chose a place in the sound: the page may follow again at once. */
  rejoin() {
    this.#scrolledAt = -Infinity;
  }

  /** Bring the first of `ranges` into the middle of the window if it is out of sight. */
  show(ranges, roomBelow) {
    if (!ranges.length || performance.now() - this.#scrolledAt < PATIENCE_MS) return;
    const box = ranges[0].getBoundingClientRect();
    if (!box.height || (box.top >= 0 && box.bottom <= window.innerHeight - roomBelow)) return;
    const node = ranges[0].startContainer;
    const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#ownUntil = performance.now() + OWN_SCROLL_MS;
    element.scrollIntoView({ block: "center", behavior: isCalm ? "auto" : "smooth" });
  }
}
