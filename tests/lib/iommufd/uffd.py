# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Memory whose page faults wait until the test resolves them, by userfaultfd."""

import ctypes
import mmap
import os
import platform
import select
from ctypes import c_int64, c_uint64

from . import mem
from .ioctl import ioctl
from .mem import PAGE, Buffer
from .openfile import Closing

_NR_USERFAULTFD = {"x86_64": 323, "aarch64": 282}[platform.machine()]
_UFFD_API = 0xAA
_MODE_MISSING = 1
_MESSAGE_SIZE = 32

_libc = ctypes.CDLL(None, use_errno=True)


class _Api(ctypes.Structure):
    """struct uffdio_api"""

    _fields_ = [("api", c_uint64), ("features", c_uint64), ("ioctls", c_uint64)]


class _Register(ctypes.Structure):
    """struct uffdio_register"""

    _fields_ = [("start", c_uint64), ("len", c_uint64), ("mode", c_uint64), ("ioctls", c_uint64)]


class _ZeroPage(ctypes.Structure):
    """struct uffdio_zeropage"""

    _fields_ = [("start", c_uint64), ("len", c_uint64), ("mode", c_uint64), ("done", c_int64)]


def _iowr(number: int, structure: type[ctypes.Structure]) -> int:
    return 3 << 30 | ctypes.sizeof(structure) << 16 | _UFFD_API << 8 | number


class StuckMemory(Closing):
    """Anonymous pages. A fault on one of the last `stuck` pages waits for release()."""

    def __init__(self, size: int, stuck: int | None = None) -> None:
        self.buffer: Buffer = mem.anonymous(size)
        self._stuck = size if stuck is None else stuck
        self._start = self.buffer.address + size - self._stuck
        self._fd = _libc.syscall(_NR_USERFAULTFD, os.O_CLOEXEC)
        if self._fd < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        ioctl(self._fd, _iowr(0x3F, _Api), _Api(api=_UFFD_API))
        argument = _Register(start=self._start, len=self._stuck, mode=_MODE_MISSING)
        ioctl(self._fd, _iowr(0x00, _Register), argument)

    def wait_for_fault(self, seconds: float = 30) -> None:
        """Returns when a fault is waiting."""
        assert select.select([self._fd], [], [], seconds)[0], "no page fault"
        os.read(self._fd, _MESSAGE_SIZE)

    def release(self) -> None:
        """Makes the pages present."""
        for start in range(self._start, self._start + self._stuck, PAGE):
            try:
                ioctl(self._fd, _iowr(0x04, _ZeroPage), _ZeroPage(start=start, len=PAGE))
            except FileExistsError:
                continue

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self.buffer.close()


assert mmap.PAGESIZE == PAGE
