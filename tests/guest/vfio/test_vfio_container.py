# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""VFIO's older API, groups and containers, with real DMA of an edu device.

A container is a file of /dev/iommu or /dev/vfio/vfio. The latter is VFIO's own
type1, which shows what programs are used to; on kernels with "container" in their
name, it is iommufd as well.
"""

import ctypes
import errno
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from data_pattern import pattern
from errnos import errno_of, fails
from iommufd import container as api
from iommufd import edu, mem, uapi
from iommufd.container import TYPE1, TYPE1V2, UNMAP_FLAG_ALL, Container, Group
from iommufd.edu import GroupEdu
from iommufd.faults import expect_fault
from iommufd.ioctl import ioctl
from iommufd.mem import HUGE, PAGE
from iommufd.pins import pinned_pages
from iommufd.platform import MSI

ALL = ("main", "debug", "peer", "container", "peer-container")
pytestmark = pytest.mark.guest(kernels=ALL)

IOVA = 0x10000000
U64_MAX = (1 << 64) - 1


@dataclass
class World:
    """A container with a group in it, and the group's device."""

    container: Container
    group: Group
    device: GroupEdu
    emulated: bool

    def option(self, option: int, object_id: int = 0) -> int:
        """IOMMU_OPTION of an iommufd."""
        argument = uapi.Option(option_id=option, op=uapi.OPTION_OP_GET, object_id=object_id)
        ioctl(self.container.fd, uapi.NUMBER["OPTION"], argument)
        return argument.val64


