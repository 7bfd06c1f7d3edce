# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd.uapi against the header that it is a copy of."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from iommufd import uapi
from vmrun.paths import BUILD

HEADER = BUILD / "linux" / "pristine" / "include" / "uapi" / "linux" / "iommufd.h"


def structures() -> dict[str, type[ctypes.Structure]]:
    """By their C names, which the docstrings begin with."""
    found = {}
    for value in vars(uapi).values():
        if isinstance(value, type) and issubclass(value, ctypes.Structure):
            match = re.match(r"struct (\w+)", value.__doc__ or "")
            if match:
                found[match[1]] = value
    return found


def enumerators() -> dict[str, int]:
    """Constants by their C names."""
    found = {}
    for name, value in vars(uapi).items():
        if name.isupper() and isinstance(value, int) and not name.startswith(("U64", "CMD")):
            prefix = "IOMMU_IOAS_" if name.startswith("MAP_") else "IOMMU_"
            if name.startswith("PAGE_RESP"):
                prefix = "IOMMUFD_"
            found[prefix + name] = value
    return found


def program() -> str:
    """Prints sizes, offsets and values, one a line."""
    lines = ["#include <stddef.h>", "#include <stdio.h>", '#include "iommufd.h"', "int main(){"]
    for name, kind in structures().items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        lines += [
            f'printf("{name}.{field} %zu\\n", offsetof(struct {name}, {field}));'
            for field, *_ in kind._fields_
        ]
    values = [f"IOMMU_{n}" for n in uapi.COMMANDS] + list(enumerators())
    lines += [f'printf("{v} %lld\\n", (long long){v});' for v in values]
    return "\n".join([*lines, "}"])


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the compiler makes of the header."""
    folder: Path = tmp_path_factory.mktemp("uapi")
    shutil.copy(HEADER, folder)
    (folder / "main.c").write_text(program())
    subprocess.run(["cc", "-o", "main", "main.c"], cwd=folder, check=True)
    out = subprocess.run([folder / "main"], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in map(str.split, out.splitlines())}


def test_layout(truth: dict[str, int]) -> None:
    for name, kind in structures().items():
        assert ctypes.sizeof(kind) == truth[name], name
        for field, *_ in kind._fields_:
            assert getattr(kind, field).offset == truth[f"{name}.{field}"], f"{name}.{field}"


def test_values(truth: dict[str, int]) -> None:
    assert {n: truth[n] for n in enumerators()} == enumerators()
    assert {n: truth[f"IOMMU_{n}"] for n in uapi.COMMANDS} == uapi.NUMBER


def test_complete() -> None:
    """Every structure and every command of the header is there."""
    text = HEADER.read_text()
    assert set(re.findall(r"^struct (\w+) \{", text, re.MULTILINE)) == set(structures())
    # DESTROY has no number of its own, but then BASE has.
    assert len(re.findall(r"^\tIOMMUFD_CMD_\w+ = 0x", text, re.MULTILINE)) == len(uapi.COMMANDS)
