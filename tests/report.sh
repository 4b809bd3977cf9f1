#!/bin/sh
# Reports for the eye: one sound page that needs nothing else, charts in every format,
# the same figures as in the terminal, and mistakes found before anything runs.
#
#	QUIRE=build/dev/quire sh tests/report.sh

# shellcheck disable=SC2086 # $sim is many words
set -u
: "${QUIRE:?the program to test}"

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"

sim="sim --workload demo --requests 300 --model llama-3-8b --gpu a100-80g"

quire() { # ARGS..  into $status, $tmp/out, $tmp/err
	"$QUIRE" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# Every element that is opened is closed, in order; xmllint knows more.
well_formed() { # FILE
	if command -v xmllint >/dev/null; then
		xmllint --noout "$1" 2>"$tmp/err"
		return
	fi
	tr '\n' ' ' <"$1" | grep -o '<[^>]*>' | awk '
		/^<[!?]/ || /\/>$/ { next }
		{ name = $1; gsub(/[<\/>]/, "", name) }
		/^<\// { if (stack[depth--] != name) exit 1; next }
		{ stack[++depth] = name }
		END { exit depth != 0 }'
}

self_contained() { # FILE
	! grep -q -E -i '<script|<link|<img|src=|href=|url\(|@import' "$1"
}

holds() { # FILE TEXT..
	file=$1
	shift
	for text in "$@"; do
		grep -q -F -e "$text" "$file" || return 1
	done
}

smaller() { # FILE BYTES
	[ -s "$1" ] && [ "$(wc -c <"$1")" -lt "$2" ]
}

refuses() { # STATUS TEXT ARGS..
	expected=$1
	text=$2
	shift 2
	quire "$@"
	check "quire $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
	check "quire $*: the line says '$text'" grep -q -e "$text" "$tmp/err"
	check "quire $*: nothing on stdout" [ ! -s "$tmp/out" ]
}

# ---- one run ----

quire $sim --report "$tmp/one.html" --plot "$tmp/new" --json "$tmp/with.json"
check "one run" [ "$status" -eq 0 ]
check "one run: well-formed" well_formed "$tmp/one.html"
check "one run: self-contained" self_contained "$tmp/one.html"
check "one run: its size" smaller "$tmp/one.html" 1000000
check "one run: its figures" holds "$tmp/one.html" "demo: 300 requests" "continuous,prefill=mixed" \
	"TTFT" "arrival to first token" "token states" "requests/s" "KV memory over time" \
	"Queue: sequences that wait for memory" "Throughput over time"
for figure in latency memory batch tokens queue throughput; do
	check "plot $figure: SVG" well_formed "$tmp/new/$figure.svg"
	check "plot $figure: PNG" holds "$tmp/new/$figure.png" IHDR
	check "plot $figure: PDF" holds "$tmp/new/$figure.pdf" %PDF-
done
check "one run: no comparison" [ ! -e "$tmp/new/comparison.svg" ]
check "no temporary file is left" [ -z "$(find "$tmp" -name '*.tmp')" ]

quire $sim --json "$tmp/without.json"
check "charts change no figure" cmp -s "$tmp/with.json" "$tmp/without.json"
quire $sim --report "$tmp/again.html" --jobs 0
sed 's/<code>.*//' "$tmp/one.html" >"$tmp/a"
sed 's/<code>.*//' "$tmp/again.html" >"$tmp/b"
check "the same in one process" cmp -s "$tmp/a" "$tmp/b"

# ---- several ----

quire $sim --scheduler all --allocator all --report "$tmp/many.html" --plot "$tmp/many"
check "many: well-formed" well_formed "$tmp/many.html"
check "many: its size" smaller "$tmp/many.html" 1000000
check "many: all of them" holds "$tmp/many.html" "static x contiguous" "splitfuse x paged" \
	"What clients see" "Side by side"
check "many: no rates" [ ! -e "$tmp/many/rates.svg" ]
quire $sim --rate 2 --rate 8 --rate 40 --seeds 0:1 --allocator all --report "$tmp/rates.html" \
	--plot "$tmp/rates"
check "rates: well-formed" well_formed "$tmp/rates.html"
check "rates: drawn" holds "$tmp/rates.html" "Latency and throughput as load grows"
check "rates: SVG" well_formed "$tmp/rates/rates.svg"

# ---- hard cases ----

quire $sim --report "$tmp/q.html" --scheduler 'static,batch=1' --requests 1
check "a single request: well-formed" well_formed "$tmp/q.html"
quire $sim --report "$tmp/window.html" --window 100000:
check "nothing in the window: well-formed" well_formed "$tmp/window.html"
check "nothing in the window: no NaN" [ "$(grep -c -i -w nan "$tmp/window.html")" -eq 0 ]
quire $sim --kv-slots 64 --report "$tmp/refused.html"
check "all refused: well-formed" well_formed "$tmp/refused.html"
printf 'arrival_s,prompt_tokens,output_tokens\n0,5,5\n' >"$tmp/<a&b>.csv"
quire sim --trace "$tmp/<a&b>.csv" --model llama-3-8b --gpu a100-80g --report "$tmp/name.html"
check "a name with markup: well-formed" well_formed "$tmp/name.html"
printf '<fontconfig></fontconfig>\n' >"$tmp/fonts.conf"
FONTCONFIG_FILE="$tmp/fonts.conf" quire $sim --plot "$tmp/fontless"
check "without fonts" [ "$status" -eq 0 ]

if [ -n "${QUIRE_MODULES_DIR:-}" ] && [ -e "$QUIRE_MODULES_DIR/sched_stall.so" ]; then
	stall=$QUIRE_MODULES_DIR/sched_stall.so
	quire $sim --scheduler "$stall" --report "$tmp/ejected.html"
	check "an ejected run: well-formed" well_formed "$tmp/ejected.html"
	check "an ejected run: says so" holds "$tmp/ejected.html" ejected
	quire $sim --scheduler "$stall" --scheduler static --report "$tmp/ejected.html"
	check "beside another: well-formed" well_formed "$tmp/ejected.html"
	check "beside another: says so" holds "$tmp/ejected.html" "ejected, see below"
fi

# ---- mistakes ----

refuses 1 "cannot write $tmp/nowhere/x.html" $sim --report "$tmp/nowhere/x.html"
refuses 1 "cannot make the folder $tmp/nowhere/x" $sim --plot "$tmp/nowhere/x"
refuses 1 "is no folder" $sim --plot "$tmp/one.html"
refuses 2 "expected the name of a file" $sim --report -
check "an old report stays when a new one fails" holds "$tmp/one.html" "</html>"

checked
