# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""--locks: how often and how long locks are held and waited for."""

from .lockstat import Lock
from .results import Case
from .table import as_text, number

# A lock is listed if this part of the operations takes it, and if in this part of the times another
# CPU had it before: threads share it.
TAKEN, MOVED = 0.5, 0.1
# The places where it is held are listed if this part of the attempts has to wait.
WAITED = 0.01
HEAD = ["lock", "kernel", "taken", "moved", "waits"]
HEAD += ["wait", "longest", "held", "longest", "waiting"]


def waiting(case: Case) -> float:
    """The part of their time that the threads wait for locks."""
    return sum(lock.wait for lock in case.locks) / _elapsed(case) / case.threads


def _elapsed(case: Case) -> float:
    """The time of the guest, which is the number of instructions of all CPUs."""
    return case.calls * case.per_unit()


class Figures:
    """Those of one lock in a case; times in instructions of one CPU."""

    def __init__(self, case: Case, lock: Lock) -> None:
        self._case = case
        self.lock = lock
        self.name = lock.name
        self.taken = lock.taken / case.calls
        self.moved = lock.moved / lock.taken
        self.waits = lock.contended / lock.taken
        self.wait = self._own(lock.wait / lock.contended) if lock.contended else 0
        self.wait_max = self._own(lock.wait_max)
        self.held = self._own(lock.hold / lock.taken)
        self.held_max = self._own(lock.hold_max)
        self.waiting = lock.wait / _elapsed(case) / case.threads

    def _own(self, time: float) -> float:
        """The CPUs that do not wait share the guest's time: one that waits gives up its turn."""
        return time / self._case.threads / (1 - waiting(self._case))

    @property
    def shared(self) -> bool:
        """Whether it is listed."""
        return self.taken >= TAKEN and self.moved >= MOVED

    def cells(self) -> list[str]:
        """As in HEAD."""
        waited = [number(self.wait), number(self.wait_max)] if self.lock.contended else ["", ""]
        return [
            self.name,
            _who(self._case),
            f"{self.taken:.2f}",
            _percent(self.moved),
            _percent(self.waits),
            *waited,
            number(self.held),
            number(self.held_max),
            _percent(self.waiting),
        ]

    def holders(self) -> str:
        """Where the lock was held when others had to wait: the longer, the more often."""
        places = sorted(self.lock.holders.items(), key=lambda x: -x[1])
        whole = sum(self.lock.holders.values())
        return ", ".join(f"{name} {_percent(count / whole)}" for name, count in places)


def _who(case: Case) -> str:
    return case.kernel if case.backend == "iommufd" else f"{case.kernel} {case.backend}"


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def has_locks(case: Case) -> bool:
    """Whether it is one of the cases that --locks measures."""
    return bool(case.locks)


def grid(cases: list[Case]) -> list[list[str]]:
    """The same case on each kernel: a line for each lock and kernel, the longest waits first."""
    found = {_who(case): [Figures(case, lock) for lock in case.locks] for case in cases}
    longest: dict[str, float] = {}
    for figures in (f for locks in found.values() for f in locks if f.shared):
        longest[figures.name] = max(longest.get(figures.name, 0), figures.waiting)
    lines = [HEAD]
    for name in sorted(longest, key=lambda name: (-longest[name], name)):
        lines += [f.cells() for locks in found.values() for f in locks if f.name == name]
    empty = [""] * (len(HEAD) - 3)
    lines += [["all", _who(case), *empty, _percent(waiting(case))] for case in cases]
    return lines


def _holders(case: Case) -> str:
    text = ""
    for lock in case.locks:
        figures = Figures(case, lock)
        if figures.shared and figures.waits >= WAITED:
            text += f"{lock.name} ({_who(case)}): {figures.holders()}\n"
    return text


def as_page(cases: list[Case]) -> str:
    """A table for each case, and where the locks are held."""
    text = ""
    for name in dict.fromkeys(case.case for case in cases):
        same = [case for case in cases if case.case == name]
        costs = ", ".join(f"{number(case.per_unit())} ({_who(case)})" for case in same)
        text += f"{name}: instructions that an operation executes: {costs}\n\n"
        text += as_text(grid(same)) + "\nheld when others had to wait:\n"
        text += "".join(map(_holders, same)) + "\n"
    return text
