#!/bin/sh
# The same mistake has the same exit status whoever is asked: 2 where the command line asks
# for what cannot be, 1 where it may be right and something else is wrong; core/cli/cli.h
# has the rule.  One line on stderr says what, and nothing is left behind.
#
#	QUIRE=build/dev/quire sh tests/mistakes.sh

set -u
: "${QUIRE:?the program to test}" "${QUIRE_SOURCE_DIR:=.}"
source_dir=$(cd "$QUIRE_SOURCE_DIR" && pwd)
tiny=$source_dir/labs/models/tiny

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
cd "$tmp" || exit 1
checks=0
failures=0

complain() {
	failures=$((failures + 1))
	echo "FAILED: $*" >&2
	sed 's/^/  err: /' err | head -5 >&2
}

ask() { # STATUS TEXT COMMAND ARGS..
	wanted=$1
	text=$2
	shift 2
	"$QUIRE" "$@" >out 2>err </dev/null
	status=$?
	checks=$((checks + 3))
	[ "$status" -eq "$wanted" ] || complain "$*: exit status $wanted, not $status"
	grep -q -e "^quire $1: .*$text" err || complain "$*: says '$text'"
	[ "$(grep -c -v -e '^quire calibrate: [0-9]* threads read at' err)" -eq 1 ] ||
		complain "$*: says it in one line"
}

requests='--workload synthetic,prompt=uniform:16:64,output=uniform:2:9 --requests 10'

# Of COMMANDS each, with flags behind its own.
# shellcheck disable=SC2086
each() { # COMMANDS STATUS TEXT FLAGS..
	for command in $1; do
		case $command in
		run) ask "$2" "$3" run --prompt Hi --max-tokens 4 $4 ;;
		bench) ask "$2" "$3" bench $requests --arrivals burst $4 ;;
		calibrate) ask "$2" "$3" calibrate --seconds 1 --output x.gpu $4 ;;
		sim) ask "$2" "$3" sim --gpu h100 $requests --arrivals burst $4 ;;
		model) ask "$2" "$3" model $4 ;;
		esac
	done
}

mkdir empty broken huge
sed 's/"vocab_size": 128/"vocab_size": 16000000/; s/"tie_word_embeddings": true/"tie_word_embeddings": false/' \
	"$source_dir/tests/fixtures/models/llama-gqa/config.json" >huge/config.json
sed -i 's/"hidden_size": [0-9]*/"hidden_size": 65536/' huge/config.json
echo '{' >broken/config.json
cp -r "$source_dir/tests/fixtures/models/llama-gqa" cut
truncate -s 5000 cut/model.safetensors
cp -r "$source_dir/tests/fixtures/models/llama-3.1" shard
rm shard/model-00002-of-00002.safetensors
echo 'a,b' >no.csv
real='run bench calibrate'
all="$real sim"

# ---- which model ----
each "$all" 2 'which model' ''
each model 2 'expected one model' ''
each "$all" 2 "nosuch" '--model nosuch'
each model 2 "nosuch" 'nosuch'
each "$all" 2 'nosuch' '--model ./nosuch'
each "$all" 2 "empty/config.json: No such file .*; a model's folder holds" '--model empty'
each model 2 "empty/config.json: No such file .*; a model's folder holds" 'empty'
each "$real" 2 'is no folder' '--model broken/config.json'
each "$all" 1 'broken/config.json:2: ' '--model broken'
each model 1 'broken/config.json:2: ' 'broken'
each "$real" 1 '(truncated?)' '--model cut --skip-tokenizer-init'
each model 1 '(truncated?)' 'cut'
each "$real" 1 'names model-00002.*: No such file' '--model shard --skip-tokenizer-init'
each model 1 'names model-00002.*: No such file' 'shard'
each "$real" 2 'nosuch' '--model nosuch --load-format dummy'
each "$real" 1 "'opt' cannot be run" '--model opt-13b --load-format dummy'
each "$real" 1 'its weights take .* this machine has' '--model huge --load-format dummy'

