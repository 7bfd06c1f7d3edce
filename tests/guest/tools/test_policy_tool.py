# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-policy: what it attaches, lists, changes and detaches, seen from both sides."""

import errno
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import cgroup
import pytest
import tool_runner
from bpfobject import attached, path_of
from errnos import fails
from iommufd import invalidate, mem, uapi
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.nest import Nest
from iommufd.trace import Stream
from policy_recorder import ALLOC_DONE, recording
from tool_runner import Tool

# The sanitizer kernel has no BTF.
pytestmark = pytest.mark.guest(kernels="tools")

NAME = "iommufd-policy"
PINS = Path("/sys/fs/bpf/iommufd")
QUOTA = errno.EDQUOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return tool_runner.run(NAME, *arguments, timeout=50)


def do(*arguments: str) -> str:
    """Its output on success."""
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def refused(*arguments: str) -> str:
    """Its error message; nothing must be attached that was not before."""
    before = listed()
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert listed() == before
    return done.stderr


def listed() -> list[dict]:
    return [json.loads(line) for line in do("list", "--json").splitlines()]


def show(name: str) -> dict:
    return json.loads(do("show", name, "--json"))


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No policy and no file remains."""
    assert listed() == []
    yield
    for policy in listed():
        run("unload", str(policy["link_id"]))
    assert not PINS.exists()


@pytest.mark.guest(mock=True)
def test_round_trip(nest: Nest) -> None:
    """Each of its commands, and its effect on iommufd."""
    assert do("load", "quota", "--set", "limit=1", "--priority", "7") == ""
    (policy,) = listed()
    assert (policy["name"], policy["priority"], policy["cgroup_id"]) == ("quota", 7, 0)
    assert policy["pin"] == str(PINS / "quota")
    assert policy["hooks"] == ["hwpt_alloc", "hwpt_alloc_done", "hwpt_free"]

    nest.paging()
    with Stream("iommufd", "iommufd_fail") as stream:
        with fails(QUOTA):
            nest.paging()
        (event,) = stream.read()
        assert (event["policy"], event.number("first")) == ("quota", 7)
    assert show("quota")["settings"] == {"limit": 1, "by": 0}
    assert show("quota")["statistics"]["owners"] == [{"key": 0, "value": 1}]

    do("set", "quota", "limit=0x2")
    nest.paging()
    with fails(QUOTA):
        nest.paging()
    assert show("quota")["statistics"]["owners"] == [{"key": 0, "value": 2}]

    do("unload", "quota")
    assert listed() == []
    nest.paging()


@pytest.mark.guest(mock=True)
def test_update_keeps_what_it_knows(nest: Nest) -> None:
    """The same link, settings and counts; then new settings and counts, on request."""
    do("load", "quota", "--name", "mine", "--set", "limit=2", "--priority", "-3")
    hwpt = nest.paging()
    nest.paging()
    before = show("mine")
    do("update", "mine", "quota")
    assert show("mine") == before
    with fails(QUOTA):
        nest.paging()
    nest.destroy(hwpt)
    nest.paging()

    do("update", "mine", "quota", "--set", "limit=3", "--priority", "9")
    assert (show("mine")["priority"], show("mine")["settings"]["limit"]) == (9, 3)
    nest.paging()
    with fails(QUOTA):
        nest.paging()

    do("update", "mine", "quota", "--fresh")
    after = show("mine")
    assert after["link_id"] == before["link_id"]
    assert (after["settings"]["limit"], after["statistics"]["owners"]) == (0, [])


@pytest.mark.guest(mock=True)
def test_update_to_another(nest: Nest) -> None:
    do("load", "quota", "--set", "limit=1")
    do("update", "quota", "audit")
    nest.paging()
    nest.paging()
    policy = show("quota")
    assert policy["hooks"] == ["hwpt_alloc_done", "hwpt_free", "hwpt_invalidate_done"]
    assert (policy["settings"], policy["statistics"]) == ({}, {"lost": 0})
    # A file that cannot be loaded leaves the attached policy.
    writes = ("--policy", "set_hwpt_flags", str(path_of("writes")))
    assert "the verifier rejects hwpt_flags" in refused("update", "quota", *writes)
    assert show("quota") == policy


@pytest.mark.guest(mock=True)
def test_cgroup(nest: Nest) -> None:
    """Only tasks in it are affected; a relative path begins at the mount point."""
    with cgroup.cgroup() as group:
        do("load", "quota", "--set", "limit=1", "--cgroup", group.path.name)
        assert show("quota")["cgroup_id"] == group.id
        assert show("quota")["cgroup"] == str(group.path)
        nest.paging()
        nest.paging()
        with group.inside():
            nest.paging()
            with fails(QUOTA):
                nest.paging()
        do("update", "quota", "quota")
        assert show("quota")["cgroup_id"] == group.id
    assert f"cgroup {show('quota')['cgroup_id']} (gone)" in do("show", "quota")
    do("update", "quota", "quota", "--cgroup", "/")
    assert show("quota")["cgroup_id"] == 0


def test_limits_of_single_owners(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """By the path of a cgroup or by number, with suffixes; and back to the limit of all."""
    root = cgroup.id_of(cgroup.ROOT)
    with cgroup.cgroup() as group, Edu(context, ioas), ExitStack() as stack:
        path = group.path.name
        do("load", "pinlimit", "--set", "by=cgroup", "--set", f"limits[{path}]=32K")
        stack.callback(lambda: do("unload", "pinlimit"))
        limit = {"key": group.id, "value": 32768, "cgroup": str(group.path)}
        assert show("pinlimit")["settings"]["limits"] == [limit]
        assert f"        {group.id} ({group.path}): 32768\n" in do("show", "pinlimit")
        with group.inside():
            context.map(ioas, buffer, 8 * PAGE)
            with fails(QUOTA):
                context.map(ioas, buffer, PAGE)
            do("set", "pinlimit", f"limits[{group.path}]=0")
            context.map(ioas, buffer, PAGE)
            do("set", "pinlimit", f"limits[{path}]=", "limit=4K")
            assert show("pinlimit")["settings"] == {"limit": 4096, "by": 1, "limits": []}
            with fails(QUOTA):
                context.map(ioas, buffer, PAGE)
        do("set", "pinlimit", "limits[/]=1T", f"limits[{group.id}]=0x10000")
        limits = show("pinlimit")["settings"]["limits"]
        assert {entry["key"]: entry["value"] for entry in limits} == {
            root: 1 << 40,
            group.id: 1 << 16,
        }
        owners = {
            (entry["key"]["by"], entry["key"]["id"]): entry["value"]
            for entry in show("pinlimit")["statistics"]["owners"]
        }
        nine = {"bytes": 9 * PAGE, "peak": 9 * PAGE}
        mine = {**nine, "refused": 0, "own": 1}
        assert owners[1, group.id] == {**nine, "refused": 2, "own": 1}
        assert owners[0, 0] == owners[2, os.getpid()] == mine
        assert owners[1, root] == {**nine, "refused": 0, "own": 0}
        text = do("show", "pinlimit")
        assert "limits: 2 of at most 16384" in text
        counts = f"bytes={9 * PAGE} peak={9 * PAGE}"
        assert f"        id={group.id} by=1 ({group.path}): {counts} refused=2 own=1\n" in text
        assert f"        id={root} by=1 (/sys/fs/cgroup): {counts} refused=0 own=0\n" in text
        # Users and processes have no path, whatever their number.
        assert f"        id=0 by=0: {counts} refused=0 own=1\n" in text
        assert f"        id={os.getpid()} by=2: {counts} refused=0 own=1\n" in text


def cgroups() -> dict[tuple[int, int], str | None]:
    """The path beside each owner of pinlimit, None for an owner without."""
    owners = show("pinlimit")["statistics"]["owners"]
    return {(e["key"]["by"], e["key"]["id"]): e.get("cgroup") for e in owners}


def test_cgroups_of_owners(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The path of a cgroup, until it is removed; single limits are of what `by` says."""
    with Edu(context, ioas), ExitStack() as stack:
        do("load", "pinlimit", "--set", "by=cgroup")
        stack.callback(lambda: do("unload", "pinlimit"))
        with cgroup.cgroup() as group:
            number = group.id
            with group.inside():
                context.map(ioas, buffer, iova=1 << 24)
            do("set", "pinlimit", f"limits[{group.path}]=1G")
            assert cgroups()[1, number] == str(group.path)
            assert cgroups()[0, 0] is None
        assert cgroups()[1, number] == ""
        assert f"id={number} by=1 (gone): bytes={buffer.size}" in do("show", "pinlimit")
        (entry,) = show("pinlimit")["settings"]["limits"]
        assert entry == {"key": number, "value": 1 << 30, "cgroup": ""}
        do("set", "pinlimit", "by=user")
        (entry,) = show("pinlimit")["settings"]["limits"]
        assert entry == {"key": number, "value": 1 << 30}
        context.unmap_all(ioas)


