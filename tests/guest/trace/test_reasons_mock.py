# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Why requests fail: hardware that guests lack, emulated by the mock."""

import errno
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from errnos import errno_of, fails
from iommufd import mock, mock_uapi, uapi
from iommufd.ctx import Context
from iommufd.knobs import held, knob
from iommufd.mem import PAGE
from iommufd.nest import Nest
from iommufd.trace import Stream
from reason_cases import Case
from waiting import until
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="ours")

INVALID, NOENT = errno.EINVAL, errno.ENOENT
VIRT_ID = 0x1234


@pytest.fixture(scope="module")
def stream() -> Iterator[Stream]:
    with Stream("iommufd", "iommufd_fail") as stream:
        yield stream


def plug(context: Context, ioas: int) -> None:
    mock.Device(context, ioas)


def test_group_with_a_page_table(stream: Stream, context: Context, ioas: int) -> None:
    """A kernel driver has attached it without owning the group."""
    with knob("own_domains"):
        stream.read()
        with fails(errno.EBUSY):
            plug(context, ioas)
    (event,) = stream.read()
    assert event["reason"] == "group_owned"
    assert (event.number("ret"), event.number("second")) == (-errno.EBUSY, errno.EBUSY)
    assert event.number("first") > 0
    plug(context, ioas)


def test_not_coherent(stream: Stream, context: Context, ioas: int) -> None:
    with knob("not_coherent"):
        case = Case("not_coherent", INVALID, lambda c: plug(c, ioas))
        case.run(stream, context, mock_uapi.TEST_CMD)
    plug(context, ioas)


def test_page_table_that_does_not_enforce(stream: Stream, nest: Nest) -> None:
    """For a device that could enforce cache coherency."""
    device = nest.device.device
    with knob("must_enforce"):
        case = Case("cache_coherency", INVALID, lambda n: n.paging(), (device, 0))
        case.run(stream, nest, uapi.NUMBER["HWPT_ALLOC"])
    nest.paging()


def test_attach_that_does_not_enforce(stream: Stream, nest: Nest) -> None:
    """To a page table from a time when coherency was not enforced."""
    hwpt = nest.paging()
    with knob("must_enforce"):
        case = Case(
            "cache_coherency",
            INVALID,
            lambda n: n.device.replace(hwpt),
            (nest.device.device, 0),
        )
        case.run(stream, nest, mock_uapi.TEST_CMD)
    nest.device.replace(hwpt)
    nest.device.replace(nest.ioas)


def test_hwpt_page_size(stream: Stream, nest: Nest) -> None:
    with knob("large_pages"):
        case = Case("hwpt_page_size", INVALID, lambda n: n.paging(), (2 * PAGE, PAGE))
        case.run(stream, nest, uapi.NUMBER["HWPT_ALLOC"])
    nest.paging()


def test_object_ending(stream: Stream, nest: Nest) -> None:
    """A device that is unplugged while a vDEVICE is allocated for it."""
    viommu = nest.viommu()
    device = mock.Device(nest.context, nest.ioas)

    def make(_: object) -> None:
        with fails(NOENT):
            nest.vdevice(viommu, VIRT_ID, device.device)

    def is_gone() -> bool:
        argument = uapi.HwInfo(dev_id=device.device)
        return errno_of(nest.context.command, "GET_HW_INFO", argument) == NOENT

    # The knob is reset first, so that the threads can end.
    with ExitStack() as threads, knob("hold_vdevices"):
        threads.enter_context(Workers(make))
        until(lambda: held("vdevices"))
        # It waits for that request.
        unplug = threads.enter_context(Workers(lambda _: device.close()))
        until(is_gone)
        assert unplug.alive()
        stream.read()
        gone = device.device
    (event,) = stream.read()
    assert event["reason"] == "object_ending"
    assert (event.number("ret"), event.number("first")) == (-NOENT, gone)
    assert event.number("command") == uapi.NUMBER["VDEVICE_ALLOC"]
    # The failed request has left nothing.
    nest.vdevice(viommu, VIRT_ID)
