# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Interrupts (MSI) of a device. One that does not arrive is not waited for: the counter of the next
one that arrives shows it.
"""

import os
import select

from .edu import Edu

PATIENCE = 20.0


class Interrupts:
    """The device's only vector, as an eventfd."""

    def __init__(self, device: Edu) -> None:
        self._device = device
        self.eventfd = os.eventfd(0, os.EFD_NONBLOCK)
        device.enable_msi(self.eventfd)

    def arrive(self) -> int:
        """Sends one, waits for it; returns how many have arrived since the last time."""
        self._device.interrupt()
        assert select.select([self.eventfd], [], [], PATIENCE)[0], "the interrupt is lost"
        return os.eventfd_read(self.eventfd)

    def close(self) -> None:
        """Disables them."""
        self._device.disable_msi()
        os.close(self.eventfd)
