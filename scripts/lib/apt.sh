# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Debian's packages from the mirror that this machine uses, with a separate list of archives and
# separate indices: the machine's apt setup does not change.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# archives CODENAME DIR: prints "URI SUITE" for each archive of that release in the machine's apt
# setup: the release, its updates and its security updates, without third parties. DIR receives
# indices if the machine has none (a fresh container image).
archives() {
	local list
	list=$(targets "$1")
	if [ -z "$list" ]; then
		mkdir -p "$2/lists/partial"
		apt-get -o "Dir::State::Lists=$2/lists" -o "APT::Sandbox::User=$(id -un)" update >&2 || :
		list=$(targets "$1" -o "Dir::State::Lists=$2/lists")
	fi
	printf '%s\n' "$list"
}

targets() {
	local codename=$1
	shift
	# shellcheck disable=SC2016 # apt's own variables
	apt-get "$@" indextargets --format '$(REPO_URI) $(COMPONENT) $(RELEASE) $(CODENAME)' 'Created-By: Packages' |
		awk -v c="$codename" '$2 == "main" {
			suite = index($3, c) == 1 ? $3 : $4
			if (suite ~ "^" c "(-updates|-security)?$" && !seen[$1 suite]++) print $1, suite
		}'
}

# main_archive CODENAME: reads the output of archives, prints the URI of the release itself.
main_archive() { awk -v c="$1" '$2 == c { print $1; exit }'; }

# source_line URI SUITE: as apt reads it.
source_line() { printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$1" "$2"; }

# sources CODENAME DIR: writes DIR/sources.list and DIR/preferences: that release as this machine has
# it, and on Debian 12 its backports, for packages that the release lacks or has in an old version.
# Fails without a mirror.
sources() {
	local codename=$1 dir=$2 main uri suite
	archives "$codename" "$dir/first" >"$dir/archives.list"
	main=$(main_archive "$codename" <"$dir/archives.list")
	[ -n "$main" ] || return 1
	: >"$dir/preferences"
	if [ "$codename" = bookworm ]; then
		echo "$main $codename-backports" >>"$dir/archives.list"
		printf 'Package: %s\nPin: release n=%s-backports\nPin-Priority: 600\n' \
			'bpftool libbpf-dev libbpf1 qemu-system-* ipxe-qemu seabios' "$codename" >"$dir/preferences"
	fi
	while read -r uri suite; do
		source_line "$uri" "$suite"
	done <"$dir/archives.list" >"$dir/sources.list"
}

# open_suite SUITE DIR: fetches the package list of SUITE, from this machine's mirror, into DIR.
# Then the options in APT make apt-get and apt-cache use this list. Fails without a mirror.
open_suite() {
	local suite=$1 dir=$2 codename uri
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	uri=$(archives "$codename" "$dir/first" | main_archive "$codename")
	[ -n "$uri" ] || return 1
	source_line "$uri" "$suite" >"$dir/sources.list"
	# The sandbox user of apt may not have access to a home directory.
	APT=(
		-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o "Dir::Cache::archives=$dir/archives"
		-o "APT::Sandbox::User=$(id -un)" -o Acquire::Retries=3 -o Acquire::Languages=none
	)
	apt-get "${APT[@]}" update
}

# cached_deb DIR PACKAGE [VERSION]: prints the file name of the newest one in DIR; none: nothing.
cached_deb() {
	find "$1" -maxdepth 1 -name "${2}_${3:-*}_*.deb" -printf '%f\n' 2>/dev/null | sort -V | tail -n 1
}
