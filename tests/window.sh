#!/bin/sh
# The window on a display, Xvfb's: the tests of test_window.c through X11, and the whole
# program with synthetic keys and clicks, by the pictures that it shows.
#
#	QUIRE=build/dev/quire QUIRE_BUILD_DIR=build/dev sh tests/window.sh

set -u
: "${QUIRE:?the program to test}"
: "${QUIRE_BUILD_DIR:?where it was built}"

skip() {
	echo "skipped: $*"
	exit 77
}

command -v Xvfb >/dev/null || skip "there is no Xvfb"
# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
xvfb=
trap '[ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# -noreset: or it would begin anew, deaf for a while, whenever a window closes
Xvfb -displayfd 3 -noreset -screen 0 1920x1080x24 -nolisten tcp 3>display >xvfb.log 2>&1 &
xvfb=$!
for _ in $(seq 100); do
	[ -s display ] && break
	sleep 0.1
done
[ -s display ] || skip "Xvfb does not start: $(tail -1 xvfb.log)"
DISPLAY=:$(cat display)
SDL_VIDEODRIVER=x11
export DISPLAY SDL_VIDEODRIVER

differ() {
	[ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"
}

# ---- test_window, through X11 ------------------------------------------------------

"$QUIRE_BUILD_DIR/tests/test_window" >out 2>err
status=$?
[ $status -ne 77 ] || skip "this quire has no window"
check "test_window under X11: exit status 0, not $status" [ $status -eq 0 ]

# ---- the program: one key or click each, that must be seen ---------------------------

sim="sim --workload demo --requests 60 --model llama-3-8b --gpu a100-80g --kv-slots 4000"
# shellcheck disable=SC2086 # many words
"$QUIRE" $sim --record a.qrec >out 2>err && "$QUIRE" $sim --scheduler splitfuse \
	--record b.qrec >out 2>err
check "recordings are made" [ -s b.qrec ]

# Two columns: what makes ready, and what must be seen.  Before each, all is as it was; it is
# looked at when the flashes of what makes ready are over.  Messages stand for 5 s: by steps
# of 1.1 s none goes away between two looks.
tour() { # FILES..  <TABLE
	awk -F'|' '
	function say(at, lines,   n, i, line) {
		n = split(lines, line, ";")
		for (i = 1; i <= n; i++) {
			gsub(/^ +| +$/, "", line[i])
			if (line[i] != "")
				printf "%.2f %s\n", at, line[i]
		}
	}
	{
		at = NR * 1.1
		say(at, "key Escape; key Escape; say pause; say panel all; say theme dark")
		say(at, "say colour owner; say axis time; say font 14; say seek step 80")
		say(at, "say fit; say select r3; move 1 1")
		say(at, $1)
		say(at + 0.7, "png before-" NR ".png;" $2)
		say(at + 1, "png after-" NR ".png")
		print NR, $2 >"actions"
	}
	END { say(at + 1, "quit") }' >script
	"$QUIRE" view "$@" --size 1280x800 --script script >out 2>err
	status=$?
	check "quire view $*: exit status 0, not $status" [ $status -eq 0 ]
	while read -r at action; do
		check "$action: is seen" differ "before-$at.png" "after-$at.png"
	done <actions
	rm -f actions ./*-*.png
}

tour a.qrec <<'END'
| key Space
key Space | key Space
| key Right
| key Left
| key Shift+Right
| key Shift+Left
| key +
| key -
| key K
| key Home
| key End
| key N
| key Shift+N
| key E
| key C
say colour refs | key C
say colour fill | key C
| key Down
| key Up
| key Escape
| key /
key / | type r12
key /; type r12 | key Enter
say panel pool; move 200 200; wheel 0 6 | key 0
| key 1
| key 2
| key 3
| key 4
| key 5
say panel pool; say zoom 8 pool; say pan -5000 -5000 pool | key F
| key X
| key T
say theme light | key T
| key ]
| key [
| key ?
| key Ctrl+C
say panel pool | move 200 200
say panel pool | click 200 200
say panel pool; move 200 200 | wheel 0 6
say panel pool; move 200 200; wheel 0 6 | press 200 200; move 400 300; release 400 300
say panel timeline; move 600 400 | wheel 0 4
say panel timeline; move 600 400; wheel 0 4 | press 600 400; move 300 400; release 300 400
say panel timeline | click 600 400
| click 900 773
| press 900 773; move 500 773; release 500 773
| resize 1000 700
END

tour a.qrec b.qrec <<'END'
| key Space
| key Right
| key L
| key D
END

# ---- figures, and what a closed window leaves behind ------------------------------------

printf '0 key Space\n1 line\n1 quit\n' >script
"$QUIRE" view a.qrec --script script --frame-times >out 2>err
check "--frame-times: says how many frames a second" grep -q '^6[0-9] frames in .* a second' out
check "line: the command line" grep -q '^quire view a.qrec --at 1.000000000s .*--size 1280x800$' out
printf '1 quit\n' >script
# shellcheck disable=SC2086 # many words
"$QUIRE" $sim >plain.txt 2>err
# shellcheck disable=SC2086 # many words
"$QUIRE" view --script script --live $sim >out 2>err
check "--live: exit status" [ $? -eq 0 ]
check "--live: the same report" cmp -s plain.txt out

checked
