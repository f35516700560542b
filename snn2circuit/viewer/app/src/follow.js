// Keeps the address of the page and what is shown in step.

import { fromHash, toHash } from "./address.js";
import { modesOf } from "./colors.js";
import { deviceName } from "./nets.js";
import { makeRuler } from "./ruler.js";
import { interpret } from "./search.js";

const REST = 300; // ms without a new frame, after which the view goes into the address

/** @param {object} viewer  its parts; `redraw` takes up scales, planes and colours from `state` */
export function followAddress({ stack, state, stage, model, views, theme, actions, redraw }) {
  const read = () => {
    const view = fromHash(window.location.hash, { sliders: state.sliders, layers: stack.layers.length });
    if (view) restore(view);
  };
  const known = ([layer, index]) => index < (stack.layers[layer]?.count ?? 0);
  read();
  window.addEventListener("hashchange", read);
  let resting = 0;
  stage.onFrame(() => {
    clearTimeout(resting);
    resting = setTimeout(() => window.history.replaceState(null, "", toHash(present())), REST);
  });

  function present() {
    const { selection, mode, log, far, step, sliders } = state;
    return {
      mode,
      log,
      far,
      step,
      sliders,
      hidden: model.drawn.flatMap((entry, index) => (entry.visible ? [] : [index])),
      opacity: model.drawn.flatMap((entry, index) => (entry.opacity === entry.usual ? [] : [[index, entry.opacity]])),
      camera: stage.standpoint(),
      isolated: state.isolated,
      ruler: state.ruler && state.ruler.ends.map((end) => ({ ...end, layer: end.layer.index })),
      theme: theme.chosen,
      selected: selection?.name ?? (selection?.layer?.devices ? deviceName(selection.layer, selection.index) : null),
    };
  }

  function restore({ mode, log, far, step, sliders, hidden, opacity, camera, selected, isolated, ruler, theme: wanted }) {
    if (wanted) theme.show(wanted);
    if (modesOf(stack).some(([known]) => known === mode)) Object.assign(state, { mode, log });
    Object.assign(state, { far, sliders });
    model.drawn.forEach((_, index) => model.setVisible(index, !hidden.includes(index)));
    for (const [index, value] of opacity) model.setOpacity(index, value);
    redraw();
    const parts = isolated?.filter((part) => (typeof part === "string" ? stack.nets.includes(part) : known(part)));
    state.before = null;
    actions.showOnly(parts?.length ? parts : null);
    const ends = ruler?.filter(({ layer, index }) => Number.isInteger(layer) && Number.isInteger(index) && index >= 0 && known([layer, index]));
    actions.setRuler(ends ? makeRuler(ends.slice(0, 2).map((end) => ({ ...end, layer: stack.layers[end.layer] }))) : null);
    const found = selected && interpret(stack, selected)[0];
    if (found?.device) actions.select(...found.device);
    else if (found) actions.selectNet(stack.nets[found.net]);
    else actions.deselect();
    if (stack.activity) actions.setStep(step !== null && step >= 0 && step < stack.activity.steps ? step : null);
    views.stand(camera);
  }
}
