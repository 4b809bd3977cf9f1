#!/usr/bin/env bash
# The cuda executor where there is no GPU: its host code and its kernels, whole, on the
# emulator of tests/kernels/emulator.  Without a C++ compiler this is skipped.
#
#	tests/cuda_emulated.sh [MODEL...]	of test_agreement: qwen2, if none is named
#
# Builds quire with QUIRE_CUDA=EMULATED; compares what it says with what the cpu executor
# says; serves some requests and lets the simulator take the recorded decisions again; then
# compares logits and tokens with those of transformers.  Streams work as late as waits
# allow, or at once.  With sanitizers ($QUIRE_SANITIZE; as the build whose test this is) the
# last part takes minutes, and is left out unless a model is named.
set -euo pipefail
cd "${QUIRE_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/..}"
export QUIRE_SOURCE_DIR=$PWD

build=${QUIRE_BUILD_DIR:-build/dev}
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
sanitizers=${QUIRE_SANITIZE-$(sed -n 's/^QUIRE_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt" \
	2>/dev/null || true)}
out=$build/emulated
"${CMAKE:-cmake}" -S . -B "$out" -DQUIRE_CUDA=EMULATED -DQUIRE_SDL=OFF -DQUIRE_MPI=OFF \
	-DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	-DCMAKE_C_FLAGS_RELWITHDEBINFO="-O2 -g" -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -g" \
	-DQUIRE_WERROR=ON -DQUIRE_SANITIZE="$sanitizers" -DQUIRE_TESTS=ON >/dev/null
"${CMAKE:-cmake}" --build "$out" --target quire test_agreement >"$out/build.log" || {
	cat "$out/build.log" >&2
	exit 1
}
out=$(cd "$out" && pwd)
quire=$out/quire
cd "$out"

# run EXEC: what follows some beginnings, as greedy as can be; the second is long enough
# for its keys to be shared by blocks, and there is no room for all
tale='Once upon a time there was a little girl who lived in a small house near the forest'
tale+=' with her mother, her father, two brothers and a big brown dog. Every day'
run() {
	"$quire" run --exec "$1" --model "$QUIRE_SOURCE_DIR/labs/models/tiny" \
		--prompt "$tale" --prompt "$tale $tale $tale $tale $tale $tale" --prompt Lily \
		--temperature 0 --max-tokens 8 --scheduler splitfuse,budget=16 --max-num-seqs 3 \
		--allocator paged,block=1 --kv-slots 300 2>run.log || {
		cat run.log >&2
		return 1
	}
}

# bench COUNT ALLOCATOR FLAG...: requests of several samples; then the simulator takes the
# recorded decisions again.  COUNT is a figure of the report that may not be 0.
bench() {
	local model=$QUIRE_SOURCE_DIR/tests/fixtures/models/llama-gqa digest
	local run=(--model "$model" --trace requests.csv --max-model-len 64 --max-num-seqs 6
		--allocator "${@:2}")

	"$quire" bench --exec cuda "${how[@]}" "${run[@]}" --record a.rec --json a.json \
		>bench.log 2>&1 || {
		cat bench.log >&2
		return 1
	}
	"$quire" sim --gpu h100 "${run[@]}" --time-model a.rec --json b.json >sim.log 2>&1 || {
		cat sim.log >&2
		return 1
	}
	digest=$(grep '"digest"' a.json)
	echo "${*:2}: $(grep "\"$1\"" a.json) $(grep -o '[0-9.]* % of its batches.*graph' bench.log)"
	grep -q '"finished": 8' a.json
	grep -q "\"$1\": [1-9]" a.json
	[[ -n $digest && $digest == "$(grep '"digest"' b.json)" ]]
}

cat >requests.csv <<'END'
arrival_s,prompt_tokens,output_tokens
0,33,5
0,3,9
0,20,14
0.01,40,3
0.02,7,12
0.02,12,6
0.03,25,8
0.04,1,10
END

said=$(run cpu)
[[ -n $said && $said == "$(run cuda)" ]]
[[ $said == "$(QUIRE_EMULATOR_COPIES=early QUIRE_EMULATOR_ORDER=backward run cuda)" ]]
echo "tiny says: $said"
how=()
bench copies paged,block=4 --kv-slots 256 --samples 2
bench preemptions paged,block=1 --kv-slots 72 --samples 3
how=(--fast-products) # ways are timed, and times are drawn
QUIRE_EMULATOR_COPIES=early QUIRE_EMULATOR_ORDER=7 bench copies contiguous --kv-slots 256 \
	--samples 2 --scheduler splitfuse,budget=24

if [[ $# == 0 && -z $sanitizers ]]; then
	set -- qwen2
fi
if (($#)); then
	models=$*
	QUIRE_EXEC=cuda QUIRE_MODELS=${models// /,} CK_DEFAULT_TIMEOUT=3000 tests/test_agreement
fi
