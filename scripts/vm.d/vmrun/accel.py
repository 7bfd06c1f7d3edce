# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Whether KVM is of use here: it has to have booted this very kernel."""

import os
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
    """Asks the processor, then `probe`, which boots the kernel; remembers what came out.

    /dev/kvm alone proves nothing: there are machines where it is there and a
    guest hangs.
    """
    if not _cpu_can(Path("/proc/cpuinfo").read_text()):
        return False
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    stamp = _stamp(kernel)
    if not stamp.exists():
        stamp.write_text("yes" if probe() else "no")
    return stamp.read_text() == "yes"
