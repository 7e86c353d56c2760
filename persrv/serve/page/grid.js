// Stickers in rows: pictures that move when looked at, keys, and cards that glide to their new places.

import { calm, h } from "./elements.js";
import { t } from "./words.js";


const moving = (hit) => `${hit.thumbnail}&animated=true`;

/** Makes one card. `on` holds what to do: pick, why, similar, favourite, edit. */
function card(hit, place, favourite, on) {
  const tool = (name, sign, action, pressed) => h("button", {
    type: "button", tabindex: "-1", title: t(name), "aria-label": `${t(name)}: ${hit.title}`,
    "aria-pressed": pressed === undefined ? null : String(pressed), click: () => action(hit),
  }, sign);
  const still = hit.thumbnail;
  const image = still
    ? h("img", { src: still, alt: "", loading: "lazy", decoding: "async", width: 256, height: 256 })
    : h("span", { class: "noimg", "aria-hidden": "true" }, (hit.payload.emoji ?? ["🏷"])[0]);
  const wake = () => { if (still && hit.payload.animated && !calm()) image.src = moving(hit); };
  const sleep = () => { if (still && hit.payload.animated) image.src = still; };
  return h("li", { class: "card", "data-id": hit.sticker_id, mouseenter: wake, mouseleave: sleep, focusin: wake, focusout: sleep },
    h("button", { type: "button", tabindex: place === 0 ? "0" : "-1", click: () => on.pick(hit), "aria-label": hit.title }, image,
      h("span", { class: "title" }, hit.title)),
    h("div", { class: "tools" },
      tool("why", "?", on.why), tool("findSimilar", "≈", on.similar),
      tool("favourite", "★", on.favourite, favourite), tool("edit", "✎", on.edit)));
}

/** Fills a list with hits; cards that were there glide, and those that rose say so. */
export function fill(list, hits, { favourites = new Set(), on, showMoves = false }) {
  const before = new Map([...list.children].map((item, place) => [item.dataset.id, { place, box: item.getBoundingClientRect() }]));
  const focused = list.contains(document.activeElement) ? document.activeElement.closest("li")?.dataset.id : null;
  list.replaceChildren(...hits.map((hit, place) => card(hit, place, favourites.has(hit.sticker_id), on)));
  for (const [place, item] of [...list.children].entries()) {
    const was = before.get(item.dataset.id);
    if (!was) continue;
    const box = item.getBoundingClientRect();
    if (!calm() && (was.box.left !== box.left || was.box.top !== box.top))
      item.animate([{ transform: `translate(${was.box.left - box.left}px, ${was.box.top - box.top}px)` }, { transform: "none" }], { duration: 350, easing: "ease-out" });
    if (showMoves && was.place > place) item.append(h("span", { class: "moved" }, t("moved", { n: was.place - place })));
  }
  if (focused) focusOn(list.querySelector(`[data-id="${focused}"]`) ?? list.firstElementChild);
}

export function append(list, hits, options) {
  list.append(...hits.map((hit) => card(hit, -1, options.favourites?.has(hit.sticker_id), options.on)));
}

function focusOn(item) {
  if (!item) return;
  for (const other of item.parentElement.querySelectorAll("li > button:first-child")) other.tabIndex = -1;
  const button = item.querySelector("button");
  button.tabIndex = 0;
  button.focus();
}

/** Lets arrows walk through all cards inside `root`, and letters act on the one in focus. */
export function keys(root, letters) {
  root.addEventListener("keydown", (event) => {
    const item = event.target.closest?.("li.card");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const items = [...root.querySelectorAll("li.card")];
    const here = items.indexOf(item);
    const row = items.filter((other) => Math.abs(other.offsetTop - item.offsetTop) < 4 && other.parentElement === item.parentElement).length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row, Home: -here, End: items.length - 1 - here };
    if (event.key in steps) {
      event.preventDefault();
      focusOn(items[Math.max(0, Math.min(items.length - 1, here + steps[event.key]))]);
    } else if (letters[event.key.toLowerCase()]) {
      event.preventDefault();
      letters[event.key.toLowerCase()](item.dataset.id);
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
    try {
      await navigator.clipboard.writeText(new URL(hit.picture, location.origin).href);
      return t("copiedLink");
    } catch {
      return t("notCopied");
    }
  }
}
