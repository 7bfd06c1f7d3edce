# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""In-kernel access: drivers that access an IOAS's memory with the CPU."""

import errno
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from child_process import Child
from data_pattern import pattern
from errnos import errno_of, fails
from iommufd import mem, mock
from iommufd.ctx import NO_ID, Context
from iommufd.knobs import held, knob
from iommufd.mem import PAGE
from iommufd.mock import Access
from iommufd.pins import pinned_pages, unprivileged
from iommufd.uapi import MAP_READABLE, MAP_WRITEABLE, U64_MAX
from waiting import until, waits_in_ioctl
from worker_threads import Workers

IOVA = mock.START
SLOW = pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])


@pytest.fixture
def access(context: Context, ioas: int) -> Iterator[Access]:
    """An access that pins pages."""
    with Access(context, ioas) as access:
        yield access


@pytest.fixture
def other(context: Context) -> int:
    """A second IOAS."""
    return context.ioas_alloc()


@pytest.fixture(params=[0, 1, 2], ids="{} page tables".format)
def tables(request: pytest.FixtureRequest, context: Context, ioas: int) -> Iterator[int]:
    """Devices on the IOAS in addition to the access."""
    devices = [mock.Device(context, ioas) for _ in range(request.param)]
    yield request.param
    for device in devices:
        device.close()


def test_pin(context: Context, ioas: int, access: Access, buffer: mem.Buffer, tables: int) -> None:
    """Each page is pinned once, however many users it has, until the last one unpins it."""
    before = pinned_pages()
    context.map(ioas, buffer, iova=IOVA)
    mapped = 16 if tables else 0
    assert pinned_pages() - before == mapped
    all_of_it = access.pin(IOVA, buffer)
    assert pinned_pages() - before == 16
    part = access.pin(IOVA + 3 * PAGE, buffer.address + 3 * PAGE, 5 * PAGE)
    assert pinned_pages() - before == 16
    access.unpin(all_of_it)
    assert pinned_pages() - before == (mapped or 5)
    access.unpin(part)
    assert pinned_pages() - before == mapped
    assert errno_of(access.unpin, part) == errno.ENOENT
    context.unmap(ioas, IOVA, buffer.size)
    assert pinned_pages() == before


def test_pin_outlives_page_tables(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer
) -> None:
    """Pages pass from one user to the other and stay pinned all the time."""
    before = pinned_pages()
    context.map(ioas, buffer, iova=IOVA)
    with mock.Device(context, ioas) as device:
        pages = access.pin(IOVA + PAGE, buffer.address + PAGE, 2 * PAGE)
        device.check(IOVA, buffer)
    assert pinned_pages() - before == 2
    with mock.Device(context, ioas) as device:
        assert pinned_pages() - before == 16
        device.check(IOVA, buffer)
        access.unpin(pages)
        assert pinned_pages() - before == 16
        device.check(IOVA, buffer)
    assert pinned_pages() == before


def test_pin_across_areas(context: Context, ioas: int, access: Access, buffer: mem.Buffer) -> None:
    """Two adjacent areas that are contiguous in memory."""
    half = buffer.size // 2
    context.map(ioas, buffer.address, half, iova=IOVA)
    context.map(ioas, buffer.address + half, half, iova=IOVA + half)
    before = pinned_pages()
    pages = access.pin(IOVA + half - PAGE, buffer.address + half - PAGE, 2 * PAGE)
    assert pinned_pages() - before == 2
    access.unpin(pages)
    assert pinned_pages() == before


def test_pin_what_is_not_mapped(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer
) -> None:
    """No page is pinned unless the whole range is mapped."""
    before = pinned_pages()
    assert errno_of(access.pin, IOVA, buffer) == errno.ENOENT
    context.map(ioas, buffer, length=4 * PAGE, iova=IOVA)
    context.map(ioas, buffer.address + 5 * PAGE, 4 * PAGE, iova=IOVA + 5 * PAGE)
    for first, pages in ((3, 2), (0, 9), (4, 1), (4, 2), (8, 2), (9, 1)):
        memory = buffer.address + first * PAGE
        got = errno_of(access.pin, IOVA + first * PAGE, memory, pages * PAGE)
        assert got == errno.ENOENT, (first, pages)
    assert pinned_pages() == before


