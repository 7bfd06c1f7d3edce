# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""New messages of the kernel's log."""

import os
import re
import select
import time

from .openfile import OpenFile


class Kmsg(OpenFile):
    """Reads records as they arrive; a with statement closes it."""

    def __init__(self) -> None:
        super().__init__(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        os.lseek(self.fd, 0, os.SEEK_END)

    def _record(self) -> str | None:
        while True:
            try:
                raw = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                return None
            except BrokenPipeError:
                continue  # overwritten before it was read: go on with the next record
            return raw.partition(";")[2].split("\n")[0]

    def new_lines(self) -> list[str]:
        """The lines since the last call."""
        lines = []
        while (line := self._record()) is not None:
            lines.append(line)
        return lines

    def wait_for(self, pattern: str, timeout: float = 30.0) -> re.Match[str]:
        """Waits for a line that matches."""
        end = time.monotonic() + timeout
        seen = []
        while True:
            line = self._record()
            if line is not None:
                seen.append(line)
                if match := re.search(pattern, line):
                    return match
                continue
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no {pattern!r} in the kernel's log, only:\n" + "\n".join(seen))
            select.select([self.fd], [], [], left)
