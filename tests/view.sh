#!/bin/sh
# quire view as a user meets it: help, pictures of every kind, films, recordings that were
# cut off, two side by side, runs while they go, lessons, a scripted tour without a
# display, and what it says when something is wrong.
#
#	QUIRE=build/dev/quire sh tests/view.sh

# shellcheck disable=SC2086 # $sim is many words
set -u
: "${QUIRE:?the program to test}"

# shellcheck source=shell/checks.sh
. "$(dirname "$0")/shell/checks.sh"
cd "$tmp" || exit 1
unset DISPLAY WAYLAND_DISPLAY SDL_VIDEODRIVER

sim="sim --workload demo --requests 60 --model llama-3-8b --gpu a100-80g --kv-slots 4000"

quire() { # STATUS ARGS..  into out, err
	expected=$1
	shift
	"$QUIRE" "$@" >out 2>err
	status=$?
	check "quire $*: exit status $expected, not $status" [ "$status" -eq "$expected" ]
}

says() { # TEXT
	check "says '$1'" grep -q -e "$1" out
}

complains() { # TEXT
	check "one line on stderr: '$1'" [ "$(wc -l <err)" -eq 1 ]
	check "the line says '$1'" grep -q -e "$1" err
}

is() { # FILE TEXT  it begins with that
	[ "$(head -c ${#2} "$1" | tr -d '\0')" = "$2" ]
}

is_png() { # FILE WIDTH HEIGHT
	[ "$(od --endian=big -An -t u4 -j 12 -N 12 "$1" | tr -s ' ')" = " 1229472850 $2 $3" ]
}

count() { # FILES..  that are there
	echo $#
}

differ() {
	[ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"
}

"$QUIRE" $sim --record a.qrec >plain.txt 2>err
"$QUIRE" $sim --scheduler splitfuse --record b.qrec >out 2>err
check "recordings are made" [ -s b.qrec ]

# ---- help -------------------------------------------------------------------------

quire 0 view --help
says '^usage: quire view FILE'
says '^  --select SEQ '
says '^  --export FILE'
check "help: no line beyond 100 columns" [ "$(awk 'length > 100' out | wc -l)" -eq 0 ]
quire 0 --help
says '^  view '
quire 0 view --lessons
check "seven lessons" [ "$(wc -l <out)" -eq 7 ]

# ---- pictures -----------------------------------------------------------------------

quire 0 view a.qrec --at 1s --select r3 --png a.png --svg a.svg --pdf a.pdf
check "nothing is said" [ ! -s out -a ! -s err ]
check "a PNG of 1280 x 720" is_png a.png 1280 720
check "an SVG" is a.svg '<?xml'
check "a PDF" is a.pdf '%PDF'
quire 0 view a.qrec --at 1s --select r3 --png again.png
check "the same view is the same picture" cmp -s a.png again.png
quire 0 view a.qrec --size 640x480 --scale 2 --png large.png
check "--scale 2: twice as many pixels" is_png large.png 1280 960
for other in '--at 2s' "--at 'step 40'" '--at end' '--select r5' '--colour refs' '--theme light' \
	'--theme colour-blind' '--font 20' '--panel timeline' '--axis steps' \
	"--zoom '4 pool'" '--diverge' '--clock step' '--step' '--event-back' '--next preempt'; do
	case $other in
	--diverge) eval "\"\$QUIRE\" view a.qrec b.qrec $other --png other.png" >out 2>err ;;
	*) eval "\"\$QUIRE\" view a.qrec --at 1s --select r3 $other --png other.png" >out 2>err ;;
	esac
	check "$other: exit status" [ $? -eq 0 ]
	check "$other: another picture" differ a.png other.png
