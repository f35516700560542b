// What the user can take away: any blob as a file, and the devices as a table.

import { linesOf } from "./nets.js";

/** Hands a blob to the browser as a file of this name. */
export function offer(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A name that any file system takes. */
export const fileName = (name, ending) => `${name.replace(/[^\w.-]+/g, "-")}${ending}`;

/** Every device as CSV; layers, sheets and tiles count from 1, rows and columns from 0, places are centres in layout axes. */
export function placement(stack) {
  const lines = ["layer,row,column,polarity,weight,level,conductance_S,resistance_ohm,word_line,bit_line,sheet,tile,x_mm,y_mm,z_um"];
  for (const layer of stack.devices) {
    const { sheet, devices, boxes, count } = layer;
    for (let i = 0; i < count; i++) {
      const centre = [0, 1, 2].map((axis) => (boxes[6 * i + axis] + boxes[6 * i + axis + 3]) / 2 + stack.origin[axis]);
      const { word, bit } = linesOf(stack, layer, i);
      const g = devices.conductance[i];
      lines.push(
        [
          devices.layer, devices.row[i], devices.column[i], devices.polarity[i] > 0 ? "+" : "-",
          devices.weight[i].toPrecision(7), devices.level[i], g.toPrecision(7), (1 / g).toPrecision(7), word, bit,
          sheet.index + 1, devices.tile, centre[0].toFixed(6), centre[1].toFixed(6), (centre[2] * 1000).toFixed(4),
        ].join(","),
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
