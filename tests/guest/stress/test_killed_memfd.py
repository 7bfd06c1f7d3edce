# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A map that allocates and clears huge pages is killed between two of them."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.mem import HUGE
from iommufd.pins import pinned_pages

# They would be a single batch if only pages were counted.
COUNT = 256
pytestmark = pytest.mark.guest(hugepages=264, kernels="ours")
SIZE = COUNT * HUGE
# Time of the first child. If it has not begun by then, the next child gets more time.
FIRST = 0.002


def by_file(context: Context, ioas: int, fd: int) -> None:
    context.map_file(ioas, fd, 0, SIZE, iova=mock.START)


def by_address(context: Context, ioas: int, fd: int) -> None:
    context.map(ioas, mem.file(fd, SIZE), iova=mock.START)


def present(fd: int) -> int:
    """The huge pages that the file has."""
    return os.fstat(fd).st_blocks * 512 // HUGE


def killed_after(seconds: float, body: Callable[[], None]) -> None:
    """Runs a function in a child that is killed by a kernel timer, which needs no other process."""
    child = os.fork()
    if not child:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            body()
        finally:
            signal.pause()
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGALRM


@pytest.fixture
def file() -> Iterator[int]:
    """A file whose huge pages are not allocated yet."""
    fd = os.memfd_create("killed", os.MFD_HUGETLB)
    os.ftruncate(fd, SIZE)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("map_all", [by_file, by_address])
def test_huge_pages(context: Context, ioas: int, file: int, map_all: Callable[..., None]) -> None:
    before = pinned_pages()
    seconds = FIRST
    with mock.Device(context, ioas):
        while not present(file):
            killed_after(seconds, lambda: map_all(context, ioas, file))
            seconds *= 1.5
        assert present(file) < COUNT, "it had all pages cleared before it was killed"
        assert context.unmap_all(ioas) == 0
    assert pinned_pages() == before
