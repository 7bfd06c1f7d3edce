# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The minimal size of each command: that of the oldest program, and not a byte less."""

import errno
import os

import pytest
from errnos import errno_of, fails
from iommufd import uapi
from iommufd.ctx import RW, Context
from iommufd.mem import PAGE
from iommufd.state import unchanged
from iommufd.uapi import ARGUMENT

# The last field of the first version, and fields that make the request name nothing.
FIRST: dict[str, tuple[str, dict[str, int]]] = {
    "DESTROY": ("id", {}),
    "IOAS_ALLOC": ("out_ioas_id", {}),
    "IOAS_ALLOW_IOVAS": ("allowed_iovas", {}),
    "IOAS_COPY": ("src_iova", {"flags": RW, "length": PAGE}),
    "IOAS_IOVA_RANGES": ("out_iova_alignment", {}),
    "IOAS_MAP": ("iova", {"flags": RW, "user_va": PAGE, "length": PAGE}),
    "IOAS_UNMAP": ("length", {"length": PAGE}),
    "OPTION": ("val64", {"option_id": 99}),
    "VFIO_IOAS": ("__reserved", {}),
    "HWPT_ALLOC": ("__reserved", {}),
    "GET_HW_INFO": ("__reserved", {}),
    "HWPT_SET_DIRTY_TRACKING": ("__reserved", {}),
    "HWPT_GET_DIRTY_BITMAP": ("data", {"length": PAGE, "page_size": PAGE}),
    "HWPT_INVALIDATE": ("__reserved", {}),
    "FAULT_QUEUE_ALLOC": ("out_fault_fd", {}),
    "IOAS_MAP_FILE": ("iova", {"flags": RW, "length": PAGE, "fd": -1}),
    "VIOMMU_ALLOC": ("out_viommu_id", {"type": 1}),
    "VDEVICE_ALLOC": ("virt_id", {}),
    "IOAS_CHANGE_PROCESS": ("__reserved", {}),
    "VEVENTQ_ALLOC": ("out_veventq_fd", {"type": 1, "veventq_depth": 1}),
    "HW_QUEUE_ALLOC": ("length", {"type": 1, "length": PAGE}),
    "IOAS_NOIOMMU_GET_PA": ("out_phys", {"length": PAGE}),
}


def first_size(command: str) -> int:
    field = getattr(ARGUMENT[command], FIRST[command][0])
    return field.offset + field.size


@pytest.mark.parametrize("command", uapi.COMMANDS)
def test_first_version(context: Context, command: str) -> None:
    """The size is accepted: the request fails for another reason."""
    argument = ARGUMENT[command](size=first_size(command), **FIRST[command][1])
    assert errno_of(context.command, command, argument) not in (errno.EINVAL, errno.ENOTTY)
    if command == "FAULT_QUEUE_ALLOC":
        os.close(argument.out_fault_fd)


@pytest.mark.parametrize("command", uapi.COMMANDS)
def test_less(context: Context, command: str) -> None:
    argument = ARGUMENT[command](size=first_size(command) - 1, **FIRST[command][1])
    with unchanged(context), fails(errno.EINVAL):
        context.command(command, argument)
