# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A small model of an IOAS, to compare the kernel with."""

import errno
import random

from errnos import errno_of
from iommufd.ctx import Context
from iommufd.mem import PAGE, Buffer

# Few addresses, so that requests collide.
PAGES = 256


class Model:
    """Sends random requests to a kernel's IOAS and checks each result.

    An unmap that would split an area fails and changes nothing. The peer's iommufd may
    remove some areas before it reaches the one to split: with `partial`, no such
    request is made.
    """

    def __init__(
        self, context: Context, ioas: int, buffer: Buffer, seed: int, partial: bool = False
    ) -> None:
        self._partial = partial
        self._context = context
        self._ioas = ioas
        self._buffer = buffer
        self._random = random.Random(seed)
        self._areas: dict[int, int] = {}

    def mapped(self) -> int:
        """The number of mapped bytes."""
        return sum(self._areas.values())

    def _overlapping(self, iova: int, length: int) -> list[int]:
        return [a for a, size in self._areas.items() if a < iova + length and iova < a + size]

    def step(self) -> None:
        """Makes one request."""
        self._random.choice([self._map_fixed, self._map_any, self._unmap, self._unmap_one])()

    def _range(self, most: int) -> tuple[int, int]:
        return self._random.randrange(PAGES) * PAGE, self._random.randint(1, most) * PAGE

    def _map_fixed(self) -> None:
        iova, length = self._range(32)
        want = errno.EEXIST if self._overlapping(iova, length) else 0
        got = errno_of(self._context.map, self._ioas, self._buffer, length=length, iova=iova)
        assert got == want, f"map of {iova:#x}, {length:#x}: {got} instead of {want}"
        if not want:
            self._areas[iova] = length

    def _map_any(self) -> None:
        length = self._random.randint(1, 8) * PAGE
        iova = self._context.map(self._ioas, self._buffer, length=length)
        assert not self._overlapping(iova, length)
        self._areas[iova] = length

    def _unmap(self) -> None:
        iova, length = self._range(64)
        hit = self._overlapping(iova, length)
        whole = [a for a in hit if a >= iova and a + self._areas[a] <= iova + length]
        if self._partial and whole and whole != hit:
            return
        self._judge_unmap(iova, length, whole if whole == hit else [])

    def _unmap_one(self) -> None:
        if self._areas:
            iova = self._random.choice(list(self._areas))
            self._judge_unmap(iova, self._areas[iova], [iova])

    def _judge_unmap(self, iova: int, length: int, goes: list[int]) -> None:
        try:
            got = self._context.unmap(self._ioas, iova, length)
        except OSError as error:
            assert error.errno == errno.ENOENT
            got = 0
        want = sum(self._areas.pop(a) for a in goes)
        assert got == want, f"unmap of {iova:#x}, {length:#x}: {got:#x} instead of {want:#x}"
