// The questions of a quiz: fields and choices as the browser has them, so that keys and screen readers work.

function render({ model, el }) {
  const name = `rsl-quiz-${Math.random()}`;  // radio buttons of one name on a page would be one choice
  el.classList.add("rsl-quiz");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", "Predict first");
  const add = (parent, tag, properties = {}) => parent.appendChild(Object.assign(document.createElement(tag), properties));
  const give = (place, value) => {
    model.set("given", { ...model.get("given"), [place]: value });
    model.save_changes();
  };

  const lines = model.get("questions").map(([text, choices, unit], place) => {
    const field = add(el, "fieldset");
    add(field, "legend", { textContent: text });
    const given = model.get("given")[place];
    if (choices === null) {
      const input = add(field, "input", { type: "text", inputMode: "decimal", value: given ?? "", placeholder: "a number" });
      input.setAttribute("aria-label", text);
      if (unit) add(field, "span", { textContent: ` ${unit}` });
      input.addEventListener("change", () => input.value.trim() && give(place, input.value.trim()));
    } else {
      for (const choice of choices) {
        const label = add(field, "label");
        const radio = add(label, "input", { type: "radio", name: `${name}-${place}`, checked: choice === given });
        label.append(` ${choice}`);
        radio.addEventListener("change", () => give(place, choice));
      }
    }
    const line = add(field, "p");
    line.setAttribute("role", "status");
    return line;
  });
  for (const input of el.querySelectorAll("input")) input.dataset.lmSuppressShortcuts = "true"; // keys belong to it

  const reply = () => model.get("replies").forEach(([text, refused], place) => {
    lines[place].textContent = text;
    lines[place].classList.toggle("rsl-refused", refused);
  });
  model.on("change:replies", reply);
  reply();
}

export default { render };
