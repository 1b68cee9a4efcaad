# SPDX-License-Identifier: Apache-2.0
# The restore drill, for schedulers: takes the options of attestream drill restore.
& sh (Join-Path $PSScriptRoot '../attestream') drill restore @args
exit $LASTEXITCODE
