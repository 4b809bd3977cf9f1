#!/bin/sh
# The command line as a user meets it: exit codes, one line for each mistake, pure
# JSON, suggestions, runs in parallel as one by one, modules that crash.
#
#	QUIRE=build/dev/quire QUIRE_SOURCE_DIR=. sh tests/cli.sh

# shellcheck disable=SC2086 # $sim is many words
set -u
: "${QUIRE:?the program to test}"
: "${QUIRE_SOURCE_DIR:=$(dirname "$0")/..}"
: "${CC:=cc}"

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"

sim="sim --workload demo --requests 200 --model llama-3-8b --gpu a100-80g"

quire() { # ARGS..  into $status, $tmp/out, $tmp/err
	"$QUIRE" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

lines() { # FILE
	wc -l <"$1" | tr -d ' '
}

silent() {
	[ ! -s "$1" ]
}

# Exits with STATUS, nothing on stdout, one line on stderr that holds TEXT.
refuses() { # STATUS TEXT ARGS..
	expected=$1
	text=$2
	shift 2
	quire "$@"
	check "quire $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
	check "quire $*: one line on stderr" [ "$(lines "$tmp/err")" -eq 1 ]
	check "quire $*: nothing on stdout" silent "$tmp/out"
	check "quire $*: the line says '$text'" grep -q -e "$text" "$tmp/err"
}

# JSON is told from text by its first and last letter, and by what must be in it.
is_json() { # FILE FIRST LAST
	[ "$(head -c 1 "$1")" = "$2" ] && [ "$(tail -n 1 "$1")" = "$3" ]
}

# ---- help and version --------------------------------------------------------

for command in '' sim plan model trace list; do
	quire $command --help
	check "$command --help: exit status" [ "$status" -eq 0 ]
	check "$command --help: nothing on stderr" silent "$tmp/err"
	check "$command --help: at most two screens" [ "$(lines "$tmp/out")" -le 80 ]
	check "$command --help: no line beyond 100 columns" \
		[ "$(awk 'length > 100' "$tmp/out" | wc -l)" -eq 0 ]
done
quire
check "quire alone: names the commands" grep -q '^  sim ' "$tmp/out"
quire --version
check "--version" grep -Eq '^quire [0-9]+\.[0-9]+\.[0-9]+$' "$tmp/out"

# Every flag of the contract that is built is in the help.
quire sim --help
for flag in trace workload requests duration rate arrivals shuffle samples seed seeds model gpu \
	tp scheduler allocator max-num-seqs max-num-batched-tokens max-model-len kv-slots \
	gpu-memory-utilization weight-dtype kv-dtype window slo json csv; do
	check "sim --help tells --$flag" grep -q -e "--$flag" "$tmp/out"
done

# ---- bad usage -----------------------------------------------------------------

refuses 2 "did you mean 'sim'" simm
refuses 2 "no command 'xyzzy'" xyzzy
refuses 2 "\-\-trace" sim
refuses 2 "add --model" sim --workload demo
refuses 2 "add --gpu" sim --workload demo --model llama-3-8b
refuses 2 "did you mean --scheduler" $sim --schedular static
refuses 2 "did you mean 'continuous'" $sim --scheduler contiuous
refuses 2 "did you mean 'paged'" $sim --allocator pagd
refuses 2 "did you mean 'block'" $sim --allocator paged,blok=3
refuses 2 "expected a whole number" $sim --allocator paged,block=x
refuses 2 "did you mean" $sim --model lama-3-8b
refuses 2 "did you mean" sim --workload demo --model llama-3-8b --gpu a100-80
refuses 2 "did you mean" sim --workload dmo --model llama-3-8b --gpu a100-80g
refuses 2 "needs a value" $sim --json
refuses 2 "takes no value" $sim --audit=1
refuses 2 "found 'stray'" $sim stray
refuses 2 "expected A:B" $sim --window 3
refuses 2 "not behind its begin" $sim --window 9:3
refuses 2 "500ms" $sim --slo ttft=5
refuses 2 "expected ttft=" $sim --slo itl=5ms
refuses 2 "from 1 to" $sim --tp 0
refuses 2 "give one of them" $sim --kv-slots 9000 --gpu-memory-utilization 0.5
refuses 2 "does not fit" sim --workload demo --model llama-3-70b --gpu a10g
refuses 2 "--json and --csv would both write" $sim --json "$tmp/x" --csv "$tmp/x"
: >"$tmp/x" && ln -s x "$tmp/y"
refuses 2 "--json and --record would both write" $sim --json "$tmp/x" --record "$tmp/y"
rm "$tmp/x" "$tmp/y"
refuses 2 "would both write" $sim --csv "$tmp/x" --perfetto "$tmp/../${tmp##*/}/x"
refuses 2 "expected the name of a file, found ''" $sim --json ''
refuses 2 "expected a name ending with .html, found 'x.txt'" $sim --report x.txt
refuses 2 "expected the name of a folder, found '-'" $sim --plot -
refuses 2 "did you mean 'models'" list modles
refuses 2 "unknown option --later" $sim --later x

# ---- output that cannot be written is found before the run ----------------------

refuses 1 "cannot write" $sim --json "$tmp/none/x.json"
refuses 1 "cannot write" $sim --csv "$tmp/none/x.csv"
refuses 1 "cannot write" $sim --json "$tmp"

# ---- what is allowed, and may be a mistake --------------------------------------

quire $sim --json /dev/null --csv /dev/null
check "a device may be written twice" [ "$status" -eq 0 ]
quire $sim --window 100000:
check "a window without steps: exit status" [ "$status" -eq 0 ]
check "a window without steps: one line says so" [ "$(lines "$tmp/err")" -eq 1 ]
check "a window without steps: and when the run ends" \
	grep -q 'warning: no step begins in the --window; the run ends at [0-9.]* s' "$tmp/err"
quire $sim --window 100000: --scheduler all --json -
check "a window without steps: all runs in one line" grep -q 'of 3 of 3 runs' "$tmp/err"
quire $sim --max-model-len 8193 --json -
check "a length beyond the model's: a warning with both" grep -q \
	'warning: --max-model-len 8193 is more than the 8192 tokens that Llama-3-8B' "$tmp/err"

# ---- JSON ------------------------------------------------------------------------

quire $sim --json -
check "--json -: exit status" [ "$status" -eq 0 ]
check "--json -: one run gives one object" is_json "$tmp/out" '{' '}'
check "--json -: nothing on stderr" silent "$tmp/err"
if command -v python3 >/dev/null; then
	check "--json -: a JSON parser reads it" python3 -m json.tool "$tmp/out" /dev/null
fi
for key in schema version requests time_s saturated steps throughput goodput ttft_s tpot_s itl_s \
	e2e_s queue_s normalized_latency_s memory preemptions copies digest config; do
	check "--json -: the key $key" grep -q "^  \"$key\": " "$tmp/out"
done
check "the defaults: scheduler" grep -q '"scheduler": "continuous,prefill=mixed"' "$tmp/out"
check "the defaults: allocator" \
	grep -q '"allocator": "paged,block=16,watermark=0.01,cow=1"' "$tmp/out"
check "the defaults: sequences" grep -q '"max_num_seqs": 256' "$tmp/out"
mv "$tmp/out" "$tmp/first"
quire $sim --json -
check "the same run twice is the same" cmp -s "$tmp/first" "$tmp/out"
quire $sim --scheduler CONTINUOUS,prefill=mixed --allocator Paged --json -
check "names ignore case" cmp -s "$tmp/first" "$tmp/out"

quire $sim --json "$tmp/file.json"
check "--json FILE: the file holds the same" cmp -s "$tmp/first" "$tmp/file.json"
check "--json FILE: the table is printed too" grep -q '^throughput' "$tmp/out"
check "--json FILE: no temporary file is left" [ "$(find "$tmp" -name "*tmp*" -not -path "$tmp" | wc -l)" -eq 0 ]
mkdir "$tmp/real" && ln -s real/x.json "$tmp/link.json" && : >"$tmp/real/x.json"
quire $sim --json "$tmp/link.json"
check "--json LINK: the link stays, its file is written" [ -L "$tmp/link.json" -a -s "$tmp/real/x.json" ]
quire $sim --json /dev/null
check "--json /dev/null: stays a device" [ "$status" -eq 0 -a -c /dev/null ]

# ---- many combinations, at once and one by one ------------------------------------

many="$sim --scheduler all --allocator all --rate 3 --rate 30 --seeds 1:2"
quire $many --jobs 4 --json -
check "several runs give an array" is_json "$tmp/out" '[' ']'
check "3 x 2 x 2 x 2 runs" [ "$(grep -c '^    "schema"' "$tmp/out")" -eq 24 ]
mv "$tmp/out" "$tmp/parallel"
quire $many --jobs 1 --json -
check "in parallel as one after the other" cmp -s "$tmp/parallel" "$tmp/out"
quire $many --jobs 0 --json -
check "in children as in one process" cmp -s "$tmp/parallel" "$tmp/out"
digest() { # WHICH FILE: head or tail
	grep '"digest"' "$2" | "$1" -n 1 | tr -d ' '
}
quire $sim --scheduler splitfuse --allocator paged --rate 30 --seed 2 --json -
check "the last of many is the same run alone" \
	[ "$(digest tail "$tmp/parallel")" = "$(digest tail "$tmp/out")" ]
quire $sim --scheduler static --allocator contiguous --rate 3 --seed 1 --json -
check "the first of many is the same run alone" \
	[ "$(digest head "$tmp/parallel")" = "$(digest head "$tmp/out")" ]
closed="$sim --arrivals closed,users=8 --scheduler all --allocator all"
quire $closed --jobs 0 --json -
mv "$tmp/out" "$tmp/one"
quire $closed --json -
check "a closed loop in children as in one process" cmp -s "$tmp/one" "$tmp/out"

quire sim --workload demo --requests 50 --model llama-3-8b --model qwen2.5-7b --gpu a100-80g \
	--gpu h100 --tp 1 --tp 2 --json -
check "--model, --gpu and --tp may be repeated" [ "$(grep -c '"digest"' "$tmp/out")" -eq 8 ]

# ---- the table ---------------------------------------------------------------------

LC_ALL=C quire $sim --scheduler all --allocator all
check "the table: exit status" [ "$status" -eq 0 ]
check "the table: nothing on stderr" silent "$tmp/err"
check "the table: fits 100 columns" [ "$(awk 'length > 100' "$tmp/out" | wc -l)" -eq 0 ]
check "the table: no colours in a file" [ "$(grep -c "$(printf '\033')" "$tmp/out")" -eq 0 ]
check "the table: the best is marked" grep -q '\*' "$tmp/out"
check "the table: columns are explained" grep -q '^TTFT  .*first token' "$tmp/out"

# ---- CSV ---------------------------------------------------------------------------

quire $sim --csv "$tmp/x.csv"
check "--csv: a header and a row per request" [ "$(lines "$tmp/x.csv")" -eq 201 ]
check "--csv: the header" [ "$(head -n 1 "$tmp/x.csv")" = \
	"id,arrival_s,prompt_tokens,output_tokens,first_scheduled_s,first_token_s,finish_s,preemptions" ]
quire $sim --scheduler static --scheduler splitfuse --csv "$tmp/x.csv"
check "--csv: a file for each combination" \
	[ -s "$tmp/x.static-paged.csv" -a -s "$tmp/x.splitfuse-paged.csv" ]
check "--csv: says so" grep -q 'x.static-paged.csv' "$tmp/err"

# ---- times: measured models, bands ---------------------------------------------------

printf '%s' '{"x/Llama-3-8B": {"1": {"prefill": [10, 0.1, 0], "decoding_smallbs": [20, 0, 0.1],
"decoding_largebs": [20, 0, 0.1], "decoding_large_small_bs_threshold": 95}}}' >"$tmp/lines.json"
quire $sim --time-model "$tmp/lines.json" --json -
check "--time-model: exit status" [ "$status" -eq 0 ]
check "--time-model: it is in the config" grep -q '"time_model": ".*lines.json"' "$tmp/out"
refuses 2 "has no Llama-3-70B, but" sim --workload demo --model llama-3-70b --gpu h200 \
	--time-model "$tmp/lines.json"
