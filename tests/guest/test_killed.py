# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A map of many GiB ends soon when its process is killed, and leaves nothing."""

import ctypes
import os
import signal

import pytest
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import MAP_FIXED, MAP_NORESERVE, PAGE
from iommufd.pins import pinned_pages

pytestmark = pytest.mark.guest(hugepages=64)

FILE = 128 << 20
# Long enough that whoever waits for a part of it is there before the end.
SMALL, HUGE = 16 << 30, 256 << 30
PROT = mem.PROT_READ | mem.PROT_WRITE
MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS = 0x01, 0x02, 0x20

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]


def again_and_again(flags: int, space: int) -> int:
    """Where a file stands so often behind itself that it fills a space."""
    fd = os.memfd_create("killed", flags)
    os.ftruncate(fd, FILE)
    reserve = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    start = -(-_libc.mmap(None, space + mem.HUGE, mem.PROT_NONE, reserve, -1, 0) // mem.HUGE)
    start *= mem.HUGE
    for address in range(start, start + space, FILE):
        assert _libc.mmap(address, FILE, PROT, MAP_SHARED | MAP_FIXED, fd, 0) == address
    return start


def map_all(flags: int, space: int, ready: int, done: int) -> None:
    """The child's: says when it is about to map, and when it has."""
    context = Context()
    ioas = context.ioas_alloc()
    device = Edu(context, ioas)
    start = again_and_again(flags, space)
    os.write(ready, b".")
    context.map(ioas, start, length=space)
    os.write(done, b".")
    signal.pause()
    device.close()


@pytest.mark.parametrize(
    ("flags", "space"), [(0, SMALL), (os.MFD_HUGETLB, HUGE)], ids=["small", "huge"]
)
def test_map(flags: int, space: int) -> None:
    """It is killed when a part of it is pinned."""
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
    while pinned_pages() - before < 10 * FILE // PAGE:
        pass
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert os.read(done, 1) == b"", "it had mapped all before it was killed"
    assert pinned_pages() == before
    os.close(ready)
    os.close(done)
