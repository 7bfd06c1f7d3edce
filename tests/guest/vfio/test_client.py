# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A real client: QEMU in the guest passes a device through to a guest of its own by iommufd.

All memory of the inner guest is mapped for the device. tests/second/init.c runs in
that guest and lets the device move its pages.
"""

import re
import subprocess

import pytest
from iommufd import edu
from vmrun.paths import BUILD

# An emulator in an emulator: it takes minutes to boot.
LIMIT = 1500
CMDLINE = "console=ttyS0 panic=-1 nokaslr no5lvl mitigations=off no_timer_check tsc=nowatchdog"


def second_level(kernel: str, device: str) -> list[str]:
    """QEMU's command line."""
    return [
        *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-M", "q35,hpet=off", "-accel", "tcg,thread=single", "-cpu", "max", "-m", "256M"),
        *("-serial", "stdio", "-monitor", "none", "-append", CMDLINE),
        *("-kernel", str(BUILD / "kernel" / kernel / "bzImage")),
        *("-initrd", str(BUILD / "selftests" / "second.cpio")),
        *("-object", "iommufd,id=iommufd0"),
        *("-device", f"vfio-pci,host={device},iommufd=iommufd0"),
    ]


@pytest.mark.full
@pytest.mark.limit(LIMIT + 60)
@pytest.mark.guest(kernels=("main", "installed", "peer"))
@pytest.mark.x86("QEMU is not among the programs of other guests")
def test_passed_through(kernel: str) -> None:
    """Registers respond, and DMA reaches exactly the pages that the inner guest intends."""
    command = second_level(kernel, edu.addresses()[0])
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False
    )
    console = done.stdout.decode(errors="replace")
    said = re.findall(r"second: (.*?)\r?\n", console)
    assert said == [
        "id 0x10000ed, inverted 0xedcba987",
        "16 of 16 pages as they should be",
        "end",
    ], done.stderr.decode(errors="replace") + console
    assert done.returncode == 0
