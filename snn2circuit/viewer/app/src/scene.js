// Renderer, camera and ground. Frames are drawn on demand only: a still picture costs nothing.

import { CircleGeometry, Color, DoubleSide, Mesh, PerspectiveCamera, Scene, ShaderMaterial, Vector2, WebGLRenderer } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

const SLOW = 90; // ms between frames

/**
 * @param {HTMLElement} host  gets the canvas
 * @param {{shy: boolean, still: boolean}} options  a shy view leaves the wheel to the page around it until it is clicked;
 *   a still one stops at once when the mouse is let go
 */
export function makeScene(host, { shy, still }) {
  const renderer = new WebGLRenderer({ antialias: true, alpha: true, powerPreference: "high-performance" });
  const fullRatio = Math.min(window.devicePixelRatio, 2);
  renderer.setPixelRatio(fullRatio);
  const canvas = renderer.domElement;
  canvas.className = "s2c-canvas";
  canvas.tabIndex = 0;
  canvas.setAttribute("aria-label", "3D view of the stack; press ? for the keys");
  host.append(canvas);
  host.addEventListener("wheel", (event) => shy && document.activeElement !== canvas && event.stopPropagation(), { capture: true });

  const scene = new Scene();
  const camera = new PerspectiveCamera(28, 1, 0.1, 1000);
  const controls = new OrbitControls(camera, canvas);
  Object.assign(controls, { enableDamping: !still, dampingFactor: 0.12, zoomToCursor: true, screenSpacePanning: true, rotateSpeed: 0.8 });
  const ground = makeGround();
  scene.add(ground.mesh);

  const listeners = new Set();
  let wanted = true;
  let reach = 100;
  let shift = [0, 0];
  const size = new Vector2();

  const resize = () => {
    const { clientWidth: width, clientHeight: height } = host;
    if (width === 0 || height === 0) return;
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    frameUp();
  };
  const frameUp = () => {
    camera.setViewOffset(host.clientWidth, host.clientHeight, -shift[0], -shift[1], host.clientWidth, host.clientHeight);
    wanted = true;
  };
  new ResizeObserver(resize).observe(host);
  resize();
  controls.addEventListener("change", () => (wanted = true));

  const draw = () => {
    const distance = camera.position.distanceTo(controls.target);
    camera.near = Math.max(distance / 200, (distance - 4 * reach) / 2);
    camera.far = distance + 6 * reach;
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
    ground.setDistance(distance, reach);
    for (const listener of listeners) listener();
    renderer.render(scene, camera);
  };
  const drawSharp = () => {
    slow = 0;
    clearTimeout(sharpen);
    if (renderer.getPixelRatio() !== fullRatio) renderer.setPixelRatio(fullRatio);
    draw();
  };

  // Where frames are slow (no GPU), a moving picture is drawn coarser and made sharp once it stands still.
  let slow = 0; // ms between frames, averaged
  let last = 0; // when the last frame was drawn, 0 if the picture stood still since
  let sharpen = 0;
  const frame = (now) => {
    controls.update();
    const moving = wanted && last > 0;
    if (moving) slow = 0.7 * slow + 0.3 * (now - last);
    last = wanted ? now : 0;
    if (!wanted) return;
    wanted = false;
    if (slow > SLOW && renderer.getPixelRatio() === fullRatio) renderer.setPixelRatio(fullRatio / 2);
    draw();
    clearTimeout(sharpen);
    if (renderer.getPixelRatio() !== fullRatio) sharpen = setTimeout(drawSharp, 300);
  };
  renderer.setAnimationLoop(frame);

  return {
    renderer,
    scene,
    camera,
    controls,
    canvas,
    ground,
    drawSharp,

    /** Ask for a new frame. */
    invalidate() {
      wanted = true;
    },

    /** Moves the picture right and down by so many CSS pixels, out from under what lies over it. */
    setShift(...pixels) {
      shift = pixels;
      frameUp();
    },

    /** Called before each frame with the camera already up to date. */
    onFrame(listener) {
      listeners.add(listener);
    },

    /** Where the camera stands around what it looks at: distance, polar angle, azimuth, and the target; six numbers. */
    standpoint: () => [controls.getDistance(), controls.getPolarAngle(), controls.getAzimuthalAngle(), ...controls.target.toArray()],

    /** CSS pixels that a millimetre takes at the centre of the orbit. */
    pixelsPerMm() {
      return host.clientHeight / (2 * Math.tan((camera.fov * Math.PI) / 360) * camera.position.distanceTo(controls.target));
    },

    /** Half the diagonal of what is shown, in mm: the scene's own measure for near and far. */
    setReach(value) {
      reach = value;
      controls.minDistance = value / 2000;
      controls.maxDistance = value * 12;
    },

    /** The part of a polygon that lies in front of the camera; world coordinates in and out. */
    inFront(corners) {
      const depth = (point) => point.clone().applyMatrix4(camera.matrixWorldInverse).z + camera.near;
      const depths = corners.map(depth);
      return corners.flatMap((corner, i) => {
        const next = (i + 1) % corners.length;
        const kept = depths[i] < 0 ? [corner] : [];
        if (depths[i] < 0 === depths[next] < 0) return kept;
        return [...kept, corner.clone().lerp(corners[next], depths[i] / (depths[i] - depths[next]))];
      });
    },

    /** CSS pixels of a point in world coordinates; `behind` if it lies behind the camera. */
    project(point) {
      const view = point.clone().project(camera);
      renderer.getSize(size);
      return { x: ((view.x + 1) / 2) * size.x, y: ((1 - view.y) / 2) * size.y, behind: view.z > 1 };
    },

  };
}

