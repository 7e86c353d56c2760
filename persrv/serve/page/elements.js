// A few lines in place of a framework.

/** Makes an element: attributes that are functions listen, `dataset` and `class` are what they are called. */
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

let fading = 0;

/** Says something for a moment, to people who look and to those who listen. */
export function toast(text) {
  at("toast").replaceChildren(h("p", {}, text));
  clearTimeout(fading);
  fading = setTimeout(() => at("toast").replaceChildren(), 6000);
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
