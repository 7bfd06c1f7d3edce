# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-why: typical failures, each provoked as a VMM would, and its explanation."""

import ctypes
import errno
import json
import os
import signal
import struct
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import cgroup
import iommufd_why as why
import pytest
from bpfobject import attached
from errnos import fails
from iommufd import mem, uapi, vfio
from iommufd.container import TYPE1V2, Adopted, Group
from iommufd.ctx import Context
from iommufd.edu import Edu, addresses
from iommufd.mem import PAGE
from iommufd.pins import NOBODY, unprivileged
from iommufd.platform import MSI

# The sanitizer kernel has no BTF.
pytestmark = pytest.mark.guest(kernels="tools")

LIMIT = 64


@pytest.fixture(scope="module")
def listening() -> Iterator[why.Why]:
    """A running instance; starting it takes a while."""
    with why.Why() as listening:
        yield listening


@pytest.fixture
def told(listening: why.Why) -> why.Why:
    """The failures that it reports of this test."""
    listening.mark()
    return listening


def says(line: dict, *texts: str) -> None:
    """Its sentence has each of these."""
    for text in texts:
        assert text in line["what"], line["what"]


def advises(line: dict, *texts: str) -> None:
    """Its advice has each of these."""
    for text in texts:
        assert text in line["advice"], line["advice"]


def test_memlock(told: why.Why, context: Context, ioas: int) -> None:
    """A VM whose memory exceeds the limit of its user."""
    with mem.anonymous(2 * LIMIT * PAGE) as buffer, Edu(context, ioas):
        with unprivileged(LIMIT * PAGE), fails(errno.ENOMEM):
            context.map(ioas, buffer)
    line = told.of("memlock")
    says(line, f"(user {NOBODY})", "128 pages (512K)", "may lock 64 pages (256K)")
    says(line, f"map 512K in IOAS {ioas}")
    advises(line, "RLIMIT_MEMLOCK to 512 KiB", "ulimit -l 512", "LimitMEMLOCK=")
    assert (line["pid"], line["request"], line["error"]) == (
        os.getpid(),
        "IOMMU_IOAS_MAP",
        "ENOMEM",
    )
    assert (line["first"], line["second"]) == (2 * LIMIT, LIMIT)
    assert (line["ioas"], line["length_bytes"]) == (ioas, 2 * LIMIT * PAGE)


def test_pinlimit(told: why.Why, context: Context, ioas: int) -> None:
    """Names the cgroup that is full, which is not that of the VM but above it."""
    with (
        cgroup.cgroup() as outer,
        cgroup.cgroup(outer) as group,
        mem.anonymous(4 * PAGE) as buffer,
        Edu(context, ioas),
        attached("pinlimit", struct.pack("=QI4x", 0, 1)) as policy,
    ):
        policy.map("limits")[struct.pack("Q", outer.id)] = struct.pack("Q", 5 * PAGE)
        with group.inside():
            context.map(ioas, buffer)
            with fails(errno.EDQUOT):
                context.map(ioas, buffer, 2 * PAGE)
        line = told.of("pinning_denied")
        assert (line["policy"], line["first"], line["second"]) == ("pinlimit", 2, outer.id)
        says(line, "policy 'pinlimit' does not allow that 2 pages (8.00K) more are pinned")
        says(line, f"cgroup {outer.path} has 16.0K pinned, of at most 20.0K")
        command = f"iommufd-policy set pinlimit 'limits[{outer.path.name}]=BYTES'"
        advises(line, f"raise the limit with {command}", "unmap other memory")
        context.unmap_all(ioas)


def test_pinlimit_of_users(told: why.Why, context: Context, ioas: int) -> None:
    with mem.anonymous(2 * PAGE) as buffer, Edu(context, ioas):
        with (
            attached("pinlimit", struct.pack("=QI4x", PAGE, 0)),
            unprivileged(LIMIT * PAGE),
            fails(errno.EDQUOT),
        ):
            context.map(ioas, buffer)
            # It is detached before anyone can look it up.
        line = told.of("pinning_denied")
        says(line, "does not allow that 2 pages (8.00K) more are pinned")
        advises(line, "Inspect it with iommufd-policy show pinlimit")


