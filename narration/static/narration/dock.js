// Docking: when the player leaves the window after Play, its controls stay at the bottom edge.

export class Dock {
  #player;
  #controls;
  #isOpen = false;
  #isAway = false;
  #watcher;

  constructor(player, controls, signal) {
    this.#player = player;
    this.#controls = controls;
    this.#watcher = new IntersectionObserver((entries) => {
      this.#isAway = !entries.at(-1).isIntersecting;
      this.#apply();
    });
    signal.addEventListener("abort", () => {
      this.#watcher.disconnect();
      this.close();
    });
  }

  /** From now on the controls follow the reader. */
  open() {
    this.#isOpen = true;
    this.#watcher.observe(this.#player);
    this.#apply();
  }

  /** Back to their place until the next `open()`. */
  close() {
    this.#isOpen = false;
    this.#apply();
  }

  /** How much of the window's bottom the dock covers, in px. */
  get height() {
    return this.#player.classList.contains("is-docked") ? this.#controls.offsetHeight : 0;
  }

  #apply() {
    const isDocked = this.#isOpen && this.#isAway;
    if (isDocked === this.#player.classList.contains("is-docked")) return;
    // The place they leave is kept, so that the text does not jump.
    this.#player.style.minBlockSize = isDocked ? `${this.#player.offsetHeight}px` : "";
    this.#player.classList.toggle("is-docked", isDocked);
    document.documentElement.classList.toggle("nr-has-dock", isDocked);
  }
}
