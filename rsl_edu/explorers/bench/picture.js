// The picture of an explorer: image, numbers, caption, predictions, error line and buttons. Plain DOM, no network.

const BUTTONS = [
  ["reset", "Reset", "Go back to the first state"],
  ["compare", "Compare", "Keep the present curves and numbers as a ghost behind the next"],
  ["save", "Save picture", "Download the picture as it is"],
  ["copy", "Copy state", "Copy the state as text, to share it and to restore it"],
];

function isDark() {
  const { dataset, classList } = document.body;
  const page = document.documentElement;
  if (dataset.jpThemeLight) return dataset.jpThemeLight === "false"; // JupyterLab, Notebook
  if (dataset.vscodeThemeKind) return /dark|high-contrast$/.test(dataset.vscodeThemeKind);
  if (page.dataset.theme) return page.dataset.theme === "dark"; // the book
  if (page.getAttribute("theme")) return page.getAttribute("theme") === "dark"; // Colab
  return classList.contains("dark");
}

function adopt(explorer, title) {
  explorer.setAttribute("role", "group");
  explorer.setAttribute("aria-label", title);
  // Keys belong to the control that has the focus. Jupyter asks the focused element itself: Notebook 7 would otherwise
  // take the arrow keys from a slider.
  for (const focusable of explorer.querySelectorAll("[role=slider], button, input, select"))
    focusable.dataset.lmSuppressShortcuts = "true";
  for (const label of explorer.querySelectorAll(".widget-inline-hbox > label[title]"))
    label.parentElement.querySelector("[role=slider], select")?.setAttribute("aria-description", label.title);
  // ipywidgets leaves handles and play buttons without a name for screen readers.
  for (const slider of explorer.querySelectorAll(".widget-slider")) {
    const [label, handle, readout] = ["label", "[role=slider]", ".widget-readout"].map((part) => slider.querySelector(part));
    if (!label || !handle || !readout) continue;
    handle.setAttribute("aria-label", label.textContent);
    const say = () => {  // of a slider over given steps it would read the number of the step
      if (handle.getAttribute("aria-valuetext") !== readout.textContent)
        handle.setAttribute("aria-valuetext", readout.textContent);
    };
    new MutationObserver(say).observe(slider, { subtree: true, childList: true, attributeFilter: ["aria-valuetext"] });
    say();
  }
  for (const play of explorer.querySelectorAll(".widget-play")) {
    const of = play.parentElement.querySelector(".widget-slider label")?.textContent ?? "";
    play.querySelectorAll("button").forEach((button, i) =>
      button.setAttribute("aria-label", `${["play or pause", "stop"][i]}: ${of}`));
  }
}

function render({ model, el }) {
  el.classList.add("rsl-view");
  el.innerHTML = `<figure class="rsl-picture"><img alt=""><dl></dl><figcaption role="status"></figcaption><ul></ul>
    <p role="alert"></p><div role="toolbar"></div></figure>`;
  const [figure, image, numbers, caption, answers, alert, toolbar] = el.querySelectorAll(
    "figure, img, dl, figcaption, ul, p, div");
  const title = model.get("name");
  const file = `${title.toLowerCase()}.${model.get("mime").match(/\w+/g)[1]}`;
  figure.style.setProperty("--rsl-width", `${model.get("width")}px`);
  image.width = model.get("width");
  image.height = model.get("height");
  toolbar.setAttribute("aria-label", title);

  const show = () => {
    const before = image.src;
    image.src = URL.createObjectURL(new Blob([model.get("data")], { type: model.get("mime") }));
    if (before) URL.revokeObjectURL(before);
  };
  // What was once as high as this stays so: nothing below may jump when words need a line more or less.
  const settle = (element) => { element.style.minHeight = `${element.offsetHeight}px`; };
  const say = () => {
    image.alt = caption.textContent = model.get("caption");
    alert.textContent = model.get("error");
    image.classList.toggle("rsl-dim", Boolean(model.get("error")));
    settle(caption);
  };
  const add = (parent, tag, text) => Object.assign(parent.appendChild(document.createElement(tag)), { textContent: text });
  const remind = () => {
    answers.replaceChildren();
    for (const [question, answer] of model.get("answers"))
      add(add(answers, "li", `You predicted: ${question} `), "b", answer);
  };
  const count = () => {
    numbers.replaceChildren();
    for (const [term, value, pinned] of model.get("numbers")) {
      const pair = add(numbers, "div", "");
      add(pair, "dt", term);
      add(pair, "dd", value);
      if (pinned !== undefined) add(pair, "dd", `pinned: ${pinned}`);
    }
    settle(numbers);
  };

  const flash = (button, text) => {
    const before = button.textContent;
    button.textContent = text;
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  const act = {
    reset: () => model.send({ do: "reset" }),
    compare: () => { model.set("pinned", !model.get("pinned")); model.save_changes(); },
    save: () => Object.assign(document.createElement("a"), { href: image.src, download: file }).click(),
    copy: (button) => (navigator.clipboard?.writeText(model.get("state")) ?? Promise.reject()) // http has no clipboard
      .then(() => flash(button, "Copied"), () => window.prompt("The state:", model.get("state"))),
  };
  const buttons = Object.fromEntries(BUTTONS.map(([key, text, help]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text, title: help });
    button.addEventListener("click", () => act[key](button));
    toolbar.append(button);
    return [key, button];
  }));
  const press = () => buttons.compare.setAttribute("aria-pressed", String(model.get("pinned")));

  const adapt = () => {
    if (isDark() === model.get("dark")) return;
    model.set("dark", isDark());
    model.save_changes();
  };
  const themes = new MutationObserver(adapt);
  for (const root of [document.body, document.documentElement]) themes.observe(root, { attributes: true });

  model.on("change:data", show);
  model.on("change:caption change:error", say);
  model.on("change:numbers", count);
  model.on("change:answers", remind);
  model.on("change:pinned", press);
  for (const update of [show, say, count, remind, press, adapt]) update();
  setTimeout(() => {
    const explorer = el.closest(".rsl-explorer");
    if (explorer) adopt(explorer, title);
  }, 100);
  return () => {
    themes.disconnect();
    URL.revokeObjectURL(image.src);
  };
}

export default { render };
