# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-exporter: a known workload, scraped over HTTP, with exact numbers."""

import ctypes
import errno
import json
import os
import re
import select
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import cgroup
import pytest
from bpfobject import attached, programs
from child_process import Child
from errnos import fails
from iommufd import invalidate, mem, mock, reasons, uapi
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.nest import IOVA as FAULT_IOVA
from iommufd.nest import Nest
from iommufd.pins import NOBODY, unprivileged
from iommufd.platform import X86
from iommufd.trace import Stream
from iommufd_exporter import NAME, PORT, SOCKET, Exporter, Scrape, parse
from prometheus import Prometheus
from prometheus_client.parser import text_string_to_metric_families
from tool_runner import BIN, run
from vmrun.paths import ROOT

pytestmark = pytest.mark.guest(kernels="bpf")

IOVA = mock.START
LIMIT = 64
COMM = Path("/proc/self/comm").read_text().strip()
PROGRAMS = {"exporter_map", "exporter_close", "list_all", "read_owner"}
PR_SET_NAME = 15
# The capabilities that iommufd-exporter.service grants it.
UNIT = ROOT / "tools" / NAME / f"{NAME}.service"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Neither a BPF program nor a socket remains."""
    yield
    assert not PROGRAMS & programs()
    assert not Path(SOCKET).exists()


@pytest.mark.guest(mock=True)
def test_contexts(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Mapped and pinned bytes, with shared pages counted once, beside an idle context."""
    other = context.ioas_alloc()
    with (
        Exporter() as exporter,
        mock.Device(context, ioas),
        mock.Device(context, other),
        Context(),
    ):
        context.map(ioas, buffer, iova=IOVA)
        context.copy(other, ioas, IOVA, 5 * PAGE)
        context.unmap(other, context.map(other, buffer, PAGE), PAGE)
        found = exporter.scrape()
        exporter.text(signal.SIGTERM)
    mine, idle = found.labels("iommufd_context_pinned_bytes")
    for labels in (mine, idle):
        # A series of its own has the labels of the process.
        assert labels.keys() == {"ctx"}
        about = {"pid": os.getpid(), "comm": COMM, "uid": 0, "mode": "none"}
        assert found.value("iommufd_context_info", **labels, **about) == 1
    wanted = {
        "pinned_bytes": (16 * PAGE, 0),
        "locked_bytes": (0, 0),
        "limit_bytes": (float("inf"), float("inf")),
        "mapped_bytes": (21 * PAGE, 0),
        "areas": (2, 0),
        "faults_waiting": (0, 0),
        "maps_total": (3, 0),
        "unmaps_total": (1, 0),
        "invalidations_total": (0, 0),
    }
    for name, numbers in wanted.items():
        told = tuple(found.value(f"iommufd_context_{name}", **x) for x in (mine, idle))
        assert told == numbers, name
    assert found.value("iommufd_contexts") == 2


@pytest.mark.guest(mock=True)
def test_limit() -> None:
    """An ordinary user's limit and charge; not shown once the process is root again."""

    def body(child: Child) -> None:
        with Context() as context, mem.anonymous(16 * PAGE) as buffer:
            context.set_option(uapi.OPTION_RLIMIT_MODE, 1)
            ioas = context.ioas_alloc()
            with mock.Device(context, ioas):
                with unprivileged(LIMIT * PAGE):
                    assert os.geteuid() == NOBODY
                    context.map(ioas, buffer, 10 * PAGE)
                    child.pause()
                child.pause()

    with Child(body) as child, Exporter() as exporter:
        child.met()
        found = exporter.scrape()
        child.go_on()
        child.met()
        later = exporter.scrape()
        exporter.text()
    pid, same = (
        {"ctx": labels["ctx"]}
        for scrape in (found, later)
        for labels in scrape.labels("iommufd_context_info")
        if labels["pid"] == str(child.pid)
    )
    assert pid == same
    assert found.value("iommufd_context_pinned_bytes", **pid) == 10 * PAGE
    assert found.value("iommufd_context_locked_bytes", **pid) == 10 * PAGE
    assert found.value("iommufd_context_limit_bytes", **pid) == LIMIT * PAGE
    assert later.value("iommufd_context_limit_bytes", **pid) == float("inf")


