# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A request that has to fail for a reason, as reported by iommufd_fail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from errnos import fails
from iommufd import uapi
from iommufd.trace import Stream

Numbers = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """A failing call, its errno and reason, and the two numbers or a function of the world."""

    reason: str
    error: int
    call: Callable[[Any], object]
    numbers: Numbers | Callable[[Any], Numbers] = (0, 0)

    def run(self, stream: Stream, world: Any, command: int | None = None) -> None:
        """Checks that one event reports all of this."""
        numbers = self.numbers(world) if callable(self.numbers) else self.numbers
        stream.read()
        with fails(self.error):
            self.call(world)
        (event,) = stream.read()
        assert (event["reason"], -event.number("ret")) == (self.reason, self.error)
        # 64 bits, unsigned.
        expected = tuple(n & uapi.U64_MAX for n in numbers)
        assert (event.number("first"), event.number("second")) == expected
        assert event["policy"] == ""
        assert command is None or event.number("command") == command


def cases(*table: Case) -> pytest.MarkDecorator:
    """Parametrizes a test with these cases, named by their reasons."""
    counts: dict[str, int] = {}
    params = []
    for case in table:
        counts[case.reason] = counts.get(case.reason, 0) + 1
        name = case.reason if counts[case.reason] == 1 else f"{case.reason}-{counts[case.reason]}"
        params.append(pytest.param(case, id=name))
    return pytest.mark.parametrize("case", params)
