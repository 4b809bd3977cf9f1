#!/bin/sh
# Make the pictures of these pages anew, from runs:
#
#	QUIRE=build/release/quire sh docs/pictures.sh
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
ls -l pictures
