// Bundles src/ and three.js into one classic script and copies the style sheet; `node build.mjs FOLDER` writes elsewhere.
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const app = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(app, "..", "static");
const three = JSON.parse(await readFile(join(app, "node_modules/three/package.json"), "utf8"));
const licence = await readFile(join(app, "node_modules/three/LICENSE"), "utf8");
const banner = `/*! snn2circuit viewer, GPL-3.0-or-later. Built from snn2circuit/viewer/app; contains three.js ${three.version}:
${licence.replaceAll("*/", "* /").trim()} */`;

await mkdir(target, { recursive: true });
await build({
  absWorkingDir: app,
  entryPoints: ["src/main.js"],
  outfile: join(target, "viewer.js"),
  bundle: true,
  minify: true,
  treeShaking: true,
  format: "iife",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "inline",
  banner: { js: banner },
  logLevel: "warning",
});
await copyFile(join(app, "src/style.css"), join(target, "viewer.css"));
await copyFile(join(app, "src/index.html"), join(target, "index.html"));
