// The search box: a device ("l1 r5 n3", "l1 r5 n3 -") or a net ("wl_l1_r5", any part of a name).

import { element, icon } from "./dom.js";
import { deviceName, findDevice } from "./nets.js";

const DEVICE = /^\s*l(\d+)[\s_,.]*r(\d+)[\s_,.]*[nc](\d+)[\s_,.]*([+\-−pn])?\s*$/i;
const SHOWN = 8;

/**
 * What a text means in this stack, best first.
 *
 * @returns {{label: string, note: string, device?: [object, number], net?: number}[]}
 */
export function interpret(stack, text) {
  const query = text.trim().toLowerCase();
  if (query === "") return [];
  const match = DEVICE.exec(query);
  if (match) {
    const [, layer, row, column, sign] = match;
    const signs = sign === undefined ? [1, -1] : /[-−n]/.test(sign) ? [-1] : [1];
    return stack.devices.flatMap((group) =>
      group.devices.layer !== Number(layer)
        ? []
        : signs
            .map((polarity) => findDevice(group, Number(row), Number(column), polarity))
            .filter((i) => i >= 0)
            .map((i) => ({ label: deviceName(group, i), note: "device", device: [group, i] })),
    );
  }
  const rank = (name) => (name === query ? 0 : name.startsWith(query) ? 1 : 2);
  return stack.nets
    .map((name, net) => ({ label: name, note: "net", net, lower: name.toLowerCase() }))
    .filter(({ lower }) => lower.includes(query))
    .sort((a, b) => rank(a.lower) - rank(b.lower) || a.net - b.net)
    .slice(0, SHOWN);
}

/** @param {(result: object) => void} choose called with one of the results */
export function searchBox(stack, choose) {
  let results = [];
  let marked = 0;
  const list = element("ul", { class: "s2c-results", role: "listbox", hidden: true });
  const input = element("input", {
    type: "search",
    placeholder: "Find l1 r5 n3, wl_l1_r5 …",
    "aria-label": "Find a device or a net",
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => show(interpret(stack, input.value)),
    onfocus: () => show(interpret(stack, input.value)),
    onblur: () => setTimeout(() => (list.hidden = true), 150),
    onkeydown: (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && results[marked]) take(results[marked]);
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        marked = Math.max(0, Math.min(results.length - 1, marked + (event.key === "ArrowDown" ? 1 : -1)));
        mark();
      } else if (event.key === "Escape") input.blur();
    },
  });

  function show(found) {
    results = found;
    marked = 0;
    const nothing = input.value.trim() !== "" && found.length === 0;
    list.replaceChildren(
      ...found.map((result) =>
        element(
          "li",
          { role: "option", onmousedown: (event) => { event.preventDefault(); take(result); } },
          element("span", { class: "s2c-mono" }, result.label),
          element("span", { class: "s2c-note" }, result.note),
        ),
      ),
      ...(nothing ? [element("li", { class: "s2c-nothing" }, "No such device or net")] : []),
    );
    list.hidden = found.length === 0 && !nothing;
    mark();
  }

  function mark() {
    [...list.children].forEach((item, i) => item.classList.toggle("s2c-marked", i === marked && results.length > 0));
  }

  function take(result) {
    input.value = result.label;
    list.hidden = true;
    input.blur();
    choose(result);
  }

  return { node: element("div", { class: "s2c-search" }, icon("search"), input, list), focus: () => (input.focus(), input.select()) };
}
