# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Policies that record their calls and answer as configured (tests/bpf/recorder.bpf.c)."""

import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from bpfobject import Link, Map, Object, loaded

NAMES = ("first", "second", "third")
FUNCTIONS = (
    "hwpt_alloc",
    "hwpt_alloc_done",
    "hwpt_free",
    "hwpt_invalidate",
    "hwpt_invalidate_done",
)
ALLOC, ALLOC_DONE, FREE, INVALIDATE, INVALIDATE_DONE = FUNCTIONS

_CALL = struct.Struct("=18IiI4QII")
_SETTINGS = struct.Struct("=qqQIIIIII")
PATIENCE = 20.0


@dataclass(frozen=True)
class Call:
    """One call of a hook, see recorder.h; `who` and `hook` are names here."""

    who: str
    hook: str
    pid: int
    ctx: int
    tgid: int
    uid: int
    object: int
    parent: int
    device: int
    kind: int
    automatic: int
    flags: int
    data_type: int
    length: int
    asked: int
    handled: int
    limit: int
    add_flags: int
    ret: int
    word: int
    cgroup_id: int
    data: int
    delay_ns: int
    ns: int
    max_page_shift: int
    can_add: int

    def has(self, **fields: object) -> None:
        """Checks that the call has these values."""
        assert {name: getattr(self, name) for name in fields} == fields


def _call(data: bytes) -> Call:
    who, hook, *rest = _CALL.unpack(data)
    return Call(NAMES[who], FUNCTIONS[hook - 1], *rest)


@dataclass
class Recorder:
    """The object, and the links of the policies that are attached."""

    object: Object
    links: dict[str, Link] = field(default_factory=dict)
    # The calls after the one that was waited for.
    _left: list[Call] = field(default_factory=list)

    def map(self, name: str) -> Map:
        """The struct_ops map of a policy, or another map."""
        return self.object.map(name)

    def tell(
        self,
        who: str,
        alloc: int = 0,
        invalidate: int = 0,
        delay_ns: int = 0,
        add_flags: int = 0,
        limit: int | None = None,
        stay: bool = False,
        quiet: bool = False,
        max_page_shift: int = 0,
    ) -> None:
        """Sets what a policy answers and does from now on."""
        limits = (limit is not None, limit or 0)
        flags = (stay, quiet, max_page_shift)
        value = _SETTINGS.pack(alloc, invalidate, delay_ns, add_flags, *limits, *flags)
        self.map("settings")[struct.pack("I", NAMES.index(who))] = value

    def attach(self, who: str) -> None:
        """Attaches a policy, after those of the same priority."""
        self.links[who] = Link(self.map(who))

    def detach(self, who: str) -> None:
        """Detaches a policy. Requests in progress still reach it."""
        self.links.pop(who).close()

    def calls(self, patience: float = 0) -> list[Call]:
        """The calls since the last time; waits up to `patience` seconds for one."""
        left, self._left = self._left, []
        return left + [_call(data) for data in self.map("calls").records(0 if left else patience)]

    def seen(self) -> list[tuple[str, str]]:
        """The policy and the hook of each call since the last time."""
        return [(call.who, call.hook) for call in self.calls()]

    def wait_for(self, hook: str) -> Call:
        """The next call of a hook; earlier calls of other hooks are dropped."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            calls = self.calls(PATIENCE)
            for i, call in enumerate(calls):
                if call.hook == hook:
                    self._left = calls[i + 1 :]
                    return call
        raise TimeoutError(hook)

    def count(self, who: str, hook: str) -> int:
        """How often a hook was called, whether recorded or not."""
        index = NAMES.index(who) * 8 + FUNCTIONS.index(hook) + 1
        value = self.map("counts").get(struct.pack("I", index))
        return struct.unpack("Q", value or bytes(8))[0]


@contextmanager
def recording(*names: str, **members: dict[str, Any]) -> Iterator[Recorder]:
    """The object with these attached; `first={"priority": 3}` sets members before loading."""

    def prepare(unloaded: Object) -> None:
        for name, values in members.items():
            for member, value in values.items():
                setattr(unloaded.map(name).members, member, value)

    with ExitStack() as stack:
        recorder = Recorder(stack.enter_context(loaded("recorder", prepare)))
        stack.callback(lambda: [link.close() for link in recorder.links.values()])
        for name in names:
            recorder.attach(name)
        yield recorder
