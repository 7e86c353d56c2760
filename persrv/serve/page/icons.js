// Signs of buttons, as strokes on a field of 24 by 24.

const STROKES = {
  why: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 11v5M12 7.7v.1",
  similar: "M4 4h11v11H4zM9 18.5V20h11V9h-1.5",
  favourite: "M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8L3.6 9.7l5.8-.8z",
  edit: "M4 20l1-4L16.5 4.5l3 3L8 19zM14 7l3 3",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.1",
  add: "M12 5v14M5 12h14",
  theme: "M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10z",
  taste: "M12 20C6 15.5 3 12 3 8.7A4.6 4.6 0 0 1 12 7.5a4.6 4.6 0 0 1 9 1.2c0 3.3-3 6.8-9 11.3z",
  close: "M6 6l12 12M18 6L6 18",
  person: "M12 12a4 4 0 1 0 0-8a4 4 0 0 0 0 8M4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5L20 20",
  menu: "M6 12v.1M12 12v.1M18 12v.1",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  out: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
};
const SVG = "http://www.w3.org/2000/svg";

const made = new Map();

export function icon(name) {
  if (!made.has(name)) made.set(name, drawn(name));
  return made.get(name).cloneNode(true);
}

function drawn(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", STROKES[name]);
  svg.append(path);
  return svg;
}
