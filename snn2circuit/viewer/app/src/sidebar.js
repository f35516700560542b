// The panel on the left: what the stack is, colours, sliders, the tree of layers, assumptions.

import { element, icon, iconButton } from "./dom.js";
import { MODES } from "./colors.js";
import { grouped } from "./units.js";

const words = (name) => name.replaceAll("_", " ");

export function makeSidebar(stack, state, actions, search) {
  const devices = stack.sheets.reduce((sum, sheet) => sum + (sheet.devices?.count ?? 0), 0);
  const node = element(
    "nav",
    { class: "s2c-sidebar s2c-card", "aria-label": "Stack" },
    element(
      "header",
      {},
      element("h1", {}, stack.name),
      element("p", {}, stack.technology || stack.process),
      element("p", { class: "s2c-facts" }, `${grouped(devices)} devices · ${stack.sheets.length} ${stack.sheets.length === 1 ? "sheet" : "sheets"} · ${grouped(stack.nets.length)} nets`),
      iconButton("panel", "Hide this panel (P)", actions.togglePanel),
    ),
    search,
  );
  const modes = modeSwitch(state, actions);
  const sliders = sliderGroup(actions);
  const tree = layerTree(stack, actions);
  node.append(section("Colour devices by", modes.node), section("Spread and height", sliders.node), section("Layers", tree.node));
  if (stack.assumptions.length > 0) node.append(assumptions(stack.assumptions));
  return { node, sync: (drawn) => (modes.sync(), sliders.sync(), tree.sync(drawn)) };

  function sliderGroup() {
    const rows = [
      slider("Sheets apart", "sheets", { min: 0, max: 1, step: 0.01 }, (value) => `${Math.round(100 * value)} %`),
      slider("Layers apart", "layers", { min: 0, max: 1, step: 0.01 }, (value) => `${Math.round(100 * value)} %`),
      slider("Height", "height", { min: 0, max: 1, step: 0.01 }, () => `× ${state.scale.film}`),
    ];
    return { node: element("div", { class: "s2c-sliders" }, ...rows.map((row) => row.node)), sync: () => rows.forEach((row) => row.sync()) };
  }

  function slider(label, key, range, say) {
    const output = element("output");
    const input = element("input", { type: "range", ...range, name: key, "aria-label": label, oninput: () => actions.setSlider(key, Number(input.value)) });
    return {
      node: element("label", {}, element("span", {}, label), output, input),
      sync() {
        input.value = state.sliders[key];
        input.style.setProperty("--s2c-fill", `${100 * state.sliders[key]}%`);
        output.textContent = say(state.sliders[key]);
      },
    };
  }
}

function section(title, ...content) {
  return element("section", {}, element("h2", {}, title), ...content);
}

function modeSwitch(state, actions) {
  const buttons = MODES.map(([mode, label]) => element("button", { type: "button", "data-mode": mode, onclick: () => actions.setMode(mode) }, label));
  const log = element("input", { type: "checkbox", name: "log", onchange: () => actions.setLog(log.checked) });
  const row = element("label", { class: "s2c-check" }, log, "Logarithmic ramp");
  return {
    node: element("div", {}, element("div", { class: "s2c-segments", role: "group" }, ...buttons), row),
    sync() {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.mode === state.mode));
      row.hidden = state.mode !== "conductance";
      log.checked = state.log;
    },
  };
}

function layerTree(stack, actions) {
  const boxes = [];
  const sheets = [...stack.sheets].reverse().map((sheet) => {
    const own = [...sheet.layers].reverse();
    const all = toggle(sheet.name, own.map((layer) => layer.index), actions);
    boxes.push(all);
    const rows = own.map((layer) => {
      const box = toggle(`${sheet.name} ${layer.name}`, [layer.index], actions);
      boxes.push(box);
      const only = element("button", { type: "button", class: "s2c-only", title: "Show only this layer", onclick: () => actions.setVisible(null, [layer.index]) }, "only");
      const swatch = element("i", { class: `s2c-dot${layer.devices ? " s2c-rainbow" : ""}` });
      if (!layer.devices) swatch.style.background = layer.color;
      return element("li", {}, element("label", {}, box.input, swatch, element("span", {}, words(layer.name))), only, element("small", {}, grouped(layer.count)));
    });
    const note = sheet.devices ? `layer ${sheet.devices.devices.layer}` : "";
    return element("details", { open: stack.sheets.length <= 3 }, element("summary", {}, all.input, element("span", {}, sheet.name), element("small", {}, note)), element("ul", {}, ...rows));
  });
  const every = stack.layers.map((layer) => layer.index);
  const devices = stack.layers.filter((layer) => layer.devices).map((layer) => layer.index);
  const quick = (label, wanted) => element("button", { type: "button", class: "s2c-text", onclick: () => actions.setVisible(null, wanted) }, label);
  return {
    node: element("div", { class: "s2c-tree" }, element("div", { class: "s2c-quick" }, quick("All", every), quick("Devices only", devices), quick("None", [])), ...sheets),
    sync: (drawn) => boxes.forEach((box) => box.sync(drawn)),
  };
}

function toggle(label, indices, actions) {
  const input = element("input", { type: "checkbox", "aria-label": `Show ${words(label)}`, onchange: () => actions.setVisible(indices, input.checked ? indices : []) });
  return {
    input,
    sync(drawn) {
      const shown = indices.filter((index) => drawn[index].visible).length;
      input.checked = shown === indices.length;
      input.indeterminate = shown > 0 && shown < indices.length;
    },
  };
}

function assumptions(texts) {
  return element(
    "section",
    {},
    element("details", { class: "s2c-assumed" }, element("summary", {}, `${texts.length} ${texts.length === 1 ? "assumption" : "assumptions"}`), element("p", {}, "No source gives these numbers:"), element("ul", {}, ...texts.map((text) => element("li", {}, text)))),
  );
}

/** The button that brings a hidden sidebar back. */
export const sidebarButton = (actions) => element("button", { type: "button", class: "s2c-tool s2c-card s2c-open", title: "Show the panel (P)", "aria-label": "Show the panel", onclick: actions.togglePanel }, icon("panel"));
