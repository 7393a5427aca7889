// Parallel coordinates: a line for each run of the table, across its settings and its final loss.

const MOST_LINES = 2000;
const [TOP, BOTTOM] = [28, 8];
const SPREAD = 0.35; // of the distance between two values: runs of one value lie side by side

function drawParallel(atlas, runs, shades, color) {
  const canvas = find("parallel");
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width) return; // folded away
  const pen = scaledPen(canvas, width, height);
  const axes = parallelAxes(atlas);
  // Not every n-th, which might all have one seed.
  const drawn = runs.filter((run) => scattered(run, 2654435761) < MOST_LINES / runs.length);
  const x = (i) => width * ((i + 0.4) / axes.length);
  const y = (share) => TOP + (height - TOP - BOTTOM) * (1 - share);
  pen.lineWidth = 1;
  pen.globalAlpha = Math.max(0.12, Math.min(1, 60 / drawn.length));
  for (const run of drawn) {
    const places = axes.map((axis) => axis.place(run));
    pen.strokeStyle = shades.of(color === "outcome" ? atlas.region(run) : atlas.raw(color, run));
    pen.beginPath();
    places.forEach((place, i) => {
      if (place === null) return;
      if (i === 0 || places[i - 1] === null) pen.moveTo(x(i), y(place));
      else pen.lineTo(x(i), y(place));
    });
    pen.stroke();
  }
  pen.globalAlpha = 1;
  axes.forEach((axis, i) => drawScale(pen, axis, x(i), y));
  const [some, all] = [drawn.length, runs.length].map((count) => count.toLocaleString("en"));
  find("parallel-count").textContent = drawn.length === runs.length ? `${all} runs` : `${some} of ${all} runs, chosen by chance`;
}

// A pen whose unit is a pixel of the page, on a sharp and empty canvas.
function scaledPen(canvas, width, height) {
  const sharp = window.devicePixelRatio;
  Object.assign(canvas, { width: Math.round(width * sharp), height: Math.round(height * sharp) });
  const pen = canvas.getContext("2d");
  pen.scale(sharp, sharp);
  return pen;
}

// The settings that vary, and the final loss: each with the height of a run, and of its marks.
function parallelAxes(atlas) {
  const settings = [...atlas.settings.values()].map(({ name, values }) => {
    const at = (code) => (code + 0.5) / values.length;
    return { label: inWords(name), place: (run) => at(atlas.code(name, run) + SPREAD * wobble(run)),
      marks: values.map((value, code) => [at(code), short(value)]) };
  });
  const { lowest, highest } = atlas.measures.get("final_loss") || {};
  if (lowest === undefined) return settings;
  const share = (log10) => Math.max(0, Math.min(1, (log10 - lowest) / (highest - lowest)));
  const loss = (run) => atlas.raw("final_loss", run);
  return [...settings, { label: "final loss", place: (run) => (Number.isNaN(loss(run)) ? null : share(loss(run))),
    marks: [lowest, highest].map((log10) => [share(log10), short(10 ** log10)]) }];
}

// Between 0 and 1, without a pattern, and always the same for a run.
const scattered = (run, factor) => (Math.imul(run + 1, factor) >>> 0) / 2 ** 32;
const wobble = (run) => 2 * scattered(run, 2246822519) - 1;

function drawScale(pen, { label, marks }, x, y) {
  pen.strokeStyle = pen.fillStyle = css("--ink");
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.beginPath();
  pen.moveTo(x, y(0));
  pen.lineTo(x, y(1));
  pen.stroke();
  pen.fillText(label, x, y(1) - 12);
  pen.textAlign = "left";
  const every = Math.ceil(marks.length / 8);
  marks.forEach(([share, text], i) => {
    if (i % every !== 0) return;
    halo(pen, text, x + 4, y(share) + 4);
  });
}

function halo(pen, text, x, y) {
  pen.save();
  pen.strokeStyle = css("--page");
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.restore();
  pen.fillText(text, x, y);
}
