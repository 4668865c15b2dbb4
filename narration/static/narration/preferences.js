// What the learner chose, kept in this browser and nowhere else.

const KEY = "narration.player";
const DEFAULTS = { speed: 1, highlight: "word", captions: true, keys: true };

/** The learner's choices; defaults where storage is refused or holds nonsense. */
export function readPreferences() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return { ...DEFAULTS };
  }
}

export function writePreferences(preferences) {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Private windows may refuse: the choice then lasts as long as the page.
  }
}
