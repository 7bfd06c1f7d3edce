# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Devices of the mock IOMMU, and that its checks of page tables are reliable."""

import errno
import threading
import time

import pytest
from errnos import errno_of
from iommufd import mem, mock
from iommufd.ctx import NO_ID, Context
from iommufd.mem import PAGE
from iommufd.mock import Device
from iommufd.pins import pinned_pages
from iommufd.uapi import U64_MAX

IOVA = mock.START
FIRST, LAST = mock.APERTURE


@pytest.fixture
def device(context: Context, ioas: int):
    with Device(context, ioas) as device:
        yield device


def test_check_map(context: Context, ioas: int, device: Device, buffer: mem.Buffer) -> None:
    """It detects an extra page, a missing one, a wrong one, and one at another address."""
    context.map(ioas, buffer, 4 * PAGE, iova=IOVA)
    device.check(IOVA, buffer, 4 * PAGE)
    device.check(IOVA + PAGE, buffer.address + PAGE, PAGE)
    for iova, first, pages in ((0, 1, 1), (0, 0, 5), (1, 0, 1), (4, 4, 1)):
        memory = buffer.address + first * PAGE
        got = errno_of(device.check, IOVA + iova * PAGE, memory, pages * PAGE)
        assert got == errno.EINVAL, (iova, first, pages)
    context.unmap_all(ioas)
    assert errno_of(device.check, IOVA, buffer, PAGE) == errno.EINVAL


def test_check_refs(context: Context, ioas: int, device: Device, buffer: mem.Buffer) -> None:
    mock.check_refs(context, buffer, buffer.size, 0)
    context.map(ioas, buffer, 4 * PAGE, iova=IOVA)
    mock.check_refs(context, buffer, 4 * PAGE, 1)
    assert errno_of(mock.check_refs, context, buffer, 5 * PAGE, 1)
    assert errno_of(mock.check_refs, context, buffer, 4 * PAGE, 0)


def test_aperture(context: Context, ioas: int, device: Device, buffer: mem.Buffer) -> None:
    """From its first address to its last one and no further."""
    assert context.iova_ranges(ioas) == [mock.APERTURE]
    for iova in (FIRST - PAGE, LAST + 1, LAST + 1 - PAGE // 2, 0, 1 << 40):
        assert errno_of(context.map, ioas, buffer, PAGE, iova=iova) == errno.EINVAL
    for iova in (FIRST, LAST + 1 - PAGE):
        context.map(ioas, buffer, PAGE, iova=iova)
        device.check(iova, buffer, PAGE)
    device.close()
    assert context.iova_ranges(ioas) == [(0, U64_MAX)]


def test_small_pages(context: Context, ioas: int, device: Device, buffer: mem.Buffer) -> None:
    """Its pages are half of ours: halves can be mapped, whole pages are pinned."""
    before = pinned_pages()
    half = mock.PAGE
    assert context.iova_alignment(ioas) == half
    context.map(ioas, buffer.address + half, 2 * half, iova=IOVA + 6 * half)
    device.check(IOVA + 6 * half, buffer.address + half, 2 * half)
    assert pinned_pages() - before == 2
    for start, length in ((1, half), (0, half + 1), (0, half // 2)):
        got = errno_of(context.map, ioas, buffer.address, length, iova=IOVA + start)
        assert got == errno.EINVAL
    context.unmap_all(ioas)
    assert pinned_pages() == before


def test_reserved(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Reserved addresses, with a device and without."""
    context.map(ioas, buffer, PAGE, iova=IOVA)
    assert errno_of(mock.add_reserved, context, ioas, IOVA - PAGE, 2 * PAGE) == errno.EADDRINUSE
    assert context.iova_ranges(ioas) == [(0, U64_MAX)]
    mock.add_reserved(context, ioas, IOVA + PAGE, PAGE)
    hole = [(IOVA + PAGE, IOVA + 2 * PAGE - 1)]
    assert context.iova_ranges(ioas) == [(0, hole[0][0] - 1), (hole[0][1] + 1, U64_MAX)]
    with Device(context, ioas):
        assert context.iova_ranges(ioas) == [(FIRST, hole[0][0] - 1), (hole[0][1] + 1, LAST)]
        for iova in (IOVA + PAGE, IOVA + PAGE + mock.PAGE):
            assert errno_of(context.map, ioas, buffer, PAGE, iova=iova) == errno.EINVAL
        context.map(ioas, buffer, PAGE, iova=IOVA + 2 * PAGE)
    assert errno_of(context.map, ioas, buffer, PAGE, iova=IOVA + PAGE) == errno.EINVAL


def test_objects(context: Context, ioas: int) -> None:
    """Objects on which a device depends stay as long as it does."""
    device = Device(context, ioas)
    for each in (ioas, device.device, device.hwpt):
        assert errno_of(context.destroy, each) == errno.EBUSY
    device.close()
    for each in (device.device, device.hwpt):
        assert errno_of(context.destroy, each) == errno.ENOENT
    context.destroy(ioas)
    assert errno_of(Device, context, ioas) == errno.ENOENT
    assert errno_of(Device, context, NO_ID) == errno.ENOENT


def test_destroy_while_it_is_unbound(context: Context, ioas: int) -> None:
    """Only its driver ends a device object: the user cannot destroy it until then."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        device = Device(context, ioas)
        closer = threading.Thread(target=device.close)
        closer.start()
        while (got := errno_of(context.destroy, device.device)) == errno.EBUSY:
            pass
        closer.join()
        assert got == errno.ENOENT


def test_page_table_as_target(context: Context, ioas: int, device: Device) -> None:
    """A second device on the first one's page table, which is freed with the last of them."""
    with Device(context, device.hwpt) as second:
        assert second.hwpt == device.hwpt
        device.close()
        assert errno_of(context.destroy, second.hwpt) == errno.EBUSY
    assert errno_of(context.destroy, device.hwpt) == errno.ENOENT


def test_context_closed(buffer: mem.Buffer) -> None:
    """With all objects in it."""
    before = pinned_pages()
    with Context() as context:
        ioas = context.ioas_alloc()
        Device(context, ioas)
        context.map(ioas, buffer, iova=IOVA)
        assert pinned_pages() - before == 16
    assert pinned_pages() == before


def test_two_contexts(context: Context, ioas: int, device: Device, buffer: mem.Buffer) -> None:
    """The same address leads to different memory in each."""
    with Context() as other_context:
        other = other_context.ioas_alloc()
        with Device(other_context, other) as other_device:
            context.map(ioas, buffer.address, PAGE, iova=IOVA)
            other_context.map(other, buffer.address + PAGE, PAGE, iova=IOVA)
            device.check(IOVA, buffer.address, PAGE)
            other_device.check(IOVA, buffer.address + PAGE, PAGE)
            context.unmap_all(ioas)
            other_device.check(IOVA, buffer.address + PAGE, PAGE)
            assert errno_of(device.check, IOVA, buffer.address, PAGE) == errno.EINVAL