/** A grid in millimetres that fades out around the stack; line distance follows the zoom by decades. */
function makeGround() {
  const material = new ShaderMaterial({
    transparent: true,
    depthWrite: false,
    side: DoubleSide,
    uniforms: {
      step: { value: 10 },
      radius: { value: 100 },
      centre: { value: new Vector2() },
      line: { value: new Color() },
      strength: { value: 0.35 },
    },
    vertexShader: `
      varying vec2 place;
      void main() {
        vec4 world = modelMatrix * vec4(position, 1.0);
        place = world.xz;
        gl_Position = projectionMatrix * viewMatrix * world;
      }`,
    fragmentShader: `
      varying vec2 place;
      uniform float step;
      uniform float radius;
      uniform vec2 centre;
      uniform vec3 line;
      uniform float strength;
      float grid(float size) {
        vec2 at = place / size;
        vec2 width = fwidth(at);
        vec2 near = abs(fract(at - 0.5) - 0.5) / width;
        float seen = 1.0 - smoothstep(0.15, 0.5, max(width.x, width.y));
        return (1.0 - min(min(near.x, near.y), 1.0)) * seen;
      }
      void main() {
        float fade = 1.0 - smoothstep(0.35, 1.0, distance(place, centre) / radius);
        float amount = max(0.4 * grid(step), grid(10.0 * step));
        gl_FragColor = vec4(line, amount * fade * strength);
      }`,
  });
  const mesh = new Mesh(new CircleGeometry(1, 48), material);
  mesh.rotation.x = -Math.PI / 2;
  mesh.renderOrder = -1;
  const { uniforms } = material;
  return {
    mesh,

    /** Distance of the heavy lines, mm. */
    get step() {
      return 10 * uniforms.step.value;
    },

    setDistance(distance, reach) {
      const decade = 10 ** Math.round(Math.log10(Math.min(distance, 6 * reach) / 6));
      uniforms.step.value = decade / 10;
      uniforms.radius.value = 2.3 * reach;
      mesh.scale.setScalar(uniforms.radius.value);
    },

    setTheme(dark) {
      uniforms.line.value.set(dark ? 0x7f95b8 : 0x5b6b85).convertLinearToSRGB();
      uniforms.strength.value = dark ? 0.26 : 0.2;
    },

    setHeight(y) {
      mesh.position.y = y;
    },
  };
}
