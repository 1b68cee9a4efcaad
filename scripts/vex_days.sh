#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whether every exception from the scan for vulnerabilities still holds: none is past the day it ends, none is of a day to come.
# Exit code 3 if not. VexTest holds what else an exception has to have.
set -eu
if [ $# -gt 2 ]; then
    echo "usage: scripts/vex_days.sh [<day, today>] [<file, .github/vex.openvex.json>]" >&2
    exit 2
fi
today=${1:-$(date -u +%Y-%m-%d)}
vex=${2:-$(dirname "$0")/../.github/vex.openvex.json}
[ -r "$vex" ] || { echo "cannot read $vex" >&2; exit 2; }

day='[0-9]{4}-[0-9]{2}-[0-9]{2}'
grep -Eo "\"name\" *: *\"[^\"]+|\"timestamp\" *: *\"$day|expires $day" "$vex" | awk -v today="$today" '
    BEGIN { name = "the file" }
    { day = substr($0, length($0) - 9) }
    /^"name"/ { sub(/.*"/, ""); name = $0; next }
    /^expires/ && day < today { print name " expired on " day ": take it away, or renew it with a new timestamp"; bad = 3 }
    /^"timestamp"/ && day > today { print name " is of " day ", a day to come"; bad = 3 }
    END { exit bad }' >&2
