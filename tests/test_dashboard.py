# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The dashboard has the form that Grafana declares for dashboards, with no other members."""

import json
import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
DASHBOARD = TOP / "dashboards" / "iommufd.json"
HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "iommufd-bpf")
NODE = Path(os.environ.get("IOMMUFD_CACHE") or HOME) / "npm" / "node_modules"
TYPES = NODE / "@grafana/schema/dist/types/raw/dashboard/x/types.gen"
OPTIONS = (
    *("--noEmit", "--strict", "--skipLibCheck"),
    *("--module", "esnext", "--moduleResolution", "bundler"),
)


def mistakes(board: dict, folder: Path) -> list[str]:
    """Lines of the compiler about a dashboard."""
    if not TYPES.with_suffix(".gen.d.ts").exists():
        pytest.skip("Grafana's types are missing: scripts/setup --full fetches them")
    source = folder / "board.ts"
    source.write_text(
        f'import type {{ Dashboard }} from "{TYPES}";\n'
        f"export const board: Dashboard = {json.dumps(board, indent=1)};\n"
    )
    compiler = NODE / ".bin" / "tsc"
    done = subprocess.run([compiler, *OPTIONS, source], capture_output=True, text=True, cwd=folder)
    return done.stdout.splitlines()


def test_types(tmp_path: Path) -> None:
    board = json.loads(DASHBOARD.read_text())
    assert mistakes(board, tmp_path) == []
    # A unit at the wrong place, which Grafana ignores.
    board["panels"][0]["fieldConfig"]["defaults"] = {"defaults": {"unit": "short"}}
    (mistake,) = mistakes(board, tmp_path)
    assert "'\"defaults\"' does not exist in type 'FieldConfig'" in mistake
