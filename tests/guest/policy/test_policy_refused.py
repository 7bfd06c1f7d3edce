# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Invalid policies: refused when loaded or attached, with a reason."""

import ctypes
import errno
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cgroup
import pytest
from bpfobject import Link, NotLoaded, Object, loaded
from errnos import errno_of, fails
from iommufd.ctx import Context
from iommufd.nest import Nest
from iommufd.platform import X86
from policy_recorder import NAMES, recording

pytestmark = pytest.mark.guest(kernels="bpf")

MOST = 16
LONG = 30.0
O_NONBLOCK = os.O_NONBLOCK
NR_DELETE_MODULE = 176 if X86 else 106

HWPT = (
    "hwpt",
    "parent",
    "device",
    "kind",
    "automatic",
    "flags",
    "data_type",
    "data_len",
    "data",
    "ret",
    "ns",
    "can_add",
    "caller",
)
INVALIDATE = (
    "object",
    "kind",
    "data_type",
    "entry_len",
    "asked",
    "handled",
    "data",
    "ret",
    "ns",
)

CHARGE = ("ctx", "tgid", "forced", "npages", "cgroup_id", "page_shift")


def only(name: str) -> Callable[[Object], None]:
    """One policy of an object in which all are optional."""
    return lambda unloaded: unloaded.only(name)


def with_members(policy: str, **members: Any) -> Callable[[Object], None]:
    """A policy with these members."""

    def prepare(unloaded: Object) -> None:
        for member, value in members.items():
            setattr(unloaded.map(policy).members, member, value)

    return prepare


# Fields that only the hooks before the driver may write.
OVER = (
    "hwpt_alloc_done_add_flags",
    "hwpt_alloc_done_max_page_shift",
    "hwpt_free_add_flags",
    "hwpt_invalidate_done_limit",
    "hwpt_invalidate_done_delay_ns",
    "uncharge_detail",
)


@pytest.mark.parametrize(
    "member",
    [
        *(f"hwpt_{m}" for m in HWPT),
        *(f"inv_{m}" for m in INVALIDATE),
        *(f"charge_{m}" for m in CHARGE),
        *OVER,
    ],
)
def test_write(member: str) -> None:
    """The verifier says which fields may be written, and by which hook."""
    with pytest.raises(NotLoaded) as caught, loaded("writes", only(f"set_{member}")):
        pass
    assert caught.value.errno == errno.EACCES
    for allowed in (
        "only hwpt_alloc writes add_flags and max_page_shift",
        "only hwpt_invalidate writes limit and delay_ns",
        "only charge writes detail",
    ):
        assert allowed in caught.value.log


@pytest.mark.parametrize(
    "member",
    ["hwpt_add_flags", "hwpt_max_page_shift", "inv_limit", "inv_delay_ns", "charge_detail"],
)
def test_write_that_is_allowed(member: str) -> None:
    name = f"set_{member}"
    with loaded("writes", only(name)) as policy, Link(policy.map(name)):
        pass


def test_unknown_member() -> None:
    """A policy for a later kernel that uses a new member."""
    with pytest.raises(NotLoaded) as caught, loaded("unknown"):
        pass
    assert caught.value.errno == errno.ENOTSUP
    assert "later" in caught.value.log


def test_unknown_member_not_used() -> None:
    """The same policy without a value in it."""

    def clear(unloaded: Object) -> None:
        address = ctypes.addressof(unloaded.map("unknown").members)
        ctypes.c_uint32.from_address(address + 16).value = 0

    with loaded("unknown", clear) as policy, Link(policy.map("unknown")):
        pass


@pytest.mark.parametrize(
    "members",
    [{"name": b""}, {"flags": 1}, {"flags": 1 << 31}],
    ids=["empty-name", "flag", "last-flag"],
)
def test_members(members: dict[str, Any]) -> None:
    """Checked when it is attached: until then it is only a map."""
    with loaded("bare", with_members("bare", **members)) as policy, fails(errno.EINVAL):
        Link(policy.map("bare"))


def test_name_without_end() -> None:
    """Sixteen bytes leave no room for the terminating zero."""

    def fill(unloaded: Object) -> None:
        members = unloaded.map("bare").members
        ctypes.memset(ctypes.addressof(members) + type(members).name.offset, ord("x"), 16)

    with loaded("bare", fill) as policy, fails(errno.EINVAL):
        Link(policy.map("bare"))


def test_longest_name() -> None:
    with loaded("bare", with_members("bare", name=b"x" * 15)) as policy:
        Link(policy.map("bare")).close()


def test_without_link() -> None:
    """The way in which older policies of other subsystems are attached."""
    with loaded("bare") as policy, fails(errno.EOPNOTSUPP):
        Link(policy.map("unlinked"))


