# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The base kernel's own tests of iommufd, unmodified, one test per case."""

import conformance
import kselftest
import pytest

# Bitmaps of dirty pages are tested on up to 128 MiB of huge pages.
pytestmark = pytest.mark.guest(devices=(), hugepages=80)
CASES = kselftest.cases()
# How much longer a case may take on the sanitizer kernel.
PATIENCE = 6


@pytest.mark.parametrize("case", CASES)
def test_case(request: pytest.FixtureRequest, kernel: str, case: str) -> None:
    conformance.expect(request, case, kernel)
    result = kselftest.run(CASES[case], case, PATIENCE if "debug" in kernel else 1)
    conformance.judge(result, case)
