// The stickers that are shown: an answer, or what there is before anything is typed.

import * as api from "./api.js";
import { arrange, at, h, keepingFocus, toast } from "./elements.js";
import { append, copyPicture, fill, firstCard, halt, resume } from "./grid.js";
import * as panel from "./panel.js";
import { finish, remember } from "./places.js";
import { state } from "./state.js";
import { draw as drawTaste } from "./taste.js";
import { t } from "./words.js";

const PAGE = 40;
const RECENT = 24;
const LATE_MS = 700;
const GUESTS = 6;
let running = new AbortController();
let latest = Promise.resolve();
let loving = Promise.resolve();
let late = 0;
let become = () => {};
let askForKey = () => {};

/** Tells how to go on as somebody else, and how to ask for a key. */
export function useActs(acts) { ({ become, askForKey } = acts); }

export function attempt(work) {
  return Promise.resolve().then(work).catch((error) => {
    if (error.status === 401) askForKey(error.message);
    else if (error.name !== "AbortError") toast(error.message);
  });
}

export const gamma = () => (state.user ? Number(at("gamma").value) : null);
const filters = () => ({ pack: state.pack, animated: state.animated || null });

export const actions = {
  pick: (hit) => pick(hit),
  why: (hit) => why(hit, false),
  edit: (hit) => why(hit, true),
  similar: (hit) => like(hit.sticker_id, hit.title),
  copies: (hit) => attempt(() => toggleCopies(hit)),
  favourite: (hit) => attempt(async () => {
    if (!state.user) { toast(t("whoFirst")); at("user").focus(); return; }
    await api.mark(state.user, "favourite", hit.sticker_id, !state.favourites.has(hit.sticker_id));
    await loved();
    await refresh();
  }),
};

/** Asks for the favourites; answers are drawn when they are known. */
export function loved() {
  loving = attempt(async () => {
    const found = state.user ? (await api.own(state.user, "favourite")).stickers.map(asHit) : [];
    state.favourites = new Map(found.map((hit) => [hit.sticker_id, hit]));
  });
  return loving;
}

async function pick(hit) {
  finish();
  const how = await copyPicture(hit);
  toast(t(state.user ? "picked" : "pickedNobody", { title: hit.title, how }));
  if (!state.user) return;
  await attempt(async () => {
    await api.share({ user: state.user, query: state.asked, sticker_id: hit.sticker_id });
    await refresh(true);
  });
}

const why = (hit, edit) => attempt(async () => {
  let explained = hit;
  if (hit.explanation && !Object.keys(hit.explanation.matched).length && state.asked) {
    const found = await api.search({ q: state.asked, user: state.user, gamma: gamma(), explain: true, limit: PAGE, ...filters() });
    explained = found.hits.find((other) => other.sticker_id === hit.sticker_id) ?? hit;
  }
  const again = { edit: actions.edit, similar: actions.similar, favourite: actions.favourite, pick: actions.pick };
  await panel.why(explained, state.reason, { edit, changed: () => refresh(), actions: again, favourite: state.favourites.has(hit.sticker_id) });
});

export async function like(id, title) {
  state.like = { id, title };
  panel.close();
  await refresh();
}

async function toggleCopies(hit) {
  const { opened } = state;
  if (opened.has(hit.sticker_id)) opened.delete(hit.sticker_id);
  else if (hit.copies) opened.set(hit.sticker_id, (await api.copies(hit.sticker_id)).stickers.map((copy) => ({ ...asHit(copy), of: hit.sticker_id })));
  for (const list of at("stickers").querySelectorAll("ul.grid")) if (list.hits?.includes(hit)) fill(list, list.hits, list.options);
}

/** Makes a titled list of stickers, or fills the one that is there, so that its cards can glide. */
function section(key, title, hits, options = {}) {
  const part = at(`part-${key}`)
    ?? h("section", { id: `part-${key}`, "aria-labelledby": `title-${key}` }, h("h2", { id: `title-${key}` }), h("ul", { class: options.strip ? "grid strip" : "grid" }));
  part.querySelector("h2").textContent = title;
  const list = part.querySelector("ul");
  Object.assign(list, { hits, options: { on: actions, favourites: state.favourites, opened: state.opened } });
  fill(list, hits, { ...list.options, showMoves: options.showMoves });
  return part;
}

const asHit = (sticker) => ({
  sticker_id: sticker.id, title: sticker.title, picture: sticker.picture, thumbnail: sticker.thumbnail, explanation: null, copies: 0,
  payload: { animated: sticker.animated, emoji: sticker.texts.emoji },
});

function say(answer, asked = "") {
  state.asked = asked;
  state.reason = answer.reason;
  at("note").textContent = answer.note || Object.entries(answer.corrections).map(([typed, used]) => `${typed} → ${used}`).join(", ");
}

/** Asks anew and shows what comes; a later call makes an earlier one stop. */
export function refresh(showMoves = false) {
  remember();
  latest = ask(showMoves);
  return latest;
}

/** Waits until no answer is on its way any more. */
export async function settled() {
  for (let seen = null; seen !== latest;) {
    seen = latest;
    await seen;
  }
}

async function ask(showMoves) {
  running.abort();
  const { signal } = (running = new AbortController());
  const root = at("stickers");
  root.setAttribute("aria-busy", "true");
  clearTimeout(late);
  late = setTimeout(() => { root.classList.add("late"); halt(root); }, LATE_MS);
  await attempt(async () => {
    const asked = state.like ? alike : state.query.trim() || state.pack || state.animated ? results : home;
    const [draw] = await Promise.all([asked(signal, showMoves), loving]);
    if (!signal.aborted) keepingFocus(root, () => arrange(root, draw()));
  });
  if (signal.aborted) return;
  clearTimeout(late);
  root.classList.remove("late");
  resume(root);
  root.setAttribute("aria-busy", "false");
  root.dataset.query = state.query;
  if (!at("taste").hidden) await attempt(taste);
}

