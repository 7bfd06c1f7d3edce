# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The scripts of bpftrace/: all of them watch one workload; their output must match it."""

import errno
import os
import re
import select
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bpftrace import SCRIPTS, Script, histogram, powers, values
from errnos import fails
from iommufd import dirty, invalidate, mem, mock, reasons, uapi
from iommufd.ctx import NO_ID, Context
from iommufd.mem import PAGE
from iommufd.nest import VEVENTQ, Nest
from iommufd.openfile import OpenFile
from iommufd.pins import NOBODY, unprivileged
from iommufd.trace import Event, Stream

pytestmark = [pytest.mark.guest(kernels="main"), pytest.mark.limit(600)]

NAMES = sorted(path.stem for path in SCRIPTS.glob("*.bt"))
# Less than it can take to pin and map LARGE, more than most other calls take.
SLOW_US = 100
ARGUMENTS = {
    "iommufd_slow": [str(SLOW_US)],
    # Scripts with a PID as argument show no other process.
    "iommufd_fail": [str(os.getpid())],
    "iommufd_maplat": [str(os.getpid())],
}
IOVA = mock.START
LARGE = 4 << 20
LIMIT = 64
VIRT_ID = 5
PID = os.getpid()
COMM = Path("/proc/self/comm").read_text().strip()
MINE = f"{COMM}, {PID}"


