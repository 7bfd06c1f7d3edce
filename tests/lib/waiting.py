# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Waits for an action of another thread or process."""

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 30.0
NR_IOCTL = {"16", "29"}


def until(condition: Callable[[], object]) -> None:
    """Returns when the condition holds; an error after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the condition was not met in time"
        time.sleep(0.001)


def waits_in_ioctl(task: int) -> bool:
    """Whether a process or thread sleeps in an ioctl, in a sleep that only a kill interrupts."""
    number = Path(f"/proc/{task}/syscall").read_text().split()[0]
    state = Path(f"/proc/{task}/stat").read_text().rpartition(")")[2].split()[0]
    return number in NR_IOCTL and state == "D"
