// Explorers and quizzes in a page without a kernel: all pictures are drawn beforehand, and the page selects one.

// Replacement for the widget's model in the kernel.
class Model {
  #values;
  #listeners = {};

  constructor(values) { this.#values = values; }
  get(name) { return this.#values[name]; }
  on(events, listener) { for (const event of events.split(" ")) (this.#listeners[event] ??= []).push(listener); }
  send(message) { this.#tell("send", message); }
  set(name, value) { this.update({ [name]: value }); }
  update(values) {
    const changed = Object.keys(values).filter((name) => this.#values[name] !== values[name]);
    Object.assign(this.#values, values);
    for (const name of changed) this.#tell(`change:${name}`, values[name]);
    if (changed.length) this.#tell("change");
  }
  #tell(event, value) { for (const listener of this.#listeners[event] ?? []) listener(value); }
}

const specification = (element) => JSON.parse(element.querySelector("script").textContent);

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

class ExplorerElement extends HTMLElement {
  #answers = {};
  #model = null;
  show = () => {};

  predict(question, answer) {
    this.#answers[question] = answer;
    this.#model?.set("answers", Object.entries(this.#answers));
  }

  async connectedCallback() {
    if (this.#model) return;
    const { spec, start, fixed, notebook, drawn } = specification(this);
    this.#model = new Model({
      spec, place: start, served: "", epoch: 0, words: [], title: "", caption: "", numbers: [], spots: [], grips: [], moved: 0,
      answers: Object.entries(this.#answers), error: "", state: "", pinned: false, more: false,
    });
    const model = this.#model;
    const { elements, frames } = await inflated(drawn);
    const joined = (places) => places.map((place) => elements[place]).join("");

    let pinned = null;
    const find = (place) => frames.find((frame) => String(frame.place) === String(place));
    const agreeing = (place, other) => place.filter((value, i) => value === other[i]).length;
    let current = find(start);
    // Among the pictures with the chosen values, the one most similar to the current picture.
    const nearest = (wanted) => {
      const moved = wanted.map((value, i) => value !== current.place[i]);
      const there = frames.filter(({ place }) => place.every((value, i) => !moved[i] || value === wanted[i]));
      return (there.length ? there : frames).reduce((best, frame) =>
        (agreeing(frame.place, wanted) > agreeing(best.place, wanted) ? frame : best));
    };
    let note = null;
    const draw = (wanted) => {
      const back = spec.controls.filter((_, i) => current.place[i] !== wanted[i]).map(({ words }) => words);
      if (note) note.textContent = back.length ? `This page does not have every combination, so it also changed: ${back.join(", ")}. The notebook has all of them.` : "";
      const { place, grounds, moving, ...words } = current;
      const before = Object.fromEntries(pinned?.numbers ?? []);
      const values = { ...words, place, words: spec.controls.map(({ values }, i) => values[place[i]]) };
      values.numbers = words.numbers.map(([term, value]) => (pinned ? [term, value, before[term]] : [term, value]));
      grounds.forEach((ground, i) => {
        // If the axes differ, the pinned curves would be at the wrong values.
        const same = pinned && String(pinned.grounds[i]) === String(ground);
        values[`ground${i}`] = joined(ground);
        // Texts leave no ghosts, because overlapping texts cannot be read.
        const ghost = same ? joined(pinned.moving[i]).replace(/<text\b[^>]*>[^]*?<\/text>/g, "") : "";
        values[`moving${i}`] = (same ? `<g opacity="0.35">${ghost}</g>` : "") + joined(moving[i]);
      });
      model.update(values);
    };
    draw(start);
    const box = document.createElement("div");
    this.replaceChildren(box);
    render({ model, el: box });
    const panel = box.querySelector(".rsl-controls");
    note = add(panel, "p", { className: "rsl-note" });
    note.setAttribute("role", "status");
    const rest = add(panel, "p", { className: "rsl-rest" });
    if (fixed.length) rest.append(`Fixed on this page: ${fixed.join(", ")}. `);
    if (notebook) {
      rest.append("For all values of the controls and for your own data, use ");
      add(rest, "a", { href: notebook, textContent: "the notebook", download: "" });
      rest.append(".");
    }
    const go = (wanted) => { current = find(wanted) ?? nearest(wanted); draw(wanted); };
    model.on("send", ({ place, do: what, serial }) => {
      if (place) go(place);
      if (what === "reset") { pinned = null; model.set("pinned", false); current = find(start); draw(start); }
      if (what === "compare") { pinned = pinned ? null : current; model.set("pinned", Boolean(pinned)); draw(current.place); }
      if (what === "more") model.set("more", !model.get("more"));
      model.set("served", serial);
    });
    this.show = (values) => {
      go(current.place.map((value, i) => values[i] ?? value));
      model.set("moved", model.get("moved") + 1);
      box.scrollIntoView({ block: "nearest" });
    };
    this.dataset.ready = "";
  }
}

class QuizElement extends HTMLElement {
  connectedCallback() {
    if (this.dataset.ready !== undefined) return;
    const questions = specification(this);
    const model = new Model({ questions, given: {}, replies: questions.map(() => ["", false]) });
    const all = [...document.querySelectorAll("rsl-quiz, rsl-explorer")];
    const explorer = all.slice(all.indexOf(this)).find((element) => element instanceof ExplorerElement);
    model.on("change:given", (given) => {
      model.set("replies", questions.map(({ text, choices, unit, range }, place) => {
        const entered = given[place];
        if (entered === undefined) return ["", false];
        const number = Number(entered.replace(",", "."));
        if (!choices && !(number >= range[0] && number <= range[1]))
          return [`expected a number from ${range[0]} to ${range[1]}, got ${entered}`, true];
        explorer?.predict(text, choices ? entered : `${number} ${unit}`.trim());
        return [RECORDED, false];
      }));
    });
    model.on("send", ({ show, question, answer }) => {
      if (show === undefined) model.set("given", { ...model.get("given"), [question]: answer });
      else explorer?.show(questions[show].places);
    });
    const box = document.createElement("div");
    this.replaceChildren(box);
    renderForm({ model, el: box });
    this.dataset.ready = "";
  }
}

customElements.define("rsl-explorer", ExplorerElement);
customElements.define("rsl-quiz", QuizElement);
