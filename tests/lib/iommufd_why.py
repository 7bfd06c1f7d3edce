# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs iommufd-why and reads its output."""

import errno
import json
import os
import select
import subprocess
from pathlib import Path
from typing import Any

from errnos import fails
from iommufd.ctx import NO_ID, Context
from iommufd.openfile import Closing

ROOT = Path(__file__).resolve().parent.parent.parent
WHY = str(ROOT / "build" / "bin" / "iommufd-why")


def fail_to_destroy(object_id: int = NO_ID) -> None:
    """A request that fails because the object does not exist."""
    with Context() as context, fails(errno.ENOENT):
        context.destroy(object_id)


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess:
    """Runs it to its end."""
    return subprocess.run([WHY, *arguments], capture_output=True, text=True, timeout=50, **options)


class Why(Closing):
    """An iommufd-why that reports this process, from the first line on."""

    def __init__(self, *arguments: str, prefix: tuple[str, ...] = ()) -> None:
        command = [*prefix, WHY, "--json", "--pid", str(os.getpid()), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.process.stdout
        self._out = self.process.stdout
        # It is listening once it reports something.
        while not select.select([self._out], [], [], 0.02)[0]:
            fail_to_destroy()
        self.mark()

    def close(self) -> None:
        """Ends it, as Ctrl-C does."""
        self.process.terminate()
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0

    def mark(self) -> None:
        """Drops the failures so far."""
        fail_to_destroy(NO_ID + 1)
        while self.next()["first"] != NO_ID + 1:
            pass

    def next(self) -> dict:
        """The next failure."""
        return json.loads(self._out.readline())

    def of(self, reason: str) -> dict:
        """The next failure, which must have this reason."""
        line = self.next()
        assert line["reason"] == reason, line
        return line
