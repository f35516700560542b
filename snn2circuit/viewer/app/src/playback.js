// Spikes of the first simulated sample, step by step along the stack: a time slider and a play button.

import { spikesIn } from "./activity.js";
import { element } from "./dom.js";
import { engineering } from "./units.js";

const PACE = 500; // ms a step is shown

/** @param {{step: number|null}} state  `step` null shows no spikes */
export function makePlayback({ activity }, state, actions) {
  if (!activity) return null;
  let timer = 0;
  const play = element("button", { type: "button", class: "s2c-text", title: "Play or pause the spikes (Space)", onclick: () => toggle() }, "Play");
  const off = element("button", { type: "button", class: "s2c-text", title: "Show no spikes", onclick: () => (pause(), actions.setStep(null)) }, "Off");
  const output = element("output");
  const input = element("input", { type: "range", name: "step", min: 0, max: activity.steps - 1, step: 1, "aria-label": "Time step", oninput: () => (pause(), actions.setStep(Number(input.value))) });
  const said = element("p", { class: "s2c-note s2c-spikes", "aria-live": "polite" });

  function pause() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }

  function toggle() {
    if (timer) return pause();
    play.textContent = "Pause";
    const forward = () => actions.setStep(state.step === null ? 0 : (state.step + 1) % activity.steps);
    forward();
    timer = setInterval(forward, PACE);
  }

  return {
    toggle,
    node: element("div", { class: "s2c-sliders" }, element("div", { class: "s2c-quick" }, play, off), element("label", {}, element("span", {}, "Time"), output, input), said),
    sync() {
      const { step } = state;
      input.value = step ?? 0;
      input.style.setProperty("--s2c-fill", `${(100 * (step ?? 0)) / Math.max(1, activity.steps - 1)}%`);
      output.textContent = step === null ? "off" : engineering(step * activity.step_seconds, "s");
      said.textContent = step === null ? `sample ${activity.sample}, ${activity.steps} steps of ${engineering(activity.step_seconds, "s")}` : `step ${step + 1} of ${activity.steps} · spikes in ${spikesIn(activity, step)}`;
    },
  };
}
