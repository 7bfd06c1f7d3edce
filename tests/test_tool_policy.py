# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line of iommufd-policy, which needs no kernel to be refused."""

import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
TOOL = TOP / "build" / "bin" / "iommufd-policy"


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "which command?"),
        (["frobnicate"], "there is no command 'frobnicate'"),
        (["load"], "load needs a FILE"),
        (["show"], "show needs the NAME of a policy"),
        (["update", "quota"], "update needs a FILE"),
        (["set", "quota"], "set needs VAR=VALUE"),
        (["set", "quota", "limit"], "a setting is VAR=VALUE, not 'limit'"),
        (["load", "quota", "--set", "=1"], "a setting is VAR=VALUE, not '=1'"),
        (["load", "quota", "more"], "there is no use for 'more'"),
        (["load", "quota", "--priority", "high"], "the priority is a number, not 'high'"),
        (["load", "quota", "--priority", "2147483648"], "the priority is a number"),
        (["load", "quota", "--name", "sixteen-letters-"], "a name has 1 to 15 characters"),
        (["load", "quota", "--name", "a/b"], "no / and no . at its beginning"),
        (["update", "quota", "quota", "--name", "a"], "--name is of load"),
        (["load", "quota", "--fresh"], "--fresh is of update"),
        (["log"], "log needs the NAME of a policy"),
        (["show", "audit", "--follow"], "--follow is of log"),
        (["list", "--priority", "1"], "are of load and update"),
    ],
)
def test_usage(arguments: list[str], says: str) -> None:
    refused = run(*arguments)
    assert refused.returncode == 64
    assert says in refused.stderr
    assert refused.stdout == ""
