#!/usr/bin/env bash
# Puts Khronos' glTF validator, which the tests judge our GLB files with, into .cache/node. Does nothing when the
# pinned version is already there.
set -euo pipefail

cd "$(dirname "$0")/.."
package=gltf-validator
version=2.0.0-dev.3.10
folder=.cache/node
manifest=$folder/node_modules/$package/package.json

[[ -r $manifest ]] && grep -q "\"version\": *\"$version\"" "$manifest" && exit 0

command -v npm >/dev/null || {
    echo "fetch_node_tools: npm is missing; on Debian: sudo apt-get install npm" >&2
    exit 1
}
echo "fetch_node_tools: installing $package $version into $folder"
mkdir -p "$folder"
# npm installs into the nearest folder upwards that has a package.json; this one keeps it here.
[[ -e $folder/package.json ]] || echo '{"private": true}' >"$folder/package.json"
npm install --prefix "$folder" --no-audit --no-fund --save-exact "$package@$version" </dev/null
grep -q "\"version\": *\"$version\"" "$manifest" || {
    echo "fetch_node_tools: npm reports success, but $manifest does not name version $version" >&2
    exit 1
}
