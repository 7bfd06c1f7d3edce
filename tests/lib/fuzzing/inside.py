# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs in the guest: the program, then a scan for leaked memory."""

import subprocess
import sys
from pathlib import Path

from guestpytest.checks import Checks

from .guest import PROGRAM

EDU = "0x11e8"


def device() -> str:
    """The character device of the first edu device."""
    for folder in sorted(Path("/sys/bus/pci/devices").iterdir()):
        if (folder / "device").read_text().strip() == EDU:
            name = next((folder / "vfio-dev").iterdir()).name
            return f"/dev/vfio/devices/{name}"
    raise LookupError("no edu device")


def main(words: list[str]) -> int:
    """The arguments of the program, except that --vfio is followed by the path of a device."""
    if "--vfio" in words:
        words.remove("--vfio")
        words += ["--device", device()]
    status = subprocess.run([PROGRAM, *words], check=False).returncode
    leaks = Checks().leaks()
    if leaks:
        print(f"FINDING memory leaked:\n{leaks}", flush=True)
    return 1 if leaks else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
