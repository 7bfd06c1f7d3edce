# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Why requests fail: resources that the system grants, or refuses."""

import errno
import os
import resource
import signal
from collections.abc import Iterator

import failnth
import pytest
from child_process import Child
from errnos import fails
from iommufd import edu, mem, uapi, vfio
from iommufd.container import TYPE1, Container, Group
from iommufd.ctx import Context
from iommufd.edu import Edu, addresses
from iommufd.mem import PAGE
from iommufd.openfile import OpenFile
from iommufd.pins import status_bytes, unprivileged
from iommufd.trace import Stream
from reason_cases import Case

pytestmark = pytest.mark.guest(kernels=["ours", "installed"])

LIMIT = 64
CAP_SYS_RAWIO, CAP_SYS_RESOURCE = 17, 24
LARGE = 512 << 20
# QEMU's virtio-rng-pci: vendor and device.
RNG = (0x1AF4, 0x1044)
# The token needed to open a virtual function: any number.
TOKEN = bytes(range(16))
IGB, IGB_VF = (0x8086, 0x10C9), (0x8086, 0x10CA)


@pytest.fixture(scope="module")
def stream() -> Iterator[Stream]:
    with Stream("iommufd", "iommufd_fail") as stream:
        yield stream


def test_memlock(stream: Stream, context: Context, ioas: int) -> None:
    """The number of pages that would be locked, including those already locked, and the limit."""
    with mem.anonymous(2 * LIMIT * PAGE) as buffer, Edu(context, ioas):
        with unprivileged(LIMIT * PAGE):
            context.map(ioas, buffer, length=10 * PAGE)
            case = Case(
                "memlock",
                errno.ENOMEM,
                lambda c: c.map(ioas, buffer, length=LIMIT * PAGE),
                (LIMIT + 10, LIMIT),
            )
            case.run(stream, context, uapi.NUMBER["IOAS_MAP"])


def test_memlock_of_an_attach(stream: Stream, context: Context, ioas: int) -> None:
    """The attach, on behalf of VFIO, pins memory that was mapped before."""
    with mem.anonymous(2 * LIMIT * PAGE) as buffer, Edu(context) as device:
        with unprivileged(LIMIT * PAGE):
            context.map(ioas, buffer, length=65 * PAGE)
            case = Case("memlock", errno.ENOMEM, lambda _: device.attach(ioas), (65, LIMIT))
            case.run(stream, context, vfio.DEVICE_ATTACH_IOMMUFD_PT)


def test_no_capability(stream: Stream, context: Context) -> None:
    with unprivileged(PAGE):
        case = Case(
            "no_capability",
            errno.EPERM,
            lambda c: c.set_option(uapi.OPTION_RLIMIT_MODE, 1),
            (CAP_SYS_RESOURCE, 0),
        )
        case.run(stream, context, uapi.NUMBER["OPTION"])


@pytest.mark.guest(mock=True)
def test_no_memory(stream: Stream, context: Context) -> None:
    """Each of its allocations in turn."""
    stream.read()
    command = uapi.NUMBER["IOAS_ALLOC"]
    failures = failnth.sweep(context.ioas_alloc, lambda: None, lambda: None)
    events = stream.read()
    assert failures
    assert [(e["reason"], e.number("ret")) for e in events] == [
        ("no_memory", -errno.ENOMEM)
    ] * failures
    assert all(e.number("command") == command for e in events)
    assert not any(e.number("first") or e.number("second") for e in events)


