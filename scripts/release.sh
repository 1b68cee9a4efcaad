#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds what users download into a directory that is not there yet: the archive, and the SBOM of the jars in it.
# Sign it with attestream release sign. The tests are not run: gates do that.
set -eu
if [ $# -ne 1 ] || [ -e "$1" ]; then
    echo "usage: scripts/release.sh <new directory>" >&2
    exit 2
fi
mkdir -p "$(dirname "$1")"
directory=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")/.."

# One thread, because Quarkus numbers what it generates in the order in which its build steps happen to run.
# shellcheck disable=SC2086 # words are meant to be split
mvn -q -B -ntp -T1 ${ATTESTREAM_MVN_OPTS:-} clean package -DskipTests -Prelease cyclonedx:makeAggregateBom \
    -Dio.quarkus.builder.execution.corePoolSize=1 -Dio.quarkus.builder.execution.maxPoolSize=1
exec ./attestream release assemble --archive cli/target/attestream-[0-9]*.zip --sbom target/bom.json \
    --licences .github/allowed-licences.txt --dir "$directory"
