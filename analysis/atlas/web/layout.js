// Which setting lies where: along the maps' axes, and along the columns and rows of small maps.

const ROLES = ["x", "y", "columns", "rows"];
const MOST_PANELS = 8; // across, and down

// The settings in their roles, from their names by role. Along an axis there may be a setting of
// one value; `columns` and `rows` are null where no setting of several values is named.
function layoutOf(atlas, names) {
  const varying = (role) => atlas.settings.get(names.get(role)) || null;
  const axis = (role) => varying(role) || { name: names.get(role), values: [atlas.fixed[names.get(role)]] };
  const [columns, rows] = [varying("columns"), varying("rows")];
  return { x: axis("x"), y: axis("y"), columns: columns || rows, rows: columns && rows };
}

// The names by role after a setting was put into one: what lay there takes the setting's old role.
function moved(names, role, name) {
  const [from] = [...names].find(([, other]) => other === name) || [null];
  const found = new Map(names).set(role, name);
  if (from !== null && names.has(role)) found.set(from, names.get(role));
  else if (from !== null) found.delete(from);
  return found;
}

// At most MOST_PANELS codes of a setting's values, evenly chosen with both ends.
function evenly(setting) {
  const last = setting.values.length - 1;
  const count = Math.min(setting.values.length, MOST_PANELS);
  return Array.from({ length: count }, (_, i) => Math.round((i * last) / Math.max(1, count - 1)));
}