def test_memlock_of_an_attach(told: why.Why, context: Context, ioas: int) -> None:
    """Memory first, then the device: the attach fails."""
    with mem.anonymous(2 * LIMIT * PAGE) as buffer, Edu(context) as device:
        with unprivileged(LIMIT * PAGE):
            context.map(ioas, buffer)
            with fails(errno.ENOMEM):
                device.attach(ioas)
        line = told.of("memlock")
        says(line, "128 pages", "64 pages", f"attaches {device.address} to {ioas}")
        assert (line["request"], line["device"]) == (
            "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
            device.address,
        )
        assert (line["device_id"], line["target"]) == (device.id, ioas)


def test_bar_by_address(told: why.Why, context: Context, ioas: int) -> None:
    """A VMM that maps the registers of one device for another one."""
    with Edu(context, ioas), Edu(context, index=1) as target:
        anchor = ctypes.c_char.from_buffer(target.map_bar(0))
        address = ctypes.addressof(anchor) + 3 * PAGE
        with fails(errno.EFAULT):
            context.map(ioas, address, PAGE)
        del anchor
        line = told.of("vma_pfnmap")
        says(line, f"{address:#x}", "device memory", f"offset 0x3000 of BAR 0 of {target.address}")
        advises(line, "VFIO_DEVICE_FEATURE_DMA_BUF", "IOAS_MAP_FILE")


def test_interrupt_window(told: why.Why, context: Context, ioas: int) -> None:
    """Guest memory at the interrupt window."""
    with mem.anonymous(2 * PAGE) as buffer, Edu(context, ioas), fails(errno.EINVAL):
        context.map(ioas, buffer, iova=MSI[0] - PAGE)
    line = told.of("iova_reserved")
    says(line, f"{MSI[0]:#x} to {MSI[1]:#x}: the interrupt window (MSI)")
    says(line, f"{MSI[0] - PAGE:#x} to {MSI[0] + PAGE - 1:#x} in IOAS {ioas}")
    advises(line, "IOAS_IOVA_RANGES", "reserved_regions")


@pytest.mark.guest(iommu="intel-39", devices=("edu",))
def test_aperture(told: why.Why, context: Context, ioas: int) -> None:
    """A BAR at the top of a guest that has more address bits than the IOMMU."""
    top = 1 << 46
    with mem.anonymous(PAGE) as buffer, Edu(context, ioas), fails(errno.EINVAL):
        context.map(ioas, buffer, iova=top)
    line = told.of("iova_aperture")
    says(line, "39 address bits, 512G", f"{top:#x} to {top + PAGE - 1:#x} in IOAS {ioas}")
    advises(line, "host-phys-bits-limit=39")


# As in test_reasons_system.py: functions of a slot that are not isolated.
SLOT = ("edu,multifunction=on", "edu,function=1", "virtio-rng-pci,function=2,disable-legacy=on")
RNG = (0x1AF4, 0x1044)


@pytest.mark.guest(devices=SLOT)
def test_group_of_another(told: why.Why, context: Context) -> None:
    """A second VM wants a device of a group that another VM uses."""
    first, second = addresses()
    group = os.path.basename(os.readlink(vfio.SYSFS / first / "iommu_group"))
    with vfio.Device(first) as device, vfio.Device(second) as other, Context() as others:
        other.bind(others)
        with fails(errno.EPERM):
            device.bind(context)
    line = told.of("group_owned")
    says(line, f"{first} shares IOMMU group {group}", "another user, such as a second VM")
    says(line, f"{first}: vfio-pci, {second}: vfio-pci")
    advises(line, f"/sys/kernel/iommu_groups/{group}/devices to vfio-pci")
    assert line["device"] == first


@pytest.mark.guest(devices=SLOT)
def test_group_of_the_kernel(told: why.Why, context: Context) -> None:
    """A device of the group is still bound to a kernel driver."""
    (driven,) = vfio.find(*RNG)
    with vfio.Device(addresses()[0]) as device, vfio.kernel_driver(driven, "virtio-pci"):
        with fails(errno.EPERM):
            device.bind(context)
        line = told.of("group_owned")
    says(line, f"{driven}: virtio-pci", f"with {driven}, which is bound to a kernel driver")


