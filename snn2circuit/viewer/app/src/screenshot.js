// A picture of the view as PNG: background, stack, outlines and names, with the stack's name and scale below.

import { fileName, offer } from "./download.js";

/** @returns {HTMLCanvasElement} */
export function compose(root, stage, caption) {
  stage.drawSharp();
  const { width, height } = stage.canvas;
  const ratio = width / stage.canvas.clientWidth;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const style = getComputedStyle(root);
  const sky = context.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, style.getPropertyValue("--s2c-sky").trim());
  sky.addColorStop(1, style.getPropertyValue("--s2c-ground").trim());
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  context.drawImage(stage.canvas, 0, 0);
  context.fillStyle = style.getPropertyValue("--s2c-text").trim();
  context.font = `${Math.round(13 * ratio)}px ${style.fontFamily}`;
  context.fillText(caption, 20 * ratio, height - 20 * ratio);
  return canvas;
}

export async function save(root, stage, caption, name) {
  const canvas = compose(root, stage, caption);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  offer(blob, fileName(name, ".png"));
}
