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
  // A rule and not an attribute of the still, which the kernel may replace while the widget lives.
  const cell = el.closest(".jp-OutputArea") ?? document.documentElement;
  const mark = `rsl-live-${model.get("still")}`;
  add(el, "style", { textContent: `.${mark} [data-rsl-still="${model.get("still")}"] { display: none !important; }` });
  cell.classList.add(mark);
  return () => cell.classList.remove(mark);
}

const GONE = "The kernel behind this is gone. Run the cell again to make it live.";

// The kernel of a widget: `show` is told whenever it goes, and whenever it is back. JupyterLab tells widgets of a restart,
// but not of a shutdown, which only its connection to the kernel knows. In other hosts, the next message fails.
function kernelOf(model, show) {
  let live = true;
  const set = (is) => { if (is !== live) show(live = is); };
  const lost = () => set(false);
  const ended = model.widget_manager?.kernel?.disposed;
  model.on("comm_live_update", lost);
  model.on("change", () => set(true));
  ended?.connect?.(lost);
  return {
    send: (message) => {
      try { model.send(message); } catch { lost(); }
      return live;
    },
    leave: () => ended?.disconnect?.(lost),
  };
}
