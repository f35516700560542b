// What the browser tests ask: where a device is on the screen, what lies under a point, what a frame costs.

export function makeDebug(viewer) {
  const { stack, stage, model, state, panel, pickAt, projectShape } = viewer;
  const groups = () => stack.devices;

  /** Device number `index`, counted through all sheets in the order of the file. */
  const device = (index) => {
    for (const layer of stack.layers.filter((each) => each.devices)) {
      if (index < layer.count) return [layer, index];
      index -= layer.count;
    }
    throw new RangeError(`no device ${index}`);
  };

  const plain = (hit) =>
    hit && {
      sheet: hit.layer.sheet.name,
      layer: hit.layer.name,
      index: hit.index,
      ...(hit.layer.devices && Object.fromEntries(["row", "column", "polarity", "weight", "conductance", "level"].map((key) => [key, hit.layer.devices[key][hit.index]]))),
    };

  return {
    /** Page coordinates of the middle of a device's upper face. */
    project(index) {
      const { x, y } = projectShape(...device(index));
      const { left, top } = stage.canvas.getBoundingClientRect();
      return { x: x + left, y: y + top };
    },

    /** What a click at these page coordinates would select. */
    pick(x, y) {
      const { left, top } = stage.canvas.getBoundingClientRect();
      return plain(pickAt(x - left, y - top));
    },

    select: (index) => viewer.actions.select(...device(index)),
    actions: viewer.actions,
    panel: () => panel.text,

    stats() {
      const { render } = stage.renderer.info;
      return {
        calls: render.calls,
        triangles: render.triangles,
        instances: stack.layers.reduce((sum, layer) => sum + layer.count, 0),
        devices: groups().reduce((sum, group) => sum + group.count, 0),
        mode: state.mode,
        log: state.log,
        theme: viewer.root.dataset.theme,
        scale: { ...state.scale },
        sliders: { ...state.sliders },
        step: state.step,
        far: state.far,
        shown: model.drawn.reduce((sum, { layer, visible, hidden }) => sum + (visible ? layer.count - (hidden?.reduce((n, flag) => n + flag, 0) ?? 0) : 0), 0),
        lit: model.drawn.reduce((sum, { lit }) => sum + (lit?.reduce((n, flag) => n + flag, 0) ?? 0), 0),
        opacity: Object.fromEntries(model.drawn.map(({ mesh, opacity }) => [mesh.name, opacity])),
        visible: model.drawn.filter((entry) => entry.visible).map((entry) => entry.mesh.name),
        selection: state.selection?.layer ? plain(state.selection) : (state.selection?.name ?? null),
      };
    },

    /** Draws now and waits for the GPU; returns milliseconds. */
    frame() {
      const start = performance.now();
      stage.drawSharp();
      const context = stage.renderer.getContext();
      context.readPixels(0, 0, 1, 1, context.RGBA, context.UNSIGNED_BYTE, new Uint8Array(4));
      return performance.now() - start;
    },

    /** Mean milliseconds of `count` picks spread over the picture. */
    pickTime(count = 50) {
      const { clientWidth: width, clientHeight: height } = stage.canvas;
      const start = performance.now();
      for (let i = 0; i < count; i++) pickAt(width * ((i * 0.618) % 1), height * ((i + 0.5) / count));
      return (performance.now() - start) / count;
    },
  };
}
