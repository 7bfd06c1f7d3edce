# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where the facts are."""

from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
REASONS = TOP / "docs" / "reasons.toml"
TRACE = TOP / "kernel" / "trace"
REASON_HEADER = TRACE / "reason.h"


class Mistake(Exception):
    """The facts contradict each other, or a file is not as expected."""
