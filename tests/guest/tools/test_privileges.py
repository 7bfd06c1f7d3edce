# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tools without root: they do what they can, and report what is missing."""

import errno
import json
import os
import select
from collections.abc import Callable, Iterator

import iommufd_why as why
import pytest
from errnos import fails
from iommufd import mock
from iommufd.ctx import Context
from iommufd.mem import PAGE, Buffer
from iommufd.nest import Nest
from iommufd.pins import NOBODY
from iommufd_exporter import SOCKET, Exporter
from privileges import LEAST, as_nobody, may_open_iommufd, may_read_events
from tool_runner import Tool, environment, run

# If iommufd is built in, its types are part of the kernel's BTF, which every user may read.
pytestmark = pytest.mark.guest(kernels=["tools", "builtin"])

TOOLS = {
    "iommufd-exporter": ("-l", SOCKET),
    "iommufd-faults": (),
    "iommufd-maplat": (),
    "iommufd-pins": (),
    "iommufd-policy": ("list",),
    "iommufd-top": ("-b", "-n", "1", "-d", "0.1"),
    "iommufd-why": (),
}
Prefix = tuple[str, ...]


@pytest.fixture
def prefix(kernel: str) -> Iterator[Prefix]:
    """A user with no more privileges than the manual pages ask for."""
    with may_read_events():
        yield as_nobody(*LEAST, *["sys_admin"] * (kernel != "builtin"))


def refused(name: str, *capabilities: str) -> str:
    """The error message of a tool with these capabilities."""
    done = run(name, *TOOLS[name], prefix=as_nobody(*capabilities), timeout=None)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.mark.parametrize("name", TOOLS)
def test_capabilities_missing(name: str) -> None:
    says = f"{name}: this needs root, or the capabilities CAP_BPF and CAP_PERFMON\n"
    assert refused(name, "bpf", "dac_read_search").startswith(says)


@pytest.mark.parametrize("name", TOOLS)
def test_events_closed(name: str) -> None:
    """test_enough() runs the mount command that the message recommends."""
    said = refused(name, *LEAST, "sys_admin")
    assert said.startswith(f"{name}: this user may not access the kernel's trace events")
    assert "mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing" in said


@pytest.mark.guest(kernels="plain")
@pytest.mark.parametrize("name", TOOLS)
def test_types_closed(name: str) -> None:
    with may_read_events():
        said = refused(name, *LEAST)
    assert said.startswith(f"{name}: iommufd is a module here, and reading its types needs CAP_SYS")


@pytest.mark.guest(kernels="builtin")
def test_policies() -> None:
    """They need more than the monitoring tools."""
    with may_read_events():
        said = refused("iommufd-policy", *LEAST)
    assert said.startswith("iommufd-policy: policies need root, or the capability CAP_SYS_ADMIN\n")


def maplat(prefix: Prefix, context: Context, ioas: int, buffer: Buffer) -> None:
    with Tool("iommufd-maplat", "-j", "-b", "ioas", prefix=prefix) as tool:
        context.map(ioas, buffer)
        (report,) = tool.rest()
    (row,) = report["rows"]
    assert (row["op"], row["ioas"], row["timed"]) == ("map", ioas, 1)
    assert row["bytes"] == buffer.size


def pins(prefix: Prefix, context: Context, ioas: int, buffer: Buffer) -> None:
    with mock.Device(context, ioas):
        context.map(ioas, buffer)
        with Tool("iommufd-pins", "-j", quiet=True, prefix=prefix) as tool:
            (found,) = tool.next()["contexts"]
    assert (found["pid"], found["pinned_pages"]) == (os.getpid(), buffer.size // PAGE)
    # Root has no limit, which is also shown to another user.
    assert (found["mode"], found["uid"]) == ("none", 0)


def faults(prefix: Prefix, *_: object) -> None:
    with Nest() as nest, nest.fault_queue() as queue:
        nest.device.replace(nest.reporting(queue))
        with Tool("iommufd-faults", "-j", prefix=prefix) as tool:
            nest.device.fault()
            assert select.select([queue.fd], [], [], 60)[0]
            queue.respond(queue.read()[0].cookie)
            (line,) = tool.rest()
        nest.device.replace(nest.ioas)
    assert (line["end"], line["pid"], line["queue"]) == ("retry", os.getpid(), queue.id)


def reasons(prefix: Prefix, context: Context, ioas: int, _: Buffer) -> None:
    with why.Why(prefix=prefix) as tool:
        with fails(errno.ENOENT):
            context.unmap(ioas, 0, PAGE)
        line = tool.of("not_mapped")
    assert (line["request"], line["ioas"], line["length_bytes"]) == ("IOMMU_IOAS_UNMAP", ioas, PAGE)


def exporter(prefix: Prefix, context: Context, ioas: int, buffer: Buffer) -> None:
    with Exporter(prefix=prefix) as tool:
        context.map(ioas, buffer)
        found = tool.scrape()
        tool.text()
    assert found.value("iommufd_context_maps_total") == 1
    assert found.value("iommufd_request_seconds_count", op="map") == 1


def top(prefix: Prefix, *_: object) -> None:
    """And a command, which runs with the same privileges."""
    body = "from iommufd.ctx import Context\nwith Context() as context: context.ioas_alloc()"
    command = ("--json", "--", "/usr/bin/python3", "-c", body)
    done = run("iommufd-top", *command, prefix=prefix, timeout=None, env=environment())
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = (row for row in json.loads(done.stdout)["rows"] if row["ended"])
    assert (row["command"], row["uid"]) == ("python3", NOBODY)


@pytest.mark.guest(mock=True)
@pytest.mark.parametrize("sees", [exporter, faults, maplat, pins, reasons, top])
def test_enough(
    prefix: Prefix,
    context: Context,
    ioas: int,
    buffer: Buffer,
    sees: Callable[[Prefix, Context, int, Buffer], None],
) -> None:
    """With the privileges in the manual pages they see everything."""
    with may_open_iommufd():
        sees(prefix, context, ioas, buffer)
