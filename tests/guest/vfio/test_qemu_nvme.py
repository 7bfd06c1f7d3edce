# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A real client of VFIO's older API: QEMU's own driver of NVMe disks, `nvme://`.

It queries the usable addresses before it opens the device, and allocates temporary
mappings from the upper end.
"""

import os
import subprocess

import pytest
from guestpytest.machine import Machine
from iommufd import nvme, vfio
from iommufd.ctx import Context

pytestmark = [
    pytest.mark.x86("QEMU is not among the programs of other guests"),
    pytest.mark.guest(kernels=("main", "installed", "container")),
    pytest.mark.limit(120),
]

PART = 64 << 10
# Byte offsets in the image, apart from each other and from those of other tests.
TO_READ, TO_WRITE = 4 << 20, 5 << 20


def image_has_what_to_read(machine: Machine) -> None:
    with machine.disks[0].open("r+b") as image:
        image.seek(TO_READ)
        image.write(b"\x5a" * PART)


def image_has_what_was_written(machine: Machine) -> None:
    with machine.disks[0].open("rb") as image:
        image.seek(TO_WRITE)
        assert image.read(PART) == b"\xa5" * PART


class Interrupting(nvme.Nvme):
    """A controller that was started with MSI-X enabled."""

    def __init__(self, context: Context, ioas: int) -> None:
        self._eventfd = os.eventfd(0)
        super().__init__(context, ioas)

    def enable(self, master: bool = True) -> None:
        super().enable(master)
        self.enable_msi(self._eventfd, vfio.IrqSet.MSIX)

    def close(self) -> None:
        self.disable_msi(vfio.IrqSet.MSIX)
        super().close()
        os.close(self._eventfd)


@pytest.fixture
def _vector_in_use() -> None:
    """The emulated controller sends MSI-X for its admin queue.

    It drops messages of a vector that no queue uses. A queue uses its vector only if
    MSI-X was enabled when the queue was made, and QEMU's driver enables it later. A
    queue that ends while MSI-X is disabled stays counted, so such a queue is made before each test.
    """
    with Context() as context:
        Interrupting(context, context.ioas_alloc()).close()


def qemu(container: str, *commands: str) -> str:
    """QEMU's output for commands on a disk; `container` is its /dev/vfio/vfio."""
    device = vfio.find(nvme.VENDOR, nvme.DEVICE)[0]
    disk = f"driver=nvme,node-name=disk,device={device},namespace=1"
    script = 'mount --bind "$0" /dev/vfio/vfio && exec "$@"'
    done = subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c", script, container),
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"),
            *("-M", "none", "-accel", "tcg", "-monitor", "stdio", "-blockdev", disk),
        ],
        input="".join(f'qemu-io disk "{command}"\n' for command in commands) + "quit\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.usefixtures("_vector_in_use")
@pytest.mark.on_host(before=image_has_what_to_read, after=image_has_what_was_written)
@pytest.mark.parametrize("container", ["/dev/iommu", "/dev/vfio/vfio"])
def test_nvme(container: str) -> None:
    said = qemu(
        container,
        f"read -P 0x5a {TO_READ} {PART}",
        f"write -P 0xa5 {TO_WRITE} {PART}",
        "flush",
        f"read -P 0xa5 {TO_WRITE} {PART}",
    )
    assert "failed" not in said, said
    assert said.count(f"read {PART}/{PART} bytes") == 2, said
    assert said.count(f"wrote {PART}/{PART} bytes") == 1, said
