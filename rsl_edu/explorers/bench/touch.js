// Spots and handles in a picture, for pointer, finger or keys.

const REACH = 14; // maximum distance in points between a pointer and its target
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WAYS = { x: "M-8.5-3l-3 3l3 3zM8.5-3l3 3l-3 3z", y: "M-3-8.5l3-3l3 3zM-3 8.5l3 3l3-3z" }; // arrows next to a handle

function touching({ spec, panels, picture, pointed, listed, shown, go, at, stop }) {
  let [spots, grips] = [[], []];
  let chosen = null; // the name of the spot that stays highlighted
  let [dragged, tapped] = [null, false];

  const line = add(pointed, "label", { textContent: "Look closer: " });
  const select = add(line, "select");
  const numbers = add(pointed, "output", { className: "rsl-numbers" });
  const arithmetic = add(pointed, "ol", { className: "rsl-arithmetic" });
  select.addEventListener("change", () => choose(select.value || null));

  const named = (name) => spots.find(([it]) => it === name);
  const choose = (name) => { chosen = name; light(); };
  const light = (name = chosen) => {
    const spot = named(name);
    for (const { hand } of panels) for (const old of hand.querySelectorAll(".rsl-lit")) old.remove();
    for (const [panel, [x, y, width, height]] of spot?.[4] ?? []) {
      const dot = width < 4 && height < 4;
      const place = dot
        ? { cx: x + width / 2, cy: y + height / 2, r: 7 }
        : { x: x - 2, y: y - 2, width: width + 4, height: height + 4, rx: 2 };
      addSvg(panels[panel].hand, dot ? "circle" : "rect", { class: "rsl-lit", ...place });
    }
    select.value = chosen ?? "";
    numbers.textContent = spot ? `${name}: ${spot[1]}` : "";
    arithmetic.replaceChildren();
    if (named(chosen)) for (const step of named(chosen)[2]) add(arithmetic, "li", { textContent: step });
    for (const button of listed.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.spot === chosen));
  };

  // The panel under a pointer, and the position in it in points.
  const located = ({ clientX, clientY }) => {
    for (const [i, it] of panels.entries()) {
      const place = it.panel.getBoundingClientRect();
      const [x, y] = [(clientX - place.left) / place.width, (clientY - place.top) / place.height];
      if (x >= 0 && x <= 1 && y >= 0 && y <= 1) return [i, it.left + x * it.width, it.top + y * it.height];
    }
    return [-1, 0, 0];
  };
  const spotAt = ([panel, x, y]) => {
    let [best, least] = [null, REACH];
    for (const [name, , , , marks] of spots)
      for (const [place, [left, top, width, height]] of marks) {
        if (place !== panel) continue;
        const [dx, dy] = [Math.max(left - x, 0, x - left - width), Math.max(top - y, 0, y - top - height)];
        const distance = Math.hypot(dx, dy) + 1e-5 * width * height; // prefer the smaller of two marks around the pointer
        if (distance < least) [best, least] = [name, distance];
      }
    return best;
  };
  const apart = (along, dx, dy) => (along === "x" ? Math.abs(dx) : along === "y" ? Math.abs(dy) : Math.hypot(dx, dy));
  const handle = ([controls, , , places]) => {
    const here = controls.map(at);
    const away = (place) => here.reduce((sum, value, i) => sum + Math.abs(place[i] - value), 0);
    return places.reduce((best, place) => (away(place) < away(best) ? place : best));
  };
  const gripAt = ([panel, x, y], reach) => {
    let [best, least] = [null, reach];
    for (const grip of grips) {
      if (grip[1] !== panel) continue;
      const [hx, hy] = handle(grip).slice(-2);
      const distance = apart(grip[2], x - hx, y - hy);
      if (distance < least) [best, least] = [grip, distance];
    }
    return best;
  };
  const put = ([controls, , , ], place) => {
    const changes = controls.map((control, i) => [control, place[i]]);
    stop();
    if (changes.some(([control, value]) => at(control) !== value)) go(changes);
  };
  const drag = (grip, [, x, y]) => {
    const distance = (place) => apart(grip[2], place.at(-2) - x, place.at(-1) - y);
    put(grip, grip[3].reduce((best, place) => (distance(place) < distance(best) ? place : best)));
  };

  const take = (grip, place) => {
    handles[grips.indexOf(grip)]?.focus({ preventScroll: true });
    drag(grip, place);
  };
  const point = (place) => {
    const spot = spotAt(place);
    const grip = spot ? null : gripAt(place, Infinity);
    if (spot) choose(spot === chosen ? null : spot);
    else if (grip) take(grip, place);
    return grip;
  };
  picture.addEventListener("pointerdown", (event) => {
    const place = located(event);
    const finger = event.pointerType === "touch";
    dragged = gripAt(place, REACH);
    if (dragged) take(dragged, place);
    else if (!finger) dragged = point(place);
    tapped = finger && !dragged; // if the finger scrolls the page, there is no pointerup
    if (!dragged) return;
    picture.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  // Dragging with a finger does not scroll.
  picture.addEventListener("touchstart", (event) => { if (dragged) event.preventDefault(); }, { passive: false });
  picture.addEventListener("pointermove", (event) => {
    const place = located(event);
    if (dragged) {
      // The current grip, because its positions change with the picture.
      const now = grips.find((grip) => String(grip[0]) === String(dragged[0]) && grip[1] === dragged[1]);
      if (now) {
        const { panel, left, top, width, height } = panels[now[1]];
        const box = panel.getBoundingClientRect(); // valid beyond its panel too
        drag(now, [now[1], left + ((event.clientX - box.left) / box.width) * width,
          top + ((event.clientY - box.top) / box.height) * height]);
      }
      return;
    }
    if (event.pointerType === "touch") return;
    const spot = spotAt(place);
    light(spot ?? chosen);
    picture.style.cursor = gripAt(place, REACH) ? "grab" : spot ? "pointer" : "";
  });
  picture.addEventListener("pointerup", (event) => { if (tapped) point(located(event)); });
  for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, () => { dragged = null; tapped = false; });
  picture.addEventListener("pointerleave", () => light());

  let handles = [];
  const step = (grip, key) => {
    const here = handle(grip);
    const ends = { Home: grip[3][0], End: grip[3].at(-1) };
    if (ends[key]) return put(grip, ends[key]);
    const [dx, dy] = ARROWS[key];
    const cost = (place) => {
      const [x, y] = [place.at(-2) - here.at(-2), place.at(-1) - here.at(-1)];
      const forwards = x * dx + y * dy;
      return forwards > 0.01 ? forwards + 3 * Math.abs(x * dy + y * dx) : Infinity;
    };
    const next = grip[3].reduce((best, place) => (cost(place) < cost(best) ? place : best));
    if (cost(next) < Infinity) put(grip, next);
  };
  const grab = () => {
    for (const old of handles.splice(grips.length)) old.remove();
    grips.forEach((grip, i) => {
      const [controls, panel, along] = grip;
      if (handles[i]?.parentNode !== panels[panel].hand) {
        handles[i]?.remove();
        const made = handles[i] = addSvg(panels[panel].hand, "g", { class: "rsl-grip", role: "slider", tabindex: 0 });
        addSvg(made, "line");
        addSvg(made, "circle", { r: 6 });
        const moves = (axis) => grip[3].some((place) => place.at(axis) !== grip[3][0].at(axis));
        addSvg(made, "path", { d: (moves(-2) ? WAYS.x : "") + (moves(-1) ? WAYS.y : "") });
        made.dataset.lmSuppressShortcuts = "true";
        made.addEventListener("keydown", (event) => {
          if (!(event.key in ARROWS) && !["Home", "End"].includes(event.key)) return;
          event.preventDefault();
          event.stopPropagation();
          step(grips[i], event.key);
        });
      }
      const place = handle(grip);
      const [x, y] = place.slice(-2);
      const [left, top, width, height] = panels[panel].inside;
      const [bar, knob, ways] = handles[i].children;
      const ends = along === "x" ? [x, top, x, top + height] : along === "y" ? [left, y, left + width, y] : [x, y, x, y];
      ["x1", "y1", "x2", "y2"].forEach((name, j) => bar.setAttribute(name, ends[j]));
      knob.setAttribute("cx", x);
      knob.setAttribute("cy", y);
      ways.setAttribute("transform", `translate(${x} ${y})`);
      const values = controls.map((control, j) => [spec.controls[control].words, spec.controls[control].values[place[j]]]);
      handles[i].setAttribute("aria-label", `drag: ${values.map(([words]) => words).join(" and ")}`);
      handles[i].setAttribute("aria-valuetext", values.map(([words, value]) => `${words} ${value}`).join(", "));
      handles[i].setAttribute("aria-valuemin", 0);
      handles[i].setAttribute("aria-valuemax", grip[3].length - 1);
      handles[i].setAttribute("aria-valuenow", grip[3].indexOf(place));
    });
  };

  let before = "";
  return {
    update() {
      grips = shown("grips");
      grab();
      spots = shown("spots");
      const now = JSON.stringify(spots);
      if (now === before) return;
      before = now;
      if (!named(chosen)) chosen = null;
      line.hidden = !spots.length;
      select.replaceChildren();
      add(select, "option", { value: "", textContent: spots.length ? "point at the picture or choose" : "" });
      for (const [name] of spots) add(select, "option", { value: name, textContent: name });
      const focused = listed.contains(document.activeElement) ? document.activeElement.dataset.spot : null;
      listed.replaceChildren();
      for (const [name, , , first] of spots) {
        if (!first) continue;
        const button = add(add(listed, "li"), "button", { type: "button", textContent: name });
        button.dataset.spot = name;
        button.dataset.lmSuppressShortcuts = "true";
        button.addEventListener("click", () => choose(chosen === name ? null : name));
        for (const enter of ["pointerenter", "focus"]) button.addEventListener(enter, () => light(name));
        button.addEventListener("pointerleave", () => light());
        if (name === focused) button.focus();
      }
      light();
    },
  };
}
