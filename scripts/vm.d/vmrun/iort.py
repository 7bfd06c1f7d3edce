# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The ACPI table IORT that guests on arm64 use instead of QEMU's.

The driver of SMMUv3 offers nested translation only where a device cannot bypass the caches: where
the SMMU forces write-back (S2FWB, which QEMU does not have), or where the IORT says of the root
complex that all its accesses can be made coherent (CANWBS). QEMU's IORT does not say so, although
the caches of an emulated machine are always coherent. The kernel prefers a table in the initial
file system if its revision is higher.

See the specification "IO Remapping Table", ARM DEN 0049.
"""

import hashlib
import os
import shutil
import struct
from pathlib import Path

from .arch import Arch
from .errors import VmError
from .fwcfg import firmware_file
from .paths import writable_dir

# In the initial file system, where the kernel looks for tables.
PATH = "kernel/firmware/acpi/iort.aml"

LENGTH, CHECKSUM, OEM_REVISION = 4, 9, 24
NODES, FIRST_NODE = 36, 40
ROOT_COMPLEX = 2
# In the node of a root complex: coherent page walks, device attributes, CANWBS.
MEMORY_FLAGS, ALL_COHERENT = 0x17, 7


def coherent(table: bytes) -> bytes:
    """The table with root complexes that cannot bypass caches, and with a higher revision."""
    new = bytearray(table)
    count, offset = struct.unpack_from("<II", new, NODES)
    roots = 0
    for _ in range(count):
        kind, length = struct.unpack_from("<BH", new, offset)
        if kind == ROOT_COMPLEX:
            new[offset + MEMORY_FLAGS] = ALL_COHERENT
            roots += 1
        offset += length
    if not roots:
        raise VmError("QEMU's IORT has no root complex")
    (revision,) = struct.unpack_from("<I", new, OEM_REVISION)
    struct.pack_into("<I", new, OEM_REVISION, revision + 1)
    new[CHECKSUM] = 0
    new[CHECKSUM] = -sum(new) & 0xFF
    return bytes(new)


def _found(tables: bytes) -> bytes:
    """QEMU's tables are in one file, one after the other."""
    start = tables.find(b"IORT")
    if start < 0:
        raise VmError("QEMU has no IORT for this machine")
    (length,) = struct.unpack_from("<I", tables, start + LENGTH)
    return tables[start : start + length]


def override(arch: Arch, iommu: str) -> bytes:
    """The table for a machine with this IOMMU; made once for each version of QEMU."""
    machine = [*arch.machine, *arch.iommus[iommu].args]
    program = shutil.which(arch.qemu)
    if not program:
        raise VmError(f"{arch.qemu} is not installed")
    stat = os.stat(program)
    key = repr((machine, stat.st_size, stat.st_mtime_ns)).encode()
    path = writable_dir("vm") / f"iort-{hashlib.sha256(key).hexdigest()[:16]}.aml"
    if not path.exists():
        table = _found(firmware_file([arch.qemu, *machine, "-cpu", arch.cpu], "etc/acpi/tables"))
        part = Path(f"{path}.{os.getpid()}")
        part.write_bytes(coherent(table))
        part.rename(path)
    return path.read_bytes()
