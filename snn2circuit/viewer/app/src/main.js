// Entry: `window.snn2circuit.mount(element, { glb, activity })`, and a mount of its own wherever the page has the viewer's place.

import { attachActivity } from "./activity.js";
import { makeDebug } from "./debug.js";
import { element } from "./dom.js";
import { readStack } from "./stack.js";
import { makeViewer } from "./viewer.js";

const PLACE = "snn2circuit-viewer";
const EMBEDDED = "stack-glb";
const EMBEDDED_ACTIVITY = "stack-activity";

/**
 * Shows a stack inside `root`.
 *
 * @param {HTMLElement} root
 * @param {{glb: string|ArrayBuffer, activity?: string|object|null}} options address of the GLB, or its bytes; address of
 *   what a simulated sample did (see activity.js), or that itself
 * @returns {Promise<object>} the viewer, or null after showing what went wrong
 */
async function mount(root, { glb, activity = null }) {
  root.classList.add("s2c");
  root.tabIndex = -1;
  root.dataset.theme ??= window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const waiting = message("Loading the stack …", "");
  root.replaceChildren(waiting);
  try {
    if (!hasWebGL()) throw new Failure("This browser shows no WebGL", "The 3D view needs WebGL 2. Switch on hardware acceleration, or open the page in a current Firefox, Chrome, Edge or Safari.");
    const data = typeof glb === "string" ? await (await download(glb)).arrayBuffer() : glb;
    const stack = await readStack(data).catch((error) => {
      throw new Failure("The stack cannot be read", `${error.message}. Write it again with “snn2circuit layout”.`);
    });
    attachActivity(stack, typeof activity === "string" ? await (await download(activity)).json() : activity);
    const viewer = makeViewer(root, stack, data);
    waiting.remove();
    window.snn2circuit.debug = makeDebug(viewer);
    root.dataset.ready = "true";
    return viewer;
  } catch (error) {
    const known = error instanceof Failure;
    root.replaceChildren(message(known ? error.message : "The viewer stopped", known ? error.hint : String(error.message ?? error)));
    root.dataset.ready = "failed";
    if (!known) console.error(error);
    return null;
  }
}

class Failure extends Error {
  constructor(text, hint) {
    super(text);
    this.hint = hint;
  }
}

function hasWebGL() {
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return context !== null;
}

async function download(address) {
  const response = await fetch(address).catch(() => null);
  if (response === null) throw new Failure("The stack did not arrive", `Nothing answered at ${address}. Is “snn2circuit view” still running?`);
  if (!response.ok) throw new Failure("There is no stack here", `${address} answered ${response.status}. Run “snn2circuit layout” or “snn2circuit run” first; it writes stack.glb into the output folder.`);
  return response;
}

function message(title, hint) {
  return element("div", { class: "s2c-message", role: "status" }, element("h2", {}, title), element("p", {}, hint));
}

function decode(base64) {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

function start() {
  const root = document.getElementById(PLACE);
  if (!root || root.dataset.ready) return;
  const embedded = document.getElementById(EMBEDDED);
  const glb = window.SNN2CIRCUIT_GLB ?? (embedded ? decode(embedded.textContent) : root.dataset.glb);
  const recorded = document.getElementById(EMBEDDED_ACTIVITY);
  if (glb) mount(root, { glb, activity: recorded ? JSON.parse(recorded.textContent) : root.dataset.activity });
}

window.snn2circuit = { mount };
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
