# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Checks that must hold after every test in a guest."""

import gc
import os
import re
import time
from pathlib import Path

from iommufd.kmsg import Kmsg
from iommufd.pins import pinned_pages
from vmrun import klog

KMEMLEAK = Path("/sys/kernel/debug/kmemleak")
# kmemleak reports only objects that are older than this.
KMEMLEAK_AGE = 5.5
KMEMLEAK_OURS = re.compile(r"iommufd|iopt_|vfio")
DEVICE_FILES = ("/dev/iommu", "/dev/vfio/")
# Modules that are in use while one of these files is open.
MODULES = ("iommufd", "vfio")


def open_device_files() -> list[str]:
    """Open files of iommufd and VFIO in any process, as pid, fd and path."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if target.startswith(DEVICE_FILES):
            found.append(f"{link.parts[2]}/{link.name}: {target}")
    return found


def _users() -> list[str]:
    """The reference counts of the modules."""
    counts = [Path("/sys/module", name, "refcnt") for name in MODULES]
    return [c.read_text() if c.exists() else "" for c in counts]


class Checks:
    """Checks what a test has left behind."""

    def __init__(self) -> None:
        self._kmsg = Kmsg()
        self._idle = _users()

    def _open_files(self) -> list[str]:
        """Like open_device_files(), which is slow: skips it if the modules are not in use."""
        if _users() == self._idle and all(self._idle):
            return []
        return open_device_files()

    def after_test(self) -> tuple[list[str], bool]:
        """Returns the complaints, and whether the kernel is no longer to be trusted."""
        gc.collect()
        complaints = []
        if files := self._open_files():
            complaints.append("open files left: " + ", ".join(files))
        if pages := pinned_pages():
            complaints.append(f"{pages} pages are still pinned")
        problems = klog.find_problems("\n".join(self._kmsg.new_lines()))
        complaints += [f"the kernel reported:\n{problem}" for problem in problems]
        # Pages that stay pinned would be blamed on the next test too.
        return complaints, bool(problems or complaints)

    def leaks(self) -> str:
        """Leaks of our code that kmemleak finds; empty if the kernel has no kmemleak."""
        if not KMEMLEAK.exists():
            return ""
        for _ in range(2):
            time.sleep(KMEMLEAK_AGE)
            KMEMLEAK.write_text("scan")
        reports = re.split(r"(?=^unreferenced object)", KMEMLEAK.read_text(), flags=re.MULTILINE)
        return "".join(r for r in reports if KMEMLEAK_OURS.search(r))
