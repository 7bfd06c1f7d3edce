# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The same random sequences on the peer: all differences are known ones."""

import subprocess

import pytest
from fuzzing import trace
from fuzzing.differences import DIFFERENCES
from guestpytest.plugin import kernels_of
from vmrun.paths import ROOT

FUZZ = ROOT / "scripts" / "fuzz"
LIMIT = 600


@pytest.mark.full
def test_peer(pytestconfig: pytest.Config) -> None:
    if "main" not in kernels_of(pytestconfig):
        pytest.skip("our main kernel is not among the kernels of this run")
    words = ["--compare", "--kernel", "main", "--seed", "1", "--sequences", "150"]
    done = subprocess.run(
        [FUZZ, *words], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


HERE = """SEQUENCE 7 plain
0 ioas_alloc flags 0 = 0
1 map_va ioas0 anon = 0
1 > iova
2 unmap ioas0 = 0
"""


def test_compare() -> None:
    """A difference is found unless it is listed; after a lasting one, nothing is compared."""
    there = HERE.replace("map_va ioas0 anon = 0", "map_va ioas0 anon = EINVAL")
    there = there.replace("2 unmap ioas0 = 0", "2 unmap ioas0 = ENOENT")
    here = trace.parse(HERE)
    found, _ = trace.compare(here, trace.parse(there), ())
    assert [(x.seed, x.here.splitlines()[0]) for x in found] == [(7, "1 map_va ioas0 anon = 0")]
    listed = trace.Listed("map_va .*= 0", "= EINVAL", "a reason")
    found, met = trace.compare(here, trace.parse(there), (listed,))
    assert [x.there for x in found] == ["2 unmap ioas0 = ENOENT"]
    assert met == {"a reason": 1}
    lasting = trace.Listed("map_va .*= 0", "= EINVAL", "a reason", same_state=False)
    assert trace.compare(here, trace.parse(there), (lasting,))[0] == []
    assert trace.compare(here, trace.parse(HERE), DIFFERENCES) == ([], {})
