# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Paths in the source tree and outside of it."""

import os
import platform
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .arch import ARCHES, X86, Arch, arch_of
from .errors import VmError

PARTS = Path(__file__).resolve().parent.parent
ROOT = PARTS.parent.parent
BUILD = ROOT / "build"


def built(name: str) -> Path:
    """A folder of build/ with programs for this machine, which may be a guest."""
    return BUILD / ("arm64" if platform.machine() == "aarch64" else "") / name


HOW_TO_BUILD = {
    "main": "make kernel",
    "peer": "make peer",
    "debug": "make debug",
    "stock": "make stock",
    "stock-7.2": "scripts/stock-kernel 7.2",
    "stock-arm64": "scripts/stock-arm64",
    **{
        name: f"scripts/build-kernel {name}"
        for name in ("arm64", "arm64-peer", "arm64-debug", "peer-6.12", "peer-7.2")
    },
    **{
        f"debian-{series}": f"scripts/debian-kernel {series}"
        for series in ("6.1", "6.12", "7.2", "7.3")
    },
}


@dataclass(frozen=True)
class Kernel:
    """A kernel: its image and its modules, unless all are built in.

    `initmods` are the modules to load before the root is mounted, in order.
    """

    name: str
    arch: Arch
    image: Path
    modules: Path | None
    initmods: tuple[Path, ...] = ()


def _folder(name: str) -> Path:
    """Of build/kernel, or the directory `name` itself if it is a path."""
    return Path(name).resolve() if "/" in name else BUILD / "kernel" / name


def arch_of_kernel(name: str) -> Arch:
    """The architecture of a kernel; by its name alone if it is not built."""
    named = (arch for arch in ARCHES.values() if name in arch.kernels.values())
    return arch_of(_folder(name)) or next(named, X86)


def find_kernel(name: str, arch: Arch) -> Kernel:
    """The kernel `name` of build/kernel, or of the directory `name` if it is a path."""
    folder = _folder(name)
    image = folder / arch.image
    if not image.is_file():
        how = HOW_TO_BUILD.get(name)
        raise VmError(f"no kernel at {image}" + (f": run `{how}` first" if how else ""))
    modules = folder / "modroot"
    initmods = tuple(sorted((folder / "initmods").glob("*.ko")))
    return Kernel(name, arch, image, modules if modules.is_dir() else None, initmods)


def programs_of(arch: Arch) -> Path:
    """The programs for guests on which those of the host do not run."""
    cache = os.environ.get("IOMMUFD_CACHE")
    if not cache:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        cache = Path(home, "iommufd-bpf")
    folder = Path(cache, f"programs-{arch.name}")
    if not (folder / "usr").is_dir():
        raise VmError(f"no programs for {arch.name} in {folder}: run scripts/guest-programs first")
    return folder


def writable_dir(name: str) -> Path:
    """build/NAME, or a private directory if build/ is not writable (another user's tree)."""
    folder = BUILD / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for folder in (
        cache / "iommufd-bpf" / name,
        Path(tempfile.gettempdir(), f"iommufd-bpf-{os.getuid()}", name),
    ):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return folder
        except OSError:
            continue
    raise VmError(f"no place to write {name}")
