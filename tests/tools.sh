#!/bin/sh
# quire trace, model and plan as a user meets them: what they print of things that a
# person can count, and what they say when something is wrong.
#
#	QUIRE=build/dev/quire sh tests/tools.sh

set -u
: "${QUIRE:?the program to test}"

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
cd "$tmp" || exit 1

quire() { # STATUS ARGS..  into out, err
	expected=$1
	asked="quire $2 ${3-}"
	shift
	"$QUIRE" "$@" >out 2>err
	status=$?
	check "quire $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
}

says() { # TEXT, with any space where it has one
	check "$asked says '$1'" grep -q -E -e "$(echo "$1" | sed 's/  */ +/g')" out
}

complains() { # TEXT
	check "$asked: one line on stderr: '$1'" [ "$(wc -l <err)" -eq 1 ]
	check "$asked: the line says '$1'" grep -q -e "$1" err
}

value() { # KEY VALUE  of the JSON in out, where it is the first of its name
	found=$(sed -n "s/^ *\"$1\": \(.*[^,]\),*$/\1/p" out | head -1)
	check "$asked: \"$1\" is $2, not $found" [ "$found" = "$2" ]
}

# ---- traces -----------------------------------------------------------------------

printf 'arrival_s,prompt_tokens,output_tokens\n0.5,30,3\n0,10,5\n1,20,1\n' >t.csv
quire 0 trace info t.csv
says 't.csv \(quire csv\): 3 requests'
says 'duration 1.00 s'
says 'rate 2.00 requests/s'
says 'prompt 10 20.0 20 30 30 30 60'
says 'output 1 3.00 3 5 5 5 9'
says '16 - 31 66.7 %'
quire 0 trace info t.csv --json -
value requests 3
value last_s 1.0
value gap_cv 0.0
value sum 60
value prefixes null
quire 0 trace convert t.csv
printf 'arrival_s,prompt_tokens,output_tokens\n0,10,5\n0.5,30,3\n1,20,1\n' >sorted.csv
check "a trace is converted to rows by arrival" cmp -s out sorted.csv
quire 0 trace convert sorted.csv -o again.csv
complains 'again.csv: 3 requests'
check "what is sorted stays as it is" cmp -s again.csv sorted.csv
quire 0 trace convert t.csv --rate 4 --arrivals fixed --requests 2
check "four a second" grep -q '^0.25,' out

printf '{"timestamp": 0, "input_length": 700, "output_length": 2, "hash_ids": [1, 2]}\n' >m.jsonl
printf '{"timestamp": 9, "input_length": 900, "output_length": 3, "hash_ids": [1, 3]}\n' >>m.jsonl
quire 0 trace info m.jsonl --json -
value blocks 4
value blocks_distinct 3
quire 0 trace info m.jsonl
says '512 tokens'
quire 0 trace convert m.jsonl -o m.csv
check "hashes that are left out are counted" grep -q '^note: 4 block hashes' err

quire 0 trace generate demo --requests 5 --seed 7
check "five requests and a header" [ "$(wc -l <out)" -eq 6 ]
cp out first.csv
quire 0 trace generate demo --requests 5 --seed 7 -o second.csv
check "a seed gives the same requests" cmp -s first.csv second.csv
quire 0 trace info demo --requests 100
says ': 100 requests'

quire 0 trace --help
says 'generate'
quire 0 trace convert --help
says '--output FILE'
quire 2 trace
complains 'expected info, convert or generate, found nothing'
quire 2 trace nosuch
complains "found 'nosuch'"
quire 2 trace info
complains 'give a file or a preset'
quire 2 trace convert t.csv t.csv
complains "one at a time, found 't.csv' too"
quire 1 trace info nosuch.csv
complains "no file 'nosuch.csv'"
quire 1 trace convert nosuch.csv
complains "no file 'nosuch.csv'"
quire 2 trace convert demo
complains "'demo' is a preset"
quire 2 trace generate t.csv
complains 'expected a file of clients'
quire 2 trace generate --trace t.csv
complains 'takes a preset'
quire 2 trace info t.csv --output x
complains 'takes no --output'
quire 2 trace convert t.csv --json x
complains 'takes no --json'
quire 2 trace info t.csv --json ''
complains "json: expected the name of a file, found ''"
quire 2 trace generate demo --rate 1 --rate 2
complains 'takes one --rate'
quire 2 trace generate demo --seeds 1:2
complains 'takes one --seed'
quire 2 trace generate demo --samples 2
complains 'samples has no column'
quire 2 trace info t.csv --rate fast
complains "found 'fast'"
quire 1 trace convert t.csv -o nosuch/t.csv
complains 'cannot write nosuch/t.csv'

# ---- models, by the published counts ------------------------------------------------

quire 0 model llama-3-8b
says 'all 8,030,261,248'
says 'bf16 16.06 GB 131,072 B'
quire 0 model llama-3-8b --json -
value kv_heads 8
value total 8030261248
check "quire model llama-3-8b: \"kv_per_token\" of int8" grep -q '"kv_per_token": 65536' out
value experts 0
quire 0 model mixtral-8x7b
says 'all 46,702,792,704'
says 'experts'
quire 0 model deepseek-r1
says 'MLA'
quire 0 model opt-13b
says 'LayerNorm'
quire 2 model
complains "expected one model's name or path"
quire 2 model nosuch
complains "model 'nosuch' is unknown"
quire 2 model llama-3-8b --json ''
complains "expected the name of a file, found ''"
quire 1 model llama-3-8b --json nosuch/m.json
complains 'cannot write nosuch/m.json'

# ---- plans --------------------------------------------------------------------------

for ending in svg png pdf; do
	quire 0 plan --model llama-3-8b --gpu a100-80g --batch 1:64 --chart "sweep.$ending"
	check "sweep.$ending is drawn" [ "$(wc -c <sweep.$ending)" -gt 2000 ]
done
check "an SVG ends as one" grep -q '</svg>' sweep.svg
quire 0 plan --model llama-3-8b --gpu t4 --gpu a100-80g --json -
check "one object for each GPU" [ "$(grep -c '"gpu":' out)" -eq 2 ]
quire 2 plan --model llama-3-8b --gpu a100-80g --batch 1:64 --chart sweep.gif
complains 'sweep.gif'
quire 2 plan --model llama-3-8b --gpu a100-80g --batch 1:64 --chart s.svg --json ./s.svg
complains 'json and --chart would both write s.svg'
quire 1 plan --model llama-3-8b --gpu a100-80g --batch 1:64 --chart nosuch/sweep.svg
complains 'nosuch/sweep.svg'

checked
