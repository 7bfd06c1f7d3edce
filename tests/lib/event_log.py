# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The events since a test has last looked, and the complete contents of each."""

from iommufd.trace import Event, Stream


def is_time(name: str) -> bool:
    """Whether a field is a duration."""
    return name == "ns" or name.endswith("_ns")


def _value(text: str) -> int | str:
    try:
        return int(text, 0)
    except ValueError:
        return text


def values(event: Event) -> dict[str, int | str]:
    """The fields without durations. Each duration must be present."""
    times = {name: event.number(name) for name in event.fields if is_time(name)}
    assert all(times.values()), f"{event.name} is not timed: {times}"
    return {name: _value(text) for name, text in event.fields.items() if name not in times}


class EventLog:
    """The events of a stream since it was last looked at."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._events: list[Event] = []

    def forget(self) -> None:
        """Drops the events so far."""
        self._stream.read()
        self._events.clear()

    def all(self, *names: str) -> list[Event]:
        """The events of these names, in order."""
        self._events += self._stream.read()
        return [e for e in self._events if e.name.removeprefix("iommufd_") in names]

    def names(self) -> list[str]:
        """The names of all events, in order."""
        self._events += self._stream.read()
        return [e.name.removeprefix("iommufd_") for e in self._events]

    def is_one(self, name: str, **expected: int | str) -> None:
        """Checks that there was one event of this name, with these fields."""
        (event,) = self.all(name)
        got = values(event)
        wrong = {k: got.get(k) for k in {*got, *expected} if got.get(k) != expected.get(k)}
        assert not wrong, f"{event}: not as expected: {wrong}"

    def context(self) -> int:
        """The number of the context that was opened."""
        (event,) = self.all("ctx_open")
        return event.number("ctx")
