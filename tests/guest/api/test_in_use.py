# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOMMU_DESTROY of an object on which others depend: EBUSY, and the object still works."""

import errno
import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from errnos import errno_of, fails
from iommufd import mock, mock_uapi, uapi
from iommufd.mem import PAGE
from iommufd.nest import IOVA, Nest, pointer
from iommufd.state import unchanged

Use = Iterator[list[int]]


def page_table(nest: Nest) -> Use:
    """An IOAS with a page table without further users."""
    ioas = nest.keep(nest.context.ioas_alloc())
    nest.paging(ioas=ioas)
    yield [ioas]


def attached(nest: Nest) -> Use:
    """A page table that was allocated by name, with a device."""
    hwpt = nest.paging()
    nest.device.replace(hwpt)
    yield [hwpt, nest.ioas, nest.device.device]
    nest.device.replace(nest.ioas)


def automatic(nest: Nest) -> Use:
    """An automatic page table."""
    yield [nest.device.hwpt, nest.ioas, nest.device.device]


def nested(nest: Nest) -> Use:
    """A nested page table."""
    nest.nested()
    yield [nest.parent, nest.ioas]


def nested_attached(nest: Nest) -> Use:
    """A nested page table with a device."""
    hwpt = nest.nested()
    nest.device.replace(hwpt)
    yield [hwpt, nest.parent, nest.ioas]
    nest.device.replace(nest.ioas)


def pasid(nest: Nest) -> Use:
    """A page table that only a PASID of a device uses."""
    with mock.Device(nest.context, nest.ioas, mock_uapi.MOCK_FLAGS_DEVICE_PASID) as device:
        hwpts = [nest.paging(uapi.HWPT_ALLOC_PASID) for _ in range(2)]
        device.replace(hwpts[0])
        device.pasid_attach(5, hwpts[1])
        yield hwpts
        device.pasid_detach(5)


def viommu(nest: Nest) -> Use:
    """A vIOMMU without users."""
    nest.viommu()
    yield [nest.parent, nest.ioas]


def nested_of_viommu(nest: Nest) -> Use:
    viommu = nest.viommu()
    nest.nested(viommu)
    yield [viommu, nest.parent]


def vdevice(nest: Nest) -> Use:
    viommu = nest.viommu()
    nest.vdevice(viommu, 1)
    yield [viommu, nest.parent]


def event_queue(nest: Nest) -> Use:
    """A queue with an open file."""
    viommu = nest.viommu()
    with nest.event_queue(viommu) as queue:
        yield [queue.id, viommu]


def event_queue_closed(nest: Nest) -> Use:
    """A queue whose file is closed is still a queue."""
    viommu = nest.viommu()
    nest.event_queue(viommu).close()
    yield [viommu]


def hw_queue(nest: Nest) -> Use:
    viommu = nest.viommu()
    queue = nest.hw_queue(viommu)
    nest.hw_queue(viommu, 1, IOVA + PAGE)
    yield [queue, viommu, nest.parent, nest.ioas]


def mapped(nest: Nest) -> Use:
    """Pages of a vIOMMU, mapped in user space."""
    data = mock_uapi.ViommuSelftest()
    viommu = nest.viommu(**pointer(data))
    with mmap.mmap(nest.context.fd, data.out_mmap_length, offset=data.out_mmap_offset):
        yield [viommu]


def fault_queue(nest: Nest) -> Use:
    """A queue with an open file."""
    with nest.fault_queue() as queue:
        yield [queue.id]


def fault_queue_closed(nest: Nest) -> Use:
    """A queue of a page table, with a closed file."""
    with nest.fault_queue() as queue:
        nest.reporting(queue)
        queue.close()
        yield [queue.id]


def access(nest: Nest) -> Use:
    """A kernel driver."""
    ioas = nest.keep(nest.context.ioas_alloc())
    with mock.Access(nest.context, ioas):
        yield [ioas]


USES: list[Callable[[Nest], Use]] = [
    page_table,
    attached,
    automatic,
    nested,
    nested_attached,
    pasid,
    viommu,
    nested_of_viommu,
    vdevice,
    event_queue,
    event_queue_closed,
    hw_queue,
    mapped,
    fault_queue,
    fault_queue_closed,
    access,
]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_busy(nest: Nest, use: Callable[[Nest], Use]) -> None:
    """Also when repeated: a refusal leaves no trace. At the end all can be destroyed in order."""
    with contextmanager(use)(nest) as busy:
        with unchanged(nest.context, nest.ioas):
            for each in busy * 2:
                assert errno_of(nest.context.destroy, each) == errno.EBUSY, each


def test_gone(nest: Nest) -> None:
    """The id of a destroyed object names nothing."""
    viommu = nest.viommu()
    made = [
        nest.vdevice(viommu, 1),
        nest.nested(viommu),
        nest.hw_queue(viommu),
        nest.paging(),
        nest.keep(nest.context.ioas_alloc()),
    ]
    for queue in (nest.event_queue(viommu), nest.fault_queue()):
        queue.close()
        made.append(queue.id)
    for each in [*made, viommu]:
        nest.destroy(each)
        with fails(errno.ENOENT):
            nest.context.destroy(each)
