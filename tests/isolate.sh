#!/bin/sh
# --isolate: whatever a module does to its process, the run ends with a verdict and
# the last decisions, within a second of the limit, and the other runs go on.
#
#	QUIRE=build/dev/quire QUIRE_MODULES_DIR=build/dev/modules sh tests/isolate.sh

set -u
: "${QUIRE:?the program to test}"
: "${QUIRE_MODULES_DIR:?where sched_hostile.so is}"

# A sanitizer would start a process to tell lines or leaks, which the wall forbids.
ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}symbolize=0:detect_leaks=0"
export ASAN_OPTIONS

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failures=0
checks=0

fail() { # WHAT
	failures=$((failures + 1))
	echo "FAILED: $1" >&2
	sed 's/^/  err: /' "$tmp/err" | tail -12 >&2
}

run() { # HOW FLAGS..
	how=$1
	shift
	start=$(date +%s)
	"$QUIRE" sim --workload demo --requests 200 --model llama-3-8b --gpu a100-80g \
		--scheduler "$QUIRE_MODULES_DIR/sched_hostile.so,how=$how" "$@" \
		>"$tmp/out" 2>"$tmp/err"
	status=$?
	seconds=$(($(date +%s) - start))
}

expect() { # HOW VERDICT FLAGS..
	how=$1 verdict=$2
	shift 2
	checks=$((checks + 1))
	run "$how" --isolate "$@"
	[ "$status" -eq 1 ] || fail "$how: exit status $status, expected 1"
	grep -q "$verdict" "$tmp/err" || fail "$how: expected '$verdict'"
	grep -q "after step 99" "$tmp/err" || fail "$how: expected the step"
	[ "$(grep -c '    step 99 at' "$tmp/err")" -gt 0 ] || fail "$how: expected its last decisions"
	[ "$(grep -c '    step [0-9]* at' "$tmp/err")" -le 8 ] || fail "$how: more than eight decisions"
	# One second for the limit, one beyond it, one for clocks and a busy machine.
	[ "$seconds" -le 3 ] || fail "$how: it took $seconds s"
}

expect crash 'signal 11\|exit status 1 and no report'
expect loop 'no step ended for 1 s' --isolate-seconds 1
expect sleep 'no step ended for 1 s' --isolate-seconds 1
expect hog 'more than 256 MiB' --isolate-mib 256
expect fork 'start or to signal another process'
expect signal 'start or to signal another process'
expect leave 'no report'
expect scribble 'crashed'

# A run that behaves is the same with the wall and without it.
run never --json -
grep '"digest"' "$tmp/out" >"$tmp/plain"
run never --json - --isolate
checks=$((checks + 1))
[ "$status" -eq 0 ] || fail "a good run: exit status $status"
grep '"digest"' "$tmp/out" | cmp -s - "$tmp/plain" || fail "a good run: another digest"

# The others go on.
run crash --isolate --scheduler continuous --json -
checks=$((checks + 1))
[ "$status" -eq 1 ] || fail "two runs: exit status $status"
grep -q '"finished": 200' "$tmp/out" || fail "two runs: the good one did not finish"

echo "isolate: $checks checks, $failures failed"
[ "$failures" -eq 0 ]
