// Functions shared by all scripts.

// A number that is unique on the page. Every widget has a copy of this script, so the counter must be global.
const unique = () => (globalThis.rslEduCount = (globalThis.rslEduCount ?? 0) + 1);

const add = (parent, tag, properties = {}) => parent.appendChild(Object.assign(document.createElement(tag), properties));

function addSvg(parent, tag, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return parent.appendChild(element);
}

// Adapt a notebook: hide the still that it stores for readers without the kernel, and remove the white background that
// VS Code adds to every widget, even in dark themes.
function settleIn(model, el) {
  for (let around = el.parentElement; around; around = around.parentElement)
    if (around.classList.contains("cell-output-ipywidget-background"))
      around.style.setProperty("background", "transparent", "important");
  // A CSS rule, because the kernel may replace the still while the widget exists.
  const cell = el.closest(".jp-OutputArea") ?? document.documentElement;
  const mark = `rsl-live-${model.get("still")}`;
  add(el, "style", { textContent: `.${mark} [data-rsl-still="${model.get("still")}"] { display: none !important; }` });
  cell.classList.add(mark);
  return () => cell.classList.remove(mark);
}

const GONE = "The kernel has stopped. Run the cell again to make this interactive.";

// The kernel of a widget: `show` is called whenever it stops or returns. JupyterLab notifies widgets of a restart but
// not of a shutdown, which only its kernel connection reports. In other hosts, the next message fails.
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
