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
