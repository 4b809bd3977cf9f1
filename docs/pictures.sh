#!/bin/sh
# Make the pictures of these pages anew, from runs, with quire alone:
#
#	QUIRE=build/release/quire sh docs/pictures.sh
#
# All runs but the last are simulated, so the same program makes the same pictures.
set -eu
cd "$(dirname "$0")"
: "${QUIRE:=../build/release/quire}"
case $QUIRE in
/* | ../*) ;;
*) QUIRE=../$QUIRE ;;
esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p pictures

# What paging saves: OPT-13B in 12 GiB, far more requests than it can serve.
"$QUIRE" sim --workload sharegpt_opt_2k --rate 4 --requests 600 --model opt-13b --gpu a100-40g \
	--kv-slots 15728 --max-model-len 2048 --allocator contiguous --allocator paged \
	--plot "$tmp/memory" >/dev/null
cp "$tmp/memory/memory.svg" pictures/memory.svg

# Where the knee is: the same chat requests at rising rates.
rates=
for rate in 1 2 4 6 8 10 12 14 16 18 20 22 25 30; do
	rates="$rates --rate $rate"
done
# shellcheck disable=SC2086 # many words
"$QUIRE" sim --workload sharegpt_opt_2k --requests 2000 $rates --model llama-3-8b \
	--gpu a100-80g --scheduler static --scheduler continuous --allocator all \
	--plot "$tmp/rates" >/dev/null
cp "$tmp/rates/rates.svg" pictures/rates.svg

# ---- the visualizer ----------------------------------------------------------------------

# A lesson at the $1-th of its captions.
lesson() {
	on=
	for _ in $(seq 2 "$1"); do
		on="$on --caption-on"
	done
	name=$2
	shift 2
	# shellcheck disable=SC2086 # many words
	"$QUIRE" view --lesson "$name" $on "$@"
}

# Three answers share a prompt, until each writes.
lesson 5 copy-on-write --panel sequence --size 900x600 --png pictures/blocks.png
# What is reserved, and what is used of it.
lesson 3 contiguous --size 720x430 --png pictures/waste.png
# A long prompt, in one step and in chunks.
lesson 5 splitfuse --size 900x520 --png pictures/splitfuse.png

# 32 requests, 8 seats: who is done waits for the rest of his batch, or makes room.
for scheduler in static,batch=8 continuous; do
	"$QUIRE" sim --workload notes_p6 --max-num-seqs 8 --scheduler $scheduler --allocator paged \
		--kv-slots 1024 --max-model-len 128 --model opt-13b --gpu a100-40g \
		--record "$tmp/${scheduler%%,*}.qrec" >/dev/null
done
"$QUIRE" view "$tmp/static.qrec" "$tmp/continuous.qrec" --at end --axis steps --panel timeline \
	--size 900x460 --theme light --png pictures/batching.png

# The same request, its slots in a row and in blocks.
for allocator in contiguous paged; do
	"$QUIRE" sim --workload sharegpt_opt_2k --rate 4 --requests 300 --allocator $allocator \
		--model opt-13b --gpu a100-40g --record "$tmp/$allocator.qrec" >/dev/null
done
"$QUIRE" view "$tmp/contiguous.qrec" "$tmp/paged.qrec" --at 15s --select r14 --panel sequence \
	--size 900x360 --theme light --png pictures/tables.png

# All panels, of a pool that is too small.
"$QUIRE" sim --workload demo --requests 50 --model llama-3-8b --gpu a100-80g --kv-slots 8192 \
	--record "$tmp/demo.qrec" >/dev/null
"$QUIRE" view "$tmp/demo.qrec" --at 'step 420' --select r19 --size 1000x640 --png pictures/view.png

# A real run of the tiny model beside its simulation: on a machine that does nothing else.
model=../labs/models/tiny
run="--workload demo_small --kv-slots 4096"
"$QUIRE" calibrate --exec cpu --threads 1 --model $model --max-model-len 512 \
	--output "$tmp/here.gpu"
# shellcheck disable=SC2086 # many words
"$QUIRE" bench --exec cpu --threads 1 --model $model $run --record "$tmp/measured.qrec" >/dev/null
# shellcheck disable=SC2086
"$QUIRE" sim --gpu "$tmp/here.gpu" --model $model $run --record "$tmp/predicted.qrec" >/dev/null
"$QUIRE" compare "$tmp/measured.qrec" "$tmp/predicted.qrec" --plot "$tmp/fit" >/dev/null || [ $? = 1 ]
cp "$tmp/fit/differences.svg" pictures/fit.svg
ls -l pictures
