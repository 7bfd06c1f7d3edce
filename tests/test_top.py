# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-top as a user starts it: through scripts/vm, on a terminal and without one."""

import os
import subprocess
from pathlib import Path

import pytest
from screen import Screen

TOP = Path(__file__).resolve().parent.parent
VM = str(TOP / "scripts" / "vm")
IOMMUFD_TOP = "build/bin/iommufd-top"


def test_terminal_of_the_host(any_kernel):
    """Keys, the picture and a new size pass through the guest's terminal."""
    shell = f"python3 -m iommufd.load --ioas 2 --pause 0.01 >/dev/null & exec {IOMMUFD_TOP} -d 0.5"
    env = {**os.environ, "TERM": "xterm", "PYTHONPATH": "tests/lib"}
    command = [
        VM,
        "--kernel",
        any_kernel,
        "--device",
        "edu",
        "--device",
        "edu",
        "--",
        "sh",
        "-c",
        shell.replace("python3", "/usr/bin/python3"),
    ]
    with Screen(command, 80, 24, timeout=240, cwd=str(TOP), env=env) as screen:
        screen.wait("^q quit  h help")
        screen.wait("1 process, 1 context, 2 IOAS")
        screen.resize(120, 30)
        screen.wait("^ +PID COMMAND +UID IOAS")
        screen.key("r")
        screen.wait("by maps reversed")
        screen.key("p")
        screen.wait("PAUSED")
        screen.key("q")
        assert screen.finish() == 0


@pytest.mark.parametrize(
    ("prepare", "says", "advises"),
    [
        (
            "umount /sys/kernel/debug /sys/kernel/tracing",
            "trace events can't be found",
            "mount -t tracefs",
        ),
        (
            "mount -t tmpfs none /sys/kernel/btf",
            "this kernel does not describe its types",
            "CONFIG_DEBUG_INFO_BTF",
        ),
        (
            "modprobe -r vfio_pci vfio_iommu_type1 vfio_pci_core vfio iommufd",
            "iommufd is not loaded",
            "modprobe iommufd",
        ),
    ],
)
def test_what_is_missing(any_kernel, prepare, says, advises):
    """For other kernels, see test_stock.py."""
    vm = [VM, "--kernel", any_kernel, "--device", "none", "--"]
    done = subprocess.run(
        [*vm, "sh", "-c", f"{prepare} && exec {IOMMUFD_TOP} -n 1"],
        capture_output=True,
        text=True,
        cwd=TOP,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert says in done.stderr
    assert advises in done.stderr
    assert done.stdout == ""
