# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-doctor on running kernels, with real devices; the other tools repeat its advice."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from iommufd import vfio
from iommufd.ctx import Context
from iommufd.edu import addresses
from iommufd.platform import X86
from privileges import as_nobody
from tool_runner import run

pytestmark = pytest.mark.guest(kernels="plain")

NAME = "iommufd-doctor"
Lines = dict[tuple[str, str | None], dict]

# As in test_why.py: functions of a slot that are not isolated.
SLOT = ("edu,multifunction=on", "virtio-rng-pci,function=1,disable-legacy=on")
RNG = (0x1AF4, 0x1044)

IOMMU = "Intel VT-d" if X86 else "Arm SMMUv3"
INTERRUPTS = "the IOMMU remaps interrupts" if X86 else "only x86 remaps interrupts"


def look(*arguments: str, status: int = 0, prefix: tuple[str, ...] = ()) -> Lines:
    """The lines by check and device; the last one is left out."""
    done = run(NAME, "-j", *arguments, prefix=prefix)
    assert (done.returncode, done.stderr) == (status, ""), done.stdout
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(line["check"], line.get("device")): line for line in lines[:-1]}


def obey(advice: str) -> None:
    """Runs the command of the advice."""
    subprocess.run(["sh", "-e", "-c", advice.partition(": ")[2]], check=True)


@contextmanager
def hidden(*folders: str) -> Iterator[None]:
    """Empty folders in place of these."""
    for folder in folders:
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    try:
        yield
    finally:
        for folder in folders:
            subprocess.run(["umount", folder], check=True)


def test_bound() -> None:
    """A device that VFIO has, on a machine on which all works."""
    address = addresses()[0]
    group = os.path.basename(os.readlink(vfio.SYSFS / address / "iommu_group"))
    found = look()
    assert f"{IOMMU} is on" in found["iommu", None]["what"]
    assert INTERRUPTS in found["interrupts", None]["what"]
    assert found["iommufd", None]["what"].startswith("iommufd-bpf, a module (")
    assert found["iommufd", None]["what"].endswith("iommufd.ko)")
    assert "from iommufd-bpf too" in found["driver-half", None]["what"]
    assert "a file in /dev/vfio/devices" in found["vfio", None]["what"]
    assert "VFIO's own (type1)" in found["container", None]["what"]
    assert "show everything" in found["tools", None]["what"]
    assert found["driver", address]["what"] == "is bound to vfio-pci"
    assert found["group", address]["what"] == f"is alone in IOMMU group {group}"
    assert found["users", address]["what"] == "is not in use"
    assert found["file", address]["state"] == "ok"
    # The device really has no reset.
    assert found["reset", address]["state"] == "warning"


def test_open(context: Context) -> None:
    """A process has the device, and iommufd, open."""
    first, second = addresses()[:2]
    with vfio.Device(first) as device:
        device.bind(context)
        found = look(first, second)
    user = f" ({os.getpid()})"
    assert found["users", first]["state"] == "warning"
    assert f"{user} has /dev/vfio/devices/vfio" in found["users", first]["what"]
    assert found["users", second]["state"] == "ok"
    assert user in found["users", None]["what"]


@pytest.mark.guest(devices=SLOT)
def test_bound_to_another_driver() -> None:
    """A kernel driver has one function of a slot, which is in the way of the other one."""
    (edu,) = addresses()
    (rng,) = vfio.find(*RNG)
    assert look(edu)["group", edu]["state"] == "warning"
    with vfio.kernel_driver(rng, "virtio-pci"):
        found = look(edu, rng, status=1)
        assert "is bound to virtio-pci" in found["driver", rng]["what"]
        assert f"the driver virtio-pci of {rng} is in the way" in found["group", edu]["what"]
        assert "functions of one device" in found["group", edu]["what"]
        assert found["group", edu]["advice"] == found["driver", rng]["advice"]
        obey(found["group", edu]["advice"])
        found = look(edu, rng)
        assert found["driver", rng]["what"] == "is bound to vfio-pci"
        assert found["group", edu]["state"] == "warning"


def test_without_driver() -> None:
    address = addresses()[0]
    (vfio.SYSFS / address / "driver" / "unbind").write_text(address)
    line = look(address, status=1)["driver", address]
    assert line["what"] == "has no driver"
    obey(line["advice"])
    assert look(address)["driver", address]["state"] == "ok"


def test_another_user() -> None:
    """An ordinary user may open nothing, and load no BPF programs."""
    address = addresses()[0]
    found = look(status=1, prefix=as_nobody())
    assert "may not open /dev/iommu" in found["file", None]["what"]
    assert "which this user may not open" in found["file", address]["what"]
    assert "may lock 8.00M for DMA" in found["memlock", None]["what"]
    assert "only visible to root" in found["users", address]["what"]
    for check in ("tracefs", "bpf", "tools"):
        assert found[check, None]["state"] == "warning"
    # Symbols and types tell whose it is without root, too.
    assert found["iommufd", None]["what"].startswith("iommufd-bpf")


@pytest.mark.guest(kernels="peers")
def test_stock() -> None:
    """The kernel's own iommufd."""
    found = look()
    assert found["iommufd", None]["state"] == "warning"
    assert "the stock one, a module" in found["iommufd", None]["what"]
    assert "the kernel's own" in found["driver-half", None]["what"]
    assert "show a part" in found["tools", None]["what"]


def repeated(check: str, *folders: str, status: int) -> None:
    """Without the folders, iommufd-top says what the doctor says, with the same advice."""
    with hidden(*folders):
        line = look(status=1)[check, None]
        done = run("iommufd-top", "-b", "-n", "1", "-d", "0.1")
    assert done.returncode == status
    assert f"iommufd-top: {line['what']}\n{line['advice']}\n" in done.stderr


def test_advice_is_repeated() -> None:
    """If the IOMMU is off, the kernel has no types, or iommufd is not loaded."""
    repeated("iommu", "/sys/class/iommu", "/sys/kernel/iommu_groups", status=0)
    repeated("btf", "/sys/kernel/btf", status=1)
    # Some events are there also then: those of the part that is built in.
    repeated("iommufd", "/sys/class/misc", status=1)


def test_no_device_file() -> None:
    os.rename("/dev/iommu", "/dev/iommu.away")
    try:
        repeated("file", status=0)
    finally:
        os.rename("/dev/iommu.away", "/dev/iommu")
