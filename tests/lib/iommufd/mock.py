# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The mock IOMMU: devices, page tables that can be inspected, and in-kernel access."""

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import mock_uapi as api
from .ctx import Context
from .ioctl import ioctl
from .mem import Buffer
from .openfile import Closing, OpenFile

APERTURE = (api.MOCK_APERTURE_START, api.MOCK_APERTURE_LAST)
# Its first address, and its smallest page.
START = api.MOCK_APERTURE_START
PAGE = api.MOCK_PAGE_SIZE
DEFAULT_MEMORY_LIMIT = 65536


def command(context: Context, op: str, object_id: int = 0, **part: int) -> tuple[int, object]:
    """IOMMU_TEST_CMD. Returns its result and the operation's part of the argument."""
    name, values = next(iter(part.items()), ("mock_domain", {}))
    argument = api.MockCommand(op=api.OP[op], id=object_id)
    fields = getattr(argument, name)
    for field, value in dict(values).items():
        setattr(fields, field, value)
    return ioctl(context.fd, api.TEST_CMD, argument), fields


def _is(context: Context, op: str, object_id: int, **part: dict) -> bool:
    """Whether one of the mock's checks succeeds."""
    try:
        command(context, op, object_id, **part)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return False
    return True


def iotlb(context: Context, hwpt: int, index: int, value: int) -> bool:
    """Whether the TLB of a guest's page table has this value in an entry."""
    part = {"id": index, "iotlb": value}
    return _is(context, "MD_CHECK_IOTLB", hwpt, check_iotlb=part)


def _address(memory: Buffer | int) -> int:
    return memory.address if isinstance(memory, Buffer) else memory


class Device(Closing):
    """A device on an IOAS or a page table; `hwpt` is the page table to which it is attached."""

    def __init__(self, context: Context, pt_id: int, flags: int | None = None) -> None:
        self._context = context
        if flags is None:
            _, out = command(context, "MOCK_DOMAIN", pt_id)
        else:
            _, out = command(
                context, "MOCK_DOMAIN_FLAGS", pt_id, mock_domain_flags={"dev_flags": flags}
            )
        # The mock's own object, and the object that other commands accept as a device.
        self.id, self.device, self.hwpt = out.out_stdev_id, out.out_idev_id, out.out_hwpt_id

    def close(self) -> None:
        """Detaches and unbinds it; may be called again, or after the context is closed."""
        if self.id and self._context.fd >= 0:
            self._context.destroy(self.id)
        self.id = 0

    def replace(self, pt_id: int) -> None:
        """Moves it to another IOAS or page table, without a gap."""
        _, out = command(
            self._context, "MOCK_DOMAIN_REPLACE", self.id, mock_domain_replace={"pt_id": pt_id}
        )
        self.hwpt = out.pt_id

    def pasid_attach(self, pasid: int, pt_id: int) -> int:
        """Attaches a PASID to an IOAS or page table; returns its page table."""
        part = {"pasid": pasid, "pt_id": pt_id}
        _, out = command(self._context, "PASID_ATTACH", self.id, pasid_attach=part)
        return out.pt_id

    def pasid_replace(self, pasid: int, pt_id: int) -> int:
        """Moves a PASID to another one; returns its page table."""
        part = {"pasid": pasid, "pt_id": pt_id}
        _, out = command(self._context, "PASID_REPLACE", self.id, pasid_replace=part)
        return out.pt_id

    def pasid_detach(self, pasid: int) -> None:
        """Detaches a PASID; no error if it is not attached."""
        command(self._context, "PASID_DETACH", self.id, pasid_detach={"pasid": pasid})

    def pasid_check(self, pasid: int, hwpt: int) -> None:
        """Fails unless the IOMMU has a PASID on this page table (0: on no page table)."""
        part = {"pasid": pasid, "hwpt_id": hwpt}
        command(self._context, "PASID_CHECK_HWPT", self.id, pasid_check=part)

    def fault(self, addr: int = START, pasid: int = 0, group: int = 0, perm: int = 1) -> None:
        """Reports a page fault of the device, as the only one of its group."""
        part = {
            "dev_id": self.device,
            "pasid": pasid,
            "grpid": group,
            "perm": perm,
            "addr": addr,
        }
        command(self._context, "TRIGGER_IOPF", trigger_iopf=part)

    def event(self) -> None:
        """Reports an event of the device to its vIOMMU."""
        command(self._context, "TRIGGER_VEVENT", trigger_vevent={"dev_id": self.device})

    def cache(self, index: int, value: int) -> bool:
        """Whether its cache has this value in an entry."""
        part = {"id": index, "cache": value}
        return _is(self._context, "DEV_CHECK_CACHE", self.device, check_dev_cache=part)

    def check(self, iova: int, memory: Buffer | int, length: int | None = None) -> None:
        """Fails unless its page table maps this memory at `iova`."""
        size = memory.size if length is None and isinstance(memory, Buffer) else length
        check_map(self._context, self.hwpt, iova, memory, size)


