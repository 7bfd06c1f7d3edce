# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd.uapi and iommufd.mock_uapi match the headers that they mirror."""

import ctypes
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from iommufd import mock_uapi, uapi
from vmrun.paths import BUILD

LINUX = BUILD / "linux" / "pristine"
UAPI = LINUX / "include" / "uapi" / "linux" / "iommufd.h"
# The one header of that directory that we share: tests outside the kernel use it too.
MOCK = LINUX / "drivers" / "iommu" / "iommufd" / "iommufd_test.h"


def structures(module: ModuleType) -> dict[str, type[ctypes.Structure]]:
    """The structures by their C names, with which their docstrings begin."""
    found = {}
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, ctypes.Structure):
            match = re.match(r"struct (\w+)", value.__doc__ or "")
            if match and value.__module__ == module.__name__:
                found[match[1]] = value
    return found


def offsets(kind: type[ctypes.Structure], path: str = "", base: int = 0) -> Iterator:
    """Each field and its offset, including fields of nested structures."""
    for field, of, *_ in kind._fields_:
        offset = base + getattr(kind, field).offset
        # C names the members of an anonymous union as if they belonged to the outer structure.
        anonymous = field in getattr(kind, "_anonymous_", ())
        name = path if anonymous else f"{path}{field}"
        if not anonymous:
            yield name, offset
        if issubclass(of, (ctypes.Structure, ctypes.Union)):
            yield from offsets(of, name if anonymous else f"{name}.", offset)


def uapi_values() -> dict[str, int]:
    """Constants by their C names."""
    found = {f"IOMMU_{name}": number for name, number in uapi.NUMBER.items()}
    for name, value in vars(uapi).items():
        if name.isupper() and isinstance(value, int) and not name.startswith(("U64", "CMD")):
            prefix = "IOMMU_IOAS_" if name.startswith("MAP_") else "IOMMU_"
            if name.startswith("PAGE_RESP"):
                prefix = "IOMMUFD_"
            found[prefix + name] = value
    return found


def mock_values() -> dict[str, int]:
    """Constants by their C names."""
    found = {f"IOMMU_TEST_OP_{name}": number for name, number in mock_uapi.OP.items()}
    for name, value in vars(mock_uapi).items():
        if name.startswith(("MOCK_", "IOMMU_")):
            found[name] = value
    return {**found, "IOMMU_TEST_CMD": mock_uapi.TEST_CMD}


COPIES = {uapi: (UAPI, uapi_values()), mock_uapi: (MOCK, mock_values())}
each_copy = pytest.mark.parametrize("module", COPIES, ids=lambda m: m.__name__)


def program() -> str:
    """Prints sizes, offsets and values, one a line."""
    lines = ["#include <stddef.h>", "#include <stdio.h>", '#include "iommufd_test.h"']
    lines.append("int main(){")
    for module, (_, values) in COPIES.items():
        for name, kind in structures(module).items():
            lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
            lines += [
                f'printf("{name}.{field} %zu\\n", offsetof(struct {name}, {field}));'
                for field, _ in offsets(kind)
            ]
        lines += [f'printf("{v} %lld\\n", (long long){v});' for v in values]
    return "\n".join([*lines, "}"])


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The values according to the compiler."""
    folder: Path = tmp_path_factory.mktemp("uapi")
    (folder / "linux").mkdir()
    shutil.copy(UAPI, folder / "linux")
    shutil.copy(MOCK, folder)
    (folder / "main.c").write_text(program())
    subprocess.run(["cc", "-I.", "-o", "main", "main.c"], cwd=folder, check=True)
    out = subprocess.run([folder / "main"], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in map(str.split, out.splitlines())}


@each_copy
def test_layout(truth: dict[str, int], module: ModuleType) -> None:
    for name, kind in structures(module).items():
        assert ctypes.sizeof(kind) == truth[name], name
        for field, offset in offsets(kind):
            assert offset == truth[f"{name}.{field}"], f"{name}.{field}"


@each_copy
def test_values(truth: dict[str, int], module: ModuleType) -> None:
    values = COPIES[module][1]
    assert {name: truth[name] for name in values} == values


@each_copy
def test_complete(module: ModuleType) -> None:
    """Every structure, command and operation of the header is there."""
    header, values = COPIES[module]
    text = header.read_text()
    assert set(re.findall(r"^struct (\w+) \{", text, re.MULTILINE)) == set(structures(module))
    # DESTROY has no number of its own: it is the base.
    commands = re.findall(r"^\tIOMMUFD_CMD_\w+ = 0x", text, re.MULTILINE)
    assert len(commands) == (len(uapi.COMMANDS) if module is uapi else 0)
    operations = re.findall(r"^\t((?:IOMMU_TEST_OP|MOCK)_\w+)(?: = .*)?,", text, re.MULTILINE)
    assert set(operations) <= set(values)
