// Keyboard shortcuts, and the overlay that lists them.

import { element, iconButton } from "./dom.js";

/** Key, what people read, name of the action, argument. */
const KEYS = [
  ["h", "H", "Home view", "home"],
  ["f", "F", "Fit what is visible, or the selection", "fit"],
  ["1", "1", "Top", "view", "top"],
  ["2", "2", "Bottom", "view", "bottom"],
  ["3", "3", "Front", "view", "front"],
  ["4", "4", "Back", "view", "back"],
  ["5", "5", "Left", "view", "left"],
  ["6", "6", "Right", "view", "right"],
  ["e", "E", "Explode or close the stack", "toggleExplode"],
  ["c", "C", "Next colouring", "nextMode"],
  ["i", "I", "Isolate the selection's nets", "isolate"],
  ["b", "B", "Back from it", "back"],
  ["m", "M", "Ruler on or off: click two points", "toggleRuler"],
  ["x", "X", "Section in x: half or whole", "toggleSection", "cut_x"],
  ["y", "Y", "Section in y", "toggleSection", "cut_y"],
  ["z", "Z", "Section in z", "toggleSection", "cut_z"],
  [" ", "Space", "Play or pause the spikes", "play"],
  [",", ",", "One step back", "stepTime", -1],
  [".", ".", "One step on", "stepTime", 1],
  ["d", "D", "Devices only, or everything", "toggleDevicesOnly"],
  ["/", "/", "Search", "search"],
  ["l", "L", "Sheet names on or off", "toggleLabels"],
  ["g", "G", "Grid on or off", "toggleGrid"],
  ["t", "T", "Dark or light", "toggleTheme"],
  ["p", "P", "Panel on or off", "togglePanel"],
  ["s", "S", "Save a picture", "screenshot"],
  ["?", "?", "This help", "toggleHelp"],
  ["Escape", "Esc", "Close, deselect", "escape"],
  ["ArrowUp", "↑", null, "step", [1, 0]],
  ["ArrowDown", "↓", null, "step", [-1, 0]],
  ["ArrowLeft", "←", null, "step", [0, -1]],
  ["ArrowRight", "→", null, "step", [0, 1]],
];

const MOUSE = [
  ["Drag", "Turn"],
  ["Right drag, Shift drag", "Move"],
  ["Wheel", "Zoom to the pointer"],
  ["Click", "Select a device or shape"],
  ["Double click", "Zoom to it"],
  ["↑ ↓ ← →", "Neighbour of the selected device"],
];

/** Listens on `root`; keys typed into fields or with a modifier are left alone. */
export function bindKeys(root, actions) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.key !== "Escape") return;
    if (event.target.tagName === "BUTTON" && /^( |Enter)$/.test(event.key)) return; // presses the button
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const found = KEYS.find(([wanted]) => wanted === key);
    if (!found) return;
    const [, , , action, argument] = found;
    if (actions[action](argument) !== false) event.preventDefault();
  });
}

export function makeHelp(close) {
  const line = (keys, text) => element("div", {}, element("kbd", {}, keys), element("span", {}, text));
  const box = element(
    "div",
    { class: "s2c-card", role: "dialog", "aria-modal": "true", "aria-label": "Keys and mouse" },
    element("header", {}, element("h2", {}, "Keys and mouse"), iconButton("close", "Close (Esc)", close)),
    element("div", { class: "s2c-keys" }, ...MOUSE.map(([keys, text]) => line(keys, text)), ...KEYS.filter(([, , text]) => text).map(([, keys, text]) => line(keys, text))),
  );
  const node = element("div", { class: "s2c-help", hidden: true, onclick: (event) => event.target === node && close() }, box);
  return node;
}
