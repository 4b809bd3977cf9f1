#!/bin/sh
# quire bench as a user meets it: a small model of random weights serves a workload in
# real time; what is wrong is said in one line; Ctrl-C ends it with what there is.
#
#	QUIRE=build/dev/quire MODEL=tests/fixtures/models/llama-gqa sh tests/bench.sh

set -u
: "${QUIRE:?the program to test}" "${QUIRE_SOURCE_DIR:=.}"
MODEL=${MODEL:-$QUIRE_SOURCE_DIR/tests/fixtures/models/llama-gqa}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
model=$(cd "$MODEL" && pwd)
cd "$tmp" || exit 1
checks=0
failures=0

check() { # WHAT CONDITION..
	what=$1
	shift
	checks=$((checks + 1))
	if ! "$@"; then
		failures=$((failures + 1))
		echo "FAILED: $what" >&2
		sed 's/^/  err: /' err | head -5 >&2
	fi
}

bench() { # STATUS ARGS..  into out, err
	expected=$1
	shift
	"$QUIRE" bench "$@" >out 2>err
	status=$?
	check "bench $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
}

refuses() { # TEXT ARGS..
	text=$1
	shift
	bench 2 "$@"
	check "bench $*: says '$text'" grep -q -e "$text" err
	check "bench $*: says it in one line" [ "$(wc -l <err)" -eq 1 ]
}

work='--workload synthetic,prompt=uniform:3:40,output=uniform:2:20 --requests 20 --max-model-len 100'

# shellcheck disable=SC2086
bench 0 --model "$model" $work --arrivals burst --scheduler all --allocator all --json a.json \
	--csv a.csv --record a.rec --report a.html --perfetto a.trace
check "six runs in the report" [ "$(grep -c '"digest"' a.json)" -eq 6 ]
check "the executor is named" grep -q '"exec": "cpu"' a.json
check "time is the clock's" grep -q '"time_model": "clock"' a.json
check "nobody was refused" [ "$(grep -c '"refused": 0' a.json)" -eq 6 ]
check "a row for each request" [ "$(wc -l <a.static-paged.csv)" -eq 21 ]
check "a recording for each" [ -s a.splitfuse-contiguous.rec ]
check "a page" grep -q '<svg' a.html
check "what was read is told" grep -q 'read weights at .*B/s' err

# All at once, decisions do not depend on the clock: the simulator makes the same ones.
# shellcheck disable=SC2086
bench 0 --model "$model" $work --arrivals burst --kv-slots 400 --json b.json
"$QUIRE" sim --model "$model" --gpu h100 --arrivals burst --kv-slots 400 --max-model-len 100 \
	--workload synthetic,prompt=uniform:3:40,output=uniform:2:20 --requests 20 --json c.json \
	>out 2>err
check "the digest is the simulator's" [ "$(grep '"digest"' b.json)" = "$(grep '"digest"' c.json)" ]

refuses 'which model? add --model' --workload demo
refuses 'expected cpu or cuda' --model "$model" --workload demo --exec tpu
refuses '^quire bench: --kv-memory: expected a size' --model "$model" --workload demo \
	--kv-memory much
# shellcheck disable=SC2086
bench 1 --model "$tmp" $work
check "no model there" grep -q 'config.json' err
# shellcheck disable=SC2086
bench 1 --model "$model" $work --max-model-len 100000
check "both lengths are named" grep -q -- '--max-model-len 100000 is more than the' err

# Ctrl-C, in the middle of a sleep.
# shellcheck disable=SC2086
"$QUIRE" bench --model "$model" $work --arrivals fixed --rate 2 --json d.json --record d.rec \
	>out 2>err &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	sleep 0.1
	[ -s d.rec ] && break
done
sleep 1.2
kill -INT "$pid"
wait "$pid"
status=$?
check "stopped: exit status 1, not $status" [ "$status" -eq 1 ]
check "it says so" grep -q 'stopped in step' err
check "the report so far is there" grep -q '"stopped": "stopped in step' d.json
check "with figures" grep -q '"output_tokens_per_s": [0-9]' d.json
check "the recording is whole" "$QUIRE" compare d.rec d.rec >/dev/null

echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