@pytest.mark.x86("IOMMUs that remap interrupts")
@pytest.mark.guest(append=("intremap=off",))
def test_interrupts_not_isolated(told: why.Why, context: Context) -> None:
    address = addresses()[0]
    with vfio.Device(address) as device, fails(errno.EPERM):
        device.bind(context)
    line = told.of("interrupts")
    says(line, "Interrupts are not isolated", f"{address} of IOMMU group", "remapping is off")
    says(line, f"{address}: vfio-pci")
    advises(line, "intremap=on", "iommufd.allow_unsafe_interrupts=1")


def test_failure_without_subject(told: why.Why, context: Context) -> None:
    """If the subject is unknown, an optional part is left out, not guessed."""
    with vfio.Device(addresses()[0]) as device:
        device.bind(context)
        with fails(errno.ENOENT):
            context.map(device.id + 1000, 0, PAGE)
    line = told.of("no_object")
    says(line, f"There is no ioas {device.id + 1000} in this context")
    assert "ioas" not in line


def test_bound_twice(told: why.Why, context: Context) -> None:
    """VFIO refuses to bind a device that is bound, without asking iommufd."""
    address = addresses()[0]
    with vfio.Device(address) as first, vfio.Device(address) as second, Context() as another:
        first.bind(context)
        with fails(errno.EINVAL):
            second.bind(another)
        line = told.next()
    assert (line["refused_by"], line["reason"], line["ctx"]) == ("vfio", None, None)
    assert (line["request"], line["error"]) == ("VFIO_DEVICE_BIND_IOMMUFD", "EINVAL")
    assert (line["pid"], line["device"]) == (os.getpid(), address)
    says(line, f"VFIO refused to bind {address}", "the process itself has it open")


def test_group_is_open(told: why.Why) -> None:
    """A group can be open once; the text names the process that has it."""
    address = addresses()[0]
    file = f"/dev/vfio/{vfio.group_of(address)}"
    with Group(address):
        with fails(errno.EBUSY):
            Group(address)
        line = told.next()
    assert (line["request"], line["file"], line["error"]) == ("open", file, "EBUSY")
    assert (line["refused_by"], line["reason"], line["pid"]) == ("kernel", None, os.getpid())
    says(line, f"{file} is open already: the process itself has it")


def test_no_right_to_a_group(told: why.Why) -> None:
    """Files of VFIO belong to root unless they are given to a user."""
    address = addresses()[0]
    with unprivileged(LIMIT * PAGE), fails(errno.EACCES):
        Group(address)
    says(told.next(), f"User {NOBODY} may not open /dev/vfio/{vfio.group_of(address)}")


def test_no_such_file(told: why.Why) -> None:
    with fails(errno.ENOENT):
        os.open("/dev/vfio/devices/vfio99", os.O_RDWR)
    line = told.next()
    says(line, "There is no /dev/vfio/devices/vfio99")
    advises(line, "vfio-pci", "CONFIG_VFIO_DEVICE_CDEV")


def test_device_of_another_group(told: why.Why, context: Context) -> None:
    """VFIO refuses it without asking iommufd."""
    first, second = addresses()
    with Group(first) as group:
        group.set_container(context.fd)
        group.address = second
        with fails(errno.ENODEV):
            group.device_fd()
    line = told.next()
    assert (line["request"], line["refused_by"]) == ("VFIO_GROUP_GET_DEVICE_FD", "vfio")
    says(line, f"IOMMU group {vfio.group_of(first)} has no device {second}")


@pytest.mark.x86("an IOMMU driver that refuses a fault queue to a device without page requests")
def test_fault_queue_without_pri(told: why.Why, context: Context, ioas: int) -> None:
    """The device can't report page faults, but the driver's error is only ENODEV."""
    queue = uapi.FaultAlloc()
    context.command("FAULT_QUEUE_ALLOC", queue)
    with Edu(context, ioas) as device:
        table = uapi.HwptAlloc(
            dev_id=device.id,
            pt_id=ioas,
            flags=uapi.HWPT_FAULT_ID_VALID,
            fault_id=queue.out_fault_id,
        )
        context.command("HWPT_ALLOC", table)
        with fails(errno.ENODEV):
            device.attach(table.out_hwpt_id)
        line = told.of("driver_refused")
        context.destroy(table.out_hwpt_id)
    os.close(queue.out_fault_fd)
    says(line, f"has a fault queue, but {device.address} has no page request interface")
    advises(line, "Use a page table without a fault queue")