NAMES = {
    b'a"b\\c\nd{e="f"}': 'a"b\\c\nd{e="f"}',
    "ümläut €".encode(): "ümläut €",
    b"cut \xe2\x82": "cut \ufffd\ufffd",
    b"\xff\xc0\x80\xed\xa0\x80\xf5": "\ufffd" * 7,
    b"# EOF": "# EOF",
    b"\x1b[2J\r\t": "\x1b[2J\r\t",
}


def test_names() -> None:
    """A process may have any name."""

    def body(child: Child) -> None:
        libc = ctypes.CDLL(None)
        with ExitStack() as contexts:
            for name in NAMES:
                libc.prctl(PR_SET_NAME, name)
                contexts.enter_context(Context())
            child.pause()

    with Child(body) as child, Exporter() as exporter:
        child.met()
        told = exporter.scrape().labels("iommufd_context_info")
        exporter.text()
    assert [labels["comm"] for labels in told] == list(NAMES.values())
    assert {labels["pid"] for labels in told} == {str(child.pid)}


def test_counters_never_fall(context: Context, buffer: mem.Buffer) -> None:
    """Counters include destroyed IOASes, whoever reuses their id, and earlier activity."""
    early = context.ioas_alloc()
    context.map(early, buffer)
    totals = []
    with Exporter() as exporter:
        for maps in (3, 3, 9):
            ioas = context.ioas_alloc()
            for _ in range(maps):
                context.map(ioas, buffer)
            context.unmap(ioas, 0, uapi.U64_MAX)
            totals.append(exporter.scrape())
            context.destroy(ioas)
        context.destroy(early)
        totals.append(exporter.scrape())
        exporter.text()
    assert [found.value("iommufd_context_maps_total") for found in totals] == [4, 7, 16, 16]
    # The last one unmapped what was left in the IOAS that existed before.
    assert [found.value("iommufd_context_unmaps_total") for found in totals] == [1, 2, 3, 4]


