# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""--device: the arguments of QEMU and the guest for each device."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .errors import VmError

# Above the slots that QEMU assigns; the guest binds these slots to vfio-pci.
FIRST_SLOT = 0x10
LAST_SLOT = 0x1D
# The virtual functions of a network adapter are 16 slots above it, and need room too.
SLOTS = {"igb": 0x0C}
DISK_SIZE = 64 << 20

# edu truncates addresses to 28 bits by default. A device that cannot issue an address proves
# nothing about the IOMMU, so our edu devices have full addresses.
EDU_MASK = "dma_mask=0xffffffffffffffff"


@dataclass
class Devices:
    """The requested devices as QEMU's arguments, and their PCI addresses."""

    args: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)


def _nvme(index: int, options: list[str], scratch: str) -> tuple[list[str], list[str]]:
    files = [x[5:] for x in options if x.startswith("file=")]
    rest = [x for x in options if not x.startswith("file=")]
    if files:
        image = files[0]
    else:
        image = f"{scratch}/disk{index}"
        with open(image, "wb") as disk:
            disk.truncate(DISK_SIZE)
    if not any(x.startswith("serial=") for x in rest):
        rest.append(f"serial=disk{index}")
    drive = f"if=none,id=disk{index},format=raw,file={image.replace(',', ',,')}"
    return ["-drive", drive], [f"drive=disk{index}", *rest]


def _place(index: int, name: str, options: list[str], devices: Devices) -> str:
    """Slot and function: function=N adds a function to the device before.

    That device has multifunction=on. The functions of a slot are not isolated from each
    other: they are in one IOMMU group.
    """
    functions = [x for x in options if x.startswith("function=")]
    if functions and devices.addresses:
        options.remove(functions[0])
        slot = devices.addresses[-1].split(":")[2].split(".")[0]
        return f"{slot}.{functions[0].removeprefix('function=')}"
    slot = SLOTS.get(name, FIRST_SLOT + index)
    if slot > LAST_SLOT:
        raise VmError(f"too many devices, {LAST_SLOT - FIRST_SLOT + 1} are possible")
    return f"{slot:02x}.0"


def _one(index: int, spec: str, scratch: str, devices: Devices) -> None:
    name, *options = spec.split(",")
    place = _place(index, name, options, devices)
    before: list[str] = []
    if name == "nvme":
        before, options = _nvme(index, options, scratch)
    elif name == "edu" and not any(x.startswith("dma_mask=") for x in options):
        options = [EDU_MASK, *options]
    if any(x.startswith(("addr=", "bus=")) for x in options):
        raise VmError(f"{spec}: the address of a device is not free to choose")
    devices.args += [*before, "-device", ",".join([name, *options, f"addr={place}"])]
    devices.addresses.append(f"0000:00:{place}")


@contextmanager
def requested_devices(specs: list[str]) -> Iterator[Devices]:
    """The devices of the command line; `none` alone means no device."""
    devices = Devices()
    with tempfile.TemporaryDirectory(prefix="vm-") as scratch:
        for index, spec in enumerate(x for x in specs if x != "none"):
            _one(index, spec, scratch, devices)
        yield devices
