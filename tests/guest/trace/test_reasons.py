# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Why requests fail: form, objects, addresses and memory. Checks reason, errno and both numbers.

The other reasons are in test_reasons_guest.py and test_reasons_system.py.
"""

import ctypes
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from iommufd import mem, mock, uapi, vfio
from iommufd.container import TYPE1, UNMAP_FLAG_ALL, Adopted
from iommufd.ctx import NO_ID, RW, Context
from iommufd.edu import Edu
from iommufd.ioctl import io, ioctl
from iommufd.mem import PAGE
from iommufd.openfile import OpenFile
from iommufd.platform import IOVA_BITS, MSI
from iommufd.trace import Stream
from iommufd.uapi import MAP_FIXED_IOVA, MAP_READABLE, NUMBER, U64_MAX
from reason_cases import Case, cases

pytestmark = pytest.mark.guest(kernels="ours")

DEVICE, IOAS = 1, 4
READ, WRITE = 1, 2
INVALID, UNSUPPORTED, OVERFLOW = errno.EINVAL, errno.EOPNOTSUPP, errno.EOVERFLOW
FAULT, NOENT, IN_USE = errno.EFAULT, errno.ENOENT, errno.EADDRINUSE
NO_COMMAND = io(";", 0x96)
NO_FD = 1000

MAPPED = 0x800000
LAST = MAPPED + 2 * PAGE - 1
FREE = 0x900000
APERTURE = 1 << IOVA_BITS
LAST_PAGE = U64_MAX - PAGE + 1
FILE = 2 * PAGE


@dataclass
class World:
    """A device on an IOAS in which two pages are mapped, and an empty IOAS."""

    context: Context
    ioas: int
    device: Edu
    hwpt: int
    buffer: mem.Buffer
    other: int
    files: list[int] = field(default_factory=list)

    @property
    def container(self) -> Adopted:
        """The same file, for VFIO's ioctls."""
        return Adopted(self.context.fd)

    def command(self, name: str, **fields: int) -> None:
        """A command with these fields."""
        self.context.command(name, uapi.ARGUMENT[name](**fields))

    def map(self, **fields: int) -> None:
        """IOAS_MAP of a page, valid except for these fields."""
        right = {"ioas_id": self.ioas, "flags": RW, "user_va": self.buffer.address, "length": PAGE}
        self.command("IOAS_MAP", **{**right, **fields})

    def map_at(self, iova: int, length: int = PAGE) -> None:
        """The same at an address."""
        self.map(flags=RW | MAP_FIXED_IOVA, iova=iova, length=length)

    def map_file(self, fd: int, length: int = FILE, prot: int = RW) -> None:
        """IOAS_MAP_FILE of a file from its beginning."""
        self.context.map_file(self.ioas, fd, 0, length, prot=prot)

    def memfd(self, flags: int = 0) -> int:
        """A memfd of two pages, closed at the end."""
        fd = os.memfd_create("dma", flags | os.MFD_CLOEXEC)
        self.files.append(fd)
        os.ftruncate(fd, FILE)
        return fd

    def attach_other(self) -> None:
        """Attaches a second device to the other IOAS."""
        with Edu(self.context, index=1) as device:
            device.attach(self.other)


@pytest.fixture(scope="module")
def stream() -> Iterator[Stream]:
    with Stream("iommufd", "iommufd_fail") as stream:
        yield stream


@pytest.fixture
def world() -> Iterator[World]:
    with Context() as context, mem.anonymous(4 * PAGE) as buffer:
        buffer.fill(0x55)
        ioas = context.ioas_alloc()
        with Edu(context) as device:
            hwpt = device.attach(ioas)
            context.map(ioas, buffer, length=2 * PAGE, iova=MAPPED)
            world = World(context, ioas, device, hwpt, buffer, context.ioas_alloc())
            yield world
            for fd in world.files:
                os.close(fd)


def invalidate(world: World, **fields: int) -> None:
    world.command("HWPT_INVALIDATE", **{"hwpt_id": world.hwpt, **fields})


def destroy_with_a_tail(world: World) -> None:
    head = uapi.Destroy(size=16, id=NO_ID)
    tail = ctypes.create_string_buffer(bytes(head) + bytes(7) + b"\1", 16)
    ioctl(world.context.fd, NUMBER["DESTROY"], tail)


def unmap_all_of_something(world: World) -> None:
    world.command("VFIO_IOAS", ioas_id=world.other, op=uapi.VFIO_IOAS_SET)
    world.container.unmap(PAGE, 0, UNMAP_FLAG_ALL)


