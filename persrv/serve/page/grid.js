// Stickers in rows: pictures that move when looked at, keys, near-duplicates, and cards that glide to their new places.

import { arrange, at, calm, h, keepingFocus } from "./elements.js";
import { icon } from "./icons.js";
import { currentLanguage, t } from "./words.js";

const moving = (hit) => `${hit.thumbnail}&animated=true`;
const signOf = { findSimilar: "similar" };

/** What a card shows of a hit; a card whose look stays is kept when its list is filled anew. */
const look = (hit) => [hit.title, hit.thumbnail, hit.copies, hit.of, currentLanguage()].join("\n");

/** Makes one card. `on` holds what to do: pick, why, similar, favourite, edit, copies. */
function card(hit, on) {
  const item = h("li", { class: hit.of ? "card copy" : "card", "data-id": hit.sticker_id });
  const tool = (name, action) => h("button", {
    type: "button", tabindex: "-1", class: name, title: t(name), "data-key": name, "aria-label": `${t(name)}: ${hit.title}`, click: () => action(item.hit),
  }, icon(signOf[name] ?? name));
  const still = hit.thumbnail;
  const instead = () => h("span", { class: "noimg", "aria-hidden": "true" }, hit.payload.emoji?.[0] ?? "🏷");
  const image = still
    ? h("img", { class: "coming", src: still, alt: "", loading: "lazy", decoding: "async", width: 256, height: 256,
      load: () => { image.className = ""; }, error: () => image.replaceWith(instead()) })
    : instead();
  if (still && hit.payload.animated) {
    const wake = () => { if (!calm()) image.src = moving(hit); };
    const sleep = () => { image.src = still; };
    for (const [event, act] of [["mouseenter", wake], ["mouseleave", sleep], ["focusin", wake], ["focusout", sleep]]) item.addEventListener(event, act);
  }
  item.append(
    h("button", { type: "button", tabindex: "-1", "data-key": "pick", click: () => on.pick(item.hit), "aria-label": hit.title }, image,
      h("span", { class: "title", "aria-hidden": "true" }, hit.title)),
    h("div", { class: "tools" }, tool("why", on.why), tool("findSimilar", on.similar), tool("favourite", on.favourite), tool("edit", on.edit)));
  if (hit.copies) item.append(h("div", { class: "more-copies" }, h("button", {
    type: "button", tabindex: "-1", "data-key": "copies", "aria-expanded": "false", title: t("copiesHelp"), click: () => on.copies(item.hit),
  }, t("copies", { n: hit.copies }), h("span", { class: "hidden" }, `: ${hit.title}`))));
  item.look = look(hit);
  return item;
}

/** Fills a list with hits; cards that were there stay the same and glide, and those that rose say so. */
export function fill(list, hits, { favourites = new Map(), opened = new Map(), on, showMoves = false }) {
  const rows = hits.flatMap((hit) => [hit, ...(opened.get(hit.sticker_id) ?? [])]);
  const before = new Map([...list.children].map((item, place) => [item.dataset.id, { item, place, box: item.getBoundingClientRect() }]));
  const items = rows.map((hit) => {
    const known = before.get(hit.sticker_id)?.item;
    const item = known?.look === look(hit) ? known : card(hit, on);
    item.hit = hit;
    item.querySelector(".moved")?.remove();
    item.querySelector(".favourite").setAttribute("aria-pressed", String(favourites.has(hit.sticker_id)));
    item.querySelector("[aria-expanded]")?.setAttribute("aria-expanded", String(opened.has(hit.sticker_id)));
    return item;
  });
  keepingFocus(list, () => arrange(list, items));
  if (!list.querySelector('li > [tabindex="0"]')) list.querySelector("li > button")?.setAttribute("tabindex", "0");
  for (const [place, item] of items.entries()) {
    const was = before.get(item.dataset.id);
    if (!was) continue;
    const box = item.getBoundingClientRect();
    if (!calm() && (was.box.left !== box.left || was.box.top !== box.top))
      item.animate([{ transform: `translate(${was.box.left - box.left}px, ${was.box.top - box.top}px)` }, { transform: "none" }], { duration: 350, easing: "ease-out" });
    if (showMoves && was.place > place) item.append(h("span", { class: "moved" }, t("moved", { n: was.place - place })));
  }
}

/** Lets go of pictures that are still on their way, so that an answer that is late need not wait behind them. */
export function halt(root) {
  for (const image of root.querySelectorAll("img.coming")) if (!image.complete) image.removeAttribute("src");
}

/** Asks for them again, where they are still shown. */
export function resume(root) {
  for (const image of root.querySelectorAll("img.coming:not([src])")) image.src = image.closest("li.card").hit.thumbnail;
}

/** Puts more hits behind those that are there, and returns the first of the new cards. */
export function append(list, hits, { favourites, on }) {
  const items = hits.map((hit) => Object.assign(card(hit, on), { hit }));
  for (const item of items) item.querySelector(".favourite").setAttribute("aria-pressed", String(favourites.has(item.dataset.id)));
  list.append(...items);
  return items[0];
}

export const firstCard = () => at("stickers").querySelector("li.card > button");

const middle = (box) => [(box.left + box.right) / 2, (box.top + box.bottom) / 2];

/** Returns the card that lies next above (-1) or below (1) one, as they are seen. */
function neighbour(items, item, way) {
  const [x, y] = middle(item.getBoundingClientRect());
  let nearest = null, least = Infinity;
  for (const other of items) {
    const [left, top] = middle(other.getBoundingClientRect());
    if ((top - y) * way < 8) continue;
    const distance = Math.abs(top - y) * 1000 + Math.abs(left - x);
    if (distance < least) [nearest, least] = [other, distance];
  }
  return nearest;
}

/** Lets arrows walk through all cards inside `root`, and letters act on the one in focus. */
export function keys(root, letters) {
  root.addEventListener("focusin", (event) => {
    const item = event.target.closest?.("li.card");
    if (!item) return;
    for (const other of item.parentElement.querySelectorAll('li > [tabindex="0"]')) other.tabIndex = -1;
    item.querySelector("button").tabIndex = 0;
  });
  root.addEventListener("keydown", (event) => {
    const item = event.target.closest?.("li.card");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const items = [...root.querySelectorAll("li.card")];
    const here = items.indexOf(item);
    const goal = {
      ArrowRight: () => items[here + 1], ArrowLeft: () => items[here - 1], Home: () => items[0], End: () => items.at(-1),
      ArrowDown: () => neighbour(items, item, 1), ArrowUp: () => neighbour(items, item, -1),
    }[event.key];
    if (goal) {
      event.preventDefault();
      const next = goal();
      if (next) next.querySelector("button").focus();
      else if (event.key === "ArrowUp") at("query").focus();
    } else if (letters[event.key.toLowerCase()]) {
      event.preventDefault();
      letters[event.key.toLowerCase()](item.hit);
    }
  });
}

/** Copies a sticker's picture as PNG, or its address; returns what was done, in words. */
export async function copyPicture(hit) {
  if (!hit.picture || !navigator.clipboard) return t("notCopied");
  const asPng = async () => {
    const response = await fetch(hit.payload.animated ? hit.thumbnail : hit.picture);
    const bitmap = await createImageBitmap(await response.blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    return canvas.convertToBlob({ type: "image/png" });
  };
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": asPng() })]);
    return t("copied");
  } catch {
    return copyText(new URL(hit.picture, location.origin).href, t("copiedLink"));
  }
}

/** Copies a text; returns what was done, in words. */
export async function copyText(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    return done;
  } catch {
    return t("notCopied");
  }
}
