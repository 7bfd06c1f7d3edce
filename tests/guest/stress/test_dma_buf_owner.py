# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Requests on a dma-buf whose owner holds its lock while revoking it."""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from errnos import errno_of
from iommufd import mock
from iommufd.ctx import Context
from iommufd.knobs import held, knob
from iommufd.mem import PAGE
from waiting import NR_IOCTL, until
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="ours")

IOVA = mock.START
SIZE = 4 * PAGE


@dataclass
class World:
    """An IOAS with a dma-buf and a page table, and one without."""

    context: Context
    ioas: int
    fd: int
    other: int


@pytest.fixture
def world(context: Context, ioas: int) -> Iterator[World]:
    fd = mock.dma_buf(context, SIZE)
    with mock.Device(context, ioas):
        context.map_file(ioas, fd, 0, SIZE, iova=IOVA)
        yield World(context, ioas, fd, context.ioas_alloc())
    os.close(fd)


@contextmanager
def being_revoked(world: World) -> Iterator[None]:
    """The owner holds the lock and has not announced the revocation; it has at the end."""
    # The knob is reset first, so that the thread can end.
    with ExitStack() as threads, knob("hold_revokes"):
        threads.enter_context(Workers(lambda _: mock.revoke(world.context, world.fd)))
        until(lambda: held("revokes"))
        yield


def waits(pid: int | str) -> bool:
    """Whether a process or thread sleeps in an ioctl."""
    task = Path(f"/proc/{pid}")
    state = (task / "stat").read_text().rpartition(")")[2].split()[0]
    return state in "SD" and (task / "syscall").read_text().split()[0] in NR_IOCTL


def map_file(world: World) -> None:
    world.context.map_file(world.ioas, world.fd, 0, PAGE)


def copy(world: World) -> None:
    world.context.copy(world.other, world.ioas, IOVA, SIZE)


def unmap(world: World) -> None:
    world.context.unmap(world.ioas, IOVA, SIZE)


def unmap_all(world: World) -> None:
    world.context.unmap_all(world.ioas)


@pytest.mark.parametrize("request_", [map_file, copy, unmap, unmap_all])
def test_killed(world: World, request_: Callable[[World], None]) -> None:
    """A process that waits for the owner ends when it is killed, and has changed nothing."""
    with being_revoked(world):
        pid = os.fork()
        if not pid:
            try:
                request_(world)
            finally:
                os._exit(0)
        until(lambda: waits(pid))
        os.kill(pid, signal.SIGKILL)
        until(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
        assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
        assert held("revokes") == 1
    assert world.context.unmap_all(world.ioas) == SIZE
    assert world.context.unmap_all(world.other) == 0


def test_copy_waits(world: World) -> None:
    """If memory is revoked while it is copied, the copy is decided after that."""
    errors: list[int] = []

    def copy_it(_: object) -> None:
        errors.append(errno_of(copy, world))

    with ExitStack() as stack:
        with being_revoked(world):
            stack.enter_context(Workers(copy_it))
            until(lambda: any(waits_to_copy()))
            assert errors == []
    assert errors == [errno.ENODEV]
    assert world.context.unmap_all(world.other) == 0


def waits_to_copy() -> list[bool]:
    """The threads other than the main one and the owner's."""
    found = [int(task.name) for task in Path("/proc/self/task").iterdir()]
    return [waits(f"self/task/{tid}") for tid in sorted(found)[2:]]


def test_signals(world: World) -> None:
    """A signal that does not kill neither ends the wait nor is lost."""
    caught: list[int] = []
    read, write = os.pipe()
    pid = 0
    with being_revoked(world):
        pid = os.fork()
        if not pid:
            try:
                signal.signal(signal.SIGUSR1, lambda number, _: caught.append(number))
                status = errno_of(copy, world) != errno.ENODEV or caught != [signal.SIGUSR1]
                os.write(write, b"%d" % status)
            finally:
                os._exit(0)
        until(lambda: waits(pid))
        os.kill(pid, signal.SIGUSR1)
        until(lambda: waits(pid))
    assert os.read(read, 1) == b"0"
    os.waitpid(pid, 0)
    os.close(read)
    os.close(write)