FORM = (
    Case(
        "unknown_command",
        errno.ENOTTY,
        lambda w: ioctl(w.context.fd, NO_COMMAND, None),
        (NO_COMMAND, 0),
    ),
    Case("bad_size", INVALID, lambda w: w.command("DESTROY", size=4), (4, 8)),
    Case("trailing_bytes", errno.E2BIG, destroy_with_a_tail, (16, 8)),
    Case("user_memory", FAULT, lambda w: ioctl(w.context.fd, NUMBER["DESTROY"], 8), (8, 4)),
    Case("unknown_flag", UNSUPPORTED, lambda w: w.command("IOAS_ALLOC", flags=4), (4, 0)),
    Case(
        "unknown_flag",
        INVALID,
        lambda w: w.container.map(w.buffer, FREE, flags=0x83),
        (0x83, 3),
    ),
    Case("reserved", UNSUPPORTED, lambda w: w.map(__reserved=7), (7, 0)),
    Case("unknown_value", UNSUPPORTED, lambda w: w.command("OPTION", op=9), (9, 0)),
    Case("unknown_value", INVALID, lambda w: w.container.set_iommu(77), (77, 0)),
    Case(
        "out_of_range",
        INVALID,
        lambda w: w.context.set_option(uapi.OPTION_HUGE_PAGES, 5, w.ioas),
        (5, 1),
    ),
    Case("zero_length", INVALID, lambda w: w.map(length=0)),
    Case("no_rights_asked", INVALID, lambda w: w.map(flags=MAP_FIXED_IOVA), (1, 0)),
    Case(
        "overflow",
        OVERFLOW,
        lambda w: w.context.unmap(w.ioas, LAST_PAGE, 2 * PAGE),
        (LAST_PAGE, 2 * PAGE),
    ),
    Case(
        "data_mismatch",
        INVALID,
        lambda w: w.command("HWPT_ALLOC", dev_id=w.device.id, pt_id=w.ioas, data_len=8),
        (0, 8),
    ),
    Case(
        "flags_conflict",
        UNSUPPORTED,
        lambda w: w.context.hwpt_alloc(w.device.id, w.ioas, 5),
        (5, 0),
    ),
    Case(
        "flags_conflict",
        INVALID,
        unmap_all_of_something,
        (UNMAP_FLAG_ALL, 0),
    ),
    Case(
        "short_buffer",
        errno.EMSGSIZE,
        lambda w: w.command("IOAS_IOVA_RANGES", ioas_id=w.ioas),
        lambda w: (0, len(w.context.iova_ranges(w.ioas))),
    ),
    Case("bad_array", INVALID, lambda w: invalidate(w, entry_num=1), (0, 1)),
)

OBJECTS = (
    Case("no_object", NOENT, lambda w: w.context.destroy(NO_ID), (NO_ID, 0)),
    Case("no_object", NOENT, lambda w: w.map(ioas_id=NO_ID), (NO_ID, IOAS)),
    Case(
        "wrong_type",
        NOENT,
        lambda w: w.map(ioas_id=w.device.id),
        lambda w: (w.device.id, DEVICE),
    ),
    Case(
        "wrong_type",
        INVALID,
        lambda w: w.device.attach(w.device.id),
        lambda w: (w.device.id, DEVICE),
    ),
    # Its page table.
    Case("object_busy", errno.EBUSY, lambda w: w.context.destroy(w.ioas), lambda w: (w.ioas, 1)),
    Case(
        "not_empty",
        errno.EBUSY,
        lambda w: w.context.set_option(uapi.OPTION_RLIMIT_MODE, 1),
        (1, 0),
    ),
    Case(
        "not_empty",
        INVALID,
        lambda w: w.context.set_option(uapi.OPTION_HUGE_PAGES, 0, w.ioas),
    ),
)


def attach_unaligned(world: World) -> None:
    """Without a device, mappings need not consist of whole pages."""
    world.context.map(world.other, world.buffer, length=100, iova=FREE)
    world.attach_other()


def attach_in_the_way(world: World) -> None:
    world.context.map(world.other, world.buffer, length=PAGE, iova=MSI[0])
    world.attach_other()


def cut_a_page(world: World) -> None:
    """The first version of type1 splits mappings, but no pages."""
    world.command("VFIO_IOAS", ioas_id=world.other, op=uapi.VFIO_IOAS_SET)
    world.container.set_iommu(TYPE1)
    with mock.Device(world.context, world.other):
        world.container.map(world.buffer, mock.START)
        world.container.unmap(mock.START + 512, PAGE)


