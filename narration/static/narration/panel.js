// The author's panel works without this. It tells screen readers when the state changes, and only
// then: htmx replaces the panel every second while a job is at work.

document.addEventListener("htmx:afterSwap", (event) => {
  const body = event.detail.elt?.closest?.(".nr-panel__body") ?? event.target;
  const panel = body.closest?.(".nr-panel");
  const current = panel?.querySelector(".nr-panel__body");
  const status = panel?.querySelector("[data-narration-status]");
  if (!current || !status) return;
  if (status.dataset.narrationStatus === current.dataset.status) return;
  status.dataset.narrationStatus = current.dataset.status;
  status.textContent = current.dataset.label;
});
