// Which shape lies under a ray: every shape is an upright box or pillar, so a slab test over flat arrays is exact and
// needs no scene graph. 160,000 boxes take about a millisecond.

/**
 * First solid shape along the ray, or the first see-through one if there is no solid one behind it.
 *
 * @param {number[]} origin     of the ray, drawn coordinates (mm, z up)
 * @param {number[]} direction
 * @param {{layer: object, heights: Float32Array, solid: boolean, hidden: Uint8Array|null}[]} drawn  visible layers
 * @param {number[]} cut        box outside of which nothing is drawn
 * @returns {{layer: object, index: number, distance: number, point: number[]}|null}
 */
export function pick(origin, direction, drawn, cut) {
  const range = span(origin, direction, cut);
  for (const solid of [true, false]) {
    let first = null;
    for (const entry of drawn) {
      if (entry.solid === solid) first = nearest(origin, direction, entry, range, first?.distance ?? Infinity) ?? first;
    }
    if (first) return { ...first, point: origin.map((value, axis) => value + first.distance * direction[axis]) };
  }
  return null;
}

/** A strip of a resistor stands for its device, whose outline it lies in; everything else stands for itself. */
export function whole(hit) {
  if (!hit || hit.layer.role !== "device" || hit.layer.devices) return hit;
  const b = 6 * hit.index;
  const [x, y] = [0, 1].map((axis) => (hit.layer.boxes[b + axis] + hit.layer.boxes[b + axis + 3]) / 2);
  for (const layer of hit.layer.sheet.layers.filter((each) => each.devices)) {
    const { boxes, count } = layer;
    for (let i = 0, at = 0; i < count; i++, at += 6) {
      if (x > boxes[at] && x < boxes[at + 3] && y > boxes[at + 1] && y < boxes[at + 4]) return { ...hit, layer, index: i };
    }
  }
  return hit;
}

/** Where the ray is inside a box: distances of entering and leaving. */
function span(origin, direction, box) {
  let enter = -Infinity;
  let leave = Infinity;
  for (let axis = 0; axis < 3; axis++) {
    const ends = [box[axis], box[axis + 3]].map((face) => (face - origin[axis]) / direction[axis]);
    enter = Math.max(enter, Math.min(...ends));
    leave = Math.min(leave, Math.max(...ends));
  }
  return [enter, leave];
}

function nearest([ox, oy, oz], [dx, dy, dz], { layer, heights, hidden }, [from, to], reach) {
  const { boxes, count, round } = layer;
  const ix = 1 / dx;
  const iy = 1 / dy;
  const iz = 1 / dz;
  let best = reach;
  let index = -1;
  for (let i = 0, b = 0; i < count; i++, b += 6) {
    if (hidden !== null && hidden[i] === 1) continue;
    const x0 = (boxes[b] - ox) * ix;
    const x1 = (boxes[b + 3] - ox) * ix;
    let enter = x0 < x1 ? x0 : x1;
    let leave = x0 < x1 ? x1 : x0;
    const y0 = (boxes[b + 1] - oy) * iy;
    const y1 = (boxes[b + 4] - oy) * iy;
    const yEnter = y0 < y1 ? y0 : y1;
    const yLeave = y0 < y1 ? y1 : y0;
    if (yEnter > enter) enter = yEnter;
    if (yLeave < leave) leave = yLeave;
    const z0 = (heights[2 * i] - oz) * iz;
    const z1 = (heights[2 * i + 1] - oz) * iz;
    const zEnter = z0 < z1 ? z0 : z1;
    const zLeave = z0 < z1 ? z1 : z0;
    if (zEnter > enter) enter = zEnter;
    if (zLeave < leave) leave = zLeave;
    if (from > enter) enter = from;
    if (to < leave) leave = to;
    if (!(leave >= enter && leave > 0 && enter < best)) continue;
    if (round) {
      const into = pillar(ox, oy, dx, dy, boxes, b, enter, leave);
      if (into === null || into >= best) continue;
      enter = into;
    }
    best = enter;
    index = i;
  }
  return index < 0 ? null : { layer, index, distance: best };
}

/** Where the ray enters the elliptic pillar inscribed in a box, or null if it passes by. */
function pillar(ox, oy, dx, dy, boxes, b, enter, leave) {
  const rx = (boxes[b + 3] - boxes[b]) / 2;
  const ry = (boxes[b + 4] - boxes[b + 1]) / 2;
  const px = (ox - boxes[b] - rx) / rx;
  const py = (oy - boxes[b + 1] - ry) / ry;
  const qx = dx / rx;
  const qy = dy / ry;
  const a = qx * qx + qy * qy;
  const half = px * qx + py * qy;
  const c = px * px + py * py - 1;
  if (a === 0) return c <= 0 ? enter : null;
  const root = half * half - a * c;
  if (root < 0) return null;
  const first = Math.max(enter, (-half - Math.sqrt(root)) / a);
  return first <= Math.min(leave, (-half + Math.sqrt(root)) / a) ? first : null;
}
