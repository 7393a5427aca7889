// What is looked at: the axes, a panel, a color, a run; and the URL's fragment that says so.

const POOLED = "all"; // a setting whose values are pooled
const NOTHING = "none"; // a role without a setting

function fragmentOf(atlas, view) {
  const said = new URLSearchParams();
  for (const role of ROLES)
    if (view.places.get(role) !== atlas.places.get(role)) said.set(role, view.places.get(role) || NOTHING);
  for (const [name, code] of view.chosen)
    said.set(name, code === ALL ? POOLED : String(atlas.settings.get(name).values[code]));
  if (view.color !== "outcome") said.set("color", view.color);
  if (view.run !== null && atlas.isInferred(view.run)) said.set("cell", placeInWords(atlas, view));
  else if (view.run !== null) said.set("run", atlas.ids[view.run]);
  return `#${said}`;
}

// Puts what a fragment says into the view; returns what of it this store does not have.
function readFragment(atlas, view, fragment) {
  const said = [...new URLSearchParams(fragment.replace(/^#/, ""))];
  const ofRoles = said.filter(([name]) => ROLES.includes(name));
  const unknown = ofRoles.filter(([, text]) => !atlas.settings.has(text) && text !== NOTHING).map((each) => each.join(" "));
  view.places = placesIn(atlas, ofRoles);
  view.chosen = firstChoice(atlas, layoutOf(atlas, view.places));
  view.color = "outcome";
  view.run = null;
  let cell = null;
  for (const [name, text] of said) {
    if (ROLES.includes(name)) continue;
    if (name === "color" && atlas.measures.has(text)) view.color = text;
    else if (name === "run" && atlas.place(text) !== null) view.run = atlas.place(text);
    else if (name === "cell") cell = text;
    else if (view.chosen.has(name) && codeOf(atlas, name, text) !== null)
      view.chosen.set(name, codeOf(atlas, name, text));
    else if (name !== "color" || text !== "outcome") unknown.push(`${name} ${text}`);
  }
  if (cell !== null) {
    view.run = runAt(atlas, view, cell);
    if (view.run === null) unknown.push(`cell ${cell}`);
  }
  return unknown;
}

// A cell that was not trained has no id: its place names it, x before y.
function placeInWords(atlas, view) {
  const { x, y } = layoutOf(atlas, view.places);
  return [x.values[view.opened.column], y.values[view.opened.row]].join();
}

// What stands for the cell of a place, null where there is none.
function runAt(atlas, view, words) {
  const layout = layoutOf(atlas, view.places);
  const [column, row] = words.split(",").map((word, i) =>
    [layout.x, layout.y][i]?.values.findIndex((value) => String(value) === word) ?? -1);
  const runs = cellsOf(atlas, layout, view.chosen)[row]?.[column] || [];
  return runs.length ? oneOf(atlas, runs) : null;
}

// The names by role of a fragment, over those of the page.
function placesIn(atlas, ofRoles) {
  let places = atlas.places;
  for (const [role, text] of ofRoles) {
    if (atlas.settings.has(text)) places = moved(places, role, text);
    else if (text === NOTHING && (role === "columns" || role === "rows")) {
      places = new Map(places);
      places.delete(role);
    }
  }
  return places;
}

function codeOf(atlas, name, text) {
  const { values, repeats } = atlas.settings.get(name);
  if (text === POOLED && repeats) return ALL;
  const code = values.findIndex((value) => String(value) === text);
  return code < 0 ? null : code;
}

// The panel and the cell in which a run lies; where its seed is pooled, it stays so.
function turnTo(atlas, layout, view, run) {
  for (const name of view.chosen.keys())
    if (view.chosen.get(name) !== ALL) view.chosen.set(name, atlas.code(name, run));
  const place = (axis) => (atlas.settings.has(axis.name) ? atlas.code(axis.name, run) : 0);
  view.cursor = view.opened = { row: place(layout.y), column: place(layout.x) };
  view.run = run;
}
