// What is shown, as text behind the # of the address: a link opens the same view again.

const numbers = (text) => (text === null || text === "" ? [] : text.split(",").map(Number));
const list = (text) => text.split(",").filter(Boolean);
const isEnd = (end) => end.length === 5 && end.every(Number.isFinite) && end[4] >= 0 && end[4] <= 1;
const short = (value) => String(Number(value.toPrecision(7)));

/** @param {object} view  mode, log, far, step, sliders, hidden, opacity ([[layer, value]]), camera (six numbers, see scene.js),
 *   selected (a name), isolated (names of nets and [layer, number] of shapes, or null), ruler (ends as in ruler.js, layers by index, or null), theme */
export function toHash({ mode, log, far, step, sliders, hidden, opacity, camera, selected, isolated, ruler, theme }) {
  const fields = new URLSearchParams({ mode, sliders: Object.values(sliders).map(short).join(","), camera: camera.map(short).join(",") });
  if (log) fields.set("log", "1");
  if (far) fields.set("far", "1");
  if (step !== null) fields.set("step", step);
  if (hidden.length) fields.set("hide", hidden.join(","));
  if (opacity.length) fields.set("opacity", opacity.map(([index, value]) => `${index}:${short(value)}`).join(","));
  if (selected) fields.set("select", selected);
  if (isolated) fields.set("isolate", isolated.map((part) => (typeof part === "string" ? part : part.join(":"))).join(","));
  if (ruler) fields.set("ruler", ruler.map(({ layer, index, x, y, share }) => [layer, index, ...[x, y, share].map(short)].join(":")).join(","));
  if (theme) fields.set("theme", theme);
  return `#${fields}`;
}

/** The reverse of `toHash`; null if the text is none of ours. Fields that make no sense are left out. */
export function fromHash(hash, { sliders, layers }) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const camera = numbers(fields.get("camera"));
  const places = numbers(fields.get("sliders"));
  const keys = Object.keys(sliders);
  if (!fields.has("mode") || places.length !== keys.length || camera.length !== 6 || ![...places, ...camera].every(Number.isFinite)) return null;
  const known = (index) => Number.isInteger(index) && index >= 0 && index < layers;
  return {
    mode: fields.get("mode"),
    log: fields.has("log"),
    far: fields.has("far"),
    step: fields.has("step") ? Number(fields.get("step")) : null,
    sliders: Object.fromEntries(keys.map((key, i) => [key, Math.min(1, Math.max(0, places[i]))])),
    hidden: numbers(fields.get("hide")).filter(known),
    opacity: (fields.get("opacity") ?? "").split(",").map((pair) => pair.split(":").map(Number)).filter(([index, value]) => known(index) && value >= 0 && value <= 1),
    camera,
    selected: fields.get("select"),
    isolated: fields.has("isolate") ? list(fields.get("isolate")).map((part) => (/^\d+:\d+$/.test(part) ? part.split(":").map(Number) : part)) : null,
    ruler: fields.has("ruler") ? list(fields.get("ruler")).map((end) => end.split(":").map(Number)).filter(isEnd).map(([layer, index, x, y, share]) => ({ layer, index, x, y, share })) : null,
    theme: ["dark", "light"].includes(fields.get("theme")) ? fields.get("theme") : null,
  };
}
