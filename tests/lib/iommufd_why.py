# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs iommufd-why and reads its output."""

import errno
import os
import select
import subprocess
from typing import Any

import tool_runner
from errnos import fails
from iommufd.container import Container
from iommufd.ctx import NO_ID, Context
from iommufd.mem import PAGE
from tool_runner import BIN, Running

NAME = "iommufd-why"
WHY = str(BIN / NAME)
MARK = 12345 * PAGE


def fail_to_destroy(object_id: int = NO_ID) -> None:
    """A request that fails because the object does not exist."""
    with Context() as context, fails(errno.ENOENT):
        context.destroy(object_id)


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return tool_runner.run(NAME, *arguments, timeout=50, **options)


def fail_to_map(length: int = PAGE) -> None:
    """A request of VFIO type1 that fails because the container serves no group."""
    with Container() as container, fails(errno.EINVAL):
        container.map(PAGE, PAGE, length)


class Why(Running):
    """An iommufd-why that reports this process, from the first line on."""

    def __init__(self, *arguments: str, prefix: tuple[str, ...] = ()) -> None:
        mine = ("--json", "--pid", str(os.getpid()))
        super().__init__(NAME, *mine, *arguments, prefix=prefix)
        has_iommufd = os.path.exists("/dev/iommu")
        fail = fail_to_destroy if has_iommufd else fail_to_map
        # It is listening once it reports something.
        while not select.select([self.out], [], [], 0.02)[0]:
            fail()
        self.stock = self.next().get("stock", False)
        self.has_iommufd = has_iommufd
        self.mark()

    def mark(self) -> None:
        """Drops the failures so far."""
        if self.stock:
            # Without the numbers of a failure: a map of a size of its own.
            if self.has_iommufd:
                with Context() as context, fails(errno.ENOENT):
                    context.map(NO_ID, PAGE, MARK)
            else:
                fail_to_map(MARK)
            while self.next().get("length_bytes") != MARK:
                pass
            return
        fail_to_destroy(NO_ID + 1)
        while self.next()["first"] != NO_ID + 1:
            pass

    def of(self, reason: str) -> dict:
        """The next failure, which must have this reason."""
        line = self.next()
        assert line["reason"] == reason, line
        return line