# ---- flags and their values ----
each "$all" 2 'unknown option --frob' "--model $tiny --frob"
each "$all" 2 'needs a value' "--model $tiny --max-num-seqs"
each "$all" 2 "found 'x'" "--model $tiny --max-num-seqs x"
each "$all" 2 "found 'stray'" "--model $tiny stray"
each "$real" 2 "expected cpu or cuda, found 'tpu'" "--model $tiny --exec tpu"
each "$real" 2 'expected auto or dummy' "--model $tiny --load-format x"
each "$real" 2 'is for --load-format dummy' "--model $tiny --dtype fp16"
each "$real" 2 'give one of them' "--model $tiny --kv-slots 100 --kv-memory 1GB"
each "run bench sim" 2 "no scheduler is called 'nosuch'" "--model $tiny --scheduler nosuch"
each "run bench sim" 2 'cannot load a scheduler: ./no.so' "--model $tiny --scheduler ./no.so"
each "run bench sim" 2 'option block: expected' "--model $tiny --allocator paged,block=0"
each "run bench sim" 2 'more than --max-num-seqs 4' \
	"--model $tiny --scheduler static,batch=8 --max-num-seqs 4"

# ---- what does not go together with the model, the machine, the workload ----
each "$real" 2 '--max-model-len 513 is more than the 512 tokens that tiny can do' \
	"--model $tiny --max-model-len 513"
each "run bench" 2 '100 bytes are no room for two tokens' "--model $tiny --kv-memory 100"
each calibrate 2 '100 bytes are no room for two tokens' "--model $tiny --kv-memory 100"
# shellcheck disable=SC2086 # many words
ask 2 'has lengths but no arrival times: add --rate' bench --model "$tiny" $requests
# shellcheck disable=SC2086
ask 2 'has lengths but no arrival times: add --rate' sim --model "$tiny" --gpu h100 $requests
ask 2 'which requests' bench --model "$tiny"
ask 2 'which requests' sim --model "$tiny" --gpu h100
ask 2 "no preset 'nosuch'" bench --model "$tiny" --workload nosuch
ask 2 "no preset 'nosuch'" sim --model "$tiny" --gpu h100 --workload nosuch
if ! "$QUIRE" run --model "$tiny" --exec cuda --prompt x >out 2>err; then
	each "$real" 1 'without CUDA\|GPU\|driver' "--model $tiny --exec cuda"
fi

# ---- files ----
ask 1 'cannot read no.txt' run --model "$tiny" --prompt-file no.txt
ask 1 'none.csv: cannot be opened' bench --model "$tiny" --trace none.csv
ask 1 'none.csv: cannot be opened' sim --model "$tiny" --gpu h100 --trace none.csv
ask 1 'no.csv:1: expected a trace' bench --model "$tiny" --trace no.csv
ask 1 'no.csv:1: expected a trace' sim --model "$tiny" --gpu h100 --trace no.csv
each "run bench sim" 1 'cannot write no/x' "--model $tiny --json no/x"
each "run bench sim" 1 'cannot write no/x' "--model $tiny --record no/x"
each "bench sim" 1 'cannot write no/x' "--model $tiny --csv no/x"
ask 1 'cannot write no/x' calibrate --model "$tiny" --output no/x
ask 1 'cannot write no/x' model "$tiny" --json no/x

# ---- requests that are refused ----
each "bench sim" 1 'all 10 requests were refused: the prompt leaves no room' \
	"--model $tiny --max-model-len 16"
each "bench sim" 1 'all 10 requests were refused: it needs more tokens in one step' \
	"--model $tiny --max-num-batched-tokens 1"

rm -rf out err
[ "$(ls)" = "$(printf 'broken\ncut\nempty\nhuge\nno.csv\nshard')" ] || {
	: >err
	complain "something was left behind: $(ls)"
}

echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
