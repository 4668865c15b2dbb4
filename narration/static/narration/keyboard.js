// Keys of the player: everywhere inside it, and on the page where nothing else wants them.

const ACTIONS = {
  " ": "toggle",
  k: "toggle",
  ArrowLeft: "back",
  ArrowRight: "forward",
  j: "previous",
  l: "next",
  c: "captions",
};
const TYPING = "input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]:not([contenteditable=false])";
const INTERACTIVE = `${TYPING}, a[href], button, summary, input, audio, video, [role], [tabindex]`;
const TAKES_SPACE = "button, summary, a[href], input";

/** The action a key press asks of `player`, or null. The page's own keys are taken only while
 * `isOnPage`, and never from a field, a control or a shortcut with a modifier. */
export function findAction(event, player, isOnPage) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest(TYPING)) return null;
  const isInside = player.contains(target);
  if (!isInside && (!isOnPage || target.closest(INTERACTIVE))) return null;
  if (event.key === " " && target.closest(TAKES_SPACE)) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return ACTIONS[key] ?? null;
}
