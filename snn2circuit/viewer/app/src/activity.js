// What a simulated sample did: spikes of every neuron, and what the lines take from every device. Optional; it comes
// from the run beside the stack, not from the stack's own file.

/**
 * Puts the activity of a run into a stack: `stack.activity`, and `drop` and `spike` of every device.
 *
 * @param {object} stack
 * @param {{sample: number, step_seconds: number, steps: number, inputs: number[][], layers: {spikes: number[][], drop?: {most: number, share: number[]}}[]}|null} activity
 *   `inputs` and `spikes`: steps (from 0) in which each word line of the first layer is driven and each neuron spikes;
 *   `drop.share`: what each device loses, in thousandths of `drop.most`, in the order row, column, polarity (+ first)
 */
export function attachActivity(stack, activity) {
  stack.activity = null;
  if (!activity) return;
  for (const layer of stack.devices) {
    const found = activity.layers[layer.devices.layer - 1];
    if (!found) continue;
    const { row, column, polarity } = layer.devices;
    const columns = found.spikes.length;
    layer.devices.spike = Float32Array.from(column, (neuron) => found.spikes[neuron]?.[0] ?? NaN);
    if (found.drop) layer.devices.drop = Float32Array.from(row, (r, i) => (found.drop.most * found.drop.share[2 * (r * columns + column[i]) + (polarity[i] < 0)]) / 1000);
  }
  stack.activity = activity;
}

/** Names of the nets that carry a spike in `step`: driven word lines, and the outputs of neurons that spike. */
export function activeNets({ inputs, layers }, step) {
  const names = new Set();
  inputs.forEach((steps, row) => steps.includes(step) && names.add(`wl_l1_r${row}`));
  layers.forEach(({ spikes }, index) =>
    spikes.forEach((steps, neuron) => {
      if (!steps.includes(step)) return;
      names.add(`spike_l${index + 1}_n${neuron}`);
      names.add(`wl_l${index + 2}_r${neuron}`);
    }),
  );
  return names;
}

/** Which shapes of each layer a step lights up: the active nets, and the cells of neurons that spike; null for none. */
export function litShapes(stack, step) {
  const active = activeNets(stack.activity, step);
  const lit = new Set([...active].map((name) => stack.nets.indexOf(name)).filter((net) => net >= 0));
  return stack.layers.map((layer) => {
    if (layer.devices) return null;
    const spikes = stack.activity.layers[layer.sheet.network_layer]?.spikes ?? [];
    if (layer.role === "cell" && layer.count === spikes.length) return Uint8Array.from(spikes, (steps) => Number(steps.includes(step)));
    return Uint8Array.from(layer.nets, (net) => Number(lit.has(net)));
  });
}

/** How many neurons of each layer spike in a step, in words. */
export const spikesIn = ({ layers }, step) =>
  layers.map(({ spikes }, index) => `layer ${index + 1}: ${spikes.filter((steps) => steps.includes(step)).length} of ${spikes.length}`).join(" · ");
