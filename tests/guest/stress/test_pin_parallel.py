# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Memory that is not there yet: several threads of the caller pin it."""

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from cgroup import ROOT, cgroup
from data_pattern import pattern
from errnos import fails
from failnth import sweep
from iommufd import mem, trace
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import pinned_pages, unprivileged
from iommufd.trace import Tracer
from iommufd.uffd import StuckMemory
from pin_threads import MAX_THREADS, max_threads
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels=["ours", "installed", "builtin"])

SIZE = 64 << 20
PAGES = SIZE // PAGE
IOVA = 0x40000000


@pytest.fixture(autouse=True)
def helpers() -> None:
    """A kernel without CONFIG_VHOST_TASK has no threads that could help."""
    if not MAX_THREADS.exists():
        pytest.skip("this kernel can't start threads for a process")


@pytest.fixture
def before() -> Iterator[int]:
    """Pages that were pinned before; no more are at the end."""
    before = pinned_pages()
    yield before
    assert pinned_pages() == before


@pytest.fixture
def device(context: Context, ioas: int, before: int) -> Iterator[Edu]:
    """It needs the pages of the IOAS pinned."""
    assert before >= 0
    with Edu(context, ioas) as device:
        yield device


@contextmanager
def traced() -> Iterator[Tracer]:
    with Tracer("iommufd", "iommufd_pin_parallel", "iommufd_ioas_map", "iommufd_fail") as tracer:
        yield tracer
        assert not tracer.lost()


