// Many boxes (or pillars) in one draw call. The shapes of a layer lie in a texture of two texels each; the vertex shader
// fetches its shape and builds only the three faces that the camera can see. Compared with one small mesh drawn many
// times this halves the vertices, takes 32 bytes a shape instead of 76, and keeps software renderers usable.
//
// Light is part of the material: faces that look up show exactly their colour, so that a legend can be trusted; sides
// are darker by their direction, and conductors add a soft highlight.

import { BufferAttribute, DataTexture, DoubleSide, FloatType, InstancedBufferGeometry, Mesh, NearestFilter, RGBAFormat, ShaderMaterial, Sphere, Vector3, Vector4 } from "three";

const WIDTH = 1024; // texels in a row of the texture
const BATCH = 256; // shapes an instance of the drawing call draws
const SIDES = 24; // of a pillar
const EVERYWHERE = 1e30; // single precision has no infinity that shaders must know
const GLOW = new Vector3(1, 0.32, 0); // linear, of shapes that carry a spike

const vertexShader = `
uniform highp sampler2D shapes;
uniform int count;
uniform int corners;
uniform vec3 eye;
uniform float shine;
uniform vec4 veil;
uniform vec3 cutLow;
uniform vec3 cutHigh;
uniform vec3 glow;
varying vec3 shade;
varying vec2 across;

const vec2 QUAD[6] = vec2[6](vec2(0, 0), vec2(1, 0), vec2(1, 1), vec2(0, 0), vec2(1, 1), vec2(0, 1));

vec3 unpack(float value) {
  float blue = floor(value / 65536.0);
  float green = floor((value - blue * 65536.0) / 256.0);
  vec3 srgb = vec3(value - blue * 65536.0 - green * 256.0, green, blue) / 255.0;
  return mix(srgb / 12.92, pow((srgb + 0.055) / 1.055, vec3(2.4)), step(0.04045, srgb));
}

vec3 lit(vec3 color, vec3 normal, vec3 view, float glowing) {
  float side = 0.5 + 0.2 * abs(normal.x) + 0.16 * max(dot(normal, view), 0.0);
  float light = normal.z > 0.5 ? 1.0 : normal.z < -0.5 ? 0.62 : side;
  vec3 lamp = normalize(vec3(-0.35, 0.45, 0.82));
  float gloss = pow(max(dot(normal, normalize(lamp + view)), 0.0), 24.0);
  vec3 linear = mix(mix(color, veil.rgb, veil.a), glow, glowing) * light + shine * gloss;
  return mix(linear * 12.92, 1.055 * pow(linear, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, linear));
}

// A point of the unit circle beyond a plane moves onto the chord that the plane cuts.
void onto(inout vec2 rim, inout vec3 facing, int axis, vec2 least, vec2 most) {
  float place = clamp(rim[axis], least[axis], most[axis]);
  if (place == rim[axis]) return;
  int other = 1 - axis;
  float chord = sqrt(1.0 - place * place);
  facing = vec3(0.0);
  facing[axis] = sign(rim[axis] - place);
  rim[axis] = place;
  rim[other] = clamp(rim[other], max(-chord, least[other]), min(chord, most[other]));
}

void main() {
  int number = int(position.x);
  int shape = gl_InstanceID * ${BATCH} + number / corners;
  int corner = number % corners;
  gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
  if (shape >= count) return;
  ivec2 at = ivec2((2 * shape) % ${WIDTH}, (2 * shape) / ${WIDTH});
  vec4 plan = texelFetch(shapes, at, 0);
  vec4 rise = texelFetch(shapes, at + ivec2(1, 0), 0);
  if (rise.w == 1.0) return;
  vec3 low = vec3(plan.xy, max(rise.x, cutLow.z));
  vec3 high = vec3(plan.zw, min(rise.y, cutHigh.z));
#ifdef ROUND
  // In units of the radii: the planes, and what stays nearest to the axis.
  vec2 middle = (plan.xy + plan.zw) / 2.0;
  vec2 radii = (plan.zw - plan.xy) / 2.0;
  vec2 least = clamp((cutLow.xy - middle) / radii, -1.0, 1.0);
  vec2 most = clamp((cutHigh.xy - middle) / radii, -1.0, 1.0);
  vec2 core = clamp(vec2(0.0), least, most);
  if (dot(core, core) >= 1.0) return;
#else
  low.xy = max(low.xy, cutLow.xy);
  high.xy = min(high.xy, cutHigh.xy);
#endif
  if (any(greaterThan(low, high))) return;
  vec3 point;
  vec3 facing = vec3(0.0);
#ifdef ROUND
  bool cap = corner >= ${6 * SIDES};
  int part = cap ? (corner - ${6 * SIDES}) % 3 : corner % 6;
  int slice = cap ? (corner - ${6 * SIDES}) / 3 : corner / 6;
  float step_ = cap ? float(part == 2) : QUAD[part].x;
  float angle = (float(slice) + step_) * ${(2 * Math.PI) / SIDES};
  vec2 rim = vec2(cos(angle), sin(angle));
  facing = vec3(rim, 0.0);
  onto(rim, facing, 0, least, most);
  onto(rim, facing, 1, least, most);
  if (cap && part == 0) rim = core;
  bool above = eye.z > high.z;
  point = vec3(middle + radii * rim, cap ? (above ? high.z : low.z) : mix(low.z, high.z, QUAD[part].y));
  if (cap) facing = vec3(0.0, 0.0, above ? 1.0 : -1.0);
  across = vec2(0.5);
#else
  int axis = 2 - corner / 6;
  across = QUAD[corner % 6];
  if (eye[axis] >= low[axis] && eye[axis] <= high[axis]) return;
  bool far = eye[axis] > high[axis];
  int u = (axis + 1) % 3;
  int v = (axis + 2) % 3;
  point[axis] = far ? high[axis] : low[axis];
  point[u] = mix(low[u], high[u], across.x);
  point[v] = mix(low[v], high[v], across.y);
  facing[axis] = far ? 1.0 : -1.0;
#endif
  shade = lit(unpack(rise.z), facing, normalize(eye - point), float(rise.w == 2.0));
  gl_Position = projectionMatrix * modelViewMatrix * vec4(point, 1.0);
}`;

