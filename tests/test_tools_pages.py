# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tools' documentation: --help and the manual page."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
TOOLS = sorted(path.name for path in (TOP / "tools").glob("iommufd-*"))
# It loads no BPF programs, so it needs no privileges.
DOCTOR = "iommufd-doctor"
ARGUMENTS = {
    DOCTOR: "[DEVICE...]",
    "iommufd-exporter": "",
    "iommufd-policy": "load FILE",
    "iommufd-top": "[-- COMMAND [ARG...]]",
    "iommufd-why": "[-- COMMAND [ARG...]]",
}


def page(name: str) -> Path:
    return TOP / "tools" / name / f"{name}.8"


def sections(name: str) -> dict[str, str]:
    parts = re.split(r"^\.SH (.*)\n", page(name).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", TOOLS)
def test_help(name: str) -> None:
    """It lists the same options as the manual page."""

    def shown(option: str) -> str:
        command = [TOP / "build" / "bin" / name, option]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    text = shown("--help")
    usage = f"Usage: {name} [OPTION...] {ARGUMENTS.get(name, '[INTERVAL [COUNT]]')}".rstrip()
    assert text.startswith(usage + "\n")
    assert "Examples:" in text
    assert shown("--version").startswith(f"{name} ")
    options = set(re.findall(r"--[a-z]+", text))
    assert options <= set(re.findall(r"--[a-z]+", page(name).read_text().replace("\\-", "-")))


@pytest.mark.parametrize("name", TOOLS)
def test_page(name: str) -> None:
    """It has no errors according to man, and states the same requirements as the other pages."""
    if shutil.which("man"):
        shown = subprocess.run(
            ["man", "--warnings", "-l", page(name)], capture_output=True, text=True
        )
        assert (shown.returncode, shown.stderr) == (0, "")
    if name != DOCTOR:
        assert sections(name)["PRIVILEGES"].startswith(sections("iommufd-faults")["PRIVILEGES"])
