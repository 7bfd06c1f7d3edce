# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""--bundle: an archive that measures on another machine, without network or packages."""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from vmrun.arch import X86
from vmrun.initramfs import archive_entry

from . import programs
from .errors import BenchError
from .kernels import Subject
from .paths import PARTS, TOP

FILES = PARTS / "bundle"
INIT = TOP / "scripts" / "vm.d" / "init"
CFLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-static"]
FIRMWARE = ("bios-256k.bin", "kvmvapic.bin", "linuxboot_dma.bin", "vgabios-stdvga.bin")
FIRMWARE_FOLDERS = ("/usr/share/qemu", "/usr/share/seabios", "/usr/lib/ipxe/qemu")
MODULES = ("iommufd", "irqbypass", "vfio", "vfio-pci", "vfio-pci-core", "vfio_iommu_type1")
# Where modules that are not part of the kernel's own build are installed.
UPDATES = "updates"
# Distributions leave VT-d off.
OPTIONS = "quiet intel_iommu=on"
ARCHIVE = "bench"
# For a machine to which it is copied while others wait.
MOST_BYTES = 60 << 20
PRESET = 6


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source.resolve(), target)


def _qemu(folder: Path) -> None:
    """QEMU with the libraries and the firmware that it loads."""
    program = shutil.which(X86.qemu)
    if not program:
        raise BenchError(f"{X86.qemu} is not installed")
    _copy(Path(program), folder / X86.qemu)
    for name, path in re.findall(r"^\s*(\S+) => (/\S+)", _run("ldd", program), re.MULTILINE):
        _copy(Path(path), folder / "lib" / name)
    loader = re.search(r"^\s*(/\S*ld-linux\S*)", _run("ldd", program), re.MULTILINE)
    if not loader:
        raise BenchError(f"{program} has no dynamic loader")
    _copy(Path(loader[1]), folder / "ld.so")
    # The emulator itself is a module in some distributions.
    for module in Path(program).parent.parent.glob("lib/*/qemu/accel-tcg-*.so"):
        _copy(module, folder / "modules" / module.name)
    for name in FIRMWARE:
        found = [p for p in (Path(f, name) for f in FIRMWARE_FOLDERS) if p.exists()]
        if found:
            _copy(found[0], folder / "share" / name)


def _init() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "init")
        _run("cc", *CFLAGS, f"-I{INIT}", "-o", out, FILES / "init.c", INIT / "cpus.c")
        return out.read_bytes()


def _modules(folder: Path) -> list[Path]:
    found = sorted((folder / "modroot").rglob("*.ko"))
    return [m for m in found if m.stem in MODULES or UPDATES in m.parts]


def _floor(subject: Subject) -> Path | None:
    for file in (subject.folder / "floor.ko", programs.floor(subject.kernel)):
        if file.exists():
            return file
    return None


def _initramfs(init: bytes, workload: Path, modules: list[Path]) -> bytes:
    entries = [archive_entry(name, 0o040755) for name in ("dev", "proc", "sys", "modules")]
    entries.append(archive_entry("init", 0o100755, init))
    entries.append(archive_entry("workload", 0o100755, workload.read_bytes()))
    entries += [archive_entry(f"modules/{m.name}", 0o100644, m.read_bytes()) for m in modules]
    return b"".join(entries) + archive_entry("TRAILER!!!", 0)


def _same(file: Path, others: list[Path]) -> Path | None:
    """Another file with the same contents, so that the archive has them once."""
    data = file.read_bytes()
    return next((o for o in others if o.read_bytes() == data), None)


def _kernel(
    subject: Subject, folder: Path, init: bytes, workload: Path, backends: list[str]
) -> None:
    folder.mkdir(parents=True)
    image = (subject.folder / "bzImage").resolve()
    same = _same(image, sorted(folder.parent.glob("*/bzImage")))
    if same:
        os.link(same, folder / "bzImage")
    else:
        _copy(image, folder / "bzImage")
    modules = _modules(subject.folder)
    floor = _floor(subject) if "floor" in backends else None
    modules += [floor] if floor else []
    names = [b for b in backends if b != "floor" or floor]
    (folder / "initramfs.cpio").write_bytes(_initramfs(init, workload, modules))
    (folder / "cmdline").write_text(f"{X86.cmdline} {X86.one_at_first} {OPTIONS}\n")
    (folder / "backends").write_text(",".join(names) + "\n")


def make(subjects: list[Subject], file: Path, workload: Path, commit: str) -> None:
    """Writes the archive; its program `run` measures.

    The first kernel is also measured with type1, and with the floor if that was built for it.
    """
    with tempfile.TemporaryDirectory(prefix="bundle-") as scratch:
        top = Path(scratch, ARCHIVE)
        _qemu(top / "qemu")
        init = _init()
        for index, subject in enumerate(subjects):
            backends = ["iommufd"] if index else ["iommufd", "type1", "floor"]
            _kernel(subject, top / "kernels" / subject.folder.name, init, workload, backends)
        names = [s.folder.name for s in subjects]
        (top / "kernels" / "order").write_text(",".join(names) + "\n")
        about = [f"commit {commit}; {_run(X86.qemu, '--version').splitlines()[0]}"]
        about += [f"{s.folder.name}: Linux {s.describe().release}" for s in subjects]
        (top / "about").write_text("\n".join(about) + "\n")
        _copy(FILES / "run", top / "run")
        with tarfile.open(file, "w:xz", preset=PRESET) as archive:
            archive.add(top, ARCHIVE)
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise BenchError(f"{file} has {size >> 20} MiB: more than {MOST_BYTES >> 20}")
    print(f"{file}: {size / (1 << 20):.1f} MiB; unpack it and start {ARCHIVE}/run")
