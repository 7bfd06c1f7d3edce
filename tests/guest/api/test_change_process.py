# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOAS_CHANGE_PROCESS: another process takes over the charge for pinned memory."""

import errno
import os
from collections.abc import Iterator

import pytest
from child_process import Child
from errnos import errno_of
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.pins import NOBODY, pinned_pages, status_bytes, unprivileged
from iommufd.uapi import OPTION_RLIMIT_MODE, IoasChangeProcess

SIZE = 8 * PAGE
BY_PROCESS = pytest.mark.parametrize("by_process", [False, True], ids=["user", "process"])
# A limit for an unprivileged user that covers all mappings here.
ENOUGH = 1 << 20


@pytest.fixture
def file() -> Iterator[int]:
    fd = os.memfd_create("dma")
    os.ftruncate(fd, SIZE)
    yield fd
    os.close(fd)


@pytest.fixture
def ioas(context: Context, by_process: bool) -> int:
    """An IOAS whose pages are charged to the user or to the process."""
    context.set_option(OPTION_RLIMIT_MODE, int(by_process))
    return context.ioas_alloc()


def change_process(context: Context) -> None:
    context.command("IOAS_CHANGE_PROCESS", IoasChangeProcess())


def charged(by_process: bool, pid: int | str = "self") -> int:
    """The bytes that a process has pinned, which also count as locked if processes are charged."""
    pinned, locked = status_bytes(pid, "VmPin"), status_bytes(pid, "VmLck")
    assert locked == (pinned if by_process else 0)
    return pinned


@BY_PROCESS
def test_charge_moves(context: Context, ioas: int, file: int, by_process: bool) -> None:
    """All IOASes at once, without touching the pins; and back again."""
    second = context.ioas_alloc()
    parent = os.getpid()

    def body(child: Child) -> None:
        assert charged(by_process) == 0
        change_process(context)
        assert charged(by_process) == SIZE + PAGE
        assert charged(by_process, parent) == 0
        child.pause()
        assert charged(by_process) == 0

    before = pinned_pages()
    with mock.Device(context, ioas), mock.Device(context, second):
        with unprivileged(ENOUGH):
            context.map_file(ioas, file, 0, SIZE)
            context.map_file(second, file, PAGE, PAGE)
            assert charged(by_process) == SIZE + PAGE
            change_process(context)
            assert charged(by_process) == SIZE + PAGE
            with Child(body) as child:
                child.met()
                change_process(context)
                assert charged(by_process) == SIZE + PAGE
            assert context.unmap_all(ioas) == SIZE
            assert charged(by_process) == PAGE
        assert pinned_pages() - before == 1
    assert charged(by_process) == 0
    assert pinned_pages() == before


@BY_PROCESS
def test_later_pins(context: Context, ioas: int, file: int, by_process: bool) -> None:
    """Memory that is mapped now and pinned later is charged to the new process."""
    parent = os.getpid()

    def body(child: Child) -> None:
        change_process(context)
        assert charged(by_process) == 0
        with mock.Device(context, ioas):
            assert charged(by_process) == SIZE
            assert charged(by_process, parent) == 0
        assert charged(by_process) == 0

    with unprivileged(ENOUGH):
        context.map_file(ioas, file, 0, SIZE, iova=mock.START)
        with Child(body):
            pass


@BY_PROCESS
def test_process_is_gone(context: Context, ioas: int, file: int, by_process: bool) -> None:
    """The new process has exited; its charges can still be undone by an unmap."""
    before = pinned_pages()
    with mock.Device(context, ioas):
        with unprivileged(ENOUGH):
            context.map_file(ioas, file, 0, SIZE)
            with Child(lambda _: change_process(context)):
                pass
            assert charged(by_process) == 0
        assert pinned_pages() - before == SIZE // PAGE
        assert context.unmap_all(ioas) == SIZE
        assert charged(by_process) == 0


@BY_PROCESS
def test_memory_of_a_process(
    context: Context, ioas: int, file: int, buffer: mem.Buffer, by_process: bool
) -> None:
    """An IOAS that cannot change: then none changes."""
    other = context.ioas_alloc()

    def body(child: Child) -> None:
        assert errno_of(change_process, context) == errno.EINVAL
        assert charged(by_process) == 0

    with mock.Device(context, ioas), unprivileged(ENOUGH):
        context.map_file(ioas, file, 0, SIZE)
        context.map(other, buffer.address, PAGE)
        with Child(body):
            pass
        assert charged(by_process) == SIZE
        context.unmap_all(other)
        change_process(context)


@BY_PROCESS
def test_shared_pages_count_once(context: Context, ioas: int, file: int, by_process: bool) -> None:
    """A copy is the same memory."""
    other = context.ioas_alloc()

    def body(child: Child) -> None:
        change_process(context)
        assert charged(by_process) == SIZE

    with mock.Device(context, ioas), mock.Device(context, other), unprivileged(ENOUGH):
        iova = context.map_file(ioas, file, 0, SIZE)
        context.copy(other, ioas, iova, SIZE)
        assert charged(by_process) == SIZE
        with Child(body):
            pass
        assert charged(by_process) == 0


@BY_PROCESS
def test_limit(context: Context, ioas: int, file: int, by_process: bool) -> None:
    """A process with too low a limit does not take over; the old one stays charged."""
    parent = os.getpid()
    other_user = NOBODY - 1

    def body(child: Child) -> None:
        with unprivileged(SIZE - PAGE, other_user):
            assert errno_of(change_process, context) == errno.ENOMEM
            assert charged(by_process) == 0
            assert charged(by_process, parent) == SIZE
        with unprivileged(SIZE, other_user):
            change_process(context)
            assert charged(by_process) == SIZE

    with mock.Device(context, ioas):
        with unprivileged(ENOUGH):
            context.map_file(ioas, file, 0, SIZE)
        with Child(body):
            pass


@pytest.mark.guest(kernels="ours")
@pytest.mark.parametrize("by_process", [False])
def test_privileged(context: Context, ioas: int, file: int) -> None:
    """A privileged process is charged as well, so that it can hand over its charges."""
    before = status_bytes("self", "VmPin")

    def body(child: Child) -> None:
        change_process(context)
        assert status_bytes("self", "VmPin") == SIZE

    with mock.Device(context, ioas):
        context.map_file(ioas, file, 0, SIZE)
        assert status_bytes("self", "VmPin") == before + SIZE
        with Child(body):
            pass
        assert status_bytes("self", "VmPin") == before


@BY_PROCESS
def test_nothing_to_move(context: Context, ioas: int) -> None:
    change_process(context)
    with mock.Device(context, ioas):
        change_process(context)