refuses 2 "figure-2_prefill.csv" $sim --time-model "$tmp"
refuses 2 "expected a recording" $sim --time-model "$0"
refuses 2 "give one of them" $sim --time-model "$tmp/lines.json" --intervals
quire $sim --record "$tmp/run.quire" --json "$tmp/a.json"
quire sim --workload demo --requests 200 --model llama-3-8b --gpu h200 --kv-slots 400000 \
	--time-model "$tmp/run.quire" --json "$tmp/b.json"
check "--time-model RECORDING: other GPU, other pool, the same times" \
	[ "$(grep -A6 ttft_s "$tmp/a.json")" = "$(grep -A6 ttft_s "$tmp/b.json")" ]
quire $sim --intervals
check "--intervals: a line of the table" grep -q '^90% band' "$tmp/out"
quire $sim --intervals --json -
check "--intervals: in the JSON" grep -q '"intervals": {' "$tmp/out"

# ---- plan -------------------------------------------------------------------------------

quire plan --model deepseek-r1 --gpu h200 --gpu h20 --tp 8 --weight-dtype fp8 --price 2
check "plan, two GPUs: a line each" [ "$(grep -c '^H2' "$tmp/out")" -eq 2 ]
quire plan --model llama-3-8b --gpu all --json -
check "plan --gpu all --json: an array" is_json "$tmp/out" '[' ']'
quire plan --model llama-3-8b --gpu a100-80g --price 1.5
check "plan: concurrency by length" grep -q '^Concurrency' "$tmp/out"
check "plan --price: says why output costs more" grep -q 'Why output costs more' "$tmp/out"
refuses 2 "several GPUs" plan --model llama-3-8b --gpu all --batch 1:8
refuses 2 "did you mean" plan --model llama-3-8b --gpu a100-80g --gpu h101
refuses 2 "1000000 is more than the 8192 tokens" plan --model llama-3-8b --gpu h100 --prompt 1000000
refuses 2 "from 0.0001" plan --model llama-3-8b --gpu h100 --price 0
refuses 2 "cannot be cut" plan --model qwen3-30b-a3b --gpu h100 --gpu h200 --tp 3

