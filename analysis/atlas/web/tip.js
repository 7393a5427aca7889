// The tip beside the mouse: a cell's settings, its outcome, and what that rests on.

const beginning = (words) => words.split(/(?<=\.) (?=[A-Z])/).slice(0, 2).join(" ");

// Where the label of a cell comes from that was not trained.
const inferredWords = (atlas, cell) =>
  `not trained; inferred from the run ${counted(Number(brief(atlas.distance(cell))), "cell")} away`;

// The first words on the run that stands for the cell; the number that colors it, if one does.
function cellWords(atlas, axes, color, cells, { row, column }) {
  const runs = cells[row][column];
  const where = `${inWords(axes.x.name)} ${short(axes.x.values[column])}, ${inWords(axes.y.name)} ${short(axes.y.values[row])}`;
  if (!runs.length) return [where, "not run"];
  const run = oneOf(atlas, runs);
  const same = runs.filter((each) => atlas.region(each) === atlas.region(run)).length;
  const of = runs.length > 1 ? ` (${same} of ${runs.length} runs)` : "";
  const rest = atlas.isInferred(run) ? inferredWords(atlas, run) : beginning(atlas.words("why", run));
  const lines = [where, atlas.regions[atlas.region(run)].label + of, rest];
  if (color === "outcome") return lines;
  const { label, log } = atlas.measures.get(color);
  const middle = median(runs.map((each) => atlas.raw(color, each)));
  const value = Number.isNaN(middle) ? "none" : short(log ? 10 ** middle : middle);
  return [...lines, `${label}${runs.length > 1 ? ", median" : ""}: ${value}`];
}

// Below the point, or above it where there is no room.
function placeTip(tip, map, lines, x, y) {
  tip.replaceChildren(...lines.map((line) => make("div", line)));
  tip.hidden = false;
  const frame = map.getBoundingClientRect();
  const below = y + 14 + tip.offsetHeight <= frame.height;
  tip.style.left = `${Math.max(0, Math.min(x + 14, frame.width - tip.offsetWidth))}px`;
  tip.style.top = `${below ? y + 14 : Math.max(y - 14 - tip.offsetHeight, -frame.top)}px`;
}
