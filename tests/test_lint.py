# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""scripts/layers and scripts/lint.d/words.py, on small trees."""

import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
ORDER = "scripts/layers.d/layers.toml"

KERNEL = {
    "main.c": '#include <linux/fs.h>\n#include "core/ctx.h"\n#include "mock/mock.h"\n',
    "mock/mock.h": '#include "iommufd_test.h"\n',
    "mock/bus.c": '#include "iommu-priv.h"\n#include "core/ctx.h"\n',
    "core/ctx.h": "",
    "core/object.c": '#include "ctx.h"\n#include "core/ctx.h"\n',
}
LAYERS = 'layers = [["main"], ["mock"], ["core"]]\n[exceptions]\n'


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def layers(root: Path, *args: str) -> tuple[int, list[str]]:
    """Exit status and lines."""
    done = subprocess.run(
        [TOP / "scripts" / "layers", "--root", root, *args],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(tmp_path / "kernel", KERNEL)
    write(tmp_path, {ORDER: LAYERS})
    return tmp_path


def test_layers(tree: Path) -> None:
    """A graph of all includes but the base kernel's, and of those from another room."""
    assert layers(tree, "--check") == (0, [])
    assert layers(tree) == (0, ["main  mock 1, core 1", "mock  core 1", "core  -"])


def test_upwards(tree: Path) -> None:
    """It is printed with the file and the header."""
    write(tree / "kernel", {"core/object.c": '#include "mock/mock.h"\n'})
    complaint = "kernel/core/object.c: includes mock/mock.h (core -> mock)"
    assert layers(tree, "--check") == (1, [complaint])
    graph = ["main  mock 1, core 1", "mock  core 1", "core  -; UPWARDS: mock 1"]
    assert layers(tree) == (0, [*graph, "", complaint])


@pytest.mark.parametrize("pattern", ["core/object.c -> mock/mock.h", "core/*.c -> mock/mock.h"])
def test_exception(tree: Path, pattern: str) -> None:
    """It allows an include as long as that exists."""
    write(tree, {ORDER: f'{LAYERS}"{pattern}" = "hooks of the mock"\n'})
    complaint = f'{ORDER}: exception "{pattern}": no such include points upwards'
    assert layers(tree, "--check") == (1, [complaint])
    write(tree / "kernel", {"core/object.c": '#include "mock/mock.h"\n'})
    assert layers(tree, "--check") == (0, [])


def test_one_layer(tree: Path) -> None:
    """Rooms in the same layer must not include each other."""
    write(tree, {ORDER: LAYERS.replace('"mock"], [', '"mock", ')})
    complaint = "kernel/mock/bus.c: includes core/ctx.h (mock -> core)"
    assert layers(tree, "--check") == (1, [complaint])


def test_rooms(tree: Path) -> None:
    """Each room is in a layer, and each layer has files."""
    write(tree, {ORDER: LAYERS.replace("mock", "vfio")})
    complaints = [f"kernel/mock: in no layer of {ORDER}", f"{ORDER}: vfio: no such room in kernel/"]
    assert layers(tree, "--check") == (1, complaints)


# "_" is the space of an expression that would be found in this file, too.
TEXTS = {
    "a.c": [
        ("/*\n * Good. Who_looks\n * on\n * does without.\n */\n", 2),
        ("/* @ioas: What_it is */\n", 1),
        ("/* What is it? What it prints: all. */\n", None),
        ("// so\n// many\nint so, many;\n", 1),
        ("int x; /* 0 if there is none */\n", None),
        ('int x;\nfail("there "\n     "is_none", x);\n', 3),
        ("int so_many;\n", None),
    ],
    "a.py": [
        ('"""Good.\n\nWhat_is\nmissing.\n"""\n', 3),
        ("x = 1 # told_of\n", 1),
        ('fail("so_" "many")\n', 1),
        ('run("nobody")\n', None),
    ],
    "a.md": [
        ("# What it prints\n\n    so_many\n\n```\nso_many\n```\n", None),
        ("| a | Good. |\n| b | What_fails. |\n", 2),
    ],
    "a.8": [
        (".SH What it prints\n.nf\nso_many\n.fi\n", None),
        ("This is\n.B so_\nmany.\n", 2),
    ],
    "a.sh": [("#!/bin/sh\n# for\n# ever\n", 2), ("die 'lets_go'\n", 1)],
}


@pytest.mark.parametrize(
    ("name", "text", "line"), [(name, *case) for name, cases in TEXTS.items() for case in cases]
)
def test_words(tmp_path: Path, name: str, text: str, line: int | None) -> None:
    """Found in prose of any kind, across lines, and not in code."""
    path = tmp_path / name
    path.write_text(text.replace("_", " "))
    done = subprocess.run(
        ["/usr/bin/python3", TOP / "scripts" / "lint.d" / "words.py", path],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == (line is not None)
    assert [found.split(": ")[0] for found in done.stdout.splitlines()] == (
        [f"{path}:{line}"] if line else []
    )
