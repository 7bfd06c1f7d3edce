# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Finds lines of kernel/ that were never reached, from the addresses that KCOV has recorded."""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

MARK = "__sanitizer_cov_trace_pc"
OURS = "drivers/iommu/iommufd/"
ADDRESS = re.compile(r"^\s*([0-9a-f]+):")


def blocks(vmlinux: Path) -> list[int]:
    """The return addresses of our code's calls to KCOV, one for each block."""
    command = ["objdump", "-d", "--no-show-raw-insn", str(vmlinux)]
    found, called = [], False
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            match = ADDRESS.match(line)
            if not match:
                continue
            if called:
                found.append(int(match[1], 16))
            called = MARK in line and "call" in line
    return found


def lines_of(vmlinux: Path, addresses: Iterable[int]) -> dict[int, tuple[str, int]]:
    """The file and line of each address in our code."""
    # The call itself belongs to the line; the instruction after it may belong to another.
    wanted = list(addresses)
    done = subprocess.run(
        ["addr2line", "-e", str(vmlinux)],
        input="\n".join(f"{a - 1:#x}" for a in wanted),
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for address, place in zip(wanted, done.stdout.splitlines(), strict=True):
        name, _, line = place.split(" ")[0].rpartition(":")
        if OURS in name and line.isdigit():
            found[address] = (name.split(OURS)[1], int(line))
    return found


def missed(vmlinux: Path, reached: set[int]) -> dict[str, tuple[int, int, list[int]]]:
    """For each file: how many blocks it has, how many were reached, and the lines that were not."""
    places = lines_of(vmlinux, blocks(vmlinux))
    total: dict[str, int] = defaultdict(int)
    hit: dict[str, int] = defaultdict(int)
    seen, lost = set(), defaultdict(set)
    for address, (name, line) in places.items():
        total[name] += 1
        if address in reached:
            hit[name] += 1
            seen.add((name, line))
    for address, (name, line) in places.items():
        if address not in reached and (name, line) not in seen:
            lost[name].add(line)
    return {name: (total[name], hit[name], sorted(lost[name])) for name in sorted(total)}


def report(vmlinux: Path, reached: set[int], source: Path) -> str:
    """One line for each file, followed by the lines that were never reached."""
    text, all_blocks, all_hit = [], 0, 0
    for name, (total, hit, lost) in missed(vmlinux, reached).items():
        all_blocks += total
        all_hit += hit
        text.append(f"{name}: {hit} of {total} blocks")
        path = source / name
        code = path.read_text().splitlines() if path.exists() else []
        text += [f"  {n}: {code[n - 1].strip() if n <= len(code) else ''}" for n in lost]
    text.append(f"all: {all_hit} of {all_blocks} blocks")
    return "\n".join(text) + "\n"
