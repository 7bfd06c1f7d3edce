# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-why: typical failures, each provoked as a VMM would, and its explanation."""

import ctypes
import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import iommufd_why as why
import pytest
from errnos import fails
from iommufd import mem, vfio
from iommufd.ctx import Context
from iommufd.edu import Edu, addresses
from iommufd.mem import PAGE
from iommufd.pins import NOBODY, unprivileged

# The sanitizer kernel has no BTF.
pytestmark = pytest.mark.guest(kernels="main")

LIMIT = 64
MSI, MSI_LAST = 0xFEE00000, 0xFEEFFFFF


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
    assert (line["ioas"], line["length"]) == (ioas, 2 * LIMIT * PAGE)


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
        context.map(ioas, buffer, iova=MSI - PAGE)
    line = told.of("iova_reserved")
    says(line, f"{MSI:#x} to {MSI_LAST:#x}: the interrupt window (MSI)")
    says(line, f"{MSI - PAGE:#x} to {MSI + PAGE - 1:#x} in IOAS {ioas}")
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
    assert lines[-1]["lost"] > 0
    assert count + lines[-1]["lost"] == fill
    assert {"lost": lines[-1]["lost"]} in lines


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
