// The map's cells: which runs lie in each, and what color they have together.

const ALL = -1; // of a setting: every value, pooled

// Lists of runs, and of inferred cells, by row and column, of those that have the chosen settings.
function cellsOf(atlas, layout, chosen) {
  const cells = layout.y.values.map(() => layout.x.values.map(() => []));
  const place = (axis, run) => (atlas.settings.has(axis.name) ? atlas.code(axis.name, run) : 0);
  const wanted = [...chosen].filter(([, code]) => code !== ALL);
  for (let run = 0; run < atlas.count; run++)
    if (wanted.every(([name, code]) => atlas.code(name, run) === code))
      cells[place(layout.y, run)][place(layout.x, run)].push(run);
  return cells;
}

// What the maps open with, of the settings that have no axis: the middle number and the first of all
// else; where a store holds several experiments and none of its runs is so, what most of them have.
function firstChoice(atlas, layout) {
  const chosen = new Map();
  for (const setting of atlas.settings.values())
    if (setting.name !== layout.x.name && setting.name !== layout.y.name)
      chosen.set(setting.name, setting.repeats ? ALL : isNumber(setting) ? (setting.values.length - 1) >> 1 : 0);
  if (cellsOf(atlas, layout, chosen).flat().some((runs) => runs.length)) return chosen;
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
  if (runs.length === 1) return atlas.region(runs[0]);
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
  if (values.length === 1) return values[0];
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

// Which cells are drawn paler: those none of whose runs was trained.
const palerOf = (atlas, cells) =>
  cells.map((row) => row.map((runs) => runs.length > 0 && runs.every(atlas.isInferred)));

// What each cell is colored by: a region, or the median of a measure; null where nothing is
// shown, NaN where a run has no such number.
function valuesOf(atlas, cells, regions, color, hidden) {
  if (color === "outcome") return regions.map((row) => row.map((r) => (hidden.has(r) ? null : r)));
  return cells.map((row) => row.map((runs) =>
    runs.length ? median(runs.map((run) => atlas.raw(color, run))) : null));
}

const isNumber = (setting) => typeof setting.values[0] === "number" && !setting.repeats;
const isLog = (axis) => isNumber(axis) && axis.values[0] >= 0 && axis.values[axis.values.length - 1] > 0;

// Where an axis' values lie: at their logarithms where values allow, and a zero one step
// below the others; else side by side, as names and seeds do.
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
