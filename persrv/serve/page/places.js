// Back and forward: each thing that was looked at is a place of its own, and the letters of one query are one.

import { at } from "./elements.js";
import { state } from "./state.js";

const pictures = [];
let finished = false;

/** Says that what is shown was wanted, so that what is typed next is another place. */
export function finish() { finished = true; }

/** Makes what is shown now the place where the browser is. */
export function remember() {
  const { like, query } = state;
  if (like?.file && !pictures.includes(like)) pictures.push(like);
  const here = { kind: like ? "like" : query.trim() ? "query" : "home", query, like: like?.file ? pictures.indexOf(like) : like };
  const before = history.state;
  if (before && JSON.stringify(here) === JSON.stringify(before)) return;
  const another = before && (here.kind !== before.kind || here.kind === "like" || finished);
  finished = false;
  history[another ? "pushState" : "replaceState"](here, "", query.trim() ? `?q=${encodeURIComponent(query)}` : location.pathname);
}

/** Goes to the place where the browser is; one without a name is that of its address. */
export function restore() {
  const { query, like } = history.state ?? { query: new URLSearchParams(location.search).get("q") ?? "", like: null };
  state.query = at("query").value = query;
  // Pictures that were dropped are known as long as the page is.
  state.like = typeof like === "number" ? pictures[like] ?? null : like;
  at("clear").hidden = !query;
}
