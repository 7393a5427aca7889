// What is looked at: a panel, a color, a run; and the URL's fragment that says so.

const POOLED = "all"; // a setting whose values are pooled

function fragmentOf(atlas, view) {
  const said = new URLSearchParams();
  for (const [name, code] of view.chosen)
    said.set(name, code === ALL ? POOLED : String(atlas.settings.get(name).values[code]));
  if (view.color !== "outcome") said.set("color", view.color);
  if (view.run !== null) said.set("run", atlas.ids[view.run]);
  return `#${said}`;
}

// Puts what a fragment says into the view; returns what of it this store does not have.
function readFragment(atlas, view, fragment) {
  const unknown = [];
  const said = new URLSearchParams(fragment.replace(/^#/, ""));
  view.color = "outcome";
  view.run = null;
  for (const [name, text] of said) {
    if (name === "color" && atlas.measures.has(text)) view.color = text;
    else if (name === "run" && atlas.place(text) !== null) view.run = atlas.place(text);
    else if (view.chosen.has(name) && codeOf(atlas, name, text) !== null)
      view.chosen.set(name, codeOf(atlas, name, text));
    else if (name !== "color" || text !== "outcome") unknown.push(`${name} ${text}`);
  }
  return unknown;
}

function codeOf(atlas, name, text) {
  const { values, repeats } = atlas.settings.get(name);
  if (text === POOLED && repeats) return ALL;
  const code = values.findIndex((value) => String(value) === text);
  return code < 0 ? null : code;
}

// The panel and the cell in which a run lies; where its seed is pooled, it stays so.
function turnTo(atlas, axes, view, run) {
  for (const name of view.chosen.keys())
    if (view.chosen.get(name) !== ALL) view.chosen.set(name, atlas.code(name, run));
  const place = (axis) => (atlas.settings.has(axis.name) ? atlas.code(axis.name, run) : 0);
  view.cursor = { row: place(axes.y), column: place(axes.x) };
  view.run = run;
}
