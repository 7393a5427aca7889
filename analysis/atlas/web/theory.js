// Theory on the maps: lines on which a prediction is 1.

const LINES = [
  { name: "scale_ratio", label: "theory: gradients keep their size from layer to layer (chi = 1)", dash: [], plotly: "solid" },
  { name: "rate_ratio", label: "theory: the critical learning rate (2 / lambda_max, without momentum)", dash: [5, 3], plotly: "dash" },
];

// Each line with its segments, [x, y] to [x, y] in places of the axes, where the store has it.
// Between names or seeds there is nothing that a line could cross, and cells that were not trained
// do not show where.
function theoryLines(atlas, layout, cells) {
  if (!isNumber(layout.x) || !isNumber(layout.y)) return [];
  return LINES.filter(({ name }) => atlas.measures.has(name)).map((line) => {
    const logs = cells.map((row) => row.map((runs) =>
      median(runs.map((run) => (atlas.isInferred(run) ? NaN : atlas.raw(line.name, run))))));
    return { ...line, segments: zeroSegments(placesOf(layout.x), placesOf(layout.y), logs) };
  });
}

// Where a function that is given on a grid is zero: a segment through each square of neighbors
// in which it changes sign, by linear interpolation along the square's sides.
function zeroSegments(xs, ys, values) {
  const segments = [];
  for (let i = 0; i + 1 < ys.length; i++)
    for (let j = 0; j + 1 < xs.length; j++) {
      const corners = [[j, i], [j + 1, i], [j + 1, i + 1], [j, i + 1]];
      const crossings = corners.flatMap((from, k) => {
        const to = corners[(k + 1) % 4];
        const [a, b] = [values[from[1]][from[0]], values[to[1]][to[0]]];
        if (!Number.isFinite(a) || !Number.isFinite(b) || a > 0 === b > 0) return [];
        const share = a / (a - b);
        const between = (list, axis) => list[from[axis]] + share * (list[to[axis]] - list[from[axis]]);
        return [[between(xs, 0), between(ys, 1)]];
      });
      for (let k = 0; k + 1 < crossings.length; k += 2) segments.push([crossings[k], crossings[k + 1]]);
    }
  return segments;
}
