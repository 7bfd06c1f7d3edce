# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line of iommufd-policy: refusals that need no kernel."""

import subprocess

import pytest
import tool_runner


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return tool_runner.run("iommufd-policy", *arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no command given"),
        (["frobnicate"], "there is no command 'frobnicate'"),
        (["load"], "load needs a FILE"),
        (["show"], "show needs the NAME of a policy"),
        (["update", "quota"], "update needs a FILE"),
        (["set", "quota"], "set needs VAR=VALUE"),
        (["set", "quota", "limit"], "a setting has the form VAR=VALUE, not 'limit'"),
        (["load", "quota", "--set", "=1"], "a setting has the form VAR=VALUE, not '=1'"),
        (["load", "quota", "more"], "unexpected argument 'more'"),
        (["load", "quota", "--priority", "high"], "must be a 32-bit number, not 'high'"),
        (["load", "quota", "--priority", "2147483648"], "the priority must be a 32-bit number"),
        (["load", "quota", "--name", "sixteen-letters-"], "a name must have 1 to 15 characters"),
        (["load", "quota", "--name", "a/b"], "no / and no leading ."),
        (["update", "quota", "quota", "--name", "a"], "--name is only for load"),
        (["load", "quota", "--fresh"], "--fresh is only for update"),
        (["log"], "log needs the NAME of a policy"),
        (["show", "audit", "--follow"], "--follow is only for log"),
        (["list", "--priority", "1"], "are only for load and update"),
    ],
)
def test_usage(arguments: list[str], says: str) -> None:
    refused = run(*arguments)
    assert refused.returncode == 64
    assert says in refused.stderr
    assert refused.stdout == ""
