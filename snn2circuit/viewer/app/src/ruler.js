// The ruler: two clicks on shapes give the distance between the points, in true lengths whatever heights are drawn.

import { signed } from "./units.js";

const length = (mm) => (Math.abs(mm) >= 1 ? `${Number(mm.toPrecision(5))} mm` : `${Number((mm * 1000).toPrecision(4))} µm`);

/** Where a hit lies on its shape: layer, number, x and y, and the share of the shape's height below it. */
export function endOf({ layer, index, point: [x, y, z] }, heights) {
  const [bottom, top] = [heights[2 * index], heights[2 * index + 1]];
  return { layer, index, x, y, share: Math.min(1, Math.max(0, (z - bottom) / (top - bottom || 1))) };
}

const between = (low, high, share) => low + share * (high - low);

/** In true millimetres: a shape's drawn height maps linearly onto its real one. */
const real = ({ layer: { boxes }, index, x, y, share }) => [x, y, between(boxes[6 * index + 2], boxes[6 * index + 5], share)];

/** A measurement: first point, then second, then a new first. */
export function makeRuler(ends = []) {
  return {
    add(end) {
      ends = ends.length === 2 ? [end] : [...ends, end];
    },
    get ends() {
      return ends;
    },
    /** The ends in drawn coordinates; `heightsOf` gives those of a layer as they are drawn now. */
    drawn: (heightsOf) =>
      ends.map(({ layer, index, x, y, share }) => {
        const heights = heightsOf(layer);
        return [x, y, between(heights[2 * index], heights[2 * index + 1], share)];
      }),
    /** In words, empty with fewer than two points. */
    get text() {
      if (ends.length < 2) return "";
      const [from, to] = ends.map(real);
      const d = to.map((value, axis) => value - from[axis]);
      const parts = d.map((value, axis) => `Δ${"xyz"[axis]} ${signed(Math.round(value * 1e6) / 1000 || 0, 5)} µm`);
      return `${length(Math.hypot(...d))}   (${parts.join(", ")})`;
    },
  };
}
