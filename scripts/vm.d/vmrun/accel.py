# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Decides whether KVM is usable: it must have booted this very kernel."""

import os
import platform
import re
from collections.abc import Callable
from pathlib import Path

from .paths import Kernel, writable_dir


def _cpu_can(cpuinfo: str) -> bool:
    return re.search(r"^flags\s*:.*\b(vmx|svm)\b", cpuinfo, re.MULTILINE) is not None


def _stamp(kernel: Kernel) -> Path:
    stat = kernel.image.stat()
    key = f"{kernel.image.parent.name}-{stat.st_size:x}-{stat.st_mtime_ns:x}"
    return writable_dir("vm") / f"kvm-{key}"


def kvm_usable(kernel: Kernel, probe: Callable[[], bool]) -> bool:
    """Checks the CPU, then `probe`, which boots the kernel; caches the result.

    /dev/kvm alone proves nothing: on some machines it exists, but a guest hangs.
    """
    if kernel.arch.name != platform.machine():
        return False
    if not _cpu_can(Path("/proc/cpuinfo").read_text()):
        return False
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    stamp = _stamp(kernel)
    if not stamp.exists():
        stamp.write_text("yes" if probe() else "no")
    return stamp.read_text() == "yes"
