// Section planes: a box in drawn coordinates outside of which nothing is drawn or picked. Shapes are cut, not hidden:
// a cut box shows a closed face.

const AXES = ["x", "y", "z"];

/** Sliders of the planes, and what they are called. */
export const PLANES = AXES.map((axis) => [`cut_${axis}`, `Section ${axis}`]);

/** No section at all. */
export const WHOLE = [-Infinity, -Infinity, -Infinity, Infinity, Infinity, Infinity];

/**
 * @param {number[]} bounds  of everything, drawn coordinates
 * @param {object} sliders   share of each axis that stays, by slider
 * @param {boolean} far      keep the high side of each plane instead of the low one
 * @returns {number[]} x0 y0 z0 x1 y1 z1
 */
export function sectionBox(bounds, sliders, far) {
  const box = [...WHOLE];
  PLANES.forEach(([key], axis) => {
    const share = sliders[key];
    if (share >= 1) return;
    const [low, high] = [bounds[axis], bounds[axis + 3]];
    if (far) box[axis] = high - share * (high - low);
    else box[axis + 3] = low + share * (high - low);
  });
  return box;
}

/** Where a plane stands, in millimetres of layout axes; null for a plane at the edge or for z, whose drawn heights are stretched. */
export function planeAt(stack, box, axis) {
  const value = Number.isFinite(box[axis + 3]) ? box[axis + 3] : box[axis];
  return axis === 2 || !Number.isFinite(value) ? null : value + stack.origin[axis];
}
