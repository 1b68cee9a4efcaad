#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The restore drill, for schedulers: takes the options of attestream drill restore.
exec "$(dirname "$0")/../attestream" drill restore "$@"