def test_pin_memory_that_is_gone(context: Context, ioas: int, access: Access) -> None:
    """The memory ends half way through: the pages pinned so far are unpinned."""
    before = pinned_pages()
    with mem.anonymous(8 * PAGE) as buffer:
        context.map(ioas, buffer, iova=IOVA)
        mem.protect(buffer, mem.PROT_NONE, 5 * PAGE)
        assert errno_of(access.pin, IOVA, buffer) == errno.EFAULT
        assert pinned_pages() == before
        access.pin(IOVA, buffer, 5 * PAGE)
        assert pinned_pages() - before == 5


@pytest.mark.parametrize(
    ("iova", "length", "error"),
    [
        (U64_MAX - PAGE + 1, 2 * PAGE, errno.EOVERFLOW),
        (IOVA, 0, errno.EINVAL),
        (IOVA + 100, PAGE, errno.EINVAL),
    ],
)
def test_pin_bad_range(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer, iova, length, error
) -> None:
    context.map(ioas, buffer, iova=IOVA)
    before = pinned_pages()
    assert errno_of(access.pin, iova, buffer.address + iova % PAGE, length) == error
    assert pinned_pages() == before


def test_pins_are_charged(context: Context, ioas: int, access: Access, buffer: mem.Buffer) -> None:
    """Pages are charged to the user who mapped them, when they are pinned, and once."""
    second = (IOVA + 4 * PAGE, buffer.address + 4 * PAGE)
    with unprivileged(4 * PAGE):
        context.map(ioas, buffer, iova=IOVA)
        assert errno_of(access.pin, IOVA, buffer, 5 * PAGE) == errno.ENOMEM
        pages = [access.pin(IOVA, buffer, 4 * PAGE) for _ in range(2)]
        assert errno_of(access.pin, *second, PAGE) == errno.ENOMEM
        for each in pages:
            access.unpin(each)
        access.unpin(access.pin(*second, 4 * PAGE))


