# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The areas of an IOAS, as the BPF iterator finds them (tests/bpf/areas.bpf.c)."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bpfobject import Object, loaded

_ARGUMENT = struct.Struct("=2I2Q")
_AREA = struct.Struct("=2I2Q2I3Q")

# enum iommufd_source
VA, MEMFD, DMABUF = range(3)
READ, WRITE, REVOKED, IN_MAP, IN_UNMAP = (1 << bit for bit in range(5))


@dataclass(frozen=True)
class Area:
    """struct iommufd_area_info"""

    ctx: int
    ioas: int
    iova: int
    length: int
    source: int
    flags: int
    addr: int
    pinned: int
    pins: int

    @property
    def last(self) -> int:
        return self.iova + self.length - 1


@dataclass
class AreaListing:
    """The listing program."""

    object: Object

    def areas(self, ctx: int, ioas: int, iova: int = 0, limit: int = 0) -> list[Area]:
        """The areas from an address on, at most `limit` if that is not 0."""
        argument = _ARGUMENT.pack(ctx, ioas, iova, limit)
        assert self.object.run("list_areas", argument) == 0, "areas were lost"
        return [Area(*_AREA.unpack(data)) for data in self.object.map("areas").records()]


@contextmanager
def area_listing() -> Iterator[AreaListing]:
    """Loads the program."""
    with loaded("areas") as program:
        yield AreaListing(program)
