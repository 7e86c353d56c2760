// A few lines in place of a framework.

/** Makes an element: attributes that are functions listen, `class` is what it is called. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else if (key === "class") element.className = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const at = (id) => document.getElementById(id);

/**
 * Makes these the children of an element. Moving an element takes the focus away and scrolls it back to its beginning,
 * so what stands right already is not touched, and the others move around the one with the focus.
 */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  if (children.length === parent.children.length && children.every((child, i) => child === parent.children[i])) return;
  const held = children.findIndex((child) => child.parentElement === parent && child.contains(document.activeElement));
  if (held < 0) { parent.append(...children); return; }
  children[held].before(...children.slice(0, held));
  children[held].after(...children.slice(held + 1));
}

/** Remembers what an element stands for; returns how to find it, or what is nearest to it, once it was drawn anew. */
export function trail(element) {
  const { key } = element.dataset;
  const item = element.closest("[data-id]");
  const part = element.closest("section")?.id;
  const place = item ? [...item.parentElement.children].indexOf(item) : 0;
  const control = `[data-key="${CSS.escape(key ?? "")}"]`;
  const same = item ? `[data-id="${item.dataset.id}"] ${control}` : control;
  return (root) => {
    if (element.isConnected) return element;
    const list = (part && at(part)) || root;
    const controls = (of) => of.querySelectorAll("li.card > button, button.chip, .styles button, a[href]");
    return (key && (list.querySelector(same) ?? root.querySelector(same))) || (item && list.querySelectorAll("li.card > button")[place])
      || controls(list)[0] || controls(root)[0] || null;
  };
}

/** Draws anew inside `root`, and whoever was at something there is at what stands for it afterwards. */
export function keepingFocus(root, draw) {
  const held = document.activeElement;
  const again = held !== root && root.contains(held) ? trail(held) : null;
  draw();
  if (again && document.activeElement !== held) again(root)?.focus();
}

let fading = 0;

/** Says something for a moment, to people who look and to those who listen. */
export function toast(text) {
  at("toast").replaceChildren(h("p", {}, text));
  clearTimeout(fading);
  fading = setTimeout(() => at("toast").replaceChildren(), 6000);
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
