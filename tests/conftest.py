# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Loads the plugins in tests/lib: guests, the conformance table, reports of failures."""

pytest_plugins = [
    "guestpytest.plugin",
    "conformance_table",
    "debian_packages",
    "failures_reported",
]
