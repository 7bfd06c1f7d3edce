# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Cases of the base kernel's own tests that do not pass everywhere, and why."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

# Cases that fail on the base kernel itself. Our kernel has to pass them all the same.
PEER: dict[str, tuple[str, ...]] = {
    "its mock does not return the file of the dma-buf": ("iommufd_ioas.*.dmabuf_*",),
}

# Cases that cannot pass with iommufd as the VFIO container, neither on our kernel nor the peer.
CONTAINER: dict[str, tuple[str, ...]] = {
    "registers are mapped by a dma-buf, not by their address": (
        "igb.vfio_dma_mapping_mmio_test.vfio_type1*",
    ),
}

# Cases that skip themselves because the variant has nothing to test. For VFIO, this depends on the
# device.
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
    """Why a case does not pass on a kernel; empty if it has to pass."""
    known = PEER if "peer" in kernel else {}
    if kernel.endswith("container"):
        known = known | CONTAINER
    return next((why for why, patterns in known.items() if _among(case, patterns)), "")


def may_skip(case: str) -> bool:
    """Whether a case may skip itself."""
    return _among(case, SKIPPED)
