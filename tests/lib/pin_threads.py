# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The number of threads that pin the memory of a large request."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A kernel without CONFIG_VHOST_TASK, or with an iommufd of its own, doesn't have it.
MAX_THREADS = Path("/sys/module/iommufd/parameters/max_threads")


@contextmanager
def max_threads(number: int) -> Iterator[None]:
    """Sets the limit, if there is one, and restores it."""
    if not MAX_THREADS.exists():
        yield
        return
    usual = MAX_THREADS.read_text()
    MAX_THREADS.write_text(str(number))
    try:
        yield
    finally:
        MAX_THREADS.write_text(usual)
