# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Real DMA of an edu device: valid transfers succeed, invalid ones fault.

The device has a buffer of one page. A transfer to it and back shows in memory what
the device saw. Only the IOMMU protects the rest of memory from it.
"""

import mmap
import os
import signal
from dataclasses import dataclass

import pytest
from data_pattern import pattern
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import BUFFER_SIZE, Edu
from iommufd.faults import expect_blocked, expect_fault, faults_in
from iommufd.kmsg import Kmsg
from iommufd.uapi import MAP_READABLE, MAP_WRITEABLE

pytestmark = pytest.mark.guest(iommu=["intel", "intel-s1", "virtio"], beside="installed")

PAGE = mem.PAGE
IOVA = 0x10000000
KINDS = [mem.anonymous, mem.shared, mem.memfd, mem.transparent_huge, mem.hugetlb]


@dataclass
class World:
    """One device on one IOAS."""

    context: Context
    ioas: int
    device: Edu

    def map(self, buffer: mem.Buffer, **options: int) -> int:
        return self.context.map(self.ioas, buffer, **options)

    def load(self, data: bytes) -> None:
        """Transfers data into the device."""
        with mem.anonymous(PAGE) as source:
            source.write(data)
            iova = self.map(source)
            self.device.dma_read(iova, len(data))
            self.context.unmap(self.ioas, iova, PAGE)

    def content(self) -> bytes:
        """The content of the device's buffer, transferred by way of memory."""
        with mem.anonymous(PAGE) as target:
            iova = self.map(target)
            self.device.dma_write(iova)
            self.context.unmap(self.ioas, iova, PAGE)
            return target.read()


@pytest.fixture
def world():
    with Context() as context:
        ioas = context.ioas_alloc()
        with Edu(context, ioas) as device:
            yield World(context, ioas, device)


def wait_for_device(index: int = 0) -> None:
    """Waits for a transfer that an earlier user started."""
    with Context() as context, Edu(context, index=index) as device:
        device.wait()


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_device_writes_and_reads(world: World, kind) -> None:
    """At the start, in the middle and at the end, on page boundaries and across them."""
    size = 2 * mem.HUGE
    with kind(size) as buffer:
        iova = world.map(buffer)
        for offset in (0, PAGE - 100, mem.HUGE - 2048, mem.HUGE + 5 * PAGE, size - PAGE):
            data = pattern(f"{kind.__name__} {offset}", PAGE)
            buffer.write(data, offset)
            world.device.dma_read(iova + offset)
            buffer.write(bytes(PAGE), offset)
            world.device.dma_write(iova + offset)
            assert buffer.read(offset, PAGE) == data
            buffer.write(bytes(PAGE), offset)
        assert buffer.read() == bytes(size), "the device wrote where it was not told to"


