// The drawn stack: one draw call a layer however many devices it has.

import { BufferAttribute, BufferGeometry, Color, Group, LineBasicMaterial, LineSegments } from "three";
import { makeHeights } from "./heights.js";
import { makeShapes } from "./shapes.js";

const OPACITY = { substrate: 0.12, dielectric: 0.1 }; // everything else hides what lies behind it
const METAL = new Set(["conductor", "via"]);
const GLASS = 0.16; // opacity of conductors that lie above devices

/**
 * @typedef {object} Drawn
 * @property {object} layer
 * @property {object} shapes  see shapes.js
 * @property {import("three").Mesh} mesh
 * @property {LineSegments|null} outline
 * @property {Float32Array} heights  (count, 2) drawn z of bottom and top
 * @property {boolean} solid
 * @property {boolean} visible
 * @property {Uint8Array|null} hidden  1 for shapes that are not drawn
 * @property {Uint8Array|null} lit     1 for shapes that carry a spike
 * @property {number} opacity
 */

/** Builds the meshes; `group` holds them in drawn layout coordinates (z up), turned to three's y up. */
export function drawStack(stack) {
  const group = new Group();
  group.rotation.x = -Math.PI / 2;
  const heightsOf = makeHeights(stack);
  const drawn = stack.layers.map((layer) => drawLayer(layer, coversDevices(layer)));
  for (const { mesh, outline } of drawn) group.add(mesh, ...(outline ? [outline] : []));

  return {
    group,
    drawn,

    /** Moves every shape to the heights of a scale (see heights.js). */
    setScale(scale) {
      heightsOf(scale).forEach((heights, i) => {
        drawn[i].heights = heights;
        stretch(drawn[i]);
      });
    },

    /** Colours the devices by a scheme of colors.js, everything else by its material. */
    setColors(scheme) {
      const color = new Color();
      for (const { layer, shapes } of drawn) {
        if (layer.devices) shapes.setColors((i) => packed(color.setRGB(...scheme.color(layer, i))));
      }
    },

    /** Metal steps back behind the devices, unless it is the material that is asked for. */
    setTheme(dark, mode) {
      const page = new Color(dark ? 0x141c2a : 0xf2f5fa);
      const amount = mode === "material" ? 0 : dark ? 0.62 : 0.4;
      for (const { layer, shapes, outline } of drawn) {
        outline?.material.color.set(dark ? 0x9fb4d0 : 0x3b4a61);
        if (METAL.has(layer.role)) shapes.setVeil(page, amount);
      }
    },

    /** Draws only what lies in a box of drawn coordinates. */
    setCut(box) {
      for (const { shapes } of drawn) shapes.setCut(box);
    },

    setOpacity(index, value) {
      const entry = drawn[index];
      entry.opacity = value;
      entry.solid = value === 1;
      entry.shapes.setOpacity(value);
    },

    /** Draws only the shapes in `kept`, sets of numbers by layer; everything if null. */
    isolate(kept) {
      for (const entry of drawn) {
        const own = kept?.get(entry.layer.index);
        entry.hidden = kept && Uint8Array.from({ length: entry.layer.count }, (_, i) => Number(!own?.has(i)));
        flag(entry);
        if (entry.outline) entry.outline.visible = entry.visible && !kept;
      }
    },

    /** Whether anything of a layer is drawn. */
    shows: (index) => drawn[index].visible && !drawn[index].hidden?.every((flag) => flag === 1),

    /** Lets shapes glow: arrays of 0 and 1 by layer, null for none. */
    setLit(lit) {
      for (const entry of drawn) {
        const next = lit?.[entry.layer.index] ?? null;
        if (next === null && entry.lit === null) continue;
        entry.lit = next;
        flag(entry);
      }
    },

    setVisible(index, visible) {
      const entry = drawn[index];
      entry.visible = visible;
      entry.mesh.visible = visible;
      if (entry.outline) entry.outline.visible = visible && entry.hidden === null;
    },

    /** See-through layers are drawn from the far one to the near one; `above` says from which side the camera looks. */
    setSide(above) {
      for (const { layer, mesh, solid } of drawn) {
        const place = layer.sheet.index * 100 + layer.rank;
        mesh.renderOrder = solid ? 0 : 1 + (above ? place : 10000 - place);
      }
    },

    /** Draws layers of small shapes plainly if a millimetre takes only `pixels` on the screen and the camera is `high`. */
    setDetail(pixels, high) {
      for (const { layer, shapes } of drawn) shapes.setDistant(high && layer.count > 1000 && layer.side * pixels < 3);
    },

    /** Box around everything, visible or not, drawn coordinates. */
    whole: () => boundsOf(drawn),

    /** Box around what is visible (or everything), drawn coordinates: [x0, y0, z0, x1, y1, z1]. */
    bounds() {
      const shown = drawn.filter((entry) => entry.visible);
      const bounds = boundsOf(shown, (entry, i) => !entry.hidden?.[i]);
      return Number.isFinite(bounds[0]) ? bounds : boundsOf(drawn);
    },
  };
}

