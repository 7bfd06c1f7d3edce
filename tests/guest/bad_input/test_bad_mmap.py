# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""mmap() of /dev/iommu: only whole offers, and an offer stays while it is mapped."""

import errno
import mmap

import pytest
from errnos import errno_of, fails
from iommufd import mock_uapi
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.nest import Nest, pointer
from iommufd.state import unchanged

INVALID, NXIO, PERM, BUSY = errno.EINVAL, errno.ENXIO, errno.EPERM, errno.EBUSY
NOENT = errno.ENOENT
RW = mmap.PROT_READ | mmap.PROT_WRITE
RWX = RW | mmap.PROT_EXEC
IN_DATA = 0x5A5A1234


def offer(nest: Nest) -> tuple[int, int, int]:
    """A vIOMMU, and the offset of two pages that it offers."""
    data = mock_uapi.ViommuSelftest(in_data=IN_DATA)
    viommu = nest.viommu(**pointer(data))
    assert data.out_mmap_length == 2 * PAGE
    return viommu, data.out_mmap_offset, data.out_mmap_length


def test_nothing_offered(context: Context) -> None:
    for offset in (0, PAGE, 1 << 40):
        with unchanged(context), fails(NXIO):
            mmap.mmap(context.fd, PAGE, offset=offset)


WRONG = {
    "shared-private": ({"flags": mmap.MAP_PRIVATE}, INVALID),
    "executable": ({"prot": RWX}, PERM),
    "shorter": ({"length": PAGE}, NXIO),
    "longer": ({"length": 3 * PAGE}, NXIO),
    "before": ({"shift": -PAGE}, NXIO),
    "behind": ({"shift": 2 * PAGE}, NXIO),
    "second-page": ({"shift": PAGE, "length": PAGE}, NXIO),
    "across-the-end": ({"shift": PAGE}, NXIO),
    "not-a-page": ({"shift": 512}, INVALID),
    "far": ({"shift": 1 << 50}, NXIO),
}


@pytest.mark.parametrize(
    ("how", "error"), [pytest.param(*case, id=name) for name, case in WRONG.items()]
)
def test_wrong(nest: Nest, how: dict, error: int) -> None:
    viommu, offset, length = offer(nest)
    with unchanged(nest.context, nest.ioas), fails(error):
        mmap.mmap(
            nest.context.fd,
            how.get("length", length),
            flags=how.get("flags", mmap.MAP_SHARED),
            prot=how.get("prot", RW),
            offset=offset + how.get("shift", 0),
        )
    nest.destroy(viommu)


def test_right(nest: Nest) -> None:
    """It can be read and written, and stays as long as it is mapped."""
    viommu, offset, length = offer(nest)
    with mmap.mmap(nest.context.fd, length, prot=RW, offset=offset) as area:
        assert int.from_bytes(area[:4], "little") == IN_DATA
        area[PAGE : PAGE + 4] = b"abcd"
        for each in (viommu, nest.parent):
            assert errno_of(nest.context.destroy, each) == BUSY
        with mmap.mmap(nest.context.fd, length, prot=mmap.PROT_READ, offset=offset) as other:
            assert other[PAGE : PAGE + 4] == b"abcd"
        assert errno_of(nest.context.destroy, viommu) == BUSY
    nest.destroy(viommu)
    with unchanged(nest.context, nest.ioas), fails(NXIO):
        mmap.mmap(nest.context.fd, length, prot=RW, offset=offset)


def test_other_context(nest: Nest) -> None:
    """An offer of one file does not exist in another."""
    _, offset, length = offer(nest)
    with Context() as other:
        with fails(NXIO):
            mmap.mmap(other.fd, length, prot=RW, offset=offset)


def test_two_offers(nest: Nest) -> None:
    """Each can be mapped, but not both in one mapping."""
    first, second = offer(nest), offer(nest)
    assert first[1] + first[2] == second[1]
    with fails(NXIO):
        mmap.mmap(nest.context.fd, 2 * first[2], prot=RW, offset=first[1])
    nest.destroy(first[0])
    with mmap.mmap(nest.context.fd, second[2], prot=RW, offset=second[1]):
        with fails(NXIO):
            mmap.mmap(nest.context.fd, first[2], prot=RW, offset=first[1])


def test_context_closed(nest: Nest) -> None:
    """A mapping keeps the context and all its objects."""
    _, offset, length = offer(nest)
    with mmap.mmap(nest.context.fd, length, prot=RW, offset=offset) as area:
        nest.context.close()
        assert int.from_bytes(area[:4], "little") == IN_DATA
