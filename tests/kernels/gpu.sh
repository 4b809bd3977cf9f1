#!/usr/bin/env bash
# Everything that needs a GPU, in one go: build with nvcc alone, check every op, check
# again under compute-sanitizer, then time.  Exits with 77 where there is no GPU.
#
#	tests/kernels/gpu.sh [build] [check] [sanitize] [bench]		all, if none is named
#
# Builds for one kind of GPU and with nothing but nvcc and a C compiler, so that it can be
# sent to a machine that has no more.  OUT is the folder for programs and logs (build/gpu); SECONDS_MAX the limit of each
# part; ARCH the GPU that is built for (90); JOBS compilers at one time (all cores).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

out=${OUT:-build/gpu} limit=${SECONDS_MAX:-150} arch=${ARCH:-90} jobs=${JOBS:-$(nproc)}
cuda=${CUDA_HOME:-/usr/local/cuda}
nvcc=$(command -v nvcc || echo "$cuda/bin/nvcc")
sanitizer=$(command -v compute-sanitizer || echo "$cuda/bin/compute-sanitizer")
parts=${*:-build check sanitize bench}
failed=0

wants() {
	[[ " $parts " == *" $1 "* ]]
}

# Run a part under its limit; its last lines are shown, all of it is in a log.
part() {
	local name=$1 lines=$2 start=$SECONDS rc=0

	shift 2
	timeout -k 5 "$limit" "$@" >"$out/$name.log" 2>&1 || rc=$?
	echo "== $name: exit $rc after $((SECONDS - start)) s"
	if ((rc == 77)); then
		cat "$out/$name.log"
		exit 77
	elif ((rc != 0)); then
		failed=1
		grep -nE 'BAD|expected|Error|ERROR|error|wrong|bench:|kernels:' "$out/$name.log" |
			head -20
	fi
	tail -n "$lines" "$out/$name.log"
}

compile() {
	local file kind flags=(-O2 -D_POSIX_C_SOURCE=200809L -std=c11 -I. -isystem "$cuda/include")

	{
		for file in kernels/*.cu; do
			kind=$arch
			[[ $file != kernels/gemm.cu ]] || kind=90a
			echo "$nvcc -O3 -std=c++17 -lineinfo -Xptxas -v -gencode" \
				"arch=compute_$kind,code=sm_$kind -c $file -o $out/o/$(basename "$file").o"
		done
		for file in kernels/*.c tests/kernels/*.c; do
			echo "cc ${flags[*]} -c $file -o $out/o/$(basename "$file").o"
		done
		for file in tests/bench/kernels/*.c; do
			echo "cc ${flags[*]} -c $file -o $out/o/bench_$(basename "$file").o"
		done
	} | xargs -P "$jobs" -I COMMAND bash -c COMMAND || return
	"$nvcc" -o "$out/check" "$out"/o/*.cu.o "$out"/o/{*_ref,*_plan,check*}.c.o -lm &&
		"$nvcc" -o "$out/bench" "$out"/o/*.cu.o "$out"/o/{*_ref,*_plan,bench_*}.c.o \
			-lcublasLt -lm
}

if [[ $parts != build ]] && ! [[ -e /dev/nvidiactl ]] && ! nvidia-smi -L >/dev/null 2>&1; then
	echo "skipped: no NVIDIA GPU on this machine"
	exit 77
elif wants build && ! [[ -x $nvcc ]]; then
	echo "skipped: no nvcc, neither in PATH nor in $cuda/bin"
	exit 77
fi
mkdir -p "$out/o"
if wants build; then
	start=$SECONDS
	compile >"$out/build.log" 2>&1 || {
		cat "$out/build.log"
		exit 1
	}
	echo "== build: $((SECONDS - start)) s"
	grep -E 'spill' "$out/build.log" | grep -vE ' 0 bytes spill stores, 0 bytes spill loads'
fi
if wants check; then
	part check 3 "$out/check"
fi
if wants sanitize; then
	if [[ -x $sanitizer ]]; then
		for tool in memcheck racecheck synccheck; do
			part "$tool" 2 "$sanitizer" --tool "$tool" --error-exitcode 1 "$out/check"
		done
	else
		echo "== sanitize: skipped, there is no compute-sanitizer"
	fi
fi
if wants bench; then
	part bench 200 "$out/bench"
fi
exit "$failed"
