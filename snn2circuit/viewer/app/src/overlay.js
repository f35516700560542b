// What is drawn over the picture as SVG: outlines of what is hovered and selected, names of sheets, the axes. Lines stay
// crisp at any zoom, shine through what lies in front, and moving the mouse costs no new 3D frame.

import { Vector3 } from "three";
import { cornersOf, EDGES } from "./layers.js";
import { svg } from "./dom.js";
import { worldPoint } from "./views.js";

const MOST = 600; // outlines of one net
const LINE = 15; // CSS pixels from one name to the next

export function makeOverlay(host, stage, stack) {
  const related = svg("path", { class: "s2c-related" });
  const selected = svg("path", { class: "s2c-selected" });
  const ring = svg("circle", { class: "s2c-ring", r: 11, visibility: "hidden" });
  const hovered = svg("path", { class: "s2c-hovered" });
  const ruler = svg("polyline", { class: "s2c-ruler" });
  const reading = svg("text", { class: "s2c-reading" });
  const labels = stack.sheets.map(() => svg("text", { class: "s2c-label" }));
  const root = svg("svg", { class: "s2c-overlay", "aria-hidden": "true" }, ...labels, related, selected, ring, hovered, ruler, reading);
  const axes = ["x", "y", "z"].map((name) => ({
    name,
    line: svg("line", { class: `s2c-axis s2c-axis-${name}`, x1: 0, y1: 0 }),
    text: svg("text", { class: `s2c-axis-name s2c-axis-${name}` }, name),
  }));
  const gizmo = svg("svg", { class: "s2c-axes s2c-card", viewBox: "-40 -40 80 80", "aria-hidden": "true" }, ...axes.flatMap(({ line, text }) => [line, text]));
  host.append(root, gizmo);

  const shown = { hover: null, selection: null, related: [], sheets: [], left: 0, measured: [], reading: "" };
  const project = (point) => stage.project(worldPoint(point));

  const at = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;

  function outline(box) {
    const corners = cornersOf(box).map(project);
    if (corners.some((corner) => corner.behind)) return "";
    return EDGES.map(([a, b]) => `M${at(corners[a])}L${at(corners[b])}`).join("");
  }

  /** A line is so flat that its upper face stands for the whole; a via, stretched between sheets, is shown in full. */
  function trace([x0, y0, z0, x1, y1, z1]) {
    if (z1 - z0 > Math.max(x1 - x0, y1 - y0)) return outline([x0, y0, z0, x1, y1, z1]);
    const corners = [[x0, y0, z1], [x1, y0, z1], [x1, y1, z1], [x0, y1, z1]].map(worldPoint);
    const seen = stage.inFront(corners).map(stage.project);
    return seen.length < 3 ? "" : `M${seen.map(at).join("L")}Z`;
  }

  function drawHover() {
    hovered.setAttribute("d", shown.hover ? outline(shown.hover) : "");
  }

  function draw() {
    drawHover();
    related.setAttribute("d", shown.related.slice(0, MOST).map(trace).join(""));
    selected.setAttribute("d", shown.selection ? outline(shown.selection) : "");
    const centre = shown.selection && project([0, 1, 2].map((axis) => (shown.selection[axis] + shown.selection[axis + 3]) / 2));
    ring.setAttribute("visibility", centre && !centre.behind ? "visible" : "hidden");
    if (centre) {
      ring.setAttribute("cx", centre.x.toFixed(1));
      ring.setAttribute("cy", centre.y.toFixed(1));
    }
    drawRuler();
    const taken = [];
    shown.sheets.forEach(({ box, text }, i) => placeLabel(labels[i], box, text, taken));
    const view = new Vector3();
    for (const { name, line, text } of axes) {
      view.copy(worldPoint([name === "x", name === "y", name === "z"].map(Number))).transformDirection(stage.camera.matrixWorldInverse);
      line.setAttribute("x2", (26 * view.x).toFixed(1));
      line.setAttribute("y2", (-26 * view.y).toFixed(1));
      text.setAttribute("x", (34 * view.x).toFixed(1));
      text.setAttribute("y", (-34 * view.y).toFixed(1));
    }
  }

  function drawRuler() {
    const ends = shown.measured.map(project);
    const seen = ends.length > 0 && !ends.some((end) => end.behind);
    ruler.setAttribute("points", seen ? [...ends, ...(ends.length === 1 ? ends : [])].map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ") : "");
    reading.setAttribute("visibility", seen ? "visible" : "hidden");
    reading.textContent = shown.reading;
    if (seen) {
      reading.setAttribute("x", (ends.at(-1).x + 10).toFixed(1));
      reading.setAttribute("y", (ends.at(-1).y - 10).toFixed(1));
    }
  }

  /**
   * A sheet's name stands left of the corner of its foil that lies furthest to the left, but not under the panel, and
   * above a name that has `taken` its place.
   */
  function placeLabel(label, box, text, taken) {
    const corners = box ? cornersOf(box).slice(0, 4).map(project) : [];
    const visible = box !== null && !corners.some((corner) => corner.behind);
    label.setAttribute("visibility", visible ? "visible" : "hidden");
    if (!visible) return;
    const corner = corners.reduce((left, each) => (each.x < left.x ? each : left));
    if (label.textContent !== text) label.textContent = text;
    const width = label.getComputedTextLength();
    const x = Math.max(corner.x - 12, shown.left + width + 8);
    let y = corner.y + 4;
    const covers = (other) => Math.abs(other.y - y) < LINE && Math.abs(other.x - x) < Math.max(other.width, width);
    for (let other = taken.find(covers); other; other = taken.find(covers)) y = other.y - LINE;
    taken.push({ x, y, width });
    label.setAttribute("x", x.toFixed(1));
    label.setAttribute("y", y.toFixed(1));
  }

  stage.onFrame(draw);
  return {
    hover(box) {
      shown.hover = box;
      drawHover();
    },

    /** @param {number[]|null} box  @param {number[][]} others boxes outlined with it */
    select(box, others) {
      shown.selection = box;
      shown.related = others;
      stage.invalidate();
    },

    /** @param {number[][]} points  ends of the ruler, drawn coordinates  @param {string} text its reading */
    measure(points, text) {
      shown.measured = points;
      shown.reading = text;
      drawRuler();
    },

    /** @param {{box: number[]|null, text: string}[]} sheets one entry a sheet; null hides its name  @param {number} left pixels that the panel covers */
    name(sheets, left) {
      Object.assign(shown, { sheets, left });
      stage.invalidate();
    },
  };
}