@pytest.mark.parametrize("memory", [mem.anonymous, mem.shared, mem.memfd])
def test_threads(
    context: Context, ioas: int, device: Edu, before: int, memory: Callable[[int], mem.Buffer]
) -> None:
    """As many as there are CPUs; each page is pinned once, and DMA finds it."""
    with memory(SIZE) as buffer:
        with traced() as tracer:
            context.map(ioas, buffer, iova=IOVA)
            (event,) = tracer.events("iommufd_pin_parallel")
            (mapped,) = tracer.events("iommufd_ioas_map")
        assert pinned_pages() == before + PAGES
        assert mapped.number("pinned") == PAGES
        assert event["ioas"] == str(ioas)
        assert event.number("threads") == os.cpu_count()
        assert PAGES // 2 < event.number("pages") < PAGES
        assert event.number("ns") <= mapped.number("pin_ns")
        assert 0 < event.number("work_ns") <= event.number("threads") * event.number("ns")
        for offset in (*range(0, SIZE, 7 * HUGE), SIZE - PAGE):
            buffer.write(pattern(str(offset), PAGE), offset)
            device.dma_read(IOVA + offset)
            device.dma_write(IOVA)
            assert buffer.read(0, PAGE) == pattern(str(offset), PAGE)
        assert context.unmap(ioas, IOVA, SIZE) == SIZE


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("good", [HUGE, SIZE // 4, SIZE // 2 + PAGE, SIZE - PAGE])
def test_bad_page(context: Context, ioas: int, before: int, good: int) -> None:
    """The caller reports the first one, as with one thread; nothing stays pinned."""
    with mem.anonymous(SIZE) as buffer:
        mem.protect(buffer, mem.PROT_NONE, good)
        with traced() as tracer:
            with fails(errno.EFAULT):
                context.map(ioas, buffer, iova=IOVA)
            (failure,) = tracer.events("iommufd_fail")
        assert failure.pid == os.getpid()
        assert failure.number("first") == buffer.address + good
        assert pinned_pages() == before
        mem.protect(buffer, mem.PROT_READ | mem.PROT_WRITE, good)
        context.map(ioas, buffer, iova=IOVA)
        context.unmap(ioas, IOVA, SIZE)


@pytest.mark.usefixtures("device")
def test_partly_pinned(context: Context, ioas: int, before: int) -> None:
    """Pages that are pinned already are left alone."""
    with mem.anonymous(SIZE) as buffer:
        other = context.ioas_alloc()
        context.map(other, buffer, iova=IOVA)
        for offset in (PAGE, SIZE // 2):
            context.copy(ioas, other, IOVA + offset, PAGE, iova=IOVA + SIZE + offset)
        assert pinned_pages() == before + 2
        context.copy(ioas, other, IOVA, SIZE, iova=IOVA)
        assert pinned_pages() == before + PAGES
        context.unmap_all(ioas)
        assert pinned_pages() == before
        context.unmap_all(other)


@contextmanager
def limited(kind: int, soft: int, hard: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@pytest.mark.usefixtures("device")
def test_limit_of_threads(context: Context, ioas: int, before: int) -> None:
    """With RLIMIT_NPROC there are fewer threads, and no error."""
    with mem.anonymous(SIZE) as buffer, traced() as tracer:
        with (
            limited(resource.RLIMIT_MEMLOCK, SIZE, 2 * SIZE),
            limited(resource.RLIMIT_NPROC, 1, resource.getrlimit(resource.RLIMIT_NPROC)[1]),
            unprivileged(2 * SIZE),
        ):
            context.map(ioas, buffer, iova=IOVA)
        (event,) = tracer.events("iommufd_pin_parallel")
        assert event.number("threads") == 1
        assert pinned_pages() == before + PAGES
        context.unmap(ioas, IOVA, SIZE)


@pytest.mark.guest(kernels="debug")
@pytest.mark.usefixtures("device")
def test_memory_short(context: Context, ioas: int, before: int) -> None:
    """Without memory for another thread the caller pins alone."""
    threads = set()

    def request() -> None:
        context.map(ioas, buffer, iova=IOVA)

    def undone() -> None:
        assert pinned_pages() == before

    def done() -> None:
        threads.update(e.number("threads") for e in tracer.events("iommufd_pin_parallel"))
        context.unmap(ioas, IOVA, SIZE)
        undone()

    with mem.anonymous(SIZE) as buffer, traced() as tracer:
        sweep(request, undone, done, threads=2)
    assert threads == {1, 2}


@pytest.mark.usefixtures("device")
def test_parameter(context: Context, ioas: int) -> None:
    """iommufd.max_threads=1: the caller pins alone; any number is taken."""
    for number, threads in ((0, None), (1, None), (2, 2), (2**32 - 1, os.cpu_count())):
        with max_threads(number), mem.anonymous(SIZE) as buffer, traced() as tracer:
            context.map(ioas, buffer, iova=IOVA)
            found = [e.number("threads") for e in tracer.events("iommufd_pin_parallel")]
            assert found == ([] if threads is None else [threads])
            context.unmap(ioas, IOVA, SIZE)


@pytest.mark.usefixtures("device")
def test_requests_at_once(context: Context, ioas: int) -> None:
    """Requests of several threads, each with helpers, and children meanwhile."""

    def request(number: int) -> Callable[[Callable[[], bool]], None]:
        def run(_: Callable[[], bool]) -> None:
            iova = IOVA + number * SIZE
            with mem.anonymous(SIZE // 2) as buffer:
                context.map(ioas, buffer, iova=iova)
                assert context.unmap(ioas, iova, SIZE // 2) == SIZE // 2

        return run

    with Workers(*(request(number) for number in range(3))) as workers:
        while workers.alive():
            child = os.fork()
            if not child:
                os._exit(0)
            os.waitpid(child, 0)
        workers.join()


def killed(
    body: Callable[[Context, int], object], strike: Callable[[int], None] = lambda _: None
) -> None:
    """Runs a function in a child that does not survive it."""
    child = os.fork()
    if not child:
        try:
            with Context() as context:
                ioas = context.ioas_alloc()
                with Edu(context, ioas):
                    body(context, ioas)
        finally:
            os._exit(1)
    strike(child)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


@pytest.mark.guest(kernels="debug")
@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("stuck", [PAGE, SIZE // 2], ids=["one", "all"])
def test_killed(stuck: int) -> None:
    """While one thread, or each, waits for a page fault."""
    faults, faulting = os.pipe()

    def body(context: Context, ioas: int) -> None:
        with StuckMemory(SIZE, stuck) as memory:

            def report(_: Callable[[], bool]) -> None:
                memory.wait_for_fault()
                os.write(faulting, b".")

            with Workers(report):
                context.map(ioas, memory.buffer, iova=IOVA)

    def strike(child: int) -> None:
        os.close(faulting)
        assert os.read(faults, 1) == b"."
        os.kill(child, signal.SIGKILL)

    killed(body, strike)
    os.close(faults)


@pytest.mark.usefixtures("before")
def test_memory_limit() -> None:
    """A thread reaches the limit of the memory cgroup: the process is killed, as with one."""
    if "memory" not in (ROOT / "cgroup.controllers").read_text().split():
        pytest.skip("this kernel has no memory cgroups")
    (ROOT / "cgroup.subtree_control").write_text("+memory")
    with cgroup() as group, mem.anonymous(SIZE) as buffer:
        (group.path / "memory.max").write_text(str(SIZE // 2))

        def body(context: Context, ioas: int) -> None:
            group.enter()
            context.map(ioas, buffer, iova=IOVA)

        killed(body)


def test_format() -> None:
    """Programs rely on names, types and order."""
    fields = [name for name, _, _ in trace.format_fields("iommufd", "iommufd_pin_parallel")]
    assert fields == [
        "u32 ctx",
        "u32 ioas",
        "u64 pages",
        "u32 threads",
        "u32 reserved",
        "u64 ns",
        "u64 work_ns",
    ]
