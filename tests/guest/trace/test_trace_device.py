# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Events of devices: bind, attach, replace, detach, unbind; and the owners of failures."""

import errno
import os
from pathlib import Path

import pytest
from errnos import fails
from event_log import EventLog
from iommufd import mock_uapi, uapi, vfio
from iommufd.ctx import NO_ID, Context
from iommufd.edu import Edu, addresses
from iommufd.nest import Nest

pytestmark = pytest.mark.guest(kernels=["ours", "installed"])

PAGING = 2
PASID = 7
GROUPS = Path("/sys/kernel/iommu_groups")


def group_of(device: str) -> int:
    """The group that has a device of this name."""
    (link,) = GROUPS.glob(f"*/devices/{device}")
    return int(link.parent.parent.name)


def test_bind_and_unbind(seen: EventLog, context: Context) -> None:
    address = addresses()[0]
    about = {"ctx": seen.context(), "device": address, "group": group_of(address)}
    with vfio.Device(address) as device:
        number = device.bind(context)
        seen.is_one("device_bind", id=number, ret=0, **about)
        seen.forget()
    seen.is_one("device_unbind", id=number, ret=0, **about)


@pytest.mark.guest(append=("intremap=off",))
@pytest.mark.x86("interrupts that are not isolated")
def test_bind_that_fails(seen: EventLog, context: Context) -> None:
    address = addresses()[0]
    about = {"ctx": seen.context(), "device": address, "group": group_of(address)}
    with vfio.Device(address) as device:
        with fails(errno.EPERM):
            device.bind(context)
    seen.is_one("device_bind", id=0, ret=-errno.EPERM, **about)
    assert not seen.all("device_unbind")


def test_attach_replace_and_detach(seen: EventLog, context: Context, ioas: int) -> None:
    """VFIO turns the second attach into a replace."""
    other = context.ioas_alloc()
    ctx = seen.context()
    with Edu(context) as device:
        where = {"device": device.address, "group": group_of(device.address), "pasid": 0}
        about = {"ctx": ctx, "id": device.id, **where}
        made = {"ctx": ctx, "device": device.id, "kind": PAGING, "automatic": 1}
        new = {**made, "flags": 0, "data_type": 0, "ret": 0}
        seen.forget()

        hwpt = device.attach(ioas)
        seen.is_one("device_attach", target=ioas, hwpt=hwpt, ret=0, **about)
        seen.is_one("hwpt_alloc", hwpt=hwpt, parent=ioas, **new)
        seen.forget()

        second = device.attach(other)
        seen.is_one("device_replace", target=other, hwpt=second, ret=0, **about)
        seen.is_one("hwpt_alloc", hwpt=second, parent=other, **new)
        seen.is_one("hwpt_free", ctx=ctx, hwpt=hwpt, kind=PAGING, automatic=1)
        assert not seen.all("device_attach", "device_detach")
        seen.forget()

        device.detach()
        seen.is_one("device_detach", target=other, hwpt=second, ret=0, **about)
        seen.is_one("hwpt_free", ctx=ctx, hwpt=second, kind=PAGING, automatic=1)
        seen.forget()

        device.detach()
        assert not seen.all("device_detach")


def test_attach_that_fails(seen: EventLog, context: Context, ioas: int) -> None:
    with Edu(context) as device:
        about = {
            "ctx": seen.context(),
            "id": device.id,
            "device": device.address,
            "group": group_of(device.address),
            "pasid": 0,
            "target": NO_ID,
            "hwpt": 0,
            "ret": -errno.ENOENT,
        }
        with fails(errno.ENOENT):
            device.attach(NO_ID)
        seen.is_one("device_attach", **about)
        device.attach(ioas)
        with fails(errno.ENOENT):
            device.attach(NO_ID)
        seen.is_one("device_replace", **about)


@pytest.mark.guest(mock=True)
def test_pasid(seen: EventLog) -> None:
    with Nest(mock_uapi.MOCK_FLAGS_DEVICE_PASID) as nest:
        ctx = seen.context()
        (bound,) = seen.all("device_bind")
        name = bound["device"]
        assert name.startswith("iommufd_mock")
        device = nest.device
        assert bound.number("id") == device.device
        first, second = (nest.paging(uapi.HWPT_ALLOC_PASID) for _ in range(2))
        device.replace(first)
        seen.forget()

        about = {
            "ctx": ctx,
            "id": device.device,
            "device": name,
            "group": group_of(name),
            "pasid": PASID,
            "ret": 0,
        }
        device.pasid_attach(PASID, first)
        seen.is_one("device_attach", target=first, hwpt=first, **about)
        device.pasid_replace(PASID, second)
        seen.is_one("device_replace", target=second, hwpt=second, **about)
        device.pasid_detach(PASID)
        seen.is_one("device_detach", target=nest.ioas, hwpt=second, **about)
        seen.forget()
        device.close()
        (gone,) = seen.all("device_detach")
        assert (gone.number("pasid"), gone.number("hwpt")) == (0, first)


@pytest.mark.guest(mock=True)
def test_objects_of_the_mock(seen: EventLog) -> None:
    """Their type is a number without a name."""
    with Nest() as nest:
        slot = nest.device.id
    (made,) = (e for e in seen.all("object_create") if e.number("id") == slot)
    assert made["type"] == "0xb"


def test_fail(seen: EventLog) -> None:
    """Two contexts: each has its own failures."""
    with Context() as context, Context() as other:
        numbers = [e.number("ctx") for e in seen.all("ctx_open")]
        for each, number in zip((context, other), numbers, strict=True):
            seen.forget()
            with fails(errno.ENOENT):
                each.destroy(NO_ID)
            seen.is_one(
                "fail",
                ctx=number,
                command=uapi.NUMBER["DESTROY"],
                reason="no_object",
                ret=-errno.ENOENT,
                first=NO_ID,
                second=0,
                policy="",
            )
            (event,) = seen.all("fail")
            assert event.pid == os.getpid()
