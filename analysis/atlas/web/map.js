// The interactive map: drawn by Plotly, hovered by mouse, walked by keyboard.

const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false };

function paper(more) {
  const axis = { gridcolor: css("--line"), linecolor: css("--line"), zeroline: false, ticks: "outside",
    tickcolor: css("--line"), automargin: true, fixedrange: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, color: css("--ink") },
    margin: { l: 56, r: 8, t: 8, b: 48 }, showlegend: false,
    ...more, xaxis: { ...axis, ...more.xaxis }, yaxis: { ...axis, ...more.yaxis },
  };
}

const HATCH = () => "data:image/svg+xml," + encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400"><defs><pattern id="p" width="8" height="8"
   patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="1.5" height="8" fill="${css("--hatch")}"/>
   </pattern></defs><rect width="600" height="400" fill="url(#p)"/></svg>`);

// Fills the map: values by row and column, null where nothing is shown, NaN where a run has
// no such number; those cells are gray. Some cells are paler. Over them theory's lines and boxes.
function drawMap(element, axes, values, pale, shades, lines, boxes) {
  const [x, y] = [edgesOf(axes.x), edgesOf(axes.y)];
  const scaled = (axis, edges) => ({
    title: { text: inWords(axis.name) },
    type: isLog(axis) ? "log" : "linear",
    range: (isLog(axis) ? edges.map(Math.log10) : edges).filter((_, i) => i === 0 || i === edges.length - 1),
    showgrid: false,
    ...ticks(axis),
  });
  const heat = (z, more) => ({ type: "heatmap", x, y, z, hoverinfo: "none", showscale: false, ...more });
  const gray = css("--numberless");
  const [zmin, zmax] = shades.range;
  const colored = (wanted) => values.map((row, i) => row.map((v, j) =>
    (Number.isNaN(v) || pale[i][j] !== wanted ? null : v)));
  const stops = shades.stops.map(([place, color]) => [place, paler(color)]);
  const traces = [
    heat(colored(false), { zmin, zmax, colorscale: shades.stops }),
    heat(values.map((row) => row.map((v) => (Number.isNaN(v) ? 0 : null))), { colorscale: [[0, gray], [1, gray]] }),
    ...(pale.flat().includes(true) ? [heat(colored(true), { zmin, zmax, colorscale: stops })] : []),
    ...lines.flatMap((line) => lineTraces(axes, line)),
  ];
  const layout = paper({
    margin: { l: 56, r: 12, t: 8, b: 48 },
    xaxis: scaled(axes.x, x), yaxis: scaled(axes.y, y),
    shapes: boxes,
    images: [{ source: HATCH(), xref: "x domain", yref: "y domain", x: 0, y: 1, sizex: 1, sizey: 1,
      sizing: "stretch", layer: "below" }],
  });
  return Plotly.react(element, traces, layout, CONFIG);
}

// A box about the cell of the open run, and another about the cursor, where it has walked on.
function boxesOf(axes, cursor, opened) {
  const [x, y] = [edgesOf(axes.x), edgesOf(axes.y)];
  // Two lines, one of which is seen on any color.
  const box = ({ row, column }, color, width) => ({ type: "rect", x0: x[column], x1: x[column + 1],
    y0: y[row], y1: y[row + 1], line: { color, width } });
  const boxed = (cell, color) => (cell ? [box(cell, "#fff", 6), box(cell, color, 2.5)] : []);
  return [...boxed(opened, css("--mark")), ...boxed(cursor, "#000")];
}

// A line of theory, black on white, so that it is seen on any color.
function lineTraces(axes, { label, plotly, segments }) {
  const along = (axis, place) => segments.flatMap((s) => [onAxis(axis, s[0][place]), onAxis(axis, s[1][place]), null]);
  const trace = (color, width, dash) => ({ type: "scatter", mode: "lines", name: label, hoverinfo: "skip",
    x: along(axes.x, 0), y: along(axes.y, 1), line: { color, width, dash } });
  return [trace("#fff", 5, "solid"), trace("#000", 2, plotly)];
}

// Few values are marked as they are; many on a log scale without a zero are left to Plotly.
function ticks(axis) {
  const { values } = axis;
  const reach = values[values.length - 1] / values[0];
  if (isLog(axis) && reach >= 100 && Number.isFinite(reach)) return { dtick: 1, exponentformat: "power" };
  const every = Math.ceil(values.length / 8);
  const marked = placesOf(axis).filter((_, i) => i % every === 0);
  return { tickvals: isLog(axis) ? marked.map((place) => 10 ** place) : marked,
    ticktext: values.filter((_, i) => i % every === 0).map(short) };
}

// The cell under the mouse, from its position: Plotly identifies edges' cells by their middle.
function cellAt(element, axes, event) {
  const { xaxis, yaxis } = element._fullLayout;
  const box = element.getBoundingClientRect();
  const place = (axis, pixels, scale) => {
    const edges = edgesOf(axis);
    const at = scale.p2d(pixels);
    const found = edges.findIndex((edge, i) => i < edges.length - 1 && at >= edge && at < edges[i + 1]);
    return found < 0 ? null : found;
  };
  const column = place(axes.x, event.clientX - box.left - xaxis._offset, xaxis);
  const row = place(axes.y, event.clientY - box.top - yaxis._offset, yaxis);
  return column === null || row === null ? null : { row, column };
}
