# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""All of it is in lib: guests, what the conformance test sums up, what failures tell."""

pytest_plugins = ["guestpytest.plugin", "conformance_table", "failures_told"]
