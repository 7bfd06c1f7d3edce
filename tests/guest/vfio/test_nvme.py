# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A user-space NVMe driver on a disk whose image the host inspects."""

from contextlib import suppress

import pytest
from data_pattern import pattern
from guestpytest.machine import Machine
from iommufd import mem, nvme
from iommufd.ctx import RW, Context
from iommufd.nvme import Nvme
from iommufd.uapi import MAP_READABLE

pytestmark = pytest.mark.guest(iommu=["intel", "intel-s1"], beside="installed")

BLOCK = 512
PART = 256 << 10
# Byte offsets in the image, apart from each other.
TO_READ, TO_WRITE, TO_LEAVE = 0, 1 << 20, 2 << 20


def image_has_what_to_read(machine: Machine) -> None:
    with machine.disks[0].open("r+b") as image:
        image.seek(TO_READ)
        image.write(pattern("to read", PART))


def image_has_what_was_written(machine: Machine) -> None:
    with machine.disks[0].open("rb") as image:
        image.seek(TO_WRITE)
        assert image.read(PART) == pattern("to write", PART)


def image_has_no_secret(machine: Machine) -> None:
    data = machine.disks[0].read_bytes()
    secret = pattern("secret", PART)
    assert not any(secret[i : i + BLOCK] in data for i in range(0, PART, BLOCK))


@pytest.fixture
def disk():
    with Context() as context, Nvme(context, context.ioas_alloc()) as disk:
        yield disk


@pytest.mark.on_host(before=image_has_what_to_read)
def test_read(disk: Nvme) -> None:
    """One command of 64 pages, through a PRP list."""
    target = disk.map(mem.anonymous(PART))
    disk.read(TO_READ // BLOCK, target.iova, PART)
    assert target.buffer.read() == pattern("to read", PART)


@pytest.mark.on_host(after=image_has_what_was_written)
def test_write(disk: Nvme) -> None:
    source = disk.map(mem.anonymous(PART))
    source.buffer.write(pattern("to write", PART))
    disk.write(TO_WRITE // BLOCK, source.iova, PART)


@pytest.mark.on_host(before=image_has_what_to_read)
@pytest.mark.parametrize("kind", [mem.transparent_huge, mem.hugetlb, mem.shared])
def test_read_into(disk: Nvme, kind) -> None:
    """Other kinds of memory, at an offset that is not aligned to any page size."""
    target = disk.map(kind(mem.HUGE))
    offset = mem.HUGE - PART - 3 * BLOCK
    disk.read(TO_READ // BLOCK, target.iova + offset, PART)
    assert target.buffer.read(offset, PART) == pattern("to read", PART)
    assert target.buffer.read(0, offset) == bytes(offset)


def test_identify(disk: Nvme) -> None:
    assert disk.serial() == "disk2"
    assert (disk.block_size, disk.blocks) == (BLOCK, (16 << 20) // BLOCK)


@pytest.mark.on_host(before=image_has_what_to_read, after=image_has_no_secret)
def test_source_not_mapped() -> None:
    """Data that is no longer mapped does not reach the disk."""
    with Context() as context:
        ioas = context.ioas_alloc()
        with Nvme(context, ioas) as disk:
            source = disk.map(mem.anonymous(PART))
            source.buffer.write(pattern("secret", PART))
            context.unmap(ioas, source.iova, PART)
            # Whether the controller reports an error does not matter.
            with suppress(nvme.NvmeError):
                disk.write(TO_LEAVE // BLOCK, source.iova, PART)


@pytest.mark.on_host(before=image_has_what_to_read)
def test_target_read_only() -> None:
    with Context() as context:
        ioas = context.ioas_alloc()
        with Nvme(context, ioas) as disk, mem.anonymous(PART) as target:
            target.fill(0x55)
            iova = context.map(ioas, target, prot=MAP_READABLE)
            with suppress(nvme.NvmeError):
                disk.read(TO_READ // BLOCK, iova, PART)
            assert target.read() == b"\x55" * PART
            # The same memory, writable: only the permission was missing.
            disk.read(TO_READ // BLOCK, context.map(ioas, target, prot=RW), PART)
            assert target.read() == pattern("to read", PART)


@pytest.mark.on_host(before=image_has_what_to_read)
def test_close_with_commands_outstanding() -> None:
    """The file is closed during reads; memory does not change afterwards."""
    with Context() as context:
        ioas = context.ioas_alloc()
        with mem.anonymous(PART) as target:
            target.fill(0x55)
            disk = Nvme(context, ioas)
            iova = disk.map(target).iova
            for _ in range(nvme.ENTRIES - 2):
                disk.start(nvme.IO_READ, TO_READ // BLOCK, iova, PART)
            disk.close()
            after = target.read()
            # Later events of the device go through the same queue.
            with Nvme(context, context.ioas_alloc()) as again:
                again.serial()
            assert target.read() == after