# ---- requests that can never run -----------------------------------------------------

printf 'arrival_s,prompt_tokens,output_tokens\n0,10,5\n1,5000,5\n2,10,3\n' >"$tmp/t.csv"
quire sim --trace "$tmp/t.csv" --model opt-13b --gpu a100-40g --json -
check "a prompt beyond the model: exit status" [ "$status" -eq 0 ]
check "a prompt beyond the model is refused" grep -q '"model_len": 1' "$tmp/out"
quire sim --trace "$tmp/t.csv" --model opt-13b --gpu a100-40g --kv-slots 512 --json -
check "the length is cut to the pool" grep -q '"max_model_len": 512' "$tmp/out"
refuses 1 "No such file" sim --trace "$tmp/none.csv" --model opt-13b --gpu a100-40g

# ---- modules that crash, one of many ---------------------------------------------------

cat >"$tmp/bad.c" <<'END'
#include <quire/plugin.h>
#include <quire/queue.h>
#include <stdio.h>
#include <stdlib.h>

struct bad {
	struct quire_queue queue;
	uint32_t how, steps;
};

static void enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	quire_queue_push(&((struct bad *)s->priv)->queue, seq);
}

static void schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct bad *bad = s->priv;

	puts("noise");
	if (bad->steps++ == 20 && bad->how == 0)
		abort();
	if (bad->steps == 20 && bad->how == 1)
		exit(0);
	for (struct quire_seq *q = bad->queue.first; q && bad->how != 2; q = q->next) {
		quire_plan_add(plan, q, quire_plan_todo(q));
		if (bad->how == 3)
			quire_plan_add(plan, q, 1);
	}
}