done
quire 0 view a.qrec b.qrec --at 5s --lock time --png two.png
quire 0 view a.qrec b.qrec --at 5s --lock step --png step.png
check "--lock: another picture" differ two.png step.png
quire 0 view --png live.png --at 1s --select r3 --live $sim
check "a run is the picture of its recording" cmp -s a.png live.png
check "and has the same report" cmp -s plain.txt out
quire 0 view --png live.png --live $sim --json -
check "its JSON is alone" is out '{'
quire 0 view --png two-live.png --lock step --at 5s --live $sim --scheduler continuous \
	--scheduler splitfuse
check "two runs are as two recordings" cmp -s step.png two-live.png

# ---- films --------------------------------------------------------------------------

quire 0 view a.qrec --from 1s --to 2s --fps 5 --size 320x240 --export f%d.png
check "six frames" [ "$(count f?.png)" -eq 6 ]
quire 0 view a.qrec --from 'step 10' --to 'step 14' --clock step --fps 4 --size 320x240 \
	--export g%d.png
check "five frames of steps" [ "$(count g?.png)" -eq 5 ]
if command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null; then
	for film in f.mp4 f.gif; do
		quire 0 view a.qrec --from 1s --to 2s --fps 10 --size 321x241 --export $film
		ffprobe -v error -count_frames -select_streams v:0 -of csv=p=0 \
			-show_entries stream=width,height,nb_read_frames $film >out 2>err
		check "$film: 11 frames of 320 x 240" grep -q '^320,240,11' out
	done
else
	echo "no ffmpeg: films are not tried"
fi

# ---- what was cut off ------------------------------------------------------------------

size=$(wc -c <a.qrec)
head -c $((size / 2)) a.qrec >half.qrec
quire 0 view half.qrec --at end --png half.png
complains 'warning: half.qrec: cut off at byte'
check "it is shown as far as it is sound" is_png half.png 1280 720
head -c 10 a.qrec >stub.qrec
quire 1 view stub.qrec --png x.png
complains 'cut off within its header'

# ---- lessons ---------------------------------------------------------------------------

for lesson in 1 2 3 4 5 6 7 copy-on-write; do
	quire 0 view --lesson $lesson --png lesson-$lesson.png
	quire 0 view --lesson $lesson --caption-on --png on.png
	check "lesson $lesson: it goes on" differ lesson-$lesson.png on.png
done
check "by name or by number" cmp -s lesson-5.png lesson-copy-on-write.png
cat >mine.lesson <<'END'
lesson  Mine
run     --workload 'synthetic,prompt=8,output=4' --requests 2 --arrivals burst
        --model llama-3-8b --gpu a100-80g --kv-slots 48 --allocator paged,block=4
answer  r0  one two three four
moment  step 3
say     Something.
END
quire 0 view --lesson mine.lesson --png mine.png
sed '/^answer/d' mine.lesson >mute.lesson
quire 0 view --lesson mute.lesson --png mute.png
check "its words are shown" differ mine.png mute.png
sed 's/gpu a100-80g/gpu nothing/' mine.lesson >bad.lesson
quire 1 view --lesson bad.lesson --png x.png
complains 'bad.lesson, run 1: .*nothing'
sed 's/step 3/step 1000/' mine.lesson >bad.lesson
quire 1 view --lesson bad.lesson --png x.png
complains 'bad.lesson'
quire 1 view --lesson nosuch --png x.png
complains "no lesson 'nosuch'"

# ---- a tour without a display --------------------------------------------------------------

quire 1 view a.qrec
complains 'no \(display\|window\).*--png.*--export' # the latter of a build without SDL2
SDL_VIDEODRIVER=dummy
export SDL_VIDEODRIVER
echo '1 quit' >quit.txt
"$QUIRE" view a.qrec --script quit.txt >out 2>err
if grep -q 'has no window\|needs SDL2' err; then
	echo "no SDL2: windows are not tried"
else
	cat >tour.txt <<'END'
