# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Other tracers read the events too: perf, bpftrace, libbpf. All tests use trace instances."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from iommufd import reasons
from iommufd.ctx import NO_ID
from iommufd.trace import TRACEFS, functions
from vmrun.paths import BUILD, ROOT

BPFTOOL = "/usr/sbin/bpftool"
LIB = ROOT / "tests" / "lib"
# A device of the mock comes and goes, and a request fails.
PROGRAM = f"""
import sys
sys.path.insert(0, "{LIB}")
from iommufd import mock
from iommufd.ctx import NO_ID, Context
with Context() as context:
    with mock.Device(context, context.ioas_alloc()):
        try:
            context.destroy(NO_ID)
        except OSError as error:
            assert error.errno == 2
"""
NO_OBJECT = list(reasons.documented()).index("no_object")

pytestmark = [pytest.mark.guest(kernels="bpf", mock=True), pytest.mark.limit(300)]


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """The command that runs it."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return [sys.executable, str(path)]


def run(*command: str, **environment: str) -> str:
    """Returns its output."""
    environment = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.mark.x86("bpftrace is not among the programs of other guests")
def test_bpftrace(program: list[str]) -> None:
    """Its fields are typed: a name is a string, an errno has its sign."""
    script = """
        tracepoint:iommufd:iommufd_fail {
            printf("fail %x %d %d %x\\n", args->command, args->reason, args->ret, args->first);
        }
        tracepoint:iommufd:iommufd_device_bind {
            printf("bind %s %d\\n", args->device, args->ret);
        }
    """
    # The kernel headers are part of the source, which guests do not have. BTF suffices.
    text = run("bpftrace", "-e", script, "-c", " ".join(program), BPFTRACE_KERNEL_SOURCE="")
    assert re.findall(r"^fail (.*)$", text, flags=re.MULTILINE) == [f"3b80 {NO_OBJECT} -2 7ffffff0"]
    assert re.findall(r"^bind iommufd_mock\d+ 0$", text, flags=re.MULTILINE)


@pytest.mark.skipif(not shutil.which("perf"), reason="there is no perf here")
@pytest.mark.x86("perf is not among the programs of other guests")
def test_perf(program: list[str], tmp_path: Path) -> None:
    """It decodes the fields by the format files, including names of enums."""
    data = str(tmp_path / "perf.data")
    run("perf", "record", "-q", "-o", data, "-e", "iommufd:*", "--", *program)
    text = run("perf", "script", "-i", data, "-F", "comm,event,trace")
    (failed,) = re.findall(r"iommufd:iommufd_fail: (.*)", text)
    assert "reason=no_object ret=-2 first=0x7ffffff0" in failed
    (bound,) = re.findall(r"iommufd:iommufd_device_bind: (.*)", text)
    assert re.search(r"device=iommufd_mock\d+ group=\d+ ret=0", bound)


def test_probes() -> None:
    """Each function can be probed by its name alone, which no variable of the kernel has."""
    control = TRACEFS / "kprobe_events"
    names = functions("iommufd")
    assert "iommufd_cmd_ioas_map" in names
    try:
        probes = (f"p:named/f{number} {name}\n" for number, name in enumerate(names))
        control.write_text("".join(probes))
        assert len(control.read_text().splitlines()) == len(names)
    finally:
        control.write_text("")


@pytest.fixture
def bpffs(tmp_path: Path) -> Iterator[Path]:
    """A file system for pinned BPF objects."""
    folder = tmp_path / "bpf"
    folder.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", folder], check=True)
    yield folder
    # Removes the pinned objects, too.
    subprocess.run(["umount", folder], check=True)


def test_libbpf(program: list[str], bpffs: Path) -> None:
    """A program of tests/bpf that counts failures; bpftool loads it with libbpf."""
    source = str(BUILD / "selftests" / "failures.bpf.o")
    maps = bpffs / "maps"
    load = ("prog", "loadall", source, str(bpffs / "programs"), "pinmaps", str(maps), "autoattach")
    run(BPFTOOL, *load)
    for _ in range(2):
        run(*program)
    (entry,) = json.loads(run(BPFTOOL, "-j", "map", "dump", "pinned", str(maps / "failures")))
    assert entry["formatted"]["key"] == {"command": 0x3B80, "reason": NO_OBJECT}
    assert entry["formatted"]["value"] == {"ret": -2, "first": NO_ID, "second": 0, "times": 2}
