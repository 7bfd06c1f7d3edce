# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Invalid input: the documented errno, and nothing has changed.

A device is attached. Without one, nothing is pinned at map, and a bad address may
not be found before attach.
"""

import ctypes
import errno
import mmap
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from errnos import errno_of, fails
from iommufd import mem, uapi, vfio
from iommufd.ctx import NO_ID, RW, Context
from iommufd.edu import Edu, addresses
from iommufd.ioctl import io, ioctl
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages
from iommufd.platform import IOVA_BITS, MSI
from iommufd.uapi import (
    MAP_FIXED_IOVA,
    NUMBER,
    U64_MAX,
    Destroy,
    IoasAlloc,
    IoasIovaRanges,
    IoasMap,
    IoasUnmap,
)

FIXED = RW | MAP_FIXED_IOVA
# One mapping of two pages; the other addresses are free.
MAPPED = 0x800000
FREE = 0x900000
KERNEL_MAP = 0xFFFF888000000000
KERNEL_TEXT = 0xFFFFFFFF81000000
NOT_CANONICAL = 1 << 50
LAST_PAGE = U64_MAX - PAGE + 1


@dataclass
class World:
    """A device on an IOAS in which two pages are mapped."""

    context: Context
    ioas: int
    device: Edu
    hwpt: int
    buffer: mem.Buffer
    va: int = 0

    def __post_init__(self) -> None:
        self.va = self.buffer.address

    def state(self) -> object:
        """Everything that a request could change and that is visible from here."""
        probes = [errno_of(self.context.iova_ranges, i) == 0 for i in range(32)]
        return probes, self.context.iova_ranges(self.ioas), pinned_pages(), self.buffer.read()


@pytest.fixture
def world() -> Iterator[World]:
    with Context() as context, mem.anonymous(16 * PAGE) as buffer:
        buffer.fill(0x55)
        ioas = context.ioas_alloc()
        with Edu(context) as device:
            hwpt = device.attach(ioas)
            context.map(ioas, buffer, length=2 * PAGE, iova=MAPPED)
            world = World(context, ioas, device, hwpt, buffer)
            before = world.state()
            yield world
            assert world.state() == before, "a failed request has changed something"
            assert context.unmap_all(ioas) == 2 * PAGE
        assert pinned_pages() == 0
        context.destroy(ioas)
        left = [i for i in range(64) if errno_of(context.destroy, i) != errno.ENOENT]
        assert not left, "objects are left"


Fields = Callable[[World], dict[str, int]]


def case(name: str, command: str, error: int, fields: Fields) -> object:
    return pytest.param(command, error, fields, id=name)


def bad_map(name: str, error: int, **fields: int) -> object:
    """A valid IOAS_MAP, except for these fields."""
    return case(
        name,
        "IOAS_MAP",
        error,
        lambda w: {"flags": RW, "ioas_id": w.ioas, "user_va": w.va, "length": PAGE, **fields},
    )


def bad_unmap(name: str, error: int, iova: int, length: int) -> object:
    return case(
        name, "IOAS_UNMAP", error, lambda w: {"ioas_id": w.ioas, "iova": iova, "length": length}
    )


INVALID, UNSUPPORTED, OVERFLOW = errno.EINVAL, errno.EOPNOTSUPP, errno.EOVERFLOW
FAULT, EXISTS, NOENT = errno.EFAULT, errno.EEXIST, errno.ENOENT

CASES = [
    bad_map("map-size-0", INVALID, size=0),
    bad_map("map-size-1", INVALID, size=1),
    bad_map("map-size-without-iova", INVALID, size=32),
    bad_map("map-size-one-less", INVALID, size=39),
    bad_map("map-flag-3", UNSUPPORTED, flags=RW | 1 << 3),
    bad_map("map-flag-31", UNSUPPORTED, flags=RW | 1 << 31),
    bad_map("map-reserved", UNSUPPORTED, **{"__reserved": 1}),
    bad_map("map-no-permission", INVALID, flags=0),
    bad_map("map-fixed-no-permission", INVALID, flags=MAP_FIXED_IOVA, iova=FREE),
    bad_map("map-nothing", INVALID, length=0),
    bad_map("map-fixed-nothing", INVALID, flags=FIXED, iova=FREE, length=0),
    bad_map("map-length-not-aligned", INVALID, length=100),
    bad_map("map-fixed-length-not-aligned", INVALID, flags=FIXED, iova=FREE, length=PAGE + 1),
    bad_map("map-iova-not-aligned", INVALID, flags=FIXED, iova=FREE + 512),
    bad_map("map-iova-overflow", OVERFLOW, flags=FIXED, iova=LAST_PAGE, length=2 * PAGE),
    bad_map("map-iova-last-page", INVALID, flags=FIXED, iova=LAST_PAGE),
    bad_map("map-iova-beyond-aperture", INVALID, flags=FIXED, iova=1 << IOVA_BITS),
    bad_map(
        "map-iova-across-aperture",
        INVALID,
        flags=FIXED,
        iova=(1 << IOVA_BITS) - PAGE,
        length=2 * PAGE,
    ),
    bad_map("map-iova-of-interrupts", INVALID, flags=FIXED, iova=MSI[0]),
    bad_map("map-iova-into-interrupts", INVALID, flags=FIXED, iova=MSI[0] - PAGE, length=2 * PAGE),
    bad_map("map-va-overflow", OVERFLOW, user_va=LAST_PAGE, length=2 * PAGE),
    bad_map("map-va-last-page", OVERFLOW, user_va=LAST_PAGE),
    bad_map("map-length-max", OVERFLOW, length=U64_MAX),
    bad_map("map-length-max-from-0", OVERFLOW, user_va=0, length=U64_MAX),
    bad_map("map-fixed-length-max", OVERFLOW, flags=FIXED, iova=FREE, length=U64_MAX),
    bad_map("map-va-null", FAULT, user_va=0),
    bad_map("map-va-low", FAULT, user_va=PAGE),
    bad_map("map-va-of-kernel-memory", FAULT, user_va=KERNEL_MAP),
    bad_map("map-va-of-kernel-code", FAULT, user_va=KERNEL_TEXT),
    bad_map("map-va-not-canonical", FAULT, user_va=NOT_CANONICAL),
    bad_map("map-beyond-the-buffer", FAULT, length=1 << 40),
    bad_map("map-overlap-all", EXISTS, flags=FIXED, iova=MAPPED, length=2 * PAGE),
    bad_map("map-overlap-first", EXISTS, flags=FIXED, iova=MAPPED - PAGE, length=2 * PAGE),
    bad_map("map-overlap-last", EXISTS, flags=FIXED, iova=MAPPED + PAGE, length=2 * PAGE),
    bad_map("map-overlap-around", EXISTS, flags=FIXED, iova=MAPPED - PAGE, length=4 * PAGE),
    bad_map("map-ioas-0", NOENT, ioas_id=0),
    bad_map("map-ioas-unknown", NOENT, ioas_id=NO_ID),
    bad_map("map-ioas-max", NOENT, ioas_id=0xFFFFFFFF),
    case(
        "map-ioas-is-device",
        "IOAS_MAP",
        NOENT,
        lambda w: {"flags": RW, "ioas_id": w.device.id, "user_va": w.va, "length": PAGE},
    ),
    case(
        "map-ioas-is-page-table",
        "IOAS_MAP",
        NOENT,
        lambda w: {"flags": RW, "ioas_id": w.hwpt, "user_va": w.va, "length": PAGE},
    ),
    case(
        "map-va-not-aligned",
        "IOAS_MAP",
        INVALID,
        lambda w: {"flags": RW, "ioas_id": w.ioas, "user_va": w.va + 100, "length": PAGE},
    ),
    case(
        "map-va-and-iova-not-aligned",
        "IOAS_MAP",
        INVALID,
        lambda w: {
            "flags": FIXED,
            "ioas_id": w.ioas,
            "user_va": w.va + 100,
            "length": PAGE,
            "iova": FREE + 100,
        },
    ),
    bad_unmap("unmap-first-half", NOENT, MAPPED, PAGE),
    bad_unmap("unmap-last-half", NOENT, MAPPED + PAGE, PAGE),
    bad_unmap("unmap-up-to-the-middle", NOENT, MAPPED - PAGE, 2 * PAGE),
    bad_unmap("unmap-not-aligned", NOENT, MAPPED + 1, 2 * PAGE),
    bad_unmap("unmap-nothing-there", NOENT, FREE, PAGE),
    bad_unmap("unmap-beyond-aperture", NOENT, 1 << 60, PAGE),
    bad_unmap("unmap-nothing", INVALID, MAPPED, 0),
    bad_unmap("unmap-overflow", OVERFLOW, LAST_PAGE, 2 * PAGE),
    bad_unmap("unmap-length-max-not-from-0", OVERFLOW, MAPPED, U64_MAX),
    case(
        "unmap-size",
        "IOAS_UNMAP",
        INVALID,
        lambda w: {"size": 23, "ioas_id": w.ioas, "iova": MAPPED, "length": 2 * PAGE},
    ),
    case(
        "unmap-ioas-unknown",
        "IOAS_UNMAP",
        NOENT,
        lambda _: {"ioas_id": NO_ID, "iova": MAPPED, "length": 2 * PAGE},
    ),
    case(
        "unmap-ioas-is-device",
        "IOAS_UNMAP",
        NOENT,
        lambda w: {"ioas_id": w.device.id, "iova": MAPPED, "length": 2 * PAGE},
    ),
    case("ranges-size", "IOAS_IOVA_RANGES", INVALID, lambda w: {"size": 31, "ioas_id": w.ioas}),
    case(
        "ranges-reserved",
        "IOAS_IOVA_RANGES",
        UNSUPPORTED,
        lambda w: {"ioas_id": w.ioas, "__reserved": 1},
    ),
    case("ranges-null", "IOAS_IOVA_RANGES", FAULT, lambda w: {"ioas_id": w.ioas, "num_iovas": 8}),
    case(
        "ranges-kernel-memory",
        "IOAS_IOVA_RANGES",
        FAULT,
        lambda w: {"ioas_id": w.ioas, "num_iovas": 8, "allowed_iovas": KERNEL_MAP},
    ),
    case("ranges-ioas-unknown", "IOAS_IOVA_RANGES", NOENT, lambda _: {"ioas_id": NO_ID}),
    case("ranges-ioas-is-page-table", "IOAS_IOVA_RANGES", NOENT, lambda w: {"ioas_id": w.hwpt}),
    case("alloc-size", "IOAS_ALLOC", INVALID, lambda _: {"size": 11}),
    case("alloc-flags", "IOAS_ALLOC", UNSUPPORTED, lambda _: {"flags": 1}),
    case("alloc-flags-max", "IOAS_ALLOC", UNSUPPORTED, lambda _: {"flags": 1 << 31}),
    case("destroy-size", "DESTROY", INVALID, lambda w: {"size": 7, "id": w.ioas}),
    case("destroy-0", "DESTROY", NOENT, lambda _: {"id": 0}),
    case("destroy-unknown", "DESTROY", NOENT, lambda _: {"id": NO_ID}),
    case("destroy-ioas-in-use", "DESTROY", errno.EBUSY, lambda w: {"id": w.ioas}),
    case("destroy-page-table-in-use", "DESTROY", errno.EBUSY, lambda w: {"id": w.hwpt}),
    case("destroy-device", "DESTROY", errno.EBUSY, lambda w: {"id": w.device.id}),
]


@pytest.mark.parametrize(("command", "error", "fields"), CASES)
def test_command(world: World, command: str, error: int, fields: Fields) -> None:
    with fails(error):
        world.context.command(command, uapi.ARGUMENT[command](**fields(world)))


def long_argument(kind: type[ctypes.Structure], tail: bytes, **fields: int) -> ctypes.Array:
    """A structure with trailing bytes, as from a newer program."""
    head = kind(size=ctypes.sizeof(kind) + len(tail), **fields)
    return ctypes.create_string_buffer(bytes(head) + tail, ctypes.sizeof(kind) + len(tail))


VALID = {
    "DESTROY": (Destroy, lambda _: {"id": NO_ID}, errno.ENOENT),
    "IOAS_MAP": (
        IoasMap,
        lambda w: {"ioas_id": NO_ID, "flags": RW, "user_va": w.va, "length": PAGE},
        errno.ENOENT,
    ),
    "IOAS_UNMAP": (
        IoasUnmap,
        lambda w: {"ioas_id": w.ioas, "iova": FREE, "length": PAGE},
        errno.ENOENT,
    ),
    "IOAS_IOVA_RANGES": (IoasIovaRanges, lambda w: {"ioas_id": w.ioas}, errno.EMSGSIZE),
}


@pytest.mark.parametrize("command", VALID)
@pytest.mark.parametrize(
    "tail",
    [bytes(8), bytes(4096), bytes(40000), b"\1", bytes(7) + b"\1", bytes(39999) + b"\1"],
    ids=["zeros", "page-of-zeros", "many-zeros", "one", "last-byte", "last-of-many"],
)
def test_trailing_bytes(world: World, command: str, tail: bytes) -> None:
    """Trailing zeros are accepted, anything else is E2BIG."""
    kind, fields, error = VALID[command]
    with fails(errno.E2BIG if any(tail) else error):
        ioctl(world.context.fd, NUMBER[command], long_argument(kind, tail, **fields(world)))


def test_trailing_bytes_not_there(world: World) -> None:
    """A size that extends into unreadable memory."""
    with mem.anonymous(2 * PAGE) as area:
        mem.protect(area, mem.PROT_NONE, PAGE)
        head = Destroy(size=ctypes.sizeof(Destroy) + 64, id=NO_ID)
        area.write(bytes(head), PAGE - ctypes.sizeof(Destroy))
        with fails(errno.EFAULT):
            address = area.address + PAGE - ctypes.sizeof(Destroy)
            ioctl(world.context.fd, NUMBER["DESTROY"], address)


@pytest.mark.parametrize("command", uapi.COMMANDS)
@pytest.mark.parametrize("size", [0, 4])
def test_sizes_too_small(world: World, command: str, size: int) -> None:
    """For every command, known to this kernel or not yet."""
    with fails(errno.EINVAL):
        world.context.command(command, uapi.ARGUMENT[command](size=size))


@pytest.mark.parametrize(
    "request_number",
    [
        io(";", 0x7F),
        io(";", 0x96),
        io(";", 0x9F),
        io(";", 0xFF),
        io("<", 0x80),
        io(";", 0x3B),
        io(";", 0x80) | 8 << 16,
        io(";", 0x80) | 1 << 30,
        io(";", 0x81) | 12 << 16 | 3 << 30,
    ],
    ids=hex,
)
def test_no_such_command(world: World, request_number: int) -> None:
    """The whole number counts, including size and direction."""
    with fails(errno.ENOTTY):
        ioctl(world.context.fd, request_number, Destroy(id=world.ioas))


@pytest.mark.parametrize(
    "address", [0, 8, KERNEL_MAP, KERNEL_TEXT, NOT_CANONICAL, U64_MAX], ids=hex
)
@pytest.mark.parametrize("command", ["DESTROY", "IOAS_ALLOC", "IOAS_MAP", "IOAS_UNMAP"])
def test_argument_not_readable(world: World, command: str, address: int) -> None:
    with fails(errno.EFAULT):
        ioctl(world.context.fd, NUMBER[command], address)


def test_answer_not_writable(world: World) -> None:
    """If the id cannot be copied to user space, no IOAS is created."""
    with mem.anonymous(PAGE) as area:
        area.write(bytes(IoasAlloc()))
        mem.protect(area, mmap.PROT_READ)
        with fails(errno.EFAULT):
            ioctl(world.context.fd, NUMBER["IOAS_ALLOC"], area.address)


def test_unmap_twice(world: World) -> None:
    iova = world.context.map(world.ioas, world.buffer)
    assert world.context.unmap(world.ioas, iova, world.buffer.size) == world.buffer.size
    with fails(errno.ENOENT):
        world.context.unmap(world.ioas, iova, world.buffer.size)


@pytest.mark.parametrize(
    ("protection", "prot"),
    [(mmap.PROT_READ, RW), (mmap.PROT_READ, uapi.MAP_WRITEABLE), (0, uapi.MAP_READABLE), (0, RW)],
)
def test_memory_that_may_not(world: World, protection: int, prot: int) -> None:
    """A device gets no more rights to memory than the process has."""
    with mem.anonymous(4 * PAGE) as buffer:
        buffer.fill(1)
        mem.protect(buffer, protection)
        with fails(errno.EFAULT):
            world.context.map(world.ioas, buffer, prot=prot)


def test_memory_with_a_hole(world: World) -> None:
    """Good pages before a bad one are unpinned again."""
    with mem.anonymous(300 * PAGE) as buffer:
        mem.protect(buffer, mem.PROT_NONE, 299 * PAGE)
        with fails(errno.EFAULT):
            world.context.map(world.ioas, buffer)


def test_device_memory(world: World) -> None:
    """A BAR is not memory that can be pinned."""
    bar = world.device.map_bar(0)
    anchor = ctypes.c_char.from_buffer(bar)
    address = ctypes.addressof(anchor)
    del anchor
    with fails(errno.EFAULT):
        world.context.map(world.ioas, address, PAGE)


@pytest.mark.parametrize("call", [os.read, os.write], ids=["read", "write"])
def test_not_a_file_of_bytes(world: World, call: Callable) -> None:
    with fails(errno.EINVAL):
        call(world.context.fd, 1 if call is os.read else b"x")


class TestDevice:
    """VFIO's ioctls that end up in iommufd."""

    @pytest.mark.parametrize("fd", ["none", "pipe", "device"])
    def test_bind_to_no_context(self, world: World, fd: str) -> None:
        ours, theirs = os.pipe()
        with vfio.Device(addresses()[1]) as device:
            number = {"none": -1, "pipe": ours, "device": device.fd}[fd]
            with fails(errno.EINVAL if number < 0 else errno.EBADFD):
                argument = vfio.BindIommufd(iommufd=number)
                ioctl(device.fd, vfio.DEVICE_BIND_IOMMUFD, argument)
        os.close(ours)
        os.close(theirs)

    @pytest.mark.parametrize("fields", [{"flags": 2}, {"argsz": 4}, {"argsz": 11}], ids=str)
    def test_bad_bind(self, world: World, fields: dict) -> None:
        with vfio.Device(addresses()[1]) as device:
            with fails(errno.EINVAL):
                argument = vfio.BindIommufd(iommufd=world.context.fd, **fields)
                ioctl(device.fd, vfio.DEVICE_BIND_IOMMUFD, argument)

    @pytest.mark.parametrize(
        ("pt_id", "error"), [(0, NOENT), (NO_ID, NOENT), (0xFFFFFFFF, NOENT), ("itself", INVALID)]
    )
    def test_attach_to_nothing(self, world: World, pt_id: int | str, error: int) -> None:
        with Edu(world.context, index=1) as device:
            with fails(error):
                device.attach(device.id if isinstance(pt_id, str) else pt_id)

    @pytest.mark.parametrize("fields", [{"flags": 2}, {"argsz": 4}, {"argsz": 11}], ids=str)
    def test_bad_attach(self, world: World, fields: dict) -> None:
        with Edu(world.context, index=1) as device:
            with fails(errno.EINVAL):
                argument = vfio.AttachPt(pt_id=world.ioas, **fields)
                ioctl(device.fd, vfio.DEVICE_ATTACH_IOMMUFD_PT, argument)

    def test_not_bound(self, world: World) -> None:
        with vfio.Device(addresses()[1]) as device:
            with fails(errno.EINVAL):
                device.attach(world.ioas)
            with fails(errno.EINVAL):
                device.detach()
