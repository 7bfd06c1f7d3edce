# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""If the process is killed, a map of many GiB ends soon and leaves nothing."""

import os
import signal

import pytest
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE, Repeated
from iommufd.pins import pinned_pages

pytestmark = pytest.mark.guest(hugepages=264)

FILE = 128 << 20
# So large that any thread waiting for a part of it gets there before the end.
SMALL, HUGE = 16 << 30, 256 << 30


def map_all(flags: int, space: int, ready: int, done: int) -> None:
    """Runs in the child: announces when it is about to map, and when it has."""
    context = Context()
    ioas = context.ioas_alloc()
    device = Edu(context, ioas)
    fd = os.memfd_create("killed", flags)
    os.ftruncate(fd, FILE)
    memory = Repeated(fd, space)
    os.write(ready, b".")
    context.map(ioas, memory.address, length=space)
    os.write(done, b".")
    signal.pause()
    device.close()


@pytest.mark.parametrize(
    ("flags", "space"), [(0, SMALL), (os.MFD_HUGETLB, HUGE)], ids=["small", "huge"]
)
def test_map(flags: int, space: int) -> None:
    """It is killed when a part of the memory is pinned."""
    before = pinned_pages()
    ready, child_ready = os.pipe()
    done, child_done = os.pipe()
    child = os.fork()
    if not child:
        try:
            map_all(flags, space, child_ready, child_done)
        finally:
            os._exit(1)
    os.close(child_ready)
    os.close(child_done)
    assert os.read(ready, 1) == b"."
    # More than the file has, so that it is the map that has pinned them.
    while pinned_pages() - before < 2 * FILE // PAGE:
        os.sched_yield()
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert os.read(done, 1) == b"", "it had mapped all before it was killed"
    assert pinned_pages() == before
    os.close(ready)
    os.close(done)
