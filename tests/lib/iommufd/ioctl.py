# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""ioctl() on ctypes structures, passed through unchanged.

fcntl.ioctl copies small arguments. That hides a bad pointer from the kernel, and
the kernel's answer from the caller if the call fails. This module calls libc
directly.
"""

import ctypes
import os
from collections.abc import Callable

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ioctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)
_libc.ioctl.restype = ctypes.c_int

# Called for each call that fails: descriptor, request, errno.
on_failure: Callable[[int, int, int], None] | None = None


def ioctl(fd: int, request: int, argument: ctypes.Structure | ctypes.Array | int | None) -> int:
    """Makes one call; the argument is a structure (by reference) or an address."""
    # Keeps the object alive during the call: its address alone does not.
    by_reference = isinstance(argument, (ctypes.Structure, ctypes.Array))
    address = ctypes.addressof(argument) if by_reference else argument
    result = _libc.ioctl(fd, request, address)
    if result < 0:
        error = ctypes.get_errno()
        if on_failure:
            on_failure(fd, request, error)
        raise OSError(error, os.strerror(error))
    return result


def io(kind: str, number: int) -> int:
    """_IO() of the kernel's headers."""
    return ord(kind) << 8 | number
