// One run: its numbers, its loss curve, its layers beside the theory's.

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text; // text, never markup: a store is untrusted
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function numbersOf(atlas, run) {
  const list = element("dl", undefined, { class: "numbers" });
  const add = (name, value) => {
    const pair = element("div");
    pair.append(element("dt", name), element("dd", value));
    list.append(pair);
  };
  for (const name of atlas.settings.keys()) add(name.replaceAll("_", " "), short(atlas.setting(name, run)));
  for (const [name, { label }] of atlas.measures) {
    const value = atlas.measure(name, run);
    if (value !== null) add(label, short(value));
  }
  return list;
}

function drawRun(atlas, run) {
  const region = atlas.regions[atlas.region(run)];
  document.getElementById("run-title").textContent = `Run ${atlas.ids[run]}: ${region.label}`;
  document.getElementById("run-numbers").replaceChildren(numbersOf(atlas, run));
  document.getElementById("run-command").textContent = `phasesweep explain ${atlas.store} ${atlas.ids[run]}`;
  drawLoss(atlas, run);
  drawLayers(atlas, run, "forward", "run-forward", "log10 of mean h²");
  drawLayers(atlas, run, "backward", "run-backward", "log10 of |δ|");
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
  document.getElementById(id).hidden = !measured;
  document.getElementById("run-unmeasured").hidden = Boolean(measured);
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
