# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Tracing is switched on and off while all CPUs run the code that this patches.

This is a test of the machine. An emulator that keeps stale translations of code
panics sooner or later, with "Oops: int3" (scripts/vm --parallel).
"""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from iommufd.trace import TRACEFS, functions
from privileges import may_open_iommufd
from vmrun.paths import built

CPUS = 4
SECONDS = 40
SEED = "1"
# Each of them occurs in many of the calls that the load makes.
EVENTS = [TRACEFS / "events" / name for name in ("iommufd", "kmem", "raw_syscalls", "sched")]

pytestmark = [
    pytest.mark.guest(kernels="ours", smp=CPUS),
    pytest.mark.full,
    pytest.mark.limit(3 * SECONDS),
]


def events() -> None:
    """Jump labels and static calls."""
    for value in ("1", "0"):
        for folder in EVENTS:
            (folder / "enable").write_text(value)


def tracer() -> None:
    """The first instruction of all functions of the module."""
    (TRACEFS / "set_ftrace_filter").write_text("*:mod:iommufd")
    for name in ("function", "nop"):
        (TRACEFS / "current_tracer").write_text(name)
    (TRACEFS / "set_ftrace_filter").write_text("")


def probes() -> None:
    """A probe on some of these functions, each patched separately."""
    control = TRACEFS / "kprobe_events"
    probed = enumerate(functions("iommufd")[::8])
    control.write_text("".join(f"p:storm/f{number} {name}\n" for number, name in probed))
    for value in ("1", "0"):
        (TRACEFS / "events" / "storm" / "enable").write_text(value)
    control.write_text("")


@pytest.mark.parametrize("switch", [events, tracer, probes])
def test_switched_under_load(switch: Callable[[], None], tmp_path: Path) -> None:
    """The guest's log stays clean, and no request of the load fails."""
    load = [built("selftests") / "stress", str(SECONDS), SEED, str(2 * CPUS)]
    rounds = 0
    with may_open_iommufd(), (tmp_path / "said").open("w+") as said:
        with subprocess.Popen(load, stdout=subprocess.DEVNULL, stderr=said) as process:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end and process.poll() is None:
                switch()
                rounds += 1
        said.seek(0)
        assert (process.returncode, said.read()) == (0, "")
    assert rounds
