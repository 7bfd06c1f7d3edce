# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The harness itself: a problem in a guest fails the test at fault, and only that."""

import re
import subprocess
import sys

import pytest
from vmrun.paths import ROOT

SAMPLES = "tests/harness/sample_outcomes.py"

# Each sample, how it ends, and a text that the report must contain.
FAILED = {
    "test_fails": "as it should",
    "test_hangs": "no answer from the guest for",
    "test_panics": "Kernel panic - not syncing: Out of memory",
}
ERRORS = {
    "test_error_in_setup": "the fixture's words",
    "test_host_fails": "the host's verdict",
    "test_leaves_file_open": "open files left",
    "test_leaves_pages_pinned": "3 pages are still pinned",
    "test_warns": "WARNING: drivers/iommu/iommufd/main.c:1",
}
PASSED = {"test_passes", "test_passes_in_a_new_guest", "test_passes_at_last"}


@pytest.fixture(scope="module")
def report(any_kernel: str) -> str:
    """Pytest's report on the samples."""
    pytest_command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA"]
    done = subprocess.run(
        [*pytest_command, "--kernels", any_kernel, SAMPLES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def ended(report: str, how: str) -> set[str]:
    return set(re.findall(rf"^{how} .*::(\w+)\[", report, re.MULTILINE))


def test_outcomes(report: str) -> None:
    assert ended(report, "FAILED") == set(FAILED)
    assert ended(report, "ERROR") == set(ERRORS)
    # A successful test that leaves something behind has passed, and is an error as well.
    assert ended(report, "PASSED") == PASSED | set(ERRORS) - {"test_error_in_setup"}


def test_summary(report: str) -> None:
    """The last line counts all of them."""
    last = report.strip().splitlines()[-1]
    counts = {what.rstrip("s"): int(n) for n, what in re.findall(r"(\d+) (\w+)", last)}
    assert counts["failed"] == len(FAILED)
    assert counts["error"] == len(ERRORS)
    assert counts["passed"] == len(PASSED) + len(ERRORS) - 1
    assert (counts["skipped"], counts["deselected"]) == (1, 2)


@pytest.mark.parametrize("sample", [*FAILED, *ERRORS])
def test_words(report: str, sample: str) -> None:
    """Each failure is explained under its own heading."""
    sections = re.split(
        r"^_{3,} (?:ERROR at \w+ of )?(\w+)\[.*\] _{3,}$", report, flags=re.MULTILINE
    )
    texts = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert (FAILED | ERRORS)[sample] in texts[sample]
