#!/bin/sh
# Recordings and timelines as a user meets them: quire sim --record and --perfetto,
# quire compare, and what they say when something is wrong.
#
#	QUIRE=build/dev/quire sh tests/compare.sh

# shellcheck disable=SC2086 # $sim is many words
set -u
: "${QUIRE:?the program to test}"

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
cd "$tmp" || exit 1

sim="sim --workload demo --requests 300 --model llama-3-8b --gpu a100-80g --kv-slots 20000"

quire() { # STATUS ARGS..  into out, err
	expected=$1
	shift
	"$QUIRE" "$@" >out 2>err
	status=$?
	check "quire $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
}

says() { # TEXT
	check "$what: says '$1'" grep -q -e "$1" out
}

complains() { # TEXT
	check "one line on stderr: '$1'" [ "$(wc -l <err)" -eq 1 ]
	check "the line says '$1'" grep -q -e "$1" err
}

is_json() { # FILE
	! command -v python3 >/dev/null || python3 -m json.tool "$1" /dev/null
}

# ---- recording changes nothing ----------------------------------------------------

quire 0 $sim --json plain.json
quire 0 $sim --json a.json --record a.qrec --perfetto a.trace
check "a recorded run has the same report" cmp -s plain.json a.json
quire 0 $sim --record again.qrec --jobs 0
check "the same run gives the same recording" cmp -s a.qrec again.qrec
quire 0 $sim --isolate --record isolated.qrec
check "an isolated run gives the same recording" cmp -s a.qrec isolated.qrec

# ---- the same --------------------------------------------------------------------

quire 0 compare a.qrec again.qrec
says '^all [0-9,]* decisions are the same$'
says '^all settings are the same$'
says '^all [0-9]* figures are the same$'
quire 0 compare a.qrec a.json
quire 0 compare a.json plain.json --json -
check "--json -: JSON" is_json out
check "--json -: same" grep -q '"same": true' out

# ---- different ---------------------------------------------------------------------

quire 0 $sim --scheduler splitfuse --record b.qrec --json b.json
quire 1 compare a.qrec b.qrec --json ab.json
says '^first decision that differs, after [0-9,]* that are the same:$'
says '^  A  step [0-9,]* at [0-9.]* s: '
says '^  B  step [0-9,]* at [0-9.]* s: plans [0-9,]* tokens of sequence [0-9]* (request [0-9]*)'
says '^  scheduler  *A  continuous'
says '^ttft_s.mean '
check "--json FILE: JSON" is_json ab.json
for key in same config figures figures_equal first_decision first_scheduler_decision \
	first_request first_time; do
	check "--json FILE: $key" grep -q "^  \"$key\": " ab.json
done
quire 1 compare a.json b.json
quire 1 compare a.qrec b.json
sed '0,/"schema"/s/"schema"/"extra": 7, &/' a.json >more.json
quire 1 compare a.json more.json
says '^extra  *- *7'
quire 1 compare more.json a.json
says '^extra  *7  *-'
quire 0 $sim --allocator contiguous --record c.qrec
quire 1 compare a.qrec c.qrec
says 'of the allocator'
says '^and of the scheduler'
quire 0 sim --workload demo --requests 300 --model llama-3-8b --gpu h100 --kv-slots 20000 \
	--record h.qrec
quire 1 compare a.qrec h.qrec
says '^times differ first in step 1, '
quire 0 $sim --seed 5 --record s.qrec
quire 1 compare a.qrec s.qrec
says '^the workloads differ, first in request 0$'

# ---- charts of both --------------------------------------------------------------------

# Every element that is opened is closed, in order; xmllint knows more.
well_formed() { # FILE
	if command -v xmllint >/dev/null; then
		xmllint --noout "$1" 2>err
		return
	fi
	tr '\n' ' ' <"$1" | grep -o '<[^>]*>' | awk '
		/^<[!?]/ || /\/>$/ { next }
		{ name = $1; gsub(/[<\/>]/, "", name) }
		/^<\// { if (stack[depth--] != name) exit 1; next }
		{ stack[++depth] = name }
		END { exit depth != 0 }'
}

