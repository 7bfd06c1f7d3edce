# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The kernel's statistics of locks, as /proc/lock_stat prints them."""

import re
from dataclasses import dataclass, field

from .errors import BenchError

# A class with "-R" or "-W" if it is taken in both ways, then twelve numbers.
NUMBER = r"\s+(\d+(?:\.\d+)?)"
CLASS = re.compile(rf"\s*(\S.*?):{NUMBER * 12}\s*")
# The class, how often, the address (hidden), and the function.
PLACE = re.compile(r"\s*(\S.*?)\s+(\d+)\s+\[<\S+>\] (\S+?)(?:/\S+)?(?: \[\w+\])?")
RULER = re.compile(r"\s*-+")
# The kernel says so on top if it has stopped counting.
STOPPED = "*WARNING*"
NANOSECONDS = 1000


@dataclass
class Lock:
    """A class of locks; times in nanoseconds of the guest."""

    name: str
    taken: int
    # Another CPU had it before.
    moved: int
    contended: int
    wait: float
    wait_max: float
    hold: float
    hold_max: float
    # How often a wait began in a function, and in which function the holder took the lock.
    waiters: dict[str, int] = field(default_factory=dict)
    holders: dict[str, int] = field(default_factory=dict)


class Parser:
    """Reads the file line by line."""

    def __init__(self) -> None:
        self.locks: list[Lock] = []
        self._rulers = 0

    def line(self, text: str) -> None:
        """Headings and empty lines say nothing."""
        if STOPPED in text:
            raise BenchError("the kernel has stopped counting locks: lockdep found an error")
        if found := CLASS.fullmatch(text):
            name, *numbers = found.groups()
            self._begin(name, [float(number) for number in numbers])
        elif RULER.fullmatch(text):
            self._rulers += 1
        elif self.locks and (found := PLACE.fullmatch(text)):
            last = self.locks[-1]
            places = last.waiters if self._rulers == 1 else last.holders
            places[found[3]] = places.get(found[3], 0) + int(found[2])

    def _begin(self, name: str, numbers: list[float]) -> None:
        _, contended, _, wait_max, wait, _, moved, taken, _, hold_max, hold, _ = numbers
        times = [x * NANOSECONDS for x in (wait, wait_max, hold, hold_max)]
        self.locks.append(Lock(name, int(taken), int(moved), int(contended), *times))
        self._rulers = 0
