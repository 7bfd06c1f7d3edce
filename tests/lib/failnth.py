# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes the kernel's allocations of a call fail, one after the other."""

import os
from collections.abc import Callable
from pathlib import Path

from pin_threads import max_threads

DEBUGFS = Path("/sys/kernel/debug")
# More allocations than any call here makes. A sweep that gets this far would not end.
MOST = 2000


def _prepare() -> None:
    """Lets every allocation fail, without a report in the log."""
    for folder in DEBUGFS.glob("fail*"):
        for name, value in (("ignore-gfp-wait", "N"), ("verbose", "0")):
            if (folder / name).exists():
                (folder / name).write_text(value)


def sweep(
    call: Callable[[], object],
    undone: Callable[[], object],
    done: Callable[[], object],
    threads: int = 1,
) -> int:
    """Repeats a call with its first allocation failing, then its second, until it has no more.

    Threads that help to pin start if pinning takes long. Unless a test asks for them, there are
    none, so that a call makes the same allocations each time.
    """
    _prepare()
    failures = 0
    nth = os.open("/proc/thread-self/fail-nth", os.O_RDWR | os.O_CLOEXEC)
    try:
        with max_threads(threads):
            for n in range(1, MOST):
                error, injected = _attempt(nth, n, call)
                failures += error is not None
                (undone if error else done)()
                if not injected:
                    assert error is None, f"the call fails with all its allocations: {error}"
                    return failures
        raise AssertionError(f"the call still has more allocations after {MOST}")
    finally:
        os.close(nth)


def _attempt(nth: int, n: int, call: Callable[[], object]) -> tuple[OSError | None, bool]:
    """Returns the error of a call, and whether the nth allocation failed."""
    error = None
    os.pwrite(nth, str(n).encode(), 0)
    try:
        call()
    except OSError as caught:
        error = caught
    return error, _disarm(nth)


def _disarm(nth: int) -> bool:
    """Stops injecting failures; returns whether one was injected."""
    try:
        left = os.pread(nth, 16, 0)
    except OSError:
        left = b"0\n"  # it was this very call that failed
    try:
        os.pwrite(nth, b"0", 0)
    except OSError:
        os.pwrite(nth, b"0", 0)
    return left == b"0\n"
