# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Images of Debian's own kernels: their packages, and where scripts/vm finds them. After
# choose_debs, RELEASE is a kernel, VERSION that of its packages, and DEBS their files.

DOWNLOADS=$CACHE/downloads
# Loaded before the root is mounted: what the root takes, and what udev would load.
INITMODS=(virtio_pci virtio_console 9p 9pnet_virtio overlay virtio_iommu)
# Directories with what guests can use, of 4000 modules; depmod reads each of them. Not every kernel
# has all.
KEEP=(arch crypto drivers/char drivers/iommu drivers/nvme drivers/vfio drivers/virtio fs lib net/9p virt)

# image_packages RELEASE: the packages with the image and its modules. Older kernels have one.
image_packages() {
	case $1 in
	6.*) echo "linux-image-$1" ;;
	*) printf '%s\n' "linux-base-$1" "linux-binary-$1" "linux-modules-$1" ;;
	esac
}

# newest SERIES: reads names of packages, prints the newest release of the series.
newest() {
	sed -nE "s/^linux-(binary|image)-(${1//./\\.}\.[0-9]+[^_]*-amd64)(_.*)?$/\2/p" |
		sed -E '/-(cloud|rt)-/d' | sort -V | tail -n 1
}

# choose_debs SERIES PACKAGES: chooses the newest kernel in the downloads; fails if a package of it
# is missing. PACKAGES is a command that prints the packages of a release.
choose_debs() {
	local package deb
	[ -d "$DOWNLOADS" ] || return 1
	RELEASE=$(find "$DOWNLOADS" -maxdepth 1 -name 'linux-*.deb' -printf '%f\n' | newest "$1")
	[ -n "$RELEASE" ] || return 1
	VERSION='' DEBS=()
	for package in $("$2" "$RELEASE"); do
		deb=$(cached_deb "$DOWNLOADS" "$package" "$VERSION")
		[ -n "$deb" ] || return 1
		VERSION=${deb#*_} VERSION=${VERSION%_*}
		DEBS+=("$deb")
	done
}

# fetch_debs SERIES SUITE PACKAGES [PACKAGE...]: downloads the newest kernel of the series in a
# suite, and more packages.
fetch_debs() {
	local series=$1 suite=$2 packages=$3 dir=$DOWNLOADS/apt-$1 release
	shift 3
	have apt-get || die "no apt-get here: Debian's kernel cannot be fetched"
	open_suite "$suite" "$dir" || die "this machine's apt setup has no Debian mirror, or it does not answer"
	release=$(apt-cache "${APT[@]}" pkgnames linux- | newest "$series")
	[ -n "$release" ] || die "$suite has no kernel of the series $series"
	# shellcheck disable=SC2046 # words wanted
	(cd "$DOWNLOADS" && apt-get "${APT[@]}" download $("$packages" "$release") "$@")
	rm -rf "$dir"
}

# unpack_debs DIR: unpacks the chosen packages in a new directory.
unpack_debs() {
	local deb
	rm -rf "$1"
	mkdir -p "$1"
	for deb in "${DEBS[@]}"; do dpkg-deb -x "$DOWNLOADS/$deb" "$1"; done
}

# the_file ROOT NAME: a file of the image, which is beside its modules, or in /boot.
the_file() {
	local file
	for file in "$1/usr/lib/modules/$RELEASE/$2" "$1/boot/$2-$RELEASE"; do
		[ ! -f "$file" ] || echo "$file"
	done
}

# module_tree ROOT: the directory with lib/modules.
module_tree() { if [ -d "$1/usr/lib/modules" ]; then echo "$1/usr"; else echo "$1"; fi; }

# plain FILE: prints a module, which may be compressed.
plain() { case $1 in *.xz) xz -dc "$1" ;; *) cat "$1" ;; esac }

# lay_out_image ROOT OUT [MODULE...]: installs the unpacked image in OUT as scripts/vm reads it, with
# modules that take precedence over those of the image.
lay_out_image() {
	local root=$1 out=$2 tree modules=lib/modules/$RELEASE dir module name number=0
	shift 2
	tree=$(module_tree "$root")
	mkdir -p "$out"
	cp "$(the_file "$root" vmlinuz)" "$out/bzImage"
	cp "$(the_file "$root" config)" "$out/config"
	echo "$RELEASE" >"$out/release"
	rm -rf "$out/modroot.new" "$out/initmods"
	mkdir -p "$out/modroot.new/$modules/updates" "$out/initmods"
	cp "$tree/$modules"/modules.* "$out/modroot.new/$modules/"
	for dir in "${KEEP[@]}"; do
		[ ! -d "$tree/$modules/kernel/$dir" ] ||
			(cd "$tree/$modules" && cp -al --parents "kernel/$dir" "$out/modroot.new/$modules/")
	done
	[ $# = 0 ] || cp "$@" "$out/modroot.new/$modules/updates/"
	depmod -b "$out/modroot.new" "$RELEASE"
	while read -r module; do
		number=$((number + 1))
		name=$(basename "$module" .xz)
		plain "$module" >"$out/initmods/$(printf '%02d' "$number")-$name"
	done < <(modprobe -d "$out/modroot.new" -S "$RELEASE" --show-depends -a "${INITMODS[@]}" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }')
	rm -rf "$out/modroot"
	mv "$out/modroot.new" "$out/modroot"
}

# once STAMP INPUTS COMMAND...: runs COMMAND unless the file STAMP has INPUTS, and sets CHANGED.
once() {
	local stamp=$1 inputs=$2
	shift 2
	[ "$inputs" != "$(cat "$stamp" 2>/dev/null)" ] || return 0
	rm -f "$stamp"
	"$@"
	echo "$inputs" >"$stamp"
	# shellcheck disable=SC2034 # for the caller
	CHANGED=1
}
