# shellcheck shell=sh
# checks.sh - what the scripts share: a folder of their own, and checks that are counted.
#
#	. "$(dirname "$0")/shell/checks.sh"
#
# makes $tmp, which is removed at the end.  What a script runs writes to out and err there;
# of a check that fails, both are shown.  The last command is "checked".

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
: >"$tmp/out"
: >"$tmp/err"
checks=0
failures=0

check() { # WHAT CONDITION..
	what=$1
	shift
	checks=$((checks + 1))
	if ! "$@"; then
		failures=$((failures + 1))
		echo "FAILED: $what" >&2
		sed 's/^/  out: /' "$tmp/out" | head -20 >&2
		sed 's/^/  err: /' "$tmp/err" | head -8 >&2
	fi
}

# How many there were; whether all were right.
checked() {
	echo "${0##*/}: $checks checks, $failures failures"
	[ "$failures" -eq 0 ]
}
