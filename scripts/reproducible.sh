#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the release of the commit that is checked out twice, in two new clones with paths of different length, and compares
# what came of it byte by byte. What differs is named down to the file in the archive; then the exit code is 3.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

for clone in "$work/one" "$work/another/place"; do
    git clone -q --no-hardlinks . "$clone"
    "$clone/scripts/release.sh" "$clone/dist" >/dev/null
done

(cd "$work/one/dist" && sha256sum -- *) >"$work/first"
(cd "$work/another/place/dist" && sha256sum -- *) >"$work/second"
cat "$work/first"
if cmp -s "$work/first" "$work/second"; then
    echo "reproducible: both builds of $(git rev-parse HEAD) gave these bytes"
    exit 0
fi

echo "NOT reproducible; only in one of the builds:" >&2
diff "$work/first" "$work/second" >&2 || true
for clone in one another/place; do
    mkdir "$work/$clone/unpacked"
    (cd "$work/$clone/unpacked" && unzip -q ../dist/*.zip && find . -type f -exec sha256sum {} + | sort -k 2) >"$work/$clone/files"
done
diff "$work/one/files" "$work/another/place/files" >&2 || true
exit 3
