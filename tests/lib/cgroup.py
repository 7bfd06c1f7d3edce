# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Cgroups of the default hierarchy."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_count = itertools.count(1)


class Cgroup:
    """A cgroup, in another one or in the root."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    @property
    def id(self) -> int:
        """Its id, as BPF programs see it."""
        return id_of(self.path)

    def enter(self, pid: int = 0) -> None:
        """Moves a process into it, by default this one."""
        (self.path / "cgroup.procs").write_text(str(pid))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Moves this process into it for the duration of the body."""
        self.enter()
        try:
            yield
        finally:
            leave()

    def remove(self) -> None:
        """Removes it; it must be empty. May be called again."""
        if self.path.exists():
            self.path.rmdir()


def id_of(path: Path) -> int:
    """The inode number of its directory."""
    return os.stat(path).st_ino


def leave() -> None:
    """Moves this process back to the root."""
    (ROOT / "cgroup.procs").write_text("0")


@contextmanager
def cgroup(parent: Cgroup | None = None) -> Iterator[Cgroup]:
    """Creates a cgroup and removes it afterwards."""
    assert (ROOT / "cgroup.controllers").exists(), "cgroup2 is not mounted"
    made = Cgroup((parent.path if parent else ROOT) / f"test-{os.getpid()}-{next(_count)}")
    try:
        yield made
    finally:
        made.remove()
