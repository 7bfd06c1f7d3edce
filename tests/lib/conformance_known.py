# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Cases of the base kernel's own tests that it does not pass itself, and why."""

from fnmatch import fnmatchcase

# Where the base kernel itself fails its tests; ours has to pass them all the same.
PEER: dict[str, tuple[str, ...]] = {
    "its mock does not say which file the dma-buf is": ("iommufd_ioas.*.dmabuf_*",),
}

# Variants that have nothing to test: the program skips them.
SKIPPED = (
    "iommufd_viommu.no_viommu.viommu_alloc_*",
    "iommufd_viommu.no_viommu.vdevice_[ct]*",
    "iommufd_viommu.no_viommu.hw_queue",
)


def reason(case: str, kernel: str) -> str:
    """Why a case does not pass on a kernel; nothing if it has to."""
    if not kernel.startswith("peer"):
        return ""
    for why, patterns in PEER.items():
        if any(fnmatchcase(case, pattern) for pattern in patterns):
            return why
    return ""


def may_skip(case: str) -> bool:
    """Whether a case may skip itself."""
    return any(fnmatchcase(case, pattern) for pattern in SKIPPED)
