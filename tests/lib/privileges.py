# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs commands and opens files as a user other than root, with chosen capabilities."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from iommufd.pins import NOBODY

LEAST = ("bpf", "perfmon")


def as_nobody(*capabilities: str) -> tuple[str, ...]:
    """The prefix of a command that is to run with these capabilities only."""
    kept = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    who = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return ("setpriv", *who, f"--inh-caps={kept}", f"--ambient-caps={kept}")


def _tracefs(options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", "/sys/kernel/tracing"], check=True)


@contextmanager
def may_read_events() -> Iterator[None]:
    """Opens the trace events to the group of that user."""
    _tracefs(f"gid={NOBODY},mode=750")
    try:
        yield
    finally:
        _tracefs("gid=0,mode=700")


@contextmanager
def may_open_iommufd() -> Iterator[None]:
    """Opens iommufd to every user."""
    mode = os.stat("/dev/iommu").st_mode
    os.chmod("/dev/iommu", 0o666)
    try:
        yield
    finally:
        os.chmod("/dev/iommu", mode)
