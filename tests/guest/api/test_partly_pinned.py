# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Access to a range of which some pages are pinned: each page is copied from where it is."""

import ctypes
import mmap
import threading

import pytest
from data_pattern import pattern
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.mock import Access
from iommufd.pins import pinned_pages

IOVA = mock.START
PAGES = 8
# The peer copies the whole range from the process unless all of it is pinned.
OURS = pytest.mark.guest(kernels="ours")
SLOW = pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
_libc = ctypes.CDLL(None, use_errno=True)


def forget(buffer: mem.Buffer) -> None:
    """From now on, the process has other pages at these addresses."""
    address, size = ctypes.c_void_p(buffer.address), ctypes.c_size_t(buffer.size)
    assert _libc.madvise(address, size, mmap.MADV_DONTNEED) == 0


def mapped(pinned: set[int], old: bytes, new: bytes) -> bytes:
    """What devices see: the old pages where they are pinned."""
    return b"".join((old if i in pinned else new)[i * PAGE : (i + 1) * PAGE] for i in range(PAGES))


@OURS
@SLOW
@pytest.mark.parametrize(
    "pinned",
    [{0}, {PAGES - 1}, {3, 4}, {0, 2, 4, 6}, {1, 3, 5, 7}, set(range(PAGES))],
    ids=str,
)
def test_each_page_where_it_is(context: Context, ioas: int, pinned: set[int], slow: bool) -> None:
    before = pinned_pages()
    size = PAGES * PAGE
    old, new, written = (pattern(name, size) for name in ("old", "new", "written"))
    with mem.anonymous(size) as buffer, Access(context, ioas) as access:
        buffer.write(old)
        context.map(ioas, buffer, iova=IOVA)
        for page in pinned:
            access.pin(IOVA + page * PAGE, buffer.address + page * PAGE, PAGE, write=True)
        forget(buffer)
        buffer.write(new)
        there = mapped(pinned, old, new)
        # Whole, from the middle of one page to that of another, and within one.
        for first, end in ((0, size), (PAGE // 2, size - 100), (PAGE - 1, PAGE + 1), (5, 9)):
            assert access.read(IOVA + first, end - first, slow) == there[first:end]
        assert pinned_pages() - before == len(pinned)

        access.write(IOVA + 10, written[10:-10], slow)
        there = there[:10] + written[10:-10] + there[-10:]
        for page in range(PAGES):
            at = page * PAGE
            assert access.read(IOVA + at, PAGE, slow) == there[at : at + PAGE]
            if page not in pinned:
                assert buffer.read(at, PAGE) == there[at : at + PAGE]
            elif page not in (0, PAGES - 1):
                assert buffer.read(at, PAGE) == new[at : at + PAGE]
        assert pinned_pages() - before == len(pinned)
        context.unmap(ioas, IOVA, size)
    assert pinned_pages() == before


@OURS
def test_hole_behind_pinned_pages(context: Context, ioas: int) -> None:
    """The process has unmapped the rest: an error, but the pinned pages remain accessible."""
    with mem.anonymous(PAGES * PAGE) as buffer, Access(context, ioas) as access:
        buffer.write(pattern("hole", PAGES * PAGE))
        context.map(ioas, buffer, iova=IOVA)
        access.pin(IOVA, buffer, 4 * PAGE)
        mem.protect(buffer, mem.PROT_NONE)
        with pytest.raises(OSError):
            access.read(IOVA + 3 * PAGE, 2 * PAGE)
        assert access.read(IOVA, 4 * PAGE) == pattern("hole", PAGES * PAGE)[: 4 * PAGE]
        context.unmap_all(ioas)


def test_while_pins_come_and_go(context: Context, ioas: int) -> None:
    """Nothing is lost between a page that is pinned and the same page when it is not."""
    size = PAGES * PAGE
    stop = threading.Event()
    with mem.anonymous(size) as buffer, Access(context, ioas) as pins, Access(context, ioas) as rw:
        context.map(ioas, buffer, iova=IOVA)

        def pin_and_unpin() -> None:
            while not stop.is_set():
                for page in range(PAGES):
                    at = page * PAGE
                    pins.unpin(pins.pin(IOVA + at, buffer.address + at, PAGE, write=True))

        other = threading.Thread(target=pin_and_unpin)
        other.start()
        try:
            for turn in range(50):
                data = pattern(f"turn {turn}", size)
                rw.write(IOVA, data)
                assert buffer.read() == data
                assert rw.read(IOVA, size) == data
        finally:
            stop.set()
            other.join()
        context.unmap_all(ioas)
