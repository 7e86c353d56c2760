// Pictures that are dropped or pasted: search by one, or add many.

import * as api from "./api.js";
import { at, h, toast } from "./elements.js";
import { t } from "./words.js";

const AT_ONCE = 8;

/** Returns the files of a drop, with those in folders; each gets the path that says its pack. */
async function filesOf(items) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  const walk = async (entry, path) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      file.path = path + entry.name;
      found.push(file);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const one of some) await walk(one, `${path}${entry.name}/`);
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}

/** Adds files a few at a time, says how far it is, and returns what became of them. */
export async function addAll(files) {
  const total = { added: 0, known: 0, skipped: [] };
  const bar = h("progress", { max: files.length, value: 0, "aria-label": t("dropAdd") });
  for (let i = 0; i < files.length; i += AT_ONCE) {
    at("toast").replaceChildren(h("p", {}, t("adding", { done: i, all: files.length }), " ", bar));
    const report = await api.add(files.slice(i, i + AT_ONCE));
    total.added += report.added.length;
    total.known += report.known.length;
    total.skipped.push(...report.skipped);
    bar.value = Math.min(files.length, i + AT_ONCE);
  }
  toast(t("added", { n: total.added, known: total.known, bad: total.skipped.length }));
  return total;
}

/** Listens to drops and pastes; `on` holds what to do: search(file), added(), failed(error), mayAdd(). */
export function listen(on) {
  const veil = at("drop");
  const zone = (name, act) => h("div", {
    "data-zone": name,
    dragover: (event) => { event.preventDefault(); event.currentTarget.classList.add("over"); },
    dragleave: (event) => event.currentTarget.classList.remove("over"),
    drop: async (event) => {
      event.preventDefault();
      event.stopPropagation();
      veil.hidden = true;
      const single = event.dataTransfer.files[0];
      const plain = [...event.dataTransfer.files];
      const all = filesOf(event.dataTransfer.items).then((found) => (found.length ? found : plain));
      try { await act(single, all); } catch (error) { on.failed(error); }
    },
  }, t(name));
  const search = async (single) => { if (single) await on.search(single); };
  const add = async (_single, all) => { await addAll(await all); on.added(); };
  addEventListener("dragenter", (event) => {
    if (![...event.dataTransfer.types].includes("Files") || !veil.hidden) return;
    veil.replaceChildren(zone("dropSearch", search), on.mayAdd() ? zone("dropAdd", add) : "");
    veil.hidden = false;
  });
  veil.addEventListener("dragleave", (event) => { if (event.relatedTarget === null) veil.hidden = true; });
  veil.addEventListener("dragover", (event) => event.preventDefault());
  veil.addEventListener("drop", (event) => { event.preventDefault(); veil.hidden = true; });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) { event.preventDefault(); on.search(file).catch(on.failed); }
  });
}
