// The panel beside the stickers: why a sticker is here, all that is known of it, and its words to correct.

import * as api from "./api.js";
import { at, h, toast, trail } from "./elements.js";
import { copyText } from "./grid.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

let opener = null;

export function close() {
  const panel = at("panel");
  if (panel.hidden) return;
  panel.hidden = true;
  panel.replaceChildren();
  opener?.(at("stickers"))?.focus();
}

export function open(title, ...content) {
  const panel = at("panel");
  if (panel.hidden) opener = trail(document.activeElement);
  panel.replaceChildren(
    h("button", { type: "button", class: "close", click: close, "aria-label": t("close") }, icon("close")),
    h("h2", { id: "panel-title" }, title), ...content);
  panel.hidden = false;
  panel.focus();
}

/** Shows a score as one bar of what words, usefulness and the person's style gave. */
function bar(hit, reason, texts) {
  const { words, utility, style } = hit.explanation.shares;
  const whole = words + utility + Math.max(style, 0) || 1;
  const part = (name, value) => {
    const piece = h("span", { class: name });
    piece.style.width = `${(Math.max(value, 0) / whole) * 100}%`;
    return piece;
  };
  const percent = (value) => `${value < 0 ? "−" : "+"}${Math.abs((value / (words || 1)) * 100).toFixed(0)} %`;
  const line = (name, label, figure, extra) => h("li", {},
    h("span", { class: `dot ${name}`, "aria-hidden": "true" }), h("span", {}, label, " ", h("strong", {}, figure)), extra ?? null);
  const matched = readable(Object.keys(hit.explanation.matched), texts);
  const named = reason === "similar" || reason === "meaning" || reason === "pictured" ? "alike" : "wordsPart";
  const styleName = hit.explanation.centroid === null ? null
    : h("span", { class: "small" }, t("style", { n: hit.explanation.centroid + 1 }));
  return [
    h("div", { class: "score", "aria-hidden": "true" }, part("words", words), part("useful", utility), part("style", style)),
    h("ul", { class: "legend" },
      line("words", t(named), words.toFixed(2), matched.length ? h("span", { class: "small" }, matched.join(" · ")) : null),
      line("useful", t("usefulPart"), percent(utility)),
      line("style", t(style < 0 ? "styleLess" : "stylePart"), percent(style), styleName)),
    h("p", { class: "small" }, t("score", { n: hit.score.toFixed(2) })),
  ];
}

const PIECES = /([\p{L}\p{M}\p{N}]+)/u;

/** Says whether a word of a text is what a token of the query stands for: tokens are stems, "happi" of "happy". */
function fits(piece, token) {
  const lower = piece.toLowerCase();
  if (/\p{Script=Han}/u.test(token)) return lower.includes(token);
  return lower.startsWith(token) || (token.length > 3 && lower.startsWith(token.slice(0, -1)) && lower.length <= token.length + 3);
}

/** Marks the parts of a text that matched. */
function highlighted(text, matched) {
  if (matched.includes(text)) return [h("mark", {}, text)];
  return text.split(PIECES).map((piece) => (piece && matched.some((token) => fits(piece, token)) ? h("mark", {}, piece) : piece));
}

/** Returns the tokens as the sticker's own texts write them. */
function readable(tokens, texts) {
  const pieces = Object.values(texts).flat().flatMap((phrase) => phrase.split(PIECES));
  return tokens.map((token) => pieces.find((piece) => piece && fits(piece, token))?.toLowerCase() ?? token);
}

