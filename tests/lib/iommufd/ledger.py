# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares the iommufd_fail events with the calls that failed: one event each, with a reason."""

import errno
import fcntl
import os
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import ioctl, mock_uapi, reasons, vfio
from .openfile import Closing
from .trace import Event, Stream

# VFIO requests that VFIO may refuse itself, before it calls iommufd.
OF_VFIO = (vfio.DEVICE_BIND_IOMMUFD, vfio.DEVICE_ATTACH_IOMMUFD_PT)
# Requests by read(), write() and mmap(), which are not recorded here.
OF_FILES = range(1, 5)
# What a call returns inside the kernel if a signal interrupts it: ERESTARTSYS etc.
RESTART = range(512, 517)
RECORD = struct.Struct("=iIi")
# Read the events after this many failures, well before the buffer of a CPU overflows.
SOON_FULL = 1024


@dataclass(frozen=True)
class Failure:
    """A failed request: its command and errno."""

    command: int
    error: int

    def __str__(self) -> str:
        return f"command {self.command:#x} with {errno.errorcode.get(self.error, self.error)}"


def _contexts() -> list[int]:
    """The device numbers of files that are contexts."""
    nodes = (Path("/dev/iommu"), Path("/dev/vfio/vfio"))
    return [node.stat().st_rdev for node in nodes if node.exists()]


def _of(event: Event) -> Failure:
    error = -event.number("ret")
    return Failure(event.number("command"), errno.EINTR if error in RESTART else error)


class Ledger(Closing):
    """Records the failed calls of this process and its forks, from now to close()."""

    def __init__(self) -> None:
        self._contexts = _contexts()
        self._errnos = reasons.documented()
        # Shared with forks, which write to it too.
        self._calls = os.memfd_create("calls")
        fcntl.fcntl(self._calls, fcntl.F_SETFL, os.O_APPEND)
        self._stream = Stream("iommufd", "iommufd_fail")
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._noted = 0

    def close(self) -> None:
        """Stops listening."""
        self._stream.close()
        os.close(self._calls)

    def _note(self, fd: int, request: int, error: int) -> None:
        try:
            known = request in OF_VFIO or os.fstat(fd).st_rdev in self._contexts
        except OSError:
            return
        if known:
            record = RECORD.pack(threading.get_native_id(), request & 0xFFFFFFFF, error)
            os.write(self._calls, record)
            self._noted += 1
            if not self._noted % SOON_FULL:
                self._read()

    def _read(self) -> list[Event]:
        """The events since the body began. Only this process reads them, not its forks."""
        if os.getpid() == self._pid:
            with self._lock:
                self._events += self._stream.read()
        return self._events

    def _failures(self) -> dict[int, list[Failure]]:
        """The recorded failures, by thread."""
        found = defaultdict(list)
        size = os.fstat(self._calls).st_size
        for task, command, error in RECORD.iter_unpack(os.pread(self._calls, size, 0)):
            found[task].append(Failure(command, error))
        return found

    @contextmanager
    def held(self) -> Iterator[None]:
        """Compares the failures of the body with the events; a difference is an error."""
        os.ftruncate(self._calls, 0)
        self._read()
        self._events = []
        ioctl.on_failure = self._note
        try:
            yield
        finally:
            ioctl.on_failure = None
        events = self._read()
        complaints = [c for event in events if (c := self._complaint(event))]
        complaints += _differences(self._failures(), events)
        assert not complaints, "\n".join(complaints)

    def _complaint(self, event: Event) -> str:
        """The complaint about one event; empty if it is right."""
        failure, reason = _of(event), event["reason"]
        # The mock IOMMU's own command gives no reasons: it is not part of the product.
        if reason == "not_said" and failure.command != mock_uapi.TEST_CMD:
            return f"no reason for {failure}"
        if (errnos := self._errnos[reason]) and failure.error not in errnos:
            return f"docs/failures.md does not list {reason} for {failure}"
        return ""


def _differences(failures: dict[int, list[Failure]], events: list[Event]) -> Iterator[str]:
    """Calls without an event and events without a call. Those of a thread are in order."""
    told = defaultdict(list)
    for event in events:
        if event.number("command") not in OF_FILES:
            told[event.pid].append((_of(event), event["reason"]))
    for task in {*failures, *told}:
        left = told[task]
        for failure in failures[task]:
            if left and left[0][0] == failure:
                left.pop(0)
            elif failure.command not in OF_VFIO:
                yield f"no event for {failure} of {task}, next is {left[:1]}"
        # A caller that is killed cannot record its failed call.
        yield from (
            f"an event without a call: {failure}, {reason}"
            for failure, reason in left
            if reason != "interrupted"
        )
