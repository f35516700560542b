// Where things are drawn along z. A printed stack is a thousand times wider than thick, so heights are exaggerated by a
// factor that is always shown; bulk (substrates, neuron cells, empty space) gets a smaller factor of its own, or it
// would bury the printed films. On top of that come the gaps of the exploded view.

import { roundBelow } from "./units.js";

const TOUCH = 1e-6; // mm; boxes this close stand on one another
const BULK = new Set(["substrate", "cell"]);

/**
 * @typedef {{film: number, bulk: number, sheets: number, layers: number}} Scale
 *   factors of films and bulk, and the gaps between sheets and between the layers of a sheet in mm
 */

/** Factors that make this stack readable: films about as tall as half a device is wide, a substrate 2 % of the width. */
export function defaultScale(stack) {
  const width = Math.max(stack.bounds[3] - stack.bounds[0], stack.bounds[4] - stack.bounds[1]);
  const films = stack.layers.filter((layer) => !BULK.has(layer.role) && layer.role !== "via");
  const device = stack.layers.find((layer) => layer.devices);
  const side = device ? Math.min(device.boxes[3] - device.boxes[0], device.boxes[4] - device.boxes[1]) : width / 50;
  const thickness = zones(stack).filter((zone) => zone.film && zone.sheet === stack.sheets[0]);
  const total = thickness.reduce((sum, zone) => sum + zone.z1 - zone.z0, 0) || width / 1000;
  const factor = Math.min((0.6 * side * Math.max(films.length / stack.sheets.length, 1)) / total, (0.05 * width) / total);
  const bulk = zones(stack).filter((zone) => !zone.film);
  const tallest = bulk.reduce((most, zone) => Math.max(most, zone.z1 - zone.z0), 0) || width / 1000;
  const film = Math.max(1, roundBelow(factor));
  return { film, bulk: Math.max(1, Math.min(film, roundBelow((0.02 * width) / tallest))), sheets: 0, layers: 0 };
}

/** Slices of z between any two neighbouring faces of layers: `film` if a printed film lies in it. */
function zones(stack) {
  const spans = stack.layers.filter((layer) => layer.role !== "via").map(spanOf);
  const faces = [...new Set(spans.flatMap(({ z0, z1 }) => [z0, z1]))].sort((a, b) => a - b);
  const merged = faces.filter((face, i) => i === 0 || face - faces[i - 1] > TOUCH);
  return merged.slice(1).map((z1, i) => {
    const middle = (merged[i] + z1) / 2;
    const inside = spans.filter((span) => span.z0 < middle && middle < span.z1);
    const film = inside.find((span) => !BULK.has(span.layer.role));
    return { z0: merged[i], z1, film: film !== undefined, sheet: (film ?? inside[0])?.layer.sheet };
  });
}

/** Smallest interval of z that holds all shapes of a layer. */
function spanOf(layer) {
  let z0 = Infinity;
  let z1 = -Infinity;
  for (let i = 2; i < layer.boxes.length; i += 6) {
    if (layer.boxes[i] < z0) z0 = layer.boxes[i];
    if (layer.boxes[i + 3] > z1) z1 = layer.boxes[i + 3];
  }
  return { layer, z0, z1 };
}

/** Drawn heights for a stack: `heights(scale)` gives, per layer, (count, 2) drawn z of bottom and top, in mm. */
export function makeHeights(stack) {
  const slices = zones(stack);
  const rigid = stack.layers.filter((layer) => layer.role !== "via").map(spanOf);

  return (scale) => {
    const faces = [slices[0]?.z0 ?? 0];
    const drawn = [0];
    for (const { z1, z0, film } of slices) {
      faces.push(z1);
      drawn.push(drawn.at(-1) + (z1 - z0) * (film ? scale.film : scale.bulk));
    }
    const squeeze = (z) => {
      let i = 1;
      while (i < faces.length - 1 && z > faces[i]) i++;
      if (faces.length < 2) return z * scale.film;
      return drawn[i - 1] + ((z - faces[i - 1]) * (drawn[i] - drawn[i - 1])) / (faces[i] - faces[i - 1]);
    };
    let lift = 0;
    const lifts = stack.sheets.map((sheet) => {
      const own = lift;
      lift += scale.sheets + scale.layers * Math.max(sheet.ranks - 1, 0);
      return own;
    });
    const offset = (layer) => lifts[layer.sheet.index] + scale.layers * layer.rank;
    // A via stretches from the layer it stands on to the layer it carries, however far they are apart.
    const below = (z, layer) => best(rigid, (span) => span.z1 <= z + TOUCH, (span) => span.z1) ?? layer;
    const above = (z, layer) => best(rigid, (span) => span.z0 >= z - TOUCH, (span) => -span.z0) ?? layer;

    return stack.layers.map((layer) => {
      const result = new Float32Array(2 * layer.count);
      const cache = new Map();
      for (let i = 0; i < layer.count; i++) {
        const z0 = layer.boxes[6 * i + 2];
        const z1 = layer.boxes[6 * i + 5];
        const key = z0 * 1e6 + z1;
        let pair = cache.get(key);
        if (!pair) {
          const bottom = layer.role === "via" ? below(z0, layer) : layer;
          const top = layer.role === "via" ? above(z1, layer) : layer;
          pair = [squeeze(z0) + offset(bottom), squeeze(z1) + offset(top)];
          cache.set(key, pair);
        }
        result[2 * i] = pair[0];
        result[2 * i + 1] = pair[1];
      }
      return result;
    });
  };
}

/** The layer of the candidate that passes `test` and has the greatest `rate`. */
function best(spans, test, rate) {
  let winner = null;
  for (const span of spans) if (test(span) && (!winner || rate(span) > rate(winner))) winner = span;
  return winner?.layer ?? null;
}
