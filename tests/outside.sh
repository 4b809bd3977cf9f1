#!/usr/bin/env bash
# Install quire, then build a scheduler that knows only what was installed, by
# CMake and by pkg-config, and run it.
set -euo pipefail

: "${QUIRE_BUILD_DIR:?}" "${QUIRE_SOURCE_DIR:?}"
outside=$QUIRE_SOURCE_DIR/tests/outside
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

check_module() {
	"$temp/usr/bin/quire" sim --workload demo --requests 200 --model llama-3-8b --gpu a100-80g \
		--scheduler "./shortest.so" --allocator paged --json - >report.json
	tr -d ' \n' <report.json | grep -q '"requests":{[^}]*"finished":200[,}]' || {
		echo "not all of the 200 requests finished: see the report" >&2
		cat report.json >&2
		exit 1
	}
}

cmake --install "$QUIRE_BUILD_DIR" --prefix "$temp/usr" >/dev/null
# All four are where a packager expects them, or ls fails.
(cd "$temp/usr" && ls -d bin/quire include/quire/plugin.h lib*/cmake/quire lib*/pkgconfig)

echo "with CMake:"
cmake -S "$outside" -B "$temp/cmake" -DCMAKE_PREFIX_PATH="$temp/usr" >/dev/null
cmake --build "$temp/cmake" >/dev/null
cd "$temp/cmake"
check_module

echo "with pkg-config:"
PKG_CONFIG_PATH=$(dirname "$(find "$temp/usr" -name quire.pc)")
export PKG_CONFIG_PATH
mkdir "$temp/plain"
cd "$temp/plain"
flags=$(pkg-config --cflags quire)
# shellcheck disable=SC2086
"${CC:-cc}" -shared -fPIC $flags "$outside/shortest.c" -o shortest.so
check_module
