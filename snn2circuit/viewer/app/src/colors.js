// Colours of the devices, and the legend that explains them.

import { Color } from "three";
import { engineering, signed } from "./units.js";

export const MODES = [
  ["weight", "Weight"],
  ["conductance", "Conductance"],
  ["level", "Level"],
  ["material", "Material"],
  ["drop", "IR drop"],
  ["spike", "Spike time"],
];

/** The modes this stack has data for: drops and spikes come with a simulated run. */
export const modesOf = (stack) => MODES.filter(([mode]) => !["drop", "spike"].includes(mode) || stack.devices.some((layer) => layer.devices[mode]));

const SILENT = [0.21, 0.22, 0.25]; // linear, of devices whose neuron never spikes

/** OKLCH (Björn Ottosson's OKLab in polar form) to linear sRGB, clipped to the gamut. */
function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clip = (value) => Math.min(1, Math.max(0, value));
  return [
    clip(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    clip(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    clip(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

const mix = (a, b, t) => a + (b - a) * t;

/** Green above zero, red below, neutral at zero; lightness moves away from the page with the magnitude. */
export function diverging(t, dark) {
  const amount = Math.min(1, Math.abs(t)) ** 0.55;
  const neutral = dark ? 0.42 : 0.9;
  const full = dark ? (t > 0 ? 0.84 : 0.66) : t > 0 ? 0.58 : 0.55;
  return oklch(mix(neutral, full, amount), mix(0.004, t > 0 ? 0.2 : 0.225, amount), t > 0 ? 148 : 27);
}

/** Indigo through teal to yellow with lightness linear in `t`, hence perceptually uniform. */
export function ramp(t) {
  const clipped = Math.min(1, Math.max(0, t));
  return oklch(mix(0.3, 0.92, clipped), 0.11 + 0.06 * Math.sin(Math.PI * clipped), mix(300, 100, clipped));
}

export const css = ([r, g, b]) => `#${new Color(r, g, b).getHexString()}`;

/**
 * What a mode shows over the whole stack.
 *
 * @param {string} mode one of MODES
 * @param {boolean} log  conductance on a logarithmic ramp
 * @returns {{color: (layer, i) => number[], legend: object}}
 */
export function makeScheme(stack, mode, { dark, log }) {
  const groups = stack.devices;
  const range = extent(groups, mode);
  if (mode === "weight") {
    const most = Math.max(Math.abs(range[0]), Math.abs(range[1])) || 1;
    return {
      color: (layer, i) => diverging(layer.devices.weight[i] / most, dark),
      legend: {
        title: "Weight of the pair",
        stops: sample((t) => diverging(2 * t - 1, dark)),
        ticks: [signed(-most, 3), "0", signed(most, 3)],
      },
    };
  }
  if (mode === "conductance") {
    const [low, high] = range;
    const place = log
      ? (value) => Math.log(value / low) / Math.log(high / low || Math.E)
      : (value) => (value - low) / (high - low || 1);
    const middle = log ? Math.sqrt(low * high) : (low + high) / 2;
    return {
      color: (layer, i) => ramp(place(layer.devices.conductance[i])),
      legend: {
        title: `Conductance${log ? ", logarithmic" : ""}`,
        stops: sample(ramp),
        ticks: [low, middle, high].map((value) => engineering(value, "S")),
      },
    };
  }
  if (mode === "level") {
    const last = Math.max(1, ...groups.map((group) => group.devices.levels - 1), range[1]);
    return {
      color: (layer, i) => ramp(layer.devices.level[i] / last),
      legend: {
        title: `Level, of ${last + 1}`,
        stops: last < 33 ? Array.from({ length: last + 1 }, (_, i) => css(ramp(i / last))) : sample(ramp),
        stepped: last < 33,
        ticks: ["0", String(last)],
      },
    };
  }
  if (mode === "drop") {
    const most = range[1] || 0.001;
    return {
      color: (layer, i) => ramp((layer.devices.drop?.[i] ?? 0) / most),
      legend: { title: "Read voltage lost on the lines, all rows driven", stops: sample(ramp), ticks: ["0 %", `${signed(50 * most, 3).replace("+", "")} %`, `${signed(100 * most, 3).replace("+", "")} %`] },
    };
  }
  if (mode === "spike") {
    const { steps, step_seconds: seconds } = stack.activity;
    return {
      color: (layer, i) => (Number.isNaN(layer.devices.spike?.[i] ?? NaN) ? SILENT : ramp(layer.devices.spike[i] / Math.max(1, steps - 1))),
      legend: { title: "First spike of the neuron (grey: never)", stops: sample(ramp), ticks: ["0 s", engineering((steps - 1) * seconds, "s")] },
    };
  }
  const seen = new Map();
  for (const layer of stack.layers) {
    const key = `${layer.material || layer.name}|${layer.color}`;
    if (!seen.has(key)) seen.set(key, [layer.color, layer.material || layer.name.replaceAll("_", " ")]);
  }
  return {
    color: (layer) => new Color(layer.color).toArray(),
    legend: { title: "Material", swatches: [...seen.values()] },
  };
}

/** Conductances that spread over more than two decades are unreadable on a linear ramp. */
export function needsLog(stack) {
  const [low, high] = extent(stack.devices, "conductance");
  return low > 0 && high / low > 100;
}

function extent(groups, mode) {
  if (mode === "material") return [0, 0];
  let low = Infinity;
  let high = -Infinity;
  for (const { devices } of groups) {
    for (const value of devices[mode] ?? []) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low > high ? [0, 1] : [low, high];
}

const sample = (color) => Array.from({ length: 17 }, (_, i) => css(color(i / 16)));
