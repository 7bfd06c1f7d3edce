# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-faults: the outcome of each fault, and the totals."""

import errno
import os
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from errnos import fails
from event_log import EventLog
from iommufd import uapi
from iommufd.nest import IOVA, VEVENTQ, FaultQueue, Nest
from iommufd.trace import Event
from tool_runner import Tool

pytestmark = pytest.mark.guest(kernels="bpf", mock=True)

NAME = "iommufd-faults"
WRITE = 2
VIRT_ID = 5
COMM = Path("/proc/self/comm").read_text().strip()
# Seconds to wait for a kernel worker; reached only on failure.
PATIENCE = 60


@pytest.fixture
def queue(nest: Nest) -> Iterator[FaultQueue]:
    """A queue to which the device's page table reports."""
    with nest.fault_queue() as queue:
        nest.device.replace(nest.reporting(queue))
        yield queue
        nest.device.replace(nest.ioas)


@pytest.fixture
def viommu(nest: Nest) -> Iterator[int]:
    """A vIOMMU to which the device reports."""
    viommu = nest.viommu()
    nest.vdevice(viommu, VIRT_ID)
    nest.device.replace(nest.nested(viommu))
    yield viommu
    nest.device.replace(nest.ioas)


def fault(nest: Nest, queue: FaultQueue, count: int, read: bool = True) -> list[int]:
    """Faults on successive pages; returns their cookies if they are read."""
    cookies: list[int] = []
    for group in range(count):
        nest.device.fault(addr=IOVA + group * 4096, group=group, perm=WRITE)
        # The kernel's worker delivers them.
        assert select.select([queue.fd], [], [], PATIENCE)[0]
        if read:
            cookies += [record.cookie for record in queue.read()]
    return cookies


def waited(events: list[Event]) -> list[int]:
    return [event.number("wait_ns") for event in events]


def test_list(seen: EventLog, nest: Nest, queue: FaultQueue) -> None:
    """Each group when it is over, with the times of the trace events."""
    with Tool(NAME, "-j", "-p", str(os.getpid())) as tool:
        seen.forget()
        first, second, third = fault(nest, queue, 3)
        queue.respond(second, first)
        queue.respond(third, code=uapi.PAGE_RESP_INVALID)
        lines = tool.rest()
    assert [line["cookie"] for line in lines] == [second, first, third]
    assert [line["end"] for line in lines] == ["retry", "retry", "invalid"]
    reads = dict(zip((first, second, third), waited(seen.all("fault_read")), strict=True))
    answers = waited(seen.all("fault_respond"))
    for line, answer in zip(lines, answers, strict=True):
        assert (line["kind"], line["pid"], line["command"]) == ("fault", os.getpid(), COMM)
        assert (line["queue"], line["device_id"]) == (queue.id, nest.device.device)
        assert line["device"].startswith("iommufd_mock")
        assert line["iova"] == IOVA + (line["cookie"] - first) * 4096
        assert (line["perm"], line["pasid"], line["faults"], line["errno"]) == (WRITE, 0, 1, 0)
        assert (line["report_seen"], line["was_read"]) == (True, True)
        assert (line["read_ns"], line["wait_ns"]) == (reads[line["cookie"]], answer)


def test_aborted(seen: EventLog, nest: Nest, queue: FaultQueue) -> None:
    """Without an answer: one fault was read, the other was not."""
    with Tool(NAME, "-j") as tool:
        fault(nest, queue, 1)
        fault(nest, queue, 1, read=False)
        seen.forget()
        nest.device.replace(nest.ioas)
        lines = tool.rest()
    assert [line["end"] for line in lines] == ["aborted"] * 2
    assert sorted(line["wait_ns"] for line in lines) == sorted(waited(seen.all("fault_abort")))
    by_read = {line["was_read"]: line["read_ns"] for line in lines}
    assert by_read[True] > 0
    assert by_read[False] is None


def test_refused(nest: Nest, queue: FaultQueue) -> None:
    """There is no consumer that could read it."""
    queue.close()
    with Tool(NAME, "-j") as tool:
        nest.device.fault(addr=IOVA)
        (line,) = tool.rest()
    assert (line["end"], line["errno"], line["wait_ns"]) == ("refused", errno.ENODEV, None)


def test_waiting(nest: Nest, queue: FaultQueue) -> None:
    """Faults that are not over when the tool ends."""
    with Tool(NAME, "-j") as tool:
        (cookie,) = fault(nest, queue, 1)
        (line,) = tool.rest()
    assert (line["cookie"], line["end"]) == (cookie, "waiting")
    assert line["wait_ns"] > line["read_ns"] > 0
    # Another instance starts late: it has not seen the report.
    with Tool(NAME) as text:
        queue.respond(cookie)
        row = text.text().splitlines()[1].split()
    assert row[4:10] == [str(cookie), "-", "-", "-", "-", "-"]
    assert row[-1] == "retry"


def total(lines: list[dict[str, Any]], name: str) -> int:
    """The total of a number of the fault queues, over all intervals."""
    return sum(queue[name] for line in lines for queue in line["fault_queues"])


