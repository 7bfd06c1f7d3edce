# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Counts pinned pages and page tables, and runs code as a user with a limit on pins."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


def _vmstat() -> dict[str, str]:
    # The counters are kept per CPU; this adds them up.
    Path("/proc/sys/vm/stat_refresh").write_text("1")
    return dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())


def pinned_pages() -> int:
    """The number of pages of the whole machine that are pinned now."""
    values = _vmstat()
    return int(values["nr_foll_pin_acquired"]) - int(values["nr_foll_pin_released"])


def table_pages() -> int | None:
    """Pages that page tables of IOMMUs consist of; Linux 6.1 does not count them."""
    count = _vmstat().get("nr_iommu_pages")
    return None if count is None else int(count)


def status_bytes(pid: int | str, field: str) -> int:
    """A size in the status of a process, such as VmPin or VmLck, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise LookupError(field)


@contextmanager
def unprivileged(memlock: int, user: int = NOBODY) -> Iterator[None]:
    """Runs as another user, without privileges, who may lock `memlock` bytes."""
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (memlock, before[1]))
    os.setresuid(user, user, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        resource.setrlimit(resource.RLIMIT_MEMLOCK, before)