@pytest.mark.guest(mock=True)
def test_twice(nest: Nest) -> None:
    """The first stays; the second was never attached."""
    with recording("first") as recorder:
        with fails(errno.EEXIST):
            Link(recorder.map("first"))
        nest.paging()
        assert len(recorder.seen()) == 2
        recorder.detach("first")
        recorder.attach("first")


@pytest.mark.guest(mock=True)
def test_update_to_what_is_attached(nest: Nest) -> None:
    """By another link or by this one; nothing changes."""
    with recording(*NAMES) as recorder:
        for other in NAMES:
            with fails(errno.EEXIST):
                recorder.links["second"].update(recorder.map(other))
        nest.paging()
        assert [who for who, _ in recorder.seen()] == 2 * list(NAMES)


def test_update_to_another_kind() -> None:
    """A map that is not a policy."""
    with recording("first") as recorder, fails(errno.EINVAL):
        recorder.links["first"].update(recorder.map("settings"))


@pytest.mark.guest(mock=True)
def test_too_many(nest: Nest) -> None:
    """The maximum number of policies are all called; when one is detached, another fits."""
    with ExitStack() as stack:
        policies = [stack.enter_context(loaded("bare")).map("bare") for _ in range(MOST + 1)]
        links = [stack.enter_context(Link(policy)) for policy in policies[:MOST]]
        with fails(errno.E2BIG):
            Link(policies[MOST])
        nest.paging()
        links[3].update(policies[MOST])
        with fails(errno.E2BIG):
            Link(policies[3])
        links[3].close()
        stack.enter_context(Link(policies[3]))


@pytest.mark.guest(mock=True)
def test_all_of_them_are_asked(nest: Nest) -> None:
    with ExitStack() as stack:
        recorders = [stack.enter_context(recording(*NAMES)) for _ in range(MOST // len(NAMES))]
        last = stack.enter_context(recording("first"))
        nest.destroy(nest.paging())
        for recorder in recorders:
            assert len(recorder.calls()) == 3 * len(NAMES)
        assert len(last.calls()) == 3


@pytest.mark.guest(mock=True)
def test_cgroup_unknown(nest: Nest) -> None:
    """No cgroup, or one that is gone; at an update as well."""
    with cgroup.cgroup() as group:
        gone = group.id
    for unknown in (gone, (1 << 64) - 1):
        members = {"first": {"cgroup_id": unknown}}
        with recording("second", **members) as recorder:
            with fails(errno.ENOENT):
                recorder.attach("first")
            with fails(errno.ENOENT):
                recorder.links["second"].update(recorder.map("first"))
            nest.paging()
            assert {who for who, _ in recorder.seen()} == {"second"}


def delete_module(name: str) -> None:
    """delete_module(); EWOULDBLOCK while it is in use."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(NR_DELETE_MODULE, name.encode(), O_NONBLOCK):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def holders() -> list[str]:
    """The modules that use iommufd, dependencies last."""
    found: list[str] = []

    def visit(name: str) -> None:
        for holder in Path(f"/sys/module/{name}/holders").iterdir():
            visit(holder.name)
            if holder.name not in found:
                found.append(holder.name)

    visit("iommufd")
    return found


def unload_soon(name: str) -> None:
    """References from BPF are dropped when its memory is freed."""
    end = time.monotonic() + LONG
    while error := errno_of(delete_module, name):
        assert error == errno.EWOULDBLOCK, os.strerror(error)
        assert time.monotonic() < end, f"{name} stays in use"
        time.sleep(0.05)


# A guest of its own: no device may be bound to a module that is unloaded.
@pytest.mark.guest(devices=[], kernels=["main", "debug-bpf"])
@pytest.mark.parametrize("user", ["policy", "iterator"])
def test_module_in_use(user: str) -> None:
    """A policy or a listing program keeps the module; without them it can be unloaded."""
    others = holders()
    for name in others:
        unload_soon(name)
    try:
        with loaded("policy_audit" if user == "policy" else "iommufd_list") as loaded_object:
            for _ in range(20):
                assert errno_of(delete_module, "iommufd") == errno.EWOULDBLOCK
            if user == "policy":
                with Link(loaded_object.map("audit")):
                    assert errno_of(delete_module, "iommufd") == errno.EWOULDBLOCK
                    Context().close()
        unload_soon("iommufd")
        assert not Path("/dev/iommu").exists()
    finally:
        subprocess.run(["modprobe", "-a", "iommufd", *others], check=True)
    with loaded("policy_audit") as policy, Link(policy.map("audit")), Context() as context:
        context.ioas_alloc()
