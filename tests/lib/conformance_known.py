# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Cases of the base kernel's own tests that do not pass everywhere, and why."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

# Where the base kernel itself fails its tests; ours has to pass them all the same.
PEER: dict[str, tuple[str, ...]] = {
    "its mock does not say which file the dma-buf is": ("iommufd_ioas.*.dmabuf_*",),
}

# Where iommufd as the VFIO container can't pass, ours no more than the peer's.
CONTAINER: dict[str, tuple[str, ...]] = {
    "registers are mapped by a dma-buf, not by their address": (
        "igb.vfio_dma_mapping_mmio_test.vfio_type1*",
    ),
}

# Variants that have nothing to test: the program skips them. Those of VFIO follow the device.
SKIPPED = (
    "iommufd_viommu.no_viommu.viommu_alloc_*",
    "iommufd_viommu.no_viommu.vdevice_[ct]*",
    "iommufd_viommu.no_viommu.hw_queue",
    "edu.vfio_pci_device_test.reset",
    "edu.vfio_pci_irq_test.msix.*",
    "nvme.vfio_pci_irq_test.msi.*",
)


def _among(case: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(case, pattern) for pattern in patterns)


def reason(case: str, kernel: str) -> str:
    """Why a case does not pass on a kernel; nothing if it has to."""
    known = PEER if kernel.startswith("peer") else {}
    if kernel.endswith("container"):
        known = known | CONTAINER
    return next((why for why, patterns in known.items() if _among(case, patterns)), "")


def may_skip(case: str) -> bool:
    """Whether a case may skip itself."""
    return _among(case, SKIPPED)