def test_device_of_a_page_table(told: why.Why, context: Context, ioas: int) -> None:
    """The event has only the id of the device that a page table is for."""
    with Edu(context, ioas) as device:
        with fails(errno.EOPNOTSUPP):
            context.hwpt_alloc(device.id, ioas, uapi.HWPT_ALLOC_DIRTY_TRACKING)
        line = told.next()
    assert (line["device_id"], line["device"]) == (device.id, device.address)


def test_unmap_of_a_refused_map(
    told: why.Why, context: Context, ioas: int, buffer: mem.Buffer
) -> None:
    """A program that cleans up after a map that failed: the map is what matters."""
    with Edu(context, ioas):
        with fails(errno.EINVAL):
            context.map(ioas, buffer, iova=MSI[0])
        for address in (MSI[0], 4 * MSI[0]):
            with fails(errno.ENOENT):
                context.unmap(ioas, address, PAGE)
    told.of("iova_reserved")
    line = told.of("not_mapped")
    says(line, "The map of it was refused before: iova_reserved.")
    advises(line, "See the failure of the map (iova_reserved)")
    assert "refused" not in told.of("not_mapped")["what"]


def test_sizing_call(told: why.Why, context: Context, ioas: int) -> None:
    """A request for ranges that only asks for their number is no failure; one too small is."""
    with Edu(context, ioas):
        assert len(context.iova_ranges(ioas)) == 2
        array = (uapi.IovaRange * 1)()
        argument = uapi.IoasIovaRanges(
            ioas_id=ioas, num_iovas=1, allowed_iovas=ctypes.addressof(array)
        )
        with fails(errno.EMSGSIZE):
            context.command("IOAS_IOVA_RANGES", argument)
    assert (line := told.of("short_buffer"))["first"] == 1, line


def test_bar_of_a_group(told: why.Why) -> None:
    """In compatibility mode the file of a device has no name of its own."""
    address = addresses()[0]
    with Context() as context, Group(address) as group:
        container = Adopted(context.fd)
        group.set_container(context.fd)
        container.set_iommu(TYPE1V2)
        with vfio.Device(address, group.device_fd()) as device:
            anchor = ctypes.c_char.from_buffer(device.map_bar(0))
            with fails(errno.EFAULT):
                container.map(ctypes.addressof(anchor) + 3 * PAGE, 0, PAGE)
            del anchor
        line = told.of("vma_pfnmap")
    says(line, f"offset 0x3000 of BAR 0 of {address}")


def test_repeats_are_folded() -> None:
    """Equal failures are printed once and counted, so that they don't bury the others."""
    done = why.run("--", *python("for _ in range(500): fail(1000)"))
    assert (done.returncode, done.stderr) == (0, "")
    heads = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert len(heads) >= 2
    more = [int(line.split(": ")[-1].removesuffix(" more like that")) for line in heads[1:]]
    assert sum(more) == 499
    everything = why.run("--all", "--", *python("for _ in range(50): fail(1000)"))
    assert everything.stdout.count("What to do:") == 50


