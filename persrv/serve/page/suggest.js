// The search box: suggestions under it, and what its keys do.

import { attempt, refresh, settled } from "./answers.js";
import { at, h } from "./elements.js";
import { firstCard } from "./grid.js";
import { finish } from "./places.js";
import { state } from "./state.js";

let suggesting = new AbortController();

function suggestions(phrases) {
  const list = at("suggestions");
  list.replaceChildren(...phrases.map((phrase, i) => h("li", { role: "option", id: `suggestion-${i}`, "aria-selected": "false", mousedown: (event) => { event.preventDefault(); take(phrase); } }, phrase)));
  list.hidden = !phrases.length;
  at("query").setAttribute("aria-expanded", String(Boolean(phrases.length)));
  at("query").removeAttribute("aria-activedescendant");
}

const chosen = () => at("suggestions").querySelector("[aria-selected=true]");

function take(phrase) {
  at("query").value = phrase;
  typed(false);
  finish();
}

function step(by) {
  const options = [...at("suggestions").children];
  if (!options.length) return false;
  const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const next = (now + by + options.length + (now < 0 && by < 0 ? 1 : 0)) % options.length;
  options.forEach((option, i) => option.setAttribute("aria-selected", String(i === next)));
  at("query").setAttribute("aria-activedescendant", options[next].id);
  options[next].scrollIntoView({ block: "nearest", inline: "nearest" });
  return true;
}

export function typed(suggest = true) {
  state.query = at("query").value;
  state.like = null;
  state.opened.clear();
  at("clear").hidden = !state.query;
  const answered = refresh();
  suggesting.abort();
  suggesting = new AbortController();
  if (!suggest || !state.query.trim()) { suggestions([]); return; }
  const { signal } = suggesting;
  attempt(async () => {
    await answered;
    if (signal.aborted || document.activeElement !== at("query")) return;
    suggestions(state.suggested.suggestions.filter((phrase) => phrase !== state.query));
  });
}

export function listenToQuery() {
  const query = at("query");
  query.addEventListener("input", (event) => { if (!event.isComposing) typed(); });
  query.addEventListener("compositionend", () => typed());
  query.addEventListener("blur", () => suggestions([]));
  query.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" && step(1)) event.preventDefault();
    else if (event.key === "ArrowDown") { event.preventDefault(); firstCard()?.focus(); }
    else if (event.key === "ArrowUp" && step(-1)) event.preventDefault();
    else if (chosen() && event.key === "ArrowRight" && step(1)) event.preventDefault();
    else if (chosen() && event.key === "ArrowLeft" && step(-1)) event.preventDefault();
    // By itself Escape would empty the box.
    else if (event.key === "Escape" && !at("suggestions").hidden) { event.preventDefault(); event.stopPropagation(); suggestions([]); }
  });
  at("clear").addEventListener("click", () => { take(""); query.focus(); });
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    if (chosen()) { take(chosen().textContent); return; }
    suggesting.abort();
    suggestions([]);
    finish();
    // What was typed may not be answered yet; its first sticker is what Enter means.
    settled().then(() => { if (document.activeElement === query) firstCard()?.focus(); });
  });
}
