# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The parts of iommufd-why that need no kernel: its sentences, and its command line."""

import errno
import json
import re
import subprocess
from pathlib import Path

import pytest
import tool_runner
from iommufd import reasons

TOP = Path(__file__).resolve().parent.parent
# As in sentences.h.
PLACE = re.compile(r"\{(\w+)\}")
NUMBERS = re.compile(r"[12][dsxbpkectr]")
FACTS = re.compile(r"\{ \"(\w+)\", find_")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return tool_runner.run("iommufd-why", *arguments)


@pytest.fixture(scope="module")
def sentences() -> list[dict]:
    return [json.loads(line) for line in run("--list", "--json").stdout.splitlines()]


def test_all_reasons_have_a_sentence(sentences: list[dict]) -> None:
    """Those of the page, in its order; the sentence for all errnos is the last of its reason."""
    assert [*dict.fromkeys(s["reason"] for s in sentences)] == [*reasons.documented()]
    rest = [s["reason"] for s in sentences if not s["error"]]
    assert rest == [*reasons.documented()]
    last = {s["reason"]: s for s in sentences}
    assert not any(s["error"] for s in last.values())


def test_templates(sentences: list[dict]) -> None:
    """Every placeholder exists, and brackets match."""
    facts = set(FACTS.findall((TOP / "tools" / "iommufd-why" / "facts.c").read_text()))
    assert "device" in facts
    for sentence in sentences:
        for text in (sentence["what"], sentence["advice"]):
            assert re.fullmatch(r"([^\[\]{}]|\{\w+\}|\[([^\[\]{}]|\{\w+\})*\])*", text), text
            for place in PLACE.findall(text):
                assert NUMBERS.fullmatch(place) or place in facts, text
            assert text.rstrip("]").endswith("."), text


def test_all_errnos_have_a_meaning() -> None:
    """Those of the page, for kernels that report no reasons."""
    text = (TOP / "build" / "tools" / "iommufd-why" / "meanings.inc").read_text()
    meant = [getattr(errno, name) for name in re.findall(r"{ (E\w+), \"", text)]
    assert meant == sorted(set(meant))
    assert {e for errnos in reasons.documented().values() for e in errnos} <= set(meant)


def test_list() -> None:
    """The list as text."""
    shown = run("-l")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("not_said\n    iommufd did not say why")
    assert "group_owned, EBUSY\n" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-p", "0"], "there is no process '0'"),
        (["-p", "me"], "there is no process 'me'"),
        (["-n", "0"], "the number of failures must be 1 or more, not '0'"),
        (["-p", "1", "--", "true"], "-p can't be used with COMMAND"),
        (["--frobnicate"], "unrecognized option"),
    ],
)
def test_usage(arguments: list[str], says: str) -> None:
    refused = run(*arguments)
    assert refused.returncode == 64
    assert says in refused.stderr
    assert refused.stdout == ""
