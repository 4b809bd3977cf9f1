#!/bin/sh
# quire bench as a user meets it: a small model of random weights serves a workload in
# real time; what is wrong is said in one line; Ctrl-C ends it with what there is.
#
#	QUIRE=build/dev/quire MODEL=tests/fixtures/models/llama-gqa sh tests/bench.sh

set -u
: "${QUIRE:?the program to test}" "${QUIRE_SOURCE_DIR:=.}"
MODEL=${MODEL:-$QUIRE_SOURCE_DIR/tests/fixtures/models/llama-gqa}

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
model=$(cd "$MODEL" && pwd)
cd "$tmp" || exit 1

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

# What was recorded can be run again: the same requests, modules and pool, or a sentence.
{
	echo arrival_s,prompt_tokens,output_tokens
	i=0
	while [ $i -lt 20 ]; do
		echo "0.00$((i / 3)),$((3 + i * 7 % 37)),$((2 + i * 5 % 18))"
		i=$((i + 1))
	done
} >e.csv
sed '4s/,17,/,18,/' e.csv >prompt.csv
sed '5s/,17$/,16/' e.csv >output.csv
sed 's/^0.001,/0.0015,/' e.csv >later.csv
limits='--max-model-len 100 --kv-slots 400'
# shellcheck disable=SC2086
bench 0 --model "$model" --trace e.csv $limits --record e.rec --json e.json
replay() { # STATUS TEXT ARGS..
	expected=$1
	text=$2
	shift 2
	"$QUIRE" sim --model "$model" --gpu h100 --time-model e.rec --json f.json "$@" >out 2>err
	status=$?
	check "replay $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
	[ -z "$text" ] && return
	check "replay $*: says '$text'" grep -q -e "^quire sim: .*time model e.rec: .*$text" err
	check "replay $*: says it in one line" [ "$(wc -l <err)" -eq 1 ]
}
# shellcheck disable=SC2086
{
	replay 0 '' --trace e.csv $limits
	check "replay: the same digest" [ "$(grep '"digest"' e.json)" = "$(grep '"digest"' f.json)" ]
	replay 2 'this run has 19 requests, and 20 in the' --trace e.csv $limits --requests 19
	replay 2 'request 3 arrives at second 0.0015, and 0.001 in' --trace later.csv $limits
	replay 2 'request 2 has prompt tokens: 18, and 17 in' --trace prompt.csv $limits
	replay 2 'request 3 has output tokens: 16, and 17 in' --trace output.csv $limits
	replay 2 'request 0 has samples: 2, and 1 in' --trace e.csv $limits --samples 2
	replay 2 'has 6 users in a closed loop, and 0' --trace e.csv $limits --arrivals closed,users=6
	replay 1 'in step 1 the recorded run maps .* to slots 0 to 15, and this one maps' \
		--trace e.csv $limits --allocator contiguous
	replay 1 'in step 1 the recorded run plans 3 tokens .* plans 2 tokens' \
		--trace e.csv $limits --scheduler splitfuse,budget=2
	replay 1 ', and this one' --trace e.csv $limits --max-num-seqs 1
	replay 1 'in step 1 .* maps block 0 of sequence 1 .*, in step [0-9]*, maps block 0 of seq' \
		--trace e.csv $limits --scheduler static
}

# What a newcomer tries first.
bench 0 --exec cpu --model "$QUIRE_SOURCE_DIR/labs/models/tiny" --workload demo_small --requests 20
check "all of them are served" [ "$(grep -c -e 'refused' out err | grep -vc ':0')" -eq 0 ]
timeout -s INT 2 "$QUIRE" bench --model "$model" --workload demo >out 2>err
check "a workload that lasts minutes is told first" \
	grep -q '^quire bench: requests arrive for 353 s, and time is real; --requests or' err
check "and what will be refused" \
	grep -q '^quire bench: 1,[0-9]* of 2,000 requests will be refused: prompts of 256 tok' err

refuses 'which model? add --model' --workload demo
refuses 'expected cpu or cuda' --model "$model" --workload demo --exec tpu
refuses '^quire bench: --kv-memory: expected a size' --model "$model" --workload demo \
	--kv-memory much
# shellcheck disable=SC2086
{
	refuses 'config.json: No such file' --model "$tmp" $work
	refuses '--max-model-len 100000 is more than the 256 tokens that llama-gqa can do' \
		--model "$model" $work --max-model-len 100000
	# A pool that serves nobody is no success, in both worlds.
	bench 1 --model "$model" $work --arrivals burst --max-model-len 256 --kv-slots 2 \
		--allocator paged,block=1 --json g.json
	check "nobody fits: how many, and why" grep -q \
		'^quire bench: all 20 requests were refused: .* empty pool (--kv-slots)$' err
	check "the report is there all the same" grep -q '"refused": 20' g.json
	"$QUIRE" sim --model "$model" --gpu h100 $work --arrivals burst --max-model-len 256 \
		--kv-slots 2 --allocator paged,block=1 >out 2>err
	check "the simulator's exit status is 1 too" [ $? -eq 1 ]
	check "and its line" grep -q '^quire sim: all 20 requests were refused: .*(--kv-slots)$' err
}
bench 1 --model "$model" --workload synthetic,prompt=fixed:30,output=fixed:5 --requests 9 \
	--arrivals burst --kv-slots 17
check "a length that is only the pool's is not the user's" grep -q \
	'all 9 requests were refused: .* --max-model-len, which is the whole pool (--kv-slots)$' err
check "nor in the table" grep -q 'which is the whole' out
bench 0 --model "$model" --workload synthetic,prompt=uniform:3:40,output=fixed:5 --requests 20 \
	--arrivals burst --kv-slots 32
check "some are served: that is a report" grep -q 'it refused [0-9]* of 20 requests' out

# On a terminal, how far it is.
if script -qec true /dev/null >/dev/null 2>&1; then
	script -qec "TERM=xterm '$QUIRE' bench --exec cpu --model qwen3-0.6b --load-format dummy \
		--workload synthetic,prompt=fixed:4,output=fixed:2 --requests 1 --arrivals burst" \
		/dev/null >out 2>err </dev/null
	check "weights are drawn, and it is told" \
		grep -q 'drawing random weights of Qwen3-0.6B, [0-9.]* GB: [0-9]*%' out
	check "then the engine starts" grep -q 'starting the engine' out
	check "then requests are served" grep -q '0/1 runs, continuous x paged 0%' out
fi

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

checked
