"use strict";
const root = document.documentElement;

function speak(language) {
  root.className = language;
  root.lang = language === "en-only" ? "en" : "zh-Hans";
  for (const button of document.querySelectorAll("[data-language]"))
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
}

function count() {
  const tally = document.querySelector(".tally");
  if (!tally) return;
  const chosen = new Map();
  for (const text of document.querySelectorAll(".open .chosen")) {
    const name = text.querySelector(".by").cloneNode(true);
    const known = chosen.get(text.dataset.system) || { name, times: 0 };
    chosen.set(text.dataset.system, { name: known.name, times: known.times + 1 });
  }
  tally.replaceChildren();
  for (const { name, times } of [...chosen.values()].sort((one, other) => other.times - one.times)) {
    const entry = document.createElement("span");
    entry.append(...name.childNodes, ` ${times}  `);
    tally.append(entry);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.language) speak(button.dataset.language);
  if (button.matches(".letter")) {
    const chosen = button.closest("li");
    for (const text of chosen.parentElement.children) {
      const now = text === chosen && !text.classList.contains("chosen");
      text.classList.toggle("chosen", now);
      text.querySelector(".letter").setAttribute("aria-pressed", String(now));
    }
  }
  if (button.matches(".reveal")) {
    const opened = "all" in button.dataset ? document.querySelectorAll("article") : [button.closest("article")];
    for (const article of opened) article.classList.add("open");
  }
  count();
});

speak(navigator.language.startsWith("zh") ? "zh-only" : "en-only");
