# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Objects: who may destroy what and when, and races."""

import errno
import os
import signal
import threading
from collections.abc import Callable

import pytest
from errnos import errno_of, fails
from iommufd import mem
from iommufd.ctx import NO_ID, Context
from iommufd.edu import Edu, addresses
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages
from iommufd.vfio import Device

IOVA = 0x10000000
ROUNDS = 60
# Races: one CPU is in the middle of a request while another one runs.
RACE = pytest.mark.guest(parallel=True)


def live_ids(context: Context, last: int = 64) -> list[int]:
    """Ids that name an object, found by trying; this destroys unused IOASes."""
    return [i for i in range(last) if errno_of(context.destroy, i) != errno.ENOENT]


@pytest.mark.parametrize("bad", [0, NO_ID, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_destroy_what_is_not(context: Context, bad: int) -> None:
    with fails(errno.ENOENT):
        context.destroy(bad)


def test_destroy_twice(context: Context) -> None:
    first, second = context.ioas_alloc(), context.ioas_alloc()
    context.destroy(first)
    with fails(errno.ENOENT):
        context.destroy(first)
    assert context.iova_ranges(second)


def test_ids_belong_to_a_context(context: Context) -> None:
    with Context() as other:
        ioas = [context.ioas_alloc() for _ in range(8)]
        for number in ioas:
            with fails(errno.ENOENT):
                other.iova_ranges(number)
            with fails(errno.ENOENT):
                other.destroy(number)
        assert all(context.iova_ranges(number) for number in ioas)


def test_attach_to_an_id_of_another_context(context: Context) -> None:
    with Context() as other, Edu(other) as device:
        ioas = [context.ioas_alloc() for _ in range(8)][-1]
        with fails(errno.ENOENT):
            device.attach(ioas)


def test_ioas_in_use(context: Context) -> None:
    """Busy while a device is attached; mappings in it do not keep it."""
    ioas = context.ioas_alloc()
    with Edu(context, ioas) as device, mem.anonymous(PAGE) as buffer:
        context.map(ioas, buffer)
        with fails(errno.EBUSY):
            context.destroy(ioas)
        device.detach()
        context.destroy(ioas)
        with fails(errno.ENOENT):
            device.attach(ioas)


def test_automatic_page_table(context: Context) -> None:
    """It has an id while a device is on it, cannot be destroyed, and is freed automatically."""
    ioas = context.ioas_alloc()
    with Edu(context) as device:
        hwpt = device.attach(ioas)
        assert hwpt not in (ioas, device.id, 0)
        with fails(errno.EBUSY):
            context.destroy(hwpt)
        device.detach()
        with fails(errno.ENOENT):
            context.destroy(hwpt)


def test_automatic_page_table_is_shared(context: Context) -> None:
    ioas = context.ioas_alloc()
    with Edu(context, index=0) as first, Edu(context, index=1) as second:
        hwpt = first.attach(ioas)
        assert second.attach(ioas) == hwpt
        first.detach()
        with fails(errno.EBUSY):
            context.destroy(hwpt)
        second.detach()
        with fails(errno.ENOENT):
            context.destroy(hwpt)


def test_ids_of_another_type(context: Context) -> None:
    """IOAS commands accept no device and no page table, nor does an attach accept a device."""
    ioas = context.ioas_alloc()
    with Edu(context) as device, mem.anonymous(PAGE) as buffer:
        with fails(errno.EINVAL):
            device.attach(device.id)
        hwpt = device.attach(ioas)
        for other in (device.id, hwpt):
            with fails(errno.ENOENT):
                context.iova_ranges(other)
            with fails(errno.ENOENT):
                context.map(other, buffer)
            with fails(errno.ENOENT):
                context.unmap_all(other)
    assert live_ids(context) == [ioas]


def test_device_object(context: Context) -> None:
    """It exists from bind to close; destroying it by its id fails."""
    device = Device(addresses()[0])
    number = device.bind(context)
    with fails(errno.EBUSY):
        context.destroy(number)
    device.close()
    with fails(errno.ENOENT):
        context.destroy(number)
    assert live_ids(context) == []


def test_bind_rules(context: Context) -> None:
    with Device(addresses()[0]) as device, Context() as other:
        ioas = context.ioas_alloc()
        for call in (lambda: device.attach(ioas), device.detach, lambda: device.region(0)):
            with fails(errno.EINVAL):
                call()
        device.bind(context)
        for each in (context, other):
            with fails(errno.EINVAL):
                device.bind(each)


def test_two_files_of_one_device(context: Context) -> None:
    """The first file that binds has it."""
    with Device(addresses()[0]) as first, Device(addresses()[0]) as second:
        first.bind(context)
        with Context() as other:
            with fails(errno.EINVAL):
                second.bind(other)


def test_detach_twice(context: Context) -> None:
    with Edu(context, context.ioas_alloc()) as device:
        device.detach()
        device.detach()


def test_many_objects(context: Context) -> None:
    numbers = [context.ioas_alloc() for _ in range(2000)]
    for number in numbers[::2]:
        context.destroy(number)
    for number in numbers[1::2]:
        context.destroy(number)
    assert live_ids(context, 2100) == []


def test_close_with_all_alive() -> None:
    """Contexts, mappings, devices: they end with the last file."""
    with mem.anonymous(64 * PAGE) as buffer:
        context = Context()
        ioas = [context.ioas_alloc() for _ in range(2)]
        devices = [Edu(context, ioas[i], i) for i in range(2)]
        for number in ioas:
            context.map(number, buffer)
        assert pinned_pages() == 128
        context.close()
        assert pinned_pages() == 128
        devices[0].close()
        devices[1].close()
        assert pinned_pages() == 0


def run_together(*work: Callable[[], None]) -> None:
    """Runs all in threads; raises the first exception of any."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(work))

    def run(function: Callable[[], None]) -> None:
        try:
            barrier.wait()
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(w,)) for w in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@RACE
def test_racing_destroys(context: Context) -> None:
    """If several threads destroy one object, one succeeds and the others find nothing."""
    for _ in range(ROUNDS):
        ioas = context.ioas_alloc()
        results: list[int] = []
        run_together(*[lambda: results.append(errno_of(context.destroy, ioas))] * 4)
        assert sorted(results) == [0, errno.ENOENT, errno.ENOENT, errno.ENOENT]


@RACE
def test_destroy_against_map(context: Context, kernel: str) -> None:
    """Requests in progress neither block a destroy nor survive it.

    The peer's iommufd may report the IOAS as busy in this case.
    """
    with mem.anonymous(8 * PAGE) as buffer:
        for _ in range(ROUNDS):
            ioas = context.ioas_alloc()
            results: list[int] = []

            def map_until_gone() -> None:
                while not (error := errno_of(context.map, ioas, buffer)):
                    pass
                results.append(error)

            def destroy() -> None:
                while error := errno_of(context.destroy, ioas):
                    assert error == errno.EBUSY
                    assert "peer" in kernel

            run_together(map_until_gone, map_until_gone, destroy)
            assert results == [errno.ENOENT] * 2


@RACE
def test_destroy_against_attach(context: Context) -> None:
    """Either the device is attached and the IOAS stays, or it goes and the attach finds nothing."""
    with Edu(context) as device:
        for _ in range(ROUNDS // 2):
            ioas = context.ioas_alloc()
            results: dict[str, int] = {}
            run_together(
                lambda: results.update(attach=errno_of(device.attach, ioas)),
                lambda: results.update(destroy=errno_of(context.destroy, ioas)),
            )
            assert results in (
                {"attach": 0, "destroy": errno.EBUSY},
                {"attach": errno.ENOENT, "destroy": 0},
            )
            if not results["attach"]:
                device.detach()
                context.destroy(ioas)


@RACE
def test_attach_against_map(context: Context) -> None:
    """A device comes and goes while memory does: all mapped memory is pinned."""
    ioas = context.ioas_alloc()
    with Edu(context) as device, mem.anonymous(64 * PAGE) as buffer:
        context.map(ioas, buffer, iova=IOVA)

        def come_and_go() -> None:
            for _ in range(ROUNDS):
                device.attach(ioas)
                device.detach()

        def map_and_unmap() -> None:
            for _ in range(2 * ROUNDS):
                iova = context.map(ioas, buffer)
                context.unmap(ioas, iova, buffer.size)

        run_together(come_and_go, map_and_unmap)
        assert pinned_pages() == 0
        device.attach(ioas)
        assert pinned_pages() == 64


@RACE
def test_close_of_device_against_destroy(context: Context) -> None:
    """The automatic page table and the device go while another thread tries their ids."""
    for _ in range(ROUNDS // 3):
        ioas = context.ioas_alloc()
        device = Edu(context, ioas)
        others = range(ioas + 1, ioas + 4)

        def poke() -> None:
            while errno_of(context.destroy, ioas) == errno.EBUSY:
                for number in others:
                    errno_of(context.destroy, number)

        run_together(poke, device.close)
        assert live_ids(context) == []


@RACE
def test_close_of_context_against_requests() -> None:
    """A request in the kernel keeps the context; later ones find no file."""
    with mem.anonymous(8 * PAGE) as buffer:
        for _ in range(ROUNDS):
            context = Context()
            fd = os.dup(context.fd)
            ioas = context.ioas_alloc()
            os.close(fd)

            def work() -> None:
                # The descriptor is closed during this; no thread opens files at the same time.
                while not (error := errno_of(context.map, ioas, buffer)):
                    pass
                assert error == errno.EBADF

            run_together(work, context.close)


@pytest.mark.parametrize("kill", [False, True])
def test_file_shared_with_a_child(kill: bool) -> None:
    """The context lives until the last process that has it is gone, even if that was killed."""
    with mem.shared(64 * PAGE) as buffer:
        context = Context()
        ioas = context.ioas_alloc()
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            try:
                device = Edu(context, ioas)
                context.map(ioas, buffer)
                os.write(theirs, b"!")
                if not kill:
                    device.close()
                    os._exit(0)
                while True:
                    context.unmap(ioas, context.map(ioas, buffer), buffer.size)
            finally:
                os._exit(1)
        os.read(ours, 1)
        if kill:
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status) if kill else status == 0
        # The child's device is closed; the child's mappings belong to this process as well.
        assert context.unmap_all(ioas) >= 64 * PAGE
        context.close()
        os.close(ours)
        os.close(theirs)
