// Calls of the service. A call that fails throws an Error whose text is the problem's detail and next step.

import { t } from "./words.js";

let collection = null;

export function useCollection(name) { collection = name; }

function address(path, params = {}) {
  const url = new URL(path, location.origin);
  if (collection) url.searchParams.set("collection", collection);
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, one);
  }
  return url;
}

async function call(method, path, { params, json, form, signal } = {}) {
  const headers = json ? { "content-type": "application/json" } : {};
  const body = json ? JSON.stringify(json) : form;
  const unless = (error) => { throw error.name === "AbortError" ? error : new Error(t("unreachable")); };
  const response = await fetch(address(path, params), { method, headers, body, signal, credentials: "same-origin" }).catch(unless);
  if (response.status === 204) return null;
  const content = await response.json().catch(unless);
  if (response.ok) return content;
  const error = new Error(`${content.detail}; ${content.next_step}`);
  error.status = response.status;
  throw error;
}

export const collections = () => call("GET", "/v1/collections");
export const people = () => call("GET", "/v1/users", { params: { limit: 50 } });
export const search = (params, signal) => call("GET", "/v1/search", { params, signal });
export const suggest = (q, signal) => call("GET", "/v1/suggest", { params: { q }, signal });
export const similar = (params, signal) => call("GET", "/v1/similar", { params, signal });
export const sticker = (id) => call("GET", `/v1/stickers/${id}`);
export const copies = (id) => call("GET", `/v1/stickers/${id}/copies`);
export const share = (json) => call("POST", "/v1/share", { json });
export const taste = (user) => call("GET", "/v1/user/taste", { params: { user } });
export const forget = (user) => call("DELETE", "/v1/user", { params: { user } });
export const exported = (user) => address("/v1/user/export", { user });
export const own = (user, kind, signal) => call("GET", "/v1/user/stickers", { params: { user, kind, limit: 24 }, signal });
export const mark = (user, kind, id, on) => call(on ? "PUT" : "DELETE", `/v1/user/marks/${kind}/${id}`, { params: { user } });
export const notMine = (user, number) => call("DELETE", `/v1/user/styles/${number}`, { params: { user } });
export const edit = (id, json) => call("PATCH", `/v1/stickers/${id}`, { json });
export const enter = (key) => call("POST", "/v1/session", { json: { key } });

export function similarToPicture(file, signal) {
  const form = new FormData();
  form.append("picture", file);
  return call("POST", "/v1/similar", { form, params: { limit: 40 }, signal });
}

export function add(files) {
  const form = new FormData();
  for (const file of files) form.append("pictures", file, file.webkitRelativePath || file.path || file.name);
  return call("POST", "/v1/stickers", { form });
}
