# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""All of it is in lib/guestpytest, and what the conformance test sums up in a table."""

pytest_plugins = ["guestpytest.plugin", "conformance_table"]
