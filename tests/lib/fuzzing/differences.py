# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where the peer answers differently, and why: docs/architecture.md says more of each."""

from .trace import Listed

DIFFERENCES: tuple[Listed, ...] = ()
