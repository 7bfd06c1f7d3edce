# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Calls the kernel's make in the same way everywhere.
#
# Objects must not depend on the machine, the time or the path, or else a fresh clone and other
# kernels could not share the compiler cache. Time stamps are therefore fixed, and each object
# directory is a direct child of its source tree, which makes Kbuild name every file as ../FILE.

export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=iommufd KBUILD_BUILD_HOST=bpf LC_ALL=C
export CCACHE_DIR=$CACHE/ccache CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=10G
# Arguments of make for another CPU than this machine's.
KARCH=()
# shellcheck disable=SC2034 # for the caller
KARCH_ARM64=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- 'CC=ccache aarch64-linux-gnu-gcc')

# compiler: prints the name of the one that KARCH chooses.
compiler() { if [ ${#KARCH[@]} = 0 ]; then echo gcc; else echo aarch64-linux-gnu-gcc; fi; }

# kmake TREE OBJECT-DIR ARG...
kmake() {
	local tree=$1 obj=$2
	shift 2
	make -C "$tree" O="$obj" CC='ccache gcc' HOSTCC='ccache gcc' "${KARCH[@]}" "$@"
}

# kconfig TREE OBJECT-DIR FRAGMENT...: tinyconfig, the fragments, olddefconfig. Then every line of
# the fragments must be in force in the result (a later fragment overrides an earlier one). .config
# is written only if it differs.
kconfig() {
	local tree=$1 obj=$2 new=$1/$2/.new missing
	shift 2
	rm -rf "$new"
	mkdir -p "$new"
	kmake "$tree" "$obj/.new" tinyconfig
	(cd "$new" && "$tree/scripts/kconfig/merge_config.sh" -m -Q -O . .config "$@")
	kmake "$tree" "$obj/.new" olddefconfig
	missing=$(awk '
		function set(line) {
			if (line ~ /^CONFIG_[A-Za-z0-9_]+=/) { k = line; sub(/=.*/, "", k); v = substr(line, length(k) + 2) }
			else if (line ~ /^# CONFIG_[A-Za-z0-9_]+ is not set$/) { split(line, w, " "); k = w[2]; v = "n" }
			else return 0
			return 1
		}
		FILENAME == ARGV[ARGC - 1] { if (set($0)) got[k] = v; next }
		{ if (set($0)) want[k] = v }
		END { for (k in want) if ((k in got ? got[k] : "n") != want[k]) print k "=" want[k] }
	' "$@" "$new/.config")
	if [ -n "$missing" ]; then
		echo "error: set in scripts/config, but not in force after olddefconfig:"
		echo "$missing"
		return 1
	fi
	cmp -s "$new/.config" "$tree/$obj/.config" || cp "$new/.config" "$tree/$obj/.config"
	rm -rf "$new"
}
