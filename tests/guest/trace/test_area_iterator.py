# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The BPF iterator over areas: it finds each of them near an address, at any time."""

import os
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import pytest
from area_listing import (
    DMABUF,
    IN_MAP,
    IN_UNMAP,
    MEMFD,
    READ,
    REVOKED,
    VA,
    WRITE,
    Area,
    AreaListing,
    area_listing,
)
from bpfobject import NotLoaded, loaded
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.openfile import OpenFile
from iommufd.uapi import MAP_READABLE, MAP_WRITEABLE
from object_listing import listing
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="bpf")

START = mock.START
LAST_PAGE = (1 << 64) - PAGE


@pytest.fixture
def lister() -> Iterator[AreaListing]:
    with area_listing() as lister:
        yield lister


@pytest.fixture
def number(context: Context) -> int:
    """The number of the context, which is the only one."""
    assert context.fd >= 0
    with listing() as objects:
        (number,) = objects.contexts()
    return number


def iovas(areas: list[Area]) -> list[int]:
    return [area.iova for area in areas]


def test_nothing(lister: AreaListing, number: int, ioas: int) -> None:
    """An empty IOAS, ids that are no IOAS, and contexts that do not exist."""
    for ctx, each in ((number, ioas), (number, 0), (number, ioas + 1), (number + 1, ioas), (0, 0)):
        assert lister.areas(ctx, each) == []
        assert lister.areas(ctx, each, LAST_PAGE) == []


def test_near(
    lister: AreaListing, context: Context, number: int, ioas: int, buffer: mem.Buffer
) -> None:
    """The area at the address, else the one below, else the one above; then those above it."""
    first, second, third = starts = [START + 4 * PAGE, START + 8 * PAGE, START + 9 * PAGE]
    for iova in starts:
        context.map(ioas, buffer, PAGE, iova=iova)
    near = partial(lister.areas, number, ioas)
    for iova, found in (
        (0, starts),
        (first - 1, starts),
        (first, starts),
        (first + PAGE - 1, starts),
        (first + PAGE, starts),
        (second - 1, starts),
        (second, [second, third]),
        (third - 1, [second, third]),
        (third, [third]),
        (LAST_PAGE, [third]),
    ):
        assert iovas(near(iova)) == found
        assert iovas(near(iova, 2)) == found[:2]


def test_last_address(
    lister: AreaListing, context: Context, number: int, ioas: int, buffer: mem.Buffer
) -> None:
    """The iteration ends at the last address, and does not begin again."""
    context.map(ioas, buffer, PAGE, iova=0)
    context.map(ioas, buffer, PAGE, iova=LAST_PAGE)
    for iova, found in ((0, [0, LAST_PAGE]), (PAGE, [0, LAST_PAGE]), (LAST_PAGE, [LAST_PAGE])):
        assert iovas(lister.areas(number, ioas, iova)) == found


def test_fields(
    lister: AreaListing, context: Context, number: int, ioas: int, buffer: mem.Buffer
) -> None:
    """Rights, source and address. Nothing is pinned without a device."""
    with OpenFile(os.memfd_create("dma")) as shared:
        os.ftruncate(shared.fd, 4 * PAGE)
        context.map(ioas, buffer, 3 * PAGE, iova=START)
        context.map(ioas, buffer, PAGE, iova=START + 4 * PAGE, prot=MAP_READABLE)
        context.map(ioas, buffer, PAGE, iova=START + 6 * PAGE, prot=MAP_WRITEABLE)
        context.map_file(ioas, shared.fd, PAGE, 2 * PAGE, iova=START + 8 * PAGE)
        context.copy(ioas, ioas, START + PAGE, PAGE, iova=START + 12 * PAGE)
        both = READ | WRITE
        expected = [
            (START, 3 * PAGE, VA, both, buffer.address),
            (START + 4 * PAGE, PAGE, VA, READ, buffer.address),
            (START + 6 * PAGE, PAGE, VA, WRITE, buffer.address),
            (START + 8 * PAGE, 2 * PAGE, MEMFD, both, PAGE),
            (START + 12 * PAGE, PAGE, VA, both, buffer.address + PAGE),
        ]
        assert lister.areas(number, ioas) == [Area(number, ioas, *x, 0, 0) for x in expected]
        context.unmap_all(ioas)


def test_pinned_for_a_device(
    lister: AreaListing, context: Context, number: int, ioas: int, buffer: mem.Buffer
) -> None:
    """While a page table of the hardware maps it."""
    context.map(ioas, buffer, 3 * PAGE, iova=START)
    with Edu(context, ioas):
        assert [area.pinned for area in lister.areas(number, ioas)] == [3]
    assert [area.pinned for area in lister.areas(number, ioas)] == [0]
    context.unmap_all(ioas)


