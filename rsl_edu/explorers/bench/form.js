// The questions of a quiz as native HTML fields and choices, so that keys and screen readers work.

const RECORDED = "Recorded. Now find the answer with the controls, or click Show me.";

// Whether a number equals the answer, to the digits of the answer.
function agrees(given, answer) {
  const plain = (text) => text?.replaceAll("−", "-");
  const [told] = plain(answer).replace(/,(?=\d{3})/g, "").match(/-?\d+(\.\d+)?/) ?? [];
  const digits = told?.split(".")[1]?.length ?? 0;
  return Number(plain(given)?.replace(",", ".")).toFixed(digits) === told;
}

function renderForm({ model, el }) {
  const name = `rsl-quiz-${unique()}`; // radio buttons with the same name on a page would form one group
  const box = add(el, "div", { className: "rsl-quiz" });
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Predict first");
  const give = (question, answer) => {
    if (answer && answer !== model.get("given")[question]) kernel.send({ question, answer });
  };
  const told = new Set(); // questions whose answer was revealed

  const lines = model.get("questions").map(({ text, choices, unit, answer, shows }, place) => {
    const field = add(box, "fieldset");
    add(field, "legend", { textContent: text });
    const given = model.get("given")[place];
    if (choices === null) {
      const input = add(field, "input", { type: "text", inputMode: "decimal", value: given ?? "", placeholder: "a number" });
      input.setAttribute("aria-label", text);
      if (unit) add(field, "span", { textContent: ` ${unit}` });
      input.addEventListener("change", () => give(place, input.value.trim()));
      input.addEventListener("keydown", (event) => { // in JupyterLab, Enter does not trigger a change event
        if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        event.stopPropagation();
        give(place, input.value.trim());
      });
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
      button.addEventListener("click", () => {
        if (!kernel.send({ show: place })) return;
        told.add(place);
        reply();
      });
    }
    const line = add(field, "p");
    line.setAttribute("role", "status");
    return { line, answer, choices };
  });
  for (const input of box.querySelectorAll("input, button")) input.dataset.lmSuppressShortcuts = "true"; // keys belong to the field

  const reply = () => model.get("replies").forEach(([text, refused], place) => {
    const { line, answer, choices } = lines[place];
    const given = model.get("given")[place];
    const right = choices ? given === answer : agrees(given, answer);
    line.textContent = told.has(place) && answer && !refused ? `${right ? "You were right: it is" : "It is"} ${answer}.` : text;
    line.classList.toggle("rsl-refused", refused);
  });
  model.on("change:replies", reply);
  reply();
  add(box, "p", { className: "rsl-dead", textContent: GONE });
  const kernel = kernelOf(model, (live) => {
    box.classList.toggle("rsl-gone", !live);
    for (const field of box.querySelectorAll("fieldset")) field.disabled = !live;
  });
  let unsettle = null;
  const seen = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width) unsettle ??= settleIn(model, el);
  });
  seen.observe(el);
  return () => {
    seen.disconnect();
    kernel.leave();
    unsettle?.();
  };
}