static bool finish(struct quire_sched *s, struct quire_seq *seq)
{
	(void)s;
	quire_queue_remove(seq);
	return false;
}

static const struct quire_option options[] = {
	{"how", QUIRE_CHOICE, offsetof(struct bad, how), "abort", "", 0, 0, "abort|exit|stall|twice"},
	{0},
};

static const struct quire_sched_ops bad = {
	.name = "bad",
	.summary = "bad on purpose",
	.options = options,
	.priv_size = sizeof(struct bad),
	.enqueue = enqueue,
	.schedule = schedule,
	.finish = finish,
};
QUIRE_SCHED_MODULE(bad);
END
$CC -std=c11 -shared -fPIC -I"$QUIRE_SOURCE_DIR/core" "$tmp/bad.c" -o "$tmp/bad.so" || exit 1

said() { # STATUS TEXT: on stderr, apart from what the module itself prints
	check "bad module: exit status $1, not $status" [ "$status" -eq "$1" ]
	check "bad module: '$2' on stderr" grep -q -e "$2" "$tmp/err"
}

quire $sim --scheduler "$tmp/bad.so"
said 1 "crashed: signal SIGABRT"
quire $sim --scheduler "$tmp/bad.so,how=exit"
said 1 "no report"
quire $sim --scheduler "$tmp/bad.so,how=stall"
said 1 "ejected: .*stalls"
quire $sim --scheduler "$tmp/bad.so,how=twice" --json -
said 0 "warning: .*twice"
check "what a module prints is not in the JSON" is_json "$tmp/out" '{' '}'
check "a broken rule is in the JSON" grep -q '"rule": "planned a sequence twice' "$tmp/out"
quire $sim --scheduler "$tmp/bad.so" --scheduler "$tmp/bad.so,how=stall" --scheduler continuous
said 1 "2 of 3 runs"
check "the others go on" grep -q '^continuous .* [0-9]' "$tmp/out"
check "a row tells the signal" grep -q 'crashed: signal SIGABRT' "$tmp/out"
check "a line below tells the reason" grep -q '! .*ejected: .*stalls' "$tmp/out"