def cut_what_is_pinned(world: World) -> None:
    """A kernel driver has pinned a page of it."""
    world.command("VFIO_IOAS", ioas_id=world.other, op=uapi.VFIO_IOAS_SET)
    world.container.set_iommu(TYPE1)
    world.container.map(world.buffer, mock.START)
    with mock.Access(world.context, world.other) as access:
        access.pin(mock.START, world.buffer, PAGE)
        world.container.unmap(mock.START, PAGE)


def copy_for_writing(world: World) -> None:
    world.context.map(world.other, world.buffer, iova=FREE, prot=MAP_READABLE)
    world.context.copy(world.ioas, world.other, FREE, PAGE)


ADDRESSES = (
    Case("iova_mapped", errno.EEXIST, lambda w: w.map_at(MAPPED), (MAPPED, LAST)),
    Case("iova_reserved", INVALID, lambda w: w.map_at(MSI[0] + PAGE), MSI),
    Case("iova_reserved", IN_USE, lambda w: w.context.allow_iovas(w.ioas, [(0, MSI[0])]), MSI),
    Case("iova_aperture", INVALID, lambda w: w.map_at(APERTURE), (APERTURE, U64_MAX)),
    Case(
        "iova_aperture",
        IN_USE,
        lambda w: w.context.allow_iovas(w.ioas, [(APERTURE, APERTURE)]),
        (APERTURE, U64_MAX),
    ),
    Case("iova_alignment", INVALID, lambda w: w.map_at(FREE + 512), (FREE + 512, PAGE)),
    Case("iova_alignment", INVALID, lambda w: w.map_at(FREE, 100), (100, PAGE)),
    Case("iova_alignment", IN_USE, attach_unaligned, (FREE, PAGE)),
    Case(
        "memory_alignment",
        INVALID,
        lambda w: w.map(
            user_va=w.buffer.address + 100, flags=RW | MAP_FIXED_IOVA, iova=FREE, length=PAGE
        ),
        (100, PAGE),
    ),
    # Tried with smaller and smaller alignment.
    Case("no_space", errno.ENOSPC, lambda w: w.map(length=APERTURE), (APERTURE, PAGE)),
    Case("not_mapped", NOENT, lambda w: w.context.unmap(w.ioas, FREE, PAGE), (FREE, PAGE)),
    Case(
        "not_mapped",
        NOENT,
        lambda w: w.context.copy(w.other, w.ioas, MAPPED, 3 * PAGE),
        (LAST + 1, PAGE),
    ),
    Case("partial_unmap", NOENT, lambda w: w.context.unmap(w.ioas, MAPPED, PAGE), (MAPPED, LAST)),
    Case("partial_unmap", INVALID, cut_a_page, (mock.START, mock.START + 4 * PAGE - 1)),
    Case("pages_pinned", errno.EBUSY, cut_what_is_pinned, (mock.START, mock.START + 4 * PAGE - 1)),
    Case("mapping_rights", errno.EPERM, copy_for_writing, (READ, WRITE)),
    Case("area_in_the_way", IN_USE, attach_in_the_way, MSI),
    Case(
        "bad_allowed",
        INVALID,
        lambda w: w.context.allow_iovas(w.ioas, [(2 * PAGE, PAGE)]),
        (2 * PAGE, PAGE),
    ),
)


def bar_address(world: World) -> int:
    anchor = ctypes.c_char.from_buffer(world.device.map_bar(0))
    return ctypes.addressof(anchor)


def map_protected(world: World, protection: int, prot: int) -> None:
    mem.protect(world.buffer, protection)
    world.map(flags=prot)


def map_read_only_file(world: World) -> None:
    with OpenFile(os.open(f"/proc/self/fd/{world.memfd()}", os.O_RDONLY)) as file:
        world.map_file(file.fd)


def map_sealed_file(world: World) -> None:
    fd = world.memfd(os.MFD_ALLOW_SEALING)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    world.map_file(fd)


class TwoRanges(vfio.DmaBufFeature):
    """Two ranges of a BAR in one dma-buf."""

    _fields_ = (("offset2", ctypes.c_uint64), ("length2", ctypes.c_uint64))


