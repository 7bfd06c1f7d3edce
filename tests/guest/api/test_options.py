# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOMMU_OPTION and IOAS_ALLOW_IOVAS."""

import errno
import os

import pytest
from errnos import errno_of, fails
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import status_bytes, unprivileged
from iommufd.platform import MSI
from iommufd.uapi import U64_MAX

RLIMIT_MODE, HUGE_PAGES = 0, 1


def test_rlimit_mode(context: Context) -> None:
    """Per user by default; it can be changed until there is an object."""
    assert context.get_option(RLIMIT_MODE) == 0
    context.set_option(RLIMIT_MODE, 1)
    assert context.get_option(RLIMIT_MODE) == 1
    assert errno_of(context.set_option, RLIMIT_MODE, 2) == errno.EINVAL
    context.ioas_alloc()
    assert errno_of(context.set_option, RLIMIT_MODE, 0) == errno.EBUSY
    assert context.get_option(RLIMIT_MODE) == 1


def test_rlimit_mode_needs_privilege(context: Context) -> None:
    os.setresuid(65534, 65534, 0)
    try:
        assert errno_of(context.set_option, RLIMIT_MODE, 1) == errno.EPERM
        assert context.get_option(RLIMIT_MODE) == 0
    finally:
        os.setresuid(0, 0, 0)


def test_charged_to_the_process(context: Context) -> None:
    """In mode 1 the limit applies to the locked memory of the process."""
    context.set_option(RLIMIT_MODE, 1)
    ioas = context.ioas_alloc()
    with Edu(context, ioas), mem.anonymous(16 * PAGE) as buffer:
        with unprivileged(8 * PAGE):
            before = status_bytes("self", "VmLck")
            iova = context.map(ioas, buffer, 6 * PAGE)
            assert status_bytes("self", "VmLck") - before == 6 * PAGE
            assert errno_of(context.map, ioas, buffer, 3 * PAGE) == errno.ENOMEM
            assert status_bytes("self", "VmLck") - before == 6 * PAGE
            context.unmap(ioas, iova, 6 * PAGE)
            assert status_bytes("self", "VmLck") == before


def test_huge_pages(context: Context, ioas: int) -> None:
    assert context.get_option(HUGE_PAGES, ioas) == 1
    context.set_option(HUGE_PAGES, 0, ioas)
    assert context.get_option(HUGE_PAGES, ioas) == 0
    assert context.iova_alignment(ioas) == PAGE
    assert errno_of(context.set_option, HUGE_PAGES, 2, ioas) == errno.EINVAL
    context.set_option(HUGE_PAGES, 1, ioas)
    assert context.iova_alignment(ioas) == 1


def test_huge_pages_with_mappings(context: Context, ioas: int) -> None:
    """Not while that would change a page table or areas that it would forbid."""
    with mem.transparent_huge(HUGE) as buffer:
        context.map(ioas, buffer.address + 100, 50, iova=100)
        assert errno_of(context.set_option, HUGE_PAGES, 0, ioas) == errno.EADDRINUSE
        context.unmap_all(ioas)
        with Edu(context, ioas) as device:
            context.set_option(HUGE_PAGES, 0, ioas)
            buffer.fill(7)
            context.map(ioas, buffer, iova=HUGE)
            device.dma_read(HUGE + HUGE // 2)
            context.set_option(HUGE_PAGES, 1, ioas)
            assert errno_of(context.set_option, HUGE_PAGES, 0, ioas) == errno.EINVAL
            assert context.unmap(ioas, HUGE, HUGE) == HUGE


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"option": 7}, errno.EOPNOTSUPP),
        ({"option": HUGE_PAGES, "object_id": 0}, errno.ENOENT),
        ({"option": RLIMIT_MODE, "object_id": 5}, errno.EOPNOTSUPP),
    ],
)
def test_bad_option(context: Context, option: dict, error: int) -> None:
    assert errno_of(context.get_option, **option) == error
    assert errno_of(context.set_option, value=0, **option) == error


@pytest.mark.parametrize("phase", [0, PAGE])
def test_allowed_ranges(context: Context, ioas: int, phase: int) -> None:
    """Only the kernel's choice is restricted; a caller that names an address may be elsewhere.

    The offset of memory in a larger page is a preference, which yields if there is no
    room.
    """
    context.allow_iovas(ioas, [(PAGE, 2 * PAGE - 1), (8 * PAGE, 10 * PAGE - 1)])
    with mem.anonymous(4 * PAGE) as buffer:
        memory = buffer.address // (2 * PAGE) * 2 * PAGE + 2 * PAGE - phase
        assert context.map(ioas, memory, PAGE) == PAGE
        assert context.map(ioas, memory, 2 * PAGE) == 8 * PAGE
        assert errno_of(context.map, ioas, memory, PAGE) == errno.ENOSPC
        assert context.map(ioas, memory, PAGE, iova=1 << 32) == 1 << 32
        context.allow_iovas(ioas, [])
        assert context.map(ioas, memory, PAGE) == 2 * PAGE
    assert context.iova_ranges(ioas) == [(0, U64_MAX)]


def test_allowed_range_is_kept(context: Context, ioas: int) -> None:
    """A device that would narrow it is not attached; a list that a device forbids is refused."""
    context.allow_iovas(ioas, [(MSI[0], MSI[0] + PAGE - 1)])
    with fails(errno.EADDRINUSE), Edu(context, ioas):
        pass
    context.allow_iovas(ioas, [])
    with Edu(context, ioas):
        before = context.iova_ranges(ioas)
        assert errno_of(context.allow_iovas, ioas, [(MSI[0], MSI[0] + 1)]) == errno.EADDRINUSE
        assert errno_of(context.allow_iovas, ioas, [(1 << 60, U64_MAX)]) == errno.EADDRINUSE
        assert context.iova_ranges(ioas) == before


@pytest.mark.parametrize("ranges", [[(5, 4)], [(0, 10), (5, 20)], [(0, 10), (0, 10)]], ids=str)
def test_bad_allowed_ranges(context: Context, ioas: int, ranges: list) -> None:
    """Refused as a whole: the previous list stays."""
    context.allow_iovas(ioas, [(PAGE, 2 * PAGE - 1)])
    assert errno_of(context.allow_iovas, ioas, ranges) == errno.EINVAL
    with mem.anonymous(PAGE) as buffer:
        assert context.map(ioas, buffer) == PAGE
        assert errno_of(context.map, ioas, buffer) == errno.ENOSPC
