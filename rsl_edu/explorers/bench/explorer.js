// An explorer in the browser: its controls, its picture, and the spots and handles in it. Plain DOM, no network. The
// model belongs to the widget, or to a page without a kernel (static_page.js).

const BUTTONS = [
  ["more", "More panels", "Show the panels that are hidden at first"],
  ["reset", "Reset", "Go back to the initial state"],
  ["compare", "Compare", "Keep the current curves and numbers behind the next ones"],
  ["save", "Save picture", "Download the current picture"],
  ["copy", "Copy state", "Copy the state as text, to share or restore it"],
];
const PIXELS = 100 / 72; // per point
const [NARROW, MEDIUM] = [560, 800]; // pixels; below these widths, panels are stacked; groups of controls are folded
const LAYERS = ["ground", "moving"];

function isDark() {
  const { dataset, classList } = document.body;
  const page = document.documentElement;
  if (dataset.jpThemeLight) return dataset.jpThemeLight === "false"; // JupyterLab, Notebook
  if (dataset.vscodeThemeKind) return /dark|high-contrast$/.test(dataset.vscodeThemeKind);
  if (page.dataset.theme) return page.dataset.theme === "dark"; // the book
  if (page.getAttribute("theme")) return page.getAttribute("theme") === "dark"; // Colab
  return classList.contains("dark");
}

