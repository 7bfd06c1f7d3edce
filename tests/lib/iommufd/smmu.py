# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A guest's side of an SMMUv3: its memory, page tables, stream table entries, commands, events.

The guest has one device, an edu. Its physical addresses (IPA) are what an IOAS maps: its memory
begins at `IPA`. The first stage, from virtual addresses (VA) to IPA, is in that memory, where the
SMMU reads it. See the architecture specification of SMMUv3, ARM IHI 0070, chapters 4, 5 and 7.
"""

import ctypes
import os
import select
import struct
from collections.abc import Callable
from dataclasses import dataclass

from data_pattern import pattern

from . import invalidate, mem, uapi
from .ctx import Context
from .edu import Edu
from .mem import PAGE
from .nest import Queue, pointer
from .openfile import Closing

IPA = 0x40000000
PAGES = 32
# The id by which the guest knows the device; the real one differs.
VSID = 0x5A

# Pages of the guest's memory: a context descriptor, three levels of a page table, and those of a
# second one. The rest is for data.
CD, L1, L2, L3, SECOND = 0, 1, 2, 3, 4
DATA = 8
# The page to which the device's buffer is written, to see what it has read.
SEEN = DATA + 8

# Configurations of a stream table entry.
ABORT, BYPASS, TRANSLATE = 0, 4, 5

# Address space ids of the two page tables.
ASID, SECOND_ASID = 7, 8

# Page table entries: rights, and what all entries of pages and blocks have.
TABLE, PAGE_ENTRY, BLOCK = 3, 3, 1
ACCESSED, INNER_SHAREABLE, UNPRIVILEGED, READ_ONLY = 1 << 10, 3 << 8, 1 << 6, 1 << 7
LEAF = ACCESSED | INNER_SHAREABLE | UNPRIVILEGED

# Commands.
CFGI_CD, CFGI_CD_ALL = 0x05, 0x06
TLBI_NH_ALL, TLBI_NH_ASID, TLBI_NH_VA, TLBI_NH_VAA, TLBI_NSNH_ALL = 0x10, 0x11, 0x12, 0x13, 0x30

# Events.
C_BAD_CD, F_TRANSLATION, F_PERMISSION = 0x0A, 0x10, 0x13
PATIENCE_MS = 20000


def ste(config: int = TRANSLATE, valid: bool = True, cd: int = IPA + CD * PAGE) -> list[int]:
    """A stream table entry for one context descriptor, with write-back caches."""
    inner, outer, shareable = 1 << 2, 1 << 4, 3 << 6
    return [int(valid) | config << 1 | cd, inner | outer | shareable if config == TRANSLATE else 0]


def context_descriptor(table: int, asid: int = ASID, valid: bool = True) -> bytes:
    """39 bits of addresses in pages of 4 KiB, from a table of level 1; 44 bits of output."""
    size, inner, outer, shareable = 64 - 39, 1 << 8, 1 << 10, 3 << 12
    no_second_table, aarch64, output = 1 << 30, 1 << 41, 4 << 32
    record, abort, own_asids = 1 << 45, 1 << 46, 1 << 47
    first = size | inner | outer | shareable | no_second_table | int(valid) << 31 | output
    first |= aarch64 | record | abort | own_asids | asid << 48
    return struct.pack("<8Q", first, table, 0, 0xFF, 0, 0, 0, 0)


@dataclass(frozen=True)
class Event:
    """A record of an event queue."""

    kind: int
    stream: int
    address: int
    read: bool
    second_stage: bool


@dataclass(frozen=True)
class Record:
    """A record of the event queue: an event, or a report that events were lost."""

    sequence: int
    event: Event | None


class EventQueue(Queue):
    """Events of a vIOMMU."""

    def wait(self) -> None:
        """Returns when a record can be read."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        if not poll.poll(PATIENCE_MS):
            raise TimeoutError("no event")

    def read(self) -> list[Record]:
        """All records that are there."""
        data = os.read(self.fd, 4096)
        found, at = [], 0
        while at < len(data):
            header = uapi.VeventHeader.from_buffer_copy(data, at)
            at += ctypes.sizeof(header)
            event = None
            if not header.flags & uapi.VEVENTQ_FLAG_LOST_EVENTS:
                words = uapi.VeventArmSmmuv3.from_buffer_copy(data, at).evt
                at += ctypes.sizeof(uapi.VeventArmSmmuv3)
                event = Event(
                    kind=words[0] & 0xFF,
                    stream=words[0] >> 32,
                    address=words[2],
                    read=bool(words[1] >> 35 & 1),
                    second_stage=bool(words[1] >> 39 & 1),
                )
            found.append(Record(header.sequence, event))
        return found

    def next(self) -> list[Record]:
        """Waits for records, and reads them."""
        self.wait()
        return self.read()

    def until(self, holds: Callable[[Record], object]) -> list[Record]:
        """The records up to one that satisfies a condition."""
        found: list[Record] = []
        while not (found and holds(found[-1])):
            found += self.next()
        return found


