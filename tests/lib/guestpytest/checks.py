# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What has to be true after every test in a guest."""

import gc
import os
import re
import time
from pathlib import Path

from iommufd.kmsg import Kmsg
from iommufd.pins import pinned_pages
from vmrun import klog

KMEMLEAK = Path("/sys/kernel/debug/kmemleak")
# kmemleak takes nothing for lost that is younger.
KMEMLEAK_AGE = 5.5
KMEMLEAK_OURS = re.compile(r"iommufd|iopt_|vfio")
DEVICE_FILES = ("/dev/iommu", "/dev/vfio/")
# Modules that an open one of these keeps in use.
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
    """How often each of the modules is in use."""
    counts = [Path("/sys/module", name, "refcnt") for name in MODULES]
    return [c.read_text() if c.exists() else "" for c in counts]


class Checks:
    """Looks at what a test has left."""

    def __init__(self) -> None:
        self._kmsg = Kmsg()
        self._idle = _users()

    def _open_files(self) -> list[str]:
        """As open_device_files(), which takes long: it asks every process."""
        if _users() == self._idle and all(self._idle):
            return []
        return open_device_files()

    def after_test(self) -> tuple[list[str], bool]:
        """Complaints, and whether the kernel is to be trusted no more."""
        gc.collect()
        complaints = []
        if files := self._open_files():
            complaints.append("open files left: " + ", ".join(files))
        if pages := pinned_pages():
            complaints.append(f"{pages} pages are still pinned")
        problems = klog.find_problems("\n".join(self._kmsg.new_lines()))
        complaints += [f"the kernel reported:\n{problem}" for problem in problems]
        # What is pinned for ever would be held against the next test too.
        return complaints, bool(problems or complaints)

    def leaks(self) -> str:
        """What kmemleak finds of our code, if the kernel has it."""
        if not KMEMLEAK.exists():
            return ""
        for _ in range(2):
            time.sleep(KMEMLEAK_AGE)
            KMEMLEAK.write_text("scan")
        reports = re.split(r"(?=^unreferenced object)", KMEMLEAK.read_text(), flags=re.MULTILINE)
        return "".join(r for r in reports if KMEMLEAK_OURS.search(r))
