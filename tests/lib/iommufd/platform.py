# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Constants of the architecture of the guest."""

import platform
from pathlib import Path

X86 = platform.machine() == "x86_64"

# The addresses at which devices send interrupts: no memory can be mapped there (first, last). x86
# defines them; on arm64 the driver of the SMMU does, for mappings of the real doorbells.
MSI = (0xFEE00000, 0xFEEFFFFF) if X86 else (0x08000000, 0x080FFFFF)

# QEMU's virtio-iommu reserves the doorbell itself on arm64.
_MSI_OF_VIRTIO = MSI if X86 else (0x08090000, 0x0809FFFF)

# The width of the addresses that the usual IOMMU translates, and that of others.
IOVA_BITS = 48
IOVA_BITS_OF = {"intel-s1": 47, "virtio": 39 if X86 else 48}


def msi_window(iommu: str) -> tuple[int, int]:
    """`MSI` with another IOMMU than the usual one."""
    return _MSI_OF_VIRTIO if iommu == "virtio" else MSI


def reports_detached() -> bool:
    """Whether the IOMMU reports DMA of a device without a page table; an SMMU drops it silently."""
    return not list(Path("/sys/class/iommu").glob("smmu3.*"))
