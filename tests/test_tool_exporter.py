# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line of iommufd-exporter, on the host, built with the sanitizers."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
from test_tools_lib import build

__all__ = ["build"]

NAME = "iommufd-exporter"
TOP = Path(__file__).resolve().parent.parent


def run(build: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [build / "bin" / NAME, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--contexts", "-1"], "'-1' is not a valid number"),
        (["--contexts", "many"], "'many' is not a valid number"),
        (["--mode", "rw"], "the permissions must be octal, up to 777, not 'rw'"),
        (["--mode", "1777"], "the permissions must be octal, up to 777, not '1777'"),
        (["5"], "unexpected argument '5'"),
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
        ("127.0.0.1:nonesuch", "can't resolve the address '127.0.0.1:nonesuch': "),
        ("127.0.0.1:" + "9" * 2000, "999' is not a port: it must be from 0 to 65535"),
        (":99999", "'99999' is not a port: it must be from 0 to 65535"),
        (":65536", "'65536' is not a port: it must be from 0 to 65535"),
        ("/nonesuch/socket", "can't listen at /nonesuch/socket: No such file or directory"),
        ("/tmp/" + "x" * 200, "File name too long"),
    ],
)
def test_addresses(build: Path, address: str, says: str) -> None:
    """An address that it cannot listen at is reported first of all."""
    refused = run(build, "--listen", address)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"{NAME}: ")
    assert says in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_all_addresses_include_ipv6(build: Path) -> None:
    """Without an address it listens at those of IPv6, too."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        address = f":{taken.getsockname()[1]}"
        refused = run(build, "--listen", address)
    says = f"{NAME}: can't listen at {address}: Address already in use\n"
    assert (refused.returncode, refused.stderr) == (1, says)


def test_port_in_use(build: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = run(build, "--listen", address)
    says = f"{NAME}: can't listen at {address}: Address already in use\n"
    assert (refused.returncode, refused.stderr) == (1, says)


SCRAPES = """
import sys
from pathlib import Path

import tool_runner
from iommufd_exporter import Exporter
from iommufd import mem
from iommufd.ctx import Context

tool_runner.BIN = Path(sys.argv[1])
with Exporter() as exporter, Context() as context, mem.anonymous(4096) as buffer:
    for maps in (1, 2, 3):
        ioas = context.ioas_alloc()
        context.map(ioas, buffer)
        assert exporter.scrape().value("iommufd_context_maps_total") == maps
        context.destroy(ioas)
    statuses = [exporter.ask(path, "POST", bytes(9999)).status for path in ("/", "/nonesuch")]
    assert statuses == [405, 404]
    exporter.text()
"""


def test_sanitized_in_guest(build: Path, any_kernel: str) -> None:
    """All of it at work, and nothing is left at the end."""
    vm = ["scripts/vm", "--kernel", any_kernel, "--"]
    done = subprocess.run(
        [*vm, "/usr/bin/python3", "-c", SCRAPES, build / "bin"],
        capture_output=True,
        text=True,
        cwd=TOP,
        timeout=300,
        env={**os.environ, "PYTHONPATH": "tests/lib:scripts/vm.d"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
