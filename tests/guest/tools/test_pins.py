# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-pins: how much each process pins, how it is charged, and how much is left."""

import os
import socket
from pathlib import Path
from typing import Any

import iommufd_pins
import pytest
from child_process import Child
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import NOBODY, unprivileged
from iommufd.vfio import group_of
from iommufd_pins import LIMIT, NAME, pinning
from tool_runner import Tool, has, run

pytestmark = pytest.mark.guest(kernels="bpf")

IOVA = mock.START
COMM = Path("/proc/self/comm").read_text().strip()


def report(*arguments: str) -> list[dict[str, Any]]:
    """The contexts of the only report."""
    return iommufd_pins.report(*arguments)["contexts"]


def test_other_processes(context: Context) -> None:
    assert context.fd >= 0
    assert report("-p", "1") == []


@pytest.mark.guest(mock=True)
def test_amounts(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Shared pages count in each IOAS and once in the context."""
    other = context.ioas_alloc()
    with mock.Device(context, ioas), mock.Device(context, other), Context():
        context.map(ioas, buffer, iova=IOVA)
        context.copy(other, ioas, IOVA, 5 * PAGE)
        context.map(other, buffer, PAGE)
        mine, empty = report()
    has(mine, pid=os.getpid(), command=COMM, uid=0, alive=True, pinned_pages=17)
    has(empty, pid=os.getpid(), pinned_pages=0, ioas=[])
    first, second = mine["ioas"]
    has(first, ioas=ioas, areas=1, mapped_bytes=16 * PAGE, pinned_pages=16, maps=1, unmaps=0)
    has(second, ioas=other, areas=2, mapped_bytes=6 * PAGE, pinned_pages=6, maps=2)


def test_device(context: Context, ioas: int) -> None:
    """Its name and group, and its page table as long as it is attached to one."""
    with Edu(context, ioas) as edu:
        ((device,),) = (each["devices"] for each in report())
        has(device, device_id=edu.id, device=edu.address, group=group_of(edu.address))
        assert device["hwpt"] > 0
        text = run(NAME).stdout.splitlines()[-2]
        edu.detach()
        ((device,),) = (each["devices"] for each in report())
        has(device, device=edu.address, hwpt=0)
    assert text.split()[:2] == ["device", edu.address]


@pytest.mark.guest(kernels=("bpf", "upstream"), mock=True)
@pytest.mark.parametrize("mode", ["user", "mm"])
def test_limit(mode: str) -> None:
    """The charges, whom they affect, and how much of the limit is left."""
    with Child(pinning(mode)) as child:
        child.met()
        (found,) = report("-p", str(child.pid))
        child.go_on()
        child.met()
    has(found, mode=mode, uid=NOBODY, pinned_pages=10)
    has(found, used_pages=10, limit_pages=LIMIT, free_pages=LIMIT - 10)


@pytest.mark.guest(mock=True)
def test_limit_as_text() -> None:
    """The same as text; no limit for a privileged user."""
    with Child(pinning("mm")) as child:
        child.met()
        text = run(NAME).stdout.splitlines()
        child.go_on()
        child.met()
        (found,) = report()
    has(found, mode="none", uid=0, used_pages=None, limit_pages=None, free_pages=None)
    assert text[1].split()[-4:] == ["<64K", "64K+", "2M+", "1G+"]
    row = dict(zip(text[1].split(), text[2].split(), strict=False))
    shown = [row[name] for name in ("UID", "MODE", "PINNED", "USED", "LIMIT", "FREE")]
    assert shown == [str(NOBODY), "mm", "40.0K", "40.0K", "256K", "216K"]


def table_bytes() -> int | None:
    """The memory of page tables that is charged to the cgroup of this process."""
    folder = Path("/proc/self/cgroup").read_text().rpartition("0::")[2].strip()
    try:
        stat = Path(f"/sys/fs/cgroup{folder}/memory.stat").read_text()
    except FileNotFoundError:
        return None
    return int(dict(line.split() for line in stat.splitlines())["sec_pagetables"])


@pytest.mark.guest(mock=True)
def test_memlock_that_is_needed() -> None:
    """In both modes, with memory that is pinned only once there is a device, and two VMs."""

    def body(child: Child) -> None:
        with Context() as context, mem.anonymous(16 * PAGE) as buffer:
            ioas, later = context.ioas_alloc(), context.ioas_alloc()
            with mock.Device(context, ioas), unprivileged(LIMIT * PAGE):
                context.map(ioas, buffer, 10 * PAGE)
                context.map(later, buffer, 4 * PAGE)
                child.pause()

    with Child(body) as first, Child(body) as second:
        first.met()
        second.met()
        found = {each["pid"]: each for each in report()}
        text = run(NAME, "--memlock", "-p", str(first.pid)).stdout.splitlines()
        first.go_on()
        second.go_on()
    for child in (first, second):
        has(found[child.pid], mode="user", pinned_pages=10, to_pin_pages=4)
        has(found[child.pid], need_mm_pages=14, need_user_pages=28, limit_pages=LIMIT)
        assert "cgroup_free_bytes" in found[child.pid]
        assert found[child.pid]["cgroup_table_bytes"] == table_bytes()
    row = text[2].split()
    assert row[:2] == [str(first.pid), COMM]
    assert row[3:9] == ["user", "40.0K", "16.0K", "56.0K", "112K", "256K"]


def test_opener_is_gone() -> None:
    """The file has passed to another process."""
    here, there = socket.socketpair()

    def body(_: Child) -> None:
        with Context() as context:
            socket.send_fds(there, [b"."], [context.fd])

    with here, there:
        with Child(body) as child:
            pass
        _, (fd,), *_ = socket.recv_fds(here, 1, 1)
        try:
            (found,) = report()
        finally:
            os.close(fd)
    has(found, pid=child.pid, alive=False, command=COMM, limit_pages=None, used_pages=None)


@pytest.mark.guest(mock=True)
def test_growth(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """From one report to the next, and since the first."""
    with mock.Device(context, ioas):
        context.map(ioas, buffer, 4 * PAGE, iova=IOVA)
        with Tool(NAME, "-j", "0.05", quiet=True) as tool:
            before = tool.next()
            context.map(ioas, buffer)
            lines = tool.until(lambda line: line["contexts"][0]["pinned_pages"] == 20)
            context.unmap(ioas, IOVA, 4 * PAGE)
            later = context.ioas_alloc()
            with mock.Device(context, later):
                context.map(later, buffer, 3 * PAGE)
                lines += tool.until(lambda line: len(line["contexts"][0]["ioas"]) == 2)
                lines += tool.until(lambda line: line["contexts"][0]["pinned_pages"] == 19)
                lines += tool.until(lambda line: not line["contexts"][0]["grown_pages"])
            tool.text()
    has(before["contexts"][0], pinned_pages=4, grown_pages=0, since_pages=0)
    lines = [line["contexts"][0] for line in lines]
    for each, old in zip(lines, [before["contexts"][0], *lines], strict=False):
        assert each["grown_pages"] == each["pinned_pages"] - old["pinned_pages"]
        assert each["since_pages"] == each["pinned_pages"] - 4
    first, second = lines[-1]["ioas"]
    has(first, pinned_pages=16, since_pages=12)
    has(second, ioas=later, pinned_pages=3, since_pages=3)


def sizes(ioas: int) -> tuple[int, ...]:
    """Pinned bytes of an IOAS in the only context, by the size of pages."""
    (context,) = report()
    (found,) = [each for each in context["ioas"] if each["ioas"] == ioas]
    return tuple(found["page_sizes"].values())


def test_page_sizes(context: Context, ioas: int) -> None:
    """Of what is pinned now, also before the tool was started; alignment of both sides counts."""
    with mem.anonymous(PAGE) as small, mem.hugetlb(2 * HUGE) as huge:
        context.map(ioas, small, iova=100 * HUGE)
        context.map(ioas, huge, iova=2 * HUGE)
        assert sizes(ioas) == (0, 0, 0, 0)
        with Edu(context, ioas, 0) as edu:
            assert sizes(ioas) == (PAGE, 0, 2 * HUGE, 0)
            # The same memory again, 1 MiB off.
            context.map(ioas, huge, iova=8 * HUGE - HUGE // 2)
            assert sizes(ioas) == (PAGE, 2 * HUGE, 2 * HUGE, 0)
            context.unmap(ioas, 2 * HUGE, 2 * HUGE)
            assert sizes(ioas) == (PAGE, 2 * HUGE, 0, 0)
            edu.detach()
        assert sizes(ioas) == (0, 0, 0, 0)


def test_count_ends_it() -> None:
    done = run(NAME, "-T", "0.01", "3")
    assert done.returncode == 0
    assert done.stdout.count("contexts: 0, IOAS: 0, pinned: 0B") == 3
