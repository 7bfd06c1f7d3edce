# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Devices without an IOMMU: iommufd pins their memory and reports its physical addresses.

The device does DMA to these addresses.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from data_pattern import pattern
from errnos import errno_of, fails
from iommufd import container as api
from iommufd import edu, mem, mock, uapi
from iommufd.container import TYPE1, TYPE1V2, Container, Group
from iommufd.ctx import NO_ID, RW, Context
from iommufd.edu import Engine, GroupEdu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import pinned_pages, unprivileged
from iommufd.uapi import MAP_READABLE, U64_MAX

pytestmark = pytest.mark.guest(
    kernels=("container", "peer-container"),
    iommu="none",
    devices=("edu", "edu"),
    append=("vfio.enable_unsafe_noiommu_mode=1",),
)

IOVA = 0x10000000


@dataclass
class World:
    """A device on an IOAS."""

    context: Context
    ioas: int
    device: Engine
    hwpt: int

    def address(self, iova: int, length: int = PAGE, **other: int) -> tuple[int, int]:
        """IOMMU_IOAS_NOIOMMU_GET_PA; the physical address and its length."""
        return get_pa(self.context, self.ioas, iova, length, **other)

    def where(self, iova: int) -> int:
        """The physical address."""
        return self.address(iova)[0]


def get_pa(context: Context, ioas: int, iova: int, length: int, **other: int) -> tuple[int, int]:
    """IOMMU_IOAS_NOIOMMU_GET_PA"""
    argument = uapi.IoasNoiommuGetPa(ioas_id=ioas, iova=iova, length=length, **other)
    context.command("IOAS_NOIOMMU_GET_PA", argument)
    return argument.out_phys, argument.length


@pytest.fixture
def world(context: Context, ioas: int) -> Iterator[World]:
    with Engine(edu.addresses()[0]) as device:
        device.bind(context)
        hwpt = device.attach(ioas)
        device.power_on()
        yield World(context, ioas, device, hwpt)


@pytest.mark.parametrize("kind", [mem.anonymous, mem.shared, mem.memfd, mem.hugetlb])
def test_dma(world: World, kind) -> None:
    """The device finds the memory at the reported addresses."""
    with kind(HUGE) as buffer:
        world.context.map(world.ioas, buffer, iova=IOVA)
        for offset in (0, PAGE + 16, HUGE - PAGE):
            data = pattern(f"physical {offset}", 256)
            buffer.write(data, offset)
            world.device.dma_read(world.where(IOVA + offset), 256)
            buffer.write(bytes(256), offset)
            world.device.dma_write(world.where(IOVA + offset), 256)
            assert buffer.read(offset, 256) == data


def test_contiguous(world: World) -> None:
    """As much as is contiguous, at most what was requested, from any byte on."""
    with mem.hugetlb(HUGE) as buffer:
        buffer.fill(1)
        world.context.map(world.ioas, buffer, iova=IOVA)
        start, length = world.address(IOVA, 1 << 40)
        assert length == HUGE
        assert start % HUGE == 0
        assert world.address(IOVA + 5 * PAGE + 7, U64_MAX) == (
            start + 5 * PAGE + 7,
            HUGE - 5 * PAGE - 7,
        )
        assert world.address(IOVA + HUGE - 1, 5) == (start + HUGE - 1, 1)
        assert world.address(IOVA + 9, 20) == (start + 9, 20)


