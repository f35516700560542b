// The ruler: two clicks on shapes give the distance between the points, in true lengths whatever heights are drawn.

import { signed } from "./units.js";

const length = (mm) => (Math.abs(mm) >= 1 ? `${Number(mm.toPrecision(5))} mm` : `${Number((mm * 1000).toPrecision(4))} µm`);

/** The point of a hit in true millimetres: a shape's drawn height maps linearly onto its real one. */
export function truePoint({ layer, index, point }, heights) {
  const [bottom, top] = [heights[2 * index], heights[2 * index + 1]];
  const { boxes } = layer;
  const share = Math.min(1, Math.max(0, (point[2] - bottom) / (top - bottom || 1)));
  return [point[0], point[1], boxes[6 * index + 2] + share * (boxes[6 * index + 5] - boxes[6 * index + 2])];
}

/** A measurement: first point, then second, then a new first. */
export function makeRuler() {
  let ends = [];
  return {
    /** @param {{drawn: number[], real: number[]}} end  in drawn and in true millimetres */
    add(end) {
      ends = ends.length === 2 ? [end] : [...ends, end];
    },
    clear() {
      ends = [];
    },
    get drawn() {
      return ends.map((end) => end.drawn);
    },
    /** In words, empty with fewer than two points. */
    get text() {
      if (ends.length < 2) return "";
      const d = [0, 1, 2].map((axis) => ends[1].real[axis] - ends[0].real[axis]);
      const parts = d.map((value, axis) => `Δ${"xyz"[axis]} ${signed(value * 1000, 5)} µm`);
      return `${length(Math.hypot(...d))}   (${parts.join(", ")})`;
    },
  };
}
