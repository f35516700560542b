// Where the camera stands: standard views, home, and a fit to any box, with a short move in between.

import { Box3, Spherical, Vector3 } from "three";

/** Direction from the stack to the camera in world coordinates (y up; +x of the layout is right, +y is away). */
export const VIEWS = {
  iso: [0.62, 0.72, 1],
  top: [0, 1, 0],
  bottom: [0, -1, 0],
  front: [0, 0, 1],
  back: [0, 0, -1],
  left: [-1, 0, 0],
  right: [1, 0, 0],
};

const MOVE = 420; // ms

/** @param {{inset: () => object, still: () => boolean}} options  pixels covered at each side; whether to move at once */
export function makeViews(stage, { inset, still }) {
  const { camera, controls } = stage;
  let move = null;

  /** Looks at a world box from a direction (the present one by default) so that it fills the free part of the picture. */
  function fit(box, direction = null, margin = 1.06, instant = still()) {
    const target = box.getCenter(new Vector3());
    const way = direction ? new Vector3(...direction).normalize() : camera.position.clone().sub(controls.target).normalize();
    go(target, way, distanceFor(box, target, way) * margin, instant);
  }

  function distanceFor(box, target, way) {
    const right = new Vector3(0, 1, 0).cross(way);
    if (right.lengthSq() < 1e-6) right.set(1, 0, 0);
    right.normalize();
    const up = way.clone().cross(right);
    const { left, top, bottom, width, height } = inset();
    const half = Math.tan((camera.fov * Math.PI) / 360) / height;
    const tall = half * Math.max(0.4 * height, height - top - bottom);
    const wide = half * Math.max(0.4 * width, width - left);
    let distance = 0;
    for (let bits = 0; bits < 8; bits++) {
      const corner = new Vector3(bits & 1 ? box.max.x : box.min.x, bits & 2 ? box.max.y : box.min.y, bits & 4 ? box.max.z : box.min.z).sub(target);
      const depth = corner.dot(way);
      distance = Math.max(distance, Math.abs(corner.dot(right)) / wide + depth, Math.abs(corner.dot(up)) / tall + depth);
    }
    return Math.max(distance, controls.minDistance);
  }

  function go(target, way, distance, instant) {
    const from = { target: controls.target.clone(), offset: new Spherical().setFromVector3(camera.position.clone().sub(controls.target)) };
    const to = { target, offset: new Spherical().setFromVector3(way.clone().multiplyScalar(distance)) };
    to.offset.makeSafe();
    if (from.offset.radius < 1e-9 || instant) return put(to.target, to.offset);
    const turn = to.offset.theta - from.offset.theta;
    to.offset.theta = from.offset.theta + Math.atan2(Math.sin(turn), Math.cos(turn));
    cancelAnimationFrame(move);
    const start = performance.now();
    const step = (now) => {
      const t = Math.min(1, (now - start) / MOVE);
      const ease = 1 - (1 - t) ** 3;
      const at = (a, b) => a + (b - a) * ease;
      put(
        from.target.clone().lerp(to.target, ease),
        new Spherical(from.offset.radius * (to.offset.radius / from.offset.radius) ** ease, at(from.offset.phi, to.offset.phi), at(from.offset.theta, to.offset.theta)),
      );
      if (t < 1) move = requestAnimationFrame(step);
    };
    move = requestAnimationFrame(step);
  }

  function put(target, offset) {
    controls.target.copy(target);
    camera.position.setFromSpherical(offset).add(target);
    controls.update();
    camera.updateMatrixWorld();
    stage.invalidate();
  }

  controls.addEventListener("start", () => cancelAnimationFrame(move));

  return {
    fit,

    /** Goes to a standpoint of the stage at once. */
    stand(numbers) {
      put(new Vector3().fromArray(numbers, 3), new Spherical(...numbers.slice(0, 3)).makeSafe());
    },
  };
}

/** World box of a drawn box (z up in, y up out). */
export const worldBox = ([x0, y0, z0, x1, y1, z1]) => new Box3(new Vector3(x0, z0, -y1), new Vector3(x1, z1, -y0));

/** World point of a drawn point. */
export const worldPoint = ([x, y, z]) => new Vector3(x, z, -y);
