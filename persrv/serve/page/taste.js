// My taste: a person's picks on a map, with their styles as clusters.

import * as api from "./api.js";
import { at, h, keepingFocus, toast } from "./elements.js";
import { t } from "./words.js";

const APART = 0.16;
const ROUNDS = 80;

/**
 * Moves points that would cover each other apart, a little in each round, and keeps them inside the map.
 * `wide` is the map's width in its heights; a point covers APART of the height.
 */
function spread(points, wide) {
  const places = points.map(({ x, y }, i) => ({ x: x * wide + Math.cos(i) * 1e-3, y: y + Math.sin(i) * 1e-3 }));
  const within = (value, most) => Math.min(most, Math.max(0, value));
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, one] of places.entries())
      for (const other of places.slice(i + 1)) {
        const dx = one.x - other.x, dy = one.y - other.y;
        const far = Math.hypot(dx, dy);
        if (far >= APART) continue;
        const push = (APART - far) / far / 2;
        one.x = within(one.x + dx * push, wide); one.y = within(one.y + dy * push, 1);
        other.x = within(other.x - dx * push, wide); other.y = within(other.y - dy * push, 1);
      }
  return places.map(({ x, y }) => ({ x: x / wide, y }));
}

/** Draws a person's taste; `on` holds what to do: show(sticker id), changed(), forgotten(). */
export async function draw(user, on) {
  const section = at("taste");
  const title = h("h2", { id: "taste-title" }, t("taste"));
  if (!user) {
    section.replaceChildren(title, h("p", {}, t("whoFirst")));
    return;
  }
  const found = await api.taste(user);
  const map = h("div", { class: "map", role: "group", "aria-label": t("map") });
  const places = spread(found.points, at("stickers").clientWidth > 736 ? 2.8 : 1.7);
  for (const [i, point] of found.points.entries()) {
    const button = h("button", { type: "button", "data-id": point.sticker_id, "data-key": "map", class: `s${(point.style ?? 5) % 6}`, "aria-label": `${point.title}, ${t("style", { n: (point.style ?? 0) + 1 })}`, title: point.title, click: () => on.show(point) },
      h("img", { src: `${point.thumbnail}&size=64`, alt: "", loading: "lazy" }));
    button.style.left = `${4 + places[i].x * 92}%`;
    button.style.top = `${8 + places[i].y * 84}%`;
    map.append(button);
  }
  const styles = h("ul", { class: "styles" }, found.styles.map((style) => h("li", {},
    h("img", { class: `s${style.number % 6}`, src: style.thumbnail, alt: style.title }),
    h("div", {}, h("strong", {}, t("style", { n: style.number + 1 })), h("br"), h("span", { class: "small" }, t("share", { n: Math.round(style.share * 100) })), h("br"),
      h("button", { type: "button", class: "chip", "data-key": `not-${style.number}`, "aria-label": `${t("notMine")}: ${t("style", { n: style.number + 1 })}`, click: async () => {
        try { await api.notMine(user, style.number); } catch (error) { toast(error.message); }
        await draw(user, on);
        on.changed();
      } }, t("notMine"))))));
  const forget = async () => {
    if (!confirm(t("forgetSure", { user }))) return;
    const gone = await api.forget(user);
    toast(t("forgotten", { user, n: gone.picks }));
    await draw(user, on);
    on.forgotten();
  };
  keepingFocus(section, () => section.replaceChildren(title,
    found.points.length ? h("div", { class: "taste-inside" }, map, styles) : h("p", {}, t("noTaste")),
    h("div", { class: "panel-actions" },
      h("a", { "data-key": "export", href: api.exported(user).href, download: `${user}.json` }, t("export")),
      h("button", { type: "button", "data-key": "forget", class: "danger", click: forget }, t("forget")))));
}
