#!/bin/sh
# quire run as a user meets it, with the tiny model: what it prints and where, that a text
# is the same whoever serves it, and what it says when something is wrong.
#
#	QUIRE=build/dev/quire sh tests/run.sh

set -u
: "${QUIRE:?the program to test}"
: "${QUIRE_SOURCE_DIR:=$(pwd)}"
model=$QUIRE_SOURCE_DIR/labs/models/tiny
plain=$QUIRE_SOURCE_DIR/tests/fixtures/models/llama-gqa # without a tokenizer

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
cd "$tmp" || exit 1

run() { # STATUS ARGS..  into out, err
	expected=$1
	shift
	asked="quire run $*"
	"$QUIRE" run "$@" >out 2>err </dev/null
	status=$?
	check "$asked: exit status $expected, not $status" [ "$status" -eq "$expected" ]
}

tiny() { # STATUS ARGS..
	status_wanted=$1
	shift
	run "$status_wanted" --model "$model" "$@"
}

tells() { # TEXT
	check "$asked: stderr says '$1'" grep -q -e "$1" err
}

complains() { # TEXT
	check "$asked: one line on stderr: '$1'" [ "$(wc -l <err)" -eq 1 ]
	check "$asked: the line says '$1'" grep -q -e "$1" err
	check "$asked: nothing on stdout" [ ! -s out ]
}

value() { # KEY VALUE  of the JSON in out, where it is the first of its name
	found=$(sed -n "s/^ *\"$1\": \(.*[^,]\),*$/\1/p" out | head -1)
	check "$asked: \"$1\" is $2, not $found" [ "$found" = "$2" ]
}

count() { # TEXT N  lines of out
	check "$asked: $2 lines with '$1'" [ "$(grep -c -e "$1" out)" -eq "$2" ]
}

# ---- one text -----------------------------------------------------------------------

tiny 0 --prompt 'Once upon a time' --temperature 0 --max-tokens 40
check "some words" [ "$(wc -w <out)" -ge 20 ]
check "stdout ends its line" [ "$(tail -c 1 out | od -An -c | tr -d ' ')" = '\n' ]
check "three lines on stderr" [ "$(wc -l <err)" -eq 3 ]
tells 'tiny, .* M parameters in bf16, on cpu; continuous x paged; a pool of [0-9,]* slots'
tells 'quire run: greedy'
tells ', 40 tokens in .*, TTFT .*, TPOT .*, .* tokens/s'
cp out greedy

tiny 0 --prompt 'Once upon a time' --temperature 0 --max-tokens 40 --no-stream
check "no stream, the same text" cmp -s out greedy
printf 'Once upon a time\n' >prompt
tiny 0 --prompt-file prompt --temperature 0 --max-tokens 40
check "from a file, the same text" cmp -s out greedy
"$QUIRE" run --model "$model" - --temperature 0 --max-tokens 40 <prompt >out 2>err
check "from standard input, the same text" cmp -s out greedy
"$QUIRE" run --model "$model" --prompt-file - --temperature 0 --max-tokens 40 <prompt >out 2>err
check "likewise, by its flag" cmp -s out greedy

# Whoever serves it, in whatever pool.
for scheduler in static continuous continuous,prefill=first splitfuse; do
	for allocator in contiguous contiguous,place=first paged,block=1 paged,block=128; do
		tiny 0 --prompt 'Once upon a time' --temperature 0 --max-tokens 40 \
			--scheduler "$scheduler" --allocator "$allocator" --audit
		check "$scheduler x $allocator: the same text" cmp -s out greedy
	done
done
for options in '--kv-memory 1MiB' '--kv-slots 64' '--threads 1' '--max-num-batched-tokens 4 --scheduler splitfuse'; do
	# shellcheck disable=SC2086 # several words
	tiny 0 --prompt 'Once upon a time' --temperature 0 --max-tokens 40 $options
	check "$options: the same text" cmp -s out greedy
done

tiny 0 --prompt 'Once upon a time' --max-tokens 5 --kv-memory 512KiB
tells 'a pool of 512 slots, 524 kB'
tiny 0 --prompt 'Once upon a time' --max-tokens 5 --kv-memory 100kB
tells 'a pool of 97 slots'
tiny 0 --prompt 'Once upon a time' --max-tokens 5 --kv-slots 77 --kv-dtype fp32
tells 'a pool of 77 slots, 158 kB'

