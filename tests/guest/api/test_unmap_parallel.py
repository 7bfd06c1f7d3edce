# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Unmaps of one IOAS at the same time: those of other addresses run, those of the same wait."""

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from errnos import errno_of
from iommufd import mem, mock, uapi
from iommufd.ctx import Context
from iommufd.knobs import held, knob
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages
from waiting import until, waits_in_ioctl
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="ours")

PAGES = 4
SIZE = PAGES * PAGE
IOVA = mock.START
BESIDE = IOVA + SIZE
FAR = IOVA + (1 << 24)


class Waiter:
    """A thread whose request waits."""

    def __init__(self, request: Callable[[], object]) -> None:
        self._request = request
        self._task = 0
        self.result: object = None
        self.worker = Workers(self._run)

    def _run(self, _: object) -> None:
        self._task = threading.get_native_id()
        self.result = self._request()

    def wait(self) -> None:
        """Returns when it waits."""
        until(lambda: self._task and waits_in_ioctl(self._task))


@contextmanager
def unmap_held(
    context: Context, ioas: int, memory: mem.Buffer, *requests: Callable[[], object]
) -> Iterator[list[Waiter]]:
    """An unmap of IOVA waits for a driver; the other requests wait for it.

    All end with the body. The first one is the unmap.
    """
    waiters = [Waiter(request) for request in (lambda: context.unmap(ioas, IOVA, SIZE), *requests)]
    with ExitStack() as threads:
        access = threads.enter_context(mock.Access(context, ioas))
        with knob("hold_pins"):
            threads.enter_context(Workers(lambda _: access.pin(IOVA, memory, SIZE)))
            until(lambda: held("pins"))
            for waiter in waiters:
                threads.enter_context(waiter.worker)
                waiter.wait()
            yield waiters
            for waiter in waiters:
                assert waiter.worker.alive()


@pytest.fixture
def device(context: Context, ioas: int, buffer: mem.Buffer) -> Iterator[mock.Device]:
    """Has memory at three places, two of which adjoin."""
    before = pinned_pages()
    with mock.Device(context, ioas) as device:
        for iova in (IOVA, BESIDE, FAR):
            context.map(ioas, buffer, iova=iova, length=SIZE)
        yield device
        context.unmap_all(ioas)
    assert pinned_pages() == before


def test_other_addresses(
    context: Context, ioas: int, buffer: mem.Buffer, device: mock.Device
) -> None:
    """They are mapped, unmapped, read and copied while an unmap waits."""
    with unmap_held(context, ioas, buffer) as (unmap,):
        assert context.unmap(ioas, FAR, SIZE) == SIZE
        assert context.unmap(ioas, BESIDE, SIZE) == SIZE
        device.check(BESIDE, 0, SIZE)
        context.map(ioas, buffer, iova=BESIDE, length=SIZE)
        device.check(BESIDE, buffer, SIZE)
        context.copy(ioas, ioas, BESIDE, SIZE, iova=FAR)
        with mock.Access(context, ioas) as access:
            access.read(FAR, SIZE)
            access.read(BESIDE, SIZE, slow=True)
        assert errno_of(context.unmap, ioas, FAR + SIZE, SIZE) == errno.ENOENT
        # The addresses stay in use.
        with pytest.raises(FileExistsError):
            context.map(ioas, buffer, iova=IOVA, length=SIZE)
    assert unmap.result == SIZE
    device.check(IOVA, 0, SIZE)
    device.check(FAR, buffer, SIZE)


RANGES = {
    "same": (IOVA, SIZE, errno.ENOENT),
    "more": (IOVA, 2 * SIZE, SIZE),
    "all": (0, uapi.U64_MAX, 2 * SIZE),
}


@pytest.mark.parametrize("which", RANGES)
def test_same_addresses(
    context: Context, ioas: int, buffer: mem.Buffer, device: mock.Device, which: str
) -> None:
    """An unmap that overlaps waits: when it ends, nothing is mapped there."""
    iova, length, expected = RANGES[which]

    def overlapping() -> int:
        try:
            return context.unmap(ioas, iova, length)
        except FileNotFoundError as error:
            return error.errno

    with unmap_held(context, ioas, buffer, overlapping) as (unmap, other):
        device.check(BESIDE, buffer, SIZE)
    assert unmap.result == SIZE
    assert other.result == expected
    device.check(IOVA, 0, SIZE)


def test_turns(context: Context, ioas: int, buffer: mem.Buffer, device: mock.Device) -> None:
    """A later unmap waits for one that waits for the same addresses, and no other does."""
    requests = (
        lambda: context.unmap(ioas, IOVA, 2 * SIZE),
        lambda: errno_of(context.unmap, ioas, BESIDE, SIZE),
    )
    with unmap_held(context, ioas, buffer, *requests) as (unmap, both, later):
        assert context.unmap(ioas, FAR, SIZE) == SIZE
    assert (unmap.result, both.result, later.result) == (SIZE, SIZE, errno.ENOENT)


def test_killed(context: Context, ioas: int, buffer: mem.Buffer, device: mock.Device) -> None:
    """A process whose unmap waits for another one ends when it is killed."""
    with unmap_held(context, ioas, buffer) as (unmap,):
        child = os.fork()
        if not child:
            try:
                context.unmap(ioas, IOVA, 2 * SIZE)
            finally:
                os._exit(0)
        until(lambda: waits_in_ioctl(child))
        os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        # It has changed nothing, and no longer keeps others waiting.
        device.check(BESIDE, buffer, SIZE)
        assert context.unmap(ioas, BESIDE, SIZE) == SIZE
    assert unmap.result == SIZE
