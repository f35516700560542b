// The panel on the left: what the stack is, colours, sliders, the tree of layers, assumptions.

import { element, icon, iconButton } from "./dom.js";
import { modesOf } from "./colors.js";
import { PLANES } from "./section.js";
import { grouped } from "./units.js";

const words = (name) => name.replaceAll("_", " ");

export function makeSidebar(stack, state, actions, search, playback) {
  const devices = stack.devices.reduce((sum, layer) => sum + layer.count, 0);
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
  const modes = modeSwitch(stack, state, actions);
  const sliders = sliderGroup(actions);
  const tree = layerTree(stack, actions);
  const planes = sectionGroup();
  node.append(section("Colour devices by", modes.node), section("Spread and height", sliders.node), section("Layers", tree.node), section("Section planes", planes.node));
  if (playback) node.append(section("Spikes", playback.node));
  node.append(section("Tools and files", tools(actions)));
  if (stack.assumptions.length > 0) node.append(assumptions(stack.assumptions));
  return { node, sync: (drawn) => (modes.sync(), sliders.sync(), tree.sync(drawn), planes.sync(), playback?.sync()) };

  function sliderGroup() {
    const rows = [
      slider("Sheets apart", "sheets", { min: 0, max: 1, step: 0.01 }, (value) => `${Math.round(100 * value)} %`),
      slider("Layers apart", "layers", { min: 0, max: 1, step: 0.01 }, (value) => `${Math.round(100 * value)} %`),
      slider("Height (z)", "height", { min: 0, max: 1, step: 0.01 }, () => `× ${state.scale.film}`),
    ];
    return { node: element("div", { class: "s2c-sliders" }, ...rows.map((row) => row.node)), sync: () => rows.forEach((row) => row.sync()) };
  }

  function sectionGroup() {
    const rows = PLANES.map(([key, label], axis) => slider(label, key, { min: 0, max: 1, step: 0.005 }, () => actions.sectionText(axis)));
    const far = element("input", { type: "checkbox", name: "far", onchange: () => actions.setFar(far.checked) });
    return {
      node: element("div", {}, element("div", { class: "s2c-sliders" }, ...rows.map((row) => row.node)), element("label", { class: "s2c-check" }, far, "Keep the other side")),
      sync() {
        rows.forEach((row) => row.sync());
        far.checked = state.far;
      },
    };
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

function modeSwitch(stack, state, actions) {
  const buttons = modesOf(stack).map(([mode, label]) => element("button", { type: "button", "data-mode": mode, onclick: () => actions.setMode(mode) }, label));
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
      const opacity = veil(`${sheet.name} ${layer.name}`, layer.index, actions);
      boxes.push(opacity);
      return element("li", {}, element("label", {}, box.input, swatch, element("span", {}, words(layer.name))), opacity.input, only, element("small", {}, grouped(layer.count)));
    });
    const note = sheet.devices ? `layer ${sheet.devices.devices.layer}` : "";
    return element("details", { open: stack.sheets.length <= 3 }, element("summary", {}, all.input, element("span", {}, sheet.name), element("small", {}, note)), element("ul", {}, ...rows));
  });
  const every = stack.layers.map((layer) => layer.index);
  const devices = stack.layers.filter((layer) => layer.role === "device").map((layer) => layer.index);
  const quick = (label, wanted) => element("button", { type: "button", class: "s2c-text", onclick: () => actions.setVisible(null, wanted) }, label);
  return {
    node: element("div", { class: "s2c-tree" }, element("div", { class: "s2c-quick" }, quick("All", every), quick("Devices only", devices), quick("None", [])), ...sheets),
    sync: (drawn) => boxes.forEach((box) => box.sync(drawn)),
  };
}

function veil(label, index, actions) {
  const input = element("input", { type: "range", class: "s2c-opacity", min: 0, max: 1, step: 0.01, title: "Opacity", "aria-label": `Opacity of ${words(label)}`, oninput: () => actions.setOpacity(index, Number(input.value)) });
  return { input, sync: (drawn) => (input.value = drawn[index].opacity) };
}

function tools(actions) {
  const tool = (label, title, onclick) => element("button", { type: "button", class: "s2c-text", title, onclick }, label);
  return element(
    "div",
    { class: "s2c-quick s2c-files" },
    tool("Ruler", "Measure between two clicks (M)", actions.toggleRuler),
    tool("Isolate", "Show only the nets of the selection (I)", actions.isolate),
    tool("Show all", "Undo the isolation (B)", actions.back),
    tool("stack.glb", "Save the stack as GLB", actions.saveGlb),
    tool("placement.csv", "Save the table of devices", actions.savePlacement),
    tool("Picture", "Save a picture as PNG (S)", actions.screenshot),
  );
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
