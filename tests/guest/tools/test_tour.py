# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/tour.md: its commands do what it shows."""

import re
from collections import Counter

import pytest
import tour

# The guest that the page describes; it needs the mock IOMMU.
pytestmark = pytest.mark.guest(kernels="main", hugepages=64)

READY, START, DOES_NOT, NOISY = tour.chapters(tour.PAGE.read_text())


def told(chapter: list[tour.Step]) -> list[tour.Step]:
    """The current output of its commands, reduced to words of the page."""
    with tour.Shell() as shell:
        steps = [tour.Step(step.command, shell.do(step.command)[1]) for step in chapter]
    now, page = tour.words(steps), tour.words(chapter)
    assert (now - page, page - now) == (Counter(), Counter())
    return steps


def test_guest() -> None:
    page = tour.PAGE.read_text()
    assert "$ scripts/vm --hugepages 64 -- bash\n" in page


def test_ready() -> None:
    told(READY)


def test_start() -> None:
    """A 4 KiB page is a run of its own, or nearly; a huge page is one run at most."""
    text = "".join(step.output for step in told(START))
    small, huge = re.findall(r" map +[0-9a-f]+ +128M +(\S+)", text)
    assert small.endswith("k")
    assert float(small[:-1]) > 30
    assert 1 <= int(huge) <= 64


def test_does_not() -> None:
    told(DOES_NOT)


def test_noisy() -> None:
    """The quiet guest was not delayed, the noisy one was."""
    *_, limited, shown, _ = (step.output for step in told(NOISY))
    entries, seconds = re.search(r"noisy-guest: (\d+) entries in (\S+) s", limited).groups()
    # The last one has waited until it is within the rate; seconds are rounded.
    assert int(entries) <= 1000 * (float(seconds) + 0.01) + 100
    assert min(re.findall(r"delayed=(\d+)", shown)) == "0"