page() { # FILE STATUS ARGS..: a sound page that needs nothing else, and holds no NaN
	page=$1
	expected=$2
	shift 2
	quire "$expected" compare "$@" --report "$page"
	check "$page: well-formed" well_formed "$page"
	check "$page: needs nothing else" \
		[ "$(grep -c -E -i '<script|<link|<img|src=|href=|url\(|@import' "$page")" -eq 0 ]
	check "$page: no NaN" [ "$(grep -c -i -w -E 'nan|inf' "$page")" -eq 0 ]
	check "$page: below 1 MB" [ "$(wc -c <"$page")" -lt 1000000 ]
}

has() { # TEXT..: in the page
	for text in "$@"; do
		check "$page: '$text'" grep -q -F -e "$text" "$page"
	done
}

lacks() { # TEXT..
	for text in "$@"; do
		check "$page: no '$text'" [ "$(grep -c -F -e "$text" "$page")" -eq 0 ]
	done
}

quire 1 compare a.qrec b.qrec
cp out plain.out
page ab.html 1 a.qrec b.qrec --plot ab
check "charts change nothing that is printed" cmp -s out plain.out
has 'B  b.qrec against A  a.qrec' 'At a glance' 'First decision that differs, after' \
	'>first decision that differs<' 'of 300 requests take as long in B as in A' 'Key figures' \
	'Latency distributions' 'Request by request' 'KV memory over time' 'Throughput over time' \
	'Time of a step by its tokens' 'Where the time goes' 'Settings that differ' 'splitfuse' \
	'quire compare'
for figure in differences latency requests steps memory batch tokens throughput; do
	check "plot $figure: SVG" well_formed "ab/$figure.svg"
	check "plot $figure: PNG" grep -q IHDR "ab/$figure.png"
	check "plot $figure: PDF" grep -q %PDF- "ab/$figure.pdf"
done
# What two runs add up to is in the page, in both figures and tables.
mean=$(awk '$1 == "ttft_s.mean" { printf "%+.1f%%", $5 }' out)
has "TTFT $mean"
page same.html 0 a.qrec again.qrec
has 'All settings are the same.' 'decisions are the same' 'TTFT same' 'Step by step'
lacks 'first decision' 'Where the time goes'
page ac.html 1 a.qrec c.qrec
has 'first decision of the scheduler that differs' 'reserved' 'contiguous'
page seed.html 1 a.qrec s.qrec
has 'The workloads differ, so requests are not compared one by one.'
lacks 'Request by request'
says '^charts: the workloads differ'
page reports.html 1 a.json b.json --plot reports
has 'A and B are reports' 'Key figures' 'Latency distributions'
lacks 'memory over time' 'Throughput over time' 'Request by request'
says '^charts: A and B are reports'
check "charts of reports: what they hold" [ "$(find reports -name '*.svg' | wc -l)" -eq 2 ]
page mixed.html 1 a.qrec b.json
has 'B is a report'
quire 1 compare a.json b.json --report quiet.html --json - # standard output is JSON alone
check "charts and --json -: JSON" is_json out
quire 0 $sim --scheduler all --json three.json
page three.html 0 three.json three.json --plot three
has 'against A  three.json, 3 of 3'
check "charts of three pairs" [ "$(find three -name 'latency-[123].pdf' | wc -l)" -eq 3 ]
quire 1 $sim --max-model-len 2 --record refused.qrec
page none.html 0 refused.qrec refused.qrec
page empty.html 1 refused.qrec a.qrec
quire 0 $sim --window 100000: --record outside.qrec
page outside.html 1 outside.qrec a.qrec
cp a.qrec '<a&b>.qrec'
page markup.html 0 '<a&b>.qrec' a.qrec
lacks '<a&b>'

