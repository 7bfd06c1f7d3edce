# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOMMU_VFIO_IOAS: which IOAS acts as a VFIO container, and which cannot."""

import errno
import mmap

import pytest
from errnos import fails
from iommufd import mem, mock, uapi
from iommufd.ctx import NO_ID, Context
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.state import unchanged
from iommufd.uapi import VFIO_IOAS_CLEAR, VFIO_IOAS_GET, VFIO_IOAS_SET

INVALID, UNSUPPORTED = errno.EINVAL, errno.EOPNOTSUPP
NOENT, NODEV = errno.ENOENT, errno.ENODEV


def run(context: Context, op: int, ioas: int = 0, **fields: int) -> int:
    """Runs an operation; returns the id."""
    argument = uapi.VfioIoas(op=op, ioas_id=ioas, **fields)
    context.command("VFIO_IOAS", argument)
    return argument.ioas_id


def refuses(context: Context, error: int, op: int, ioas: int = 0, **fields: int) -> None:
    with unchanged(context), fails(error):
        run(context, op, ioas, **fields)


@pytest.mark.parametrize("chosen", [False, True])
@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"op": 3}, UNSUPPORTED),
        ({"op": 0xFFFF}, UNSUPPORTED),
        ({"op": VFIO_IOAS_SET, "ioas": 0}, NOENT),
        ({"op": VFIO_IOAS_SET, "ioas": NO_ID}, NOENT),
        ({"op": VFIO_IOAS_SET, "ioas": 0xFFFFFFFF}, NOENT),
        *(({"op": op, "size": 11}, INVALID) for op in range(3)),
        *(({"op": op, "__reserved": 1}, UNSUPPORTED) for op in range(3)),
        *(({"op": op, "__reserved": 0xFFFF}, UNSUPPORTED) for op in range(3)),
    ],
    ids=str,
)
def test_fields(context: Context, ioas: int, chosen: bool, fields: dict, error: int) -> None:
    """A valid choice stays, an invalid one changes nothing."""
    if chosen:
        run(context, VFIO_IOAS_SET, ioas)
    refuses(context, error, **{"ioas": ioas, **fields})
    if chosen:
        assert run(context, VFIO_IOAS_GET) == ioas
    else:
        refuses(context, NODEV, VFIO_IOAS_GET)
    context.destroy(ioas)


def test_other_objects(context: Context, ioas: int) -> None:
    with mock.Device(context, ioas) as device:
        for other in (device.id, device.device, device.hwpt):
            refuses(context, NOENT, VFIO_IOAS_SET, other)
    refuses(context, NODEV, VFIO_IOAS_GET)


def test_none(context: Context, ioas: int) -> None:
    """Before one is chosen, and after."""
    refuses(context, NODEV, VFIO_IOAS_GET)
    run(context, VFIO_IOAS_CLEAR)
    run(context, VFIO_IOAS_CLEAR, NO_ID)
    run(context, VFIO_IOAS_SET, ioas)
    assert run(context, VFIO_IOAS_GET, NO_ID) == ioas
    run(context, VFIO_IOAS_CLEAR)
    refuses(context, NODEV, VFIO_IOAS_GET)


def test_destroyed(context: Context, ioas: int) -> None:
    """The choice does not keep an IOAS, whose id names nothing once it is destroyed."""
    run(context, VFIO_IOAS_SET, ioas)
    run(context, VFIO_IOAS_SET, ioas)
    context.destroy(ioas)
    refuses(context, NODEV, VFIO_IOAS_GET)
    assert context.ioas_alloc() == ioas
    refuses(context, NODEV, VFIO_IOAS_GET)


def test_another(context: Context, ioas: int) -> None:
    """The last choice counts."""
    other = context.ioas_alloc()
    run(context, VFIO_IOAS_SET, ioas)
    run(context, VFIO_IOAS_SET, other)
    context.destroy(ioas)
    assert run(context, VFIO_IOAS_GET) == other


def test_answer_not_writable(context: Context, ioas: int) -> None:
    run(context, VFIO_IOAS_SET, ioas)
    with mem.anonymous(PAGE) as area:
        area.write(bytes(uapi.VfioIoas(op=VFIO_IOAS_GET)))
        mem.protect(area, mmap.PROT_READ)
        with unchanged(context, ioas), fails(errno.EFAULT):
            ioctl(context.fd, uapi.NUMBER["VFIO_IOAS"], area.address)