def test_pinned_before(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Memory that is pinned when a policy comes, or begins to count, is counted once."""
    with Edu(context, ioas):
        context.map(ioas, buffer, iova=1 << 24)

        def usage() -> tuple[int, int]:
            owners = show("pinlimit")["statistics"]["owners"]
            values = {(e["key"]["by"], e["key"]["id"]): e["value"] for e in owners}
            return values[0, 0]["bytes"], values[2, os.getpid()]["bytes"]

        do("load", "pinlimit", "--set", f"limit={buffer.size + PAGE}")
        assert usage() == (buffer.size, buffer.size)
        context.map(ioas, buffer.address, PAGE, iova=1 << 25)
        with fails(QUOTA):
            context.map(ioas, buffer.address, PAGE, iova=1 << 26)
        do("update", "pinlimit", "pinlimit")
        assert usage() == (buffer.size + PAGE,) * 2
        assert context.unmap_all(ioas) == buffer.size + PAGE
        assert usage() == (0, 0)
        do("unload", "pinlimit")

        # A policy without the hook, replaced by one that has it.
        do("load", "dirty", "--name", "pinlimit")
        context.map(ioas, buffer, iova=1 << 24)
        do("update", "pinlimit", "pinlimit")
        assert usage() == (buffer.size, buffer.size)
        context.unmap_all(ioas)
        assert usage() == (0, 0)


@pytest.mark.guest(mock=True)
def test_granularity(nest: Nest) -> None:
    """A variable of a policy, set at load and at run time."""
    do("load", "dirty", "--set", "max_page_shift=16")
    with recording("first") as recorder:
        shifts = []
        for value in (16, 21, 0):
            do("set", "dirty", f"max_page_shift={value}")
            assert show("dirty")["settings"] == {"max_page_shift": value}
            nest.destroy(nest.paging(uapi.HWPT_ALLOC_DIRTY_TRACKING))
            done = [call for call in recorder.calls() if call.hook == ALLOC_DONE]
            shifts += [call.max_page_shift for call in done]
    assert shifts == [16, 21, 0]
    assert "    settings: max_page_shift=0\n" in do("show", "dirty")


def test_order_and_text() -> None:
    """By priority, including the policies that others attached; those can be unloaded, too."""
    do("load", "audit")
    do("load", "dirty")
    with attached("bucket"):
        names = [line.split() for line in do("list").splitlines()]
        assert [n[0] for n in names] == ["NAME", "bucket", "dirty", "audit"]
        assert [n[3] for n in names[1:]] == ["no", "yes", "yes"]
        assert "settings: rate=0 burst=0" in do("show", "bucket")
        assert "records: a map of type ringbuf\n    statistics: lost=0" in do("show", "audit")
        do("unload", "bucket")
        assert [p["name"] for p in listed()] == ["dirty", "audit"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["load", "/etc/passwd"], "can't open /etc/passwd: it is not a BPF object"),
        (["load", "nothing"], "can't open nothing: No such file or directory"),
        (["load", str(path_of("iommufd_top"))], "is not an iommufd policy"),
        (["load", str(path_of("recorder"))], "choose one with --policy: first, second, third"),
        (["load", str(path_of("recorder")), "--policy", "x"], "has no policy 'x', but first"),
        (["load", str(path_of("bare")), "--policy", "unlinked"], ".struct_ops.link"),
        (["load", str(path_of("unknown"))], "Cannot find member later"),
        (["load", "quota", "--set", "lim=1"], "no setting 'lim'; it has limit, by"),
        (["load", "quota", "--set", "limit=-1"], "can't set limit to '-1'"),
        (["load", "quota", "--set", "limit=4294967296"], "the number is too large"),
        (["load", "quota", "--set", "limit=4G"], "the number is too large"),
        (["load", "quota", "--set", "limit=4KB"], "it is not a valid number"),
        (["load", "pinlimit", "--set", "limit=16777216T"], "it is not a valid number"),
        (["load", "pinlimit", "--set", "limits[1]=x"], "can't set limits[1] to 'x'"),
        (["load", "pinlimit", "--set", "limits[no]=1"], "there is no cgroup /sys/fs/cgroup/no"),
        (["load", "quota", "--set", "limits[1]=1"], "no settings 'limits' of single owners"),
        (["load", "dirty", "--set", "a=1"], "no setting 'a'; it has max_page_shift"),
        (["load", "audit", "--set", "a=1"], "no setting 'a'; it has none"),
        (["load", "dirty", "--set", "max_page_shift=4G"], "the number is too large"),
        (["load", "quota", "--cgroup", "/etc"], "/etc is not a cgroup of cgroup2"),
        (["load", "quota", "--cgroup", "nowhere"], "there is no cgroup /sys/fs/cgroup/nowhere"),
        (["show", "quota"], "no policy 'quota' is attached"),
        (["unload", "quota"], "no policy 'quota' is attached"),
    ],
)
def test_refused(arguments: list[str], says: str) -> None:
    assert says in refused(*arguments)


def test_verifier() -> None:
    """Its log is long; the reason is at the end."""
    said = refused("load", str(path_of("writes")), "--policy", "set_hwpt_flags")
    what, advice = said.splitlines()
    assert "the verifier rejects hwpt_flags of " in what
    assert "cannot write into ptr_iommufd_bpf_hwpt" in what
    assert advice.startswith("-v ")


def test_name_taken() -> None:
    do("load", "audit")
    assert "a policy 'audit' already exists" in refused("load", "audit")
    do("load", "audit", "--name", "another")
    with attached("dirty"):
        assert "a policy 'dirty' already exists" in refused("load", "dirty")
    assert {p["name"] for p in listed()} == {"audit", "another"}
    assert sorted(os.listdir(PINS)) == ["another", "audit"]


def test_full() -> None:
    """One more than the maximum; nothing remains of it."""
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(attached("dirty"))
        assert "the maximum of 16 policies is already attached" in refused("load", "audit")
        assert not PINS.exists()


@pytest.mark.guest(mock=True)
def test_each_cpu(nest: Nest) -> None:
    """Per-CPU values are summed up."""
    do("load", str(path_of("percpu")))
    cpus = os.sched_getaffinity(0)
    try:
        for cpu in cpus:
            os.sched_setaffinity(0, {cpu})
            nest.paging()
            with fails(errno.EOPNOTSUPP):
                nest.nested(data_type=0xFFFFFFFF)
    finally:
        os.sched_setaffinity(0, cpus)
    n = len(cpus)
    assert n > 1
    sums = {"made": n, "errors": -n * errno.EOPNOTSUPP, "name": "x"}
    kinds = [{"key": 2, "value": n}, {"key": 3, "value": n}]
    told = show("percpu")["statistics"]
    assert told["all"] == sums
    assert sorted(told["kinds"], key=lambda entry: entry["key"]) == kinds
    assert f"all: made={n} errors={sums['errors']} name=x\n" in do("show", "percpu")


def log(*arguments: str) -> list[dict]:
    return [json.loads(line) for line in do("log", "audit", "--json", *arguments).splitlines()]


@pytest.mark.guest(mock=True)
def test_log(nest: Nest) -> None:
    """Each call, as often as it was made; lost records are counted."""
    do("load", "audit")
    begin = time.time_ns()
    hwpt = nest.paging()
    nested = nest.nested()
    invalidate.page_table(nest.context, nested, 3)
    with fails(errno.EOPNOTSUPP):
        nest.nested(data_type=0xFFFFFFFF)
    nest.destroy(hwpt)
    records = log()
    assert log() == []
    device = nest.device.device
    made = {"what": "make", "device_id": device, "flags": 0, "errno": 0}
    wanted: list[dict[str, object]] = [
        {**made, "object": hwpt},
        {**made, "object": nested},
        {"what": "invalidate", "object": nested, "asked": 3, "handled": 3, "errno": 0},
        {**made, "object": 0, "errno": errno.EOPNOTSUPP},
        {"what": "free", "object": hwpt},
    ]
    comm = Path("/proc/self/comm").read_text().strip()
    who = {"pid": os.getpid(), "uid": 0, "command": comm, "cgroup_id": cgroup.id_of(cgroup.ROOT)}
    assert len({record.pop("ctx") for record in records}) == 1
    last = begin
    for record, about in zip(records, wanted, strict=True):
        assert record.pop("duration_ns", 1) >= 0
        assert last <= record["time_ns"] <= time.time_ns()
        last = record.pop("time_ns")
        assert record == {**who, **about}

    for _ in range(3000):
        invalidate.page_table(nest.context, nested)
    *kept, lost = log()
    assert len(kept) + lost["lost_events"] == 3000
    assert len(kept) > 2000
    assert show("audit")["statistics"] == {"lost": lost["lost_events"]}


@pytest.mark.guest(mock=True)
def test_log_as_it_comes(nest: Nest) -> None:
    """Until it is ended, and across an update."""
    do("load", "audit", "--name", "notes")
    nest.destroy(nest.paging())
    with Tool(NAME, "log", "notes", "--follow") as tool:
        titles, make, free = (tool.out.readline().split() for _ in range(3))
        assert titles[5:8] == ["WHAT", "ID", "DEVICE"]
        assert (make[5], free[5], make[6]) == ("make", "free", free[6])
        do("update", "notes", "audit")
        with fails(errno.EOPNOTSUPP):
            nest.nested(data_type=0xFFFFFFFF)
        refused = tool.out.readline().split()
        assert (refused[6], refused[-1]) == ("-", "EOPNOTSUPP")
        assert tool.text() == ""


def test_no_log() -> None:
    do("load", "quota")
    assert "policy 'quota' keeps no log" in refused("log", "quota")
