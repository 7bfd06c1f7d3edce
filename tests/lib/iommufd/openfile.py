# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Objects that are opened and closed, by a with statement or by hand."""

import os
from typing import Self


class Closing:
    """Closed at the end of a with statement; close() may be called again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Releases its resources."""
        raise NotImplementedError


class OpenFile(Closing):
    """Has a file descriptor, which is -1 once it is closed."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def open_file(path: str) -> int:
    """A descriptor of a device node."""
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)
