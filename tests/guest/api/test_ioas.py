# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOVA spaces: what may be mapped where, and the state that maps and unmaps leave."""

import ctypes
import errno
import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from errnos import fails
from ioas_model import Model
from iommufd import mem
from iommufd.ctx import NO_ID, Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import pinned_pages
from iommufd.platform import IOVA_BITS, IOVA_BITS_OF, MSI, msi_window
from iommufd.uapi import U64_MAX, IoasIovaRanges, IovaRange

FULL = [(0, U64_MAX)]
ALL_IOMMUS = pytest.mark.guest(iommu=["intel", "intel-s1", "virtio"])
KINDS = [mem.anonymous, mem.shared, mem.memfd, mem.transparent_huge, mem.hugetlb]


def last_of(iommu: str) -> int:
    """The last address that a page table translates."""
    return (1 << IOVA_BITS_OF.get(iommu, IOVA_BITS)) - 1


@pytest.fixture
def attached(context: Context, ioas: int) -> Iterator[Edu]:
    with Edu(context, ioas) as device:
        yield device


def test_alloc(context: Context) -> None:
    ids = [context.ioas_alloc() for _ in range(100)]
    assert len(set(ids)) == 100
    assert 0 not in ids


def test_ranges_of_an_empty_ioas(context: Context, ioas: int) -> None:
    assert context.iova_ranges(ioas) == FULL
    assert context.iova_alignment(ioas) == 1


@ALL_IOMMUS
def test_ranges_with_a_device(context: Context, ioas: int, iommu: str) -> None:
    """The aperture without the interrupt window; all addresses again after the detach."""
    with Edu(context, ioas) as device:
        ranges = context.iova_ranges(ioas)
        first, last = msi_window(iommu)
        assert ranges == [(0, first - 1), (last + 1, last_of(iommu))]
        assert context.iova_alignment(ioas) == PAGE
        device.detach()
        assert context.iova_ranges(ioas) == FULL
        assert context.iova_alignment(ioas) == 1


def test_ranges_of_two_devices(context: Context, ioas: int) -> None:
    """The ranges stay narrow until the last device is detached."""
    with Edu(context, ioas, 0):
        narrow = context.iova_ranges(ioas)
        with Edu(context, ioas, 1):
            assert context.iova_ranges(ioas) == narrow
        assert context.iova_ranges(ioas) == narrow
    assert context.iova_ranges(ioas) == FULL


@pytest.mark.parametrize("room", [0, 1])
def test_ranges_need_more_room(context: Context, ioas: int, attached: Edu, room: int) -> None:
    """EMSGSIZE reports how many there are; only those that fit are filled in."""
    array = (IovaRange * 3)()
    mark = 0x1122334455667788
    for each in array:
        each.start = each.last = mark
    argument = IoasIovaRanges(ioas_id=ioas, num_iovas=room, allowed_iovas=ctypes.addressof(array))
    with fails(errno.EMSGSIZE):
        context.command("IOAS_IOVA_RANGES", argument)
    assert argument.num_iovas == 2
    assert argument.out_iova_alignment == PAGE
    filled = [(each.start, each.last) for each in array]
    assert filled == context.iova_ranges(ioas)[:room] + [(mark, mark)] * (3 - room)


def test_ranges_with_room_to_spare(context: Context, ioas: int, attached: Edu) -> None:
    array = (IovaRange * 5)()
    argument = IoasIovaRanges(ioas_id=ioas, num_iovas=5, allowed_iovas=ctypes.addressof(array))
    context.command("IOAS_IOVA_RANGES", argument)
    assert argument.num_iovas == 2
    assert (array[2].start, array[2].last) == (0, 0)


@ALL_IOMMUS
def test_map_at_the_edges(context: Context, ioas: int, attached: Edu, iommu: str) -> None:
    last = last_of(iommu)
    msi = msi_window(iommu)
    with mem.anonymous(4 * PAGE) as buffer:
        good = [(0, 1), (msi[0] - PAGE, 1), (msi[1] + 1, 2), (last + 1 - 2 * PAGE, 2)]
        bad = [
            (msi[0], 1),
            (msi[1] + 1 - PAGE, 1),
            (msi[0] - 2 * PAGE, 3),
            (msi[1] + 1 - PAGE, 2),
            (last + 1, 1),
            (last + 1 - PAGE, 2),
        ]
        for iova, pages in bad:
            with fails(errno.EINVAL):
                context.map(ioas, buffer, length=pages * PAGE, iova=iova)
        for iova, pages in good:
            assert context.map(ioas, buffer, length=pages * PAGE, iova=iova) == iova
        assert context.unmap_all(ioas) == 6 * PAGE