class Guest(Closing):
    """A device, the guest's memory, a nesting parent and a vIOMMU."""

    def __init__(self) -> None:
        self.context = Context()
        self.memory = mem.anonymous(PAGES * PAGE)
        self.memory.fill(0)
        self.ioas = self.context.ioas_alloc()
        self.context.map(self.ioas, self.memory, iova=IPA)
        self.device = Edu(self.context)
        self.parent = self.paging(uapi.HWPT_ALLOC_NEST_PARENT)
        argument = uapi.ViommuAlloc(
            type=uapi.VIOMMU_TYPE_ARM_SMMUV3, dev_id=self.device.id, hwpt_id=self.parent
        )
        self.context.command("VIOMMU_ALLOC", argument)
        self.viommu = argument.out_viommu_id
        self._write_tables()

    def close(self) -> None:
        """Closes the device and the context, with all objects."""
        self.device.close()
        self.context.close()
        self.memory.close()

    def _write_tables(self) -> None:
        self.memory.write(context_descriptor(IPA + L1 * PAGE), CD * PAGE)
        for first in (L1, SECOND):
            for level in (first, first + 1):
                self.write64(level * PAGE, IPA + (level + 1) * PAGE | TABLE)

    def write64(self, offset: int, value: int) -> None:
        """Eight bytes of the guest's memory, in one access."""
        ctypes.c_uint64.from_address(self.memory.address + offset).value = value

    def set_descriptor(self, table: int = L1, **fields: int) -> None:
        """Writes the context descriptor, without an invalidation."""
        self.memory.write(context_descriptor(IPA + table * PAGE, **fields), CD * PAGE)

    def set_page(
        self, number: int, page: int | None, read_only: bool = False, table: int = L1
    ) -> int:
        """Maps a page of the first 2 MiB of VA, or unmaps it; without an invalidation."""
        entry = 0
        if page is not None:
            entry = IPA + page * PAGE | LEAF | PAGE_ENTRY | (READ_ONLY if read_only else 0)
        self.write64((table + L3 - L1) * PAGE + number * 8, entry)
        return number * PAGE

    def set_block(self, va: int) -> None:
        """Maps 2 MiB of VA to the same IPA."""
        assert va % mem.HUGE == 0 and 0 < va < 1 << 30
        self.write64(L2 * PAGE + va // mem.HUGE * 8, va | LEAF | BLOCK)

    def paging(self, flags: int = 0) -> int:
        """A page table that follows the IOAS."""
        return self.context.hwpt_alloc(self.device.id, self.ioas, flags)

    def vdevice(self, virt_id: int = VSID) -> int:
        """The device under the id by which the guest knows it."""
        argument = uapi.VdeviceAlloc(viommu_id=self.viommu, dev_id=self.device.id, virt_id=virt_id)
        self.context.command("VDEVICE_ALLOC", argument)
        return argument.out_vdevice_id

    def nested(self, words: list[int]) -> int:
        """A page table with a stream table entry of the guest."""
        data = uapi.HwptArmSmmuv3(ste=(ctypes.c_uint64 * 2)(*words))
        argument = uapi.HwptAlloc(
            dev_id=self.device.id,
            pt_id=self.viommu,
            data_type=uapi.HWPT_DATA_ARM_SMMUV3,
            **pointer(data),
        )
        self.context.command("HWPT_ALLOC", argument)
        return argument.out_hwpt_id

    def translate(self) -> None:
        """Attaches the device to both stages; it must have its virtual id."""
        self.device.attach(self.nested(ste()))

    def event_queue(self, depth: int = 8) -> EventQueue:
        """A queue for a number of events."""
        argument = uapi.VeventqAlloc(
            viommu_id=self.viommu, type=uapi.VEVENTQ_TYPE_ARM_SMMUV3, veventq_depth=depth
        )
        self.context.command("VEVENTQ_ALLOC", argument)
        return EventQueue(argument.out_veventq_id, argument.out_veventq_fd)

    def invalidate(self, *commands: tuple[int, int], **fields: int) -> tuple[int, int]:
        """Commands of the guest; (errno, commands handled)."""
        entry = uapi.ViommuArmSmmuv3Invalidate
        made = [entry(cmd=(ctypes.c_uint64 * 2)(*words)) for words in commands]
        fields = {
            "hwpt_id": self.viommu,
            "data_type": uapi.VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
            **fields,
        }
        return invalidate.send(self.context, (entry * len(made))(*made), **fields)

    def fill(self, page: int, name: str) -> bytes:
        """Writes a pattern into a page; returns it."""
        data = pattern(name, PAGE)
        self.memory.write(data, page * PAGE)
        return data

    def page(self, page: int) -> bytes:
        """The content of a page."""
        return self.memory.read(page * PAGE, PAGE)


class Changed:
    """A virtual address whose page the guest has changed, after a transfer."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._out = guest.set_page(20, SEEN)
        self.va = guest.set_page(3, DATA)
        self.old = guest.fill(DATA, "old")
        self.new = guest.fill(DATA + 1, "new")
        assert self.read() == self.old
        guest.set_page(3, DATA + 1)

    def read(self) -> bytes:
        """Reads at the address; returns the data."""
        self._guest.device.dma_read(self.va)
        self._guest.device.dma_write(self._out)
        return self._guest.page(SEEN)


def tlbi_va(va: int, asid: int = ASID) -> tuple[int, int]:
    """TLBI_NH_VA of one page."""
    return TLBI_NH_VA | asid << 48, va


def tlbi_asid(asid: int = ASID) -> tuple[int, int]:
    """TLBI_NH_ASID"""
    return TLBI_NH_ASID | asid << 48, 0


def cfgi_cd(stream: int = VSID) -> tuple[int, int]:
    """CFGI_CD of the only descriptor of a stream."""
    return CFGI_CD | stream << 32, 1
