// The lesson editor: marks, shortcuts, what is shown, and a word before unsaved text is lost.
// Without this file the form still saves; only the comforts are missing.

const form = document.querySelector("[data-editor]");
const area = form.elements.markdown;
const title = form.elements.title;

// Where the caret was survives the page that a save loads.
const PLACE = `editor:${location.pathname}:${area.lang}`;
const VIEW = "editor:view";

/** Replace the selection so that undo still knows what was there. */
function replaceSelection(text) {
  area.focus();
  // Nothing else keeps the browser's own undo history of a textarea.
  if (document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Put marks around the selection, or take them away where they are. */
function wrap(before, after, placeholder) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const chosen = value.slice(start, end);
  const isMarked = value.slice(0, start).endsWith(before) && value.slice(end).startsWith(after);
  if (chosen && isMarked) {
    area.setSelectionRange(start - before.length, end + after.length);
    replaceSelection(chosen);
    area.setSelectionRange(start - before.length, end - before.length);
    return;
  }
  const inside = chosen || placeholder;
  replaceSelection(before + inside + after);
  area.setSelectionRange(start + before.length, start + before.length + inside.length);
}

/** Begin every selected line with a mark, or take it from all of them. */
function prefix(mark) {
  const { selectionStart, selectionEnd, value } = area;
  const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const found = value.indexOf("\n", selectionEnd);
  const end = found === -1 ? value.length : found;
  const lines = value.slice(start, end).split("\n");
  const isMarked = lines.every((line) => line.startsWith(mark));
  const changed = lines.map((line) => (isMarked ? line.slice(mark.length) : mark + line)).join("\n");
  area.setSelectionRange(start, end);
  replaceSelection(changed);
  area.setSelectionRange(start, start + changed.length);
}

function link() {
  const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
  const start = area.selectionStart;
  const address = "https://";
  replaceSelection(`[${chosen}](${address})`);
  const at = chosen ? start + chosen.length + 3 : start + 1;
  area.setSelectionRange(at, chosen ? at + address.length : at);
}

function code() {
  const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
  if (chosen.includes("\n")) wrap("```\n", "\n```", "");
  else wrap("`", "`", "code");
}

const marks = {
  heading: () => prefix("## "),
  bold: () => wrap("**", "**", "bold"),
  italic: () => wrap("*", "*", "italic"),
  link,
  list: () => prefix("- "),
  quote: () => prefix("> "),
  code,
  formula: () => wrap("$", "$", "x^2"),
};
const keys = { b: "bold", i: "italic", k: "link" };

function setUpToolbar(toolbar) {
  const buttons = [...toolbar.querySelectorAll("button")];
  toolbar.hidden = false;
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-mark]");
    if (button) marks[button.dataset.mark]();
  });
  // One stop for the Tab key; the arrows walk inside.
  buttons.forEach((button, index) => (button.tabIndex = index ? -1 : 0));
  toolbar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const index = buttons.indexOf(document.activeElement);
    if (!step || index === -1) return;
    const next = buttons[(index + step + buttons.length) % buttons.length];
    buttons.forEach((button) => (button.tabIndex = button === next ? 0 : -1));
    next.focus();
    event.preventDefault();
  });
}

function setUpViews(views) {
  const panes = form.querySelector("[data-panes]");
  const show = (view) => {
    panes.dataset.show = view;
    views.querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.view === view));
    });
    localStorage.setItem(VIEW, view);
  };
  views.hidden = false;
  views.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (button) show(button.dataset.view);
  });
  const isNarrow = matchMedia("(max-width: 56rem)").matches;
  show(localStorage.getItem(VIEW) ?? (isNarrow ? "write" : "both"));
}

/** The preview follows the text, by proportion. */
function setUpScroll() {
  const preview = form.querySelector(".editor__preview");
  area.addEventListener("scroll", () => {
    const share = area.scrollTop / Math.max(1, area.scrollHeight - area.clientHeight);
    preview.scrollTop = share * (preview.scrollHeight - preview.clientHeight);
  });
}

function setUpKeys() {
  form.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const key = event.key.toLowerCase();
    if (key === "s") form.requestSubmit();
    else if (keys[key] && event.target === area) marks[keys[key]]();
    else return;
    event.preventDefault();
  });
}

function setUpWarning() {
  const line = form.querySelector("[data-status-line]");
  const savedText = line.textContent;
  const saved = { title: title.value, markdown: area.value };
  const startsUnsaved = "unsaved" in form.dataset;
  let isLeaving = false;
  const isUnsaved = () =>
    startsUnsaved || title.value !== saved.title || area.value !== saved.markdown;
  const tell = () => {
    const text = isUnsaved() ? line.dataset.unsavedText : savedText;
    if (line.textContent !== text) line.textContent = text;
    line.toggleAttribute("data-unsaved", isUnsaved());
  };
  form.addEventListener("input", tell);
  form.addEventListener("submit", () => {
    isLeaving = true;
    const place = [area.selectionStart, area.selectionEnd, area.scrollTop, document.activeElement === area];
    sessionStorage.setItem(PLACE, JSON.stringify(place));
  });
  // Narrating or publishing speaks the stored text: say so before leaving what is typed.
  addEventListener("beforeunload", (event) => {
    if (isUnsaved() && !isLeaving) event.preventDefault();
  });
  addEventListener("pageshow", () => {
    isLeaving = false;
    tell();
  });
}

function restorePlace() {
  const kept = sessionStorage.getItem(PLACE);
  if (!kept) return;
  sessionStorage.removeItem(PLACE);
  const [start, end, scroll, hadFocus] = JSON.parse(kept);
  if (hadFocus) area.focus({ preventScroll: true });
  area.setSelectionRange(start, end);
  area.scrollTop = scroll;
}

setUpToolbar(form.querySelector("[data-toolbar]"));
setUpViews(form.querySelector("[data-views]"));
setUpScroll();
setUpKeys();
setUpWarning();
restorePlace();