def test_failures(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Each by its reason; all reasons are present from the start."""
    context.map(ioas, buffer, iova=IOVA)
    with Exporter() as exporter:
        before = exporter.scrape()
        for _ in range(3):
            with fails(errno.EEXIST):
                context.map(ioas, buffer, iova=IOVA)
        with fails(errno.ENOENT):
            context.unmap(ioas, IOVA - PAGE, PAGE)
        found = exporter.scrape()
        exporter.text()
    name = "iommufd_failures_total"
    told = {labels["reason"]: before.value(name, **labels) for labels in before.labels(name)}
    assert told == dict.fromkeys((name for _, name in reasons.printed()), 0)
    counts = {labels["reason"]: found.value(name, **labels) for labels in found.labels(name)}
    assert counts == {**told, "iova_mapped": 3, "not_mapped": 1}
    (mine,) = found.labels("iommufd_context_info")
    name = "iommufd_context_failures_total"
    told = {labels["reason"]: labels["ctx"] for labels in found.labels(name)}
    assert told == dict.fromkeys(("iova_mapped", "not_mapped"), mine["ctx"])
    assert found.value(name, reason="iova_mapped") == 3
    # Failed requests are not in the histograms.
    assert found.value("iommufd_request_seconds_count", op="map") == 0
    assert found.value("iommufd_request_seconds_count", op="unmap") == 0


@pytest.mark.guest(mock=True)
def test_durations(context: Context, ioas: int) -> None:
    """The durations of the trace events, each in its bucket."""
    bounds = [2**power / 1e6 for power in range(25)]
    with (
        mem.anonymous(4096 * PAGE) as buffer,
        mock.Device(context, ioas),
        # This stream listens first: the clock is read once for each consumer, one after the other.
        Stream("iommufd", "iommufd_ioas_map", "iommufd_ioas_unmap") as stream,
        Exporter() as exporter,
    ):
        begin = time.monotonic()
        for size in (PAGE, 64 * PAGE, 4096 * PAGE) * 5:
            context.unmap(ioas, context.map(ioas, buffer, size), size)
        took = time.monotonic() - begin
        found = exporter.scrape()
        events = stream.read()
        exporter.text()
    sums = 0.0
    for op in ("map", "unmap"):
        name, labels = "iommufd_request_seconds", {"op": op}
        seconds = [e.number("ns") / 1e9 for e in events if e.name == f"iommufd_ioas_{op}"]
        assert found.value(f"{name}_count", **labels) == len(seconds) == 15
        total = found.value(f"{name}_sum", **labels)
        assert total >= sum(seconds)
        sums += total
        told = [x["le"] for x in found.labels(f"{name}_bucket") if x["op"] == op]
        assert [float(le) for le in told] == pytest.approx([*bounds, float("inf")])
        for le in told:
            # The exporter's clock is read later, so it sees slightly longer durations.
            below = found.value(f"{name}_bucket", le=le, **labels)
            assert below <= sum(x <= float(le) for x in seconds)
        assert found.value(f"{name}_bucket", le="16.777216", **labels) == 15
        lock_ns = [e.number("lock_ns") for e in events if e.name == f"iommufd_ioas_{op}"]
        waited = found.value("iommufd_request_lock_seconds_total", **labels)
        assert sum(lock_ns) / 1e9 <= waited <= total
    assert sums <= took


def owned(found: Scrape, by: str, owner: int, policy: str = "pinlimit") -> tuple[object, ...]:
    """Pinned bytes, peak, limit, refusals and cgroup of an owner of a policy."""
    labels = {"policy": policy, "by": by, "owner": owner}
    names = ("pinned_bytes", "peak_bytes", "limit_bytes", "refusals_total")
    values = [found.value(f"iommufd_pinlimit_{name}", **labels) for name in names]
    infos = found.labels("iommufd_pinlimit_owner_info")
    wanted = {key: str(value) for key, value in labels.items()}
    (cgroup_path,) = [each["cgroup"] for each in infos if wanted.items() <= each.items()]
    return (*values, cgroup_path)


def test_owners(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Limits of cgroups: of the owner itself, of an ancestor, of one that was removed."""
    none = float("inf")
    with Edu(context, ioas), cgroup.cgroup() as outer, Exporter() as exporter:
        assert exporter.scrape().labels("iommufd_pinlimit_pinned_bytes") == []
        settings = struct.pack("=QI4x", 20 * PAGE, 1)
        with attached("pinlimit", settings) as policy, cgroup.cgroup(outer) as inner:
            with inner.inside():
                context.map(ioas, buffer, iova=IOVA)
                context.map(ioas, buffer.address, 2 * PAGE, iova=2 * IOVA)
                with fails(errno.EDQUOT):
                    context.map(ioas, buffer, iova=3 * IOVA)
            context.unmap(ioas, 2 * IOVA, 2 * PAGE)
            found = exporter.scrape()
            below = f"/{outer.path.name}/{inner.path.name}"
            sizes = (16 * PAGE, 18 * PAGE)
            assert owned(found, "cgroup", inner.id) == (*sizes, 20 * PAGE, 1, below)
            assert owned(found, "cgroup", outer.id) == (*sizes, none, 0, f"/{outer.path.name}")
            assert owned(found, "cgroup", cgroup.id_of(cgroup.ROOT)) == (*sizes, none, 0, "/")
            # Owners of other kinds have no limit.
            kinds = {each["by"] for each in found.labels("iommufd_pinlimit_owner_info")}
            assert kinds == {"cgroup"}
            assert found.value("iommufd_exporter_owners_left_out") == 0
            policy.map("limits")[struct.pack("Q", outer.id)] = struct.pack("Q", 64 * PAGE)
            gone = inner.id
            inner.remove()
            found = exporter.scrape()
            assert owned(found, "cgroup", outer.id)[2] == 64 * PAGE
            assert owned(found, "cgroup", gone) == (*sizes, 20 * PAGE, 1, "")
            policy.map("settings")[bytes(4)] = struct.pack("=QI4x", 0, 0)
            assert owned(exporter.scrape(), "user", 0) == (*sizes, none, 0, "")
            context.unmap_all(ioas)
        assert exporter.scrape().labels("iommufd_pinlimit_pinned_bytes") == []
        exporter.text()


def test_most_owners() -> None:
    """A thousand owners with most memory; a policy of the same name has no metrics."""
    with Exporter() as exporter, attached("pinlimit") as policy, attached("pinlimit"):
        owners = policy.map("owners")
        for number in range(1, 1201):
            owners[struct.pack("=QI", number, 0)] = struct.pack("=4Q", number * PAGE, 0, 0, 1)
        found = exporter.scrape()
        exporter.text()
    told = {int(each["owner"]) for each in found.labels("iommufd_pinlimit_pinned_bytes")}
    assert told == set(range(201, 1201))
    assert found.value("iommufd_exporter_owners_left_out") == 200


@pytest.mark.guest(mock=True)
def test_faults_and_invalidations(nest: Nest) -> None:
    viommu = nest.viommu()
    nest.vdevice(viommu, 5)
    nested = nest.nested()
    with nest.fault_queue() as queue, Exporter() as exporter:
        nest.device.replace(nest.reporting(queue))
        for group in range(3):
            nest.device.fault(addr=FAULT_IOVA, group=group, perm=2)
            # The kernel's worker delivers them.
            assert select.select([queue.fd], [], [], 60)[0]
            cookies = [record.cookie for record in queue.read()]
        queue.respond(*cookies)
        invalidate.page_table(nest.context, nested, 3)
        invalidate.viommu(nest.context, viommu, 5)
        found = exporter.scrape()
        nest.device.replace(nest.ioas)
        later = exporter.scrape()
        exporter.text()
    assert found.value("iommufd_page_faults_total") == 3
    device = {"device_id": str(nest.device.device)}
    assert found.value("iommufd_device_page_faults_total", **device) == 3
    # It was bound before the start.
    (about,) = [
        each for each in found.labels("iommufd_device_info") if device.items() <= each.items()
    ]
    assert about["device"].startswith("iommufd_mock")
    assert about["group"].isdecimal()
    assert found.value("iommufd_context_faults_waiting") == 2
    assert found.value("iommufd_context_invalidations_total") == 2
    # Faults without a response end with the attachment.
    assert later.value("iommufd_context_faults_waiting") == 0
    assert later.value("iommufd_page_faults_total") == 3


@pytest.mark.guest(mock=True)
def test_devices(context: Context, ioas: int) -> None:
    """A device has its name and group, and ends with its binding; the ids of contexts join."""
    with Exporter() as exporter:
        with mock.Device(context, ioas) as device:
            (about,) = exporter.scrape().labels("iommufd_device_info")
        after = exporter.scrape()
        exporter.text()
    assert about["device_id"] == str(device.device)
    assert about["device"].startswith("iommufd_mock")
    assert about["group"].isdecimal()
    assert after.labels("iommufd_device_info") == []
    (mine,) = after.labels("iommufd_context_info")
    assert about["ctx"] == mine["ctx"]


def test_failures_end_with_their_context() -> None:
    """Those of a context that is closed have no metrics, and take no room."""
    with Exporter() as exporter:
        for _ in range(3):
            with Context() as context, fails(errno.ENOENT):
                context.destroy(7)
        found = exporter.scrape()
        exporter.text()
    assert found.labels("iommufd_context_failures_total") == []
    assert found.value("iommufd_failures_total", reason="no_object") == 3


def test_page_tables(context: Context, ioas: int) -> None:
    """The memory of page tables, of the whole machine and of the context."""
    machine, mine = "iommufd_machine_page_table_bytes", "iommufd_context_page_table_bytes"
    with mem.anonymous(64 << 20) as buffer, Edu(context, ioas), Exporter() as exporter:
        before = exporter.scrape()
        context.map(ioas, buffer, iova=1 << 30)
        after = exporter.scrape()
        ctx = after.labels("iommufd_context_info")[0]["ctx"]
        exporter.text()
    # A table for each 2 MiB of small pages, and those above it.
    tables = buffer.size // mem.HUGE
    grown = after.value(machine) - before.value(machine)
    assert 0 <= grown <= 2 * tables * PAGE
    if not X86:
        assert after.labels(mine) == []
        return
    grown = after.value(mine, ctx=ctx) - before.value(mine, ctx=ctx)
    assert tables <= grown // PAGE <= tables + 3


def test_no_more_than_asked_for() -> None:
    """The oldest ones are shown; the number of all and of those left out is reported."""
    with Context(), Context(), Context(), Exporter("--contexts", "2") as exporter:
        found = exporter.scrape()
        exporter.text()
    numbers = [int(labels["ctx"]) for labels in found.labels("iommufd_context_areas")]
    assert len(numbers) == 2
    assert numbers[1] == numbers[0] + 1
    assert found.value("iommufd_contexts") == 3
    assert found.value("iommufd_exporter_contexts_left_out") == 1


def test_http() -> None:
    """GET of two paths, and nothing else."""
    with Exporter() as exporter:
        with closing(exporter.connection()) as kept:
            for _ in range(2):
                answer = exporter.ask("/metrics", over=kept)
                assert answer.status == 200
                kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
                assert answer.headers["Content-Type"] == kind
                parse(answer.body)
        assert exporter.ask("/metrics?name[]=x").status == 200
        root = exporter.ask("/")
        assert (root.status, root.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert root.body.startswith(f"{NAME} ")
        assert "/metrics" in root.body
        for path in ("/metrics/", "/etc/passwd", "/../metrics", "//metrics"):
            for method in ("GET", "POST"):
                assert exporter.ask(path, method).status == 404
        for path in ("/", "/metrics"):
            answer = exporter.ask(path, "HEAD")
            assert (answer.status, answer.body) == (200, "")
            assert int(answer.headers["Content-Length"]) > 0
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "FROBNICATE"):
            for path in ("/", "/metrics"):
                body = bytes(1 << 16) if method in ("POST", "PUT") else None
                answer = exporter.ask(path, method, body)
                assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        exporter.text()


OPENMETRICS = "application/openmetrics-text"
ACCEPT = {
    "*/*": True,
    f"{OPENMETRICS};version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1": True,
    f"text/plain,{OPENMETRICS};version=1.0.0;q=0": False,
    "text/plain;version=0.0.4,*/*;q=0.1": False,
    "text/html,*/*;q=0.8": False,
}


def test_accept(context: Context) -> None:
    """The format is one that the client asks for; both say the same."""
    assert context.fd >= 0
    with Exporter() as exporter:
        bodies = {}
        for accept, new in ACCEPT.items():
            answer = exporter.ask("/metrics", accept=accept)
            kind = answer.headers["Content-Type"].split(";")[0]
            assert (answer.status, kind) == (200, OPENMETRICS if new else "text/plain")
            bodies[new] = answer.body
        exporter.text()
    families = [
        text_string_to_metric_families(bodies[False]),
        parse(bodies[True]).families.values(),
    ]
    old, new = ({s.name for family in each for s in family.samples} for each in families)
    assert old == new
    assert "# EOF" not in bodies[False]


@pytest.mark.parametrize(("options", "mode"), [((), 0o600), (("--mode", "660"), 0o660)])
def test_permissions_of_the_socket(options: tuple[str, ...], mode: int) -> None:
    """A proxy without privileges can be let in, whatever the mask is."""
    before = os.umask(0o077)
    try:
        with Exporter("--listen", SOCKET, *options) as exporter:
            assert Path(SOCKET).stat().st_mode & 0o777 == mode
            exporter.text()
    finally:
        os.umask(before)


def test_many_at_once(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Each gets a complete answer while work continues, and counters only grow."""
    with Exporter() as exporter, ThreadPoolExecutor(6) as pool:

        def read(_: int) -> list[float]:
            return [exporter.scrape().value("iommufd_context_maps_total") for _ in range(4)]

        scrapes = pool.map(read, range(6))
        for _ in range(300):
            context.unmap(ioas, context.map(ioas, buffer), buffer.size)
        for counts in scrapes:
            assert counts == sorted(counts)
        found = exporter.scrape()
        exporter.text()
    assert found.value("iommufd_context_maps_total") == 300
    assert found.value("iommufd_request_seconds_count", op="map") == 300
    assert found.value("iommufd_exporter_lost_events_total") == 0


def test_as_its_unit_starts_it(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The capabilities of the unit suffice."""
    (bounds,) = re.findall(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.MULTILINE)
    kept = ",".join("+" + name.removeprefix("CAP_").lower() for name in bounds.split())
    prefix = ("setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all", "--no-new-privs")
    with Exporter(prefix=prefix) as exporter:
        context.map(ioas, buffer)
        found = exporter.scrape()
        exporter.text(signal.SIGTERM)
    assert found.value("iommufd_context_maps_total") == 1
    assert found.value("iommufd_request_seconds_count", op="map") == 1


def test_without_privilege() -> None:
    done = subprocess.run(
        ["setpriv", "--bounding-set=-all", "--inh-caps=-all", BIN / NAME, "-l", SOCKET],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"{NAME}: this needs root, or the capabilities")


def test_where_it_listens() -> None:
    """It refuses an address in use and a regular file, but replaces a stale socket."""
    said = f"{NAME}: can't listen at {SOCKET}: Address already in use\n"
    with Exporter("--listen", SOCKET) as first:
        second = run(NAME, "--listen", SOCKET)
        assert (second.returncode, second.stderr) == (1, said)
        assert Path(SOCKET).exists()
        first.process.kill()
        first.process.wait()
    assert Path(SOCKET).exists()
    with Exporter("--listen", SOCKET) as again:
        again.text()
    Path(SOCKET).touch()
    assert run(NAME, "--listen", SOCKET).stderr == said
    assert Path(SOCKET).is_file()
    Path(SOCKET).unlink()


def test_dashboard() -> None:
    """It queries only metrics that exist."""
    board = json.loads((ROOT / "dashboards" / "iommufd.json").read_text())
    with Context(), Exporter() as exporter:
        families = exporter.scrape().families.values()
        exporter.text()
    told = {sample.name for family in families for sample in family.samples}
    # Families that have no sample here.
    suffixes = {"counter": "_total", "info": "_info", "gauge": ""}
    told |= {f.name + suffixes[f.type] for f in families if f.type in suffixes}
    targets = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked = {name for expr in targets for name in re.findall(r"\biommufd_\w+", expr)}
    assert asked <= told
    # It leaves out nothing except what the exporter computes itself.
    computed = {"iommufd_exporter_build_info"}
    computed |= {f"iommufd_request_seconds_{part}" for part in ("sum", "count")}
    assert told - asked == computed


def draw_dashboard(prometheus: Prometheus) -> None:
    """Asks what each panel asks, until there is something to draw.

    Some draw only what is not 0, and some only what the policy pinlimit counts.
    """
    board = json.loads((ROOT / "dashboards" / "iommufd.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            expr = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")
            if expr.endswith("> 0") or "iommufd_pinlimit" in expr:
                prometheus.query(expr)
            else:
                prometheus.until(expr, bool)


@pytest.mark.full
@pytest.mark.limit(180)
@pytest.mark.guest(kernels="builtin")
def test_prometheus(tmp_path: Path, context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Debian's Prometheus scrapes it, gets numbers and types, and can draw the dashboard."""
    with Exporter() as exporter, Prometheus(tmp_path, PORT) as prometheus:
        assert exporter.tcp
        prometheus.until("up", lambda found: [s["value"][1] for s in found] == ["1"])
        # Its page table has a format that the exporter can read.
        with Edu(context, ioas):
            for _ in range(7):
                context.map(ioas, buffer)
            with fails(errno.ENOENT):
                context.unmap(ioas, 0, PAGE)
            (series,) = prometheus.until(
                "iommufd_context_maps_total == 7", lambda found: len(found) == 1
            )
            (pinned,) = prometheus.query("iommufd_context_pinned_bytes")
            draw_dashboard(prometheus)
        labels = {key: series["metric"][key] for key in ("job", "instance")}
        assert labels == {"job": "iommufd", "instance": PORT}
        (joined,) = prometheus.query(
            "iommufd_context_maps_total * on (instance, ctx) group_left (pid, comm)"
            " iommufd_context_info"
        )
        assert (joined["metric"]["pid"], joined["metric"]["comm"]) == (str(os.getpid()), COMM)
        assert pinned["value"][1] == str(7 * buffer.size)
        (failed,) = prometheus.query("iommufd_failures_total > 0")
        assert (failed["metric"]["reason"], failed["value"][1]) == ("not_mapped", "1")
        types = {name: about[0]["type"] for name, about in prometheus.get("metadata").items()}
        for name, kind in {
            "iommufd_context_maps": "counter",
            "iommufd_context_pinned_bytes": "gauge",
            "iommufd_request_seconds": "histogram",
            "iommufd_exporter_build": "info",
        }.items():
            assert types[name] == kind
        exporter.text(signal.SIGTERM)
