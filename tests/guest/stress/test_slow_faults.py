# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A page fault that lasts: unrelated requests continue, and those that wait can be killed."""

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest
from errnos import errno_of
from iommufd import mem, mock, uapi
from iommufd.container import TYPE1, Adopted
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages, status_bytes
from iommufd.uffd import StuckMemory
from waiting import until, waits_in_ioctl

# Other kernels have no userfaultfd.
pytestmark = pytest.mark.guest(kernels="debug")

PAGES = 8
SIZE = PAGES * PAGE
IOVA = mock.START
# Where a test maps other memory, and where it copies the stuck memory.
ELSEWHERE = IOVA + (1 << 24)
COPY = IOVA + (1 << 25)


class Stuck:
    """A thread in a request that waits for a page fault."""

    def __init__(self, memory: StuckMemory, request: Callable[[], object]) -> None:
        self._memory = memory
        self._thread = threading.Thread(target=request)
        self._thread.start()
        memory.wait_for_fault()

    def finish(self) -> None:
        """Ends the fault, and with it the request."""
        assert self._thread.is_alive()
        self._memory.release()
        self._thread.join()


@pytest.fixture
def memory() -> Iterator[StuckMemory]:
    """Its second half is stuck."""
    with StuckMemory(SIZE, SIZE // 2) as memory:
        yield memory


def test_map_delays_nothing(context: Context, ioas: int, memory: StuckMemory) -> None:
    """A map that waits for a page delays no request that does not need the page."""
    before = pinned_pages()
    with mock.Device(context, ioas) as device, mem.anonymous(SIZE) as other:
        context.map(ioas, other, iova=ELSEWHERE)
        stuck = Stuck(memory, lambda: context.map(ioas, memory.buffer, iova=IOVA))
        second = mock.Device(context, ioas)
        hwpt = context.hwpt_alloc(second.device, ioas)
        mock.check_map(context, hwpt, ELSEWHERE, other, SIZE)
        second.close()
        context.destroy(hwpt)
        context.iova_ranges(ioas)
        context.allow_iovas(ioas, [(IOVA, COPY - 1)])
        mock.add_reserved(context, ioas, COPY, PAGE)
        with mock.Access(context, ioas) as access:
            access.unpin(access.pin(ELSEWHERE, other))
            access.read(ELSEWHERE, SIZE)
        copy = context.copy(ioas, ioas, ELSEWHERE, SIZE)
        assert context.unmap(ioas, copy, SIZE) == SIZE
        assert context.unmap(ioas, ELSEWHERE, SIZE) == SIZE
        # A new map beside it, and one that finds its addresses in use.
        context.map(ioas, other, iova=ELSEWHERE)
        with pytest.raises(FileExistsError):
            context.map(ioas, other, iova=IOVA)
        stuck.finish()
        device.check(IOVA, memory.buffer)
        context.unmap_all(ioas)
    assert pinned_pages() == before


def test_last_device_leaves(context: Context, ioas: int, memory: StuckMemory) -> None:
    """The page table goes while a map waits; nothing is pinned when it has ended."""
    before = pinned_pages()
    device = mock.Device(context, ioas)
    stuck = Stuck(memory, lambda: context.map(ioas, memory.buffer, iova=IOVA))
    device.close()
    stuck.finish()
    assert pinned_pages() == before
    with mock.Device(context, ioas) as device:
        device.check(IOVA, memory.buffer)
    context.unmap(ioas, IOVA, SIZE)


def test_first_device_comes(context: Context, ioas: int, memory: StuckMemory) -> None:
    """A page table is added, removed, and added again while a map waits."""
    before = pinned_pages()
    device = mock.Device(context, ioas)
    stuck = Stuck(memory, lambda: context.map(ioas, memory.buffer, iova=IOVA))
    device.close()
    with mock.Device(context, ioas) as device:
        stuck.finish()
        device.check(IOVA, memory.buffer)
        context.unmap(ioas, IOVA, SIZE)
    assert pinned_pages() == before


@pytest.fixture
def shared(context: Context, ioas: int, memory: StuckMemory) -> Iterator[tuple[int, mock.Device]]:
    """The stuck memory is in `ioas`; its good half is pinned through another IOAS with a device."""
    other = context.ioas_alloc()
    context.map(ioas, memory.buffer, iova=IOVA)
    context.copy(other, ioas, IOVA, SIZE // 2, iova=COPY)
    device = mock.Device(context, other)
    yield other, device
    device.close()


def test_attach_delays_nothing(
    context: Context, ioas: int, memory: StuckMemory, shared: tuple[int, mock.Device]
) -> None:
    """Nor does an attach that waits; pages that it shares with others can be unpinned."""
    other, device = shared
    before = pinned_pages()
    attached = []
    stuck = Stuck(memory, lambda: attached.append(mock.Device(context, ioas)))
    with mem.anonymous(SIZE) as buffer:
        context.map(ioas, buffer, iova=ELSEWHERE)
        with mock.Access(context, other) as access:
            access.read(COPY, SIZE // 2)
        context.unmap(other, COPY, SIZE // 2)
        device.close()
        context.destroy(other)
        context.iova_ranges(ioas)
        stuck.finish()
        attached[0].check(IOVA, memory.buffer)
        attached[0].check(ELSEWHERE, buffer)
        context.unmap_all(ioas)
        attached[0].close()
    assert pinned_pages() == before - PAGES // 2


def type1(context: Context, ioas: int) -> Adopted:
    """The context as a container that splits mappings, with the IOAS in it."""
    context.command("VFIO_IOAS", uapi.VfioIoas(op=uapi.VFIO_IOAS_SET, ioas_id=ioas))
    container = Adopted(context.fd)
    container.set_iommu(TYPE1)
    return container


def test_split_beside_copy(context: Context, ioas: int, memory: StuckMemory) -> None:
    """A part is unmapped although another part of the mapping is being copied."""
    container = type1(context, ioas)
    context.map(ioas, memory.buffer, iova=IOVA)
    half = SIZE // 2
    with mock.Access(context, ioas, False) as access:
        stuck = Stuck(memory, lambda: access.read(IOVA + half, half))
        assert container.unmap(IOVA, PAGE) == PAGE
        # The part that is being copied is split, and unmapped when the copy has ended.
        unmap = threading.Thread(target=lambda: container.unmap(IOVA + half + PAGE, PAGE))
        unmap.start()
        until(lambda: waits_in_ioctl(unmap.native_id))
        stuck.finish()
        unmap.join()
    assert context.unmap_all(ioas) == SIZE - 2 * PAGE


def test_attach_beside_splits(context: Context, ioas: int, memory: StuckMemory) -> None:
    """Of a mapping that is split while an attach waits for its pages, all parts are pinned."""
    container = type1(context, ioas)
    other = context.ioas_alloc()
    context.map(ioas, memory.buffer, iova=IOVA)
    context.copy(other, ioas, IOVA, SIZE, iova=COPY)
    devices: dict[int, mock.Device] = {}

    def attach(which: int) -> None:
        devices[which] = mock.Device(context, which)

    stuck = Stuck(memory, lambda: attach(other))
    # They get the lock of the pages in this order.
    waiters = [
        threading.Thread(target=lambda: container.unmap(IOVA, PAGE)),
        threading.Thread(target=lambda: container.unmap(IOVA + SIZE - PAGE, PAGE)),
        threading.Thread(target=lambda: attach(ioas)),
    ]
    for waiter in waiters:
        waiter.start()
        until(lambda waiter=waiter: waits_in_ioctl(waiter.native_id))
    stuck.finish()
    for waiter in waiters:
        waiter.join()
    with devices[ioas] as device:
        device.check(IOVA + PAGE, memory.buffer.address + PAGE, SIZE - 2 * PAGE)
        assert context.unmap_all(ioas) == SIZE - 2 * PAGE
    devices[other].close()
    context.unmap_all(other)


def test_failed_attach(
    context: Context, ioas: int, memory: StuckMemory, shared: tuple[int, mock.Device]
) -> None:
    """Pages that lose their other user while it waits are uncharged by an attach that fails."""
    other, device = shared
    assert status_bytes("self", "VmPin") == SIZE // 2
    errors = []
    stuck = Stuck(memory, lambda: errors.append(errno_of(mock.Device, context, ioas)))
    context.unmap(other, COPY, SIZE // 2)
    mem.protect(memory.buffer, mem.PROT_NONE, SIZE // 2)
    stuck.finish()
    assert errors == [errno.EFAULT]
    assert status_bytes("self", "VmPin") == 0
    device.close()


WAITERS = {
    "unmap": lambda context, ioas, other: context.unmap(ioas, IOVA, SIZE),
    "unmap all": lambda context, ioas, other: context.unmap_all(ioas),
    "map": lambda context, ioas, other: context.copy(other, ioas, IOVA, SIZE, iova=ELSEWHERE),
    "attach": lambda context, ioas, other: mock.Device(context, ioas),
    "pin": lambda context, ioas, other: mock.Access(context, ioas).pin(IOVA, 0, SIZE),
    "read": lambda context, ioas, other: mock.Access(context, ioas, False).read(
        IOVA, SIZE, slow=True
    ),
    "split": lambda context, ioas, other: type1(context, ioas).unmap(IOVA, PAGE),
}


@pytest.mark.parametrize("waiter", WAITERS)
def test_waiter_is_killed(
    context: Context,
    ioas: int,
    memory: StuckMemory,
    shared: tuple[int, mock.Device],
    waiter: str,
) -> None:
    """A request that needs a page which is not there yet ends when its process is killed."""
    other, _ = shared
    if waiter == "split":
        context.set_option(uapi.OPTION_HUGE_PAGES, 0, ioas)
    attached = []
    stuck = Stuck(memory, lambda: attached.append(mock.Device(context, ioas)))
    victim = os.fork()
    if not victim:
        try:
            WAITERS[waiter](context, ioas, other)
        finally:
            os._exit(0)
    until(lambda: waits_in_ioctl(victim))
    os.kill(victim, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(victim, 0)[1]) == signal.SIGKILL
    # The fault lasts until here.
    stuck.finish()
    attached[0].check(IOVA, memory.buffer)
    context.unmap_all(ioas)
    attached[0].close()


def test_pinning_is_killed(context: Context, ioas: int) -> None:
    """So does the request that waits for the page itself."""
    before = pinned_pages()
    with mock.Device(context, ioas):
        up, down = os.pipe()
        child = os.fork()
        if not child:
            memory = StuckMemory(SIZE, SIZE // 2)
            thread = threading.Thread(target=lambda: context.map(ioas, memory.buffer, iova=IOVA))
            thread.start()
            memory.wait_for_fault()
            os.write(down, b".")
            thread.join()
        os.close(down)
        assert os.read(up, 1) == b"."
        os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        os.close(up)
        assert pinned_pages() == before
