// The waveform: SVG bars from the track's peaks, so that it takes the page's colours and is sharp
// at every width.

const SVG = "http://www.w3.org/2000/svg";
const PX_PER_BAR = 4;
const HALF = 50;

/** Heights from 0 to 1 of `count` bars; `data` holds least and greatest values in turn. */
function buildBars(data, count) {
  const bars = new Array(count).fill(0);
  const pairs = data.length / 2;
  for (let index = 0; index < pairs; index += 1) {
    const bar = Math.floor((index * count) / pairs);
    const height = Math.max(Math.abs(data[2 * index]), Math.abs(data[2 * index + 1]));
    bars[bar] = Math.max(bars[bar], height);
  }
  const loudest = Math.max(1, ...bars);
  return bars.map((height) => height / loudest);
}

function draw(svg, data) {
  const pairs = data.length / 2;
  const count = Math.max(1, Math.min(pairs, Math.floor(svg.clientWidth / PX_PER_BAR)));
  const bars = buildBars(data, count).map((height, index) => {
    const reach = Math.max(1, height * (HALF - 2));
    return `M${index * 2 + 1} ${HALF - reach}V${HALF + reach}`;
  });
  svg.setAttribute("viewBox", `0 0 ${count * 2} ${HALF * 2}`);
  for (const path of svg.children) path.setAttribute("d", bars.join(""));
}

/** Fill an empty `<svg>` from the peaks at `url`. A picture only: the slider works without it. */
export async function loadWaveform(svg, url, signal) {
  try {
    const response = await fetch(url, { credentials: "same-origin", signal });
    if (response.ok) build(svg, (await response.json()).data, signal);
  } catch {
    // No picture, then.
  }
}

/** The whole in one path, what was heard in another above it. */
function build(svg, data, signal) {
  const paths = ["nr-wave__all", "nr-wave__heard"].map((name) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("vector-effect", "non-scaling-stroke");
    return path;
  });
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(...paths);
  const watcher = new ResizeObserver(() => draw(svg, data));
  watcher.observe(svg);
  signal.addEventListener("abort", () => watcher.disconnect());
}
