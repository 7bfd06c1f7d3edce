# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How the monitoring tools end: by signals, on a closed pipe, or on a full disk."""

import signal
import subprocess
from collections.abc import Iterator

import pytest
from bpfobject import programs
from tool_runner import BIN, Tool

pytestmark = pytest.mark.guest(kernels="bpf")

# Tools that print although nothing happens.
SPEAKING = [("iommufd-maplat", "0.01"), ("iommufd-pins", "0.01"), ("iommufd-faults", "0.01")]
# The programs that they load.
PROGRAMS = {"maplat_map", "pins_map", "fault_report", "list_all"}


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No program remains in the kernel."""
    yield
    assert not PROGRAMS & programs()


@pytest.mark.parametrize("command", SPEAKING, ids=lambda command: command[0])
def test_reader_that_has_seen_enough(command: tuple[str, ...]) -> None:
    """A closed pipe is no error."""
    with Tool(*command, quiet="pins" in command[0]) as tool:
        assert tool.out.readline()
        tool.out.close()
        assert tool.process.wait(30) == 0
        assert tool.errors.read() == ""


def test_at_rest() -> None:
    """They notice a closed pipe, or a signal, while they have nothing to print."""
    with Tool("iommufd-maplat", "--slower", "0") as tool, Tool("iommufd-faults") as other:
        tool.out.close()
        assert tool.process.wait(30) == 0
        assert tool.errors.read() == ""
        other.text(signal.SIGTERM)


def test_full_disk() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [BIN / "iommufd-pins"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr == "iommufd-pins: can't write: No space left on device\n"
