// An author asked to hear something: wait until it is made, then play it.
const WAIT_MS = 400;
const GIVE_UP_MS = 90_000;

const box = document.querySelector("[data-audition]");
if (box) listen(box, Date.now());

async function listen(box, startedAt) {
  const answer = await fetch(box.dataset.audition, { headers: { Accept: "application/json" } })
    .then((response) => (response.ok ? response.json() : null))
    .catch(() => null);
  if (answer?.url) return play(box, answer.url);
  if (answer?.problem) return tell(box, answer.problem);
  if (Date.now() - startedAt > GIVE_UP_MS) return tell(box, box.dataset.textLate);
  setTimeout(() => listen(box, startedAt), WAIT_MS);
}

function play(box, url) {
  tell(box, "");
  const audio = box.querySelector("audio");
  audio.src = url;
  audio.hidden = false;
  // A browser that plays nothing unasked shows the controls, and that is fine.
  audio.play().catch(() => {});
}

function tell(box, words) {
  box.querySelector("[role=status]").textContent = words;
}
