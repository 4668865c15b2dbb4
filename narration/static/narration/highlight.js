// Lighting text: the CSS Custom Highlight API, which leaves the DOM alone, or a class on the
// sentence's elements where a browser lacks it.

const SENTENCE = "narration-sentence";
const WORD = "narration-word";
const LIT = "nr-lit";
const LIT_WORD = "nr-lit-word";

const isSupported = "highlights" in CSS && typeof Highlight === "function";

function setHighlight(name, ranges, priority) {
  if (!ranges.length) {
    CSS.highlights.delete(name);
    return;
  }
  const highlight = new Highlight(...ranges);
  highlight.priority = priority;
  CSS.highlights.set(name, highlight);
}

/** Lights `{ranges, wholes}` of a TextMap. What no highlight can paint (the wholes: pictures,
 * formulas) is lit by a class. */
export class Lamp {
  #marked = { [LIT]: [], [LIT_WORD]: [] };

  lightSentence({ ranges, wholes }) {
    if (isSupported) setHighlight(SENTENCE, ranges, 0);
    this.#mark(LIT, isSupported ? wholes : ranges.map(findAnchored));
  }

  lightWord({ ranges, wholes }) {
    if (isSupported) setHighlight(WORD, ranges, 1);
    this.#mark(LIT_WORD, wholes);
  }

  clearWord() {
    this.lightWord({ ranges: [], wholes: [] });
  }

  clear() {
    this.lightSentence({ ranges: [], wholes: [] });
    this.clearWord();
  }

  #mark(name, elements) {
    for (const element of this.#marked[name]) element.classList.remove(name);
    this.#marked[name] = elements.filter(Boolean);
    for (const element of this.#marked[name]) element.classList.add(name);
  }
}

function findAnchored(range) {
  const node = range.startContainer;
  const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  return element?.closest("[data-narration]");
}