function render({ model, el }) {
  const spec = model.get("spec");
  const prefix = `rsl${unique()}-`; // makes the ids in a picture unique on the page
  el.classList.add("rsl-view");
  const box = add(el, "div", { className: "rsl-explorer" });
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", spec.name);
  const title = add(box, "p", { className: "rsl-title" });
  title.setAttribute("role", "status");
  const listed = add(box, "ul", { className: "rsl-listed" });
  const controls = add(box, "fieldset", { className: "rsl-controls" });
  const figure = add(box, "figure", { className: "rsl-picture" });
  const picture = add(figure, "div", { className: "rsl-panels" });
  const words = add(picture, "span", { className: "rsl-words" }); // a single alternative text for all panels
  words.setAttribute("role", "img");
  const pointed = add(figure, "div", { className: "rsl-pointed" });
  const numbers = add(figure, "dl");
  const caption = add(figure, "figcaption");
  const answers = add(figure, "ul", { className: "rsl-answers" });
  const alert = add(figure, "p", { className: "rsl-alert" });
  alert.setAttribute("role", "alert");
  add(figure, "p", { className: "rsl-dead", textContent: GONE });
  const toolbar = add(figure, "div", { className: "rsl-toolbar" });
  toolbar.setAttribute("role", "toolbar");
  toolbar.setAttribute("aria-label", spec.name);

  // The positions of the controls. One request at a time is sent to the kernel, the newest; its own changes are adopted.
  let place = model.get("place");
  let [serial, waiting, queued] = [0, "", false];
  const ask = (message) => {
    waiting = `${prefix}${++serial}`;
    kernel.send({ ...message, serial: waiting });
  };
  const go = (changes) => {
    if (box.classList.contains("rsl-gone")) return;
    place = [...place];
    for (const [i, value] of changes) place[i] = value;
    if (waiting) queued = true;
    else ask({ place });
    update();
  };
  const listen = () => {
    if (waiting && model.get("served") !== waiting) return; // the kernel is still busy
    waiting = "";
    if (queued) ask({ place });
    else if (!model.get("error")) place = model.get("place"); // after an error, another control may fix it
    queued = false;
  };

  // The picture to show: the kernel's current one, or one drawn in advance.
  const ahead = new Map();
  let epoch = model.get("epoch");
  let shown = (name) => model.get(name);
  let last = null;
  const choose = () => {
    if (model.get("epoch") !== epoch) { ahead.clear(); epoch = model.get("epoch"); }
    const frame = ahead.get(String(place));
    const [here, sent] = [String(place), String(model.get("place"))];
    if (here !== sent && !model.get("error") && frame) shown = (name) => frame[name];
    else if (here === sent || model.get("error") || sent !== last) shown = (name) => model.get(name);
    else return false; // the kernel is still drawing an outdated picture
    last = sent;
    return true;
  };

  // Panels
  const FRAME = ["title", "caption", "numbers", "spots", "grips",
    ...spec.panels.flatMap((_, i) => LAYERS.map((layer) => `${layer}${i}`))];
  const panels = spec.panels.map(([left, top, width, height, more, inside]) => {
    const panel = add(picture, "div", { className: "rsl-panel" });
    const drawn = addSvg(panel, "svg", { viewBox: `${left} ${top} ${width} ${height}`, "aria-hidden": "true" });
    const layers = LAYERS.map(() => addSvg(drawn, "g"));
    const hand = addSvg(panel, "svg", { viewBox: `${left} ${top} ${width} ${height}`, class: "rsl-hand", role: "none" });
    return { panel, layers, hand, left, top, width, height, inside, more, written: ["", ""] };
  });
  const arrange = () => {
    const seen = panels.filter(({ more }) => !more || model.get("more"));
    const edge = (of, choose) => choose(...seen.map(of));
    const [left, top] = [edge((it) => it.left, Math.min), edge((it) => it.top, Math.min)];
    const width = edge((it) => it.left + it.width, Math.max) - left;
    const height = edge((it) => it.top + it.height, Math.max) - top;
    picture.style.setProperty("--rsl-width", `${width * PIXELS}px`);
    picture.style.setProperty("--rsl-ratio", `${width} / ${height}`);
    for (const it of panels) {
      it.panel.hidden = !seen.includes(it);
      it.panel.style.cssText = `left: ${(100 * (it.left - left)) / width}%; top: ${(100 * (it.top - top)) / height}%;
        width: ${(100 * it.width) / width}%; height: ${(100 * it.height) / height}%;
        --rsl-width: ${it.width * PIXELS}px; --rsl-ratio: ${it.width} / ${it.height}`;
    }
  };
  let dark = isDark();
  const themed = (svg) => (dark ? svg.replace(/#[0-9a-f]{6}\b/g, (colour) => spec.dark[colour] ?? colour) : svg);
  const paint = (anew = false) => {
    panels.forEach((it, i) => LAYERS.forEach((layer, j) => {
      const svg = shown(`${layer}${i}`);
      if (svg === it.written[j] && !anew) return;
      it.written[j] = svg;
      it.layers[j].innerHTML = themed(svg).replace(/\brsl-(?=[a-z][0-9a-f]{10}\b)/g, prefix);
    }));
    el.classList.toggle("rsl-dark", dark);
  };

  // Texts
  // Keep the height of an element, so that nothing below it jumps when a text has more or fewer lines.
  const settle = (element) => { element.style.minHeight = `${element.offsetHeight}px`; };
  const told = {};
  const changed = (name, value) => told[name] !== (told[name] = JSON.stringify(value));
  const say = () => {
    title.textContent = shown("title");
    title.hidden = !shown("title");
    words.setAttribute("aria-label", shown("caption"));
    caption.textContent = shown("caption");
    settle(caption);
  };
  const tell = () => {
    numbers.replaceChildren();
    for (const [term, value, pinned] of shown("numbers")) {
      const pair = add(numbers, "div");
      add(pair, "dt", { textContent: term });
      add(pair, "dd", { textContent: value });
      if (pinned !== undefined) add(pair, "dd", { textContent: `pinned: ${pinned}` });
    }
    settle(numbers);
  };
  const remind = () => {
    answers.replaceChildren();
    for (const [question, answer] of model.get("answers"))
      add(add(answers, "li", { textContent: `You predicted: ${question} ` }), "b", { textContent: answer });
  };

  const rows = controlRows(controls, spec, { go, at: (i) => place[i], ready: () => !waiting });
  const touch = touching({
    spec, panels, picture, pointed, listed, shown: (name) => shown(name), go, at: (i) => place[i], stop: rows.stop,
  });

  const act = {
    more: () => ask({ do: "more" }),
    reset: () => { rows.stop(); queued = false; ask({ do: "reset" }); },
    compare: () => ask({ do: "compare" }),
    save: () => {
      const address = URL.createObjectURL(new Blob([whole()], { type: "image/svg+xml" }));
      add(box, "a", { href: address, download: `${spec.name.toLowerCase()}.svg`, hidden: true }).click();
      box.lastChild.remove();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    },
    copy: (button) => (navigator.clipboard?.writeText(model.get("state")) ?? Promise.reject()) // http has no clipboard
      .then(() => flash(button, "Copied"), () => window.prompt("The state:", model.get("state"))),
  };
  const flash = (button, text) => {
    const before = button.textContent;
    button.textContent = text;
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  const whole = () => {
    const seen = panels.filter(({ panel }) => !panel.hidden);
    const [left, top] = [Math.min(...seen.map((it) => it.left)), Math.min(...seen.map((it) => it.top))];
    const right = Math.max(...seen.map((it) => it.left + it.width));
    const bottom = Math.max(...seen.map((it) => it.top + it.height));
    const place = `x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
      viewBox="${left} ${top} ${right - left} ${bottom - top}" width="${(right - left) * PIXELS}">
      <title>${caption.innerHTML}</title><rect ${place} fill="${themed("#ffffff")}"/>
      ${seen.map((it) => it.written.map(themed).join("")).join("")}</svg>`;
  };
  const buttons = Object.fromEntries(BUTTONS.map(([key, text, help]) => {
    const button = add(toolbar, "button", { type: "button", textContent: text, title: help });
    button.addEventListener("click", () => act[key](button));
    return [key, button];
  }));
  buttons.more.hidden = !panels.some(({ more }) => more);

  // A change by a quiz or a cell overrides playback and earlier requests.
  const follow = () => {
    rows.stop();
    place = model.get("place");
    queued = Boolean(waiting);
  };

  const update = () => {
    if (changed("moved", model.get("moved"))) follow();
    listen();
    if (choose()) {
      paint();
      if (changed("words", [shown("title"), shown("caption")])) say();
      if (changed("numbers", shown("numbers"))) tell();
      touch.update();
    }
    const exact = String(place) === String(model.get("place")) ? model.get("words") : null;
    if (changed("place", [place, exact])) rows.update(place, exact);
    if (changed("answers", model.get("answers"))) remind();
    if (changed("more", model.get("more"))) {
      arrange();
      buttons.more.textContent = model.get("more") ? "Fewer panels" : "More panels";
      buttons.more.setAttribute("aria-expanded", String(model.get("more")));
    }
    alert.textContent = model.get("error");
    picture.classList.toggle("rsl-dim", Boolean(model.get("error")));
    buttons.compare.setAttribute("aria-pressed", String(model.get("pinned")));
  };
  model.on("change", update);
  model.on("msg:custom", (message) => {
    if (message.ahead === undefined || message.epoch !== model.get("epoch")) return;
    // Everything that is not in the message has not changed since the kernel sent it.
    const frame = Object.fromEntries(FRAME.map((name) => [name, model.get(name)]));
    ahead.set(String(message.ahead), { ...frame, ...message.frame });
    update();
  });
  arrange();
  update();

  const themes = new MutationObserver(() => {
    if (isDark() === dark) return;
    dark = !dark;
    paint(true);
  });
  for (const root of [document.body, document.documentElement]) themes.observe(root, { attributes: true });
  // Without a kernel, the picture stays, with a note.
  const kernel = kernelOf(model, (live) => {
    box.classList.toggle("rsl-gone", !live);
    controls.disabled = !live;
    if (live) return;
    rows.stop();
    [waiting, queued] = ["", false];
    update();
    rows.update(place, model.get("words")); // the requested picture will not arrive
  });
  let unsettle = null;
  let folded = false;
  const widths = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width) unsettle ??= settleIn(model, el);
    const { width } = contentRect;
    if (!width) return;
    box.classList.toggle("rsl-narrow", width < NARROW);
    if (folded !== (folded = width < MEDIUM)) rows.fold(folded);
  });
  widths.observe(el);
  if (spec.autoplay >= 0) rows.autoplay(spec.autoplay, figure);
  // Keys belong to the focused control. Jupyter checks the focused element; otherwise, Notebook 7 would capture the arrow
  // keys of a slider.
  for (const focusable of box.querySelectorAll("button, input, select, [tabindex]"))
    focusable.dataset.lmSuppressShortcuts = "true";
  return () => {
    rows.stop();
    for (const observer of [themes, widths]) observer.disconnect();
    kernel.leave();
    unsettle?.();
  };
}