/** Shows a sticker; `on` holds what else can be done with it: pick, similar, favourite. */
export async function why(hit, reason, { edit = false, changed, actions: on, favourite }) {
  const known = await api.sticker(hit.sticker_id);
  const matched = Object.keys(hit.explanation?.matched ?? {});
  const fields = Object.keys(t("fields"));
  const body = h("div", {});
  const show = () => body.replaceChildren(...explained, ...facts(known, fields, matched));
  const back = () => { show(); at("panel").querySelector('[data-key="edit"]').focus(); };
  const form = () => {
    body.replaceChildren(editor(known, fields, async (now) => { Object.assign(known, now); back(); await changed(); }, back));
    body.querySelector("textarea").focus();
  };
  const explained = hit.explanation ? [h("h3", {}, t("why")), ...bar(hit, reason, known.texts)] : [];
  const button = (name, label, act, pressed) => h("button", {
    type: "button", "data-key": name, "aria-pressed": pressed === undefined ? null : String(pressed), click: act }, icon(name === "pick" ? "copy" : name), label);
  open(known.title,
    known.thumbnail ? h("img", { class: "large", alt: known.title, src: `${known.thumbnail}&animated=true` }) : null,
    h("div", { class: "panel-actions" },
      button("pick", t("pick"), () => on.pick(hit)),
      button("similar", t("findSimilar"), () => on.similar(hit)),
      button("favourite", t("favourite"), (event) => {
        const { currentTarget } = event;
        on.favourite(hit);
        currentTarget.setAttribute("aria-pressed", String(currentTarget.getAttribute("aria-pressed") !== "true"));
      }, favourite),
      button("edit", t("edit"), form)),
    body);
  if (edit) form(); else show();
}

/** Says where the sticker lies in Qdrant. Its dashboard takes no point in its address, so the filter for it is copied. */
function place(point) {
  const name = h("span", { class: "small" }, `${point.collection} / ${point.id}`);
  if (!point.dashboard) return [name];
  const copied = async () => toast(await copyText(point.filter, t("filterCopied", { filter: point.filter })));
  return [name, h("a", { href: point.dashboard, target: "_blank", rel: "noopener noreferrer", title: t("filterCopied", { filter: point.filter }), click: copied }, t("dashboard"), icon("out"))];
}

function facts(known, fields, matched) {
  const list = h("dl", {});
  for (const field of fields) {
    const phrases = known.texts[field];
    if (!phrases) continue;
    const sources = known.sources.filter((source) => source.texts[field]).map((source) => source.source.replace(/^loader:/, ""));
    const who = known.edited.includes(field) ? t("edited") : sources.length ? t("said", { who: sources.join(", ") }) : "";
    list.append(h("dt", {}, `${t("fields")[field]} `, h("span", { class: "small" }, who)),
      h("dd", {}, phrases.flatMap((phrase, i) => [i ? " · " : "", ...highlighted(phrase, matched)])));
  }
  list.append(h("dt", {}, t("point")), h("dd", {}, place(known.point)));
  if (known.picture) list.append(h("dd", {}, h("a", { href: known.picture, target: "_blank", rel: "noopener" }, t("pictureLink"), icon("out"))));
  return [list];
}

function editor(known, fields, done, cancel) {
  const areas = ["name", "tags", "emoji", "description"].filter((field) => fields.includes(field)).map((field) => {
    const area = h("textarea", { rows: Math.min(8, (known.texts[field]?.length ?? 0) + 1), name: field, "aria-describedby": "edit-help" });
    area.value = (known.texts[field] ?? []).join("\n");
    return [field, area, area.value];
  });
  const problem = h("p", { class: "error", role: "alert" });
  const save = async (event) => {
    event.preventDefault();
    const edits = {};
    for (const [field, area, before] of areas)
      if (area.value !== before) edits[field] = area.value.split("\n").map((phrase) => phrase.trim()).filter(Boolean);
    try {
      const now = Object.keys(edits).length ? await api.edit(known.id, { edits }) : known;
      toast(t("saved"));
      await done(now);
    } catch (error) { problem.textContent = error.message; }
  };
  return h("form", { submit: save },
    h("p", { class: "small", id: "edit-help" }, t("editHelp")),
    areas.map(([field, area]) => h("label", {}, t("fields")[field], area)), problem,
    h("div", { class: "panel-actions" }, h("button", { class: "main" }, t("save")), h("button", { type: "button", click: cancel }, t("cancel"))));
}
