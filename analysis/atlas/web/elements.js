// Elements of the page, made and found.

function make(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text; // text, never markup: a store is untrusted
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const find = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const inWords = (name) => name.replaceAll("_", " ");

function addChoice(parent, name, options, value, onChange, words = inWords(name)) {
  const select = make("select", undefined, { id: `choose-${name}` });
  for (const [key, text] of options) select.append(make("option", text, { value: key }));
  select.value = value;
  select.addEventListener("change", () => onChange(select.value));
  const label = make("label", words);
  label.append(select);
  parent.append(label);
}

function swatch(color, kind = "") {
  const made = make("span", undefined, { class: `swatch ${kind}`, "aria-hidden": "true" });
  if (color) made.style.background = color;
  return made;
}
