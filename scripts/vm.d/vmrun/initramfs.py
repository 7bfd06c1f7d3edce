# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The guest's initial file system: our process 1, and what it takes until the root is mounted."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from . import iort
from .arch import X86, Arch
from .errors import VmError
from .paths import PARTS, writable_dir

CFLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-static"]
DIRECTORIES = ("dev", "host", "layer", "modules", "new")
# With this one, process 1 mounts the programs of a foreign architecture.
PROGRAMS = "programs"


def archive_entry(name: str, mode: int, data: bytes = b"") -> bytes:
    """One member of a cpio archive of the kind `newc`."""
    raw = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
    head = b"070701" + b"".join(b"%08x" % x for x in fields) + raw
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def _archive(folders: tuple[str, ...], files: dict[str, bytes]) -> bytes:
    members = [archive_entry(name, 0o040755) for name in folders]
    members += [archive_entry(name, 0o100755, data) for name, data in files.items()]
    members.append(archive_entry("TRAILER!!!", 0))
    return b"".join(members)


def _tables(iommu_table: bytes) -> bytes:
    """An archive of its own, in front: the kernel reads tables before it unpacks anything."""
    parents = [str(x) for x in Path(iort.PATH).parents][-2::-1]
    return _archive(tuple(parents), {iort.PATH: iommu_table})


def _compile(cc: str, sources: list[Path]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "init")
        command = [cc, *CFLAGS, "-o", str(out), *map(str, sources)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise VmError(f"no C compiler ({cc}) to build the guest's init with") from None
        if done.returncode:
            raise VmError(f"the guest's init does not compile:\n{done.stderr}")
        return out.read_bytes()


def make_initramfs(modules: tuple[Path, ...], arch: Arch = X86, iommu: str = "none") -> Path:
    """Its path. It is rebuilt when its sources or the modules in it have changed."""
    cc = arch.cc if arch.foreign else os.environ.get("CC", arch.cc)
    table = iort.override(arch, iommu) if arch.iommus[iommu].coherent else b""
    files = sorted((PARTS / "init").glob("*.[ch]"))
    inside = {f"modules/{m.name}": m.read_bytes() for m in modules}
    parts = [cc.encode(), table, *(f.read_bytes() for f in files), *inside.values()]
    digest = hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    image = writable_dir("vm") / f"initramfs-{digest}.cpio"
    if not image.exists():
        init = _compile(cc, [f for f in files if f.suffix == ".c"])
        folders = (*DIRECTORIES, PROGRAMS) if arch.foreign else DIRECTORIES
        data = _tables(table) if table else b""
        data += _archive(folders, {"init": init, **inside})
        # Renamed into place: two guests may be started at the same time.
        part = image.with_suffix(f".{os.getpid()}")
        part.write_bytes(data)
        part.rename(image)
    return image
