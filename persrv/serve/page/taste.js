// My taste: a person's picks on a map, with their styles as clusters.

import * as api from "./api.js";
import { at, h, toast } from "./elements.js";
import { t } from "./words.js";

/** Draws a person's taste; `on` holds what to do: show(sticker id), changed(), forgotten(). */
export async function draw(user, on) {
  const section = at("taste");
  const title = h("h2", { id: "taste-title" }, t("taste"));
  if (!user) {
    section.replaceChildren(title, h("p", {}, t("noTaste")));
    return;
  }
  const found = await api.taste(user);
  const map = h("div", { class: "map", role: "group", "aria-label": t("map") });
  for (const point of found.points) {
    const button = h("button", { type: "button", class: `s${(point.style ?? 5) % 6}`, "aria-label": `${point.title}, ${t("style", { n: (point.style ?? 0) + 1 })}`, title: point.title, click: () => on.show(point) },
      h("img", { src: `${point.thumbnail}&size=64`, alt: "", loading: "lazy" }));
    button.style.left = `${4 + point.x * 92}%`;
    button.style.top = `${6 + point.y * 88}%`;
    map.append(button);
  }
  const styles = h("ul", { class: "styles" }, found.styles.map((style) => h("li", {},
    h("img", { class: `s${style.number % 6}`, src: style.thumbnail, alt: style.title }),
    h("div", {}, h("strong", {}, t("style", { n: style.number + 1 })), h("br"), h("span", { class: "small" }, t("share", { n: Math.round(style.share * 100) })), h("br"),
      h("button", { type: "button", "aria-label": `${t("notMine")}: ${t("style", { n: style.number + 1 })}`, click: async () => {
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
  section.replaceChildren(title,
    found.points.length ? h("div", { class: "taste-inside" }, map, styles) : h("p", {}, t("noTaste")),
    h("div", { class: "panel-actions" },
      h("a", { href: api.exported(user).href, download: `${user}.json` }, t("export")),
      h("button", { type: "button", click: forget }, t("forget"))));
}
