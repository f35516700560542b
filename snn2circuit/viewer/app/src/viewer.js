// The viewer: one state, the actions that change it, and the parts that show it.

import { Raycaster, Vector2, Vector3 } from "three";
import { litShapes } from "./activity.js";
import { followAddress } from "./follow.js";
import { css, makeScheme, modesOf, needsLog } from "./colors.js";
import { element } from "./dom.js";
import { fileName, offer, placement } from "./download.js";
import { defaultScale } from "./heights.js";
import { bindKeys, makeHelp } from "./keys.js";
import { boxOf, drawStack } from "./layers.js";
import { makeLegend, makeScaleBar } from "./legend.js";
import { findDevice, linesOf, partsOf, shapesOf } from "./nets.js";
import { makeOverlay } from "./overlay.js";
import { makePanel, makeTooltip } from "./panel.js";
import { pick, whole } from "./picking.js";
import { bindPointer } from "./pointer.js";
import { makePlayback } from "./playback.js";
import { endOf, makeRuler } from "./ruler.js";
import { makeScene } from "./scene.js";
import { save } from "./screenshot.js";
import { searchBox } from "./search.js";
import { PLANES, planeAt, sectionBox, WHOLE } from "./section.js";
import { makeSidebar, sidebarButton } from "./sidebar.js";
import { makeTheme } from "./theme.js";
import { toolbar } from "./toolbar.js";
import { roundBelow } from "./units.js";
import { makeViews, VIEWS, worldBox, worldPoint } from "./views.js";

