// The page: what is typed, who searches, and what is shown.

import * as api from "./api.js";
import { addAll, listen } from "./drop.js";
import { at, h, toast } from "./elements.js";
import { append, copyPicture, fill, keys } from "./grid.js";
import * as panel from "./panel.js";
import { draw as drawTaste } from "./taste.js";
import { currentLanguage, speak, t } from "./words.js";

const PAGE = 40;
const state = { user: "", other: "", query: "", pack: null, animated: false, packs: [], right: "read", shown: new Map(), favourites: new Map(), reason: "", like: null };
const memory = {
  get: (name) => { try { return localStorage.getItem(`persrv.${name}`); } catch { return null; } },
  set: (name, value) => { try { localStorage.setItem(`persrv.${name}`, value); } catch { /* a private window keeps nothing */ } },
};
let running = new AbortController();
let suggesting = new AbortController();
let refreshed = Promise.resolve();

const gamma = () => (state.user ? Number(at("gamma").value) : null);
const filters = () => ({ pack: state.pack, animated: state.animated || null });

const actions = {
  pick: (hit) => pick(hit),
  why: (hit) => why(hit, false),
  edit: (hit) => why(hit, true),
  similar: (hit) => like(hit.sticker_id, hit.title),
  favourite: (hit) => attempt(async () => {
    if (!state.user) { at("user").focus(); return; }
    await api.mark(state.user, "favourite", hit.sticker_id, !state.favourites.has(hit.sticker_id));
    await loved();
    await refresh();
  }),
};

async function loved() {
  const found = state.user ? (await api.own(state.user, "favourite")).stickers.map(asHit) : [];
  state.favourites = new Map(found.map((hit) => [hit.sticker_id, hit]));
}

function attempt(work) {
  return Promise.resolve().then(work).catch((error) => { if (error.name !== "AbortError") toast(error.message); });
}

async function pick(hit) {
  const how = await copyPicture(hit);
  toast(t(state.user ? "picked" : "pickedNobody", { title: hit.title, how }));
  if (!state.user) return;
  await attempt(async () => {
    await api.share({ user: state.user, query: state.query, sticker_id: hit.sticker_id });
    await refresh(true);
  });
}

const why = (hit, edit) => attempt(async () => {
  let explained = hit;
  if (hit.explanation && !Object.keys(hit.explanation.matched).length && state.query && !state.like) {
    const found = await api.search({ q: state.query, user: state.user, gamma: gamma(), explain: true, limit: PAGE, ...filters() });
    explained = found.hits.find((other) => other.sticker_id === hit.sticker_id) ?? hit;
  }
  await panel.why(explained, state.reason, { edit, changed: () => refresh() });
});

async function like(id, title) {
  state.like = { id, title };
  panel.close();
  await refresh();
}

/** Makes a titled list of stickers, or fills the one that is there, so that its cards can glide. */
function section(key, title, hits, options = {}) {
  let part = at(`part-${key}`);
  if (!part) {
    part = h("section", { id: `part-${key}`, "aria-labelledby": `title-${key}` }, h("h2", { id: `title-${key}` }), h("ul", { class: "grid" }));
  }
  part.querySelector("h2").textContent = title;
  for (const hit of hits) state.shown.set(hit.sticker_id, hit);
  fill(part.querySelector("ul"), hits, { on: actions, favourites: state.favourites, ...options });
  return part;
}

const asHit = (sticker) => ({
  sticker_id: sticker.id, title: sticker.title, picture: sticker.picture, thumbnail: sticker.thumbnail, explanation: null,
  payload: { animated: sticker.animated, emoji: sticker.texts.emoji },
});

function say(answer) {
  state.reason = answer.reason;
  at("note").textContent = answer.note || Object.entries(answer.corrections).map(([typed, used]) => `${typed} → ${used}`).join(", ");
}

async function refresh(showMoves = false) {
  running.abort();
  const { signal } = (running = new AbortController());
  const root = at("stickers");
  root.setAttribute("aria-busy", "true");
  await attempt(async () => {
    const parts = state.like ? await alike() : state.query.trim() || state.pack || state.animated ? await results(signal, showMoves) : await home(signal, showMoves);
    if (signal.aborted) return;
    if (parts.length !== root.children.length || parts.some((part, i) => part !== root.children[i])) root.replaceChildren(...parts);
  });
  if (signal.aborted) return;
  root.setAttribute("aria-busy", "false");
  root.dataset.query = state.query;
  if (!at("taste").hidden) await attempt(taste);
}

