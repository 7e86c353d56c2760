// The page's beginning: who searches what, and the controls around the stickers.

import * as api from "./api.js";
import { actions, attempt, chips, loved, refresh, taste, useActs } from "./answers.js";
import { addAll, listen } from "./drop.js";
import { at, h, toast } from "./elements.js";
import { keys } from "./grid.js";
import { icon } from "./icons.js";
import * as panel from "./panel.js";
import { restore } from "./places.js";
import { memory, state } from "./state.js";
import { listenToQuery } from "./suggest.js";
import { currentLanguage, speak, t } from "./words.js";

const REMEMBERED = 30;

function setUser(user) {
  state.user = user.trim();
  at("user").value = state.user;
  at("lean").hidden = !state.user;
  memory.set("user", state.user);
}

const become = (user) => attempt(async () => {
  setUser(user);
  await people();
  await loved();
  await refresh(true);
});

async function people() {
  const remembered = JSON.parse(memory.get("people") ?? "[]");
  const listed = state.right === "admin" ? (await api.people()).users : [];
  const names = [...new Set([...listed, ...remembered, ...(state.user ? [state.user] : [])])].sort();
  memory.set("people", JSON.stringify(names.filter((name) => !listed.includes(name)).slice(-REMEMBERED)));
  state.people = names;
  at("people").replaceChildren(...names.map((name) => h("option", { value: name })));
}

function searchByPicture(file) {
  state.like = { file, title: file.name || t("pictureLink") };
  at("query").value = state.query = "";
  at("clear").hidden = true;
  return refresh();
}

function listenToControls() {
  at("user").addEventListener("change", (event) => become(event.target.value));
  at("other").addEventListener("change", (event) => { state.other = event.target.value.trim(); refresh(); });
  at("gamma").addEventListener("input", () => refresh(true));
  at("collection").addEventListener("change", (event) => { memory.set("collection", event.target.value); location.reload(); });
  at("taste-button").addEventListener("click", () => {
    const hidden = !at("taste").hidden;
    at("taste").hidden = hidden;
    at("taste-button").setAttribute("aria-expanded", String(!hidden));
    if (!hidden) attempt(taste);
  });
  at("language").addEventListener("click", () => { memory.set("language", currentLanguage() === "en" ? "zh" : "en"); speak(memory.get("language")); chips(); panel.close(); refresh(); });
  at("theme").addEventListener("click", () => {
    const { dataset } = document.documentElement;
    const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    dataset.theme = dark ? "light" : "dark";
    memory.set("theme", dataset.theme);
  });
  at("picture").addEventListener("change", (event) => { const [file] = event.target.files; if (file) searchByPicture(file); event.target.value = ""; });
  at("add").addEventListener("change", (event) => { const files = [...event.target.files]; attempt(async () => { await addAll(files); await refresh(); }); event.target.value = ""; });
  for (const name of ["picture", "add"])
    at(`${name}-label`).addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); at(name).click(); } });
  addEventListener("popstate", () => { panel.close(); restore(); refresh(); });
  addEventListener("online", () => refresh());
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") panel.close();
    if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) { event.preventDefault(); at("query").focus(); }
  });
  keys(at("stickers"), { w: actions.why, s: actions.similar, e: actions.edit, f: actions.favourite, m: actions.copies });
  listen({ search: searchByPicture, added: () => refresh(), failed: (error) => toast(error.message), mayAdd: () => state.right === "admin" });
}

function askForKey(problem) {
  if (at("key")) return;
  const input = h("input", { type: "password", id: "key", required: true, autocomplete: "current-password", "aria-label": t("key") });
  panel.open(t("key"), h("p", {}, t("keyHelp")), h("form", { submit: (event) => {
    event.preventDefault();
    api.enter(input.value.trim()).then(() => location.reload(), (error) => toast(error.message));
  } }, input, h("button", { class: "main" }, t("enter"))), h("p", { class: "small" }, problem));
  input.focus();
}

/** Shows which collections there are, and takes the one that was used last. */
function choose(served) {
  const names = served.collections.map((one) => one.name);
  const chosen = names.includes(memory.get("collection")) ? memory.get("collection") : names[0];
  api.useCollection(chosen);
  at("collection").replaceChildren(...served.collections.map((one) => h("option", { value: one.name }, one.title)));
  at("collection").value = chosen;
  at("collection-label").hidden = names.length < 2;
  state.right = served.right;
  at("add-label").hidden = served.right !== "admin";
  state.packs = served.collections.find((one) => one.name === chosen).packs;
  chips();
}

async function start() {
  for (const element of document.querySelectorAll("[data-icon]")) element.prepend(icon(element.dataset.icon));
  if (memory.get("theme")) document.documentElement.dataset.theme = memory.get("theme");
  speak(memory.get("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
  listenToQuery();
  listenToControls();
  useActs({ become, askForKey });
  restore();
  setUser(memory.get("user") ?? "");
  const chosen = attempt(async () => choose(await api.collections()));
  // A collection that was used last may not be served any more. The first one is there: its stickers are asked for at once.
  if (memory.get("collection")) await chosen;
  state.listing = chosen.then(() => attempt(people));
  loved();
  await Promise.all([chosen, state.listing, refresh()]);
  if (at("key")) return;
  document.documentElement.dataset.ready = "true";
  at("query").focus();
}

start();