# ---- choosing -----------------------------------------------------------------------

tiny 0 --prompt 'The cat' --max-tokens 30 --seed 5
tells 'temperature 0.8 \*, seed 5 (\*: generation_config.json)'
cp out five
tiny 0 --prompt 'The cat' --max-tokens 30 --seed 5 --kv-slots 48 --scheduler static
check "a seed gives the same text" cmp -s out five
tiny 0 --prompt 'The cat' --max-tokens 30 --seed 6
check "another seed gives another text" [ "$(cmp -s out five; echo $?)" -eq 1 ]
tiny 0 --prompt 'Max and his dog' --prompt 'The cat' --max-tokens 30 --seed 5
tail -n +5 out >second
check "beside another prompt, the same text" cmp -s second five
count '^--- prompt [12] ---$' 2
tiny 0 --prompt 'The cat' --max-tokens 30 --temperature 0.7 --top-k 5 --top-p 0.9 --min-p 0.01 \
	--repetition-penalty 1.1 --presence-penalty 0.1 --frequency-penalty 0.1
tells 'temperature 0.7, top-k 5, top-p 0.9, min-p 0.01, repetition-penalty 1.1, presence-penalty 0.1, frequency-penalty 0.1, seed 0$'
tiny 0 --prompt 'The cat' --max-tokens 4 --temperature 0 --logprobs 2
tells 'logprobs of prompt 1'
check "a line for each token" [ "$(grep -c '|' err)" -eq 4 ]
check "with its text" grep -q -E '^ *-[0-9.]+ [0-9]+ "( [a-z]+|,)"' err
check "which is no piece of the tokenizer" [ "$(grep -c 'Ġ' err)" -eq 0 ]
tiny 0 --prompt '2 + 2 = 4' --max-tokens 1 --temperature 0 --logprobs 20
check "a quote in it is escaped" grep -q -F '".\""' err

# ---- where it ends ------------------------------------------------------------------

tiny 0 --prompt 'Once upon a time' --temperature 0 --max-tokens 40 --stop '.' --json json
check "nothing from the stop string on" [ "$(grep -c '\.' out)" -eq 0 ]
check "the text up to it" [ "$(cat out)" = "$(sed 's/\..*//;q' greedy)" ]
cp json out
value finish_reason '"stop"'
tiny 0 --prompt 'Once upon a time' --temperature 0 --max-tokens 40 --json -
value finish_reason '"length"'
value exec '"cpu"'
value model '"tiny"'
value finished 1
value prompt '"Once upon a time"'
value time_model '"clock"'
value seed 0
check "nothing but JSON on stdout" [ "$(head -c 1 out)" = '{' ]
token=$(sed -n '/"token_ids"/,/\]/p' out | sed -n '5s/[ ,]//gp')
tiny 0 --prompt 'Once upon a time' --temperature 0 --max-tokens 40 --stop-token-id "$token" --json -
value finish_reason '"stop"'
tiny 0 --prompt 'The' --max-tokens 300 --ignore-eos --json -
value finish_reason '"length"'

# ---- several texts ------------------------------------------------------------------

long='Once upon a time there was a small boy. He lived in a house on the hill with his dog.'
tiny 0 --prompt "$long" --samples 4 --max-tokens 20 --seed 1
count '^--- sample [1234] ---$' 4
tells 'sharing: .* slots held instead of .*, .* % saved; .* copied on write'
cp out four
tiny 0 --prompt "$long" --samples 4 --max-tokens 20 --seed 1 --kv-slots 64
tells 'preemption'
check "with preemptions, the same texts" cmp -s out four
tiny 0 --prompt "$long" --samples 4 --max-tokens 20 --seed 1 --allocator paged,cow=0
check "without sharing, the same texts" cmp -s out four
tiny 0 --prompt "$long" --samples 1 --max-tokens 20 --seed 1
sed -n '2p' four >first
check "the first sample is the one alone" cmp -s out first
tiny 0 --prompt "$long" --prompt 'Tom' --samples 2 --max-tokens 5 --json -
check "two outputs for each prompt" [ "$(grep -c '"finish_reason"' out)" -eq 4 ]