async function alike() {
  const { id, file, title } = state.like;
  const answer = file ? await api.similarToPicture(file) : await api.similar({ sticker_id: id, limit: PAGE });
  say(answer);
  const back = h("button", { type: "button", class: "chip", id: "back", click: () => { state.like = null; refresh(); } }, `✕ ${t("similar")}: ${title}`);
  return [h("p", {}, back), section("similar", t("similar"), answer.hits)];
}

async function results(signal, showMoves) {
  const asked = { q: state.query, limit: PAGE, ...filters() };
  if (state.other && state.user) {
    const [mine, theirs] = await Promise.all([
      api.search({ ...asked, user: state.user, gamma: gamma() }, signal), api.search({ ...asked, user: state.other, gamma: gamma() }, signal)]);
    say(mine);
    const both = at("both") ?? h("div", { class: "columns", id: "both" });
    const parts = [section("mine", t("styleOf", { user: state.user }), mine.hits, { showMoves }), section("theirs", t("styleOf", { user: state.other }), theirs.hits)];
    if (both.children.length !== 2) both.replaceChildren(...parts);
    return [both];
  }
  const answer = await api.search({ ...asked, user: state.user, gamma: gamma() }, signal);
  say(answer);
  const part = section("results", t("results"), answer.hits, { showMoves });
  part.querySelector(".more")?.remove();
  if (answer.more) part.append(more(part, asked, answer.next));
  return [part];
}

function more(part, asked, cursor) {
  const button = h("button", { type: "button", class: "more", click: () => attempt(async () => {
    const next = await api.search({ ...asked, user: state.user, gamma: gamma(), cursor });
    for (const hit of next.hits) state.shown.set(hit.sticker_id, hit);
    append(part.querySelector("ul"), next.hits, { on: actions, favourites: state.favourites });
    button.remove();
    if (next.more) part.append(more(part, asked, next.next));
  }) }, t("more"));
  return button;
}

async function home(signal, showMoves) {
  const parts = [];
  const recent = state.user ? (await api.own(state.user)).stickers.map(asHit) : [];
  const popular = await api.search({ user: state.user, gamma: gamma(), limit: PAGE }, signal);
  if (signal.aborted) return parts;
  say(popular);
  const known = new Set(recent.map((hit) => hit.sticker_id));
  if (state.favourites.size) parts.push(section("favourites", t("favourites"), [...state.favourites.values()]));
  if (recent.length) parts.push(section("recent", t("recent"), recent.slice(0, 12)));
  parts.push(section("popular", t("popular"), popular.hits.filter((hit) => !known.has(hit.sticker_id)), { showMoves }));
  return parts;
}

function chips() {
  const chip = (text, pressed, toggle) => h("button", { type: "button", class: "chip", "aria-pressed": String(pressed), click: () => { toggle(); chips(); refresh(); } }, text);
  at("filters").replaceChildren(
    chip(t("moving"), state.animated, () => { state.animated = !state.animated; }),
    ...state.packs.slice(0, 12).map((pack) => chip(pack, state.pack === pack, () => { state.pack = state.pack === pack ? null : pack; })));
}

const taste = () => drawTaste(state.user, {
  show: (point) => like(point.sticker_id, point.title), changed: () => refresh(true), forgotten: () => refresh(),
});

function become(user) {
  state.user = user.trim();
  at("user").value = state.user;
  at("lean").hidden = !state.user;
  memory.set("user", state.user);
}

async function people() {
  const remembered = JSON.parse(memory.get("people") ?? "[]");
  const listed = state.right === "admin" ? (await api.people()).users : [];
  const names = [...new Set([...listed, ...remembered, ...(state.user ? [state.user] : [])])].sort();
  memory.set("people", JSON.stringify(names.filter((name) => !listed.includes(name)).slice(-30)));
  at("people").replaceChildren(...names.map((name) => h("option", { value: name })));
}

// Suggestions under the search box.

function suggestions(phrases) {
  const list = at("suggestions");
  list.replaceChildren(...phrases.map((phrase, i) => h("li", { role: "option", id: `suggestion-${i}`, "aria-selected": "false", mousedown: (event) => { event.preventDefault(); take(phrase); } }, phrase)));
  list.hidden = !phrases.length;
  at("query").setAttribute("aria-expanded", String(Boolean(phrases.length)));
  at("query").removeAttribute("aria-activedescendant");
}

function take(phrase) {
  at("query").value = phrase;
  suggestions([]);
  typed(false);
}