def test_scattered(world: World) -> None:
    """The addresses of single pages match those of runs."""
    with mem.anonymous(64 * PAGE) as buffer:
        for page in (*range(0, 64, 2), *range(1, 64, 2)):
            buffer.write(b"x", page * PAGE)
        world.context.map(world.ioas, buffer, iova=IOVA)
        pages = [world.where(IOVA + i * PAGE) for i in range(64)]
        assert len(set(pages)) == 64
        i = 0
        while i < 64:
            start, length = world.address(IOVA + i * PAGE, 64 * PAGE)
            run = [start + j * PAGE for j in range(length // PAGE)]
            assert pages[i : i + len(run)] == run
            i += len(run)
            assert i == 64 or pages[i] != run[-1] + PAGE
        assert i == 64


def test_parts_of_an_array(world: World) -> None:
    """Copies of a part, including read-only ones, have the addresses of the memory."""
    with mem.anonymous(8 * PAGE) as buffer:
        buffer.fill(1)
        world.context.map(world.ioas, buffer, iova=IOVA)
        other = IOVA + HUGE
        world.context.copy(
            world.ioas, world.ioas, IOVA + 3 * PAGE, 2 * PAGE, iova=other, prot=MAP_READABLE
        )
        assert world.where(other) == world.where(IOVA + 3 * PAGE)
        assert world.where(other + PAGE) == world.where(IOVA + 4 * PAGE)
        assert world.address(other + PAGE, HUGE)[1] == PAGE


def test_pinned_while_attached(context: Context, ioas: int) -> None:
    """As with an IOMMU: from the first attach to the last detach."""
    before = pinned_pages()
    with mem.anonymous(16 * PAGE) as buffer, Engine(edu.addresses()[0]) as device:
        context.map(ioas, buffer, iova=IOVA)
        device.bind(context)
        assert pinned_pages() == before
        hwpt = device.attach(ioas)
        assert pinned_pages() - before == 16
        with Engine(edu.addresses()[1]) as second:
            second.bind(context)
            assert second.attach(ioas) == hwpt
            assert get_pa(context, ioas, IOVA, PAGE)[1] == PAGE
            device.detach()
            assert pinned_pages() - before == 16
        assert pinned_pages() == before
        device.attach(ioas)
        assert pinned_pages() - before == 16
        context.unmap(ioas, IOVA, 16 * PAGE)
        assert pinned_pages() == before


def test_held_by_the_device(world: World) -> None:
    for object_id in (world.hwpt, world.ioas, world.device.id):
        assert errno_of(world.context.destroy, object_id) == errno.EBUSY
    world.device.detach()
    assert errno_of(world.context.destroy, world.hwpt) == errno.ENOENT
    world.context.destroy(world.ioas)


def test_moved(world: World) -> None:
    """To another IOAS and back; each pins its own memory."""
    other = world.context.ioas_alloc()
    before = pinned_pages()
    with mem.anonymous(4 * PAGE) as buffer:
        world.context.map(world.ioas, buffer, iova=IOVA)
        assert world.device.attach(other) != world.hwpt
        assert pinned_pages() == before
        with fails(errno.EOPNOTSUPP):
            world.where(IOVA)
        world.device.attach(world.ioas)
        assert pinned_pages() - before == 4
        assert world.address(IOVA)[1] == PAGE
        world.context.unmap_all(world.ioas)


def test_page_table_of_its_own(world: World) -> None:
    """One allocated by name keeps memory pinned without a device, and accepts a device."""
    hwpt = world.context.hwpt_alloc(world.device.id, world.ioas)
    with mem.anonymous(PAGE) as buffer:
        world.context.map(world.ioas, buffer, iova=IOVA)
        world.device.detach()
        assert world.address(IOVA)[1] == PAGE
        assert world.device.attach(hwpt) == hwpt
        world.device.detach()
        world.context.destroy(hwpt)
        with fails(errno.EOPNOTSUPP):
            world.where(IOVA)


@pytest.mark.parametrize("flag", [1, 2, 8], ids=hex)
def test_no_such_page_table(world: World, flag: int) -> None:
    """Features that need an IOMMU are refused."""
    assert errno_of(world.context.hwpt_alloc, world.device.id, world.ioas, flag) == errno.EOPNOTSUPP


def test_no_hw_info(world: World) -> None:
    with fails(errno.EOPNOTSUPP):
        world.context.command("GET_HW_INFO", uapi.HwInfo(dev_id=world.device.id))


def test_all_addresses(world: World) -> None:
    """No IOMMU has to translate the addresses; but only whole pages can be mapped."""
    assert world.context.iova_ranges(world.ioas) == [(0, U64_MAX)]
    assert world.context.iova_alignment(world.ioas) == PAGE
    with mem.anonymous(2 * PAGE) as buffer:
        with fails(errno.EINVAL):
            world.context.map(world.ioas, buffer.address + 8, 64, iova=IOVA + 8)
        for iova in (0, U64_MAX - 2 * PAGE + 1 - PAGE):
            world.context.map(world.ioas, buffer, iova=iova)
            assert world.address(iova)[1] == PAGE
            world.context.unmap(world.ioas, iova, 2 * PAGE)


BAD = {
    "flags": (errno.EOPNOTSUPP, {"flags": 1}),
    "reserved": (errno.EOPNOTSUPP, {"__reserved": 1}),
    "nothing": (errno.EINVAL, {"length": 0}),
    "before": (errno.ENOENT, {"iova": IOVA - 1, "length": 2}),
    "behind": (errno.ENOENT, {"iova": IOVA + PAGE}),
    "last": (errno.EOVERFLOW, {"iova": U64_MAX}),
    "no-ioas": (errno.ENOENT, {"ioas_id": NO_ID}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(world: World, name: str) -> None:
    error, fields = BAD[name]
    with mem.anonymous(PAGE) as buffer:
        world.context.map(world.ioas, buffer, iova=IOVA)
        argument = uapi.IoasNoiommuGetPa(ioas_id=world.ioas, iova=IOVA, length=PAGE)
        for field, value in fields.items():
            setattr(argument, field, value)
        with fails(error):
            world.context.command("IOAS_NOIOMMU_GET_PA", argument)


def test_not_for_everybody(world: World) -> None:
    """Physical addresses require a privilege."""
    with mem.anonymous(PAGE) as buffer:
        world.context.map(world.ioas, buffer, iova=IOVA)
        with unprivileged(1 << 20), fails(errno.EPERM):
            world.where(IOVA)
        assert errno_of(world.where, IOVA) == 0


def test_nothing_without_such_a_device(context: Context, ioas: int) -> None:
    """No address without a device, or with a device that has an IOMMU, such as the mock's."""
    with mem.anonymous(PAGE) as buffer:
        context.map(ioas, buffer, iova=mock.START)
        for _ in range(2):
            assert errno_of(get_pa, context, ioas, mock.START, PAGE) == errno.EOPNOTSUPP
            device = mock.Device(context, ioas)
        device.close()


def test_beside_an_iommu(context: Context, ioas: int, kernel: str) -> None:
    """In an IOAS with a device that has an IOMMU; each has a page table of its kind.

    The peer puts the device on the page table of the other, and then reports no
    address.
    """
    if "peer" in kernel:
        pytest.skip("the peer does not tell them apart")
    with mem.anonymous(PAGE) as buffer, Engine(edu.addresses()[0]) as device:
        context.map(ioas, buffer, iova=mock.START)
        with mock.Device(context, ioas) as other:
            device.bind(context)
            assert errno_of(device.attach, other.hwpt) == errno.EINVAL
            hwpt = device.attach(ioas)
            assert hwpt != other.hwpt
            assert errno_of(mock.Device, context, hwpt) == errno.EINVAL
            other.check(mock.START, buffer)
            assert get_pa(context, ioas, mock.START, PAGE)[1] == PAGE


@pytest.mark.parametrize("path", ["/dev/iommu", "/dev/vfio/vfio"])
def test_group(path: str) -> None:
    """The older API reports no addresses; it only offers the device, to privileged users."""
    with Container(path) as container, Group(edu.addresses()[0], noiommu=True) as group:
        assert errno_of(container.set_iommu, api.NOIOMMU) == errno.EINVAL
        group.set_container(container.fd)
        assert container.extension(api.NOIOMMU) == 1
        for extension in (TYPE1, TYPE1V2, api.UNMAP_ALL):
            assert container.extension(extension) == 0
            assert errno_of(container.set_iommu, extension) == errno.EINVAL
        with unprivileged(1 << 20):
            assert errno_of(container.set_iommu, api.NOIOMMU) == errno.EPERM
            assert errno_of(group.device_fd) == errno.EPERM
        container.set_iommu(api.NOIOMMU)
        assert errno_of(container.info) == errno.ENODEV
        assert errno_of(container.unmap_all) == errno.ENODEV
        GroupEdu(group).close()


@pytest.mark.parametrize("path", ["/dev/iommu", "/dev/vfio/vfio"])
def test_group_or_mappings(path: str) -> None:
    """A process that has chosen an IOAS relies on an IOMMU: it gets no such device."""
    with Container(path) as container, Group(edu.addresses()[0], noiommu=True) as group:
        ioas = uapi.IoasAlloc()
        api.ioctl(container.fd, uapi.NUMBER["IOAS_ALLOC"], ioas)
        choose = uapi.VfioIoas(op=uapi.VFIO_IOAS_SET, ioas_id=ioas.out_ioas_id)
        api.ioctl(container.fd, uapi.NUMBER["VFIO_IOAS"], choose)
        assert errno_of(group.set_container, container.fd) == errno.EINVAL
        clear = uapi.VfioIoas(op=uapi.VFIO_IOAS_CLEAR)
        api.ioctl(container.fd, uapi.NUMBER["VFIO_IOAS"], clear)
        group.set_container(container.fd)
        GroupEdu(group).close()
        api.ioctl(container.fd, uapi.NUMBER["VFIO_IOAS"], choose)
        assert errno_of(group.device_fd) == errno.EPERM


def test_context_closed_first(context: Context, ioas: int) -> None:
    """Files closed in any order leave nothing pinned."""
    before = pinned_pages()
    with mem.anonymous(PAGE) as buffer:
        context.map(ioas, buffer, iova=IOVA, prot=RW)
        device = Engine(edu.addresses()[0])
        device.bind(context)
        device.attach(ioas)
        context.close()
        assert pinned_pages() - before == 1
        device.close()
        assert pinned_pages() == before
