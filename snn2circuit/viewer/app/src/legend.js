// The legend of the colours, and the scale bar with the factors of height.

import { element } from "./dom.js";
import { roundBelow } from "./units.js";

export function makeLegend() {
  const node = element("figure", { class: "s2c-legend s2c-card", "aria-label": "Legend" });
  return {
    node,
    show({ title, stops, ticks, swatches, stepped }) {
      const caption = element("figcaption", {}, title);
      if (swatches) {
        const items = swatches.map(([color, text]) => {
          const dot = element("i", { class: "s2c-dot" });
          dot.style.background = color;
          return element("span", {}, dot, text);
        });
        node.replaceChildren(caption, element("div", { class: "s2c-swatches" }, ...items));
        return;
      }
      const bar = element("div", { class: "s2c-bar" });
      const share = 100 / stops.length;
      bar.style.background = stepped
        ? `linear-gradient(90deg, ${stops.map((color, i) => `${color} ${i * share}% ${(i + 1) * share}%`).join(", ")})`
        : `linear-gradient(90deg, ${stops.join(", ")})`;
      node.replaceChildren(caption, bar, element("div", { class: "s2c-ticks" }, ...ticks.map((tick) => element("span", {}, tick))));
    },
  };
}

const WIDEST = 150; // px

/** A bar of a round length at the centre of the orbit, as on a map. */
export function makeScaleBar(stage) {
  const bar = element("i");
  const length = element("b");
  const factors = element("span");
  const node = element("div", { class: "s2c-scale s2c-card", title: "Length in the plane at the centre of the view; heights are drawn larger by the factors shown" }, element("div", {}, bar, length), factors);
  let said = "";
  stage.onFrame(() => {
    const pixels = stage.pixelsPerMm();
    const round = roundBelow(WIDEST / pixels);
    bar.style.width = `${(round * pixels).toFixed(1)}px`;
    const text = round >= 1 ? `${round} mm` : `${Number((round * 1000).toPrecision(3))} µm`;
    if (text !== said) length.textContent = said = text;
  });
  return {
    node,
    setFactors({ film, bulk }) {
      factors.textContent = film === 1 && bulk === 1 ? "heights true to scale" : `heights: films × ${film}, foil × ${bulk}`;
    },
  };
}
