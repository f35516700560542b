// The stack as plain arrays, read from a GLB: what every other module works on.
//
// A layer (or the devices of a sheet) is one node with EXT_mesh_gpu_instancing. Boxes are kept in millimetres of layout
// axes (z up), relative to the centre of the stack's footprint and to its bottom, as six numbers a shape: x0 y0 z0 x1 y1
// z1. Adding `stack.origin` gives the coordinates of the layout.

import { Matrix4, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

const INSTANCING = "EXT_mesh_gpu_instancing";
const METRES_TO_MM = 1000;

/**
 * @typedef {object} Layer
 * @property {number} index      place in `stack.layers`
 * @property {string} name       what people read, e.g. "word_lines"
 * @property {string} role       substrate, conductor, device, dielectric, via or cell
 * @property {string} material
 * @property {string} color      "#rrggbb"
 * @property {number} thickness  mm; 0 if the file does not say
 * @property {Sheet} sheet
 * @property {number} count
 * @property {number} side        longer side of the first shape, mm
 * @property {Float32Array} boxes  (count, 6) mm
 * @property {Int32Array} nets   index into `stack.nets`, -1 for none
 * @property {boolean} round     pillars instead of boxes
 * @property {Devices|null} devices
 */

/** Replaces three's reader of the extension: keeps the accessors themselves, which may be strided. */
class KeepInstances {
  name = INSTANCING;

  constructor(parser) {
    this.parser = parser;
  }

  createNodeMesh(index) {
    const attributes = this.parser.json.nodes[index].extensions?.[INSTANCING]?.attributes;
    return attributes ? this.read(index, attributes) : null;
  }

  async read(index, attributes) {
    const names = Object.keys(attributes);
    const [mesh, ...accessors] = await Promise.all([
      this.parser.createNodeMesh(index),
      ...names.map((name) => this.parser.getDependency("accessor", attributes[name])),
    ]);
    mesh.userData.instances = Object.fromEntries(names.map((name, i) => [name, accessors[i]]));
    return mesh;
  }
}

/** @param {ArrayBuffer} data a GLB as the `layout` stage writes it */
export async function readStack(data) {
  const loader = new GLTFLoader().register((parser) => new KeepInstances(parser));
  const gltf = await loader.parseAsync(data, "");
  gltf.scene.updateMatrixWorld(true);
  const root = find(gltf.scene, (node) => node.userData.kind === "stack");
  if (!root) throw new Error("the file is a valid GLB, but holds no node of kind “stack”");
  const { bounds_nm: nm = [0, 0, 0, 0, 0, 0] } = root.userData;
  const stack = {
    name: root.userData.name ?? "stack",
    process: root.userData.process ?? "",
    technology: root.userData.technology ?? "",
    assumptions: root.userData.assumptions ?? [],
    nets: root.userData.nets ?? [],
    origin: [Math.floor((nm[0] + nm[3]) / 2) / 1e6, Math.floor((nm[1] + nm[4]) / 2) / 1e6, nm[2] / 1e6],
    sheets: [],
    layers: [],
  };
  const toLayout = new Matrix4().copy(root.matrixWorld).invert();
  for (const node of root.children.filter((child) => child.userData.kind === "sheet")) {
    const sheet = {
      index: stack.sheets.length,
      name: node.userData.name ?? `sheet ${stack.sheets.length + 1}`,
      network_layer: node.userData.network_layer,
      rotation: node.userData.rotation ?? 0,
      layers: [],
    };
    stack.sheets.push(sheet);
    node.traverse((child) => {
      if (!child.userData.instances) return;
      const layer = readLayer(child, sheet, new Matrix4().multiplyMatrices(toLayout, child.matrixWorld));
      layer.index = stack.layers.length;
      sheet.layers.push(layer);
      stack.layers.push(layer);
    });
    sheet.devices = sheet.layers.find((layer) => layer.devices) ?? null;
  }
  if (stack.layers.length === 0) throw new Error("the stack in this file has no shapes");
  order(stack);
  stack.devices = stack.layers.filter((layer) => layer.devices); // of each sheet those below its bit lines, and those above
  stack.bounds = boundsOf(stack.layers);
  return stack;
}

function readLayer(node, sheet, matrix) {
  const { instances, ...extras } = node.userData;
  const shape = node.geometry.boundingBox ?? (node.geometry.computeBoundingBox(), node.geometry.boundingBox);
  const { TRANSLATION: translation, SCALE: scale } = instances;
  if (!translation) throw new Error(`layer “${extras.name ?? node.name}” has no TRANSLATION`);
  const count = translation.count;
  const boxes = new Float32Array(6 * count);
  const near = new Vector3();
  const far = new Vector3();
  const size = new Vector3();
  for (let i = 0; i < count; i++) {
    if (scale) size.fromBufferAttribute(scale, i);
    else size.setScalar(1); // the node's own scale is the extent of all its shapes
    near.copy(shape.min).multiply(size);
    far.copy(shape.max).multiply(size);
    size.fromBufferAttribute(translation, i);
    near.add(size).applyMatrix4(matrix).multiplyScalar(METRES_TO_MM);
    far.add(size).applyMatrix4(matrix).multiplyScalar(METRES_TO_MM);
    boxes.set([Math.min(near.x, far.x), Math.min(near.y, far.y), Math.min(near.z, far.z)], 6 * i);
    boxes.set([Math.max(near.x, far.x), Math.max(near.y, far.y), Math.max(near.z, far.z)], 6 * i + 3);
  }
  const devices = extras.kind === "devices" ? readDevices(instances, extras) : null;
  const role = devices ? "device" : (extras.role ?? "conductor");
  return {
    sheet,
    name: extras.layer ? `${extras.layer}${role === "device" && !devices ? " strips" : ""}` : devices ? "devices" : node.name,
    role,
    material: extras.material ?? "",
    color: extras.color ?? `#${node.material.color.getHexString()}`,
    thickness: (extras.thickness_nm ?? 0) / 1e6,
    count,
    side: Math.max(boxes[3] - boxes[0], boxes[4] - boxes[1]),
    boxes,
    nets: instances._NET ? numbers(instances._NET, Int32Array) : new Int32Array(count).fill(-1),
    // A unit box has 24 vertices; whatever has more is a pillar.
    round: node.geometry.attributes.position.count > 24,
    devices,
  };
}

/** @typedef {{row: Int32Array, column: Int32Array, polarity: Int32Array, weight: Float32Array, conductance: Float32Array, level: Int32Array, levels: number, layer: number, tile: number, rows: number}} Devices */
function readDevices(instances, extras) {
  const row = numbers(instances._CELL, Int32Array, 0);
  return {
    row,
    column: numbers(instances._CELL, Int32Array, 1),
    polarity: numbers(instances._STATE, Int32Array, 1),
    weight: numbers(instances._WEIGHT, Float32Array),
    conductance: numbers(instances._CONDUCTANCE, Float32Array),
    level: numbers(instances._STATE, Int32Array, 0),
    levels: extras.levels ?? 0,
    layer: extras.network_layer + 1,
    tile: (extras.tile ?? 0) + 1,
    rows: row.reduce((most, value) => Math.max(most, value + 1), 0),
  };
}

function numbers(accessor, Kind, component = 0) {
  if (!accessor) throw new Error("its devices have no cell, state, weight or conductance; it was written by another version");
  const values = new Kind(accessor.count);
  for (let i = 0; i < values.length; i++) values[i] = accessor.getComponent(i, component);
  return values;
}

function find(node, wanted) {
  if (wanted(node)) return node;
  for (const child of node.children) {
    const found = find(child, wanted);
    if (found) return found;
  }
  return null;
}

/** Sheets and, inside a sheet, layers from the bottom up; a layer's `rank` counts from the substrate. */
function order(stack) {
  const bottom = (layer) => layer.boxes.reduce((low, value, i) => (i % 6 === 2 && value < low ? value : low), Infinity);
  for (const layer of stack.layers) layer.bottom = bottom(layer);
  for (const sheet of stack.sheets) {
    sheet.bottom = Math.min(...sheet.layers.map((layer) => layer.bottom));
    const rigid = sheet.layers.filter((layer) => layer.role !== "via").sort((a, b) => a.bottom - b.bottom);
    let rank = -1;
    let last = -Infinity;
    for (const layer of rigid) {
      if (layer.bottom > last + 1e-7) rank += 1;
      last = layer.bottom;
      layer.rank = rank;
    }
    sheet.ranks = rank + 1;
    for (const layer of sheet.layers) layer.rank ??= 0;
    sheet.layers.sort((a, b) => a.bottom - b.bottom || a.index - b.index);
  }
  stack.sheets.sort((a, b) => a.bottom - b.bottom);
  stack.sheets.forEach((sheet, index) => (sheet.index = index));
}

export function boundsOf(layers) {
  const bounds = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
  for (const { boxes } of layers) {
    for (let i = 0; i < boxes.length; i += 6) {
      for (let axis = 0; axis < 3; axis++) {
        if (boxes[i + axis] < bounds[axis]) bounds[axis] = boxes[i + axis];
        if (boxes[i + axis + 3] > bounds[axis + 3]) bounds[axis + 3] = boxes[i + axis + 3];
      }
    }
  }
  return bounds;
}
