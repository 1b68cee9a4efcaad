#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Verifies a signed release, with attestream and with tools of others, and then sees that everything is refused that was
# tampered with, is signed by another key, or was built of another commit: a verifier that refuses nothing verifies nothing.
set -eu
if [ $# -ne 4 ]; then
    echo "usage: scripts/release_controls.sh <dir> <public key> <commit> <builder>" >&2
    exit 2
fi
dist=$1 key=$2 commit=$3 builder=$4
attestream=$(cd "$(dirname "$0")/.." && pwd)/attestream
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

verify() {
    "$attestream" release verify --dir "$1" --key "$2" --commit "$3" --builder "$4"
}

verify "$dist" "$key" "$commit" "$builder"
base64 -d <"$dist/SHA256SUMS.sig" >"$work/signature"
openssl dgst -sha256 -verify "$key" -signature "$work/signature" "$dist/SHA256SUMS"
(cd "$dist" && sha256sum --quiet --strict -c SHA256SUMS)

# refused <what> <dir> <public key> <commit> <builder>: verification has to end with 3, and with nothing else.
refused() {
    what=$1
    shift
    code=0
    verify "$@" >"$work/out" 2>&1 || code=$?
    if [ "$code" -ne 3 ]; then
        echo "NOT REFUSED, exit code $code: $what" >&2
        cat "$work/out" >&2
        exit 1
    fi
    echo "refused: $what"
}

copy() {
    rm -rf "$work/copy"
    cp -R "$dist" "$work/copy"
}

for name in $(cd "$dist" && ls | grep -v sigstore); do
    copy
    at=$(($(wc -c <"$dist/$name") / 2))
    byte=$(od -An -tu1 -j "$at" -N 1 "$dist/$name")
    # shellcheck disable=SC2059 # an octal escape is the byte
    printf "\\$(printf %03o $(((byte + 1) % 256)))" | dd of="$work/copy/$name" bs=1 seek="$at" conv=notrunc 2>/dev/null
    refused "one other byte in $name" "$work/copy" "$key" "$commit" "$builder"
    copy
    rm "$work/copy/$name"
    refused "$name missing" "$work/copy" "$key" "$commit" "$builder"
done

copy
echo "echo hello" >"$work/copy/install.sh"
refused "a file beside" "$work/copy" "$key" "$commit" "$builder"

openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/other.pem"
copy
rm "$work/copy"/SHA256SUMS* "$work/copy"/*.intoto.jsonl
"$attestream" release sign --dir "$work/copy" --key "$work/other.pem" --commit "$commit" --builder "$builder" \
    --repository https://example.com/other >/dev/null
refused "signed by another key" "$work/copy" "$key" "$commit" "$builder"

refused "another commit" "$dist" "$key" "$(echo "$commit" | tr 0-9a-f 1-9a-f0)" "$builder"
refused "another builder" "$dist" "$key" "$commit" "$builder-of-another"
