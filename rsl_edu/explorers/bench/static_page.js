// Explorers and quizzes in a page without a kernel. `picture` and `form` are the live widgets' own scripts.

const PLAY_INTERVAL = 350; // milliseconds

// What a live widget asks its kernel for.
class Model {
  #values;
  #listeners = {};

  constructor(values) { this.#values = values; }
  get(name) { return this.#values[name]; }
  on(events, listener) { for (const event of events.split(" ")) (this.#listeners[event] ??= []).push(listener); }
  send(message) { this.#tell("send", message); }
  save_changes() {}
  set(name, value) {
    if (this.#values[name] === value) return;
    this.#values[name] = value;
    this.#tell(`change:${name}`, value);
  }
  #tell(event, value) { for (const listener of this.#listeners[event] ?? []) listener(value); }
}

const add = (parent, tag, properties = {}) => parent.appendChild(Object.assign(document.createElement(tag), properties));

const specification = (element) => JSON.parse(element.querySelector("script").textContent);

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

let count = 0;

class ExplorerElement extends HTMLElement {
  #answers = {};
  #model = null;

  predict(question, answer) {
    this.#answers[question] = answer;
    this.#model?.set("answers", Object.entries(this.#answers));
  }

  async connectedCallback() {
    if (this.#model) return;
    const { name, width, height, dark, controls, start, fixed, notebook, drawn } = specification(this);
    this.#model = new Model({
      name, width, height, mime: "image/svg+xml", data: "", caption: "", numbers: [], answers: [], error: "", state: "",
      pinned: false, dark: false,
    });
    const model = this.#model;
    const { elements, frames } = await inflated(drawn);
    const joined = (places) => places.map((place) => elements[place]).join("");

    let [current, pinned] = [null, null];
    const rows = [];
    const draw = () => {
      const [, caption, numbers, state, ground, moving] = current;
      // Where the axes differ, the pinned curves would lie at the wrong values.
      const same = pinned && String(pinned[4]) === String(ground);
      let svg = joined(ground) + (same ? `<g opacity="0.35">${joined(pinned[5])}</g>` : "") + joined(moving) + "</svg>";
      if (model.get("dark")) svg = svg.replace(/#[0-9a-f]{6}\b/g, (colour) => dark[colour] ?? colour);
      const before = Object.fromEntries(pinned?.[2] ?? []);
      model.set("data", svg);
      model.set("caption", caption);
      model.set("numbers", numbers.map(([term, value]) => pinned ? [term, value, before[term]] : [term, value]));
      model.set("state", state);
    };
    const agreeing = (place, other) => place.filter((value, i) => value === other[i]).length;
    // Of the pictures at the value that was chosen, the one that agrees most with the present one.
    const go = (chosen, value) => {
      const wanted = current[0].map((present, i) => (i === chosen ? value : present));
      const there = frames.filter(([place]) => place[chosen] === value);
      current = there.reduce((best, frame) => (agreeing(frame[0], wanted) > agreeing(best[0], wanted) ? frame : best));
      const back = controls.filter((_, i) => current[0][i] !== wanted[i]).map(({ words }) => words);
      note.textContent = back.length ? `Not every combination is on this page: moved ${back.join(", ")} as well.` : "";
      rows.forEach((row, i) => row(current[0][i]));
      draw();
    };

    const box = document.createElement("div");
    box.className = "jupyter-widgets rsl-explorer";
    const panel = add(box, "div", { className: "rsl-controls" });
    controls.forEach((control, i) => rows.push(row(panel, control, (value) => go(i, value), () => current[0][i])));
    const note = add(panel, "p", { className: "rsl-note" });
    note.setAttribute("role", "status");
    const rest = add(panel, "p", { className: "rsl-rest" });
    if (fixed.length) rest.append(`Fixed on this page: ${fixed.join(", ")}. `);
    if (notebook) {
      rest.append("Every value of every control, and your own data: in ");
      add(rest, "a", { href: notebook, textContent: "the notebook", download: "" });
      rest.append(".");
    }

    current = frames.find(([place]) => String(place) === String(start));
    rows.forEach((row, i) => row(start[i]));
    draw();
    model.on("change:dark", draw);
    model.on("change:pinned", (on) => { pinned = on ? current : null; draw(); });
    model.on("send", () => {
      model.set("pinned", false);
      current = frames.find(([place]) => String(place) === String(start));
      rows.forEach((row, i) => row(start[i]));
      note.textContent = "";
      draw();
    });
    model.set("answers", Object.entries(this.#answers));
    const view = add(box, "div");
    this.replaceChildren(box);
    picture.render({ model, el: view });
    this.dataset.ready = "";
  }
}

// A control with its label; returns a function that puts it to a value.
function row(panel, { kind, words, help, values, play }, go, present) {
  const id = `rsl-control-${++count}`;
  const line = add(panel, "div", { className: `rsl-row rsl-${kind}`, title: help });
  if (kind === "switch") {
    const label = add(line, "label");
    const box = add(label, "input", { type: "checkbox", id });
    label.append(` ${words}`);
    box.addEventListener("change", () => go(Number(box.checked)));
    return (value) => { box.checked = Boolean(value); };
  }
  add(line, "label", { textContent: words, htmlFor: id });
  if (kind === "choice") {
    const select = add(line, "select", { id });
    values.forEach((text, value) => add(select, "option", { textContent: text, value }));
    select.addEventListener("change", () => go(Number(select.value)));
    return (value) => { select.value = value; };
  }
  const output = add(line, "output", { htmlFor: id });
  const button = play ? playButton(line, words, values.length - 1, go, present) : null;
  const slider = add(line, "input", { type: "range", id, min: 0, max: values.length - 1, step: 1 });
  slider.setAttribute("aria-description", help);
  slider.addEventListener("input", () => { button?.stop(); go(Number(slider.value)); });
  return (value) => {
    slider.value = value;
    output.textContent = values[value];
    slider.setAttribute("aria-valuetext", values[value]);
  };
}

function playButton(line, words, last, go, present) {
  const button = add(line, "button", { type: "button", textContent: "▶" });
  button.setAttribute("aria-label", `play: ${words}`);
  button.setAttribute("aria-pressed", "false");
  let timer = null;
  button.stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "▶";
    button.setAttribute("aria-pressed", "false");
  };
  const step = () => {
    if (present() < last && button.isConnected) go(present() + 1);
    if (present() >= last) button.stop();
  };
  button.addEventListener("click", () => {
    if (timer) { button.stop(); return; }
    button.textContent = "❚❚";
    button.setAttribute("aria-pressed", "true");
    if (present() === last) go(0);
    timer = setInterval(step, PLAY_INTERVAL);
  });
  return button;
}

class QuizElement extends HTMLElement {
  connectedCallback() {
    if (this.dataset.ready !== undefined) return;
    const questions = specification(this);
    const model = new Model({
      questions: questions.map(([text, choices, unit]) => [text, choices, unit]),
      given: {},
      replies: questions.map(() => ["", false]),
    });
    const all = [...document.querySelectorAll("rsl-quiz, rsl-explorer")];
    const explorer = all.slice(all.indexOf(this)).find((element) => element instanceof ExplorerElement);
    model.on("change:given", (given) => {
      model.set("replies", questions.map(([text, choices, unit, range], place) => {
        const entered = given[place];
        if (entered === undefined) return ["", false];
        const number = Number(entered.replace(",", "."));
        if (!choices && !(number >= range[0] && number <= range[1]))
          return [`expected a number from ${range[0]} to ${range[1]}, got ${entered}`, true];
        explorer?.predict(text, choices ? entered : `${number} ${unit}`.trim());
        return ["Recorded, and written under the picture.", false];
      }));
    });
    const box = document.createElement("div");
    this.replaceChildren(box);
    form.render({ model, el: box });
    this.dataset.ready = "";
  }
}

customElements.define("rsl-explorer", ExplorerElement);
customElements.define("rsl-quiz", QuizElement);
