# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Features that iommufd refuses on a kernel whose IOMMU drivers do not call it."""

import errno
from collections.abc import Iterator

import pytest
from errnos import fails
from iommufd import edu, uapi
from iommufd.ctx import NO_ID, Context
from iommufd.trace import Stream
from reason_cases import Case

pytestmark = pytest.mark.guest(kernels="installed", devices=["edu"])


@pytest.fixture
def device(context: Context) -> Iterator[edu.Engine]:
    with edu.Engine(edu.addresses()[0]) as device:
        device.bind(context)
        yield device


def test_external_module(stream: Stream, context: Context) -> None:
    """No driver would report an event."""
    argument = uapi.VeventqAlloc(viommu_id=NO_ID, type=1, veventq_depth=1)
    case = Case("external_module", errno.EOPNOTSUPP, lambda c: c.command("VEVENTQ_ALLOC", argument))
    case.run(stream, context, uapi.NUMBER["VEVENTQ_ALLOC"])


@pytest.mark.guest(kernels="stock")
def test_dirty_tracking(context: Context, ioas: int, device: edu.Engine) -> None:
    """Its IOMMU driver could find dirty pages, but not report them."""
    info = uapi.HwInfo(dev_id=device.id)
    context.command("GET_HW_INFO", info)
    assert not info.out_capabilities & uapi.HW_CAP_DIRTY_TRACKING
    argument = uapi.HwptAlloc(dev_id=device.id, pt_id=ioas, flags=uapi.HWPT_ALLOC_DIRTY_TRACKING)
    with fails(errno.EOPNOTSUPP):
        context.command("HWPT_ALLOC", argument)
