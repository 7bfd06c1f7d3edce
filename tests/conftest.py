# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""All of it is in lib/guestpytest."""

pytest_plugins = ["guestpytest.plugin"]
