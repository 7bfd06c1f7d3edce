# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Areas split by VFIO's first version of type1, and the other users of these areas."""

import errno
import random
from collections.abc import Iterator

import failnth
import pytest
from data_pattern import pattern
from errnos import errno_of
from iommufd import mem, mock, uapi
from iommufd.container import TYPE1, Adopted
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages

IOVA = mock.START
PAGES = 16
SIZE = PAGES * PAGE


@pytest.fixture
def container(context: Context, ioas: int) -> Adopted:
    """The context as a container of type1, first version, with the IOAS in it."""
    argument = uapi.VfioIoas(op=uapi.VFIO_IOAS_SET, ioas_id=ioas)
    context.command("VFIO_IOAS", argument)
    container = Adopted(context.fd)
    container.set_iommu(TYPE1)
    return container


@pytest.fixture(params=[0, 1, 2], ids="{} page tables".format)
def devices(
    request: pytest.FixtureRequest, context: Context, ioas: int, container: Adopted
) -> Iterator[list[mock.Device]]:
    devices = [mock.Device(context, ioas) for _ in range(request.param)]
    yield devices
    for device in devices:
        device.close()


@pytest.mark.parametrize("seed", range(4))
def test_any_cuts(
    context: Context,
    container: Adopted,
    buffer: mem.Buffer,
    devices: list[mock.Device],
    seed: int,
) -> None:
    """Random parts are unmapped in random order; pages are pinned as long as they are mapped."""
    rng = random.Random(seed)
    before = pinned_pages()
    container.map(buffer, IOVA)
    left = set(range(PAGES))
    while left:
        first = rng.randrange(PAGES)
        gone = set(range(first, min(PAGES, first + rng.randrange(1, 4))))
        unmapped = container.unmap(IOVA + first * PAGE, len(gone) * PAGE)
        assert unmapped == len(gone & left) * PAGE
        left -= gone
        assert pinned_pages() - before == (len(left) if devices else 0)
        for device in devices:
            for page in range(PAGES):
                offset = page * PAGE
                memory = buffer.address + offset
                error = errno_of(device.check, IOVA + offset, memory, PAGE)
                assert bool(error) == (page not in left)


def test_device_comes_after(
    context: Context, ioas: int, container: Adopted, buffer: mem.Buffer
) -> None:
    """If an area was split before anything was pinned, its parts are pinned one by one."""
    before = pinned_pages()
    container.map(buffer, IOVA)
    container.unmap(IOVA + 4 * PAGE, PAGE)
    with mock.Device(context, ioas) as device:
        assert pinned_pages() - before == PAGES - 1
        device.check(IOVA, buffer, 4 * PAGE)
        device.check(IOVA + 5 * PAGE, buffer.address + 5 * PAGE, SIZE - 5 * PAGE)
        container.unmap(IOVA + 8 * PAGE, PAGE)
        assert pinned_pages() - before == PAGES - 2
    assert pinned_pages() == before
    assert container.unmap_all() == SIZE - 2 * PAGE


def test_copies_stay_whole(
    context: Context, ioas: int, container: Adopted, buffer: mem.Buffer
) -> None:
    """Other areas keep the pages that they share."""
    other = context.ioas_alloc()
    before = pinned_pages()
    container.map(buffer, IOVA)
    context.copy(other, ioas, IOVA, SIZE, iova=IOVA)
    with mock.Device(context, ioas), mock.Device(context, other) as device:
        assert container.unmap(IOVA + 3 * PAGE, 2 * PAGE) == 2 * PAGE
        assert pinned_pages() - before == PAGES
        device.check(IOVA, buffer)
        assert errno_of(context.unmap, other, IOVA + 3 * PAGE, PAGE) == errno.ENOENT
        assert context.unmap(other, IOVA, SIZE) == SIZE
        assert pinned_pages() - before == PAGES - 2
    container.unmap_all()


def test_iommufd_sees_the_parts(
    context: Context, ioas: int, container: Adopted, buffer: mem.Buffer, devices: list[mock.Device]
) -> None:
    """A copy can span a split as long as nothing is missing; an unmap removes the parts."""
    container.map(buffer, IOVA)
    container.unmap(IOVA + SIZE - PAGE, PAGE)
    container.unmap(IOVA + 8 * PAGE, PAGE)
    container.map(buffer.address + 8 * PAGE, IOVA + 8 * PAGE, PAGE)
    other = context.ioas_alloc()
    context.copy(other, ioas, IOVA + 2 * PAGE, 8 * PAGE, iova=IOVA)
    with mock.Device(context, other) as device:
        device.check(IOVA, buffer.address + 2 * PAGE, 8 * PAGE)
    assert errno_of(context.unmap, ioas, IOVA + 2 * PAGE, PAGE) == errno.ENOENT
    assert context.unmap(ioas, IOVA, 9 * PAGE) == 9 * PAGE
    assert context.unmap_all(ioas) == 6 * PAGE


def test_used_by_a_driver(
    context: Context, ioas: int, container: Adopted, buffer: mem.Buffer, kernel: str
) -> None:
    """An area that is pinned through an access is not split; it can only be unmapped as a whole."""
    container.map(buffer, IOVA)
    with mock.Access(context, ioas) as access:
        access.pin(IOVA + 12 * PAGE, buffer.address + 12 * PAGE, PAGE)
        expected = errno.EINVAL if "peer" in kernel else errno.EBUSY
        assert errno_of(container.unmap, IOVA, PAGE) == expected
        assert access.read(IOVA, 64) == buffer.read(0, 64)
        assert container.unmap(IOVA, SIZE) == SIZE


def test_access_reads_the_parts(
    context: Context, ioas: int, container: Adopted, buffer: mem.Buffer
) -> None:
    buffer.write(pattern("parts", SIZE))
    container.map(buffer, IOVA)
    container.unmap(IOVA, PAGE)
    container.unmap(IOVA + 4 * PAGE, PAGE)
    with mock.Access(context, ioas) as access:
        assert access.read(IOVA + PAGE, 3 * PAGE) == buffer.read(PAGE, 3 * PAGE)
        assert errno_of(access.read, IOVA + 3 * PAGE, 2 * PAGE) == errno.ENOENT
        pages = access.pin(IOVA + 5 * PAGE, buffer.address + 5 * PAGE, 3 * PAGE)
        access.unpin(pages)


@pytest.mark.guest(kernels="ours")
def test_without_memory(
    context: Context, ioas: int, container: Adopted, buffer: mem.Buffer
) -> None:
    """A failing unmap changes nothing that devices or the user could see."""
    with mock.Device(context, ioas) as device:
        container.map(buffer, IOVA)

        def undone() -> None:
            device.check(IOVA, buffer)

        def done() -> None:
            device.check(IOVA, buffer, 4 * PAGE)
            device.check(IOVA + 8 * PAGE, buffer.address + 8 * PAGE, SIZE - 8 * PAGE)

        failures = failnth.sweep(lambda: container.unmap(IOVA + 4 * PAGE, 4 * PAGE), undone, done)
        assert failures
        assert container.unmap_all() == SIZE - 4 * PAGE