function step(by) {
  const options = [...at("suggestions").children];
  if (!options.length) return false;
  const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const next = (now + by + options.length + (now < 0 && by < 0 ? 1 : 0)) % options.length;
  options.forEach((option, i) => option.setAttribute("aria-selected", String(i === next)));
  at("query").setAttribute("aria-activedescendant", options[next].id);
  return true;
}

function typed(suggest = true) {
  state.query = at("query").value;
  state.like = null;
  refreshed = refresh();
  suggesting.abort();
  suggesting = new AbortController();
  if (!suggest || !state.query.trim()) { suggestions([]); return; }
  const { signal } = suggesting;
  attempt(async () => {
    const found = await api.suggest(state.query, signal);
    if (!signal.aborted && document.activeElement === at("query")) suggestions(found.suggestions.filter((phrase) => phrase !== state.query));
  });
}

function listenToQuery() {
  const query = at("query");
  query.addEventListener("input", (event) => { if (!event.isComposing) typed(); });
  query.addEventListener("compositionend", () => typed());
  query.addEventListener("blur", () => suggestions([]));
  query.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" && step(1)) event.preventDefault();
    else if (event.key === "ArrowDown") { event.preventDefault(); document.querySelector("li.card button")?.focus(); }
    else if (event.key === "ArrowUp" && step(-1)) event.preventDefault();
    // By itself Escape would empty the box.
    else if (event.key === "Escape" && !at("suggestions").hidden) { event.preventDefault(); event.stopPropagation(); suggestions([]); }
  });
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = at("suggestions").querySelector("[aria-selected=true]");
    if (chosen) { take(chosen.textContent); return; }
    suggestions([]);
    // What was typed may not be answered yet; its first sticker is what Enter means.
    refreshed.then(() => document.querySelector("li.card button")?.focus());
  });
}

function searchByPicture(file) {
  state.like = { file, title: file.name || t("pictureLink") };
  at("query").value = state.query = "";
  return refresh();
}

function listenToControls() {
  at("user").addEventListener("change", (event) => attempt(async () => { become(event.target.value); people(); await loved(); await refresh(true); }));
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
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    memory.set("theme", document.documentElement.dataset.theme);
  });
  at("picture").addEventListener("change", (event) => { const [file] = event.target.files; if (file) searchByPicture(file); event.target.value = ""; });
  at("add").addEventListener("change", (event) => { const files = [...event.target.files]; attempt(async () => { await addAll(files); await refresh(); }); event.target.value = ""; });
  for (const name of ["picture", "add"])
    at(`${name}-label`).addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); at(name).click(); } });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") panel.close();
    if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) { event.preventDefault(); at("query").focus(); }
  });
  const shown = (act) => (id) => act(state.shown.get(id));
  keys(at("stickers"), { w: shown(actions.why), s: shown(actions.similar), e: shown(actions.edit), f: shown((hit) => actions.favourite(hit)) });
  listen({ search: searchByPicture, added: () => refresh(), failed: (error) => toast(error.message), mayAdd: () => state.right === "admin" });
}

function askForKey(problem) {
  const input = h("input", { type: "password", required: true, autocomplete: "current-password", "aria-label": t("key") });
  panel.open(t("key"), h("p", {}, t("keyHelp")), h("form", { submit: (event) => {
    event.preventDefault();
    attempt(async () => { await api.enter(input.value.trim()); location.reload(); });
  } }, input, h("button", { class: "main" }, t("enter"))), h("p", { class: "small" }, problem));
}

async function start() {
  const wanted = memory.get("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  if (memory.get("theme")) document.documentElement.dataset.theme = memory.get("theme");
  speak(wanted);
  listenToQuery();
  listenToControls();
  let served;
  try { served = await api.collections(); } catch (error) {
    if (error.status === 401) askForKey(error.message); else toast(error.message);
    return;
  }
  const names = served.collections.map((one) => one.name);
  const chosen = names.includes(memory.get("collection")) ? memory.get("collection") : names[0];
  const collection = served.collections.find((one) => one.name === chosen);
  api.useCollection(chosen);
  at("collection").replaceChildren(...served.collections.map((one) => h("option", { value: one.name }, one.title)));
  at("collection").value = chosen;
  at("collection-label").hidden = names.length < 2;
  state.right = served.right;
  at("add-label").hidden = served.right !== "admin";
  state.packs = collection.packs;
  const query = new URLSearchParams(location.search).get("q");
  if (query) at("query").value = state.query = query;
  become(memory.get("user") ?? "");
  chips();
  await people();
  await loved();
  await refresh();
  document.documentElement.dataset.ready = "true";
  at("query").focus();
}

start();
