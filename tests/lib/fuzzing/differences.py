# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where and why the peer answers differently; docs/architecture.md explains most of these."""

from .trace import Listed

DIFFERENCES: tuple[Listed, ...] = (
    Listed(
        r"(hwpt|nested)_alloc .* = ENOENT",
        r" = EINVAL",
        "HWPT_ALLOC on an unknown id is ENOENT",
    ),
    Listed(
        r"device_info .* = EOPNOTSUPP",
        r" = 0",
        "GET_HW_INFO returns no data of another type than requested",
    ),
    Listed(
        r"fault_trigger .* = EINVAL",
        r" = 0",
        "our mock reports that no queue accepts a fault",
    ),
    Listed(
        r"access_pin .* = EINVAL",
        r" = EOPNOTSUPP",
        "our mock itself reports that an access was not made for pinning",
    ),
    Listed(
        r"access_pin .* = EINVAL",
        r" = EBADE",
        "our mock finds other pages than the expected ones",
    ),
    Listed(
        r"device_(attach|replace) .*nested\d+.* = EINVAL",
        r" = (0|ENOENT)",
        "a device without dirty tracking, and a parent that was made for it",
        same_state=False,
    ),
    Listed(
        r"event_trigger .* = ENODEV",
        r" = ENOENT",
        "our mock reports that a device is on no page table of a vIOMMU",
    ),
    Listed(
        r"dirty_mark .* = refused",
        r" = 0",
        "our mock marks only what is mapped",
        same_state=False,
    ),
    Listed(
        r"change_process .* = 0",
        r" = EINVAL",
        "a dma-buf is not charged, so it is not bound to a process",
    ),
    Listed(
        r"type1_ask info = 0\n\d+ >flags 3",
        r"type1_ask info = 0\n\d+ >flags 3",
        "the largest pages of the mock",
    ),
    Listed(
        r"copy .* = (ENODEV|refused)",
        r" = 0",
        "a dma-buf that its owner has revoked is not copied",
        same_state=False,
    ),
    Listed(
        r"(hwpt_alloc|attach|replace) .* = EFAULT",
        r" = EADDRINUSE",
        "pages are pinned before reserved ranges are compared with what is mapped",
    ),
    Listed(
        r"hwpt_alloc .* flags (8|9|10|11) .* = EOPNOTSUPP",
        r" = (0|EADDRINUSE|EFAULT)",
        "a page table for PASIDs on an IOMMU without PASIDs",
        same_state=False,
    ),
    Listed(
        r"access_rw .* flags 4 = EFAULT",
        r" = 0",
        "writable mappings are pinned for writing, even for a read",
    ),
    Listed(
        r"ioas_ranges .* = (0|EMSGSIZE)\n.* alignment 2048",
        r"ioas_ranges .* = (0|EMSGSIZE)\n.* alignment 4096",
        "the smallest pages of the mock's huge kind",
        same_state=False,
    ),
    Listed(
        r"pasid_(attach|replace) .* to ioas\d+ = EINVAL",
        r" = E",
        "PASIDs need page tables that were allocated by name",
    ),
    Listed(
        r"pasid_attach .* = 0",
        r" = EINVAL",
        "our mock leaves devices without PASIDs to the IOMMU core, which lets them pass",
        same_state=False,
    ),
    Listed(
        r"(map_va|map_file|copy) .*flags [246] .* = ENOSPC",
        r" = 0",
        "the last 64 KiB are chosen only from ranges that the user allows",
        same_state=False,
    ),
    Listed(
        r"(map_va|map_file|copy) .* = 0",
        r" = ENOSPC",
        "the peer does not find every free range",
    ),
    Listed(
        r"(map_va|map_file|copy) .* @0 .*flags [246].* = ",
        r" = EOVERFLOW",
        "the address counts only if it is fixed",
    ),
    Listed(
        r"invalidate .* = 0",
        r" = EINVAL",
        "our mock ignores the index if everything is invalidated, as its header says",
    ),
    Listed(
        r"invalidate nested.* = E\w+\n\d+ >[12] of",
        r" = EINVAL\n\d+ >0 of",
        "our mock copies entries one by one, the peer's copies all of them first",
    ),
    Listed(
        r"map_file .* = EOVERFLOW",
        r" = ENODEV",
        "addresses are checked before files",
    ),
    Listed(
        r"ioas_ranges .*\n.*2 ranges.*\n.*0xfedfffff",
        r"ioas_ranges .*\n.*1 ranges",
        "the peer may not reserve the interrupt window of a device that is bound once more",
        same_state=False,
    ),
    Listed(
        r"ioas_ranges .* = EMSGSIZE\n.*2 ranges",
        r"ioas_ranges .* = 0\n.*1 ranges",
        "the peer may not reserve the interrupt window of a device that is bound once more",
        same_state=False,
    ),
    Listed(
        r"ioas_allow .* = (0|EADDRINUSE)\n(.*\n)*.*0xffffffffffffffff..0xffffffffffffffff",
        r" = EINVAL",
        "an allowed range may be a single address",
        same_state=False,
    ),
)
