# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Invalid IOMMU_HW_QUEUE_ALLOC, and what a queue in a guest's memory pins down."""

import errno
import mmap

import pytest
from errnos import errno_of, fails
from iommufd import mem, uapi
from iommufd.ctx import NO_ID
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.nest import HW_QUEUE, IOVA, MAPPED, Nest
from iommufd.pins import pinned_pages
from iommufd.state import unchanged

OURS = pytest.mark.guest(kernels="ours")
INVALID, UNSUPPORTED, NOENT = errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT
OVERFLOW, FAULT, BUSY = errno.EOVERFLOW, errno.EFAULT, errno.EBUSY
# An address where nothing is mapped yet.
FREE = IOVA + 0x100000
LAST = uapi.U64_MAX - PAGE + 1

FIELDS = {
    "size": ({"size": 39}, INVALID),
    "flags": ({"flags": 1}, UNSUPPORTED),
    "flags-31": ({"flags": 1 << 31}, UNSUPPORTED),
    "type-default": ({"type": uapi.HW_QUEUE_TYPE_DEFAULT}, UNSUPPORTED),
    "type-of-another": ({"type": uapi.HW_QUEUE_TYPE_TEGRA241_CMDQV}, UNSUPPORTED),
    "type-max": ({"type": 0xFFFFFFFF}, UNSUPPORTED),
    "viommu-0": ({"viommu_id": 0}, NOENT),
    "viommu-unknown": ({"viommu_id": NO_ID}, NOENT),
    "nothing": ({"length": 0}, INVALID),
    "length-max": ({"length": uapi.U64_MAX}, OVERFLOW),
    "wraps": ({"nesting_parent_iova": LAST, "length": 2 * PAGE}, OVERFLOW),
    "not-mapped": ({"nesting_parent_iova": FREE}, NOENT),
    "last-page": ({"nesting_parent_iova": LAST - PAGE}, NOENT),
    "0": ({"nesting_parent_iova": 0}, NOENT),
    "begins-too-early": ({"nesting_parent_iova": IOVA - PAGE, "length": 2 * PAGE}, NOENT),
    "ends-too-late": ({"nesting_parent_iova": IOVA + PAGE, "length": 2 * PAGE}, NOENT),
    "a-byte-too-late": ({"nesting_parent_iova": IOVA + PAGE, "length": PAGE + 1}, NOENT),
    "all-and-more": ({"length": 1 << 30}, NOENT),
    "index-2": ({"index": 2}, INVALID),
    "index-max": ({"index": 0xFFFFFFFF}, INVALID),
    "index-of-nothing-before": ({"index": 1}, errno.EIO),
}


def fields_of(viommu: int, **fields: int) -> dict[str, int]:
    """A valid request, except for these fields."""
    right = {
        "viommu_id": viommu,
        "type": HW_QUEUE,
        "nesting_parent_iova": IOVA,
        "length": PAGE,
    }
    return {**right, **fields}


@pytest.mark.parametrize(
    ("fields", "error"), [pytest.param(*case, id=name) for name, case in FIELDS.items()]
)
def test_fields(nest: Nest, fields: dict, error: int) -> None:
    nest.refuses("HW_QUEUE_ALLOC", error, **fields_of(nest.viommu(), **fields))
    unmappable(nest)


def unmappable(nest: Nest) -> None:
    """A refused request pins nothing."""
    assert nest.context.unmap(nest.ioas, IOVA, MAPPED) == MAPPED
    nest.context.map(nest.ioas, nest.buffer, MAPPED, iova=IOVA)


@pytest.mark.parametrize("other", ["ioas", "device", "parent", "vdevice"])
def test_not_a_viommu(nest: Nest, other: str) -> None:
    target = {
        "ioas": lambda: nest.ioas,
        "device": lambda: nest.device.device,
        "parent": lambda: nest.parent,
        "vdevice": lambda: nest.vdevice(nest.viommu(), 1),
    }[other]()
    nest.refuses("HW_QUEUE_ALLOC", NOENT, **fields_of(target))


def test_index_twice(nest: Nest) -> None:
    """In one vIOMMU."""
    viommu = nest.viommu()
    queue = nest.hw_queue(viommu)
    nest.refuses("HW_QUEUE_ALLOC", errno.EEXIST, **fields_of(viommu))
    nest.hw_queue(nest.viommu())
    nest.destroy(queue)
    nest.hw_queue(viommu)


def test_scattered(nest: Nest) -> None:
    """Pages that are not contiguous: the same page twice, in two areas and in one."""
    viommu, context = nest.viommu(), nest.context
    for iova in (FREE, FREE + PAGE):
        context.map(nest.ioas, nest.buffer.address, PAGE, iova=iova)
    fields = fields_of(viommu, nesting_parent_iova=FREE, length=2 * PAGE)
    nest.refuses("HW_QUEUE_ALLOC", FAULT, **fields)
    # Each one by itself is contiguous.
    for iova in (FREE, FREE + PAGE):
        nest.destroy(nest.hw_queue(viommu, iova=iova))
    assert context.unmap(nest.ioas, FREE, 2 * PAGE) == 2 * PAGE


