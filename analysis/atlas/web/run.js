// One run: why it ended so, the shortest way to one that trained, its curves beside the theory's.

function numbersOf(atlas, run) {
  const list = make("dl", undefined, { class: "numbers" });
  const add = (name, value) => {
    const pair = make("div");
    pair.append(make("dt", name), make("dd", value));
    list.append(pair);
  };
  for (const name of atlas.settings.keys()) add(inWords(name), short(atlas.setting(name, run)));
  for (const [name, { label }] of atlas.measures) {
    const value = atlas.measure(name, run);
    if (value !== null) add(label, short(value));
  }
  return list;
}

// Fills the panel; `open` opens another run.
function drawRun(atlas, run, open) {
  const region = atlas.regions[atlas.region(run)];
  const inferred = atlas.isInferred(run);
  find("run-title").replaceChildren(swatch(inferred ? paler(region.color) : region.color), make("span", region.label));
  find("run-settings").textContent = settingsOf(atlas, run) + (inferred ? "" : ` (run ${atlas.ids[run]})`);
  find("run-trained").hidden = inferred;
  find("run-inferred").hidden = !inferred;
  if (inferred) drawInferred(atlas, run, open);
  else drawTrained(atlas, run, open);
}

function drawInferred(atlas, cell, open) {
  const words = inferredWords(atlas, cell);
  const near = openButton(atlas, atlas.runOf(cell), open, "Open that run");
  find("run-inferred").replaceChildren(make("p", `${words[0].toUpperCase()}${words.slice(1)}.`), near);
}

function drawTrained(atlas, run, open) {
  find("run-why").textContent = atlas.words("why", run);
  find("run-actions").replaceChildren(...actionsOf(atlas, run, open));
  for (const section of ["happened", "theory"])
    find(`run-${section}`).replaceChildren(
      ...atlas.words(section, run).split(PARAGRAPH).map((words) => make("li", words)));
  find("run-numbers").replaceChildren(numbersOf(atlas, run));
  find("run-command").textContent = `phasesweep explain ${atlas.store} ${atlas.ids[run]}`;
  if (!window.Plotly) return;
  drawLoss(atlas, run);
  drawLayers(atlas, run, "forward", "run-forward", "log10 of mean h²");
  drawLayers(atlas, run, "backward", "run-backward", "log10 of |δ|");
}

const PART = "\x1d"; // what separates the parts of an action, and its paragraphs
const PARAGRAPH = "\x1e";

const settingsOf = (atlas, run) => [...atlas.settings.keys()]
  .map((name) => `${inWords(name)} ${short(atlas.setting(name, run))}`).join(", ");

