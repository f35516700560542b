// The card of what is selected, and the tooltip of what is under the mouse.

import { element, iconButton } from "./dom.js";
import { deviceName, linesOf } from "./nets.js";
import { engineering, grouped, micrometres, millimetres, signed } from "./units.js";

const words = (name) => name.replaceAll("_", " ");

/** Rows of text about one shape: `[label, value, kind]`; kind "net" can be followed. */
export function describe(stack, layer, i) {
  const b = 6 * i;
  const { boxes } = layer;
  const [ox, oy, oz] = stack.origin;
  const middle = [(boxes[b] + boxes[b + 3]) / 2 + ox, (boxes[b + 1] + boxes[b + 4]) / 2 + oy, (boxes[b + 2] + boxes[b + 5]) / 2 + oz];
  const size = [0, 1, 2].map((axis) => micrometres(boxes[b + axis + 3] - boxes[b + axis]));
  const place = [
    ["Sheet", layer.sheet.name.replace(/^sheet /, "")],
    ["x, y, z in mm", middle.map(millimetres).join("  ")],
    ["Size in µm", size.join(" × ")],
  ];
  if (!layer.devices) {
    return [
      ["Layer", words(layer.name)],
      ["Material", layer.material || "—"],
      ["Thickness", layer.thickness > 0 ? engineering(layer.thickness / 1000, "m", 4) : "—"],
      ["Net", stack.nets[layer.nets[i]] ?? "none", layer.nets[i] >= 0 ? "net" : undefined],
      ...place,
    ];
  }
  const { devices } = layer;
  const lines = linesOf(stack, layer, i);
  const conductance = devices.conductance[i];
  const measured = [];
  if (devices.drop) measured.push(["IR drop", `${Number((100 * devices.drop[i]).toPrecision(3))} %`]);
  if (devices.spike) measured.push(["First spike", Number.isNaN(devices.spike[i]) ? "never" : `step ${devices.spike[i] + 1}, ${engineering(devices.spike[i] * stack.activity.step_seconds, "s")}`]);
  return [
    ["Layer", String(devices.layer)],
    ...(stack.devices.some((each) => each.devices.tile > 1) ? [["Row tile", String(devices.tile)]] : []),
    ["Row", lines.word.startsWith("bias") ? `${devices.row[i]} (bias)` : String(devices.row[i])],
    ["Column", String(devices.column[i])],
    ["Polarity", devices.polarity[i] > 0 ? "+ (positive)" : "− (negative)"],
    ["Weight of pair", signed(devices.weight[i])],
    ["Conductance", engineering(conductance, "S", 4)],
    ["Resistance", engineering(1 / conductance, "Ω", 4)],
    ["Level", devices.levels > 0 ? `${devices.level[i]} of 0–${devices.levels - 1}` : String(devices.level[i])],
    ...measured,
    ["Word line", lines.word, "net"],
    ["Bit line", lines.bit, "net"],
    ...place,
  ];
}

export const titleOf = (layer, i) => (layer.devices ? deviceName(layer, i) : words(layer.name));

/** @param {{close: () => void, net: (name: string) => void, partner: () => void, focus: () => void, isolate: () => void}} actions */
export function makePanel(stack, actions) {
  const swatch = element("span", { class: "s2c-swatch" });
  const title = element("h2", { class: "s2c-mono" });
  const rows = element("dl");
  const partner = element("button", { type: "button", class: "s2c-text", onclick: actions.partner }, "Other device of the pair");
  const isolate = element("button", { type: "button", class: "s2c-text", title: "Show only the nets of this (I); B brings everything back", onclick: actions.isolate }, "Isolate");
  const focus = element("button", { type: "button", class: "s2c-text", onclick: actions.focus }, "Zoom to it");
  const node = element(
    "aside",
    { class: "s2c-panel s2c-card", hidden: true, "aria-live": "polite", "aria-label": "Selected" },
    element("header", {}, swatch, title, iconButton("close", "Close (Esc)", actions.close)),
    rows,
    element("footer", {}, focus, isolate, partner),
  );

  function fill(name, color, entries, paired) {
    title.textContent = name;
    swatch.style.background = color;
    rows.replaceChildren(
      ...entries.flatMap(([label, value, kind]) => [
        element("dt", {}, label),
        element("dd", {}, kind === "net" ? element("button", { type: "button", class: "s2c-link s2c-mono", onclick: () => actions.net(value) }, value) : value),
      ]),
    );
    partner.hidden = !paired;
    node.hidden = false;
  }

  return {
    node,
    shape: (layer, i, color) => fill(titleOf(layer, i), color, describe(stack, layer, i), layer.devices !== null),
    net(name, shapes) {
      const layers = [...new Set(shapes.map(([layer]) => `${stack.layers[layer].sheet.name}, ${words(stack.layers[layer].name)}`))];
      fill(name, "var(--s2c-accent)", [["Net", name], ["Shapes", grouped(shapes.length)], ["Found on", layers.join("; ") || "no sheet"]], false);
    },
    hide: () => (node.hidden = true),
    get text() {
      return node.hidden ? null : Object.fromEntries([...rows.querySelectorAll("dt")].map((dt) => [dt.textContent, dt.nextElementSibling.textContent]));
    },
  };
}

/** A small label beside the mouse. */
export function makeTooltip() {
  const name = element("strong", { class: "s2c-mono" });
  const detail = element("span");
  const node = element("div", { class: "s2c-tooltip s2c-card", hidden: true, role: "tooltip" }, name, detail);
  return {
    node,
    show(layer, i, stack, x, y, width) {
      name.textContent = titleOf(layer, i);
      detail.textContent = layer.devices
        ? `weight ${signed(layer.devices.weight[i], 3)} · ${engineering(layer.devices.conductance[i], "S")} · ${engineering(1 / layer.devices.conductance[i], "Ω")}`
        : [stack.nets[layer.nets[i]], layer.material].filter(Boolean).join(" · ");
      node.hidden = false;
      const flip = x > width - 260;
      node.style.transform = `translate(${Math.round(x + (flip ? -14 : 14))}px, ${Math.round(y + 16)}px)${flip ? " translateX(-100%)" : ""}`;
    },
    hide: () => (node.hidden = true),
  };
}
