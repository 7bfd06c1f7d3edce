# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line of iommufd-exporter, on the host, built with the sanitizers."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from test_tools_lib import build

__all__ = ["build"]

NAME = "iommufd-exporter"
PAGE = Path(__file__).resolve().parent.parent / "tools" / NAME / f"{NAME}.8"


def run(build: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [build / "bin" / NAME, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_help(build: Path) -> None:
    """It and the manual page tell of the same options; the page is clean for man."""
    shown = run(build, "--help")
    assert shown.returncode == 0
    assert f"Usage: {NAME} [OPTION...]\n" in shown.stdout
    assert "Examples:" in shown.stdout
    text = PAGE.read_text().replace("\\-", "-")
    for option in re.findall(r"--[a-z]+", shown.stdout):
        assert option in text
    if shutil.which("man"):
        checked = subprocess.run(["man", "--warnings", "-l", PAGE], capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--contexts", "-1"], "there is no number '-1'"),
        (["--contexts", "many"], "there is no number 'many'"),
        (["5"], "there is no use for '5'"),
        (["--frobnicate"], "unrecognized option"),
    ],
)
def test_usage(build: Path, arguments: list[str], says: str) -> None:
    refused = run(build, *arguments)
    assert refused.returncode == 64
    assert says in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "'' is neither ADDR:PORT nor /PATH"),
        ("9899", "'9899' is neither ADDR:PORT nor /PATH"),
        ("127.0.0.1:", "'127.0.0.1:' is neither ADDR:PORT nor /PATH"),
        ("::1:9899", "'::1:9899' is neither ADDR:PORT nor /PATH"),
        ("127.0.0.1:nonesuch", "there is no address '127.0.0.1:nonesuch': "),
        ("127.0.0.1:" + "9" * 2000, "there is no address '127.0.0.1:9999"),
        ("/nonesuch/socket", "can't listen at /nonesuch/socket: No such file or directory"),
        ("/tmp/" + "x" * 200, "File name too long"),
    ],
)
def test_addresses(build: Path, address: str, says: str) -> None:
    """What it can't listen at is said first of all."""
    refused = run(build, "--listen", address)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"{NAME}: ")
    assert says in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_port_in_use(build: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = run(build, "--listen", address)
    says = f"{NAME}: can't listen at {address}: Address already in use\n"
    assert (refused.returncode, refused.stderr) == (1, says)