@pytest.mark.guest(mock=True)
def test_pinned(
    lister: AreaListing, context: Context, number: int, ioas: int, buffer: mem.Buffer
) -> None:
    """While a page table maps it; and the pins of a driver."""
    context.map(ioas, buffer, 3 * PAGE, iova=START)
    with mock.Device(context, ioas):
        (area,) = lister.areas(number, ioas)
        assert (area.pinned, area.pins) == (3, 0)
    (area,) = lister.areas(number, ioas)
    assert area.pinned == 0
    with mock.Access(context, ioas) as access:
        pin = access.pin(START + PAGE, buffer.address + PAGE, PAGE)
        (area,) = lister.areas(number, ioas)
        assert (area.pinned, area.pins) == (0, 1)
        access.unpin(pin)
    (area,) = lister.areas(number, ioas)
    assert area.pins == 0


@pytest.mark.guest(mock=True)
def test_dma_buf(lister: AreaListing, context: Context, number: int, ioas: int) -> None:
    """Its owner revokes it: the area stays, and says so."""
    with OpenFile(mock.dma_buf(context, 4 * PAGE)) as file:
        context.map_file(ioas, file.fd, PAGE, 2 * PAGE, iova=START)
        for _ in range(2):
            (area,) = lister.areas(number, ioas)
            assert (area.source, area.flags, area.length) == (DMABUF, READ | WRITE, 2 * PAGE)
            assert area.pinned == 0
        mock.revoke(context, file.fd)
        (area,) = lister.areas(number, ioas)
        assert (area.source, area.flags) == (DMABUF, READ | WRITE | REVOKED)
        context.unmap_all(ioas)


def test_many(lister: AreaListing, context: Context, number: int, ioas: int) -> None:
    """None is left out, and each is the first one from its own address."""
    with mem.anonymous(PAGE) as buffer:
        places = random.Random(1).sample(range(1 << 20), 2000)
        for place in places:
            context.map(ioas, buffer, iova=place * PAGE)
        expected = sorted(place * PAGE for place in places)
        assert iovas(lister.areas(number, ioas)) == expected
        for iova in expected[::100]:
            assert iovas(lister.areas(number, ioas, iova, 1)) == [iova]
        context.unmap_all(ioas)


def test_not_in_an_event() -> None:
    """An event may fire while the lock is held, so such programs may not list areas."""
    with pytest.raises(NotLoaded) as refused, loaded("areas_event"):
        pass
    assert "bpf_iter_iommufd_area_new" in refused.value.log


def check(areas: list[Area]) -> None:
    """In the order of addresses, and none overlaps another."""
    for one, next_one in pairwise(areas):
        assert one.last < next_one.iova
    for area in areas:
        assert area.length % PAGE == 0
        assert not area.flags & ~(READ | WRITE | IN_MAP | IN_UNMAP)


def mapper(context: Context, ioas: int, seed: int, stop: Callable[[], bool]) -> None:
    """Maps at addresses that the kernel chooses, and unmaps."""
    generator = random.Random(seed)
    with mem.anonymous(16 * PAGE) as buffer:
        while not stop():
            sizes = [generator.randrange(1, 16) * PAGE for _ in range(4)]
            for iova, size in [(context.map(ioas, buffer, size), size) for size in sizes]:
                assert context.unmap(ioas, iova, size) == size


def opener(stop: Callable[[], bool]) -> None:
    """Contexts and their IOAS end at any time, also while their areas are listed."""
    with mem.anonymous(PAGE) as buffer:
        while not stop():
            with Context() as context:
                for _ in range(2):
                    ioas = context.ioas_alloc()
                    context.map(ioas, buffer)
                context.unmap_all(ioas)
                context.destroy(ioas)


def test_storm(
    lister: AreaListing, context: Context, number: int, ioas: int, buffer: mem.Buffer
) -> None:
    """Areas, IOAS and contexts appear and disappear; an area that stays is always listed."""
    stays = (1 << 40) + START
    context.map(ioas, buffer, iova=stays)
    works = [partial(mapper, context, ioas, seed) for seed in range(2)]
    most = 0
    with listing() as objects, Workers(*works, opener, opener) as workers:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            mine = lister.areas(number, ioas)
            check(mine)
            assert stays in iovas(mine)
            (at,) = lister.areas(number, ioas, stays + buffer.size - 1, 1)
            assert at.iova == stays
            for ctx in objects.contexts():
                for each in range(1, 4):
                    check(lister.areas(ctx, each))
            most = max(most, len(mine))
            workers.check()
    assert most > 1
    context.unmap_all(ioas)
