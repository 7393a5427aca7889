// The map's cells: which runs lie in each, and what color they have together.

const AXIS_ORDER = ["learning_rate", "init_scale", "depth", "width", "bias_scale", "steps", "examples"];
const ALL = -1; // of a setting: every value, pooled

// The two settings of the map, x then y; the second may have one value only.
function axesOf(atlas) {
  const numeric = [...atlas.settings.values()].filter((s) => typeof s.values[0] === "number" && !s.repeats);
  const rank = (s) => (AXIS_ORDER.indexOf(s.name) + AXIS_ORDER.length + 1) % (AXIS_ORDER.length + 1);
  numeric.sort((a, b) => rank(a) - rank(b));
  const lone = (name) => ({ name, values: [atlas.fixed[name]] });
  const x = numeric[0] || lone("learning_rate");
  const y = numeric[1] || lone(x.name === "init_scale" ? "learning_rate" : "init_scale");
  return { x, y };
}

const MOST_PANELS = 8; // across, and down

// The two settings whose values have a small map each: across, then down; null where none is left.
function facetsOf(atlas, axes) {
  const others = [...atlas.settings.values()].filter(
    (s) => !s.repeats && s.name !== axes.x.name && s.name !== axes.y.name);
  const columns = others.find((s) => s.name === "depth") || others.find((s) => typeof s.values[0] === "number")
    || others[0] || null;
  const rest = others.filter((s) => s !== columns);
  return { columns, rows: rest.find((s) => s.name === "activation") || rest[0] || null };
}

// At most MOST_PANELS codes of a setting's values, evenly chosen with both ends.
function evenly(setting) {
  const last = setting.values.length - 1;
  const count = Math.min(setting.values.length, MOST_PANELS);
  return Array.from({ length: count }, (_, i) => Math.round((i * last) / Math.max(1, count - 1)));
}

// Lists of runs by row and column, of those that have the chosen settings.
function cellsOf(atlas, axes, chosen) {
  const cells = axes.y.values.map(() => axes.x.values.map(() => []));
  const place = (axis, run) => (atlas.settings.has(axis.name) ? atlas.code(axis.name, run) : 0);
  const wanted = [...chosen].filter(([, code]) => code !== ALL);
  for (let run = 0; run < atlas.size; run++)
    if (wanted.every(([name, code]) => atlas.code(name, run) === code))
      cells[place(axes.y, run)][place(axes.x, run)].push(run);
  return cells;
}

// What the map opens with: the middle depth and the first of all else; where a store holds
// several experiments and none of its runs is so, the settings that most of them have.
function firstChoice(atlas, axes) {
  const chosen = new Map();
  for (const { name, values, repeats } of atlas.settings.values())
    if (name !== axes.x.name && name !== axes.y.name)
      chosen.set(name, repeats ? ALL : name === "depth" ? Math.floor((values.length - 1) / 2) : 0);
  if (cellsOf(atlas, axes, chosen).flat().some((runs) => runs.length)) return chosen;
  const names = [...chosen.keys()].filter((name) => chosen.get(name) !== ALL);
  const counts = new Map();
  for (let run = 0; run < atlas.size; run++) {
    const key = names.map((name) => atlas.code(name, run)).join();
    counts.set(key, (counts.get(key) || 0) + 1);
  }
  const [[common]] = [...counts].sort((a, b) => b[1] - a[1]);
  common.split(",").forEach((code, i) => chosen.set(names[i], Number(code)));
  return chosen;
}

// The region of most runs: their most frequent outcome, then its most frequent cause.
function commonRegion(atlas, runs) {
  const most = (keys) => {
    const counts = new Map();
    for (const key of keys) counts.set(key, (counts.get(key) || 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0][0];
  };
  const first = new Map();
  atlas.regions.forEach((r, i) => first.has(r.outcome) || first.set(r.outcome, i));
  const outcome = (run) => first.get(atlas.regions[atlas.region(run)].outcome);
  const common = most(runs.map(outcome));
  return most(runs.filter((run) => outcome(run) === common).map((run) => atlas.region(run)));
}

function median(values) {
  const sorted = values.filter((v) => !Number.isNaN(v)).sort((a, b) => a - b);
  if (!sorted.length) return NaN;
  const half = (sorted.length - 1) / 2;
  const middle = (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2;
  return Number.isFinite(middle) ? middle : sorted[Math.floor(half)];
}

const regionsOf = (atlas, cells) =>
  cells.map((row) => row.map((runs) => (runs.length ? commonRegion(atlas, runs) : null)));

// The run that stands for a cell: the first that has the cell's region.
const oneOf = (atlas, runs) => runs.find((run) => atlas.region(run) === commonRegion(atlas, runs));

// What each cell is colored by: a region, or the median of a measure; null where nothing is
// shown, NaN where a run has no such number.
function valuesOf(atlas, cells, regions, color, hidden) {
  if (color === "outcome") return regions.map((row) => row.map((r) => (hidden.has(r) ? null : r)));
  return cells.map((row) => row.map((runs) =>
    runs.length ? median(runs.map((run) => atlas.raw(color, run))) : null));
}

const isLog = (axis) => axis.values[0] >= 0 && axis.values[axis.values.length - 1] > 0;

// Where an axis' values lie: at their logarithms where values allow, and a zero one step
// below the others; else side by side.
function placesOf(axis) {
  if (!isLog(axis)) return axis.values.map((_, i) => i);
  const at = axis.values.map(Math.log10);
  if (axis.values[0] === 0) at[0] = at[1] - (at.length > 2 ? at[2] - at[1] : Math.log10(2));
  return at;
}

// Where the edges of an axis' cells lie: midway between neighbors.
function edgePlaces(axis) {
  const at = placesOf(axis);
  const inner = at.slice(1).map((v, i) => (v + at[i]) / 2);
  const reach = inner.length ? [inner[0] - at[0], at[at.length - 1] - inner[inner.length - 1]] : [0.25, 0.25];
  return [at[0] - reach[0], ...inner, at[at.length - 1] + reach[1]];
}

const onAxis = (axis, place) => (isLog(axis) ? 10 ** place : place);
const edgesOf = (axis) => edgePlaces(axis).map((place) => onAxis(axis, place));