@pytest.mark.parametrize(
    ("iova", "length"),
    [(MSI[0], PAGE), (1 << IOVA_BITS, PAGE), (0x100000, 100), (0x100080, PAGE)],
    ids=["interrupts", "aperture", "length", "alignment"],
)
def test_device_refuses_what_is_mapped(context: Context, ioas: int, iova: int, length: int) -> None:
    """Without a device all addresses are allowed; a device with a conflict is not attached."""
    with Edu(context) as device, mem.anonymous(2 * PAGE) as buffer:
        context.map(ioas, buffer, length=length, iova=iova)
        with fails(errno.EADDRINUSE):
            device.attach(ioas)
        assert pinned_pages() == 0
        assert context.iova_ranges(ioas) == FULL
        assert context.unmap(ioas, iova, length) == length
        device.attach(ioas)


def test_device_refused_for_bad_memory(context: Context, ioas: int) -> None:
    """Attach finds the bad address; the good part does not stay pinned."""
    with Edu(context) as device, mem.anonymous(64 * PAGE) as buffer:
        context.map(ioas, buffer, iova=HUGE)
        context.map(ioas, 0x1000, PAGE, iova=2 * HUGE)
        with fails(errno.EFAULT):
            device.attach(ioas)
        assert pinned_pages() == 0
        context.unmap(ioas, 2 * HUGE, PAGE)
        device.attach(ioas)
        assert pinned_pages() == 64


@pytest.mark.parametrize("attach", [False, True])
def test_chosen_iova(context: Context, ioas: int, attach: bool) -> None:
    """Each apart from all others, in an allowed range, and never 0."""
    with ExitStack() as stack:
        if attach:
            stack.enter_context(Edu(context, ioas))
        buffer = stack.enter_context(mem.anonymous(64 * PAGE))
        taken: list[tuple[int, int]] = []
        for i in range(200):
            length = (i % 17 + 1) * PAGE
            iova = context.map(ioas, buffer, length=length)
            assert iova
            assert iova % PAGE == 0
            taken.append((iova, iova + length - 1))
        for first, last in taken:
            assert any(a <= first and last <= b for a, b in context.iova_ranges(ioas))
        taken.sort()
        assert all(a[1] < b[0] for a, b in itertools.pairwise(taken))


def test_chosen_iova_suits_huge_pages(context: Context, ioas: int, attached: Edu) -> None:
    with mem.hugetlb(2 * HUGE) as buffer:
        context.map(ioas, buffer.address, PAGE)
        assert context.map(ioas, buffer) % HUGE == 0


def test_chosen_iova_after_hole(context: Context, ioas: int) -> None:
    """A freed range is found again when there is no other."""
    with mem.anonymous(PAGE) as buffer:
        half = 1 << 63
        context.map(ioas, 0, half - PAGE, iova=PAGE)
        context.map(ioas, 0, half - PAGE, iova=half)
        context.map(ioas, 0, PAGE - 1, iova=U64_MAX - PAGE + 1)
        context.map(ioas, buffer, iova=0)
        with fails(errno.ENOSPC):
            context.map(ioas, buffer)
        context.unmap(ioas, half, half - PAGE)
        assert half <= context.map(ioas, buffer) < U64_MAX - PAGE


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_pins(context: Context, ioas: int, attached: Edu, kind) -> None:
    """Each page is pinned once per mapping, whatever its kind; an unmap unpins it."""
    with kind(2 * HUGE) as buffer:
        if kind is mem.transparent_huge:
            assert mem.smaps_kib(buffer, "AnonHugePages") >= 2 * HUGE >> 10
        pages = 2 * HUGE // PAGE
        iova = context.map(ioas, buffer)
        assert pinned_pages() == pages
        context.map(ioas, buffer, length=3 * PAGE)
        assert pinned_pages() == pages + 3
        assert context.unmap(ioas, iova, 2 * HUGE) == 2 * HUGE
        assert pinned_pages() == 3
        assert context.unmap_all(ioas) == 3 * PAGE
        assert pinned_pages() == 0


