#!/usr/bin/env bash
# The kernels on a GPU, as far as they can be checked there: see kernels/gpu.sh.  Skipped,
# with the reason, where there is no GPU or no nvcc.
set -euo pipefail
cd "${QUIRE_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/..}"
OUT=${QUIRE_BUILD_DIR:-build/dev}/gpu exec tests/kernels/gpu.sh build check sanitize
