// What all scripts share.

// A number for the page: each widget has a copy of this script, so that a counter of its own would count from 1 again.
const unique = () => (globalThis.rslEduCount = (globalThis.rslEduCount ?? 0) + 1);

const add = (parent, tag, properties = {}) => parent.appendChild(Object.assign(document.createElement(tag), properties));

function addSvg(parent, tag, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return parent.appendChild(element);
}

// Settle in a notebook: it also stores a still of each widget, for readers without its kernel, and VS Code puts a white
// ground behind every widget, in a dark theme too.
function settleIn(model, el) {
  for (let around = el.parentElement; around; around = around.parentElement)
    if (around.classList.contains("cell-output-ipywidget-background"))
      around.style.setProperty("background", "transparent", "important");
  const cell = el.closest(".jp-OutputArea") ?? document;
  const stills = [...cell.querySelectorAll(`[data-rsl-still="${model.get("still")}"]`)];
  for (const still of stills) still.hidden = true;
  return stills;
}
