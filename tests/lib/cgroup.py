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
    """A cgroup, below another one or the root."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    @property
    def id(self) -> int:
        """As BPF knows it."""
        return id_of(self.path)

    def enter(self, pid: int = 0) -> None:
        """Moves a process to it, this one if none is named."""
        (self.path / "cgroup.procs").write_text(str(pid))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This process is in it meanwhile."""
        self.enter()
        try:
            yield
        finally:
            leave()

    def remove(self) -> None:
        """It must be empty; may be called again."""
        if self.path.exists():
            self.path.rmdir()


def id_of(path: Path) -> int:
    """The number of its directory."""
    return os.stat(path).st_ino


def leave() -> None:
    """Back to the root."""
    (ROOT / "cgroup.procs").write_text("0")


@contextmanager
def cgroup(parent: Cgroup | None = None) -> Iterator[Cgroup]:
    """A new one, removed afterwards."""
    assert (ROOT / "cgroup.controllers").exists(), "cgroup2 is not mounted"
    made = Cgroup((parent.path if parent else ROOT) / f"test-{os.getpid()}-{next(_count)}")
    try:
        yield made
    finally:
        made.remove()