def test_too_many_files(stream: Stream, context: Context) -> None:
    """A queue of page faults is a file."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    case = Case(
        "too_many_files",
        errno.EMFILE,
        lambda c: c.command("FAULT_QUEUE_ALLOC", uapi.FaultAlloc()),
    )
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        case.run(stream, context, uapi.NUMBER["FAULT_QUEUE_ALLOC"])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_interrupted(stream: Stream, context: Context, ioas: int) -> None:
    """The process is killed while a request pins memory."""

    def body(child: Child) -> None:
        with mem.anonymous(LARGE) as buffer:
            child.pause()
            context.map(ioas, buffer)

    with Edu(context, ioas):
        stream.read()
        with pytest.raises(AssertionError, match=f"ended with -{signal.SIGKILL.value}"):
            with Child(body) as child:
                child.met()
                child.go_on()
                # Memory is charged before it is pinned.
                while not status_bytes(child.pid, "VmPin"):
                    os.sched_yield()
                os.kill(child.pid, signal.SIGKILL)
        (event,) = stream.read()
        assert (event["reason"], event.number("ret")) == ("interrupted", -errno.EINTR)
        assert event.pid == child.pid
        assert event.number("command") == uapi.NUMBER["IOAS_MAP"]


def test_process_gone(stream: Stream, context: Context, ioas: int) -> None:
    """Nothing is pinned before the attach, and by then the process has exited."""

    def body(_: Child) -> None:
        context.map(ioas, mem.anonymous(PAGE))

    with Child(body) as child:
        pass
    with Edu(context) as device:
        case = Case("process_gone", errno.EFAULT, lambda _: device.attach(ioas), (child.pid, 0))
        case.run(stream, context, vfio.DEVICE_ATTACH_IOMMUFD_PT)


def group_number(address: str) -> int:
    return int(os.path.basename(os.readlink(vfio.SYSFS / address / "iommu_group")))


@pytest.mark.guest(append=("intremap=off",))
@pytest.mark.x86("interrupts that are not isolated")
def test_interrupts(stream: Stream, context: Context) -> None:
    """Any device could send the interrupts of others."""
    address = addresses()[0]
    with vfio.Device(address) as device:
        case = Case("interrupts", errno.EPERM, lambda c: device.bind(c), (group_number(address), 0))
        case.run(stream, context, vfio.DEVICE_BIND_IOMMUFD)


@pytest.mark.guest(
    devices=(
        "edu,multifunction=on",
        "edu,function=1",
        "virtio-rng-pci,function=2,disable-legacy=on",
    ),
)
class TestGroup:
    """Functions of a slot that are not isolated from each other."""

    def test_owned(self, stream: Stream, context: Context) -> None:
        """By another context, such as that of another VM."""
        first, second = addresses()
        group = group_number(first)
        assert group_number(second) == group
        with vfio.Device(first) as device, vfio.Device(second) as other, Context() as others:
            other.bind(others)
            case = Case("group_owned", errno.EPERM, lambda c: device.bind(c), (group, errno.EPERM))
            case.run(stream, context, vfio.DEVICE_BIND_IOMMUFD)

    def test_driven(self, stream: Stream, context: Context) -> None:
        """By a kernel driver."""
        address = addresses()[0]
        group = group_number(address)
        (driven,) = vfio.find(*RNG)
        assert group_number(driven) == group
        case = Case("group_owned", errno.EPERM, lambda c: device.bind(c), (group, errno.EPERM))
        with vfio.Device(address) as device:
            with vfio.kernel_driver(driven, "virtio-pci"):
                case.run(stream, context, vfio.DEVICE_BIND_IOMMUFD)
            device.bind(context)

    def test_attached(self, stream: Stream, context: Context, ioas: int) -> None:
        """To another page table."""
        another = context.ioas_alloc()
        with Edu(context) as device, Edu(context, index=1) as other:
            hwpt = device.attach(ioas)
            case = Case(
                "group_attached",
                errno.EINVAL,
                lambda _: other.attach(another),
                (group_number(device.address), hwpt),
            )
            case.run(stream, context, vfio.DEVICE_ATTACH_IOMMUFD_PT)


@pytest.mark.guest(
    kernels="container",
    iommu="none",
    devices=("edu", "edu"),
    append=("vfio.enable_unsafe_noiommu_mode=1",),
)
class TestWithoutIommu:
    """Devices that no IOMMU controls."""

    def test_no_iommu(self, stream: Stream, context: Context) -> None:
        with edu.Engine(addresses()[0]) as device:
            device.bind(context)
            case = Case(
                "no_iommu",
                errno.EOPNOTSUPP,
                lambda c: c.command("GET_HW_INFO", uapi.HwInfo(dev_id=device.id)),
            )
            case.run(stream, context, uapi.NUMBER["GET_HW_INFO"])

    def test_container(self, stream: Stream) -> None:
        with Container() as container, Group(addresses()[0], noiommu=True) as group:
            group.set_container(container.fd)
            case = Case("container_noiommu", errno.EINVAL, lambda c: c.set_iommu(TYPE1), (TYPE1, 0))
            case.run(stream, container)

    def test_container_that_is_taken(self, stream: Stream, context: Context, ioas: int) -> None:
        """It has an IOAS, and thus is for devices with an IOMMU."""
        argument = uapi.VfioIoas(ioas_id=ioas, op=uapi.VFIO_IOAS_SET)
        context.command("VFIO_IOAS", argument)
        with Group(addresses()[0], noiommu=True) as group:
            stream.read()
            with fails(errno.EINVAL):
                group.set_container(context.fd)
            (event,) = stream.read()
            assert event["reason"] == "container_noiommu"


@pytest.mark.guest(kernels="container", devices=("igb",), append=("vfio_pci.enable_sriov=1",))
class TestVirtualFunction:
    """Of a network adapter; both functions are bound to vfio-pci."""

    @pytest.fixture
    def virtual(self, context: Context) -> Iterator[vfio.Device]:
        """It is bound; opening it needs the token with which the physical function was opened."""
        (address,) = vfio.find(*IGB)
        count = vfio.SYSFS / address / "sriov_numvfs"
        with vfio.Device(address) as physical:
            physical.bind(context, TOKEN)
            count.write_text("1")
            try:
                with vfio.Device(*vfio.find(*IGB_VF)) as device:
                    device.bind(context, TOKEN)
                    yield device
            finally:
                count.write_text("0")

    def test_faults(
        self, stream: Stream, context: Context, ioas: int, virtual: vfio.Device
    ) -> None:
        """A page table that reports faults: VT-d needs page requests (PRI) for it."""
        queue = uapi.FaultAlloc()
        context.command("FAULT_QUEUE_ALLOC", queue)
        argument = uapi.HwptAlloc(
            dev_id=virtual.id,
            pt_id=ioas,
            flags=uapi.HWPT_FAULT_ID_VALID,
            fault_id=queue.out_fault_id,
        )
        with OpenFile(queue.out_fault_fd):
            context.command("HWPT_ALLOC", argument)
            hwpt = argument.out_hwpt_id
            case = Case(
                "driver_refused",
                errno.ENODEV,
                lambda _: virtual.attach(hwpt),
                (errno.ENODEV, 0),
            )
            case.run(stream, context, vfio.DEVICE_ATTACH_IOMMUFD_PT)
            virtual.attach(ioas)
