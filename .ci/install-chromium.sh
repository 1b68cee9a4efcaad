#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the browser in which the profile `ops` opens the page /ops: Chromium and its driver, from Debian's packages.
set -eu
if command -v chromium >/dev/null 2>&1 && command -v chromedriver >/dev/null 2>&1; then
    exit 0
fi
sudo=$([ "$(id -u)" = 0 ] || echo sudo)
$sudo apt-get update -q
$sudo apt-get install -q -y --no-install-recommends chromium chromium-driver fonts-dejavu-core
