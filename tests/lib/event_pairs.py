# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Events that come in pairs: no end without a beginning, no beginning without an end."""

from collections import Counter
from collections.abc import Callable

from iommufd.trace import Event

# The subject of a pair, and the amount that an event begins or ends.
Key = tuple[str, ...]
Rule = Callable[[Event], tuple[Key, int]]


def _by(*names: str, sign: int = 1, amount: str = "") -> Rule:
    def rule(event: Event) -> tuple[Key, int]:
        # A request that failed has begun nothing.
        done = int(event.fields.get("ret", "0")) == 0
        size = event.number(amount) if amount else 1
        return tuple(event[name] for name in names), sign * size * done

    return rule


def _unmap(event: Event) -> tuple[Key, int]:
    return (event["ctx"], event["ioas"]), -event.number("unmapped")


# The events of each kind of pair. An event belongs to one kind only.
PAIRS: dict[str, dict[str, Rule]] = {
    "context": {"ctx_open": _by("ctx"), "ctx_close": _by("ctx", sign=-1)},
    "object": {
        "object_create": _by("ctx", "id", "type"),
        "object_destroy": _by("ctx", "id", "type", sign=-1),
    },
    "device": {
        "device_bind": _by("ctx", "id", "device"),
        "device_unbind": _by("ctx", "id", "device", sign=-1),
    },
    "attachment": {
        "device_attach": _by("ctx", "id", "pasid"),
        "device_detach": _by("ctx", "id", "pasid", sign=-1),
    },
    "page table": {
        "hwpt_alloc": _by("ctx", "hwpt", "kind", "automatic"),
        "hwpt_free": _by("ctx", "hwpt", "kind", "automatic", sign=-1),
    },
    # The IOAS or process that pins need not be the one that unpins.
    "pinned pages": {
        "pin": _by("ctx", amount="pages"),
        "unpin": _by("ctx", sign=-1, amount="pages"),
    },
    "mapping": {"ioas_map": _by("ctx", "ioas", amount="length"), "ioas_unmap": _unmap},
    "driver's pin": {
        "access_pin": _by("ctx", "access", amount="pages"),
        "access_unpin": _by("ctx", "access", sign=-1, amount="pages"),
    },
    "page fault": {
        "fault_report": _by("ctx", "fault", "cookie"),
        "fault_respond": _by("ctx", "fault", "cookie", sign=-1),
        "fault_abort": _by("ctx", "fault", "cookie", sign=-1),
    },
}
PAIR_OF = {event: pair for pair, rules in PAIRS.items() for event in rules}


class Balance:
    """Everything that the events so far have begun but not ended."""

    def __init__(self) -> None:
        self._open: Counter[tuple[str, Key]] = Counter()
        self._begun: Counter[str] = Counter()

    def count(self, events: list[Event]) -> None:
        """Counts further events, in their order."""
        for event in events:
            name = event.name.removeprefix("iommufd_")
            if name not in PAIR_OF:
                continue
            pair = PAIR_OF[name]
            key, amount = PAIRS[pair][name](event)
            self._open[pair, key] += amount
            self._begun[pair] += amount > 0
            assert self._open[pair, key] >= 0, f"no {pair} has begun for {event}"

    def left(self) -> dict[tuple[str, Key], int]:
        """Whatever has begun but not ended, with its amount."""
        return {key: amount for key, amount in self._open.items() if amount}

    def never_begun(self) -> set[str]:
        """The kinds of pairs that never occurred."""
        return {pair for pair in PAIRS if not self._begun[pair]}
