# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The results of `make install`, and its files other than programs: unit, completion, dashboard."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
BIN = TOP / "build" / "bin"
COMPLETION = TOP / "tools" / "completion" / "iommufd-tools.bash"
TOOLS = sorted(path.name for path in (TOP / "tools").glob("iommufd-*"))
POLICIES = sorted(path.name.removesuffix(".c") for path in (TOP / "bpf").glob("policy_*.bpf.c"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed files, for the PREFIX /opt/dma."""
    root = tmp_path_factory.mktemp("root")
    command = ["make", "-s", "-C", TOP / "tools", "install", "PREFIX=/opt/dma", f"DESTDIR={root}"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return root


def test_files(root: Path) -> None:
    """Everything in its place, readable by all users, and nothing else."""
    prefix = root / "opt" / "dma"
    places = {
        "sbin": TOOLS,
        "share/man/man8": [f"{name}.8" for name in TOOLS],
        "share/bash-completion/completions": ["iommufd-tools", *TOOLS],
        "share/iommufd-bpf/bpftrace": [path.name for path in (TOP / "bpftrace").glob("*.bt")],
        "share/iommufd-bpf/dashboards": ["iommufd-alerts.yml", "iommufd.json"],
        "lib/iommufd-bpf": [f"{name.removesuffix('.bpf')}.bpf.o" for name in POLICIES],
        "lib/systemd/system": ["iommufd-exporter.service"],
    }
    wanted = {f"{place}/{name}" for place, names in places.items() for name in names}
    found = [path for path in root.rglob("*") if not path.is_dir()]
    assert {str(path.relative_to(prefix)) for path in found} == wanted
    for path in found:
        mode = 0o755 if path.parent.name in ("sbin", "bpftrace") else 0o644
        assert path.stat().st_mode & 0o777 == mode, path


def test_unit(root: Path, tmp_path: Path) -> None:
    """It starts the installed program, with three capabilities, and systemd accepts it."""
    unit = root / "opt/dma/lib/systemd/system/iommufd-exporter.service"
    text = unit.read_text()
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert command == "/opt/dma/sbin/iommufd-exporter"
    (bounds,) = re.findall(r"^CapabilityBoundingSet=(.*)$", text, re.MULTILINE)
    assert bounds.split() == ["CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN"]
    if not shutil.which("systemd-analyze"):
        return
    here = tmp_path / unit.name
    here.write_text(text.replace(command, str(root) + command))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", here], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def complete(*words: str, typed: str = "") -> list[str]:
    """The completions that bash offers for the last word of a command line, which is `typed`."""
    line = " ".join(map(shlex.quote, words))
    script = (
        f"source {shlex.quote(str(COMPLETION))}; COMP_WORDS=({line});"
        f" COMP_LINE={shlex.quote(typed)}; COMP_POINT={len(typed)};"
        f" COMP_CWORD={len(words) - 1};"
        f' _iommufd_tools "${{COMP_WORDS[0]}}" {shlex.quote(words[-1])} {shlex.quote(words[-2])};'
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{BIN}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("name", TOOLS)
def test_completion(name: str) -> None:
    """Every option that a tool takes, and no other."""
    # argp itself lists them in --usage.
    usage = subprocess.run([BIN / name, "--usage"], capture_output=True, text=True).stdout
    options = set(re.findall(r"\[[^]\s]*?(--[a-z-]+)", usage))
    assert {"--help", "--version"} <= options
    assert set(complete(name, "-")) == options
    assert complete(name, "--verb") == ["--verbose"]
    known = subprocess.run(
        ["bash", "-c", f"source {COMPLETION}; complete -p {name}"], capture_output=True, text=True
    )
    assert "-F _iommufd_tools" in known.stdout


def test_completion_of_the_rest() -> None:
    """Commands of iommufd-policy, processes, a command after --, and PCI addresses."""
    commands = {"load", "list", "show", "set", "update", "log", "unload"}
    assert set(complete("iommufd-policy", "")) == commands
    assert complete("iommufd-policy", "unl") == ["unload"]
    bundled = {name.removeprefix("policy_").removesuffix(".bpf") for name in POLICIES}
    assert set(complete("iommufd-policy", "load", "")) == bundled
    assert complete("iommufd-policy", "load", "pin") == ["pinlimit"]
    pid = str(os.getpid())
    for words in (["--pid", pid], ["--pid", "=", pid], ["-p", pid]):
        assert pid in complete("iommufd-pins", *words)
    assert "--verbose" not in complete("iommufd-maplat", "--by", "-")
    assert "bash" in complete("iommufd-why", "--", "bas")
    for address in (path.name for path in Path("/sys/bus/pci/devices").glob("*")):
        rest = address.rpartition(":")[2]
        typed = f"iommufd-doctor -j {address[:-1]}"
        assert rest in complete("iommufd-doctor", "-j", rest[:-1], typed=typed)
        assert address in complete("iommufd-doctor", "", typed="iommufd-doctor ")
    assert complete("iommufd-why", "--", "bash", "-") == []


def test_dashboard() -> None:
    """Its panels do not overlap, and each has a query of its own."""
    board = json.loads((TOP / "dashboards" / "iommufd.json").read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    variables = {f"${variable['name']}" for variable in board["templating"]["list"]}
    for panel in panels:
        assert panel["targets"]
        for target in panel["targets"]:
            used = set(re.findall(r"\$\w+", target["expr"])) - {"$__rate_interval"}
            assert used <= variables
