# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A workload of known size: maps, unmaps and DMA of an edu device.

python3 -m iommufd.load --maps 100 --size 64K

At the end it prints one line of JSON with exact counts, to compare with the output
of a monitor. `maps` and `unmaps` count the requested mappings. Unless --no-dma is
given, each IOAS has one more page, which is mapped once for the DMA of its device
(`dma_bytes`) and is not counted.
"""

import argparse
import ctypes
import itertools
import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

from . import edu, mem
from .ctx import Context

PR_SET_NAME = 15
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
KINDS: dict[str, Callable[[int], mem.Buffer]] = {
    "anonymous": mem.anonymous,
    "shared": mem.shared,
    "thp": mem.transparent_huge,
    "hugetlb": mem.hugetlb,
}


def parse_size(text: str) -> int:
    """A number of bytes, such as 64K or 2M."""
    unit = UNITS.get(text[-1:].upper())
    return int(text[:-1]) * unit if unit else int(text)


@dataclass
class Done:
    """The counts of one IOAS."""

    id: int
    maps: int = 0
    unmaps: int = 0
    mapped_bytes: int = 0
    unmapped_bytes: int = 0
    held_maps: int = 0
    held_bytes: int = 0
    dma_bytes: int = 0
    transfers: int = 0
    transferred_bytes: int = 0
    bad_transfers: int = 0


@dataclass
class Space:
    """An IOAS, its mappings and its device."""

    context: Context
    done: Done
    live: deque[tuple[int, int]] = field(default_factory=deque)
    device: edu.Edu | None = None
    page: mem.Buffer | None = None
    page_iova: int = 0
    out: bytes = b""
    phase: int = 0

    def attach(self, index: int, dma: bool) -> None:
        """Attaches device number `index`."""
        self.device = edu.Edu(self.context, self.done.id, index)
        if dma:
            self.page = mem.anonymous(mem.PAGE)
            self.page_iova = self.context.map(self.done.id, self.page)
            self.done.dma_bytes = mem.PAGE

    def map(self, buffer: mem.Buffer, size: int) -> None:
        """Makes one mapping."""
        iova = self.context.map(self.done.id, buffer, length=size)
        self.live.append((iova, size))
        self.done.maps += 1
        self.done.mapped_bytes += size
        self.done.held_maps += 1
        self.done.held_bytes += size

    def unmap(self) -> None:
        """Removes the oldest mapping."""
        iova, size = self.live.popleft()
        self.done.unmapped_bytes += self.context.unmap(self.done.id, iova, size)
        self.done.unmaps += 1
        self.done.held_maps -= 1
        self.done.held_bytes -= size

    def dma(self) -> None:
        """Keeps the device busy: sends a page to it and back, and checks the result."""
        if not self.device or not self.page or self.device.busy():
            return
        if self.phase == 1:
            self._count()
            self.page.fill(0)
            self.device.start_write(self.page_iova)
        else:
            if self.phase == 2:
                self._count()
                self.done.bad_transfers += self.page.read() != self.out
            self.out = os.urandom(mem.PAGE)
            self.page.write(self.out)
            self.device.start_read(self.page_iova)
            self.phase = 0
        self.phase += 1

    def _count(self) -> None:
        self.done.transfers += 1
        self.done.transferred_bytes += mem.PAGE


class Load:
    """The whole workload."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._stop = False
        self._context = Context()
        self._spaces: list[Space] = []
        for index in range(options.ioas):
            space = Space(self._context, Done(self._context.ioas_alloc()))
            if not options.no_device and index < len(edu.addresses()):
                space.attach(index, not options.no_dma)
            self._spaces.append(space)
        make = KINDS[options.kind]
        self._buffers = [(make(size), size) for size in options.size]

    def stop(self, *_: object) -> None:
        """Requests the end; also used as a signal handler."""
        self._stop = True

    def _rounds(self) -> Iterator[int]:
        """Counts until one of the limits is reached."""
        end = time.monotonic() + self._options.seconds if self._options.seconds else None
        for count in itertools.count():
            if self._stop or count == self._options.maps:
                return
            if end is not None and time.monotonic() >= end:
                return
            yield count

    def run(self) -> None:
        """Maps, unmaps and does DMA until a limit or a signal."""
        for count in self._rounds():
            space = self._spaces[count % len(self._spaces)]
            buffer, size = self._buffers[count % len(self._buffers)]
            space.map(buffer, size)
            if len(space.live) > self._options.keep and not self._options.hold:
                space.unmap()
            for each in self._spaces:
                each.dma()
            if self._options.pause:
                time.sleep(self._options.pause)
        if not self._options.hold:
            for space in self._spaces:
                while space.live:
                    space.unmap()

    def report(self) -> dict:
        """The counts, for JSON."""
        return {
            "pid": os.getpid(),
            "comm": self._options.comm,
            "maps": sum(s.done.maps for s in self._spaces),
            "unmaps": sum(s.done.unmaps for s in self._spaces),
            "transfers": sum(s.done.transfers for s in self._spaces),
            "bad_transfers": sum(s.done.bad_transfers for s in self._spaces),
            "ioas": [asdict(s.done) for s in self._spaces],
        }

    def hold(self) -> None:
        """Keeps the mappings until standard input ends or a signal arrives."""
        try:
            while not self._stop and os.read(0, 4096):
                pass
        except InterruptedError:
            pass

    def close(self) -> None:
        """Releases everything."""
        for space in self._spaces:
            if space.device:
                space.device.close()
        self._context.close()


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="iommufd.load", description=__doc__)
    add = parser.add_argument
    add("--maps", type=int, default=-1, metavar="N", help="exactly N maps (no limit)")
    add("--seconds", type=float, default=0, metavar="S", help="stop after S seconds (no limit)")
    add("--size", default="64K", metavar="SIZE[,SIZE...]", help="bytes of a map, in turn (64K)")
    add("--kind", choices=sorted(KINDS), default="anonymous", help="kind of memory (anonymous)")
    add("--ioas", type=int, default=1, metavar="N", help="number of IOASes, each with a device (1)")
    add("--keep", type=int, default=4, metavar="N", help="mappings an IOAS keeps (4)")
    add("--pause", type=float, default=0, metavar="S", help="seconds to sleep after each map (0)")
    add("--hold", action="store_true", help="unmap nothing; report, then wait for the end of input")
    add("--wait", action="store_true", help="begin when a line arrives on standard input")
    add("--no-device", action="store_true", help="attach no device: nothing is pinned")
    add("--no-dma", action="store_true", help="attach the device but do no DMA")
    add("--comm", default="dma-load", help="name of the process (dma-load)")
    options = parser.parse_args(argv)
    options.size = [parse_size(x) for x in options.size.split(",")]
    return options


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status: 1 if a transfer corrupted data."""
    options = parse(sys.argv[1:] if argv is None else argv)
    ctypes.CDLL(None).prctl(PR_SET_NAME, options.comm.encode())
    if options.wait:
        # Unbuffered: hold() reads the same input.
        while os.read(0, 1) not in (b"\n", b""):
            pass
    load = Load(options)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, load.stop)
        signal.siginterrupt(signum, True)
    load.run()
    report = load.report()
    print(json.dumps(report), flush=True)
    if options.hold:
        load.hold()
    load.close()
    return 1 if report["bad_transfers"] else 0


if __name__ == "__main__":
    sys.exit(main())
