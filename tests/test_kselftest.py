# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The conformance test's parsers for the base kernel's own tests."""

from fnmatch import fnmatchcase
from pathlib import Path

import conformance_known as known_cases
import kselftest
import pytest

LIST = """\
# FIXTURE            VARIANT                   TEST
global
--------------------------------------------------------------------------------
iommufd                                        simple_close
                                               cmd_fail
--------------------------------------------------------------------------------
iommufd_dirty_tracking domain_dirty8k            enforce_dirty
                     domain_dirty64M_huge      set_dirty_tracking
                     domain_dirty128M
--------------------------------------------------------------------------------
vfio                 a_name_of_more_than_twenty_five_letters map
                     another_name_of_more_than_twenty_five_letters unmap
                     short
"""

OUTPUT = """\
TAP version 13
1..4
# Starting 4 tests from 1 test cases.
#  RUN           a.one ...
#            OK  a.one
ok 1 a.one
# iommufd.c:42:two:Expected 0 (0) == ioctl (-1)
# two: Test failed
not ok 2 a.b.two
ok 3 a.three # SKIP Skipping test for variant a
ok 4 a.four # XFAIL unknown
"""


def test_built() -> None:
    for cases in (kselftest.cases(), kselftest.vfio_cases()):
        assert cases, "no programs in build/selftests: run make selftests"


def test_list() -> None:
    """Each variant of a fixture with each of its tests."""
    variants = ("domain_dirty8k", "domain_dirty64M_huge", "domain_dirty128M")
    tests = ("enforce_dirty", "set_dirty_tracking")
    long = "name_of_more_than_twenty_five_letters"
    long_names = (f"a_{long}", f"another_{long}", "short")
    assert kselftest.parse_list(LIST) == ["iommufd.simple_close", "iommufd.cmd_fail"] + [
        f"iommufd_dirty_tracking.{variant}.{test}" for variant in variants for test in tests
    ] + [f"vfio.{variant}.{test}" for variant in long_names for test in ("map", "unmap")]


@pytest.mark.parametrize(
    ("case", "how", "reason"),
    [
        ("a.one", "passed", ""),
        ("a.b.two", "failed", ""),
        ("a.three", "skipped", "Skipping test for variant a"),
        ("a.four", "failed", "unknown"),
        ("two", "failed", ""),
        ("a.fiv", "failed", ""),
    ],
)
def test_result(case: str, how: str, reason: str) -> None:
    result = kselftest.parse_result(case, OUTPUT)
    assert (result.how, result.reason) == (how, reason)


@pytest.mark.parametrize(
    ("body", "how", "words"),
    [
        ('echo "ok 1 $2"', "passed", "ok 1 a.one"),
        ('echo "not ok 1 $2"; exit 1', "failed", "not ok 1 a.one"),
        ('echo begun; kill -SEGV "$$"', "failed", "begun\n\nthe program was ended by SIGSEGV"),
        ("echo begun; sleep 60 & wait", "failed", "begun\n\nthe program did not end in 5 s"),
        ("exit 0", "failed", "the program ended without a result"),
        ("echo no device; exit 4", "skipped", "no device"),
        ('echo "not ok 1 $2"; exit 4', "failed", "not ok 1 a.one"),
        ('echo "ok 1 $2 $3"', "failed", "ok 1 a.one 0000:00:01.0"),
    ],
    ids=["passes", "fails", "crashes", "hangs", "silent", "skips", "skips-not", "device"],
)
def test_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, how: str, words: str
) -> None:
    program = tmp_path / "selftests" / "program"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(kselftest, "built", lambda name: tmp_path / name)
    monkeypatch.setattr(kselftest, "LIMIT", 5.0)
    devices = ["0000:00:01.0"] if "$3" in body else []
    result = kselftest.run("program", "a.one", devices=devices)
    assert result.how == how
    assert words in result.output


@pytest.mark.parametrize("known", ["PEER", "CONTAINER", "SKIPPED"])
def test_no_idle_pattern(known: str) -> None:
    lists = getattr(known_cases, known)
    patterns = lists if isinstance(lists, tuple) else sum(lists.values(), ())
    cases = [*kselftest.cases()]
    for device in ("igb", "edu", "nvme"):
        cases += [f"{device}.{case}" for case in kselftest.vfio_cases()]
    for pattern in patterns:
        assert any(fnmatchcase(case, pattern) for case in cases), pattern
