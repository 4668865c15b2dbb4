// Cues: what is being said at a moment. Pure functions over the manifest's sorted lists.

/** Index of the last entry that has begun at `ms`, -1 before the first. */
function findLastBegun(count, startOf, ms) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(middle) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the segment at `ms`. It lasts until the next begins: gaps belong to what was said. */
export function findSegment(segments, ms) {
  return findLastBegun(segments.length, (index) => segments[index].start_ms, ms);
}

/** The word `[start, end, start_ms, end_ms]` being said at `ms`, null outside the sentence. */
export function findWord(segment, ms) {
  if (ms >= segment.end_ms) return null;
  const index = findLastBegun(segment.words.length, (at) => segment.words[at][2], ms);
  return segment.words[index] ?? null;
}

/** Where "previous sentence" leads: the start of this one, or of the one before if just begun. */
export function findPrevious(segments, ms, grace_ms = 1500) {
  const index = findSegment(segments, ms);
  if (index < 0) return 0;
  return ms - segments[index].start_ms > grace_ms ? index : Math.max(0, index - 1);
}

/** 65 000 → "1:05". */
export function formatClock(ms) {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const tail = String(seconds % 60).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${tail}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
}

/** 65 000 → "1 minute 5 seconds", in the page's language. */
export function formatSpoken(ms, language) {
  const say = (value, unit) =>
    new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(value);
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return say(seconds, "second");
  return `${say(Math.floor(seconds / 60), "minute")} ${say(seconds % 60, "second")}`;
}
