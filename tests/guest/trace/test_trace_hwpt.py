# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Events of page tables: allocated, freed, invalidated, and dirty pages."""

import ctypes
import errno

import pytest
from errnos import fails
from event_log import EventLog
from iommufd import dirty, mem, mock, mock_uapi, uapi
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.nest import IOVA, SELFTEST, Nest
from iommufd.platform import MSI

pytestmark = pytest.mark.guest(kernels="ours")

PAGING, NESTED, VIOMMU = 2, 3, 7
INVALID = errno.EINVAL
HWPT_DATA = mock_uapi.IOMMU_HWPT_INVALIDATE_DATA_SELFTEST
VIOMMU_DATA = mock_uapi.IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST
# The mock's smallest pages in one CPU page.
EACH = PAGE // mock.PAGE


@pytest.fixture
def ctx(seen: EventLog, nest: Nest) -> int:
    """The number of the context; drops the events of its creation."""
    number = seen.context()
    seen.forget()
    return number


@pytest.mark.parametrize("flags", [0, uapi.HWPT_ALLOC_DIRTY_TRACKING, uapi.HWPT_ALLOC_NEST_PARENT])
def test_by_name(seen: EventLog, nest: Nest, ctx: int, flags: int) -> None:
    hwpt = nest.paging(flags)
    about = {"ctx": ctx, "hwpt": hwpt, "kind": PAGING, "automatic": 0}
    made = {"parent": nest.ioas, "device": nest.device.device, "flags": flags}
    seen.is_one("hwpt_alloc", data_type=0, ret=0, **about, **made)
    nest.destroy(hwpt)
    seen.is_one("hwpt_free", **about)


@pytest.mark.parametrize("on_viommu", [False, True], ids=["parent", "viommu"])
def test_nested(seen: EventLog, nest: Nest, ctx: int, on_viommu: bool) -> None:
    parent = nest.viommu() if on_viommu else nest.parent
    hwpt = nest.nested(parent)
    about = {"ctx": ctx, "hwpt": hwpt, "kind": NESTED, "automatic": 0}
    made = {"parent": parent, "device": nest.device.device, "flags": 0}
    seen.is_one("hwpt_alloc", data_type=SELFTEST, ret=0, **about, **made)
    nest.destroy(hwpt)
    seen.is_one("hwpt_free", **about)


def test_that_fails(seen: EventLog, nest: Nest, ctx: int) -> None:
    data = mock_uapi.HwptSelftest()
    argument = uapi.HwptAlloc(**nest.hwpt_fields(data, data_type=SELFTEST - 1))
    with fails(errno.EOPNOTSUPP):
        nest.context.command("HWPT_ALLOC", argument)
    seen.is_one(
        "hwpt_alloc",
        ctx=ctx,
        hwpt=0,
        parent=nest.parent,
        device=nest.device.device,
        kind=NESTED,
        automatic=0,
        flags=0,
        data_type=SELFTEST - 1,
        ret=-errno.EOPNOTSUPP,
    )
    assert not seen.all("hwpt_free")


def test_for_an_attach_that_fails(seen: EventLog, nest: Nest, ctx: int) -> None:
    """It was created, but no request could ever find it."""
    with mem.anonymous(PAGE) as buffer, Edu(nest.context) as device:
        ioas = nest.keep(nest.context.ioas_alloc())
        nest.context.map(ioas, buffer, iova=MSI[0])
        seen.forget()
        with fails(errno.EADDRINUSE):
            device.attach(ioas)
        (made,) = seen.all("hwpt_alloc")
        assert (made.number("ret"), made.number("automatic")) == (0, 1)
        assert not seen.all("object_create")


def entries(*flags: int) -> ctypes.Array:
    """Invalidations of a nested page table; a flag of 1 is valid."""
    kind = mock_uapi.HwptInvalidateSelftest
    return (kind * len(flags))(*[kind(flags=f) for f in flags])


def invalidate(nest: Nest, target: int, data_type: int, array: ctypes.Array) -> None:
    argument = uapi.HwptInvalidate(
        hwpt_id=target,
        data_uptr=ctypes.addressof(array),
        data_type=data_type,
        entry_len=ctypes.sizeof(array._type_),
        entry_num=len(array),
    )
    nest.context.command("HWPT_INVALIDATE", argument)


