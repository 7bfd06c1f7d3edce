# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The state of a context, to check that a failed request has left nothing behind."""

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
    """Whether an id names an object of any type: asks for an invalidation of unknown type."""
    argument = uapi.HwptInvalidate(hwpt_id=object_id, data_type=NO_TYPE)
    return errno_of(context.command, "HWPT_INVALIDATE", argument) != errno.ENOENT


def objects(context: Context) -> list[int]:
    """The ids of all objects."""
    return [i for i in IDS if exists(context, i)]


def next_id(context: Context) -> int:
    """The lowest free id. An id that leaks never becomes free again."""
    ioas = context.ioas_alloc()
    context.destroy(ioas)
    return ioas


def descriptors() -> int:
    """The number of open files of this process."""
    return len(os.listdir("/proc/self/fd"))


def snapshot(context: Context, *ioases: int) -> object:
    """Everything that a request could change and that is visible from here."""
    ranges = [context.iova_ranges(ioas) for ioas in ioases]
    return objects(context), next_id(context), ranges, pinned_pages(), descriptors()


@contextmanager
def unchanged(context: Context, *ioases: int) -> Iterator[None]:
    """The body must leave the state as it was."""
    before = snapshot(context, *ioases)
    yield
    assert snapshot(context, *ioases) == before, "something has changed"
