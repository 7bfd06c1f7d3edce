# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Paths in the source tree."""

from pathlib import Path

PARTS = Path(__file__).resolve().parent.parent
TOP = PARTS.parent.parent
OUT = TOP / "build" / "bench"
SOURCES = TOP / "tests" / "bench"
BASELINES = SOURCES / "baseline"
