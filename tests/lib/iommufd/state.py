# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What there is in a context, to find that a request that failed has left nothing behind."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from errnos import errno_of

from . import uapi
from .ctx import Context
from .pins import pinned_pages

# More ids than any of these tests uses.
IDS = range(1, 32)
NO_TYPE = 0xFFFFFFFF


def exists(context: Context, object_id: int) -> bool:
    """Whether an id names an object of any type; asks for no invalidation of no known type."""
    argument = uapi.HwptInvalidate(hwpt_id=object_id, data_type=NO_TYPE)
    return errno_of(context.command, "HWPT_INVALIDATE", argument) != errno.ENOENT


def objects(context: Context) -> list[int]:
    """The ids of all objects."""
    return [i for i in IDS if exists(context, i)]


def next_id(context: Context) -> int:
    """The lowest id that is free; one that is lost would never be it again."""
    ioas = context.ioas_alloc()
    context.destroy(ioas)
    return ioas


def descriptors() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


def snapshot(context: Context, *ioases: int) -> object:
    """All that a request could change and that can be seen from here."""
    ranges = [context.iova_ranges(ioas) for ioas in ioases]
    return objects(context), next_id(context), ranges, pinned_pages(), descriptors()


@contextmanager
def unchanged(context: Context, *ioases: int) -> Iterator[None]:
    """What is in the body leaves all as it was."""
    before = snapshot(context, *ioases)
    yield
    assert snapshot(context, *ioases) == before, "something has changed"
