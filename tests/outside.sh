#!/usr/bin/env bash
# Install quire, then build a scheduler and an allocator that know only what was
# installed, by CMake and by pkg-config, and run them.
set -euo pipefail

: "${QUIRE_BUILD_DIR:?}" "${QUIRE_SOURCE_DIR:?}"
outside=$QUIRE_SOURCE_DIR/tests/outside
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# Run $requests requests with more arguments; the report is in report.json.
requests=60
run() {
	"$temp/usr/bin/quire" sim --workload demo --requests $requests --model llama-3-8b \
		--gpu a100-80g --kv-slots 20000 --max-model-len 4200 --audit --json - "$@" >report.json
	tr -d ' \n' <report.json | grep -q '"requests":{[^}]*"finished":'$requests'[,}]' || {
		echo "not all of the $requests requests finished: see the report" >&2
		cat report.json >&2
		exit 1
	}
}

digest() {
	sed -n 's/.*"digest": "\(.*\)".*/\1/p' report.json
}

check_modules() {
	local decisions

	run --scheduler ./shortest.so --allocator paged
	# Equal parts are what first fit makes of equal reservations: the same decisions.
	run --scheduler ./shortest.so --allocator ./partition.so --samples 2
	decisions=$(digest)
	run --scheduler ./shortest.so --allocator contiguous,place=first --samples 2
	[[ -n $decisions && $decisions == "$(digest)" ]] || {
		echo "partition.so decides otherwise than contiguous,reserve=max,place=first" >&2
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
check_modules

echo "with pkg-config:"
PKG_CONFIG_PATH=$(dirname "$(find "$temp/usr" -name quire.pc)")
export PKG_CONFIG_PATH
mkdir "$temp/plain"
cd "$temp/plain"
flags=$(pkg-config --cflags quire)
for name in shortest partition; do
	# shellcheck disable=SC2086
	"${CC:-cc}" -shared -fPIC $flags "$outside/$name.c" -o "$name.so"
done
check_modules