def check_map(context: Context, hwpt: int, iova: int, memory: Buffer | int, length: int) -> None:
    """Fails unless a page table maps this memory at `iova` (0 as memory: maps nothing)."""
    part = {"iova": iova, "length": length, "uptr": _address(memory)}
    command(context, "MD_CHECK_MAP", hwpt, check_map=part)


def check_refs(context: Context, memory: Buffer | int, length: int, refs: int) -> None:
    """Fails unless each page of the memory is pinned `refs` times."""
    part = {"length": length, "uptr": _address(memory), "refs": refs}
    command(context, "MD_CHECK_REFS", check_refs=part)


def add_reserved(context: Context, ioas: int, start: int, length: int) -> None:
    """Reserves addresses of an IOAS until it is destroyed."""
    command(context, "ADD_RESERVED", ioas, add_reserved={"start": start, "length": length})


@contextmanager
def memory_limit(context: Context, limit: int) -> Iterator[None]:
    """Limits the memory of an operation for lists of pages, to force small batches."""
    command(context, "SET_TEMP_MEMORY_LIMIT", memory_limit={"limit": limit})
    try:
        yield
    finally:
        command(context, "SET_TEMP_MEMORY_LIMIT", memory_limit={"limit": DEFAULT_MEMORY_LIMIT})


class Access(OpenFile):
    """A kernel driver that accesses an IOAS's memory with the CPU: one file."""

    def __init__(self, context: Context, ioas: int, pins: bool = True) -> None:
        flags = api.MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES if pins else 0
        _, out = command(context, "CREATE_ACCESS", ioas, create_access={"flags": flags})
        super().__init__(out.out_access_fd)
        self._context = context

    def pin(
        self, iova: int, memory: Buffer | int, length: int | None = None, write: bool = False
    ) -> int:
        """Pins the mapped pages, which must be this memory; returns an id for unpin()."""
        part = {
            "flags": api.MOCK_FLAGS_ACCESS_WRITE if write else 0,
            "iova": iova,
            "length": memory.size if length is None and isinstance(memory, Buffer) else length,
            "uptr": _address(memory),
        }
        _, out = command(self._context, "ACCESS_PAGES", self.fd, access_pages=part)
        return out.out_access_pages_id

    def unpin(self, pages: int) -> None:
        """Unpins; ENOENT if the kernel has already revoked the pin."""
        part = {"access_pages_id": pages}
        command(self._context, "DESTROY_ACCESS_PAGES", self.fd, destroy_access_pages=part)

    def _rw(self, iova: int, data: bytearray, flags: int, slow: bool) -> None:
        flags |= api.MOCK_ACCESS_RW_SLOW_PATH if slow else 0
        array = (ctypes.c_char * len(data)).from_buffer(data)
        part = {
            "iova": iova,
            "length": len(data),
            "uptr": ctypes.addressof(array),
            "flags": flags,
        }
        command(self._context, "ACCESS_RW", self.fd, access_rw=part)

    def read(self, iova: int, length: int, slow: bool = False) -> bytes:
        """Reads bytes at an address; `slow` pins the pages first."""
        data = bytearray(length)
        self._rw(iova, data, 0, slow)
        return bytes(data)

    def write(self, iova: int, data: bytes, slow: bool = False) -> None:
        """Writes bytes at an address."""
        self._rw(iova, bytearray(data), api.MOCK_ACCESS_RW_WRITE, slow)

    def replace(self, ioas: int) -> None:
        """Moves to another IOAS, or to none (0)."""
        part = {"ioas_id": ioas}
        command(self._context, "ACCESS_REPLACE_IOAS", self.fd, access_replace_ioas=part)


def _dma_bufs() -> set[int]:
    """The descriptors of this process that are dma-bufs."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            if "dmabuf" in os.readlink(link):
                found.add(int(link.name))
        except FileNotFoundError:
            continue
    return found


def dma_buf(context: Context, length: int) -> int:
    """A dma-buf of device memory."""
    before = _dma_bufs()
    part = {"length": length, "open_flags": os.O_CLOEXEC | os.O_RDWR}
    fd, _ = command(context, "DMABUF_GET", dmabuf_get=part)
    # The base kernel's mock opens one, but does not return its descriptor.
    return fd or (_dma_bufs() - before).pop()


def revoke(context: Context, fd: int, revoked: bool = True) -> None:
    """Lets the exporter revoke the memory of a dma-buf, or restore it."""
    part = {"dmabuf_fd": fd, "revoked": revoked}
    command(context, "DMABUF_REVOKE", dmabuf_revoke=part)
