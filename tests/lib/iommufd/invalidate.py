# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOMMU_HWPT_INVALIDATE: any entries, and those that the mock has cached for a guest."""

import ctypes

from . import mock_uapi, uapi
from .ctx import Context

ENTRIES = mock_uapi.MOCK_NESTED_DOMAIN_IOTLB_NUM


def send(context: Context, entries: ctypes.Array, **fields: int) -> tuple[int, int]:
    """Sends an array of a driver's structures; (errno, entries handled)."""
    fields = {
        "data_uptr": ctypes.addressof(entries),
        "entry_len": ctypes.sizeof(entries) // max(len(entries), 1),
        "entry_num": len(entries),
        **fields,
    }
    argument = uapi.HwptInvalidate(**fields)
    error = 0
    try:
        context.command("HWPT_INVALIDATE", argument)
    except OSError as caught:
        error = caught.errno
    return error, argument.entry_num


def page_table(context: Context, hwpt: int, count: int = 1, **fields: int) -> tuple[int, int]:
    """Invalidates entries of a page table; (errno, entries handled)."""
    entry = mock_uapi.HwptInvalidateSelftest
    entries = (entry * count)(*[entry(iotlb_id=i % ENTRIES) for i in range(count)])
    data_type = mock_uapi.IOMMU_HWPT_INVALIDATE_DATA_SELFTEST
    return send(context, entries, **{"hwpt_id": hwpt, "data_type": data_type, **fields})


def viommu(
    context: Context, viommu_id: int, virt_id: int, count: int = 1, **fields: int
) -> tuple[int, int]:
    """Invalidates entries of a device of a vIOMMU; (errno, entries handled)."""
    entry = mock_uapi.ViommuInvalidateSelftest
    made = [entry(vdev_id=virt_id, cache_id=i % ENTRIES) for i in range(count)]
    data_type = mock_uapi.IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST
    fields = {"hwpt_id": viommu_id, "data_type": data_type, **fields}
    return send(context, (entry * count)(*made), **fields)