tiny 0 --prompt "$long" --beams 3 --max-tokens 20
count '^--- beam [123], score -[0-9.]* ---$' 3
sed -n 's/^--- beam ., score \(.*\) ---$/\1/p' out >scores
check "the best beam first" sort -r -g -c scores
cp out beams
tiny 0 --prompt "$long" --beams 3 --max-tokens 20 --allocator contiguous --scheduler splitfuse
check "whoever serves them, the same beams" cmp -s out beams

# ---- without a tokenizer ------------------------------------------------------------

run 0 --model "$plain" --skip-tokenizer-init --prompt '1 2, 3' --max-tokens 5
check "five numbers" grep -q -E '^[0-9]+( [0-9]+){4}$' out
run 0 --model "$plain" --load-format dummy --dtype fp32 --prompt '1 2 3' --max-tokens 1
check "a number" grep -q -E '^[0-9]+$' out

# ---- a chat: random weights, and the tokenizer of a family ---------------------------

fixtures=$QUIRE_SOURCE_DIR/tests/fixtures
mkdir chat
sed 's/"vocab_size": 128/"vocab_size": 2048/' "$fixtures/models/qwen2/config.json" >chat/config.json
cp "$fixtures"/tokenizers/qwen2/tokenizer*.json chat
chat() { # STATUS ARGS..
	status_wanted=$1
	shift
	run "$status_wanted" --model chat --load-format dummy --max-tokens 1 "$@"
}
prompt_tokens() { # N  of the JSON in out
	check "$asked: a prompt of $1 tokens" [ "$(sed -n '/"prompt_token_ids"/,/\]/p' out |
		grep -c '^ *[0-9]')" -eq "$1" ]
}
chat 0 --prompt '<|im_end|>' --json -
cp out text
chat 0 --prompt '<|im_end|>' --special-tokens --json -
prompt_tokens 1
check "what a user writes is text" [ "$(wc -l <text)" -gt "$(wc -l <out)" ]
chat 0 --prompt 'Hi' --json -
cp out text
chat 0 --prompt 'Hi' --chat --json -
check "a template is put around it" [ "$(wc -l <text)" -lt "$(wc -l <out)" ]
cp out text
chat 0 --prompt 'Hi' --chat --system 'Say nothing but yes or no, and be polite about it.' --json -
check "a system prompt is longer" [ "$(wc -l <text)" -lt "$(wc -l <out)" ]
tiny 1 --prompt 'Hi' --chat
complains 'chat'
mkdir pieces # of SentencePiece, where a word's space is another character
sed 's/"vocab_size": 128/"vocab_size": 2048/' "$fixtures/models/qwen2/config.json" >pieces/config.json
for family in llama2 metaspace; do
	cp "$fixtures/tokenizers/$family"/tokenizer*.json pieces
	run 0 --model pieces --load-format dummy --prompt 'The cat' --max-tokens 4 --logprobs 20
	check "$family: a word keeps its space" grep -q -E '[0-9] " [A-Za-z]' err
	check "$family: and is text" [ "$(grep -c '▁' err)" -eq 0 ]
done
run 2 --model "$plain" --skip-tokenizer-init --prompt 1 --chat
complains 'no --chat'

# ---- files --------------------------------------------------------------------------

tiny 0 --prompt "$long" --samples 2 --max-tokens 10 --record one.rec
tiny 0 --prompt "$long" --samples 2 --max-tokens 10 --record two.rec
"$QUIRE" compare one.rec two.rec >out 2>err
check "two recordings of one run: the same decisions" grep -q 'decisions are the same' out

# ---- a terminal ---------------------------------------------------------------------

if script -qec true /dev/null >/dev/null 2>&1; then
	script -qec "stty cols 100 rows 30; TERM=xterm '$QUIRE' run --model '$model' \
		--prompt 'The cat' --samples 3 --max-tokens 20" /dev/null >out 2>err </dev/null
	check "samples side by side" grep -q 'sample 1.*sample 2.*sample 3' out
fi

# ---- stopping -----------------------------------------------------------------------

"$QUIRE" run --model "$model" --prompt "$long" --samples 200 --max-tokens 400 --ignore-eos \
	--threads 1 --json json >out 2>err </dev/null &
