#!/bin/sh
# quire calibrate as a user meets it: a profile that the simulator takes, and what it says
# when something is wrong, before it takes long.  How good a profile is depends on what else
# the machine does; test_fit.c has that.
#
#	QUIRE=build/dev/quire sh tests/calibrate.sh

set -u
: "${QUIRE:?the program to test}" "${QUIRE_SOURCE_DIR:=.}"
model=$(cd "$QUIRE_SOURCE_DIR/labs/models/tiny" && pwd)

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
cd "$tmp" || exit 1

calibrate() { # STATUS ARGS..  into out, err
	expected=$1
	shift
	"$QUIRE" calibrate --exec cpu "$@" >out 2>err </dev/null
	status=$?
	check "calibrate $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
}

refuses() { # STATUS TEXT ARGS..
	wanted=$1
	text=$2
	shift 2
	calibrate "$wanted" "$@"
	check "calibrate $*: says '$text'" grep -q -e "^quire calibrate: .*$text" err
	check "calibrate $*: says it in one line" [ "$(wc -l <err)" -eq 1 ]
	check "calibrate $*: nothing on stdout" [ ! -s out ]
}

calibrate 0 --model "$model" --seconds 2 --max-num-seqs 4 --output here.gpu
check "what it is made of is told" grep -q 'threads read at .*B/s, OpenBLAS multiplies at' err
check "and how good it is" grep -q '^single tokens .* % .* %' err
check "nothing on stdout" [ ! -s out ]
check "no line of progress in a pipe" [ "$(grep -c 'round' err)" -eq 0 ]
check "who made it" grep -q '^# made by: quire calibrate --exec cpu --model' here.gpu
check "what the errors are" grep -q '^# gemm_error, attention_error and host_error are one' here.gpu
check "no temporary file" [ "$(ls)" = "$(printf 'err\nhere.gpu\nout')" ]
"$QUIRE" sim --model "$model" --gpu here.gpu --workload demo --requests 5 --max-model-len 512 \
	--json - >out 2>err
check "the simulator takes it" grep -q '"gpu": "here"' out
calibrate 0 --model "$model" --seconds 1 --max-num-seqs 1 --kv-slots 17 --output -
check "to standard output" grep -q '^bandwidth_gb_s = ' out
check "a small pool makes it poor: how poor, and what to do" \
	grep -q 'warning: .*poor: [0-9]* requests did not fit the pool; give it a larger one' err

# What is wrong is found first, and said once.
refuses 1 'cannot write nowhere/x.gpu: No such file' --model "$model" --output nowhere/x.gpu
refuses 1 'cannot write \.: Is a directory' --model "$model" --output .
refuses 2 'where to? add --output' --model "$model"
refuses 2 'which model? add --model' --output x.gpu
refuses 2 "no folder 'nosuch' here" --model nosuch --output x.gpu
refuses 2 "GPU 'nosuch' is unknown" --model "$model" --gpu nosuch --output x.gpu
refuses 2 '--max-model-len 600 is more than the 512 tokens that tiny can do' --model "$model" \
	--max-model-len 600 --output x.gpu
refuses 2 'expected a number from 1' --model "$model" --seconds 0 --output x.gpu
check "no file of what was refused" [ ! -e x.gpu ]

# Ctrl-C: what there is, and exit status 1.
"$QUIRE" calibrate --exec cpu --model "$model" --output y.gpu \
	>out 2>err &
pid=$!
tries=0
while ! grep -q 'threads read at' err && [ "$tries" -lt 300 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
sleep 0.2
kill -INT "$pid"
wait "$pid"
status=$?
check "stopped: exit status 1, not $status" [ "$status" -eq 1 ]
check "it says so" grep -q '^quire calibrate: stopped' err

checked
