// Prints the reports of Khronos' glTF validator for GLB files as a JSON array.
// Usage: node validate_glb.mjs VALIDATOR_FOLDER FILE...
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, ...files] = process.argv.slice(2);
const validator = createRequire(import.meta.url)(resolve(folder));
const reports = [];
for (const file of files) {
  const bytes = new Uint8Array(await readFile(file));
  reports.push(await validator.validateBytes(bytes, { maxIssues: 0, writeTimestamp: false }));
}
process.stdout.write(JSON.stringify(reports));
