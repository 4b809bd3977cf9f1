#!/bin/sh
# Both worlds: a real run, on a real clock, decides as the simulator does when it is
# given the same times.  The model in the box serves requests that arrive in the middle
# of its steps, under all schedulers and allocators; every recording is replayed, and
# every decision must be the same.
#
#	QUIRE=build/dev/quire MODEL=labs/models/tiny sh tests/worlds.sh

set -u
: "${QUIRE:?the program to test}" "${QUIRE_SOURCE_DIR:=.}"
MODEL=${MODEL:-$QUIRE_SOURCE_DIR/labs/models/tiny}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
failures=0

complain() {
	failures=$((failures + 1))
	echo "FAILED: $*" >&2
}

# Short of seats and of slots, so that sequences wait and are preempted; the pauses between
# requests are about as long as a few steps.
limits='--max-num-seqs 10 --kv-slots 480 --max-model-len 200'
decisions=0
steps=0
preemptions=0

both() { # SCHEDULER ALLOCATOR WORKLOAD..
	scheduler=$1
	allocator=$2
	shift 2
	# shellcheck disable=SC2086
	if ! "$QUIRE" bench --model "$MODEL" --threads 1 --scheduler "$scheduler" \
		--allocator "$allocator" $limits "$@" --record "$tmp/real.rec" \
		--json "$tmp/real.json" >/dev/null 2>"$tmp/err"; then
		complain "bench $scheduler $allocator: $(tail -1 "$tmp/err")"
		return
	fi
	# shellcheck disable=SC2086
	if ! "$QUIRE" sim --model "$MODEL" --gpu a100-80g --scheduler "$scheduler" \
		--allocator "$allocator" $limits "$@" --time-model "$tmp/real.rec" \
		--record "$tmp/replay.rec" >/dev/null 2>"$tmp/err"; then
		complain "sim $scheduler $allocator: $(tail -1 "$tmp/err")"
		return
	fi
	"$QUIRE" compare "$tmp/real.rec" "$tmp/replay.rec" >"$tmp/out" 2>"$tmp/err"
	same=$(sed -n 's/^all \([0-9,]*\) decisions are the same$/\1/p' "$tmp/out" | tr -d ,)
	if [ -z "$same" ]; then
		complain "$scheduler $allocator decide otherwise:"
		head -5 "$tmp/out" "$tmp/err" >&2
		return
	fi
	decisions=$((decisions + same))
	count() { # KEY: the first number behind it in the report
		sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$tmp/real.json" | head -1
	}
	steps=$((steps + $(sed -n '/"steps"/,/}/s/.*"count": \([0-9]*\).*/\1/p' "$tmp/real.json")))
	preemptions=$((preemptions + $(count preemptions)))
}

for scheduler in static static,batch=4,wait=0.002 continuous continuous,prefill=first \
	splitfuse splitfuse,budget=32; do
	for allocator in paged paged,block=1 paged,block=16,cow=0 contiguous,reserve=cap \
		contiguous,reserve=oracle,place=first; do
		both "$scheduler" "$allocator" --workload \
			synthetic,prompt=uniform:3:80,output=uniform:2:50 \
			--requests 80 --arrivals gamma,cv=3 --rate 120 --seed 7
	done
	both "$scheduler" paged,block=4 --workload \
		synthetic,prompt=uniform:3:60,output=uniform:2:30 --requests 25 --samples 3 \
		--rate 100 --seed 8
	both "$scheduler" paged,block=8 --workload \
		synthetic,prompt=uniform:3:80,output=uniform:2:50 --requests 40 \
		--arrivals closed,users=6 --seed 9
done

echo "$decisions decisions in $steps steps, $preemptions preemptions"
[ "$steps" -ge 10000 ] || complain "only $steps steps were run"
[ "$preemptions" -gt 50 ] || complain "only $preemptions preemptions happened"
[ "$failures" -eq 0 ] || exit 1
