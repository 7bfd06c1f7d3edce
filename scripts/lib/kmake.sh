# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# How the kernel's make is called, everywhere the same.
#
# Nothing of the machine, the moment or the place may get into an object, or a fresh clone and the
# other kernels could not share the compiler cache: fixed stamps, and each object directory is a
# direct child of its source tree, which makes Kbuild name every file as ../FILE.

export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=iommufd KBUILD_BUILD_HOST=bpf LC_ALL=C
export CCACHE_DIR=$CACHE/ccache CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=10G

# kmake TREE OBJECT-DIR ARG...
kmake() {
	local tree=$1 obj=$2
	shift 2
	make -C "$tree" O="$obj" CC='ccache gcc' HOSTCC='ccache gcc' "$@"
}
