# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""All contexts and objects, as the BPF iterators find them (bpf/iommufd_list.bpf.c)."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bpfobject import Object, loaded

_CTX = struct.Struct("=6IQ16s")
_OBJECT = struct.Struct("=8I8Q2I2Q32s")
CTX, OBJECT = 1, 2

# enum iommufd_object_type
DEVICE, PAGING, NESTED, IOAS, ACCESS, FAULT, VIOMMU, VDEVICE, VEVENTQ, HW_QUEUE = range(1, 11)
SELFTEST = 11
AUTOMATIC, NEST_PARENT, COHERENT, FAULTS = 1, 2, 4, 8
# Of an id that an object of its type does not have
NOT_KNOWN = 0xFFFFFFFF


@dataclass(frozen=True)
class Ctx:
    """struct list_ctx"""

    kind: int
    ctx: int
    tgid: int
    uid: int
    accounting: int
    source: int
    pinned: int
    comm: str


@dataclass(frozen=True)
class Entry:
    """struct list_object"""

    kind: int
    ctx: int
    id: int
    type: int
    users: int
    parent: int
    flags: int
    unused: int
    seq: int
    mapped: int
    areas: int
    pinned: int
    maps: int
    unmaps: int
    invalidations: int
    faults: int
    hwpt: int
    group: int
    room: int
    table_pages: int
    name: str

    def has(self, **fields: int | str) -> None:
        """Checks that the entry has these values."""
        assert {name: getattr(self, name) for name in fields} == fields


@dataclass
class Listing:
    """The listing program; its results are in the order in which the iterators find them."""

    object: Object

    def entries(self) -> list[Ctx | Entry]:
        """Lists everything that exists now."""
        assert self.object.run("list_all") == 0
        found: list[Ctx | Entry] = []
        for data in self.object.map("list").records():
            if data[0] == CTX:
                *numbers, comm = _CTX.unpack(data)
                found.append(Ctx(*numbers, comm.rstrip(b"\0").decode()))
            else:
                *numbers, name = _OBJECT.unpack(data)
                found.append(Entry(*numbers, name.rstrip(b"\0").decode()))
        value = self.object.map(".bss").get(bytes(4))
        assert value == bytes(8), "entries were lost"
        return found

    def contexts(self) -> dict[int, Ctx]:
        """The contexts, by their number."""
        return {entry.ctx: entry for entry in self.entries() if isinstance(entry, Ctx)}

    def objects(self, ctx: int | None = None) -> dict[int, Entry]:
        """The objects of a context, or of the only one, by id."""
        found = [entry for entry in self.entries() if isinstance(entry, Entry)]
        if ctx is None:
            assert len({entry.ctx for entry in found}) <= 1
        return {entry.id: entry for entry in found if ctx in (None, entry.ctx)}


@contextmanager
def listing() -> Iterator[Listing]:
    """Loads the program."""
    with loaded("iommufd_list") as program:
        yield Listing(program)
