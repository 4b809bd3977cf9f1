#!/bin/sh
# quire sweep: the same rows however they are run, in one process, in many, under
# mpirun, or in two goes; mistakes are told with file and line.
#
#	QUIRE=build/dev/quire sh tests/sweep.sh

# shellcheck disable=SC2086 # $args is many words
set -u
: "${QUIRE:?the program to test}"

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
cd "$tmp" || exit 1

sweep() { # ARGS..  into $status, out, err
	"$QUIRE" sweep "$@" >out 2>err
	status=$?
}

refuses() { # TEXT ARGS..
	text=$1
	shift
	sweep "$@" --csv refused.csv
	check "sweep $*: exit status 2, not $status" [ "$status" -eq 2 ]
	check "sweep $*: one line" [ "$(wc -l <err)" -eq 1 ]
	check "sweep $*: the line says '$text'" grep -q -e "$text" err
	check "sweep $*: nothing was written" [ ! -e refused.csv ]
}

column() { # FILE NAME: its cells; a quoted first cell is made one without commas
	sed 's/^"[^"]*"/key/' "$1" |
		awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
			{ print $c }'
}

cat >grid.txt <<'END'
# a grid of 2 x 2 x 2 x 3 runs
workload = demo
requests = 150
model    = llama-3-8b
gpu      = a100-80g
rate     = 4, 16                       # requests/s
scheduler = continuous, splitfuse, budget=512
scheduler-is-no-flag-of-this = 1
END
refuses 'grid.txt:8: unknown flag' grid.txt
sed -i '$d' grid.txt
cat >>grid.txt <<'END'
max-num-seqs = 16
max-num-seqs = 256
seeds = 0:2
END

# ---- the same rows, however ----

sweep grid.txt --csv jobs.csv --jobs 4
check "a sweep: exit status $status" [ "$status" -eq 0 ]
check "a row each, and a header" [ "$(wc -l <jobs.csv)" -eq 25 ]
check "a row for each combination" [ "$(wc -l <jobs.summary.csv)" -eq 9 ]
cp out jobs.out
sweep grid.txt --csv one.csv --jobs 0
check "one by one: the same rows" cmp -s jobs.csv one.csv
check "one by one: the same summary" cmp -s jobs.summary.csv one.summary.csv
check "one by one: the same table" cmp -s jobs.out out

# A key is a command line that runs this run alone.
key=$(sed -n 12p jobs.csv | sed 's/^"\([^"]*\)".*/\1/')
digest=$(sed -n 12p jobs.csv | grep -o '0x[0-9a-f]*')
check "the key of row 12 has a comma in it" grep -q 'splitfuse,budget=512' <<END
$key
END
# shellcheck disable=SC2086
"$QUIRE" sim $key --json - >out 2>err
check "quire sim $key: the same digest" grep -q "$digest" out