def test_sums(seen: EventLog, nest: Nest, queue: FaultQueue) -> None:
    """Each fault counts once, in one interval; the pending ones are queried from the kernel."""
    old = fault(nest, queue, 1)
    with Tool(NAME, "-j", "0.05") as tool:
        seen.forget()
        cookies = fault(nest, queue, 6)
        queue.respond(*cookies[:3])
        queue.respond(cookies[3], code=uapi.PAGE_RESP_INVALID)
        lines = tool.until(lambda line: line["fault_queues"][0]["faults_waiting"] == 3)
        # The interval may have ended between its two responses.
        lines += tool.until(lambda line: not line["fault_queues"][0]["reported"])
        assert lines[-1]["fault_queues"][0]["faults_waiting"] == 3
        queue.respond(*old)
        nest.device.replace(nest.ioas)
        lines += tool.rest()
    counts = {name: total(lines, name) for name in ("reported", "read", "retry", "invalid")}
    assert counts == {"reported": 6, "read": 6, "retry": 4, "invalid": 1}
    assert (total(lines, "aborted"), total(lines, "refused")) == (2, 0)
    assert lines[-1]["fault_queues"][0]["faults_waiting"] == 0
    assert lines[-1]["lost_events"] == 0
    for name, event in (("to_read", "fault_read"), ("to_answer", "fault_respond")):
        times = waited(seen.all(event))
        parts = [line["fault_queues"][0][name] for line in lines]
        assert sum(part["sum_ns"] for part in parts) == sum(times)
        assert max(part["max_ns"] for part in parts) == max(times)
        assert sum(count for part in parts for _, _, count in part["slots"]) == len(times)
        for part in parts:
            assert part["p50_ns"] <= part["p99_ns"] <= part["max_ns"]


def test_text(nest: Nest, queue: FaultQueue) -> None:
    with Tool(NAME, "-H", "1000") as tool:
        (cookie,) = fault(nest, queue, 1)
        queue.respond(cookie)
        titles, row, *histogram = (line.split() for line in tool.text().splitlines())
    shown = dict(zip(titles, row, strict=True))
    assert (shown["COMMAND"], shown["QUEUE"]) == (COMM, str(queue.id))
    counts = {name: shown[name] for name in ("REPORTED", "READ", "RETRY", "ABORTED", "WAITING")}
    assert counts == {"REPORTED": "1", "READ": "1", "RETRY": "1", "ABORTED": "0", "WAITING": "0"}
    assert histogram[0][:4] == ["nsecs", ":", "answer", "read"]
    columns = [line[line.index(":") + 1 :] for line in histogram if "->" in line]
    assert [sum(int(column[i]) for column in columns) for i in range(2)] == [1, 1]


def test_context_of_later() -> None:
    """It knows the faults of a context that is opened later, and sees its end."""
    with Tool(NAME, "-j", "1000") as tool, Tool(NAME, "-j", "-p", "1") as of_another:
        with Nest() as nest, nest.fault_queue() as queue:
            nest.device.replace(nest.reporting(queue))
            fault(nest, queue, 1)
            nest.device.replace(nest.ioas)
        (report,) = tool.rest()
        assert of_another.rest() == []
    (found,) = report["fault_queues"]
    assert (found["pid"], found["command"], found["aborted"]) == (os.getpid(), COMM, 1)


def test_device_of_later() -> None:
    """It knows the name of a device that is bound later."""
    with Tool(NAME, "-j") as tool, Tool(NAME) as text:
        with Nest() as nest, nest.fault_queue() as queue:
            nest.device.replace(nest.reporting(queue))
            fault(nest, queue, 1)
            nest.device.replace(nest.ioas)
        (line,) = tool.rest()
        row = text.text().splitlines()[-1].split()
    assert line["device"].startswith("iommufd_mock")
    assert row[5] == line["device"]


def test_vevents(nest: Nest, viommu: int) -> None:
    """Two events fit, two are lost; without a queue, the event is dropped."""
    with Tool(NAME, "-j") as tool, Tool(NAME, "-j", "1000") as sums, Tool(NAME) as text:
        with fails(errno.EOPNOTSUPP):
            nest.device.event()
        with nest.event_queue(viommu, depth=2) as queue:
            for _ in range(4):
                nest.device.event()
        lines, (report,) = tool.rest(), sums.rest()
        last = text.text().splitlines()[-1]
    about = {"kind": "vevent", "pid": os.getpid(), "viommu": viommu, "type": VEVENTQ}
    for line in lines:
        assert {name: line[name] for name in about} == about
    got = [
        (line["queue"], line["sequence"], line["lost_by_queue"], line["errno"]) for line in lines
    ]
    expected = [(queue.id, sequence, lost, 0) for sequence, lost in enumerate((0, 0, 1, 2))]
    assert got == [(0, 0, 0, errno.EOPNOTSUPP), *expected]
    sums_of = {found["queue"]: found for found in report["vevent_queues"]}
    assert (sums_of[0]["events"], sums_of[0]["refused"]) == (0, 1)
    found = sums_of[queue.id]
    assert (found["events"], found["refused"], found["lost_by_queue"]) == (4, 0, 2)
    assert f" vIOMMU {viommu}: event of type {VEVENTQ:#x}, " in last
    assert last.endswith("lost so far: 2")
