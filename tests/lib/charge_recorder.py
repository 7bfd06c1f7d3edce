# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Policies that record what they are charged for (tests/bpf/charges.bpf.c)."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bpfobject import Link, Map, Object, loaded

NAMES = ("first", "second")
HOOKS = (CHARGE, UNCHARGE) = ("charge", "uncharge")
VA, MEMFD = 0, 1

_CALL = struct.Struct("=10I2Q16Q")
_SETTINGS = struct.Struct("=qQ")
_GLOBALS = struct.Struct("=I4xQQ")


@dataclass(frozen=True)
class Call:
    """One call of a hook, see charges.h; `who` and `hook` are names here."""

    who: str
    hook: str
    ctx: int
    ioas: int
    tgid: int
    uid: int
    source: int
    forced: int
    level: int
    page_shift: int
    npages: int
    cgroup_id: int
    ancestors: tuple[int, ...]

    @property
    def pages(self) -> int:
        """Positive if they are charged, negative if they are uncharged."""
        return self.npages if self.hook == CHARGE else -self.npages


def _call(data: bytes) -> Call:
    who, hook, *rest = _CALL.unpack(data)
    return Call(NAMES[who], HOOKS[hook - 1], *rest[:10], tuple(rest[10:]))


@dataclass
class Charges:
    """The object, and the links of the policies that are attached."""

    object: Object
    links: dict[str, Link] = field(default_factory=dict)

    def map(self, name: str) -> Map:
        """The struct_ops map of a policy, or another map."""
        return self.object.map(name)

    def tell(self, who: str, ret: int = 0, detail: int = 0) -> None:
        """Sets what a policy answers from now on."""
        self.map("settings")[struct.pack("I", NAMES.index(who))] = _SETTINGS.pack(ret, detail)

    def attach(self, who: str) -> None:
        """Attaches a policy, after those of the same priority."""
        self.links[who] = Link(self.map(who))

    def detach(self, who: str) -> None:
        """Detaches a policy."""
        self.links.pop(who).close()

    def calls(self) -> list[Call]:
        """The calls since the last time."""
        _, overlaps, lost = _GLOBALS.unpack(self.map(".bss").get(bytes(4)) or b"")
        assert (overlaps, lost) == (0, 0)
        return [_call(data) for data in self.map("calls").records()]

    def pages(self, who: str | None = None) -> list[int]:
        """The pages of each call since the last time, of one policy or all."""
        return [call.pages for call in self.calls() if who in (None, call.who)]


@contextmanager
def charging(*names: str) -> Iterator[Charges]:
    """The object with these attached."""
    with loaded("charges") as charges_object:
        charges = Charges(charges_object)
        try:
            for name in names:
                charges.attach(name)
            yield charges
        finally:
            for link in charges.links.values():
                link.close()
