# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Bash completion of the iommufd-* tools. Options and commands are taken from --help of the tool, so
# that they are not listed twice.

# Options of a tool, one per line.
_iommufd_options() {
	"$1" --help 2>/dev/null | grep -oE -- '^  (-., |    )--[a-z-]+' | grep -oE -- '--[a-z-]+'
}

# Its commands, if it has any: the words after OPTION... that are not in capitals.
_iommufd_commands() {
	"$1" --help 2>/dev/null | sed -nE 's/^(Usage|  or): .*\[OPTION\.\.\.\] ([a-z]+).*/\2/p'
}

# The argument of an option: the word after its =, nothing if it takes none.
_iommufd_argument() {
	"$1" --help 2>/dev/null | sed -nE "s/^  (-., |    )$2=([A-Z:]+).*/\\2/p"
}

# The long form of an option.
_iommufd_long() {
	"$1" --help 2>/dev/null | sed -nE "s/^  $2, (--[a-z-]+).*/\\1/p"
}

# PCI addresses, of which bash takes each colon as a word: offer what follows the last one.
_iommufd_addresses() {
	local typed=${COMP_LINE:0:COMP_POINT}

	typed=${typed##* }
	mapfile -t COMPREPLY < <(cd /sys/bus/pci/devices && compgen -W "$(echo *)" -- "$typed")
	COMPREPLY=("${COMPREPLY[@]#"${typed%"${typed##*:}"}"}")
}

# The names of bundled policies after load, of pinned policies after other commands. The name of a
# file can be completed, too.
_iommufd_policies() {
	local command=$1 word=$2 tool=$3 folder names=

	tool=$(readlink -f "$(type -P "$tool")")
	if [ "$command" = load ]; then
		for folder in "${tool%/*/*}"/{lib/iommufd-bpf,tools}; do
			names+=" $(cd "$folder" 2>/dev/null && echo policy_*.bpf.o)"
		done
		names=${names//policy_/}
		names=${names//.bpf.o/}
	else
		names=$(cd /sys/fs/bpf/iommufd 2>/dev/null && echo *)
	fi
	mapfile -t COMPREPLY < <(compgen -W "${names//\*/}" -- "$word")
}

_iommufd_tools() {
	local tool=$1 word=$2 before=$3 i

	COMPREPLY=()
	# After -- there is a command with arguments of its own.
	for ((i = 1; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" = -- ] || continue
		if ((COMP_CWORD == i + 1)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$word")
		fi
		return
	done
	# --pid=7 is three words if = is a word separator.
	if [ "$word" = = ]; then
		word=
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $before in
	--?*) ;;
	-?) before=$(_iommufd_long "$tool" "$before") ;;
	*) before= ;;
	esac
	case $([ -z "$before" ] || _iommufd_argument "$tool" "$before") in
	'') ;;
	PID)
		mapfile -t COMPREPLY < <(cd /proc && compgen -G '[0-9]*' | grep "^$word")
		return
		;;
	# Files: use the default completion.
	DIR | FILE | PATH) return ;;
	*) compopt +o default 2>/dev/null; return ;;
	esac
	if [[ $word != -* && ${tool##*/} = iommufd-doctor ]]; then
		_iommufd_addresses
	elif [[ $word = -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_iommufd_options "$tool")" -- "$word")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(_iommufd_commands "$tool")" -- "$word")
	elif [[ ${tool##*/} = iommufd-policy ]] && ((COMP_CWORD == 2)); then
		_iommufd_policies "${COMP_WORDS[1]}" "$word" "$tool"
	fi
}

complete -o default -F _iommufd_tools iommufd-doctor iommufd-exporter iommufd-faults iommufd-maplat \
	iommufd-pins iommufd-policy iommufd-top iommufd-why
