# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The KUnit suites of kernel/kunit, which run when their module is loaded."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.guest(kernels=("ours",))
RESULTS = Path("/sys/kernel/debug/kunit")
SUITES = ("iommufd_doorbell", "iommufd_iova_bitmap", "iommufd_iova_map", "iommufd_store")


@pytest.fixture(scope="module", autouse=True)
def module() -> Iterator[None]:
    """While it is loaded, iommufd is in use, and checks after each test take longer."""
    subprocess.run(["modprobe", "iommufd_kunit"], check=True)
    yield
    subprocess.run(["rmmod", "iommufd_kunit"], check=True)


def test_suites() -> None:
    """Every suite that is registered is known here."""
    assert {path.name for path in RESULTS.glob("iommufd_*")} == set(SUITES)


@pytest.mark.parametrize("suite", SUITES)
def test_suite(suite: str) -> None:
    results = (RESULTS / suite / "results").read_text()
    totals = re.search(r"# Totals: pass:(\d+) fail:0 skip:0 total:(\d+)", results)
    assert totals and totals[1] == totals[2] != "0", results