async function alike(signal) {
  const { id, file, title } = state.like;
  const answer = file ? await api.similarToPicture(file, signal) : await api.similar({ sticker_id: id, limit: PAGE }, signal);
  return () => {
    say(answer);
    const back = at("back") ?? h("button", { type: "button", class: "chip", id: "back", "data-key": "back", click: () => { state.like = null; refresh().then(() => firstCard()?.focus()); } });
    back.textContent = `✕ ${t("similar")}: ${title}`;
    return [back.parentElement ?? h("p", {}, back), section("similar", t("similar"), answer.hits)];
  };
}

async function results(signal, showMoves) {
  const asked = { q: state.query, limit: PAGE, ...filters() };
  const of = (user) => api.search({ ...asked, user, gamma: gamma() }, signal);
  const typed = state.query.trim();
  state.suggested = typed ? await api.suggest(typed, signal) : { suggestions: [], whole: true };
  let completed = half(typed, state.suggested);
  if (completed) asked.q = completed;
  if (state.other && state.user) {
    const [mine, theirs] = await Promise.all([of(state.user), of(state.other)]);
    return () => {
      say(mine, asked.q);
      if (completed) at("note").textContent = t("completed", { typed: state.query, used: completed });
      const both = at("both") ?? h("div", { class: "columns", id: "both" });
      arrange(both, [
        section("mine", t("styleOf", { user: state.user }), mine.hits, { showMoves }), section("theirs", t("styleOf", { user: state.other }), theirs.hits)]);
      return [both];
    };
  }
  let answer = await of(state.user);
  if (answer.reason === "unmatched" && !completed && state.suggested.suggestions.length) {
    // What it was perhaps meant to be is better than what is popular.
    [completed] = state.suggested.suggestions;
    asked.q = completed;
    answer = await of(state.user);
  }
  return () => {
    say(answer, asked.q);
    if (completed) at("note").textContent = t("completed", { typed: state.query, used: completed });
    const part = section("results", t("results"), answer.hits, { showMoves });
    return [withMore(part, asked, answer)];
  };
}

/** Returns what half a word would become, "" for a whole one: searched as it stands it would be taken for a typo. */
function half(typed, { suggestions, whole }) {
  if (whole || !/[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]$/u.test(typed)) return "";
  return suggestions.find((phrase) => phrase.toLowerCase().startsWith(typed.toLowerCase())) ?? "";
}

function withMore(part, asked, answer) {
  part.querySelector(".more")?.remove();
  if (answer.more) part.append(more(part, asked, answer.next));
  return part;
}

function more(part, asked, cursor) {
  const button = h("button", { type: "button", class: "more", "data-key": "more", click: () => attempt(async () => {
    const next = await api.search({ ...asked, user: state.user, gamma: gamma(), cursor });
    const list = part.querySelector("ul");
    // What the page shows already, as among what was used last, is not shown twice.
    const shown = new Set([...at("stickers").querySelectorAll("li.card")].map((item) => item.dataset.id));
    const hits = next.hits.filter((hit) => !shown.has(hit.sticker_id));
    list.hits = [...list.hits, ...hits];
    const first = append(list, hits, list.options);
    if (document.activeElement === button) first?.querySelector("button").focus();
    button.remove();
    if (next.more) part.append(more(part, asked, next.next));
  }) }, t("more"));
  return button;
}

async function home(signal, showMoves) {
  const asked = { limit: PAGE };
  const [own, popular] = await Promise.all([
    state.user ? api.own(state.user, "recent", signal) : { stickers: [] }, api.search({ ...asked, user: state.user, gamma: gamma() }, signal), state.user || state.listing]);
  return () => {
    say(popular);
    const recent = own.stickers.map(asHit);
    const known = new Set(recent.map((hit) => hit.sticker_id));
    const parts = [];
    if (!state.user && state.people.length) parts.push(welcome());
    if (state.favourites.size) parts.push(section("favourites", t("favourites"), [...state.favourites.values()], { strip: true }));
    if (recent.length) parts.push(section("recent", t("recent"), recent.slice(0, RECENT), { strip: true }));
    const part = section("popular", t("popular"), popular.hits.filter((hit) => !known.has(hit.sticker_id)), { showMoves });
    parts.push(withMore(part, asked, popular));
    return parts;
  };
}

function welcome() {
  const names = state.people.slice(0, GUESTS).map((name) => h("button", { type: "button", class: "chip", "data-key": `as-${name}`, click: () => become(name) }, name));
  return h("p", { class: "welcome" }, h("span", {}, t("welcome")), ...names);
}

export function chips() {
  const chip = (text, pressed, toggle) => h("button", {
    type: "button", class: "chip", "data-key": text, "aria-pressed": String(pressed), click: () => { toggle(); chips(); refresh(); } }, text);
  keepingFocus(at("filters"), () => at("filters").replaceChildren(
    chip(t("moving"), state.animated, () => { state.animated = !state.animated; }),
    ...state.packs.slice(0, 12).map((pack) => chip(pack, state.pack === pack, () => { state.pack = state.pack === pack ? null : pack; }))));
}

export const taste = () => drawTaste(state.user, {
  show: (point) => like(point.sticker_id, point.title), changed: () => refresh(true), forgotten: () => refresh(),
});
