#!/usr/bin/env bash
# All that needs a GPU, in one command; skipped, with the reason, where there is none.
#
#	QUIRE=build/dev/quire QUIRE_BUILD_DIR=build/dev tests/gpu.sh [kernels] [agreement] [errors] [worlds]
#
# runs all parts if none is named:
#	kernels		each against its reference, and compute-sanitizer (tests/kernels/gpu.sh; needs nvcc)
#	agreement	logits and tokens of each architecture against transformers', of all
#			schedulers and allocators; again with --fast-products
#	errors		what is said when something goes wrong, and that the next run works
#	worlds		decisions are the simulator's when it is given the same times
# For speed: tests/kernels/gpu.sh bench, and the commands in docs/performance-notes.md.
set -uo pipefail
cd "${QUIRE_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/..}" || exit 1
quire=${QUIRE:-build/dev/quire} build=${QUIRE_BUILD_DIR:-build/dev}
model=labs/models/tiny
parts=${*:-kernels agreement errors worlds}
failures=0

skip() {
	echo "skipped: $*"
	exit 77
}

wants() {
	[[ " $parts " == *" $1 "* ]]
}

complain() {
	failures=$((failures + 1))
	echo "FAILED: $*" >&2
}

# One clear line and exit status 1, for a command that cannot work here.
refused() { # WORDS COMMAND..
	local words=$1 said status=0

	shift
	said=$("$@" 2>&1 >/dev/null) || status=$?
	echo "  $said"
	((status == 1)) || complain "$*: exit status $status, not 1"
	[[ $said == *"$words"* ]] || complain "$*: '$words' is not in it"
	(($(wc -l <<<"$said") == 1)) || complain "$*: more than a line"
}

run_tiny() {
	"$quire" run --model $model --prompt 'Tom had a red ball.' --max-tokens 16 "$@"
}

[[ -e /dev/nvidiactl ]] || nvidia-smi -L >/dev/null 2>&1 || skip "no NVIDIA GPU on this machine"
[[ $(run_tiny --exec cuda 2>&1) != *'built without CUDA'* ]] || skip "this quire was built without CUDA"

if wants kernels; then
	echo "== kernels"
	OUT=$build/gpu tests/kernels/gpu.sh build check sanitize
	(($? % 77 == 0)) || complain "tests/kernels/gpu.sh"
fi
if wants agreement; then
	for fast in '' 1; do
		echo "== agreement${fast:+, with --fast-products}"
		QUIRE_EXEC=cuda QUIRE_FAST_PRODUCTS=$fast "$build/tests/test_agreement" ||
			complain "test_agreement${fast:+ with fast products}"
	done
fi
if wants errors; then
	echo "== errors"
	refused 'device' run_tiny --exec cuda --kv-memory 100TB
	refused 'there is no GPU here' env CUDA_VISIBLE_DEVICES=-1 "$quire" run --exec cuda \
		--model $model --prompt 'Tom' --max-tokens 4
	[[ -n $(run_tiny --exec cuda 2>&1) ]] || complain "the next run does not work"
fi
if wants worlds; then
	echo "== worlds"
	QUIRE=$quire QUIRE_SOURCE_DIR=. sh tests/worlds.sh || complain "tests/worlds.sh"
fi
echo "$failures failures"
exit $((failures > 0))