def test_scattered_area(nest: Nest) -> None:
    """One area of a file whose pages were allocated alternately from both ends."""
    with mem.memfd(64 * PAGE) as memory:
        for i in range(32):
            memory.write(b"x", i * PAGE)
            memory.write(b"x", (63 - i) * PAGE)
        nest.context.map(nest.ioas, memory, iova=FREE)
        fields = fields_of(nest.viommu(), nesting_parent_iova=FREE, length=64 * PAGE)
        nest.refuses("HW_QUEUE_ALLOC", FAULT, **fields)
        assert nest.context.unmap(nest.ioas, FREE, memory.size) == memory.size


@pytest.mark.parametrize("offset", [0, 1, 8, 2048, PAGE - 1])
@pytest.mark.parametrize("length", [1, 32, PAGE])
def test_anywhere(nest: Nest, offset: int, length: int) -> None:
    """In contiguous memory, a queue may begin and end anywhere."""
    with mem.hugetlb(mem.HUGE) as memory:
        nest.context.map(nest.ioas, memory, 4 * PAGE, iova=FREE)
        queue = nest.hw_queue(nest.viommu(), iova=FREE + offset, length=length)
        with fails(BUSY):
            nest.context.unmap(nest.ioas, FREE, 4 * PAGE)
        nest.destroy(queue)
        assert nest.context.unmap(nest.ioas, FREE, 4 * PAGE) == 4 * PAGE


@OURS
def test_read_only(nest: Nest) -> None:
    """The hardware would write to a read-only mapping; the peer allows it."""
    nest.context.map(nest.ioas, nest.buffer.address, PAGE, iova=FREE, prot=uapi.MAP_READABLE)
    fields = fields_of(nest.viommu(), nesting_parent_iova=FREE)
    nest.refuses("HW_QUEUE_ALLOC", errno.EPERM, **fields)
    assert nest.context.unmap(nest.ioas, FREE, PAGE) == PAGE


def test_unmap(nest: Nest) -> None:
    """Is refused as a whole while there is a queue, and unmaps nothing."""
    context = nest.context
    context.map(nest.ioas, nest.buffer.address, PAGE, iova=FREE)
    queue = nest.hw_queue(nest.viommu())
    for start, length in ((IOVA, MAPPED), (0, uapi.U64_MAX), (IOVA, FREE - IOVA + PAGE)):
        with unchanged(context, nest.ioas), fails(BUSY):
            context.unmap(nest.ioas, start, length)
        nest.device.check(IOVA, nest.buffer, MAPPED)
    # A part of a mapping, which is refused for another reason.
    assert errno_of(context.unmap, nest.ioas, IOVA, PAGE) in (NOENT, BUSY)
    nest.device.check(IOVA, nest.buffer, MAPPED)
    assert context.unmap(nest.ioas, FREE, PAGE) == PAGE
    nest.destroy(queue)
    unmappable(nest)


@OURS
def test_unmap_others(nest: Nest) -> None:
    """A mapping before the queue in the range stays, too; the peer has unmapped it by then."""
    context = nest.context
    context.map(nest.ioas, nest.buffer.address, PAGE, iova=FREE)
    queue = nest.hw_queue(nest.viommu(), iova=FREE)
    for start, length in ((IOVA, FREE - IOVA + PAGE), (0, uapi.U64_MAX)):
        with unchanged(context, nest.ioas), fails(BUSY):
            context.unmap(nest.ioas, start, length)
        nest.device.check(IOVA, nest.buffer, MAPPED)
    nest.destroy(queue)
    assert context.unmap(nest.ioas, FREE, PAGE) == PAGE


def test_two_on_one_page(nest: Nest) -> None:
    """The page stays pinned until the last queue on it is destroyed."""
    viommu = nest.viommu()
    before = pinned_pages()
    queues = [nest.hw_queue(viommu, index, IOVA + index * 64, 64) for index in range(2)]
    assert pinned_pages() == before
    for queue in reversed(queues):
        with fails(BUSY):
            nest.context.unmap(nest.ioas, IOVA, MAPPED)
        nest.destroy(queue)
    unmappable(nest)


def test_order(nest: Nest) -> None:
    """The next queue keeps a queue; both keep the vIOMMU, its parent and the IOAS."""
    viommu = nest.viommu()
    first, second = nest.hw_queue(viommu), nest.hw_queue(viommu, 1, IOVA + PAGE)
    for each in (first, viommu, nest.parent, nest.ioas):
        assert errno_of(nest.context.destroy, each) == BUSY
    nest.destroy(second)
    nest.destroy(first)
    nest.destroy(viommu)


def test_answer_not_writable(nest: Nest) -> None:
    """If the id cannot be copied to user space, no queue is created."""
    viommu = nest.viommu()
    with mem.anonymous(PAGE) as area:
        area.write(bytes(uapi.HwQueueAlloc(**fields_of(viommu))))
        mem.protect(area, mmap.PROT_READ)
        with unchanged(nest.context, nest.ioas), fails(FAULT):
            ioctl(nest.context.fd, uapi.NUMBER["HW_QUEUE_ALLOC"], area.address)
    unmappable(nest)
    nest.hw_queue(viommu)


def test_context_closed(nest: Nest) -> None:
    """With a queue in it: its pages are unpinned."""
    nest.hw_queue(nest.viommu())
    nest.context.close()
