# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A program on a terminal, and what its user sees."""

import re
import signal
import time
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar

import pexpect
import pyte


class _Picture(pyte.Screen):
    """Adds the three controls of xterm that ncurses uses and pyte lacks."""

    _last = ""

    def draw(self, data: str) -> None:
        """Remembers the last character, for REP."""
        self._last = data[-1:]
        super().draw(data)

    def repeat(self, count: int = 1) -> None:
        """Repeats the last character."""
        super().draw(self._last * (count or 1))

    def scroll_up(self, count: int = 1) -> None:
        """Scrolls the lines of the scrolling region up; the cursor stays."""
        self._scroll(count, self.index, at_bottom=True)

    def scroll_down(self, count: int = 1) -> None:
        """Scrolls them down."""
        self._scroll(count, self.reverse_index, at_bottom=False)

    def _scroll(self, count: int, once: Callable[[], None], at_bottom: bool) -> None:
        top, bottom = self.margins or (0, self.lines - 1)
        before = self.cursor.y
        self.cursor.y = bottom if at_bottom else top
        for _ in range(count or 1):
            once()
        self.cursor.y = before


class _Stream(pyte.ByteStream):
    csi: ClassVar[dict[str, str]] = {
        **pyte.ByteStream.csi,
        "S": "scroll_up",
        "T": "scroll_down",
        "b": "repeat",
    }
    events = pyte.ByteStream.events | {"scroll_up", "scroll_down", "repeat"}


class Screen:
    """Runs a command on a pseudo-terminal and keeps the picture that it draws."""

    def __init__(
        self,
        command: list[str],
        columns: int = 80,
        lines: int = 24,
        timeout: float = 120,
        **options: object,
    ) -> None:
        self.timeout = timeout
        self._screen = _Picture(columns, lines)
        self._stream = _Stream(self._screen)
        self.child = pexpect.spawn(
            command[0], command[1:], dimensions=(lines, columns), timeout=timeout, **options
        )
        # Everything that was ever written, for tests that look at control sequences.
        self.written = b""

    def __enter__(self) -> "Screen":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.child.isalive():
            self.child.kill(signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        # Its close() does not wait long enough for a process that takes a while to die.
        self.child.wait()
        self.child.close()

    @property
    def lines(self) -> list[str]:
        """The picture, without trailing blanks."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The picture as one string."""
        return "\n".join(self.lines)

    def cells(self, line: int) -> list[pyte.screens.Char]:
        """The characters of a line with their attributes."""
        return [self._screen.buffer[line][x] for x in range(self._screen.columns)]

    def key(self, keys: str) -> None:
        """Types keys."""
        self.child.send(keys)

    def resize(self, columns: int, lines: int) -> None:
        """Resizes the terminal, as a window manager would."""
        self._screen.resize(lines, columns)
        self.child.setwinsize(lines, columns)

    def _read(self, seconds: float) -> bool:
        """Reads the output so far; False at its end."""
        try:
            data = self.child.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += data
        self._stream.feed(data)
        return True

    def _more(self) -> bool:
        """Reads the rest of a picture; False if there was nothing to read."""
        before = len(self.written)
        self._read(0.05)
        return len(self.written) > before

    def wait(self, what: str | Callable[[], object], timeout: float | None = None) -> object:
        """Waits until the screen matches a pattern or satisfies a condition; returns the match."""
        end = time.monotonic() + (timeout or self.timeout)
        going = True
        while True:
            found = re.search(what, self.text, re.M) if isinstance(what, str) else what()
            # A picture may come in parts: look again once nothing more comes.
            if found and (not going or not self._more()):
                return found
            if not going or time.monotonic() > end:
                why = "ended" if not going else "did not show it in time"
                raise AssertionError(f"the program {why}: {what}\n{self.text}")
            going = self._read(0.1)

    def hang_up(self) -> None:
        """Closes the terminal."""
        self.child.ptyproc.fileobj.close()

    def settle(self, seconds: float) -> None:
        """Reads output for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(0.05):
            pass

    def finish(self, timeout: float | None = None) -> int:
        """Waits for the end; returns the exit status, or 128 + N for signal N."""
        end = time.monotonic() + (timeout or self.timeout)
        while self._read(0.1):
            if time.monotonic() > end:
                raise AssertionError(f"the program does not end\n{self.text}")
        self._reap()
        if self.child.signalstatus:
            return 128 + self.child.signalstatus
        return self.child.exitstatus
