# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A user-space NVMe driver: one admin and one I/O queue pair, polled.

Queues, PRP lists and data are in memory that iommufd has mapped. The driver works
only if every mapping is right, for reading and for writing.
"""

import struct
import time
from dataclasses import dataclass

from . import mem, vfio
from .ctx import Context

VENDOR, DEVICE = 0x1B36, 0x0010

REG_CAP, REG_CC, REG_CSTS = 0x00, 0x14, 0x1C
REG_AQA, REG_ASQ, REG_ACQ = 0x24, 0x28, 0x30
REG_DOORBELLS = 0x1000

CC_ENABLE = 1
# Sizes of queue entries, as powers of two: submissions 64 bytes, completions 16 bytes.
CC_ENTRIES = 6 << 16 | 4 << 20
CSTS_READY = 1
CSTS_FATAL = 2

ADMIN_CREATE_SQ, ADMIN_CREATE_CQ, ADMIN_IDENTIFY = 0x01, 0x05, 0x06
IO_FLUSH, IO_WRITE, IO_READ = 0x00, 0x01, 0x02

ENTRIES = 16
SQE = struct.Struct("<BBHIQQQQIIIIII")
CQE = struct.Struct("<IIHHHH")
PATIENCE = 60.0


class NvmeError(Exception):
    """A command that the controller completed with an error."""

    def __init__(self, opcode: int, status: int) -> None:
        super().__init__(f"command {opcode:#x} failed with status {status:#x}")
        self.status = status


@dataclass
class Mapped:
    """A buffer and the address at which the device sees it."""

    buffer: mem.Buffer
    iova: int


class Queue:
    """A pair of queues and its two doorbells."""

    def __init__(
        self, number: int, stride: int, regs: vfio.Registers, sq: Mapped, cq: Mapped
    ) -> None:
        self.sq = sq
        self.cq = cq
        self._regs = regs
        self._tail_bell = REG_DOORBELLS + 2 * number * stride
        self._head_bell = self._tail_bell + stride
        self._tail = 0
        self._head = 0
        self._phase = 1
        self._id = 0

    def submit(self, opcode: int, nsid: int, prp: tuple[int, int], words: tuple[int, ...]) -> None:
        """Adds a command to the queue and rings the doorbell."""
        self._id = (self._id + 1) & 0xFFFF
        words = (*words, *(0,) * (6 - len(words)))
        entry = SQE.pack(opcode, 0, self._id, nsid, 0, 0, *prp, *words)
        self.sq.buffer.write(entry, self._tail * SQE.size)
        self._tail = (self._tail + 1) % ENTRIES
        self._regs.write32(self._tail_bell, self._tail)

    def completed(self) -> tuple[int, int] | None:
        """(result, status) of the next completed command, or None."""
        entry = self.cq.buffer.read(self._head * CQE.size, CQE.size)
        result, _, _, _, _, status = CQE.unpack(entry)
        if status & 1 != self._phase:
            return None
        self._head = (self._head + 1) % ENTRIES
        if not self._head:
            self._phase ^= 1
        self._regs.write32(self._head_bell, self._head)
        return result, status >> 1

    def wait(self, opcode: int) -> int:
        """Waits for the next command to complete; returns its result."""
        end = time.monotonic() + PATIENCE
        while (done := self.completed()) is None:
            if time.monotonic() > end:
                raise TimeoutError(f"the NVMe controller doesn't answer command {opcode:#x}")
            time.sleep(0.001)
        if done[1]:
            raise NvmeError(opcode, done[1])
        return done[0]


class Nvme(vfio.Device):
    """A running controller with an I/O queue; bound and attached."""

    def __init__(self, context: Context, ioas: int, index: int = 0) -> None:
        super().__init__(vfio.find(VENDOR, DEVICE)[index])
        self._context = context
        self._ioas = ioas
        self._regs: vfio.Registers | None = None
        try:
            self.bind(context)
            self.attach(ioas)
            self.enable()
            self._regs = vfio.Registers(self.map_bar(0))
            self._start(self._regs)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._regs:
            self._regs.release()
            self._regs = None
        super().close()

    def map(self, buffer: mem.Buffer) -> Mapped:
        """Maps a buffer for the controller."""
        return Mapped(buffer, self._context.map(self._ioas, buffer))

    def _page(self) -> Mapped:
        return self.map(mem.anonymous(mem.PAGE))

    def _wait_ready(self, regs: vfio.Registers, wanted: int) -> None:
        end = time.monotonic() + PATIENCE
        while regs.read32(REG_CSTS) & CSTS_READY != wanted:
            if time.monotonic() > end or regs.read32(REG_CSTS) & CSTS_FATAL:
                raise TimeoutError("the NVMe controller does not change its state")
            time.sleep(0.001)

    def _start(self, regs: vfio.Registers) -> None:
        stride = 4 << (regs.read64(REG_CAP) >> 32 & 0xF)
        regs.write32(REG_CC, 0)
        self._wait_ready(regs, 0)
        self.admin = Queue(0, stride, regs, self._page(), self._page())
        regs.write32(REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1))
        regs.write64(REG_ASQ, self.admin.sq.iova)
        regs.write64(REG_ACQ, self.admin.cq.iova)
        regs.write32(REG_CC, CC_ENTRIES | CC_ENABLE)
        self._wait_ready(regs, CSTS_READY)
        self.io = Queue(1, stride, regs, self._page(), self._page())
        size = (ENTRIES - 1) << 16 | 1
        self.admin.submit(ADMIN_CREATE_CQ, 0, (self.io.cq.iova, 0), (size, 1))
        self.admin.wait(ADMIN_CREATE_CQ)
        self.admin.submit(ADMIN_CREATE_SQ, 0, (self.io.sq.iova, 0), (size, 1 << 16 | 1))
        self.admin.wait(ADMIN_CREATE_SQ)
        self._lists = self._page()
        self.block_size, self.blocks = self._namespace()

    def _identify(self, nsid: int, what: int) -> bytes:
        page = self._page()
        self.admin.submit(ADMIN_IDENTIFY, nsid, (page.iova, 0), (what,))
        self.admin.wait(ADMIN_IDENTIFY)
        data = page.buffer.read()
        self._context.unmap(self._ioas, page.iova, mem.PAGE)
        return data

    def serial(self) -> str:
        """The serial number."""
        return self._identify(0, 1)[4:24].decode("ascii").strip()

    def _namespace(self) -> tuple[int, int]:
        data = self._identify(1, 0)
        blocks = int.from_bytes(data[:8], "little")
        formatted = data[26] & 0xF
        return 1 << data[128 + 4 * formatted + 2], blocks

    def _prp(self, iova: int, length: int) -> tuple[int, int]:
        """The two addresses of a command; the second may be that of a PRP list."""
        first = iova & ~(mem.PAGE - 1)
        pages = range(first + mem.PAGE, iova + length, mem.PAGE)
        if len(pages) <= 1:
            return iova, pages[0] if pages else 0
        self._lists.buffer.write(struct.pack(f"<{len(pages)}Q", *pages))
        return iova, self._lists.iova

    def start(self, opcode: int, block: int, iova: int, length: int) -> None:
        """Starts a transfer without waiting for it."""
        words = (block & 0xFFFFFFFF, block >> 32, length // self.block_size - 1)
        self.io.submit(opcode, 1, self._prp(iova, length), words)

    def read(self, block: int, iova: int, length: int) -> None:
        """Reads from disk to memory."""
        self.start(IO_READ, block, iova, length)
        self.io.wait(IO_READ)

    def write(self, block: int, iova: int, length: int) -> None:
        """Writes from memory to disk, past the disk's cache."""
        self.start(IO_WRITE, block, iova, length)
        self.io.wait(IO_WRITE)
        self.io.submit(IO_FLUSH, 1, (0, 0), ())
        self.io.wait(IO_FLUSH)
