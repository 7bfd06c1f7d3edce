# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a run needs: the workload, the floor's module of each kernel, QEMU's plugin."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from .errors import BenchError
from .paths import OUT, SOURCES, TOP

WORKLOAD = OUT / "workload"
PLUGIN = OUT / "profile.so"
CFLAGS = ("-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden")


def _run(what: str, *command: str | Path) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BenchError(f"{command[0]} is missing: run scripts/setup") from None
    if done.returncode:
        raise BenchError(f"{what} could not be built:\n{done.stdout}{done.stderr}")


def build_workload(floors: Iterable[str]) -> None:
    """The program that does what is measured, and the module for the kernels that are named."""
    _run("the workload", TOP / "scripts" / "build-bench", *floors)


def build_plugin() -> None:
    """Nothing is kept from last time: it takes a moment."""
    PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    _run("QEMU's plugin", "gcc", *CFLAGS, "-o", PLUGIN, SOURCES / "plugin" / "profile.c")


def floor(kernel: str) -> Path:
    """The module for a kernel."""
    return OUT / kernel / "floor.ko"
