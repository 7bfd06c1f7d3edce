# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Errors that end a run; the text says why, and what to do."""


class BenchError(Exception):
    """Nothing could be measured or compared."""
