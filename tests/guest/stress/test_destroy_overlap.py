# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOMMU_DESTROY during requests that fail anyway: it waits for them, and is not refused."""

import errno
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from errnos import errno_of, fails
from iommufd import mem, mock, uapi
from iommufd.ctx import NO_ID, Context
from iommufd.knobs import held, knob
from iommufd.nest import IOVA, Nest
from waiting import until
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="ours")

# Large enough that pinning and mapping take a while.
SIZE = 2 << 20
ROUNDS = 30


def no_queue(context: Context, device: mock.Device, ioas: int) -> int:
    """A page table that is complete except for its queue."""
    flags = uapi.HWPT_FAULT_ID_VALID
    argument = uapi.HwptAlloc(dev_id=device.device, pt_id=ioas, flags=flags, fault_id=NO_ID)
    return errno_of(context.command, "HWPT_ALLOC", argument)


def no_memory(context: Context, device: mock.Device, ioas: int) -> int:
    """A move to a page table that cannot be filled."""
    return errno_of(device.replace, ioas)


@pytest.mark.parametrize("request_", [no_queue, no_memory], ids=lambda call: call.__name__)
def test_ioas(context: Context, request_: Callable[..., int]) -> None:
    """While another thread keeps allocating page tables on it, all of which fail."""
    device = mock.Device(context, context.ioas_alloc())
    target = 0
    failures = []

    def make(stop: Callable[[], bool]) -> None:
        while not stop():
            failures.append(request_(context, device, target))

    with mem.anonymous(SIZE) as buffer, Workers(make):
        buffer.fill(1)
        if request_ is no_memory:
            mem.protect(buffer, 0, SIZE - mem.PAGE)
        for _ in range(ROUNDS):
            # The next IOAS may get the same id: it is mapped before any attach.
            target = 0
            seen = len(failures)
            until(lambda seen=seen: len(failures) > seen + 1)
            ioas = context.ioas_alloc()
            context.map(ioas, buffer, iova=IOVA)
            target = ioas
            seen = len(failures)
            until(lambda seen=seen: len(failures) > seen)
            context.destroy(ioas)
    assert errno.EFAULT in failures or set(failures) == {errno.ENOENT}


class Caller:
    """A thread that can be seen to sleep in the kernel."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._id = 0

    def run(self, _: object) -> None:
        """The function for Workers."""
        self._id = threading.get_native_id()
        self._call()

    def sleeps(self) -> bool:
        """True also if the thread has ended."""
        try:
            stat = Path(f"/proc/self/task/{self._id}/stat").read_text()
        except FileNotFoundError:
            return self._id != 0
        return stat.rpartition(")")[2].split()[0] == "D"


def test_viommu(nest: Nest) -> None:
    """While a vDEVICE is allocated on it whose device goes."""
    viommu = nest.viommu()
    device = mock.Device(nest.context, nest.ioas)

    def make(_: object) -> None:
        with fails(errno.ENOENT):
            nest.vdevice(viommu, 9, device.device)

    unplug, destroy = Caller(device.close), Caller(lambda: nest.destroy(viommu))
    # The knob is reset first, so that the threads can end.
    with ExitStack() as threads, knob("hold_vdevices"):
        threads.enter_context(Workers(make))
        until(lambda: held("vdevices"))
        for caller in (unplug, destroy):
            threads.enter_context(Workers(caller.run))
            until(caller.sleeps)
