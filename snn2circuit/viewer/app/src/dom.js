// Small helpers that make DOM and SVG nodes; text is always set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** `element("button", { class: "key", onclick }, "Fit")`: attributes by name, listeners by `on…`, children in order. */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Line icons on a 24-unit grid, drawn for this viewer. */
const ICONS = {
  home: "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5M9.5 9.5h5v5h-5z",
  camera: "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 10a3.3 3.3 0 1 1 0 6.6 3.3 3.3 0 0 1 0-6.6",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  help: "M9.3 9.2a2.8 2.8 0 1 1 4.2 2.5c-1 .6-1.5 1.2-1.5 2.3M12 17.3v.2",
  full: "M4 10V4h6M20 14v6h-6M4 4l6 6M20 20l-6-6",
  panel: "M4 5h16v14H4zM9.5 5v14",
  close: "M6 6l12 12M18 6 6 18",
  eye: "M2.5 12S6 6 12 6s9.5 6 9.5 6-3.5 6-9.5 6-9.5-6-9.5-6M12 9.4a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2",
  search: "M10.5 5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M15 15l5 5",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: "s2c-icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

export function iconButton(name, title, onclick, extra = {}) {
  return element("button", { type: "button", class: "s2c-tool", title, "aria-label": title, onclick, ...extra }, icon(name));
}