def test_invalidate(seen: EventLog, nest: Nest, ctx: int) -> None:
    hwpt = nest.nested()
    about = {"ctx": ctx, "object": hwpt, "kind": NESTED, "data_type": HWPT_DATA, "entry_len": 8}
    invalidate(nest, hwpt, HWPT_DATA, entries(1, 1, 1))
    seen.is_one("hwpt_invalidate", asked=3, handled=3, ret=0, **about)
    seen.forget()
    with fails(errno.EOPNOTSUPP):
        invalidate(nest, hwpt, HWPT_DATA, entries(1, 1, 8, 1))
    seen.is_one("hwpt_invalidate", asked=4, handled=2, ret=-errno.EOPNOTSUPP, **about)


def test_invalidate_of_a_viommu(seen: EventLog, nest: Nest, ctx: int) -> None:
    viommu = nest.viommu()
    nest.vdevice(viommu, 9)
    kind = mock_uapi.ViommuInvalidateSelftest
    array = (kind * 2)(kind(vdev_id=9, cache_id=1), kind(vdev_id=9, cache_id=2))
    invalidate(nest, viommu, VIOMMU_DATA, array)
    seen.is_one(
        "hwpt_invalidate",
        ctx=ctx,
        object=viommu,
        kind=VIOMMU,
        data_type=VIOMMU_DATA,
        entry_len=ctypes.sizeof(kind),
        asked=2,
        handled=2,
        ret=0,
    )


def test_invalidate_of_another_type(seen: EventLog, nest: Nest, ctx: int) -> None:
    with fails(INVALID):
        invalidate(nest, nest.ioas, HWPT_DATA, entries(1))
    seen.is_one(
        "hwpt_invalidate",
        ctx=ctx,
        object=nest.ioas,
        kind=4,
        data_type=HWPT_DATA,
        entry_len=8,
        asked=1,
        handled=0,
        ret=-INVALID,
    )


@pytest.mark.parametrize("clear", [True, False])
def test_dirty(seen: EventLog, nest: Nest, ctx: int, clear: bool) -> None:
    """Two of four pages, each of which is a page of its own for the IOMMU."""
    context = nest.context
    ioas = nest.keep(context.ioas_alloc())
    context.set_option(uapi.OPTION_HUGE_PAGES, 0, ioas)
    hwpt = nest.paging(uapi.HWPT_ALLOC_DIRTY_TRACKING, ioas)
    for page in range(4):
        at = page * PAGE
        context.map(ioas, nest.buffer.address + at, PAGE, iova=IOVA + at)
    dirty.track(context, hwpt)
    dirty.mark(context, hwpt, IOVA, [0, 2 * EACH])
    about = {"ctx": ctx, "hwpt": hwpt, "iova": IOVA, "length": 4 * PAGE, "ret": 0}

    found = dirty.read(context, hwpt, IOVA, 4 * PAGE, mock.PAGE, clear=False)
    assert len(found) == 2 * EACH
    seen.is_one("dirty_read", page_size=mock.PAGE, dirty=2 * EACH, flags=1, **about)
    flags = 0 if clear else 1
    for expected in ([0, 2], [] if clear else [0, 2]):
        seen.forget()
        assert dirty.read(context, hwpt, IOVA, 4 * PAGE, PAGE, clear=clear) == expected
        seen.is_one("dirty_read", page_size=PAGE, dirty=len(expected), flags=flags, **about)


def test_dirty_that_fails(seen: EventLog, nest: Nest, ctx: int) -> None:
    hwpt = nest.paging(uapi.HWPT_ALLOC_DIRTY_TRACKING)
    with fails(INVALID):
        dirty.read_into(nest.context, hwpt, IOVA, 0, 0, PAGE)
    seen.is_one(
        "dirty_read",
        ctx=ctx,
        hwpt=hwpt,
        iova=IOVA,
        length=0,
        page_size=PAGE,
        dirty=0,
        flags=0,
        ret=-INVALID,
    )