// What to do: the changes that a run of this store trained with, or several to try.
function actionsOf(atlas, run, open) {
  const parts = atlas.words("actions", run).split(PART).map((part) => part.split(PARAGRAPH));
  if (parts.length === 1) return [make("h4", "What to do"), make("p", parts[0][0])];
  const [rest] = parts.splice(-1);
  const near = atlas.nearest(run);
  return [
    make("h4", near === null ? "What to try" : shortestWay(parts[0])),
    ...parts.flatMap((part) => actionOf(part, near === null ? null : openButton(atlas, near, open, "Open the run that trained so"))),
    ...rest.map((words) => make(words.startsWith("phasesweep ") ? "pre" : "p", words, { class: "soft" })),
  ];
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const shortestWay = ([changes]) => `Shortest way to green: change ${counted(changes.split("\n").length, "setting")}`;

function openButton(atlas, run, open, words) {
  const button = make("button", undefined, { type: "button", class: "open" });
  button.append(swatch(atlas.regions[atlas.region(run)].color), make("span", `${words}: ${atlas.ids[run]}`));
  button.addEventListener("click", () => open(run));
  return button;
}

function actionOf([changes, reason, code], button) {
  const list = make("ul", undefined, { class: "changes" });
  for (const change of changes.split("\n")) list.append(make("li", change.replace(" -> ", " \u2192 ")));
  const lines = make("details");
  lines.append(make("summary", "as PyTorch"), make("pre", code));
  return [list, make("p", reason, { class: "soft" }), ...(button ? [button] : []), ...(code ? [lines] : [])];
}

function drawLoss(atlas, run) {
  const { steps, losses } = atlas.curve(run);
  const [first, last] = [steps[0] + 1 || 1, (steps[steps.length - 1] || 1) + 1];
  const level = (value, name, dash) => ({ x: [first, last], y: [value, value], name, mode: "lines",
    line: { color: css("--soft"), dash, width: 1.5 }, hoverinfo: "name+y" });
  const baseline = atlas.measure("baseline_loss", run);
  const trained = baseline * atlas.setting("trained_level", run);
  const traces = [
    { x: steps.map((s) => s + 1), y: losses, name: "loss", mode: "lines+markers", connectgaps: false,
      line: { color: css("--mark") }, marker: { size: 5 }, hovertemplate: "%{y:.4g}<extra></extra>" },
    ...(baseline > 0 ? [level(baseline, "best constant", "dash"),
      level(trained, "counts as trained", "dot")] : []),
  ];
  Plotly.react("run-loss", traces, paper({
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
    xaxis: { title: { text: "step + 1" }, type: "log", dtick: 1, exponentformat: "power" },
    yaxis: { title: { text: "loss" }, type: "log", ...decades([...losses, trained, baseline]) },
  }), CONFIG);
}

// A tick at every power of ten, or at 1, 2 and 5 times it where there are few.
function decades(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
  const every = Math.max(1, Math.ceil((high - low) / 6));
  const ticks = [];
  for (let power = low; power <= high; power += every)
    for (const factor of high - low <= 2 ? [1, 2, 5] : [1]) ticks.push(factor * 10 ** power);
  return { tickvals: ticks, ticktext: ticks.map(short) };
}

// At least a decade high: else scatter of a few percent would look like a trend.
function atLeastADecade(values) {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const pad = Math.max(0.08 * (high - low), (1 - (high - low)) / 2);
  return known.length ? [low - pad, high + pad] : [-1, 1];
}

// The theory is that of all seeds' mean: moved to where this run's gradient starts backward.
function fromLastHidden(theory, measured) {
  const last = Math.max(0, theory.length - 2);
  const offset = measured[last] - theory[last];
  return theory.map((value) => (value === null || Number.isNaN(offset) ? value : value + offset));
}

function drawLayers(atlas, run, kind, id, title) {
  const [measured, theory] = ["profile", "theory"].map((source) => atlas.profile(source, run));
  find(id).parentElement.hidden = !measured;
  find("run-unmeasured").hidden = Boolean(measured);
  if (!measured) return;
  const layers = measured[kind].map((_, i) => i + 1);
  if (theory && kind === "backward") theory.backward = fromLastHidden(theory.backward, measured.backward);
  const traces = [
    { x: layers, y: measured[kind], name: "measured", mode: "markers", marker: { color: css("--mark"), size: 8 },
      hovertemplate: "layer %{x}: %{y:.2f}<extra></extra>" },
    ...(theory ? [{ x: layers, y: theory[kind], name: "theory, infinite width", mode: "lines",
      line: { color: css("--ink"), width: 1.5 }, hovertemplate: "theory: %{y:.2f}<extra></extra>" }] : []),
  ];
  Plotly.react(id, traces, paper({
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
    xaxis: { title: { text: "layer" }, range: [0.5, layers.length + 0.5], ...(layers.length <= 8 ? { tickvals: layers } : { nticks: 8 }) },
    yaxis: { title: { text: title }, nticks: 6,
      range: atLeastADecade([...measured[kind], ...(theory ? theory[kind] : [])]) },
  }), CONFIG);
}