const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Builds the whole viewer of `stack` inside `root`; `data` is the file it was read from. */
export function makeViewer(root, stack, data) {
  const host = element("div", { class: "s2c-stage" });
  root.append(host);
  const alone = document.body.classList.contains("s2c-page");
  const stage = makeScene(host, { shy: !alone, still: still() });
  const model = drawStack(stack);
  stage.scene.add(model.group);

  const base = defaultScale(stack);
  const extent = Math.sqrt((stack.bounds[3] - stack.bounds[0]) * (stack.bounds[4] - stack.bounds[1]));
  const state = {
    mode: "weight",
    log: needsLog(stack),
    sliders: { sheets: stack.sheets.length > 1 ? 0.3 : 0, layers: 0, height: 0.5, ...Object.fromEntries(PLANES.map(([key]) => [key, 1])) },
    scale: base,
    cut: WHOLE,
    whole: stack.bounds,
    before: null,
    isolated: null,
    selection: null,
    far: false,
    step: null,
    ruler: null,
    labels: true,
    grid: true,
    panel: root.clientWidth > 820,
  };

  let scheme = null;

  const actions = {
    setMode(mode) {
      state.mode = mode;
      recolor();
    },
    nextMode() {
      const modes = modesOf(stack);
      const at = modes.findIndex(([mode]) => mode === state.mode);
      actions.setMode(modes[(at + 1) % modes.length][0]);
    },
    setLog(log) {
      state.log = log;
      recolor();
    },
    setSlider(key, value) {
      state.sliders[key] = value;
      if (key.startsWith("cut_")) section();
      else rescale();
    },
    toggleSection: (key) => actions.setSlider(key, state.sliders[key] < 1 ? 1 : 0.5),
    setFar(far) {
      state.far = far;
      section();
    },
    sectionText(axis) {
      const share = state.sliders[PLANES[axis][0]];
      const place = planeAt(stack, state.cut, axis);
      return share >= 1 ? "whole" : place === null ? `${Math.round(100 * share)} %` : `${place.toFixed(2)} mm`;
    },
    setOpacity(index, value) {
      model.setOpacity(index, value);
      refresh();
    },
    setStep(step) {
      state.step = step;
      model.setLit(step === null ? null : litShapes(stack, step));
      refresh();
    },
    stepTime(by) {
      if (!stack.activity) return false;
      const { steps } = stack.activity;
      actions.setStep(state.step === null ? 0 : (state.step + by + steps) % steps);
      return true;
    },
    play: () => (playback ? (playback.toggle(), true) : false),
    isolate() {
      const { selection } = state;
      if (!selection) return;
      const { layer, index } = selection;
      const nets = layer?.devices ? Object.values(linesOf(stack, layer, index)) : [selection.name ?? stack.nets[layer.nets[index]]];
      state.before ??= stage.standpoint();
      actions.showOnly([...nets.filter(Boolean), ...(layer ? [[layer.index, index]] : [])]);
      actions.home();
    },
    /** Draws only what hangs on some nets, and some shapes, [layer index, number]; everything if null. */
    showOnly(parts) {
      state.isolated = parts;
      const kept = parts && partsOf(stack, new Set(parts.filter((part) => typeof part === "string")));
      for (const part of parts ?? []) if (Array.isArray(part)) kept.get(part[0]).add(part[1]);
      model.isolate(kept);
      refresh();
    },
    back() {
      if (!state.isolated) return false;
      actions.showOnly(null);
      if (state.before) views.stand(state.before);
      else actions.home();
      state.before = null;
      return true;
    },
    toggleRuler: () => actions.setRuler(state.ruler ? null : makeRuler()),
    setRuler(ruler) {
      state.ruler = ruler;
      root.classList.toggle("s2c-measuring", ruler !== null);
      measure();
    },
    saveGlb: () => offer(new Blob([data], { type: "model/gltf-binary" }), fileName(stack.name, ".glb")),
    savePlacement: () => offer(new Blob([placement(stack)], { type: "text/csv" }), fileName(stack.name, "-placement.csv")),
    toggleExplode() {
      const open = state.sliders.layers > 0;
      Object.assign(state.sliders, { sheets: open ? 0.3 : 0.55, layers: open ? 0 : 0.5 });
      rescale();
      actions.fit();
    },
    /** Shows `shown` among the layers `among` (all if null) and hides the others of them. */
    setVisible(among, shown) {
      for (const index of among ?? stack.layers.keys()) model.setVisible(index, shown.includes(index));
      refresh();
    },
    toggleDevicesOnly() {
      const wanted = stack.layers.filter((layer) => layer.role === "device").map((layer) => layer.index);
      const only = model.drawn.every((entry) => entry.visible === wanted.includes(entry.layer.index));
      actions.setVisible(null, only ? [...stack.layers.keys()] : wanted);
    },
    home: () => views.fit(worldBox(model.bounds()), VIEWS.iso),
    view: (name) => views.fit(worldBox(model.bounds()), VIEWS[name]),
    fit: () => (state.selection ? actions.focus() : views.fit(worldBox(model.bounds()))),
    focus() {
      const { selection } = state;
      if (!selection) return;
      const boxes = selection.layer ? [boxOf(model.drawn[selection.layer.index], selection.index)] : boxesOf(selection.shapes);
      if (boxes.length === 0) return;
      const box = boxes.map(worldBox).reduce((all, each) => all.union(each));
      views.fit(box, null, selection.layer?.devices ? 14 : 1.6);
    },
    select(layer, index) {
      state.selection = { layer, index };
      showSelection();
    },
    selectNet(name) {
      const net = stack.nets.indexOf(name);
      if (net < 0) return;
      state.selection = { net, name, shapes: shapesOf(stack, net) };
      showSelection();
    },
    deselect() {
      state.selection = null;
      showSelection();
    },
    partner() {
      const { layer, index } = state.selection;
      const { row, column, polarity } = layer.devices;
      actions.select(layer, findDevice(layer, row[index], column[index], -polarity[index]));
    },
    step([up, along]) {
      const { layer, index } = state.selection ?? {};
      if (!layer?.devices) return false;
      const { row, column, polarity } = layer.devices;
      const next = findDevice(layer, row[index] + up, column[index] + along, polarity[index]);
      if (next >= 0) actions.select(layer, next);
      return true;
    },
    find(result) {
      if (result.device) actions.select(...result.device);
      else actions.selectNet(stack.nets[result.net]);
      actions.focus();
    },
    search() {
      if (!state.panel) actions.togglePanel();
      search.focus();
    },
    toggleTheme: () => theme.toggle(),
    togglePanel() {
      state.panel = !state.panel;
      refresh();
    },
    toggleLabels() {
      state.labels = !state.labels;
      refresh();
    },
    toggleGrid() {
      state.grid = !state.grid;
      stage.ground.mesh.visible = state.grid;
      stage.invalidate();
    },
    toggleHelp() {
      help.hidden = !help.hidden;
    },
    escape() {
      if (!help.hidden) help.hidden = true;
      else if (state.ruler) actions.toggleRuler();
      else if (state.selection) actions.deselect();
      else return false;
      return true;
    },
    screenshot() {
      save(root, stage, `${stack.name} · ${scaleBar.node.textContent}`, stack.name);
    },
    fullscreen() {
      if (document.fullscreenElement) document.exitFullscreen();
      else root.requestFullscreen();
    },
  };

  const overlay = makeOverlay(host, stage, stack);
  const legend = makeLegend();
  const scaleBar = makeScaleBar(stage);
  const tooltip = makeTooltip();
  const search = searchBox(stack, actions.find);
  const playback = makePlayback(stack, state, actions);
  const sidebar = makeSidebar(stack, state, actions, search.node, playback);
  const opener = sidebarButton(actions);
  const panel = makePanel(stack, { close: actions.deselect, net: actions.selectNet, partner: actions.partner, focus: actions.focus, isolate: actions.isolate });
  const help = makeHelp(actions.toggleHelp);
  const tools = toolbar(actions);
  root.append(sidebar.node, opener, tools, legend.node, scaleBar.node, panel.node, tooltip.node, help);

  const inset = () => ({ left: state.panel ? sidebar.node.offsetWidth + 24 : 0, top: 62, bottom: 88, width: host.clientWidth, height: host.clientHeight });
  const views = makeViews(stage, { inset, still });
  const theme = makeTheme(root, (dark) => {
    stage.ground.setTheme(dark);
    if (scheme) recolor();
    stage.invalidate();
  });

  function clicked(hit) {
    if (state.ruler) {
      if (!hit) return;
      state.ruler.add(endOf(hit, model.drawn[hit.layer.index].heights));
      measure();
    } else if (hit) actions.select(hit.layer, hit.index);
    else actions.deselect();
  }

  function hovered(hit, x, y) {
    overlay.hover(hit ? boxOf(model.drawn[hit.layer.index], hit.index) : null);
    if (hit) tooltip.show(hit.layer, hit.index, stack, x, y, host.clientWidth);
    else tooltip.hide();
  }

  function measure() {
    const { ruler } = state;
    overlay.measure(ruler ? ruler.drawn((layer) => model.drawn[layer.index].heights) : [], ruler ? ruler.text : "");
    stage.invalidate();
  }

  function recolor() {
    scheme = makeScheme(stack, state.mode, { dark: theme.dark(), log: state.log });
    model.setColors(scheme);
    model.setTheme(theme.dark(), state.mode);
    legend.show(scheme.legend);
    showSelection();
    refresh();
  }

  function rescale() {
    const { sheets, layers, height } = state.sliders;
    const stretch = (factor) => Math.max(1, tidy(factor * 10 ** (2 * (height - 0.5))));
    state.scale = {
      film: height === 0 ? 1 : height === 0.5 ? base.film : stretch(base.film),
      bulk: height === 0 ? 1 : height === 0.5 ? base.bulk : stretch(base.bulk),
      sheets: 1.6 * extent * sheets ** 1.5,
      layers: 0.16 * extent * layers ** 1.5,
    };
    model.setScale(state.scale);
    scaleBar.setFactors(state.scale);
    state.whole = model.whole();
    section();
    const bounds = model.bounds();
    stage.setReach(Math.hypot(bounds[3] - bounds[0], bounds[4] - bounds[1], bounds[5] - bounds[2]) / 2);
    stage.ground.setHeight(bounds[2] - 0.01 * extent);
    measure();
    showSelection();
    refresh();
  }

  function section() {
    state.cut = sectionBox(state.whole, state.sliders, state.far);
    model.setCut(state.cut);
    refresh();
  }

  function refresh() {
    sidebar.node.hidden = !state.panel;
    opener.hidden = state.panel;
    root.classList.toggle("s2c-with-panel", state.panel);
    const { left, top, bottom } = inset();
    stage.setShift(left / 2, (top - bottom) / 2);
    sidebar.sync(model.drawn);
    overlay.name(
      stack.sheets.map((sheet) => {
        const foil = sheet.layers.find((layer) => layer.role === "substrate") ?? sheet.layers[0];
        const visible = state.labels && sheet.layers.some((layer) => model.shows(layer.index));
        const size = sheet.devices ? ` · layer ${sheet.devices.devices.layer}` : "";
        return { box: visible ? boxOf(model.drawn[foil.index], 0) : null, text: `${sheet.name}${size}` };
      }),
      left,
    );
    stage.invalidate();
  }

  const boxesOf = (shapes) => shapes.filter(([layer]) => model.drawn[layer].visible).map(([layer, i]) => boxOf(model.drawn[layer], i));

  function showSelection() {
    const { selection } = state;
    if (!selection) {
      overlay.select(null, []);
      panel.hide();
    } else if (selection.layer) {
      const { layer, index } = selection;
      const lines = layer.devices ? Object.values(linesOf(stack, layer, index)).map((name) => stack.nets.indexOf(name)) : [layer.nets[index]];
      overlay.select(boxOf(model.drawn[layer.index], index), boxesOf(lines.flatMap((net) => shapesOf(stack, net))));
      panel.shape(layer, index, layer.devices ? css(scheme.color(layer, index)) : layer.color);
    } else {
      overlay.select(null, boxesOf(selection.shapes));
      panel.net(selection.name, selection.shapes);
    }
  }

  const caster = new Raycaster();
  const toDrawn = ({ x, y, z }) => [x, -z, y];

  /** What lies at a point of the stage in CSS pixels. */
  function pickAt(x, y) {
    stage.camera.updateMatrixWorld();
    caster.setFromCamera(new Vector2((2 * x) / host.clientWidth - 1, 1 - (2 * y) / host.clientHeight), stage.camera);
    const { origin, direction } = caster.ray;
    return whole(pick(toDrawn(origin), toDrawn(direction), model.drawn.filter((entry) => entry.visible), state.cut));
  }

  bindPointer(stage.canvas, { pickAt, clicked, hovered, focus: actions.focus });
  bindKeys(alone ? document : root, actions);
  stage.onFrame(() => {
    const { camera, controls } = stage;
    model.setSide(camera.position.y > controls.target.y);
    model.setDetail(stage.pixelsPerMm(), Math.abs(Math.cos(controls.getPolarAngle())) > 0.35);
  });
  rescale();
  recolor();
  stage.camera.position.set(1, 1, 1);
  views.fit(worldBox(model.bounds()), VIEWS.iso, 1.06, true);
  if (alone) followAddress({ stack, state, stage, model, views, theme, actions, redraw: () => (rescale(), recolor()) });

  return { root, stack, state, stage, model, actions, panel, pickAt, projectShape };

  /** CSS pixels of the middle of a shape's upper face, relative to the stage. */
  function projectShape(layer, index) {
    const [x0, y0, , x1, y1, z1] = boxOf(model.drawn[layer.index], index);
    return stage.project(worldPoint([(x0 + x1) / 2, (y0 + y1) / 2, z1]));
  }
}

const tidy = (value) => {
  const unit = roundBelow(value) / 10;
  return Number((Math.round(value / unit) * unit).toPrecision(3));
};