# The summary's means are those of the rows.
# The 3 seeds of the first combination are rows 1, 1 + 4 and 1 + 8: seeds are of the
# workload and turn slower.
mean=$(column jobs.csv e2e_s.mean | awk 'NR % 4 == 1 && NR < 12 { s += $1 }
	END { printf "%.9g", s / 3 }')
half=$(column jobs.csv e2e_s.mean | awk 'NR % 4 == 1 && NR < 12 { n++; x[n] = $1; s += $1 }
	END { for (i in x) q += (x[i] - s / n) ^ 2
		printf "%.5g", 4.30265273 * sqrt(q / (n - 1) / n) }')
told=$(column jobs.summary.csv e2e_s.mean | head -1 | awk '{ printf "%.9g", $1 }')
told_half=$(column jobs.summary.csv e2e_s.mean.ci95 | head -1 | awk '{ printf "%.5g", $1 }')
check "mean over seeds: $told, expected $mean" [ "$told" = "$mean" ]
check "half the interval: $told_half, expected $half" [ "$told_half" = "$half" ]

sweep grid.txt --csv jobs.csv --report page.html
check "--report: exit status $status" [ "$status" -eq 0 ]
check "--report: a page with charts" [ "$(grep -c '<svg\|</html>' page.html)" -ge 2 ]

# ---- going on ----

head -c 9000 jobs.csv >torn.csv # somewhere inside a row
rows=$(($(wc -l <torn.csv) - 1))
sweep grid.txt --csv torn.csv
check "a torn file: exit status $status" [ "$status" -eq 0 ]
check "a torn file: it has $rows rows" grep -q "has $rows of 24 runs" err
check "a torn file: the same rows in the end" cmp -s jobs.csv torn.csv
sweep grid.txt --csv torn.csv
check "a whole file: nothing is run" grep -q 'has 24 of 24 runs' err
check "a whole file: the same table" cmp -s jobs.out out
sweep grid.txt --csv torn.csv --rate 4
check "a smaller grid: other rows are kept" grep -q 'keeps 12 rows' err
check "a smaller grid: none is lost" [ "$(wc -l <torn.csv)" -eq 25 ]
sweep grid.txt --csv torn.csv
check "the whole grid again: the same rows" cmp -s jobs.csv torn.csv
sed '3s/,finished,/,crashed,/' jobs.csv >torn.csv
sweep grid.txt --csv torn.csv
check "a run that crashed is run again" cmp -s jobs.csv torn.csv
echo "id,what" >other.csv
sweep grid.txt --csv other.csv
check "another table: refused" [ "$status" -eq 1 ]
check "another table: it is left alone" grep -q 'id,what' other.csv
sweep grid.txt --csv other.csv --fresh
check "another table, --fresh: the same rows" cmp -s jobs.csv other.csv

"$QUIRE" sweep grid.txt --requests 20000 --csv stopped.csv --jobs 2 >out 2>err &
pid=$!
tries=0
while [ "$( (cat stopped.csv 2>/dev/null || :) | wc -l)" -lt 3 ] && [ $tries -lt 300 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
kill -TERM $pid
wait $pid
status=$?
check "stopped by a signal: exit status $status" [ "$status" -eq 1 ]
check "stopped by a signal: it says how to go on" grep -q 'the same command goes on' err
check "stopped by a signal: rows are there" [ "$(wc -l <stopped.csv)" -ge 3 ]

# A torn row is gone before others are written, so a second stop does no harm.
head -c $(($(wc -c <stopped.csv) - 9)) stopped.csv >torn.csv
rows=$(wc -l <torn.csv)
"$QUIRE" sweep grid.txt --requests 20000 --csv torn.csv --jobs 2 >out 2>err &
pid=$!
tries=0
while [ "$(wc -l <torn.csv)" -lt $((rows + 2)) ] && [ $tries -lt 300 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
kill -TERM $pid
wait $pid
check "torn and stopped: each row has one key" \
	[ "$(awk 'NR > 1 && gsub(/--requests/, "") != 1' torn.csv | wc -l)" -eq 0 ]

# ---- runs that do not finish ----

sweep --workload demo --requests 20 --model llama-3-8b,llama-3-70b --gpu a100-80g --csv big.csv
check "too large a model: exit status $status" [ "$status" -eq 1 ]
check "too large a model: the others ran" grep -q ',finished,' big.csv
check "too large a model: its row says why" grep -q ',failed,' big.csv
check "too large a model: so does the table" grep -q '^ *2  failed: ' out

# ---- mistakes ----

mistake() { # TEXT LINE
	printf 'model = llama-3-8b\n%s\n' "$2" >mistake.txt
	refuses "$1" mistake.txt
}

mistake "mistake.txt:2: unknown flag 'schedulr'; did you mean 'scheduler'" 'schedulr = static'
mistake "mistake.txt:2: 'gpu' needs a value" 'gpu'
mistake 'mistake.txt:2: --rate: expected a value' 'rate = 1,,2'
mistake "mistake.txt:2: --rate: expected a number.*'x'" 'rate = 1, x'
mistake "mistake.txt:2: --rate: twice '1'" 'rate = 1, 2, 1'
mistake "mistake.txt:2: --seeds: twice '2'" 'seeds = 0:3, 2'
mistake "mistake.txt:2: --seeds: expected N or A:B" 'seeds = 3:0'
mistake "mistake.txt:2: no scheduler is called 'foo'" 'scheduler = foo'
mistake "mistake.txt:2: expected 'flag = value" 'what is this'
mistake "mistake.txt:2: --jobs says nothing about a run" 'jobs = 3'
mistake 'mistake.txt:2: --audit: expected on or off' 'audit = perhaps'
mistake 'mistake.txt:2: --trace: a quote that does not end' 'trace = "a,b'
refuses 'cannot read none.txt' none.txt
refuses 'which requests' --model llama-3-8b
refuses 'these are .* combinations' grid.txt --seeds 0:60000
refuses "ending with .html, found 'x.txt'" grid.txt --report x.txt
refuses '--csv and --summary would both write' grid.txt --summary refused.csv
sweep grid.txt
check "no --csv: exit status $status" [ "$status" -eq 2 ]
check "no --csv: it says so" grep -q 'add --csv' err

# ---- under mpirun ----

if ! command -v mpirun >/dev/null; then
	echo "sweep: skipped what needs mpirun"
else
	OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
	# What MPI itself leaks at its end is not ours.
	ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
	export ASAN_OPTIONS

	ranks() { # RANKS ARGS..
		n=$1
		shift
		mpirun --oversubscribe -n "$n" "$QUIRE" sweep "$@" </dev/null >out 2>err
		status=$?
	}
	ranks 2 grid.txt --csv ranks.csv
	if grep -q 'built without MPI' err; then
		echo "sweep: skipped what needs a quire that was built with MPI"
	else
		check "2 ranks: exit status $status" [ "$status" -eq 0 ]
		check "2 ranks: the same rows" cmp -s jobs.csv ranks.csv
		check "2 ranks: the same summary" cmp -s jobs.summary.csv ranks.summary.csv
		check "2 ranks: the same table" cmp -s jobs.out out
		head -c 9000 jobs.csv >ranks.csv
		ranks 4 grid.txt --csv ranks.csv
		check "4 ranks go on: the same rows" cmp -s jobs.csv ranks.csv
		ranks 3 mistake.txt --csv refused.csv
		check "a mistake is told once" [ "$(grep -c 'mistake.txt:2' err)" -eq 1 ]
	fi
fi

checked
