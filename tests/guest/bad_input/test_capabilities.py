# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Features that an IOMMU lacks are refused, even if its driver does not check for them."""

import errno
from collections.abc import Iterator

import pytest
from errnos import fails
from iommufd import mock, mock_uapi, uapi
from iommufd.edu import Edu
from iommufd.nest import Nest
from iommufd.trace import Stream
from reason_cases import Case

pytestmark = pytest.mark.guest(kernels="ours")

INVALID, UNSUPPORTED = errno.EINVAL, errno.EOPNOTSUPP
DIRTY = uapi.HWPT_ALLOC_DIRTY_TRACKING
NO_DIRTY = mock_uapi.MOCK_FLAGS_DEVICE_NO_DIRTY


@pytest.fixture(scope="module")
def stream() -> Iterator[Stream]:
    with Stream("iommufd", "iommufd_fail") as stream:
        yield stream


@pytest.mark.parametrize("flags", [DIRTY, DIRTY | uapi.HWPT_ALLOC_NEST_PARENT])
def test_dirty_tracking(stream: Stream, nest: Nest, flags: int) -> None:
    """A page table with dirty tracking, where the IOMMU has none."""
    with mock.Device(nest.context, nest.ioas, NO_DIRTY) as device:

        def make(_: Nest) -> None:
            nest.context.hwpt_alloc(device.device, nest.ioas, flags)

        Case("driver_lacks", UNSUPPORTED, make).run(stream, nest, uapi.NUMBER["HWPT_ALLOC"])


@pytest.mark.parametrize("nested", [False, True], ids=["itself", "nested"])
def test_attach_without_dirty_tracking(stream: Stream, nest: Nest, nested: bool) -> None:
    """Writes of a device must not go unnoticed, whichever stage is requested."""
    parent = nest.paging(DIRTY | uapi.HWPT_ALLOC_NEST_PARENT)
    target = nest.nested(parent) if nested else parent
    with mock.Device(nest.context, nest.ioas, NO_DIRTY) as device:
        numbers = (parent, device.device)
        case = Case("other_iommu", INVALID, lambda _: device.replace(target), numbers)
        case.run(stream, nest, mock_uapi.TEST_CMD)
    nest.device.replace(target)
    nest.device.replace(nest.ioas)


@pytest.mark.x86("VT-d")
def test_pasids(nest: Nest) -> None:
    """VT-d without scalable mode has no PASIDs, yet its driver accepts the flag."""
    with Edu(nest.context, nest.ioas) as device, fails(UNSUPPORTED):
        nest.context.hwpt_alloc(device.id, nest.ioas, uapi.HWPT_ALLOC_PASID)
