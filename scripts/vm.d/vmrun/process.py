# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs QEMU as a process that cannot outlive this one."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from .errors import VmError

PR_SET_PDEATHSIG = 1


def _die_with_parent(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def running(
    command: list[str], fds: tuple[int, ...], output: IO[bytes]
) -> Iterator[subprocess.Popen]:
    """Runs QEMU, isolated from signals of the terminal; it is gone when this ends."""
    parent = os.getpid()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=fds,
            start_new_session=True,
            preexec_fn=lambda: _die_with_parent(parent),
        )
    except FileNotFoundError:
        raise VmError(f"{command[0]} is not installed") from None
    try:
        yield process
    finally:
        process.kill()
        process.wait()
