# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs a case of the base kernel's own tests as one of our tests."""

import conformance_known
import pytest
from kselftest import Result


def expect(request: pytest.FixtureRequest, case: str, kernel: str) -> None:
    """A case that is known to fail on this kernel is expected to fail."""
    if why := conformance_known.reason(case, kernel):
        request.applymarker(pytest.mark.xfail(reason=why, strict=True))


def judge(result: Result, case: str) -> None:
    """Returns if the case has passed."""
    if result.how == "skipped" and conformance_known.may_skip(case):
        pytest.skip(result.reason)
    if result.how != "passed":
        pytest.fail(result.output, pytrace=False)
