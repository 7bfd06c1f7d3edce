# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Finds the function at an address in the kernel and its modules."""

import re
import subprocess
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path

# The kernel of each architecture is above.
USER_END = 1 << 48
USER = "(user space)"
UNKNOWN = "(not of the kernel's files)"
# The functions that a baseline does not list.
REST = "(others)"
CODE = "tTwW"
# Suffixes of the copies that the compiler makes of a function, or of parts of it.
COPY = re.compile(r"(\.(constprop|isra|part|cold|llvm)(\.\d+)*)+$")


def _nm(file: Path) -> Iterator[tuple[str, int, int, str]]:
    """Name, value, size and section of each function of a file."""
    lines = subprocess.run(
        ["nm", "--format=sysv", file], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    for line in lines:
        fields = [x.strip() for x in line.split("|")]
        # On arm64, $x and $d mark code and data: binutils of another architecture list them.
        if len(fields) == 7 and fields[1] and fields[2] in CODE and fields[0][0] != "$":
            size = int(fields[4], 16) if fields[4] else 0
            yield COPY.sub("", fields[0]), int(fields[1], 16), size, fields[6]


class Symbols:
    """Functions by address."""

    def __init__(self, functions: Iterable[tuple[int, int, str]]) -> None:
        """Takes (address, size, name); without a size, a function ends at the next one."""
        self._functions = sorted(functions)
        self._starts = [x[0] for x in self._functions]
        self._known: dict[int, str] = {}

    def name(self, address: int) -> str:
        """The name of the function at `address`."""
        found = self._known.get(address)
        if found is None:
            found = self._known[address] = self._find(address)
        return found

    def _find(self, address: int) -> str:
        if address < USER_END:
            return USER
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return UNKNOWN
        start, size, name = self._functions[index]
        return name if not size or address < start + size else UNKNOWN


def module_files(root: Path) -> dict[str, Path]:
    """The modules below a directory, by their names in the kernel."""
    return {f.stem.replace("-", "_"): f for f in root.rglob("*.ko")}


def kernel_symbols(
    vmlinux: Path, files: dict[str, Path], sections: dict[tuple[str, str], int]
) -> Symbols:
    """The functions of the image, and of the modules, whose sections are loaded at `sections`."""
    functions = [(value, size, name) for name, value, size, _ in _nm(vmlinux)]
    for module in {m for m, _ in sections} & files.keys():
        for name, value, size, section in _nm(files[module]):
            base = sections.get((module, section))
            if base is not None:
                functions.append((base + value, size, f"{name} [{module}]"))
    return Symbols(functions)