# ---- workloads that are described ---------------------------------------------------------

small="--model llama-3-8b --gpu a100-80g --json -"
quire sim --workload synthetic,prompt=uniform:9:99,output=exp:50:max=200 --rate 5 --requests 50 $small
check "synthetic: exit status" [ "$status" -eq 0 ]
check "synthetic: one client has no figures of its own" [ "$(grep -c '"clients"' "$tmp/out")" -eq 0 ]
printf 'client,rate,prompt,output,until_s\nalice,2,64,16,9\nbob,4,exp:99,exp:9,9\n' >"$tmp/c.csv"
quire sim --workload "$tmp/c.csv" $small
check "clients: exit status" [ "$status" -eq 0 ]
check "clients: each has figures" [ "$(grep -c '"name": "\(alice\|bob\)"' "$tmp/out")" -eq 2 ]
mv "$tmp/out" "$tmp/drawn"
quire trace generate "$tmp/c.csv" -o "$tmp/drawn.csv"
quire sim --trace "$tmp/drawn.csv" $small
check "clients: drawn at once or written and read, the same run" \
	[ "$(digest head "$tmp/drawn")" = "$(digest head "$tmp/out")" ]
quire sim --trace "$tmp/drawn.csv" --arrivals rescaled --rate 9 $small
check "rescaled is in the report" grep -q '"arrivals": "rescaled"' "$tmp/out"
refuses 2 "add --rate R" sim --trace "$tmp/drawn.csv" --arrivals rescaled $small
refuses 1 "give it to --workload" sim --trace "$tmp/c.csv" $small
refuses 2 "goes to --trace" sim --workload "$tmp/drawn.csv" $small
printf 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,x,9,9,18,y\n6,x,9,0,9,y\n' \
	>"$tmp/b.csv"
quire sim --trace "$tmp/b.csv" $small
check "what is left out is told" grep -q 'b.csv: 1 request was never answered: left out' "$tmp/err"

# ---- stopped by the user -----------------------------------------------------------------

"$QUIRE" sim --workload demo --requests 400000 --rate 50 --model llama-3-8b --gpu a100-80g \
	--scheduler static --json "$tmp/never.json" >"$tmp/out" 2>"$tmp/err" &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
status=$?
check "stopped: exit status 1, not $status" [ "$status" -eq 1 ]
check "stopped: nothing is left" [ "$(find "$tmp" -name "*never*" | wc -l)" -eq 0 ]

# ---- list ---------------------------------------------------------------------------------

quire list
check "list: exit status" [ "$status" -eq 0 ]
for name in static continuous splitfuse contiguous paged demo Llama-3-8B A100-80G; do
	check "list names $name" grep -q "^  $name " "$tmp/out"
done
check "list tells options" grep -q '^    watermark  *0.01 ' "$tmp/out"
quire list GPUs
check "list gpus: nothing else" [ "$(grep -c '^  static' "$tmp/out")" -eq 0 ]

checked
