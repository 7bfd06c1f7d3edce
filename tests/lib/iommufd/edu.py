# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""QEMU's edu device: a DMA engine with a buffer of one page."""

import time

from . import vfio
from .container import Group
from .ctx import Context

VENDOR, DEVICE = 0x1234, 0x11E8

REG_DMA_SOURCE = 0x80
REG_DMA_DESTINATION = 0x88
REG_DMA_COUNT = 0x90
REG_DMA_COMMAND = 0x98
COMMAND_START = 1
COMMAND_TO_MEMORY = 2

# Where the engine sees its own buffer.
BUFFER = 0x40000
BUFFER_SIZE = 4096

# For a device that is broken; a transfer takes 100 ms.
PATIENCE = 20.0


def addresses() -> list[str]:
    """All of them, in the order of --device."""
    return vfio.find(VENDOR, DEVICE)


class Engine(vfio.Device):
    """The device in an open file of it, however that came to be."""

    def __init__(self, address: str, fd: int | None = None) -> None:
        super().__init__(address, fd)
        self._regs: vfio.Registers | None = None

    def power_on(self) -> None:
        """From here on it can be told to do DMA."""
        self.enable()
        self._regs = vfio.Registers(self.map_bar(0, 4096))

    def close(self) -> None:
        if self._regs:
            self._regs.release()
            self._regs = None
        super().close()

    def start(self, source: int, destination: int, count: int, command: int) -> None:
        """Starts a transfer and doesn't wait."""
        assert self._regs
        self._regs.write64(REG_DMA_SOURCE, source)
        self._regs.write64(REG_DMA_DESTINATION, destination)
        self._regs.write64(REG_DMA_COUNT, count)
        self._regs.write64(REG_DMA_COMMAND, COMMAND_START | command)

    def busy(self) -> bool:
        """Whether a transfer is on its way."""
        assert self._regs
        return bool(self._regs.read64(REG_DMA_COMMAND) & COMMAND_START)

    def wait(self) -> None:
        """Returns when the transfer is over; the engine says that by a register alone."""
        end = time.monotonic() + PATIENCE
        while self.busy():
            if time.monotonic() > end:
                raise TimeoutError("the edu device doesn't end its transfer")
            time.sleep(0.002)

    def start_read(self, iova: int, count: int = BUFFER_SIZE, offset: int = 0) -> None:
        """Memory to the device's buffer."""
        self.start(iova, BUFFER + offset, count, 0)

    def start_write(self, iova: int, count: int = BUFFER_SIZE, offset: int = 0) -> None:
        """The device's buffer to memory."""
        self.start(BUFFER + offset, iova, count, COMMAND_TO_MEMORY)

    def dma_read(self, iova: int, count: int = BUFFER_SIZE, offset: int = 0) -> None:
        """The device reads memory; returns when it is done."""
        self.start_read(iova, count, offset)
        self.wait()

    def dma_write(self, iova: int, count: int = BUFFER_SIZE, offset: int = 0) -> None:
        """The device writes memory; returns when it is done."""
        self.start_write(iova, count, offset)
        self.wait()


class Edu(Engine):
    """Bound to a context and, if one is given, attached to an IOAS."""

    def __init__(self, context: Context, ioas: int | None = None, index: int = 0) -> None:
        super().__init__(addresses()[index])
        try:
            self.bind(context)
            if ioas is not None:
                self.attach(ioas)
            self.power_on()
        except BaseException:
            self.close()
            raise


class GroupEdu(Engine):
    """Out of a group that has a container."""

    def __init__(self, group: Group) -> None:
        super().__init__(group.address, group.device_fd())
        try:
            self.power_on()
        except BaseException:
            self.close()
            raise
