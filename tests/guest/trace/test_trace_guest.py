# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Events of the objects of guests: vIOMMUs, vDEVICEs, and the events of vIOMMUs."""

import ctypes
import errno
from collections.abc import Iterator

import pytest
from errnos import fails
from event_log import EventLog, values
from iommufd import mock_uapi, trace
from iommufd.ctx import NO_ID
from iommufd.nest import VEVENTQ, VIOMMU, Nest

pytestmark = pytest.mark.guest(kernels="ours")

VIRT_ID = 0x123456789A
LENGTH = ctypes.sizeof(mock_uapi.ViommuEventSelftest)


@pytest.fixture
def ctx(seen: EventLog, nest: Nest) -> int:
    """The number of the context; drops the events of its creation."""
    number = seen.context()
    seen.forget()
    return number


def test_viommu(seen: EventLog, nest: Nest, ctx: int) -> None:
    about = {"ctx": ctx, "device": nest.device.device, "hwpt": nest.parent}
    viommu = nest.viommu()
    seen.is_one("viommu_alloc", viommu=viommu, type=VIOMMU, ret=0, **about)
    seen.forget()
    with fails(errno.EOPNOTSUPP):
        nest.viommu(type=VIOMMU - 1)
    failed = {"viommu": 0, "type": VIOMMU - 1, "ret": -errno.EOPNOTSUPP}
    seen.is_one("viommu_alloc", **failed, **about)


def test_vdevice(seen: EventLog, nest: Nest, ctx: int) -> None:
    viommu = nest.viommu()
    about = {"ctx": ctx, "viommu": viommu, "virt_id": VIRT_ID}
    vdevice = nest.vdevice(viommu, VIRT_ID)
    device = nest.device.device
    seen.is_one("vdevice_alloc", vdevice=vdevice, device=device, ret=0, **about)
    seen.forget()
    with fails(errno.ENOENT):
        nest.vdevice(viommu, VIRT_ID, NO_ID)
    failed = {"vdevice": 0, "device": NO_ID, "ret": -errno.ENOENT}
    seen.is_one("vdevice_alloc", **failed, **about)


@pytest.fixture
def viommu(nest: Nest) -> Iterator[int]:
    """A vIOMMU to which the device reports."""
    viommu = nest.viommu()
    nest.vdevice(viommu, 5)
    nest.device.replace(nest.nested(viommu))
    yield viommu
    nest.device.replace(nest.ioas)


def test_vevents(seen: EventLog, nest: Nest, ctx: int, viommu: int) -> None:
    """Two fit, two are lost, one more arrives after the queue was read."""
    about = {"ctx": ctx, "viommu": viommu, "type": VEVENTQ, "length": LENGTH, "ret": 0}
    with nest.event_queue(viommu, depth=2) as queue:
        for _ in range(4):
            nest.device.event()
        queue.read()
        nest.device.event()
        expected = [
            {"veventq": queue.id, "sequence": sequence, "lost": lost, **about}
            for sequence, lost in enumerate((0, 0, 1, 2, 2))
        ]
        assert [values(e) for e in seen.all("vevent")] == expected


def test_vevent_without_a_queue(seen: EventLog, nest: Nest, ctx: int, viommu: int) -> None:
    with fails(errno.EOPNOTSUPP):
        nest.device.event()
    seen.is_one(
        "vevent",
        ctx=ctx,
        viommu=viommu,
        veventq=0,
        type=VEVENTQ,
        length=LENGTH,
        sequence=0,
        lost=0,
        ret=-errno.EOPNOTSUPP,
    )


def test_vevent_is_built_in() -> None:
    """The only event that is not in the module."""
    symbols = {}
    with open("/proc/kallsyms", encoding="ascii") as lines:
        for line in lines:
            _, _, name, *module = line.split()
            if name.startswith("__tracepoint_iommufd_"):
                symbols[name.removeprefix("__tracepoint_")] = bool(module)
    assert sorted(symbols) == trace.available("iommufd")
    assert [name for name, module in symbols.items() if not module] == ["iommufd_vevent"]
