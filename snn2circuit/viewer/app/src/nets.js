// Net names: which word line and bit line a device hangs on, and which shapes a net has.

/** Names of the word line and bit line of device `i`; layers are counted from 1, as in the deck. */
export function linesOf(stack, { devices }, i) {
  const { layer } = devices;
  const row = `wl_l${layer}_r${devices.row[i]}`;
  const last = devices.row[i] === devices.rows - 1;
  const bias = `bias_l${layer}`;
  return {
    word: last && stack.nets.includes(bias) && !stack.nets.includes(row) ? bias : row,
    bit: `${devices.polarity[i] > 0 ? "bp" : "bn"}_l${layer}_n${devices.column[i]}`,
  };
}

/** `[layer index, shape]` of every shape of a net. */
export function shapesOf(stack, net) {
  const found = [];
  if (net < 0) return found;
  for (const layer of stack.layers) {
    if (layer.devices) continue;
    for (let i = 0; i < layer.count; i++) if (layer.nets[i] === net) found.push([layer.index, i]);
  }
  return found;
}

/** Everything that hangs on some nets, devices included: sets of shapes by layer index. */
export function partsOf(stack, names) {
  const parts = new Map(stack.layers.map((layer) => [layer.index, new Set()]));
  for (const name of names) for (const [layer, i] of shapesOf(stack, stack.nets.indexOf(name))) parts.get(layer).add(i);
  for (const layer of stack.layers.filter((each) => each.devices)) {
    for (let i = 0; i < layer.count; i++) {
      const { word, bit } = linesOf(stack, layer, i);
      if (names.has(word) || names.has(bit)) parts.get(layer.index).add(i);
    }
  }
  return parts;
}

/** Index of a device in its sheet's layer, or -1. */
export function findDevice({ devices }, row, column, polarity) {
  for (let i = 0; i < devices.row.length; i++) {
    if (devices.row[i] === row && devices.column[i] === column && devices.polarity[i] === polarity) return i;
  }
  return -1;
}

/** What a device is called everywhere: `l1 r5 n3 +`. */
export const deviceName = ({ devices }, i) =>
  `l${devices.layer} r${devices.row[i]} n${devices.column[i]} ${devices.polarity[i] > 0 ? "+" : "−"}`;
