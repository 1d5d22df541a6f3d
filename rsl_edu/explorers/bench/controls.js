// The controls of an explorer as native HTML elements, so that keys, touch and screen readers work.

const PLAY_INTERVAL = 150; // minimum milliseconds between two steps

function controlRows(fieldset, spec, { go, at, ready }) {
  const rows = [];
  const players = [];
  let group = null;
  let parent = fieldset;
  spec.controls.forEach((control, i) => {
    if (control.group !== group) {
      group = control.group;
      parent = group ? add(fieldset, "details", { open: true, className: "rsl-group" }) : fieldset;
      if (group) {
        add(parent, "summary", { textContent: group });
        parent = add(parent, "div", { className: "rsl-rows" });
      }
    }
    const line = add(parent, "div", { className: `rsl-row rsl-${control.kind}`, title: control.help });
    rows.push(row(line, control, i));
  });

  function row(line, { kind, words, help, values, play }, i) {
    const id = `rsl-control-${unique()}`;
    if (kind === "switch") {
      const label = add(line, "label");
      const box = add(label, "input", { type: "checkbox", id });
      label.append(` ${words}`);
      box.setAttribute("aria-description", help);
      box.addEventListener("change", () => go([[i, Number(box.checked)]]));
      return (place) => { box.checked = Boolean(place); };
    }
    add(line, "label", { textContent: words, htmlFor: id });
    if (kind === "choice") {
      const select = add(line, "select", { id });
      select.setAttribute("aria-description", help);
      values.forEach((text, value) => add(select, "option", { textContent: text, value }));
      select.addEventListener("change", () => go([[i, Number(select.value)]]));
      return (place, exact) => {
        select.value = place;
        select.selectedOptions[0].textContent = exact ?? values[place];
      };
    }
    const output = add(line, "output", { htmlFor: id });
    if (play) players[i] = player(line, words, i, values.length - 1);
    const slider = add(line, "input", { type: "range", id, min: 0, max: values.length - 1, step: 1 });
    slider.setAttribute("aria-description", help);
    slider.addEventListener("pointerdown", () => stop()); // stop playing when the slider is held
    slider.addEventListener("input", () => { stop(); go([[i, Number(slider.value)]]); });
    return (place, exact) => {
      slider.value = place;
      output.textContent = exact ?? values[place];
      slider.setAttribute("aria-valuetext", exact ?? values[place]);
    };
  }

  function player(line, words, i, last) {
    const button = add(line, "button", { type: "button", textContent: "▶", title: `play: ${words}` });
    button.setAttribute("aria-label", `play: ${words}`);
    button.setAttribute("aria-pressed", "false");
    let timer = null;
    const end = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = "▶";
      button.setAttribute("aria-pressed", "false");
    };
    const start = () => {
      stop();
      button.textContent = "❚❚";
      button.setAttribute("aria-pressed", "true");
      if (at(i) === last) go([[i, 0]]);
      timer = setInterval(() => {
        if (!button.isConnected || at(i) >= last) end();
        else if (ready()) go([[i, at(i) + 1]]); // otherwise the previous picture has not arrived yet
      }, PLAY_INTERVAL);
    };
    button.addEventListener("click", () => (timer ? end() : start()));
    return { start, end };
  }

  // Moving a control stops playback, and cancels autoplay.
  let unseen = null;
  const stop = () => {
    unseen?.disconnect();
    for (const one of players) one?.end();
  };
  return {
    go,
    stop,
    // Set the controls; `exact` has the text of the values, which may be between two positions.
    update: (place, exact) => rows.forEach((set, i) => set(place[i], exact?.[i])),
    fold: (folded) => { for (const group of fieldset.querySelectorAll("details")) group.open = !folded; },
    // Play once as soon as the element is visible, unless the reader prefers reduced motion.
    autoplay: (i, element) => {
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
      unseen = new IntersectionObserver(([{ isIntersecting }]) => {
        if (isIntersecting) players[i]?.start();
      }, { threshold: 0.6 });
      unseen.observe(element);
      element.closest(".rsl-explorer").addEventListener("pointerdown", () => unseen.disconnect());
    },
  };
}