def test_text() -> None:
    """A block of lines, none of them too long, and the counts."""
    done = why.run("--summary", "--", *python("fail(1000)\nfail(1001)"))
    assert (done.returncode, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert head.endswith("IOMMU_DESTROY: No such file or directory (ENOENT), no_object")
    assert lines[0].startswith("    There is no object ")
    assert lines[1].startswith("    What to do: Check the id: the object was never allocated")
    assert lines[-2:] == ["   COUNT REASON", "       2 no_object"]
    assert max(len(line) for line in lines if line.startswith(" ")) < 80


# What a command begins with: quick to start, so without the tests' library.
PRELUDE = """
import fcntl, os, struct
def fail(object_id):
    with open("/dev/iommu", "wb", buffering=0) as file:
        try:
            fcntl.ioctl(file, 0x3B80, struct.pack("II", 8, object_id))
        except FileNotFoundError:
            return
    raise AssertionError("IOMMU_DESTROY of what is not there")
"""


def python(body: str) -> list[str]:
    """A command that runs Python code with `fail` defined."""
    return [sys.executable, "-I", "-S", "-c", PRELUDE + textwrap.dedent(body)]


def reasons_in(text: str) -> list[tuple[str, int]]:
    """(reason, first number) of each line."""
    return [(x["reason"], x["first"]) for x in map(json.loads, text.splitlines()) if "what" in x]


def test_command_and_descendants() -> None:
    """All descendants are reported, even those that outlive their parent, and nothing else."""
    body = """
        read, write = os.pipe()
        if not os.fork():
            if not os.fork():
                os.close(read)
                while os.getppid() != int(os.environ["WHY"]):
                    os.sched_yield()
                fail(1002)
            os._exit(0)
        os.close(write)
        os.wait()
        os.read(read, 1)
        fail(1001)
    """
    # The shell tells which process an orphan becomes a child of.
    shell = ["sh", "-c", 'WHY=$PPID exec "$@"', "sh", *python(body)]
    with why.Why() as another:
        why.fail_to_destroy(1000)
        done = why.run("--json", "--", *shell)
        why.fail_to_destroy(1003)
        assert [another.of("no_object")["first"] for _ in range(2)] == [1000, 1003]
    assert (done.returncode, done.stderr) == (0, "")
    assert reasons_in(done.stdout) == [("no_object", 1002), ("no_object", 1001)]


def test_reason_and_count(context: Context, ioas: int) -> None:
    """Other reasons are skipped, and the count ends it."""
    arguments = ("--json", "-n", "2", "-r", "zero_length", "-r", "no_rights_asked")
    with subprocess.Popen([why.WHY, *arguments], stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            why.fail_to_destroy()
            with fails(errno.EINVAL):
                context.map(ioas, 0, 0)
        assert process.stdout
        lines = reasons_in(process.stdout.read())
    assert (process.returncode, lines) == (0, [("zero_length", 0)] * 2)


def test_unknown_reason() -> None:
    done = why.run("-r", "because")
    assert (done.returncode, done.stdout) == (1, "")
    assert "this kernel knows no reason 'because'" in done.stderr


def test_losses_are_told() -> None:
    """While it is stopped, its buffer fills; events that do not fit are counted."""
    # A record has more than 100 bytes, the buffer 1 MiB.
    fill = (1 << 20) // 100
    with why.Why("--summary") as told, Context() as context:
        told.process.send_signal(signal.SIGSTOP)
        for _ in range(fill):
            with fails(errno.ENOENT):
                context.destroy(7)
        told.process.send_signal(signal.SIGCONT)
        told.process.send_signal(signal.SIGINT)
        lines = [json.loads(x) for x in told.process.stdout]
    count = sum("what" in x for x in lines)
    assert lines[-1]["lost_events"] > 0
    assert count + lines[-1]["lost_events"] == fill
    assert {"lost_events": lines[-1]["lost_events"]} in lines


@pytest.mark.parametrize(
    ("command", "status"),
    [(["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137), (["/"], 126)],
)
def test_status_of_command(command: list[str], status: int) -> None:
    assert why.run("--", *command).returncode == status


def test_output_beside_that_of_the_command(tmp_path) -> None:
    """With -o, standard output belongs to the command."""
    file = tmp_path / "why"
    command = python("fail(1000)\nprint('mine')")
    done = why.run("-j", "-o", str(file), "--", *command)
    assert (done.stdout, done.stderr) == ("mine\n", "")
    assert [r for r, _ in reasons_in(file.read_text())] == ["no_object"]


def test_signal_goes_to_command() -> None:
    command = [why.WHY, "--summary", "--", "sh", "-c", "echo here; exec sleep 1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGTERM)
        assert "COUNT REASON" in process.stdout.read()
        assert process.wait(30) == 128 + signal.SIGTERM


def test_closed_pipe() -> None:
    """A closed pipe is no error."""
    with subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", f"{why.WHY} | head -n 1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while process.poll() is None:
            why.fail_to_destroy()
        assert process.stderr
        assert (process.returncode, process.stderr.read()) == (0, b"")