def test_pins_follow_devices(context: Context, ioas: int) -> None:
    """Pinned while a device can reach them, once for all devices."""
    with mem.anonymous(10 * PAGE) as buffer:
        context.map(ioas, buffer)
        assert pinned_pages() == 0
        with Edu(context, ioas, 0) as first, Edu(context, ioas, 1) as second:
            assert pinned_pages() == 10
            first.detach()
            assert pinned_pages() == 10
            second.detach()
            assert pinned_pages() == 0
            first.attach(ioas)
            assert pinned_pages() == 10
        assert pinned_pages() == 0
        assert context.unmap_all(ioas) == 10 * PAGE


def test_much_memory(context: Context, ioas: int, attached: Edu) -> None:
    """More pages than any batch of the kernel can hold."""
    size = 96 << 20
    with mem.anonymous(size) as buffer:
        buffer.write(b"x")
        iova = context.map(ioas, buffer)
        assert pinned_pages() == size // PAGE
        attached.dma_read(iova + size - PAGE)
        assert context.unmap(ioas, iova, size) == size
        assert pinned_pages() == 0


def test_unmap_ranges(context: Context, ioas: int, attached: Edu) -> None:
    """Any range that splits no mapping; returns the number of bytes mapped in it."""
    with mem.anonymous(8 * PAGE) as buffer:
        for start in (0x10000, 0x20000, 0x28000, 0x40000):
            context.map(ioas, buffer, iova=start)
        for iova, length in (
            (0x10000, PAGE),
            (0x11000, 7 * PAGE),
            (0x0, 0x11000),
            (0x23000, 0x10000),
            (0x47000, 0x10000),
        ):
            with fails(errno.ENOENT):
                context.unmap(ioas, iova, length)
        assert pinned_pages() == 32
        assert context.unmap(ioas, 0x1F000, 0x20000) == 16 * PAGE
        assert pinned_pages() == 16
        with fails(errno.ENOENT):
            context.unmap(ioas, 0x20000, 8 * PAGE)
        assert context.unmap_all(ioas) == 16 * PAGE
        assert context.unmap_all(ioas) == 0


def test_destroy_unpins(context: Context) -> None:
    with mem.anonymous(4 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        with Edu(context, ioas) as device:
            context.map(ioas, buffer)
            device.detach()
            context.destroy(ioas)
            with fails(errno.ENOENT):
                context.unmap_all(ioas)


@pytest.mark.parametrize("attach", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_against_a_model(context: Context, ioas: int, attach: bool, seed: int, kernel: str) -> None:
    """The results of random maps and unmaps match a small model."""
    with ExitStack() as stack:
        if attach:
            stack.enter_context(Edu(context, ioas))
        buffer = stack.enter_context(mem.anonymous(64 * PAGE))
        model = Model(context, ioas, buffer, seed, "peer" in kernel)
        for _ in range(300):
            model.step()
        if attach:
            assert pinned_pages() == model.mapped() // PAGE
        assert context.unmap_all(ioas) == model.mapped()


@pytest.mark.guest(parallel=True)
def test_maps_at_the_same_time(context: Context, ioas: int, attached: Edu) -> None:
    """Concurrent threads do not see each other's mappings."""
    errors = []

    def work(number: int) -> None:
        base = (number + 1) << 32
        try:
            with mem.anonymous(16 * PAGE) as buffer:
                for i in range(150):
                    context.map(ioas, buffer, iova=base)
                    chosen = context.map(ioas, buffer, length=(i % 16 + 1) * PAGE)
                    assert context.unmap(ioas, base, 16 * PAGE) == 16 * PAGE
                    length = (i % 16 + 1) * PAGE
                    assert context.unmap(ioas, chosen, length) == length
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert context.unmap_all(ioas) == 0


def test_no_such_ioas(context: Context) -> None:
    with fails(errno.ENOENT):
        context.iova_ranges(NO_ID)