# What a lecture shows.
0    png t0.png
0    key Right
0    key Right
0.7  png t1.png
0.7  key C
0.7  key Down
1.5  png t2.png
1.5  key Space
4    png t3.png
4    key Space
4    move 300 120
5    png t4.png
5    key /
5    type r12
5    key Enter
5.1  key ?
5.2  png t5.png
5.2  key ?
5.3  key T
5.4  resize 900 700
6    png t6.png
6    line
6    key Q
END
	quire 0 view a.qrec --script tour.txt
	says '^quire view a.qrec --at .* --select r12 --colour refs --theme light --size 900x700$'
	for i in 1 2 3 4 5 6; do
		check "the tour's picture $i is another one" differ t$((i - 1)).png t$i.png
	done
	eval "\"\$QUIRE\" $(sed 's/^quire view/view --png line.png/' out)" >said 2>err
	check "the line shows the view again" is_png line.png 900 700
	mkdir again
	(cd again && "$QUIRE" view ../a.qrec --script ../tour.txt >out 2>err)
	for i in 0 1 2 3 4 5 6; do
		check "the same tour, picture $i" cmp -s t$i.png again/t$i.png
	done
	quire 0 view --script quit.txt --live $sim
	check "a live run has its report" cmp -s plain.txt out
	quire 0 view --script quit.txt half.qrec
	quire 0 view --script quit.txt --lesson 2
	quire 1 view a.qrec --script nosuch.txt
	complains 'nosuch.txt: No such file'
	echo '0 clik' >bad.txt
	quire 1 view a.qrec --script bad.txt
	complains "line 1: there is no 'clik'; did you mean 'click'?"
	SDL_VIDEODRIVER=nosuch
	quire 1 view a.qrec
	complains 'no display'
fi
unset SDL_VIDEODRIVER

# ---- what is wrong ---------------------------------------------------------------------------

quire 2 view
complains 'what is to be shown'
quire 2 view a.qrec b.qrec a.qrec
complains 'the third'
quire 2 view a.qrec --lesson 1
complains 'give one of them'
quire 2 view a.qrec --lessen 1
complains 'did you mean --lesson'
quire 2 view --live
complains "expected 'sim'"
quire 2 view --png x.png --live bench
complains "expected 'sim'"
quire 2 view --png x.png --live sim --workload demo
complains 'which model'
quire 2 view --png x.png --live $sim --scheduler all
complains 'these are 3 runs'
quire 2 view --png x.png --live $sim --isolate
complains 'isolate'
quire 2 view --png x.png --live $sim --gpu nosuch
complains 'nosuch'
quire 0 view --live sim --help
says '^usage: quire sim'
quire 1 view nosuch.qrec --png x.png
complains 'nosuch.qrec: No such file'
quire 1 view plain.txt --png x.png
complains 'plain.txt'
quire 2 view a.qrec --png x.svg
complains 'ending with .png'
quire 2 view a.qrec --size 12 --png x.png
complains 'expected WxH'
quire 2 view a.qrec --scale 100 --png x.png
complains '--scale'
quire 2 view a.qrec --at 'step 99999' --png x.png
complains '--at step 99999: there is no step 99999'
quire 2 view a.qrec --at yesterday --png x.png
complains 'is no moment'
quire 2 view a.qrec --select r99 --png x.png
complains "there is no 'r99'"
quire 2 view a.qrec --colour blue --png x.png
complains 'is none of: owner, refs, fill, age'
quire 2 view a.qrec --diverge --png x.png
complains 'it takes two'
quire 2 view a.qrec --from 1s --png x.png
complains 'add --export'
quire 2 view a.qrec --export f.avi
complains '.mp4 or .gif'
quire 2 view a.qrec --from 2s --to 1s --export f.mp4
complains 'from 2 s until 1 s'
quire 2 view a.qrec --script tour.txt --png x.png
complains 'pictures have none'
quire 1 view a.qrec --png no/x.png
complains 'cannot write no/x.png'
check "nothing is left of it" [ ! -e x.png ]

checked
