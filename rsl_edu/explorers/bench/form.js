// The questions of a quiz: fields and choices as the browser has them, so that keys and screen readers work.

const RECORDED = "Recorded. Now find out by the controls, or let it be shown.";

function renderForm({ model, el }) {
  const name = `rsl-quiz-${unique()}`; // radio buttons of one name on a page would be one choice
  const box = add(el, "div", { className: "rsl-quiz" });
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Predict first");
  const give = (place, value) => {
    model.set("given", { ...model.get("given"), [place]: value });
    model.save_changes();
  };
  const told = new Set(); // questions whose answer was asked for

  const lines = model.get("questions").map(({ text, choices, unit, answer, shows }, place) => {
    const field = add(box, "fieldset");
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
    if (shows) {
      const button = add(field, "button", { type: "button", textContent: "Show me" });
      button.setAttribute("aria-label", `Show me: ${text}`);
      button.addEventListener("click", () => { told.add(place); model.send({ show: place }); reply(); });
    }
    const line = add(field, "p");
    line.setAttribute("role", "status");
    return { line, answer };
  });
  for (const input of box.querySelectorAll("input, button")) input.dataset.lmSuppressShortcuts = "true"; // keys belong to it

  const reply = () => model.get("replies").forEach(([text, refused], place) => {
    const { line, answer } = lines[place];
    const right = model.get("given")[place] === answer;
    line.textContent = told.has(place) && answer && !refused ? `${right ? "You were right: it is" : "It is"} ${answer}.` : text;
    line.classList.toggle("rsl-refused", refused);
  });
  model.on("change:replies", reply);
  reply();
  let stills = [];
  const seen = new ResizeObserver(([{ contentRect }]) => {
    if (!stills.length && contentRect.width) stills = settleIn(model, el);
  });
  seen.observe(el);
  return () => {
    seen.disconnect();
    for (const still of stills) still.hidden = false;
  };
}
