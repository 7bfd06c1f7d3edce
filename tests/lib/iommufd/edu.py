# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""QEMU's edu device: a DMA engine with a buffer of one page."""

import time

from . import vfio
from .container import Group
from .ctx import Context

VENDOR, DEVICE = 0x1234, 0x11E8

REG_INTERRUPT_RAISE = 0x60
REG_INTERRUPT_ACKNOWLEDGE = 0x64
REG_DMA_SOURCE = 0x80
REG_DMA_DESTINATION = 0x88
REG_DMA_COUNT = 0x90
REG_DMA_COMMAND = 0x98
COMMAND_START = 1
COMMAND_TO_MEMORY = 2

# The address of the engine's buffer, as the engine sees it.
BUFFER = 0x40000
BUFFER_SIZE = 4096

# Only a broken device takes this long; a transfer takes 100 ms.
PATIENCE = 20.0


def addresses() -> list[str]:
    """All edu devices, in the order of --device."""
    return vfio.find(VENDOR, DEVICE)


class Engine(vfio.Device):
    """The device behind an open file, however that was opened."""

    def __init__(self, address: str, fd: int | None = None) -> None:
        super().__init__(address, fd)
        self._regs: vfio.Registers | None = None

    def power_on(self) -> None:
        """Enables DMA: from here on, transfers can be started."""
        self.enable()
        self._regs = vfio.Registers(self.map_bar(0, 4096))

    def close(self) -> None:
        if self._regs:
            self._regs.release()
            self._regs = None
        super().close()

    def interrupt(self) -> None:
        """Sends an interrupt."""
        assert self._regs
        self._regs.write32(REG_INTERRUPT_RAISE, 1)
        self._regs.write32(REG_INTERRUPT_ACKNOWLEDGE, 1)

    def start(self, source: int, destination: int, count: int, command: int) -> None:
        """Starts a transfer without waiting for it."""
        assert self._regs
        self._regs.write64(REG_DMA_SOURCE, source)
        self._regs.write64(REG_DMA_DESTINATION, destination)
        self._regs.write64(REG_DMA_COUNT, count)
        self._regs.write64(REG_DMA_COMMAND, COMMAND_START | command)

    def busy(self) -> bool:
        """Whether a transfer is in progress."""
        assert self._regs
        return bool(self._regs.read64(REG_DMA_COMMAND) & COMMAND_START)

    def wait(self) -> None:
        """Waits for the end of the transfer by polling: the engine has only a register for this."""
        end = time.monotonic() + PATIENCE
        while self.busy():
            if time.monotonic() > end:
                raise TimeoutError("the edu device doesn't end its transfer")
            time.sleep(0.002)

    def start_read(self, iova: int, count: int = BUFFER_SIZE, offset: int = 0) -> None:
        """Transfers memory to the device's buffer."""
        self.start(iova, BUFFER + offset, count, 0)

    def start_write(self, iova: int, count: int = BUFFER_SIZE, offset: int = 0) -> None:
        """Transfers the device's buffer to memory."""
        self.start(BUFFER + offset, iova, count, COMMAND_TO_MEMORY)

    def dma_read(self, iova: int, count: int = BUFFER_SIZE, offset: int = 0) -> None:
        """Lets the device read memory, and waits for the end."""
        self.start_read(iova, count, offset)
        self.wait()

    def dma_write(self, iova: int, count: int = BUFFER_SIZE, offset: int = 0) -> None:
        """Lets the device write memory, and waits for the end."""
        self.start_write(iova, count, offset)
        self.wait()


class Edu(Engine):
    """Binds a device to a context and, if an IOAS is given, attaches it."""

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
    """Opens a device through a group that has a container."""

    def __init__(self, group: Group) -> None:
        super().__init__(group.address, group.device_fd())
        try:
            self.power_on()
        except BaseException:
            self.close()
            raise
