# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where the kernel places a mapping if the caller does not say: it finds any free range.

Without a page table the kernel does not look at memory, so any address will do.
"""

import errno
import random

import pytest
from errnos import errno_of
from iommufd import mock
from iommufd.ctx import Context
from iommufd.mem import HUGE, PAGE
from iommufd.uapi import U64_MAX

pytestmark = pytest.mark.guest(kernels="ours")

END = U64_MAX + 1
# Memory at an address that is aligned to every page size.
MEMORY = 1 << 40
# The kernel does not choose the last 64 KiB unless an allowed range has them.
LAST = END - (64 << 10)


def leave(context: Context, ioas: int, start: int, size: int) -> None:
    """Reserves everything except one range."""
    if start:
        mock.add_reserved(context, ioas, 0, start)
    if start + size < END:
        mock.add_reserved(context, ioas, start + size, END - (start + size))


@pytest.mark.parametrize("size", [PAGE, 3 * PAGE, 17 * PAGE, 3 << 20, (2 << 30) + PAGE])
@pytest.mark.parametrize("phase", [0, PAGE, 2 * PAGE, 1 << 20])
@pytest.mark.parametrize("start", [PAGE, (16 << 20) + PAGE, 1 << 62])
def test_hole_of_the_size(context: Context, ioas: int, size: int, phase: int, start: int) -> None:
    leave(context, ioas, start, size)
    assert context.map(ioas, MEMORY + phase, size) == start
    assert errno_of(context.map, ioas, MEMORY, PAGE) == errno.ENOSPC


@pytest.mark.parametrize("offset", [1, 512, PAGE - 1])
def test_offset_in_a_page(context: Context, ioas: int, offset: int) -> None:
    """The offset of the memory: holes with other offsets in the page do not count."""
    start = 1 << 32
    leave(context, ioas, start + offset, PAGE)
    assert errno_of(context.map, ioas, MEMORY, PAGE) == errno.ENOSPC
    assert context.map(ioas, MEMORY + offset, PAGE) == start + offset


def test_ends(context: Context, ioas: int) -> None:
    """The first page and the last 64 KiB are used only on request."""
    leave(context, ioas, LAST - PAGE, END - (LAST - PAGE))
    assert errno_of(context.map, ioas, MEMORY, 2 * PAGE) == errno.ENOSPC
    assert context.map(ioas, MEMORY, PAGE) == LAST - PAGE
    assert errno_of(context.map, ioas, MEMORY, PAGE) == errno.ENOSPC
    assert context.map(ioas, MEMORY, PAGE, iova=END - PAGE) == END - PAGE
    other = context.ioas_alloc()
    leave(context, other, 0, 2 * PAGE)
    assert errno_of(context.map, other, MEMORY, 2 * PAGE) == errno.ENOSPC
    assert context.map(other, MEMORY, PAGE) == PAGE
    assert context.map(other, MEMORY, PAGE, iova=0) == 0


def test_allowed_to_the_end(context: Context, ioas: int) -> None:
    context.allow_iovas(ioas, [(END - 3 * PAGE, U64_MAX)])
    for size in (2 * PAGE, PAGE):
        iova = context.map(ioas, MEMORY, size)
        assert END - 3 * PAGE <= iova <= END - size
    assert errno_of(context.map, ioas, MEMORY, PAGE) == errno.ENOSPC
    assert context.unmap_all(ioas) == 3 * PAGE


def test_allowed_ranges_that_touch(context: Context, ioas: int) -> None:
    """They are one range."""
    ranges = [(HUGE + i * PAGE, HUGE + (i + 1) * PAGE - 1) for i in (2, 0, 3, 1)]
    context.allow_iovas(ioas, ranges)
    assert context.map(ioas, MEMORY + PAGE, 4 * PAGE) == HUGE


def test_copy(context: Context, ioas: int) -> None:
    """Several areas fit into one hole."""
    for i in range(3):
        context.map(ioas, MEMORY + 2 * i * PAGE, PAGE, iova=HUGE + i * PAGE)
    other = context.ioas_alloc()
    leave(context, other, HUGE + PAGE, 3 * PAGE)
    assert context.copy(other, ioas, HUGE, 3 * PAGE) == HUGE + PAGE


def test_alignment_is_kept_where_it_can_be(context: Context, ioas: int) -> None:
    """A smaller, lower hole is skipped."""
    context.allow_iovas(ioas, [(HUGE + PAGE, 2 * HUGE), (8 * HUGE, 9 * HUGE - 1)])
    assert context.map(ioas, MEMORY, HUGE) == 8 * HUGE


class Places:
    """The bytes of a few pages that can be chosen, next to a kernel's IOAS that has no others."""

    PAGES = 64
    GRAIN = PAGE // 4

    def __init__(self, context: Context, seed: int) -> None:
        self._random = random.Random(seed)
        self._context = context
        self._ioas = context.ioas_alloc()
        size = self.PAGES * PAGE
        self._base = self._random.choice([0, 1 << 32, LAST - size, END - size])
        self._free = [False] * (size // self.GRAIN)
        self._closed = set()
        leave(context, self._ioas, self._base, size)
        self._reserve()
        self._allow()

    def _address(self, grain: int) -> int:
        return self._base + grain * self.GRAIN

    def _some(self, most: int) -> range:
        first = self._random.randrange(len(self._free))
        return range(first, min(first + self._random.randint(1, most), len(self._free)))

    def _bytes(self, grains: range) -> int:
        return len(grains) * self.GRAIN

    def _reserve(self) -> None:
        for _ in range(self._random.randrange(3)):
            grains = self._some(40)
            mock.add_reserved(
                self._context, self._ioas, self._address(grains[0]), self._bytes(grains)
            )
            self._closed.update(grains)

    def _allow(self) -> None:
        """Ranges, some of which touch; without any, all that is not reserved except the ends."""
        chosen: set[int] = set()
        ranges = []
        for _ in range(self._random.choice([0, 0, 1, 3, 6])):
            grains = self._some(60)
            if not chosen.isdisjoint(grains) or not self._closed.isdisjoint(grains):
                continue
            chosen.update(grains)
            ranges.append((self._address(grains[0]), self._address(grains[-1]) + self.GRAIN - 1))
        self._context.allow_iovas(self._ioas, ranges)
        for grain in range(len(self._free)):
            address = self._address(grain)
            open_ = grain in chosen if ranges else grain not in self._closed and address < LAST
            self._free[grain] = open_ and address >= PAGE

    def _fits(self, grain: int, count: int, memory: int, align: int) -> bool:
        return (
            (self._address(grain) - memory) % align == 0
            and grain + count <= len(self._free)
            and all(self._free[grain : grain + count])
        )

    def step(self) -> None:
        """One map, with or without an address."""
        count = self._random.randint(1, 40)
        if self._random.randrange(3):
            self._choose(count, MEMORY + self._random.randrange(64) * self.GRAIN)
        else:
            self._name(self._some(12))

    def _name(self, grains: range) -> None:
        """Used bytes cannot be chosen any more."""
        iova = self._address(grains[0])
        error = errno_of(self._context.map, self._ioas, MEMORY, self._bytes(grains), iova=iova)
        assert error in (0, errno.EEXIST, errno.EINVAL)
        if not error:
            for grain in grains:
                self._free[grain] = False

    def _choose(self, count: int, memory: int) -> None:
        length = count * self.GRAIN
        wish = max(1 << (length.bit_length() - 1), PAGE)
        grains = range(len(self._free))
        places = {a: [g for g in grains if self._fits(g, count, memory, a)] for a in (wish, PAGE)}
        try:
            iova = self._context.map(self._ioas, memory, length)
        except OSError as error:
            assert error.errno == errno.ENOSPC
            assert not places[PAGE], (length, memory)
            return
        grain, rest = divmod(iova - self._base, self.GRAIN)
        assert not rest
        assert grain in (places[wish] or places[PAGE])
        self._free[grain : grain + count] = [False] * count


@pytest.mark.parametrize("seed", range(4))
def test_against_a_model(context: Context, seed: int) -> None:
    for i in range(25):
        places = Places(context, seed * 1000 + i)
        for _ in range(12):
            places.step()
