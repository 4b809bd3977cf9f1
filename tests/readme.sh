#!/usr/bin/env bash
# What the documents show is what the tree holds: a block of code under the mark
# "<!-- all of FILE -->" is FILE, one under "<!-- part of FILE -->" stands in it as
# it is, and relative links lead to files that exist.
set -euo pipefail

: "${QUIRE_SOURCE_DIR:=$(dirname "$0")/..}"
cd "$QUIRE_SOURCE_DIR"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
blocks=0 links=0 wrong=0

complain() {
	echo "$*" >&2
	wrong=$((wrong + 1))
}

# Each marked block of document $1 becomes a file, and a line "how source block".
extract() {
	awk -v temp="$temp" '
	/^<!-- (all|part) of [^ ]+ -->$/ { how = $2; source = $4; next }
	how && /^```/ && !block { block = temp "/" ++count; printf "" >block; next }
	how && /^```$/ { close(block); print how, source, block; how = block = ""; next }
	block { print >block }' "$1"
}

# The links of document $1 that are neither a URL nor within the page.
relative_links() {
	# shellcheck disable=SC2016
	sed '/^```/,/^```$/d' "$1" | grep -o '](\([^)]*\))' | sed 's/^](//; s/)$//; s/#.*//' |
		grep -v -e '^$' -e '^[a-z]*:' || true
}

for document in README.md docs/*.md; do
	while read -r how source block; do
		blocks=$((blocks + 1))
		if [[ $how == all ]]; then
			diff -u "$source" "$block" >&2 || complain "$document: not all of $source"
		elif [[ $(<"$source") != *"$(<"$block")"* ]]; then
			complain "$document: no longer in $source:"
			cat "$block" >&2
		fi
	done < <(extract "$document")
	while read -r link; do
		links=$((links + 1))
		[[ -e $(dirname "$document")/$link ]] || complain "$document: no such file: $link"
	done < <(relative_links "$document")
done
echo "$blocks blocks of code, $links links, $wrong wrong"
((wrong == 0 && blocks > 0 && links > 0))