def test_alignment(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Only whole pages can be pinned: an access for pinning requires that alignment."""
    context.map(ioas, buffer.address, 100, iova=IOVA)
    assert errno_of(Access, context, ioas) == errno.EADDRINUSE
    with Access(context, ioas, pins=False):
        assert context.iova_alignment(ioas) == 1
    context.unmap(ioas, IOVA, 100)
    with Access(context, ioas):
        assert context.iova_alignment(ioas) == PAGE
        assert errno_of(context.map, ioas, buffer, length=100) == errno.EINVAL
    assert context.iova_alignment(ioas) == 1


def test_unmap_takes_pins_away(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer, tables: int
) -> None:
    """The driver is called, and unpins what it has in that range and nothing else."""
    before = pinned_pages()
    half = buffer.size // 2
    context.map(ioas, buffer.address, half, iova=IOVA)
    context.map(ioas, buffer.address + half, half, iova=IOVA + half)
    first = access.pin(IOVA + PAGE, buffer.address + PAGE, PAGE)
    second = access.pin(IOVA + half, buffer.address + half, PAGE)
    with Access(context, ioas) as neighbour:
        third = neighbour.pin(IOVA, buffer.address, half)
        assert context.unmap(ioas, IOVA, half) == half
        assert errno_of(neighbour.unpin, third) == errno.ENOENT
    assert errno_of(access.unpin, first) == errno.ENOENT
    assert pinned_pages() - before == (8 if tables else 1)
    access.unpin(second)
    assert context.unmap_all(ioas) == half
    assert pinned_pages() == before


def test_pins_go_with_the_access(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    context.map(ioas, buffer, iova=IOVA)
    before = pinned_pages()
    with Access(context, ioas) as access:
        access.pin(IOVA, buffer)
        access.pin(IOVA, buffer)
    assert pinned_pages() == before


def test_destroy_with_an_access(context: Context, ioas: int, other: int) -> None:
    with Access(context, ioas):
        assert errno_of(context.destroy, ioas) == errno.EBUSY
    context.destroy(ioas)
    assert errno_of(Access, context, ioas) == errno.ENOENT
    assert errno_of(Access, context, NO_ID) == errno.ENOENT


def test_replace(
    context: Context, ioas: int, other: int, access: Access, buffer: mem.Buffer
) -> None:
    """Pins of the old IOAS are dropped; later accesses reach the memory of the new one."""
    before = pinned_pages()
    context.map(ioas, buffer.address, PAGE, iova=IOVA)
    context.map(other, buffer.address + PAGE, PAGE, iova=IOVA)
    pages = access.pin(IOVA, buffer.address, PAGE)
    access.replace(other)
    assert errno_of(access.unpin, pages) == errno.ENOENT
    assert pinned_pages() == before
    context.destroy(ioas)
    assert errno_of(context.destroy, other) == errno.EBUSY
    assert access.read(IOVA, PAGE) == buffer.read(PAGE, PAGE)
    access.unpin(access.pin(IOVA, buffer.address + PAGE, PAGE))
    assert context.iova_alignment(other) == PAGE


def test_replace_by_the_same(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer
) -> None:
    """Nothing changes: the pins stay."""
    context.map(ioas, buffer, iova=IOVA)
    pages = access.pin(IOVA, buffer)
    access.replace(ioas)
    access.unpin(pages)


def test_replace_that_fails(
    context: Context, ioas: int, other: int, access: Access, buffer: mem.Buffer
) -> None:
    """The access stays on its IOAS, with its pins."""
    context.map(ioas, buffer, iova=IOVA)
    context.map(other, buffer.address, 100, iova=IOVA)
    pages = access.pin(IOVA, buffer)
    assert errno_of(access.replace, NO_ID) == errno.ENOENT
    assert errno_of(access.replace, other) == errno.EADDRINUSE
    access.unpin(pages)
    assert access.read(IOVA, 16) == buffer.read(0, 16)
    assert errno_of(context.destroy, ioas) == errno.EBUSY
    context.destroy(other)


@SLOW
@pytest.mark.parametrize("pins", [False, True])
def test_read_and_write(
    context: Context, ioas: int, buffer: mem.Buffer, tables: int, slow: bool, pins: bool
) -> None:
    """At any address and of any length, across pages and areas; nothing stays pinned."""
    before = pinned_pages()
    half = buffer.size // 2
    # Adjacent in the IOAS, but in reverse order in memory.
    context.map(ioas, buffer.address + half, half, iova=IOVA)
    context.map(ioas, buffer.address, half, iova=IOVA + half)
    mapped = pinned_pages()
    content = bytearray(buffer.read(half) + buffer.read(0, half))
    with Access(context, ioas, pins=pins) as access:
        for start, length in (
            (0, buffer.size),
            (0, 1),
            (PAGE - 1, 2),
            (half - 3, 7),
            (half - PAGE - 5, 2 * PAGE + 10),
            (3 * PAGE + 17, 4 * PAGE + 1),
            (buffer.size - 1, 1),
        ):
            assert access.read(IOVA + start, length, slow) == content[start : start + length]
            content[start : start + length] = pattern(f"{start}", length)
            access.write(IOVA + start, bytes(content[start : start + length]), slow)
            assert buffer.read(half) + buffer.read(0, half) == content
        assert pinned_pages() == mapped
    context.unmap_all(ioas)
    assert pinned_pages() == before


@SLOW
def test_unaligned_mapping(context: Context, ioas: int, buffer: mem.Buffer, slow: bool) -> None:
    """IOVA and memory address have different offsets in their pages."""
    with Access(context, ioas, pins=False) as access:
        context.map(ioas, buffer.address + 123, 3 * PAGE + 50, iova=IOVA + 7)
        for start, length in ((0, 3 * PAGE + 50), (PAGE - 130, 40), (3 * PAGE + 49, 1)):
            assert access.read(IOVA + 7 + start, length, slow) == buffer.read(123 + start, length)
            access.write(IOVA + 7 + start, pattern("unaligned", length), slow)
            assert buffer.read(123 + start, length) == pattern("unaligned", length)
        assert errno_of(access.read, IOVA + 6, 2) == errno.ENOENT
        assert errno_of(access.read, IOVA + 7 + 3 * PAGE + 49, 2) == errno.ENOENT


@SLOW
def test_read_and_write_what_is_not_mapped(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer, slow: bool
) -> None:
    assert errno_of(access.read, IOVA, 1, slow) == errno.ENOENT
    context.map(ioas, buffer, length=2 * PAGE, iova=IOVA)
    context.map(ioas, buffer.address + 3 * PAGE, PAGE, iova=IOVA + 3 * PAGE)
    content = buffer.read()
    for start, length in ((-1, 2), (2 * PAGE - 1, 2), (PAGE, 3 * PAGE), (2 * PAGE, 1)):
        assert errno_of(access.read, IOVA + start, length, slow) == errno.ENOENT
    assert errno_of(access.write, IOVA + 2 * PAGE, b"x", slow) == errno.ENOENT
    assert buffer.read() == content


@SLOW
def test_read_only(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer, tables: int, slow: bool
) -> None:
    """A mapping that is not writable cannot be written."""
    context.map(ioas, buffer, iova=IOVA, prot=MAP_READABLE)
    content = buffer.read()
    assert access.read(IOVA, buffer.size, slow) == content
    assert errno_of(access.write, IOVA, b"x", slow) == errno.EPERM
    assert errno_of(access.pin, IOVA, buffer, write=True) == errno.EPERM
    access.unpin(access.pin(IOVA, buffer))
    assert buffer.read() == content


@SLOW
def test_write_only(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer, slow: bool
) -> None:
    """Write access implies read access, as in the page tables of most machines."""
    context.map(ioas, buffer, iova=IOVA, prot=MAP_WRITEABLE)
    access.write(IOVA, b"written", slow)
    assert buffer.read(0, 7) == b"written"
    access.unpin(access.pin(IOVA, buffer, write=True))


@SLOW
def test_memory_of_a_process_that_is_gone(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer, slow: bool
) -> None:
    """The memory of a process is accessible only while it lives, unless it was pinned before."""
    with Child(lambda _: context.map(ioas, buffer, iova=IOVA)):
        pass
    assert errno_of(access.read, IOVA, 16, slow) == errno.EFAULT
    assert errno_of(access.pin, IOVA, buffer) == errno.EFAULT
    with fails(errno.EFAULT), mock.Device(context, ioas):
        pass


@SLOW
def test_memory_of_another_process(
    context: Context, ioas: int, access: Access, buffer: mem.Buffer, slow: bool
) -> None:
    """Reads return the memory of the process that made the mapping."""
    before = buffer.read()

    def body(child: Child) -> None:
        buffer.fill(0x22)
        context.map(ioas, buffer, iova=IOVA)
        child.pause()
        assert buffer.read(0, 2) == b"!\x22"

    with Child(body) as child:
        child.met()
        assert access.read(IOVA + PAGE - 2, PAGE, slow) == b"\x22" * PAGE
        access.write(IOVA, b"!", slow)
        assert buffer.read() == before


@pytest.mark.guest(kernels="ours")
def test_recorded_late(context: Context, ioas: int, access: Access, buffer: mem.Buffer) -> None:
    """A driver that records a pin after an unmap has called it is called again."""
    before = pinned_pages()
    context.map(ioas, buffer, iova=IOVA)
    thread = 0

    def unmap(_: object) -> None:
        nonlocal thread
        thread = threading.get_native_id()
        context.unmap(ioas, IOVA, buffer.size)

    with ExitStack() as threads:
        with knob("hold_pins"):
            threads.enter_context(Workers(lambda _: access.pin(IOVA, buffer)))
            until(lambda: held("pins"))
            threads.enter_context(Workers(unmap))
            until(lambda: thread and waits_in_ioctl(thread))
    assert pinned_pages() == before
