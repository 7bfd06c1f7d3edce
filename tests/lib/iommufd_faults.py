# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-faults --dma: faults at an address, and what the tool says about them."""

import re
from typing import Any

from iommufd.faults import LENGTH
from tool_runner import Tool

_TIME = re.compile(r"\b(\d+ ms|\d+\.\d s|\d+ min)\b")


def first(tool: Tool, iova: int) -> dict[str, Any]:
    """The next fault at an address: a transfer may be reported more than once."""
    return tool.until(lambda line: line["iova"] in range(iova, iova + LENGTH))[-1]


def words(lines: list[str]) -> list[str]:
    """An explanation, with TIME for each duration."""
    return [_TIME.sub("TIME", line) for line in lines]
