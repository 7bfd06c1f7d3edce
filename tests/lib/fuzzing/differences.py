# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where the peer answers differently, and why: docs/architecture.md says more of most."""

from .trace import Listed

DIFFERENCES: tuple[Listed, ...] = (
    Listed(
        r"(hwpt|nested)_alloc .* = ENOENT",
        r" = EINVAL",
        "HWPT_ALLOC on an id that is not there is ENOENT",
    ),
    Listed(
        r"device_info .* = EOPNOTSUPP",
        r" = 0",
        "GET_HW_INFO has no data of another type than asked for",
    ),
)