const fragmentShader = `
uniform float opacity;
varying vec3 shade;
varying vec2 across;

void main() {
  vec2 pixel = max(fwidth(across), 1e-5); // a pillar has no edges to draw: 0 would divide
  vec2 inside = min(across, 1.0 - across) / pixel;
  float size = 1.0 - smoothstep(0.03, 0.09, max(pixel.x, pixel.y));
  float edge = (1.0 - smoothstep(0.4, 1.4, min(inside.x, inside.y))) * size;
  gl_FragColor = vec4(shade * (1.0 - 0.16 * edge), opacity + edge * (1.0 - opacity) * 0.35);
}`;

/**
 * @param {number} count
 * @param {{opacity: number, shine: number, round: boolean, behind: boolean}} look  `behind` loses against coplanar faces
 */
export function makeShapes(count, boxes, { opacity, shine, round, behind }) {
  const corners = round ? 9 * SIDES : 18;
  const texels = new Float32Array(4 * WIDTH * Math.ceil((2 * count) / WIDTH));
  const texture = new DataTexture(texels, WIDTH, texels.length / (4 * WIDTH), RGBAFormat, FloatType);
  texture.minFilter = texture.magFilter = NearestFilter;
  for (let i = 0; i < count; i++) {
    texels.set([boxes[6 * i], boxes[6 * i + 1], boxes[6 * i + 3], boxes[6 * i + 4]], 8 * i);
  }

  const batch = Math.min(BATCH, count);
  const geometry = new InstancedBufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(Float32Array.from({ length: batch * corners }, (_, i) => i), 1));
  geometry.instanceCount = Math.ceil(count / BATCH);

  geometry.boundingSphere = new Sphere(new Vector3(), 1);

  const eye = new Vector3();
  const material = new ShaderMaterial({
    vertexShader,
    fragmentShader,
    side: DoubleSide,
    defines: round ? { ROUND: 1 } : {},
    uniforms: { shapes: { value: texture }, count: { value: count }, corners: { value: corners }, eye: { value: eye }, opacity: { value: opacity }, shine: { value: shine }, veil: { value: new Vector4(0, 0, 0, 0) }, cutLow: { value: new Vector3() }, cutHigh: { value: new Vector3() }, glow: { value: GLOW } },
    transparent: opacity < 1,
    depthWrite: opacity === 1,
    polygonOffset: behind,
    polygonOffsetFactor: 1,
    polygonOffsetUnits: 4,
  });
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  mesh.onBeforeRender = (renderer, scene, camera) => mesh.worldToLocal(eye.setFromMatrixPosition(camera.matrixWorld));

  return {
    mesh,

    /** From afar, where a shape is a few pixels wide, its upper face says it all. */
    setDistant(distant) {
      const used = distant && !round ? 6 : corners;
      material.uniforms.corners.value = used;
      geometry.setDrawRange(0, batch * used);
    },

    /** Mixes the colours with `color` by `amount`, so that something else can stand out. */
    setVeil(color, amount) {
      material.uniforms.veil.value.set(color.r, color.g, color.b, amount);
      material.uniforms.shine.value = shine * (1 - amount);
    },

    /** Draws only what lies inside a box of drawn coordinates. */
    setCut(box) {
      const finite = box.map((value) => Math.min(EVERYWHERE, Math.max(-EVERYWHERE, value)));
      material.uniforms.cutLow.value.fromArray(finite);
      material.uniforms.cutHigh.value.fromArray(finite, 3);
    },

    setOpacity(value) {
      material.uniforms.opacity.value = value;
      material.transparent = value < 1;
      material.depthWrite = value === 1;
      material.needsUpdate = true;
    },

    /** @param {(i: number) => number} flagOf 0 as usual, 1 not drawn, 2 glowing */
    setFlags(flagOf) {
      for (let i = 0; i < count; i++) texels[8 * i + 7] = flagOf(i);
      texture.needsUpdate = true;
    },

    /** @param {Float32Array} heights (count, 2) drawn z of bottom and top */
    setHeights(heights) {
      for (let i = 0; i < count; i++) {
        texels[8 * i + 4] = heights[2 * i];
        texels[8 * i + 5] = heights[2 * i + 1];
      }
      texture.needsUpdate = true;
    },

    /** @param {(i: number) => number} colorOf sRGB of a shape as 0xbbggrr */
    setColors(colorOf) {
      for (let i = 0; i < count; i++) texels[8 * i + 6] = colorOf(i);
      texture.needsUpdate = true;
    },
  };
}
