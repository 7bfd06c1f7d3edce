# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Shows the progress of a run."""

import sys
import time


class Progress:
    """One line on a terminal, else one at the end."""

    def __init__(self, what: str) -> None:
        self._tty = sys.stderr.isatty()
        self._start = time.monotonic()
        self._count = 0
        print(f"==> {what}", file=sys.stderr)

    def case(self, name: str) -> None:
        """Shows the case that was measured last."""
        self._count += 1
        if self._tty:
            print(f"\r\033[K    {self._count}: {name}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Prints the number of cases and the time."""
        start = "\r\033[K" if self._tty else ""
        took = time.monotonic() - self._start
        print(f"{start}    {self._count} cases in {took:.0f} s", file=sys.stderr)
