#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the profile `ops` needs beside a JDK and Maven: Prometheus and Alertmanager, and libfaketime for clocks that
# are wrong, from Debian's packages.
set -eu
if command -v promtool >/dev/null 2>&1 && command -v prometheus-alertmanager >/dev/null 2>&1 \
    && ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; then
    exit 0
fi
sudo=$([ "$(id -u)" = 0 ] || echo sudo)
$sudo apt-get update -q
$sudo apt-get install -q -y --no-install-recommends prometheus prometheus-alertmanager libfaketime