# Found before anything is read: neither file is there.
quire 2 compare x y --report none/x.html
complains 'cannot write none/x.html'
quire 2 compare x y --plot none/x
complains 'cannot make the folder none/x'
quire 2 compare x y --plot a.json
complains 'is no folder'
quire 2 compare x y --json none/x.json
complains 'cannot write none/x.json'
quire 2 compare x y --report -
complains "expected the name of a file, found '-'"
quire 2 compare x y --plot -
complains "expected the name of a folder, found '-'"
quire 2 compare x y --report page.txt
complains 'ending with .html'
quire 2 compare x y --report x.html --json x.html
complains 'would both write'
quire 2 compare x y --plot ''
complains 'found'
quire 2 compare a.qrec text.json --report kept.html
check "a page that fails leaves no file" [ -z "$(find . -name 'kept.html*')" ]
if [ -w /dev/full ]; then
	ln -s /dev/full full.html
	quire 2 compare a.qrec b.qrec --report full.html
	complains 'No space left'
fi

# ---- several runs -------------------------------------------------------------------

quire 0 $sim --scheduler all --json all.json --record all.qrec --perfetto all.trace
for name in static continuous splitfuse; do
	check "a recording of $name" [ -s "all.$name-paged.qrec" ]
	check "a timeline of $name" is_json "all.$name-paged.trace"
done
check "says where they are" grep -q 'all.static-paged.qrec' err
check "one of several is the same run alone" cmp -s a.qrec all.continuous-paged.qrec
quire 0 compare all.json all.json
says '^---- 3 of 3: splitfuse'
quire 2 compare all.json a.json
complains 'do not pair up'

# ---- what is cut off, or is none -------------------------------------------------------

size=$(wc -c <a.qrec)
head -c $((size / 2)) a.qrec >half.qrec
quire 1 compare a.qrec half.qrec
says '^B was cut off at byte '
says '^the [0-9,]* decisions up to there are the same$'
head -c $((size - 10)) a.qrec >nearly.qrec
quire 0 compare a.qrec nearly.qrec
says '^all [0-9]* figures are the same$'
head -c 10 a.qrec >short.qrec
quire 2 compare a.qrec short.qrec
complains 'cut off within its header'
echo '{"a": 1}' >other.json
quire 2 compare a.qrec other.json
complains 'no report of quire'
echo 'hello' >text
quire 2 compare text a.qrec
complains 'neither a recording nor a report'
quire 2 compare none.qrec a.qrec
complains 'No such file'
quire 2 compare a.qrec
complains 'expected two'
quire 2 compare a.qrec b.qrec --jsn x
complains 'did you mean --json'

# ---- what cannot be written ---------------------------------------------------------------

quire 2 $sim --record -
complains 'expected the name of a file'
quire 1 $sim --record none/x.qrec
complains 'cannot write none/x.qrec'
if [ -w /dev/full ]; then
	quire 1 $sim --record /dev/full --json full.json
	complains 'cannot write /dev/full: No space left'
	check "a full disk: the report is whole" cmp -s plain.json full.json
	check "a full disk: the table is printed" grep -q '^throughput' out
	quire 1 $sim --perfetto /dev/full
	complains 'cannot write /dev/full: No space left'
fi

# ---- the timeline ----------------------------------------------------------------------------

check "the timeline is JSON" is_json a.trace
check "a lane for a seat" grep -q '"thread_name".*"seat 0"' a.trace
check "a prompt" grep -q '"name":"r0 prompt [0-9]*","ph":"X"' a.trace
check "a decode" grep -q '"name":"r0 decode","ph":"X".*"steps":' a.trace
for counter in memory batch queue; do
	check "a counter of $counter" grep -q "\"name\":\"$counter\",\"ph\":\"C\"" a.trace
done
check "a preemption" grep -q 'preempted","ph":"i"' a.trace

quire 0 compare --help
check "help: no line beyond 100 columns" [ "$(awk 'length > 100' out | wc -l)" -eq 0 ]

checked
