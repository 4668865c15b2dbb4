// Anchors: where the text of a segment stands in the page.
//
// Offsets in a manifest count characters (code points), the DOM counts UTF-16 units, and an element
// with data-display-length counts as that many characters whatever it holds: all three meet here.

const ASTRAL = /[\ud800-\udbff]/;

const countCharacters = (text) => (ASTRAL.test(text) ? Array.from(text).length : text.length);

function toUnits(text, characters) {
  if (!ASTRAL.test(text)) return Math.min(characters, text.length);
  return Array.from(text).slice(0, characters).join("").length;
}

/** The pieces of an anchored element in order: text nodes, and elements that count as a whole. */
function* iterPieces(element) {
  if (element.dataset?.displayLength !== undefined) {
    yield { node: element, length: Number(element.dataset.displayLength) || 0, isWhole: true };
    return;
  }
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      yield { node: child, length: countCharacters(child.data), isWhole: false };
    } else if (child.nodeType === Node.ELEMENT_NODE) {
      yield* iterPieces(child);
    }
  }
}

function buildRange(piece, start, end) {
  const range = document.createRange();
  if (piece.isWhole) {
    range.selectNode(piece.node);
  } else {
    range.setStart(piece.node, toUnits(piece.node.data, start));
    range.setEnd(piece.node, toUnits(piece.node.data, end));
  }
  return range;
}

/** A map from anchors to the text nodes that show them; rebuilt when the page's text changed. */
export class TextMap {
  #scope;
  #pieces = new Map();

  constructor(scope) {
    this.#scope = scope;
    this.#build();
  }

  #build() {
    this.#pieces.clear();
    for (const element of this.#scope.querySelectorAll("[data-narration]")) {
      const anchor = element.dataset.narration;
      const pieces = this.#pieces.get(anchor) ?? [];
      pieces.push(...iterPieces(element));
      this.#pieces.set(anchor, pieces);
    }
  }

  #getPieces(anchor) {
    const known = this.#pieces.get(anchor);
    if (known?.every((piece) => piece.node.isConnected)) return known;
    this.#build();
    return this.#pieces.get(anchor) ?? [];
  }

  /** Ranges over characters `start` to `end` of an anchor's text, and the elements among them
   * that count as a whole (a formula, a picture). Both empty where the page does not show it. */
  find(anchor, start, end) {
    const ranges = [];
    const wholes = [];
    let at = 0;
    for (const piece of this.#getPieces(anchor)) {
      const from = Math.max(start - at, 0);
      const to = Math.min(end - at, piece.length);
      if (from < to) {
        ranges.push(buildRange(piece, from, to));
        if (piece.isWhole) wholes.push(piece.node);
      }
      at += piece.length;
    }
    return { ranges, wholes };
  }

  /** Ranges of a segment of the manifest. */
  findSegment(segment) {
    const length = countCharacters(segment.text);
    return this.find(segment.anchor, segment.offset, segment.offset + length);
  }

  /** Ranges of a word `[start, end, …]` of a segment. */
  findWord(segment, word) {
    return this.find(segment.anchor, segment.offset + word[0], segment.offset + word[1]);
  }

  /** Which character of an anchor's text stands at a place in the DOM; 0 when it is elsewhere. */
  locate(anchor, node, units) {
    let at = 0;
    for (const piece of this.#getPieces(anchor)) {
      if (piece.node === node) return at + countCharacters(node.data?.slice(0, units) ?? "");
      if (piece.isWhole && piece.node.contains(node)) return at;
      at += piece.length;
    }
    return 0;
  }
}

/** The DOM place under a point of the window: `{node, offset}` or null. */
export function findPlace(x, y) {
  if (document.caretPositionFromPoint) {
    const place = document.caretPositionFromPoint(x, y);
    return place && { node: place.offsetNode, offset: place.offset };
  }
  const range = document.caretRangeFromPoint?.(x, y);
  return range ? { node: range.startContainer, offset: range.startOffset } : null;
}
