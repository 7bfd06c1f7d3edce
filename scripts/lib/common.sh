# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Shared by all scripts: paths, messages, and long steps. A script in scripts/ sources it as
# lib/common.sh.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$TOP/build
LOGS=$BUILD/log
# Downloads and the compiler cache, outside the tree so that a fresh clone can use them.
CACHE=${IOMMUFD_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/iommufd-bpf}
# The stable series of the kernel on which this project builds.
SERIES=7.3
export TOP BUILD LOGS CACHE SERIES

# Flags and job server of a calling make are not for the builds below.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
	warn "$*"
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Prints the comment at the head of a script as its help: from line 3 to the first blank line.
usage() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; }

# elapsed SECONDS: prints a duration for people.
elapsed() {
	if [ "$1" -ge 60 ]; then
		printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
	else
		printf '%d s' "$1"
	fi
}

# progress_filter TOTAL: reads a build's output and shows its progress: one line rewritten in
# place on a terminal, otherwise a line every 30 seconds. TOTAL 0: not known.
progress_filter() {
	local total=$1 line count=0 now last=0 start=$SECONDS text tty=0
	[ -t 1 ] && tty=1
	while IFS= read -r line; do
		case $line in
		'  CC '* | '  AS '*) count=$((count + 1)) ;;
		'  LD '* | '  AR '* | '  BTF'* | '  OBJCOPY '*) ;;
		*) continue ;;
		esac
		now=$((SECONDS - start))
		if [ "$tty" = 1 ]; then
			[ "$now" != "$last" ] || continue
		else
			[ $((now - last)) -ge 30 ] || continue
		fi
		last=$now
		text="$count objects"
		[ "$total" -le "$count" ] || text="$count of about $total objects"
		text="    $text, $(elapsed "$now")"
		if [ "$tty" = 1 ]; then
			printf '\r\033[K%s  %.40s' "$text" "${line#  }"
		else
			printf '%s\n' "$text"
		fi
	done
	[ "$tty" = 0 ] || printf '\r\033[K'
}

# step [-t TOTAL] NAME WHAT COMMAND...: prints WHAT, runs COMMAND with its output in
# build/log/NAME.log, prints the time that it took. On failure, shows the end of the log.
step() {
	local total='' name what log start=$SECONDS rc=0
	if [ "$1" = -t ]; then
		total=$2
		shift 2
	fi
	name=$1 what=$2
	shift 2
	log=$LOGS/$name.log
	mkdir -p "$LOGS"
	say "==> $what"
	# Not "... || rc=$?": that would switch off errexit inside a COMMAND that is a function.
	set +e
	if [ -n "$total" ]; then
		(
			set -e
			"$@"
		) 2>&1 </dev/null | tee "$log" | progress_filter "$total"
	else
		(
			set -e
			"$@"
		) >"$log" 2>&1 </dev/null
	fi
	rc=$?
	set -e
	if [ "$rc" = 0 ]; then
		[ $((SECONDS - start)) -lt 2 ] || say "    done in $(elapsed $((SECONDS - start)))"
		return 0
	fi
	{
		say "    FAILED (exit status $rc). The end of ${log#"$TOP"/}:"
		if [ "$(wc -l <"$log")" -gt 40 ]; then
			# In a long log, the first errors are more useful than the end.
			head -n -40 "$log" | grep -anE '(error|ERROR)[ :]' | head -n 8 | sed 's/^/    | line /' || :
			say "    | ..."
		fi
		tail -n 40 "$log" | sed 's/^/    | /'
		say "    Fix the cause and run the same command again; finished steps are not repeated."
	} >&2
	return "$rc"
}

# run_locked NAME COMMAND...: waits for other builds of NAME in this tree, then runs COMMAND.
run_locked() {
	local name=$1
	shift
	mkdir -p "$BUILD/.lock"
	(
		flock -n 9 || {
			say "    waiting for another build of '$name' in this tree"
			flock 9
		}
		"$@"
	) 9>"$BUILD/.lock/$name"
}