pid=$!
tries=0
while ! grep -q temperature err && [ "$tries" -lt 100 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
sleep 0.5
kill -TERM "$pid"
wait "$pid"
status=$?
asked='a run that is stopped'
check "$asked: exit status 1, not $status" [ "$status" -eq 1 ]
tells 'stopped in step'
tells 'tokens/s'
count '^--- sample ' 200
cp json out
value finish_reason null
check "$asked: the JSON says so" grep -q '"stopped": ' json

# ---- what fits ----------------------------------------------------------------------

tokens=$("$QUIRE" run --model "$model" --prompt "$long" --max-tokens 1 --json - 2>err </dev/null |
	sed -n '/"prompt_token_ids"/,/\]/p' | grep -c '^ *[0-9]')
tiny 0 --prompt "$long" --max-tokens $((512 - tokens)) --ignore-eos
tells ", $((512 - tokens)) tokens in"
tiny 2 --prompt "$long" --max-tokens $((513 - tokens))
complains "$tokens + $((513 - tokens)) = 513 tokens, and the context has 512"
tiny 0 --prompt "$long" --max-model-len $((tokens + 1)) --ignore-eos
tells ', 1 token in'
tiny 2 --prompt "$long" --max-model-len "$tokens"
complains "has $tokens tokens, and the context $tokens"

# ---- what is wrong ------------------------------------------------------------------

tiny 2 --prompt 'The cat' --max-tokens 600
complains "+ 600 = [0-9]* tokens, and the context has 512"
tiny 2 --prompt 'Once upon a time' --max-model-len 3
complains 'prompt 1 has [0-9]* tokens, and the context 3'
tiny 2 --prompt 'The cat' --max-model-len 4096
complains '4096 is more than the 512 tokens that tiny can do'
tiny 2 --prompt ''
complains 'prompt 1 is empty'
tiny 2
complains 'which prompt'
run 2 --prompt x
complains 'which model'
run 2 --model nosuch --prompt x
complains "no folder 'nosuch'"
run 2 --model "$model/config.json" --prompt x
complains 'is no folder'
run 2 --model . --prompt x
complains 'config.json'
run 2 --model "$plain" --prompt x
complains 'tokenizer.json'
tiny 1 --prompt-file nosuch
complains 'cannot read nosuch'
tiny 2 --prompt-file - -
complains 'only once'
mkdir other
cp "$plain"/*.json "$plain"/*.safetensors other
cp "$model"/tokenizer*.json other
run 1 --model other --prompt x
complains 'its tokenizer has 1024 tokens, its model only 128'
tiny 2 --prompt x --kv-memory 100
complains 'no room for two tokens'
tiny 2 --prompt x --kv-memory 4x
complains "found '4x'"
tiny 2 --prompt x --kv-memory 1G --kv-slots 5
complains 'give one of them'
tiny 1 --prompt "$long" --kv-slots 16
tells 'prompt 1: it would not fit even an empty pool'
tiny 2 --prompt x --samples 2 --temperature 0
complains 'the same text'
tiny 2 --prompt x --samples 2 --beams 2
complains 'give one of them'
tiny 2 --prompt x --beams 2 --top-k 5
complains '--top-k'
tiny 2 --prompt x --beams 2 --stop y
complains '--stop'
tiny 2 --prompt x --top-p 0
complains '--top-p: expected'
tiny 2 --prompt x --temperature hot
complains "found 'hot'"
tiny 2 --prompt x --stop ''
complains '--stop'
tiny 2 --prompt x --system y
complains 'add --chat'
tiny 2 --prompt x --dtype fp16
complains '--dtype'
tiny 2 --prompt x --exec tpu
complains "found 'tpu'"
tiny 2 --prompt x --scheduler nosuch
complains 'nosuch'
tiny 2 --prompt x --allocator paged,block=0
complains 'block'
tiny 2 x
complains 'behind --prompt'
tiny 2 --prompt x --skip-tokenizer-init
complains "found 'x'"
tiny 1 --prompt x --json nosuch/json
complains 'cannot write nosuch/json'
tiny 1 --prompt x --record nosuch/rec
complains 'nosuch/rec'
run 0 --help
check "help is on stdout" grep -q -e '--repetition-penalty' out

checked
