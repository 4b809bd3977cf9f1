#!/usr/bin/env bash
# The kernels against their references, on the emulator of tests/kernels/emulator: no
# GPU, no CUDA, only a C++ compiler; without one this is skipped.
#
# Twice: as fast as that goes; then under AddressSanitizer and UBSan, where they are, with
# threads and blocks in another order and copies made at once.  What the kernels compute
# may not depend on any of it: the digests are equal.
set -euo pipefail
cd "${QUIRE_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/..}"

emulator=tests/kernels/emulator
out=${QUIRE_BUILD_DIR:-build/dev}/kernels
cc=${CC:-cc}
case ${cc##*/} in # the two must be of one make, for the sanitizers' sake
clang*) cxx=${CXX:-${cc/clang/clang++}} ;;
gcc*) cxx=${CXX:-${cc/gcc/g++}} ;;
*) cxx=${CXX:-c++} ;;
esac
command -v "$cxx" >/dev/null || {
	echo "skipped: no C++ compiler ($cxx)"
	exit 77
}

# build NAME FLAG...: a program $out/NAME
build() {
	local name=$1 file

	shift
	rm -rf "$out/$name.o"  # of files that are no more
	mkdir -p "$out/$name.o"
	for file in kernels/*.cu; do
		"$cxx" -std=c++17 "$@" -g -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-pragmas -fno-strict-aliasing \
			-DQUIRE_KERNELS_PTX_CUH -include "$emulator/emulator.h" -x c++ -c "$file" \
			-o "$out/$name.o/$(basename "$file").o"
	done
	for file in "$emulator"/*.cpp; do
		"$cxx" -std=c++17 "$@" -g -ffp-contract=off -Wall -Wextra -Werror -c "$file" \
			-o "$out/$name.o/$(basename "$file").o"
	done
	for file in kernels/*.c tests/kernels/*.c; do
		"$cc" -std=c11 -D_POSIX_C_SOURCE=200809L "$@" -g -ffp-contract=off -Wall -Wextra -Werror -I. \
			-I"$emulator" -c "$file" -o "$out/$name.o/$(basename "$file").o"
	done
	"$cxx" "$@" "$out/$name".o/*.o -o "$out/$name" -lm
}

# digest NAME: run it, show what is wrong, say its digest
digest() {
	"$out/$1" >"$out/$1.log" || {
		grep -v '^ok' "$out/$1.log" >&2
		return 1
	}
	sed -n 's/.* comparisons, 0 bad; digest //p' "$out/$1.log"
}

build fast -O1
first=$(digest fast)
sanitizers=-fsanitize=address,undefined
echo 'int main() { return 0; }' >"$out/empty.cpp"
if "$cxx" "$sanitizers" "$out/empty.cpp" -o "$out/empty" 2>/dev/null && "$out/empty"; then
	build careful -O1 "$sanitizers" -fno-sanitize-recover=all
else
	echo "without sanitizers: $cxx has none"
	build careful -O1
fi
second=$(QUIRE_EMULATOR_ORDER=7 QUIRE_EMULATOR_COPIES=early digest careful)
echo "digests: $first, $second"
[[ -n $first && $first == "$second" ]]
