"use strict";
// The slides also scroll without this script. It adds keys, and makes the text smaller on slides where it does not fit.
const slides = [...document.querySelectorAll("section")];
const main = document.querySelector("main");

for (const body of document.querySelectorAll(".body")) {
  for (let size = 1.1; body.scrollHeight > body.clientHeight + 1 && size > 0.7; size -= 0.02) {
    body.style.fontSize = `${size}rem`;
  }
}

const shown = () => Math.round(main.scrollTop / main.clientHeight);
const show = (number) => {
  const at = Math.max(0, Math.min(slides.length - 1, number));
  main.scrollTo({ top: at * main.clientHeight, behavior: "instant" });
  history.replaceState(null, "", `#s${at + 1}`);
};
const steps = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const space = event.key === " " && event.target.tagName !== "SUMMARY";
  if (event.key in steps) show(shown() + steps[event.key]);
  else if (space) show(shown() + (event.shiftKey ? -1 : 1));
  else if (event.key === "Home") show(0);
  else if (event.key === "End") show(slides.length - 1);
  else if (event.key === "n" || event.key === "N") document.body.classList.toggle("notes");
  else if (event.key === "Escape") for (const open of document.querySelectorAll("details[open]")) open.open = false;
  else return;
  event.preventDefault();
});
let before = 0;
window.addEventListener("resize", () => show(before));
main.addEventListener("scroll", () => { if (main.scrollTop % main.clientHeight === 0) before = shown(); });
if (location.hash) show(slides.findIndex((slide) => `#${slide.id}` === location.hash));