function boundsOf(entries, wanted = () => true) {
  const result = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
  for (const entry of entries) {
    for (let i = 0; i < entry.layer.count; i++) {
      if (!wanted(entry, i)) continue;
      const box = boxOf(entry, i);
      for (let axis = 0; axis < 3; axis++) {
        result[axis] = Math.min(result[axis], box[axis]);
        result[axis + 3] = Math.max(result[axis + 3], box[axis + 3]);
      }
    }
  }
  return result;
}

/** Drawn box of a shape: [x0, y0, z0, x1, y1, z1] in mm. */
export function boxOf({ layer, heights }, i) {
  const { boxes } = layer;
  const b = 6 * i;
  return [boxes[b], boxes[b + 1], heights[2 * i], boxes[b + 3], boxes[b + 4], heights[2 * i + 1]];
}

/** True for the conductor that would hide the devices from above: it is drawn like tinted glass. */
function coversDevices(layer) {
  const { devices } = layer.sheet;
  return layer.role === "conductor" && devices !== null && layer.bottom > devices.bottom;
}

function drawLayer(layer, covers) {
  const opacity = covers ? GLASS : (OPACITY[layer.role] ?? 1);
  const shapes = makeShapes(layer.count, layer.boxes, { opacity, shine: METAL.has(layer.role) ? 0.3 : 0, round: layer.round, behind: layer.role === "dielectric" });
  shapes.mesh.name = `${layer.sheet.name} · ${layer.name}`;
  const color = packed(new Color(layer.color));
  shapes.setColors(() => color);
  const outline = layer.role === "substrate" ? outlineOf(layer) : null;
  return { layer, shapes, mesh: shapes.mesh, outline, heights: new Float32Array(2 * layer.count), solid: opacity === 1, visible: true, hidden: null, lit: null, opacity, usual: opacity };
}

function flag({ shapes, hidden, lit }) {
  shapes.setFlags((i) => (hidden?.[i] ? 1 : lit?.[i] ? 2 : 0));
}

/** sRGB of a colour as 0xbbggrr. */
function packed(color) {
  const hex = color.getHex();
  return ((hex & 0xff) << 16) | (hex & 0xff00) | (hex >> 16);
}

function stretch(entry) {
  const { layer, shapes, outline, heights } = entry;
  shapes.setHeights(heights);
  if (!outline) return;
  const points = outline.geometry.attributes.position;
  for (let i = 0; i < layer.count; i++) {
    edgesOf(boxOf(entry, i)).forEach((corner, at) => points.setXYZ(24 * i + at, ...corner));
  }
  points.needsUpdate = true;
}

function outlineOf(layer) {
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(72 * layer.count), 3));
  const lines = new LineSegments(geometry, new LineBasicMaterial({ transparent: true, opacity: 0.5 }));
  lines.frustumCulled = false;
  lines.renderOrder = 20000;
  return lines;
}

/** The eight corners of a box: bit 0 chooses x, bit 1 y, bit 2 z. */
export const cornersOf = (box) => Array.from({ length: 8 }, (_, bits) => [0, 1, 2].map((axis) => box[axis + (bits & (1 << axis) ? 3 : 0)]));

/** Pairs of corners that an edge joins. */
export const EDGES = [0, 1, 2].flatMap((axis) =>
  Array.from({ length: 8 }, (_, bits) => bits).filter((bits) => !(bits & (1 << axis))).map((bits) => [bits, bits | (1 << axis)]),
);

function edgesOf(box) {
  const corners = cornersOf(box);
  return EDGES.flatMap(([a, b]) => [corners[a], corners[b]]);
}