@dataclass
class World:
    """The workload, the events of the kernel, and the output of the scripts."""

    told: list[Event] = field(default_factory=list)
    held: ExitStack = field(default_factory=ExitStack)
    ids: dict[str, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def events(self, *names: str) -> list[Event]:
        """The only event among these names."""
        found = [e for e in self.told if e.name.removeprefix("iommufd_") in names]
        assert found
        return found

    def rows(self, name: str) -> list[list[str]]:
        """The lines of a script that begin with a time, without the time."""
        return [line.split()[1:] for line in re.findall(r"^\d\d:.* .*$", self.said[name], re.M)]


def mappings(world: World) -> None:
    """Some mappings that stay, and some requests that fail."""
    context = world.held.enter_context(Context())
    large = world.held.enter_context(mem.anonymous(LARGE))
    file = world.held.enter_context(OpenFile(os.memfd_create("iommufd", 0)))
    os.truncate(file.fd, 2 * PAGE)
    ioas = context.ioas_alloc()
    world.held.enter_context(mock.Device(context, ioas))
    context.map(ioas, large)
    for _ in range(3):
        context.unmap(ioas, context.map(ioas, large, PAGE), PAGE)
    context.map_file(ioas, file.fd, 0, 2 * PAGE)
    with unprivileged(LIMIT * PAGE):
        iova = context.map(ioas, large, 10 * PAGE)
        with fails(errno.ENOMEM):
            context.map(ioas, large, (LIMIT + 1) * PAGE)
    with fails(errno.EEXIST):
        context.map(ioas, large, PAGE, iova=iova)
    with fails(errno.ENOENT):
        context.destroy(NO_ID)


def accesses(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """A kernel driver: one page stays pinned for a time."""
    with mock.Access(context, ioas) as access:
        access.unpin(access.pin(IOVA, buffer, 2 * PAGE))
        access.read(IOVA, 100)
        access.write(IOVA, b"abcde")
        with fails(errno.ENOENT):
            access.read(IOVA + mock.PAGE * 1024, 1)


def dirty_pages(context: Context, device: mock.Device, ioas: int) -> int:
    """Two pages are written, queried, and read and cleared; returns the page table."""
    hwpt = context.hwpt_alloc(device.device, ioas, uapi.HWPT_ALLOC_DIRTY_TRACKING)
    device.replace(hwpt)
    dirty.track(context, hwpt)
    dirty.mark(context, hwpt, IOVA, [0, 2 * PAGE // mock.PAGE])
    for clear in (False, True, True):
        dirty.read(context, hwpt, IOVA, 4 * PAGE, PAGE, clear=clear)
    device.replace(ioas)
    context.destroy(hwpt)
    return hwpt


def software(world: World) -> None:
    """The parts that need one context that is closed at the end."""
    with Context() as context, mem.anonymous(4 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        context.set_option(uapi.OPTION_HUGE_PAGES, 0, ioas)
        context.map(ioas, buffer, iova=IOVA)
        accesses(context, ioas, buffer)
        with mock.Device(context, ioas) as device:
            world.ids["dirty"] = dirty_pages(context, device, ioas)


def faults(nest: Nest) -> None:
    """One fault is answered, one refused, one aborted, and one not accepted."""
    with nest.fault_queue() as queue:
        nest.device.replace(nest.reporting(queue))
        for group in range(3):
            nest.device.fault(addr=IOVA + group * PAGE, group=group)
            # The kernel's worker delivers it.
            assert select.select([queue.fd], [], [], 60)[0]
        first, second, _ = (record.cookie for record in queue.read())
        queue.respond(first)
        queue.respond(second, code=uapi.PAGE_RESP_INVALID)
    nest.device.fault(addr=IOVA)
    nest.device.replace(nest.ioas)


def guest(world: World) -> None:
    """Invalidations, faults and events."""
    with Nest() as nest:
        faults(nest)
        viommu = nest.viommu()
        nest.vdevice(viommu, VIRT_ID)
        nested = nest.nested(viommu)
        nest.device.replace(nested)
        world.ids.update(viommu=viommu, nested=nested)
        for count in (1, 1, 3):
            invalidate.page_table(nest.context, nested, count)
        invalidate.viommu(nest.context, viommu, VIRT_ID, 4)
        invalidate.viommu(nest.context, viommu, VIRT_ID + 1, 2)
        with fails(errno.EOPNOTSUPP):
            nest.device.event()
        with nest.event_queue(viommu) as queue:
            world.ids["veventq"] = queue.id
            for _ in range(4):
                nest.device.event()
        nest.device.replace(nest.ioas)
        nest.finish()


def a_second(script: Script) -> None:
    """Maps and unmaps until a script reports how many there are."""
    with Context() as context, mem.anonymous(PAGE) as buffer:
        ioas = context.ioas_alloc()
        while "@maps[" not in script.text:
            context.unmap(ioas, context.map(ioas, buffer), PAGE)
            assert script.read(0.1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The state after the workload, with all scripts watching."""
    folder = tmp_path_factory.mktemp("bpftrace")
    scripts = []
    with ExitStack() as stack:
        # One after the other: at the start, each uses all available CPUs.
        for name in NAMES:
            script = Script(name, *ARGUMENTS.get(name, ()), fifo=folder / name)
            stack.callback(script.kill)
            script.attached()
            scripts.append(script)
        stream = stack.enter_context(Stream("iommufd"))
        world = World()
        with world.held:
            mappings(world)
            software(world)
            guest(world)
            a_second(scripts[NAMES.index("iommufd_churn")])
            for script in scripts:
                script.stop()
            world.said = {script.name: script.finish() for script in scripts}
            world.told = stream.read()
    return world


def test_all_are_tested() -> None:
    """Each script has a test of its name."""
    for name in NAMES:
        assert f"test_{name.removeprefix('iommufd_')}" in globals(), name


PARTS = {
    "map": {"lock": "lock_ns", "pin": "pin_ns", "iommu": "map_ns"},
    "unmap": {"lock": "lock_ns", "iommu": "unmap_ns", "sync": "sync_ns", "unpin": "unpin_ns"},
}


@pytest.mark.parametrize("op", PARTS)
def test_maplat(world: World, op: str) -> None:
    """Exact to the nanosecond, except for the total, which ends when its event is written."""
    text = world.said["iommufd_maplat"]
    events = world.events(f"ioas_{op}")
    good = [event for event in events if not event.number("ret")]
    sums = {name: sum(e.number(field) for e in good) for name, field in PARTS[op].items()}
    assert {name: values(text, f"{op}_{name}_ns")[""] for name in sums} == sums
    assert values(text, f"{op}_all_ns")[""] > sum(sums.values())
    assert sum(histogram(text, f"{op}_us").values()) == len(good)
    assert values(text, f"{op}_failed").get("", 0) == len(events) - len(good)


def test_size(world: World) -> None:
    text = world.said["iommufd_size"]
    maps = [event for event in world.events("ioas_map") if not event.number("ret")]
    for source, name in (("va", "memory"), ("memfd", "file")):
        sizes = [e.number("length") // 1024 for e in maps if e["source"] == source]
        assert histogram(text, "map_kb", name) == powers(sizes)
        assert sizes
    of_runs = [e.number("length") // e.number("runs") // 1024 for e in maps if e.number("runs")]
    assert histogram(text, "run_kb") == powers(of_runs)


def test_pins(world: World) -> None:
    """The pages that are still pinned."""
    text = world.said["iommufd_pins"]
    assert values(text, "pinned") == {str(PID): LARGE // PAGE + 2 + 10}
    assert values(text, "user_total") == {str(NOBODY): 10}
    assert values(text, "user_limit") == {str(NOBODY): LIMIT}


def test_pins_of_before(tmp_path: Path) -> None:
    """Pages that were pinned before the start make the number negative."""
    with Context() as context, mem.anonymous(3 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        with mock.Device(context, ioas):
            iova = context.map(ioas, buffer)
            script = Script("iommufd_pins", fifo=tmp_path / "fifo")
            try:
                script.attached()
                context.unmap(ioas, iova, buffer.size)
                script.stop()
                text = script.finish()
            finally:
                script.kill()
    assert values(text, "pinned") == {str(PID): -3}


def test_churn(world: World) -> None:
    text = world.said["iommufd_churn"]
    events = [e for e in world.events("ioas_map", "ioas_unmap") if not e.number("ret")]
    counts = Counter(event.name.removeprefix("iommufd_ioas_") for event in events)
    for name, count in counts.items():
        assert values(text, f"all_{name}s") == {MINE: count}
    shown = [int(n) for n in re.findall(rf"^@maps\[{MINE}\]: (\d+)$", text, re.M)]
    assert 0 < sum(shown) <= counts["map"]


SLOW = {
    "device_attach": ("attach", "id"),
    "device_replace": ("replace", "id"),
    "hwpt_alloc": ("page table", "hwpt"),
    "hwpt_invalidate": ("invalidate", "object"),
    "dirty_read": ("dirty read", "hwpt"),
}


def test_slow(world: World) -> None:
    """No call that was faster."""
    expected = []
    for event in world.events(*SLOW):
        call, identity = SLOW[event.name.removeprefix("iommufd_")]
        us = event.number("ns") // 1000
        if us >= SLOW_US:
            about = [event["ctx"], event[identity], -event.number("ret"), us]
            expected.append([str(PID), COMM, *call.split(), *map(str, about)])
    rows = world.rows("iommufd_slow")
    others = [row for row in rows if row[2] not in PARTS]
    assert sorted(others) == sorted(expected)
    # The total of these is not the same for all consumers.
    mine = [row for row in rows if row[2] in PARTS]
    assert all(int(row[-3]) >= max(SLOW_US, int(row[-1])) for row in mine)
    pins = [row[-1] for row in mine]
    long = [e for e in world.events("ioas_map") if e.number("pin_ns") >= SLOW_US * 1000]
    assert len([e for e in long if str(e.number("pin_ns") // 1000) in pins]) == len(long) > 0


def test_attach(world: World) -> None:
    expected = []
    for event in world.events(*(f"device_{n}" for n in CALLS)):
        call = event.name.removeprefix("iommufd_device_")
        where = [event.fields.get(name, "-") for name in ("pasid", "target", "hwpt")]
        about = [event["ctx"], event["device"], event["group"], call, *where]
        times = [str(-event.number("ret")), str(event.number("ns") // 1000)]
        expected.append([str(PID), COMM, *about, *times])
    assert {row[5] for row in expected} == set(CALLS)
    assert sorted(world.rows("iommufd_attach")) == sorted(expected)


CALLS = ("bind", "unbind", "attach", "replace", "detach")


def test_objects(world: World) -> None:
    """Each by its type; objects that still exist are alive."""
    text = world.said["iommufd_objects"]
    made = Counter(event["type"] for event in world.events("object_create"))
    made["context"] = len(world.events("ctx_open"))
    # The scripts have no name for the mock's own objects.
    made[""] = made.pop("0xb")
    assert values(text, "made") == made
    alive = values(text, "alive")
    assert {name: n for name, n in alive.items() if n} == {
        "context": 1,
        "ioas": 1,
        "device": 1,
        "hwpt_paging": 1,
        "": 1,
    }
    for name, count in made.items():
        assert sum(histogram(text, "lived_us", name).values()) == count - alive[name]


def test_hwpt(world: World) -> None:
    """Nested and automatic page tables."""
    rows = world.rows("iommufd_hwpt")
    word = re.compile(r"make|free|nested|paging|auto|v\w+")
    counts = Counter(tuple(filter(word.fullmatch, row[3:6])) for row in rows)
    expected: Counter[tuple[str, ...]] = Counter()
    for event in world.events("hwpt_alloc", "hwpt_free"):
        call = "make" if event.name.endswith("alloc") else "free"
        kind = {2: "paging", 3: "nested"}[event.number("kind")]
        expected[(call, kind, *["auto"] * event.number("automatic"))] += 1
    for kind in ("viommu", "vdevice"):
        expected["make", kind] = len(world.events(f"{kind}_alloc"))
    assert counts == expected
    (viommu,) = (row for row in rows if row[4] == "viommu")
    (event,) = world.events("viommu_alloc")
    assert viommu[5:9] == [event["viommu"], event["hwpt"], event["device"], "0"]


def test_access(world: World) -> None:
    text = world.said["iommufd_access"]
    (event,) = world.events("access_unpin")
    key = f"{event['ctx']}, {event['access']}"
    assert values(text, "pages") == {key: 0}
    assert values(text, "read") == {key: 100}
    assert values(text, "written") == {key: 5}
    assert values(text, "rw_failed") == {str(errno.ENOENT): 1}
    for name in ("pin", "unpin", "rw"):
        times = [event.number("ns") // 1000 for event in world.events(f"access_{name}")]
        assert histogram(text, f"{name}_us") == powers(times)


def test_faults(world: World) -> None:
    text = world.said["iommufd_faults"]
    event = world.events("fault_report")[0]
    queue = f"{event['ctx']}, {event['fault']}"
    counts = {name: values(text, name) for name in ("reported", "answered", "refused", "aborted")}
    assert counts == {
        "reported": {queue: 3},
        "answered": {queue: 1},
        "refused": {queue: 1},
        "aborted": {queue: 1},
    }
    assert values(text, "waiting") == {queue: 0}
    assert values(text, "lost") == {f"{queue}, {errno.ENODEV}": 1}
    for name, of in (("read_us", "fault_read"), ("answer_us", "fault_respond")):
        times = [event.number("wait_ns") // 1000 for event in world.events(of)]
        assert histogram(text, name) == powers(times)


def test_inval(world: World) -> None:
    text = world.said["iommufd_inval"]
    assert histogram(text, "page_table_entries") == {1: 2, 3: 1}
    assert histogram(text, "viommu_entries") == {2: 1, 4: 1}
    sums = {f"{MINE}, {world.ids['nested']}": 5, f"{MINE}, {world.ids['viommu']}": 4}
    assert values(text, "handled") == sums
    (failed,) = values(text, "failed").items()
    (error,) = (-e.number("ret") for e in world.events("hwpt_invalidate") if e.number("ret"))
    assert failed == (f"{MINE}, {error}", 1)


def test_dirty(world: World) -> None:
    rows = world.rows("iommufd_dirty")
    event = world.events("dirty_read")[0]
    hwpt = str(world.ids["dirty"])
    for row, dirty_kb, kept in zip(rows, ("8", "8", "0"), ("yes", "no", "no"), strict=True):
        about = [str(PID), COMM, event["ctx"], hwpt, f"{IOVA:#x}", "0", dirty_kb, kept, "0"]
        assert row[:-1] == about
    assert values(world.said["iommufd_dirty"], "dirty_kb") == {f"{event['ctx']}, {hwpt}": 8}


def test_vevents(world: World) -> None:
    text = world.said["iommufd_vevents"]
    ctx = world.events("vevent")[0]["ctx"]
    viommu = f"{ctx}, {world.ids['viommu']}"
    assert values(text, "events") == {f"{viommu}, {VEVENTQ}": 5}
    assert values(text, "refused") == {f"{viommu}, {errno.EOPNOTSUPP}": 1}
    assert values(text, "lost") == {f"{ctx}, {world.ids['veventq']}": 2}


def test_fail(world: World) -> None:
    """The names are exactly those of the page."""
    numbers = {name: number for number, name in enumerate(reasons.documented())}
    source = (SCRIPTS / "iommufd_fail.bt").read_text()
    named = {name: int(n) for n, name in re.findall(r'@reason\[(\d+)\] = "(\w+)"', source)}
    assert named == numbers
    expected = []
    for event in world.events("fail"):
        name = event["reason"]
        about = [str(PID), COMM, event["ctx"], event["command"], str(numbers[name]), name]
        more = [f"{event.number(name):#x}" for name in ("first", "second")]
        expected.append([*about, str(-event.number("ret")), *more])
    rows = world.rows("iommufd_fail")
    assert sorted(rows) == sorted(expected)
    assert "memlock" in {row[5] for row in rows}
    counts = Counter(f"{MINE}, {numbers[event['reason']]}" for event in world.events("fail"))
    assert values(world.said["iommufd_fail"], "failures") == counts
