# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The programs that scripts/build-bench builds for a run."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from .errors import BenchError
from .paths import OUT, TOP

WORKLOAD = OUT / "workload"
WORKLOAD_ARM64 = OUT / "arm64" / "workload"
PLUGIN = OUT / "profile.so"


def build(floors: Iterable[str], arm64: bool = False) -> None:
    """Builds the workload, the plugin, and the floor module for these kernels."""
    command = [TOP / "scripts" / "build-bench", *(["--arm64"] if arm64 else []), *floors]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"what runs in the guest could not be built:\n{done.stdout}{done.stderr}")


def floor(kernel: str) -> Path:
    """The module for a kernel."""
    return OUT / kernel / "floor.ko"


def lock_modules(kernel: str) -> list[Path]:
    """The modules with which a kernel's locks are counted."""
    return [OUT / kernel / "locks" / f"{name}.ko" for name in ("mutex_spins", "short_turns")]
