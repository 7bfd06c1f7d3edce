# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The caller's terminal, if the command is to have one."""

import fcntl
import os
import struct
import termios
import tty
from collections.abc import Callable
from contextlib import ExitStack

from . import channel

# Like telnet's: ends a guest that no longer responds.
ESCAPE = b"\x1d"


def pty_flags() -> int:
    """Whether the command gets a terminal, and for which streams."""
    if not (os.isatty(0) and os.isatty(1)):
        return 0
    return channel.PTY | (channel.PTY_STDERR if os.isatty(2) else 0)


def size() -> tuple[int, int]:
    """Rows and columns of the caller's terminal; zeros without a terminal."""
    try:
        rows, cols = struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, b"\0" * 8))[:2]
    except OSError:
        return 0, 0
    return rows, cols


def make_raw(stack: ExitStack) -> None:
    """Passes every key to the guest until `stack` unwinds."""
    before = termios.tcgetattr(0)
    restore: Callable[..., None] = termios.tcsetattr
    stack.callback(restore, 0, termios.TCSADRAIN, before)
    tty.setraw(0)
