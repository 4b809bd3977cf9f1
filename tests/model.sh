#!/bin/sh
# "quire model" as a user meets it: names, folders with weights, files of weights,
# what is not sound.
#
#	QUIRE=build/dev/quire QUIRE_SOURCE_DIR=. sh tests/model.sh

set -u
: "${QUIRE:?the program to test}"
: "${QUIRE_SOURCE_DIR:=$(dirname "$0")/..}"

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
models="$QUIRE_SOURCE_DIR/tests/fixtures/models"

model() { # ARGS..  into $status, $tmp/out, $tmp/err
	"$QUIRE" model "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# Exits with 0, and a line is TEXT.
says() { # TEXT ARGS..
	text=$1
	shift
	model "$@"
	check "model $*: exit status 0, not $status" [ "$status" -eq 0 ]
	check "model $*: nothing on stderr" [ ! -s "$tmp/err" ]
	check "model $*: a line '$text'" grep -q -x -e "$text" "$tmp/out"
}

# Exits with STATUS, nothing on stdout, one line on stderr that holds TEXT.
refuses() { # STATUS TEXT ARGS..
	expected=$1
	text=$2
	shift 2
	model "$@"
	check "model $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
	check "model $*: nothing on stdout" [ ! -s "$tmp/out" ]
	check "model $*: one line on stderr" [ "$(wc -l <"$tmp/err")" -eq 1 ]
	check "model $*: the line says '$text'" grep -q -e "$text" "$tmp/err"
}

has() { # TEXT: in what was said last
	check "a line '$1'" grep -q -e "$1" "$tmp/out"
}

# A copy of a fixture that may be spoilt: its path in $copy.
copy_of() { # NAME
	copy=$tmp/$1
	rm -rf "$copy"
	cp -r "$models/$1" "$copy"
}

# ---- names and shapes, as without weights ------------------------------------------------

says '  all              7,615,616,512 100.0 %' qwen2.5-7b
check "no weights are spoken of" [ "$(grep -c -e '^Weights' -e '^Sound' "$tmp/out")" -eq 0 ]
says 'llama-mha, a dense decoder of the llama family' "$models/llama-mha/config.json"
check "a config.json alone: no weights" [ "$(grep -c '^Weights' "$tmp/out")" -eq 0 ]
refuses 2 "did you mean Qwen2.5-7B" qwen2.5-7
refuses 2 "no such file" ./nowhere
refuses 2 "core/config.json: No such file .*; a model's folder holds config.json, " \
	"$QUIRE_SOURCE_DIR/core"
refuses 2 "has no weights" qwen2.5-7b --tensors
refuses 2 "has no weights" "$models/qwen2/config.json" --tensors
refuses 2 "expected one model" "$models/qwen2" "$models/qwen3"

# ---- folders ------------------------------------------------------------------------------

for name in llama-mha llama-gqa llama-mqa llama-3.1 mistral qwen2 qwen3; do
	says 'Sound: the tensors are those of config.json.' "$models/$name"
done
says '  memory       98.62 kB of weights in fp16; 1,024 B of keys and values a token' \
	"$models/llama-mha"
says '  rotation     base 500,000; stretched 8 times as in Llama 3.1, from 64 tokens' \
	"$models/llama-3.1"
has '^  files        2 shards, 92.59 kB$'
has '^  ends at      125, 126, 127$'
has '^  BF16                21             45,216   90.43 kB$'
says '  attention    looks back on 8 tokens' "$models/mistral"
says '  rotation     base 10,000; positions divided by 4' "$models/llama-mqa"
says '  model.layers.1.mlp.up_proj.weight  *BF16  *56 x 24  *2,688 B' \
	"$models/qwen2" --tensors
check "--tensors: a line for each" [ "$(grep -c '^  model\.' "$tmp/out")" -eq 26 ]

model "$models/llama-3.1" --tensors --json -
check "--json: exit status" [ "$status" -eq 0 ]
check "--json -: JSON and nothing else" [ "$(head -c 1 "$tmp/out")" = "{" ]
has '"theta": 500000.0'
has '"scaling": "llama3"'
has '"name": "model-00002-of-00002.safetensors"'
has '"name": "model.layers.1.mlp.up_proj.weight"'
model "$models/qwen2" --json -
check "--json without --tensors: no list" [ "$(grep -c '"list"' "$tmp/out")" -eq 0 ]

copy_of qwen2
cp "$copy/config.json" "$tmp/config.json"
sed 's/"sliding_window": 8/"sliding_window": 8, "attention_bias": true/; s/Qwen2For/LlamaFor/' \
	"$tmp/config.json" >"$copy/config.json"
says 'The files are sound, but cannot be run: .*attention_bias.*' "$copy"
model "$copy" --json -
has '"cannot_run": ".*attention_bias'
check "what cannot be run says nothing of it" [ "$(grep -c '"running"' "$tmp/out")" -eq 0 ]
rm "$copy/model.safetensors"
says 'qwen2, a dense decoder of the llama family' "$copy"
check "a folder without weights: none are spoken of" \
	[ "$(grep -c -e '^Weights' -e '^Sound' "$tmp/out")" -eq 0 ]

# ---- what is not sound ----------------------------------------------------------------------

copy_of qwen3
truncate -s 100000 "$copy/model.safetensors"
refuses 1 "qwen3/model.safetensors: tensor 'model.*': it ends at byte .* (truncated?)" "$copy"
refuses 1 "model.safetensors: tensor 'model.*': it ends at byte" "$copy/model.safetensors"
refuses 1 "truncated" "$copy" --json "$tmp/none.json"
check "no JSON of what is not sound" [ ! -e "$tmp/none.json" ]
copy_of llama-3.1
rm "$copy/model-00002-of-00002.safetensors"
refuses 1 "index.json: names model-00002-of-00002.safetensors: No such file" "$copy"
copy_of mistral
sed -i 's/"vocab_size": 128/"vocab_size": 129/' "$copy/config.json"
refuses 1 "'model.embed_tokens.weight' has the shape 128 x 32; by config.json it is 129 x 32" \
	"$copy"
copy_of mistral
echo '{' >"$copy/generation_config.json"
refuses 1 "generation_config.json:" "$copy"
rm "$copy/config.json"
refuses 2 "config.json: No such file" "$copy"

# ---- tokenizers -----------------------------------------------------------------------------

says '  kind         byte-level BPE' "$QUIRE_SOURCE_DIR/labs/models/tiny"
has '^  entries      1,024, for 1,024 rows of the embedding$'
has '^  ends at      1023 <|end_of_text|>$'
model "$QUIRE_SOURCE_DIR/labs/models/tiny" --json -
has '"kind": "byte-level BPE"'
copy_of qwen3
cp "$QUIRE_SOURCE_DIR/labs/models/tiny/tokenizer.json" "$copy"
refuses 1 "tokenizer.json: 1024 entries, but the model's embedding has 128 rows" "$copy"
printf '{' >"$copy/tokenizer.json"
refuses 1 "tokenizer.json" "$copy"

# ---- files of weights -----------------------------------------------------------------------

says 'Sound: every byte of it belongs to one tensor.' "$models/qwen3/model.safetensors"
cp "$models/qwen3/model.safetensors" "$tmp/weights"
says '  files        weights, 143.2 kB' "$tmp/weights" --tensors
check "by its content: every tensor" [ "$(grep -c '^  model\.' "$tmp/out")" -eq 24 ]
model "$tmp/weights" --json -
has '"elements": 70304'
header='{"x.10":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x.9":{"dtype":"F8_E4M3","shape":[],"data_offsets":[1,2]}}'
printf '\162\0\0\0\0\0\0\0%sab' "$header" >"$tmp/small"
says '  x\.9   F8_E4M3  one number  *1 B' "$tmp/small" --tensors
check "numbers in names count as numbers" [ "$(grep -n 'x.9' "$tmp/out" | cut -d: -f1)" -lt \
	"$(grep -n 'x.10' "$tmp/out" | cut -d: -f1)" ]
printf 'not a model' >"$tmp/x.safetensors"
refuses 1 "x.safetensors: a header of .* no safetensors file?" "$tmp/x.safetensors"
refuses 2 "no such file" "$tmp/nowhere.safetensors"

checked