@pytest.fixture(params=["/dev/iommu", "/dev/vfio/vfio"])
def path(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def emulated(path: str, kernel: str) -> bool:
    """Whether iommufd is the container."""
    return path == "/dev/iommu" or "container" in kernel


@pytest.fixture
def needs_iommufd(emulated: bool) -> None:
    if not emulated:
        pytest.skip("about iommufd as a container")


@pytest.fixture(params=[TYPE1, TYPE1V2], ids=["v1", "v2"])
def version(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def world(path: str, version: int, emulated: bool) -> Iterator[World]:
    with Container(path) as container, Group(edu.addresses()[0]) as group:
        group.set_container(container.fd)
        container.set_iommu(version)
        with GroupEdu(group) as device:
            yield World(container, group, device, emulated)


v1 = pytest.mark.parametrize("version", [TYPE1], indirect=True, ids=["v1"])
v2 = pytest.mark.parametrize("version", [TYPE1V2], indirect=True, ids=["v2"])


def vfio_ioas(container: Container, op: int = uapi.VFIO_IOAS_GET, ioas: int = 0) -> int:
    """IOMMU_VFIO_IOAS"""
    argument = uapi.VfioIoas(op=op, ioas_id=ioas)
    ioctl(container.fd, uapi.NUMBER["VFIO_IOAS"], argument)
    return argument.ioas_id


def check_dma(device: GroupEdu, buffer: mem.Buffer, iova: int, offset: int, name: str) -> None:
    """Transfers memory to the device and back to the same place."""
    data = pattern(name, 64)
    buffer.write(data, offset)
    device.dma_read(iova + offset, 64)
    buffer.write(bytes(64), offset)
    device.dma_write(iova + offset, 64)
    assert buffer.read(offset, 64) == data


@pytest.mark.parametrize("kind", [mem.anonymous, mem.hugetlb], ids=lambda k: k.__name__)
def test_dma(world: World, kind) -> None:
    """Mapped memory is reachable and pinned; after an unmap it faults."""
    before = pinned_pages()
    with kind(2 * HUGE) as buffer:
        world.container.map(buffer, IOVA)
        assert pinned_pages() - before == 2 * HUGE // PAGE
        for offset in (0, PAGE - 32, HUGE, 2 * HUGE - 64):
            check_dma(world.device, buffer, IOVA, offset, f"dma {offset}")
        assert world.container.unmap(IOVA, 2 * HUGE) == 2 * HUGE
        assert pinned_pages() == before
        buffer.fill(0x55)
        expect_fault(world.device.dma_write, IOVA)
        assert buffer.read() == b"\x55" * 2 * HUGE


@v2
def test_rights(world: World) -> None:
    """The device cannot write a mapping that it may only read."""
    with mem.anonymous(PAGE) as buffer:
        buffer.write(pattern("rights", PAGE))
        world.container.map(buffer, IOVA, flags=api.MAP_READ)
        # Once read, it is in QEMU's IOTLB, which denies a write without a fault.
        expect_fault(world.device.dma_write, IOVA)
        world.device.dma_read(IOVA)
        assert buffer.read() == pattern("rights", PAGE)


def test_extensions(world: World) -> None:
    container = world.container
    assert container.api_version() == 0
    for extension in (TYPE1, TYPE1V2, api.UNMAP_ALL):
        assert container.extension(extension) == 1
    for extension in (0, 2, 5, 7, 11, 1 << 31):
        assert container.extension(extension) == 0
    assert container.extension(api.DMA_CC) in (0, 1)


def test_info(world: World) -> None:
    info = world.container.info()
    assert info.flags == api.INFO_PGSIZES | api.INFO_CAPS
    assert info.pgsizes & -info.pgsizes == PAGE
    assert info.dma_avail() >= 0xFFFF
    ranges = info.ranges()
    assert ranges == sorted(ranges)
    assert any(first <= IOVA <= last for first, last in ranges)
    assert not any(first <= MSI[0] <= last for first, last in ranges)


def test_info_in_any_room(world: World) -> None:
    """All capabilities or none, nothing after the end, and the size that is needed."""
    ask = api.IommuInfo()
    ioctl(world.container.fd, api.IOMMU_GET_INFO, ask)
    needed = ask.argsz
    assert needed > ctypes.sizeof(api.IommuInfo)
    for room in [*range(16, needed + 3), 4096]:
        data = (ctypes.c_ubyte * 4096)(*b"\xaa" * 4096)
        info = api.IommuInfo.from_buffer(data)
        info.argsz = room
        ioctl(world.container.fd, api.IOMMU_GET_INFO, data)
        assert bytes(data[room:]) == b"\xaa" * (4096 - room)
        assert info.flags == api.INFO_PGSIZES | api.INFO_CAPS
        if room < needed:
            assert info.argsz == needed
            assert room < 20 or not info.cap_offset
        else:
            caps = api.parse_caps(bytes(data[:needed]), info.cap_offset)
            assert caps.keys() >= {api.CAP_DMA_AVAIL, api.CAP_IOVA_RANGE}
    for room in (0, 15):
        with fails(errno.EINVAL):
            ioctl(world.container.fd, api.IOMMU_GET_INFO, api.IommuInfo(argsz=room))


@pytest.fixture
def needs_limits(emulated: bool, kernel: str) -> None:
    if emulated and "peer" in kernel:
        pytest.skip("the peer says that all addresses can be used")


def test_info_before_a_device_is_open(path: str, version: int, needs_limits: None) -> None:
    """As complete as afterwards: programs set up their addresses by it."""
    with Container(path) as container, Group(edu.addresses()[0]) as group:
        group.set_container(container.fd)
        container.set_iommu(version)
        before = container.info()
        with GroupEdu(group):
            after = container.info()
        assert before.ranges() == after.ranges()
        assert before.pgsizes == after.pgsizes
        # And when it is closed.
        assert container.info().ranges() == before.ranges()


def test_device_comes_last(path: str, version: int, needs_limits: None) -> None:
    """As libvfn does: query ranges, map memory at both ends of each range, then get the device."""
    with Container(path) as container, Group(edu.addresses()[0]) as group:
        group.set_container(container.fd)
        container.set_iommu(version)
        ranges = container.info().ranges()
        with mem.anonymous(2 * len(ranges) * PAGE) as buffer:
            for i, (first, last) in enumerate(ranges):
                container.map(buffer.address + 2 * i * PAGE, first, PAGE)
                container.map(buffer.address + (2 * i + 1) * PAGE, last + 1 - PAGE, PAGE)
            with GroupEdu(group) as device:
                check_dma(device, buffer, ranges[0][0], 0, "first of all")
                assert container.info().ranges() == ranges
                assert container.unmap_all() == buffer.size


BAD_MAPS = {
    "no-room": (errno.EINVAL, {"argsz": 31}),
    "no-rights": (errno.EINVAL, {"flags": 0}),
    "flag": (errno.EINVAL, {"flags": 1 << 31 | 3}),
    "vaddr-with-rights": (errno.EINVAL, {"flags": 7}),
    "nothing": (errno.EINVAL, {"size": 0}),
    "over-the-end": (errno.EOVERFLOW, {"iova": U64_MAX - PAGE + 1, "size": 2 * PAGE}),
    "memory-over-the-end": (errno.EOVERFLOW, {"vaddr": U64_MAX - PAGE + 1, "size": 2 * PAGE}),
    "reserved": (errno.EINVAL, {"iova": MSI[0]}),
    "there-already": (errno.EEXIST, {"iova": IOVA + 2 * PAGE, "size": 2 * PAGE}),
    "no-memory": (errno.EFAULT, {"vaddr": 0x1000, "iova": IOVA + HUGE}),
}


@pytest.mark.parametrize("name", BAD_MAPS)
def test_bad_map(world: World, name: str, kernel: str) -> None:
    """It pins nothing, and existing mappings stay."""
    if name == "no-rights" and world.emulated and "peer" in kernel:
        pytest.skip("the peer asks the IOMMU driver for it, which warns")
    error, fields = BAD_MAPS[name]
    with mem.anonymous(4 * PAGE) as buffer:
        world.container.map(buffer.address, IOVA, 3 * PAGE)
        pinned = pinned_pages()
        good = {"flags": 3, "vaddr": buffer.address, "iova": IOVA + 8 * PAGE, "size": PAGE}
        with fails(error):
            ioctl(world.container.fd, api.IOMMU_MAP_DMA, api.DmaMap(**{**good, **fields}))
        assert pinned_pages() == pinned
        check_dma(world.device, buffer, IOVA, 2 * PAGE, name)
        assert world.container.unmap_all() == 3 * PAGE


BAD_UNMAPS = {
    "no-room": (errno.EINVAL, {"argsz": 23}),
    "flag": (errno.EINVAL, {"flags": 1 << 31}),
    "all-and-address": (errno.EINVAL, {"flags": UNMAP_FLAG_ALL, "iova": IOVA, "size": 0}),
    "all-and-size": (errno.EINVAL, {"flags": UNMAP_FLAG_ALL, "iova": 0}),
    "nothing": (errno.EINVAL, {"size": 0}),
    "over-the-end": (errno.EOVERFLOW, {"iova": U64_MAX - PAGE + 1, "size": 2 * PAGE}),
}


@pytest.mark.parametrize("name", BAD_UNMAPS)
def test_bad_unmap(world: World, name: str, kernel: str) -> None:
    error, fields = BAD_UNMAPS[name]
    with mem.anonymous(PAGE) as buffer:
        world.container.map(buffer, IOVA)
        argument = api.DmaUnmap(**{"iova": IOVA, "size": PAGE, **fields})
        with fails(error):
            ioctl(world.container.fd, api.IOMMU_UNMAP_DMA, argument)
        check_dma(world.device, buffer, IOVA, 0, name)
        # The size, if there is room for it: nothing was unmapped.
        if world.emulated and "peer" not in kernel and name != "no-room":
            assert argument.size == 0


@pytest.mark.parametrize("request_number", [api.IOMMU_MAP_DMA, api.IOMMU_UNMAP_DMA], ids=hex)
@pytest.mark.parametrize("address", [0, 0xFFFF888000000000], ids=hex)
def test_bad_pointer(world: World, request_number: int, address: int) -> None:
    with fails(errno.EFAULT):
        ioctl(world.container.fd, request_number, address)


def test_unmap_what_is_not_there(world: World) -> None:
    assert world.container.unmap(IOVA, PAGE) == 0
    assert world.container.unmap_all() == 0


def test_unmap_several(world: World) -> None:
    """One request for all mappings in a range, and one for all mappings."""
    with mem.anonymous(4 * PAGE) as buffer:
        for i in range(4):
            world.container.map(buffer.address + i * PAGE, IOVA + 2 * i * PAGE, PAGE)
        assert world.container.unmap(IOVA, 3 * PAGE) == 2 * PAGE
        expect_fault(world.device.dma_write, IOVA + 2 * PAGE)
        assert world.container.unmap_all() == 2 * PAGE
        expect_fault(world.device.dma_write, IOVA + 4 * PAGE)


@v2
@pytest.mark.parametrize(
    "first,pages", [(0, 1), (1, 1), (3, 1), (-1, 2), (3, 2), (2, 4), (1, 8)], ids=str
)
def test_v2_never_cuts(world: World, first: int, pages: int) -> None:
    """A range that splits a mapping unmaps nothing."""
    with mem.anonymous(8 * PAGE) as buffer:
        for half in (0, 4 * PAGE):
            world.container.map(buffer.address + half, IOVA + half, 4 * PAGE)
        expected = errno.ENOENT if world.emulated else errno.EINVAL
        assert errno_of(world.container.unmap, IOVA + first * PAGE, pages * PAGE) == expected
        for page in (0, 3, 4, 7):
            check_dma(world.device, buffer, IOVA, page * PAGE, f"cut {page}")
        assert world.container.unmap_all() == 8 * PAGE


@v2
def test_size_of_a_failed_unmap(world: World, kernel: str, needs_iommufd: None) -> None:
    """The size says that nothing was unmapped: programs look at it."""
    if "peer" in kernel:
        pytest.skip("what ours promises")
    with mem.anonymous(4 * PAGE) as buffer:
        world.container.map(buffer, IOVA)
        argument = api.DmaUnmap(iova=IOVA, size=PAGE)
        with fails(errno.ENOENT):
            ioctl(world.container.fd, api.IOMMU_UNMAP_DMA, argument)
        assert (argument.iova, argument.size) == (IOVA, 0)


@v2
def test_v2_cuts_the_second(world: World, kernel: str) -> None:
    """The peer has unmapped the first one when it finds that the second would be split."""
    with mem.anonymous(8 * PAGE) as buffer:
        for half in (0, 4 * PAGE):
            world.container.map(buffer.address + half, IOVA + half, 4 * PAGE)
        expected = errno.ENOENT if world.emulated else errno.EINVAL
        assert errno_of(world.container.unmap, IOVA, 6 * PAGE) == expected
        left = 4 if world.emulated and "peer" in kernel else 8
        assert world.container.unmap_all() == left * PAGE


@v1
@pytest.mark.parametrize("kind", [mem.anonymous, mem.hugetlb], ids=lambda k: k.__name__)
def test_v1_cuts(world: World, kind, needs_iommufd: None) -> None:
    """Parts of mappings are unmapped, the rest stays, and all pages are unpinned in the end."""
    before = pinned_pages()
    size = 2 * HUGE
    with kind(size) as buffer:
        buffer.fill(0x55)
        for half in (0, HUGE):
            world.container.map(buffer.address + half, IOVA + half, HUGE)
        assert world.container.unmap(IOVA + PAGE, PAGE) == PAGE
        assert world.container.unmap(IOVA + HUGE - PAGE, 3 * PAGE) == 3 * PAGE
        assert world.container.unmap(IOVA + size - PAGE, 2 * PAGE) == PAGE
        assert pinned_pages() - before == size // PAGE - 5
        for gone in (PAGE, HUGE - PAGE, HUGE + PAGE, size - PAGE):
            expect_fault(world.device.dma_write, IOVA + gone)
        assert buffer.read() == b"\x55" * size
        for there in (0, 2 * PAGE, HUGE - 2 * PAGE, HUGE + 2 * PAGE, size - 2 * PAGE):
            check_dma(world.device, buffer, IOVA, there, f"cuts {there}")
        # The holes can be filled again.
        world.container.map(buffer.address + PAGE, IOVA + PAGE, PAGE)
        check_dma(world.device, buffer, IOVA, 2 * PAGE - 32, "filled")
        assert world.container.unmap_all() == size - 4 * PAGE
        assert pinned_pages() == before
        expect_fault(world.device.dma_write, IOVA)


@v1
def test_v1_cuts_whole_pages_only(world: World, needs_iommufd: None) -> None:
    with mem.anonymous(4 * PAGE) as buffer:
        world.container.map(buffer, IOVA)
        for iova, size in ((IOVA + 2048, PAGE), (IOVA, PAGE + 8)):
            assert errno_of(world.container.unmap, iova, size) == errno.EINVAL
        assert world.container.unmap_all() == 4 * PAGE


@v2
def test_two_groups(world: World) -> None:
    """Both devices reach all mappings, each for as long as it is open."""
    with Group(edu.addresses()[1]) as group, mem.anonymous(PAGE) as buffer:
        world.container.map(buffer, IOVA)
        group.set_container(world.container.fd)
        with GroupEdu(group) as second:
            check_dma(second, buffer, IOVA, 0, "second")
            check_dma(world.device, buffer, IOVA, 0, "first")
        check_dma(world.device, buffer, IOVA, 0, "first alone")


def test_group(path: str) -> None:
    """Its states: no container, or one, and no second one."""
    with Container(path) as container, Group(edu.addresses()[0]) as group:
        assert group.status() == api.GROUP_VIABLE
        assert errno_of(group.device_fd) == errno.EINVAL
        assert errno_of(group.unset_container) == errno.EINVAL
        group.set_container(container.fd)
        assert group.status() == api.GROUP_VIABLE | api.GROUP_CONTAINER_SET
        assert errno_of(group.set_container, container.fd) == errno.EINVAL
        container.set_iommu(TYPE1V2)
        GroupEdu(group).close()
        group.unset_container()
        assert group.status() == api.GROUP_VIABLE


def test_nothing_without_group(path: str, emulated: bool) -> None:
    """Without a group, all requests are refused."""
    error = errno.ENODEV if emulated else errno.EINVAL
    with Container(path) as container, mem.anonymous(PAGE) as buffer:
        for kind in (TYPE1, TYPE1V2):
            assert errno_of(container.set_iommu, kind) == error
        assert errno_of(container.info) == error
        assert errno_of(container.map, buffer, IOVA) == error
        assert errno_of(container.unmap, IOVA, PAGE) == error


@v2
def test_container_closed_first(world: World) -> None:
    """DMA continues until the device is closed."""
    with mem.anonymous(PAGE) as buffer:
        world.container.map(buffer, IOVA)
        world.container.close()
        world.group.close()
        check_dma(world.device, buffer, IOVA, 0, "orphan")
        pinned = pinned_pages()
        world.device.close()
        assert pinned_pages() == pinned - 1


def test_small_pages_for_v1(world: World, version: int, needs_iommufd: None) -> None:
    ioas = vfio_ioas(world.container)
    assert world.option(uapi.OPTION_HUGE_PAGES, ioas) == (version == TYPE1V2)


def test_v1_comes_too_late(path: str, needs_iommufd: None) -> None:
    """Mappings in large pages can no longer be split."""
    with Container(path) as container, Group(edu.addresses()[0]) as group:
        group.set_container(container.fd)
        container.set_iommu(TYPE1V2)
        with GroupEdu(group), mem.anonymous(PAGE) as buffer:
            container.map(buffer, IOVA)
            assert errno_of(container.set_iommu, TYPE1) == errno.EINVAL
            container.set_iommu(TYPE1V2)
            container.unmap_all()
            container.set_iommu(TYPE1)


@v2
def test_who_is_charged(world: World, path: str, needs_iommufd: None) -> None:
    """The process if the program uses VFIO's container, else the user."""
    assert world.option(uapi.OPTION_RLIMIT_MODE) == (path == "/dev/vfio/vfio")


@v2
def test_ioas_of_the_container(world: World, needs_iommufd: None) -> None:
    """Another IOAS in its place serves requests; the device stays where it is."""
    container = world.container
    first = vfio_ioas(container)
    other = uapi.IoasAlloc()
    ioctl(container.fd, uapi.NUMBER["IOAS_ALLOC"], other)
    with mem.anonymous(2 * PAGE) as buffer:
        container.map(buffer.address, IOVA, PAGE)
        vfio_ioas(container, uapi.VFIO_IOAS_SET, other.out_ioas_id)
        assert vfio_ioas(container) == other.out_ioas_id
        assert container.unmap_all() == 0
        container.map(buffer.address + PAGE, IOVA, PAGE)
        check_dma(world.device, buffer, IOVA, 0, "first")
        with fails(errno.EBUSY):
            ioctl(container.fd, uapi.NUMBER["DESTROY"], uapi.Destroy(id=first))
        # The choice is dropped when the IOAS is destroyed.
        ioctl(container.fd, uapi.NUMBER["DESTROY"], uapi.Destroy(id=other.out_ioas_id))
        with fails(errno.ENODEV):
            vfio_ioas(container)
        assert errno_of(container.unmap_all) == errno.ENODEV
        vfio_ioas(container, uapi.VFIO_IOAS_SET, first)
        vfio_ioas(container, uapi.VFIO_IOAS_CLEAR)
        assert errno_of(container.info) == errno.ENODEV
        check_dma(world.device, buffer, IOVA, 0, "still")


def test_ioas_chosen_before(path: str, needs_iommufd: None) -> None:
    """A group joins the IOAS that the user has chosen for the container."""
    with Container(path) as container, Group(edu.addresses()[0]) as group:
        mine = uapi.IoasAlloc()
        ioctl(container.fd, uapi.NUMBER["IOAS_ALLOC"], mine)
        vfio_ioas(container, uapi.VFIO_IOAS_SET, mine.out_ioas_id)
        group.set_container(container.fd)
        assert vfio_ioas(container) == mine.out_ioas_id
        with GroupEdu(group) as device, mem.anonymous(PAGE) as buffer:
            container.map(buffer, IOVA)
            check_dma(device, buffer, IOVA, 0, "chosen")