def test_mapped_before_attach() -> None:
    """Everything that an IOAS maps when a device is attached is there for the device."""
    with Context() as context, mem.anonymous(4 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        context.map(ioas, buffer, iova=IOVA)
        buffer.write(pattern("before", 4 * PAGE))
        with Edu(context, ioas) as device:
            device.dma_read(IOVA + PAGE)
            device.dma_write(IOVA + 3 * PAGE)
        assert buffer.read(3 * PAGE) == pattern("before", 4 * PAGE)[PAGE : 2 * PAGE]


def test_read_only(world: World) -> None:
    world.load(b"\xaa" * PAGE)
    with mem.anonymous(PAGE) as buffer:
        buffer.write(pattern("read-only", PAGE))
        iova = world.map(buffer, prot=MAP_READABLE)
        expect_fault(world.device.dma_write, iova)
        assert buffer.read() == pattern("read-only", PAGE)
        world.device.dma_read(iova)
        assert world.content() == pattern("read-only", PAGE)


def test_read_only_memory(world: World) -> None:
    """Memory that the process itself may only read, such as a file's, for a device to read."""
    with mem.anonymous(PAGE) as buffer:
        buffer.write(pattern("file", PAGE))
        mem.protect(buffer, mmap.PROT_READ)
        iova = world.map(buffer, prot=MAP_READABLE)
        world.device.dma_read(iova)
        assert world.content() == pattern("file", PAGE)


@pytest.mark.guest(iommu="intel")
@pytest.mark.x86("the usual table of an SMMU is of the first stage")
def test_write_only(world: World) -> None:
    """Only second-stage tables distinguish write-only from read-write."""
    world.load(b"\xaa" * PAGE)
    with mem.anonymous(PAGE) as buffer:
        buffer.write(pattern("secret", PAGE))
        iova = world.map(buffer, prot=MAP_WRITEABLE)
        expect_fault(world.device.dma_read, iova)
        assert pattern("secret", PAGE)[:8] not in world.content()
        world.device.dma_write(iova)
        assert buffer.read(8) == (b"\xaa" * PAGE)[8:]


def test_after_unmap(world: World) -> None:
    """One of three adjacent areas is unmapped: its address faults, the others still work."""
    world.load(b"\xaa" * PAGE)
    with mem.anonymous(3 * PAGE) as buffer:
        buffer.fill(0x55)
        for page in range(3):
            address = buffer.address + page * PAGE
            world.context.map(world.ioas, address, PAGE, iova=IOVA + page * PAGE)
        world.device.dma_write(IOVA + PAGE, 16)
        assert buffer.read(PAGE, 16) == b"\xaa" * 16
        world.context.unmap(world.ioas, IOVA + PAGE, PAGE)
        buffer.fill(0x55)
        expect_fault(world.device.dma_write, IOVA + PAGE)
        expect_fault(world.device.dma_read, IOVA + PAGE)
        assert buffer.read() == b"\x55" * 3 * PAGE
        world.load(b"\xaa" * PAGE)
        world.device.dma_write(IOVA, 16)
        world.device.dma_write(IOVA + 2 * PAGE, 16)
        expected = (b"\xaa" * 16).ljust(PAGE, b"\x55")
        assert buffer.read() == expected + b"\x55" * PAGE + expected


def test_after_unmap_all(world: World) -> None:
    world.load(b"\xaa" * PAGE)
    with mem.hugetlb(mem.HUGE) as buffer:
        buffer.fill(0x55)
        iova = world.map(buffer)
        world.device.dma_write(iova + mem.HUGE - 16, 16)
        assert buffer.read(mem.HUGE - 16) == b"\xaa" * 16
        assert world.context.unmap_all(world.ioas) == mem.HUGE
        buffer.fill(0x55)
        expect_fault(world.device.dma_write, iova)
        expect_fault(world.device.dma_write, iova + mem.HUGE - PAGE)
        assert buffer.read() == b"\x55" * mem.HUGE


def test_unmapped_then_other_memory(world: World) -> None:
    """The same address leads to the new memory; no trace of the old translation remains."""
    with mem.anonymous(PAGE) as old, mem.anonymous(PAGE) as new:
        for buffer, byte in ((old, 0x11), (new, 0x22)):
            buffer.fill(byte)
            world.map(buffer, iova=IOVA)
            world.device.dma_read(IOVA)
            assert world.content() == bytes([byte]) * PAGE
            world.context.unmap(world.ioas, IOVA, PAGE)


def test_after_detach(world: World) -> None:
    """It faults while detached; the mappings work again after a new attach."""
    world.load(b"\xaa" * PAGE)
    with mem.anonymous(PAGE) as buffer:
        buffer.fill(0x55)
        world.map(buffer, iova=IOVA)
        world.device.dma_write(IOVA, 16)
        assert buffer.read(0, 16) == b"\xaa" * 16
        buffer.fill(0x55)
        world.device.detach()
        expect_blocked(world.device.dma_write, IOVA)
        expect_blocked(world.device.dma_read, IOVA)
        assert buffer.read() == b"\x55" * PAGE
        world.device.attach(world.ioas)
        world.load(b"\xbb" * PAGE)
        world.device.dma_write(IOVA)
        assert buffer.read() == b"\xbb" * PAGE


def test_never_attached() -> None:
    """A device that is bound but not attached reaches nothing."""
    with Context() as context, Edu(context) as device:
        expect_blocked(device.dma_write, IOVA)
        expect_blocked(device.dma_read, IOVA)


def test_close_with_transfer_on_its_way() -> None:
    with Context() as context, mem.anonymous(PAGE) as buffer:
        ioas = context.ioas_alloc()
        buffer.fill(0xAA)
        context.map(ioas, buffer, iova=IOVA)
        device = Edu(context, ioas)
        device.dma_read(IOVA)
        buffer.fill(0x55)
        device.start_write(IOVA)
        device.close()
        after = buffer.read()
        wait_for_device()
        assert buffer.read() == after


def test_killed_with_transfer_on_its_way() -> None:
    """The process with all the files is killed; this process shares the memory."""
    with mem.shared(PAGE) as buffer:
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            try:
                context = Context()
                ioas = context.ioas_alloc()
                buffer.fill(0xAA)
                context.map(ioas, buffer, iova=IOVA)
                device = Edu(context, ioas)
                device.dma_read(IOVA)
                buffer.fill(0x55)
                device.start_write(IOVA)
                os.write(theirs, b"!")
                signal.pause()
            finally:
                os._exit(1)
        os.close(theirs)
        assert os.read(ours, 1) == b"!"
        os.close(ours)
        os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        after = buffer.read()
        wait_for_device()
        assert buffer.read() == after


def test_context_closed_before_device() -> None:
    """The device keeps the context alive: DMA continues until the device's file is closed."""
    with mem.anonymous(PAGE) as buffer:
        context = Context()
        ioas = context.ioas_alloc()
        context.map(ioas, buffer, iova=IOVA)
        with Edu(context, ioas) as device:
            context.close()
            buffer.write(pattern("orphan", PAGE))
            device.dma_read(IOVA)
            buffer.fill(0)
            device.dma_write(IOVA)
            assert buffer.read() == pattern("orphan", PAGE)


def test_same_iova_in_two_spaces() -> None:
    """Two devices, two IOASes, one address: each reaches its own memory."""
    with Context() as context, mem.anonymous(2 * PAGE) as buffer:
        ioas = [context.ioas_alloc() for _ in range(2)]
        for i in range(2):
            context.map(ioas[i], buffer.address + i * PAGE, PAGE, iova=IOVA)
        with Edu(context, ioas[0], 0) as first, Edu(context, ioas[1], 1) as second:
            data = [pattern("first", PAGE), pattern("second", PAGE)]
            buffer.write(data[0] + data[1])
            first.start_read(IOVA)
            second.start_read(IOVA)
            first.wait()
            second.wait()
            buffer.fill(0)
            first.dma_write(IOVA)
            assert buffer.read() == data[0] + bytes(PAGE)
            second.dma_write(IOVA)
            assert buffer.read() == data[0] + data[1]
            # An unmap in one IOAS does not affect the other.
            context.unmap(ioas[0], IOVA, PAGE)
            expect_fault(first.dma_write, IOVA)
            second.dma_read(IOVA)
            buffer.fill(0)
            second.dma_write(IOVA)
            assert buffer.read() == bytes(PAGE) + data[1]


def test_two_devices_in_one_space() -> None:
    """One device is detached, the other still works."""
    with Context() as context, mem.anonymous(PAGE) as buffer:
        ioas = context.ioas_alloc()
        context.map(ioas, buffer, iova=IOVA)
        with Edu(context, ioas, 1) as second:
            with Edu(context, ioas, 0) as first:
                buffer.write(pattern("shared", PAGE))
                first.dma_read(IOVA)
                second.dma_read(IOVA)
                buffer.fill(0)
                first.dma_write(IOVA, 2048)
                second.dma_write(IOVA + 2048, 2048, offset=2048)
                assert buffer.read() == pattern("shared", PAGE)
                first.detach()
                expect_blocked(first.dma_write, IOVA)
            buffer.fill(0)
            second.dma_write(IOVA)
            assert buffer.read() == pattern("shared", PAGE)


def test_memory_unmapped_by_the_process(world: World) -> None:
    """Pages that a device can reach stay when the process unmaps them."""
    fd = os.memfd_create("dma")
    os.ftruncate(fd, PAGE)
    with mem.Buffer(mmap.mmap(fd, PAGE)) as view:
        with mem.Buffer(mmap.mmap(fd, PAGE)) as buffer:
            world.map(buffer, iova=IOVA)
        world.load(pattern("gone", PAGE))
        world.device.dma_write(IOVA)
        assert view.read() == pattern("gone", PAGE)
    os.close(fd)


def test_fork_keeps_the_pages(world: World) -> None:
    """The device sees what the parent writes after a fork: the pages stay with the parent."""
    with mem.anonymous(PAGE) as buffer:
        buffer.fill(0x11)
        world.map(buffer, iova=IOVA)
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            os.close(theirs)
            os.read(ours, 1)
            os._exit(0 if buffer.read() == b"\x11" * PAGE else 1)
        os.close(ours)
        buffer.write(pattern("after fork", PAGE))
        world.device.dma_read(IOVA)
        assert world.content() == pattern("after fork", PAGE)
        os.close(theirs)
        assert os.waitpid(child, 0)[1] == 0


def test_no_fault_without_reason(world: World) -> None:
    """No fault is detected while all transfers succeed."""
    with Kmsg() as kmsg, mem.anonymous(PAGE) as buffer:
        iova = world.map(buffer)
        world.device.dma_read(iova, BUFFER_SIZE)
        world.device.dma_write(iova, BUFFER_SIZE)
        assert not faults_in(kmsg.new_lines())