def map_two_ranges(world: World) -> None:
    argument = TwoRanges(
        flags=vfio.DmaBufFeature.GET,
        open_flags=os.O_RDWR | os.O_CLOEXEC,
        nr_ranges=2,
        length=PAGE,
        offset2=2 * PAGE,
        length2=PAGE,
    )
    with OpenFile(ioctl(world.device.fd, vfio.DEVICE_FEATURE, argument)) as file:
        world.map_file(file.fd, PAGE)


def map_beyond_dma_buf(world: World) -> None:
    with OpenFile(mock.dma_buf(world.context, FILE)) as file:
        world.map_file(file.fd, FILE + PAGE)


def map_revoked(world: World) -> None:
    with OpenFile(mock.dma_buf(world.context, FILE)) as file:
        mock.revoke(world.context, file.fd)
        world.map_file(file.fd)


def pin_dma_buf(world: World) -> None:
    with OpenFile(mock.dma_buf(world.context, FILE)) as file:
        world.context.map_file(world.other, file.fd, 0, FILE, iova=FREE)
        with mock.Access(world.context, world.other) as access:
            access.pin(FREE, world.buffer, PAGE)


def change_process(world: World) -> None:
    world.command("IOAS_CHANGE_PROCESS")


# How a file is open: FMODE_READ, FMODE_WRITE. A file that cannot be sealed counts as sealed.
MEMORY = (
    Case("no_vma", FAULT, lambda w: w.map(user_va=PAGE), lambda _: (PAGE, os.getpid())),
    Case(
        "vma_not_writable",
        FAULT,
        lambda w: map_protected(w, mem.PROT_READ, RW),
        lambda w: (w.buffer.address, FAULT),
    ),
    Case(
        "vma_not_readable",
        FAULT,
        lambda w: map_protected(w, mem.PROT_NONE, MAP_READABLE),
        lambda w: (w.buffer.address, FAULT),
    ),
    Case("not_memory", INVALID, pin_dma_buf, (FREE, 0)),
    Case(
        "file_end", INVALID, lambda w: w.map_file(w.memfd(), FILE + PAGE), (FILE + PAGE - 1, FILE)
    ),
    Case("bad_fd", errno.EBADF, lambda w: w.map_file(NO_FD), (NO_FD, 0)),
    Case(
        "file_kind",
        INVALID,
        lambda w: w.map_file(w.context.fd),
        lambda w: (w.context.fd, 0),
    ),
    Case("file_rights", errno.EPERM, map_read_only_file, (READ, fcntl.F_SEAL_SEAL)),
    Case("file_rights", errno.EPERM, map_sealed_file, (READ | WRITE, fcntl.F_SEAL_WRITE)),
    Case("dmabuf_exporter", UNSUPPORTED, map_two_ranges),
    Case("dmabuf_range", INVALID, map_beyond_dma_buf, (0, FILE)),
    Case("dmabuf_revoked", errno.ENODEV, map_revoked),
    Case("va_stays", INVALID, change_process, (MAPPED, 2 * PAGE)),
)


@cases(*FORM, *OBJECTS, *ADDRESSES, *MEMORY)
def test_reason(stream: Stream, world: World, case: Case) -> None:
    case.run(stream, world)


def test_vma_pfnmap(stream: Stream, world: World) -> None:
    """A BAR by its address: the number is the offset in the mapping."""
    va = bar_address(world) + 3 * PAGE
    case = Case("vma_pfnmap", FAULT, lambda w: w.map(user_va=va), (va, 3 * PAGE))
    case.run(stream, world)


def test_not_pinnable(stream: Stream, world: World) -> None:
    """A huge page that the pool cannot provide: all are in use."""
    meminfo = Path("/proc/meminfo").read_text()
    free = int(re.search(r"HugePages_Free: +(\d+)", meminfo)[1])
    with mem.hugetlb(free * mem.HUGE), mem.hugetlb(mem.HUGE, mem.MAP_NORESERVE) as area:
        va = area.address
        case = Case("not_pinnable", FAULT, lambda w: w.map(user_va=va), (va, FAULT))
        case.run(stream, world)


@pytest.mark.parametrize(
    ("name", "fields"),
    [("IOAS_MAP", {"ioas_id": NO_ID, "flags": RW, "length": PAGE}), ("DESTROY", {"id": NO_ID})],
)
def test_command(stream: Stream, world: World, name: str, fields: dict) -> None:
    """The number of the ioctl."""
    kind = IOAS if name == "IOAS_MAP" else 0
    case = Case("no_object", NOENT, lambda w: w.command(name, **fields), (NO_ID, kind))
    case.run(stream, world, NUMBER[name])
