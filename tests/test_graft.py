# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""scripts/graft: apply, update, undo; on a small tree and on the real one."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent

OURS = {
    "Kconfig": "config IOMMUFD\n\ttristate\n",
    "Makefile": "obj-m += iommufd.o\n",
    "main.c": "int ours;\n",
    "core/object.c": "int object;\n",
    "trace/events.h": "/* events */\n",
}
THEIRS = {
    "Makefile": "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 9\n",
    "Kconfig": "mainmenu\n",
    "include/linux/iommufd.h": "/* public */\n",
    "drivers/iommu/Kconfig": 'source "drivers/iommu/iommufd/Kconfig"\n',
    "drivers/iommu/iommu.c": "int iommu;\n",
    "drivers/iommu/iommufd/Kconfig": "config IOMMUFD\n",
    "drivers/iommu/iommufd/Makefile": "iommufd-y := a.o\n",
    "drivers/iommu/iommufd/a.c": "int theirs;\n",
    "drivers/iommu/iommufd/main.c": "int theirs;\n",
    "drivers/iommu/iommufd/sub/b.c": "int b;\n",
    "drivers/iommu/iommufd/iommufd_test.h": "/* test ioctls */\n",
}
DIR = "drivers/iommu/iommufd"


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def snapshot(root):
    """Every path below root with its kind, mode, time and content."""
    found = {}
    for path in sorted(root.rglob("*")):
        info = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(root))] = (info.st_mode, info.st_mtime_ns, content)
    return found


def outside(found):
    """A snapshot without the replaced directory (and its parent's own time)."""
    return {p: v for p, v in found.items() if not p.startswith(DIR) and p != "drivers/iommu"}


@pytest.fixture
def project(tmp_path):
    """A project with a small kernel/ of its own, so that the test can edit it."""
    root = tmp_path / "project"
    (root / "scripts/lib").mkdir(parents=True)
    shutil.copy(TOP / "scripts/graft", root / "scripts/graft")
    shutil.copy(TOP / "scripts/lib/common.sh", root / "scripts/lib/common.sh")
    write(root / "kernel", OURS)
    return root


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "linux"
    write(root, THEIRS)
    (root / DIR / "a.c").chmod(0o640)
    for path in root.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return root


def graft(project, *args):
    return subprocess.run(
        [project / "scripts/graft", *args], capture_output=True, text=True, check=False
    )


def ours_in(tree):
    base = tree / DIR
    return {
        str(p.relative_to(base)): p.read_text()
        for p in base.rglob("*")
        if p.is_file() and ".upstream" not in p.parts and p.name != ".graft"
    }


def test_graft_puts_ours_in_place_and_keeps_the_test_header(project, tree):
    before = snapshot(tree)
    done = graft(project, tree)
    assert done.returncode == 0, done.stderr
    expected = dict(OURS) | {"iommufd_test.h": THEIRS[f"{DIR}/iommufd_test.h"]}
    assert ours_in(tree) == expected
    assert outside(snapshot(tree)) == outside(before)


def test_undo_restores_everything(project, tree):
    before = snapshot(tree)
    assert graft(project, tree).returncode == 0
    (tree / DIR / "core/object.o").write_text("an object of a build inside the tree")
    done = graft(project, "--undo", tree)
    assert done.returncode == 0, done.stderr
    after = snapshot(tree)
    # Renaming a directory in it changes the time of drivers/iommu itself; nothing else differs.
    before.pop("drivers/iommu")
    after.pop("drivers/iommu")
    assert after == before


def test_update_copies_only_what_changed(project, tree):
    assert graft(project, tree).returncode == 0
    for path in (tree / DIR).rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    write(project / "kernel", {"core/object.c": "int changed;\n", "core/new.c": "int new;\n"})
    (project / "kernel/main.c").touch()
    (project / "kernel/trace/events.h").unlink()
    (project / "kernel/trace").rmdir()
    built = tree / DIR / "main.o"
    built.write_text("an object of a build inside the tree")
    done = graft(project, "--update", tree)
    assert done.returncode == 0, done.stderr
    assert "3 files" in done.stdout
    assert (tree / DIR / "core/object.c").read_text() == "int changed;\n"
    assert (tree / DIR / "core/new.c").read_text() == "int new;\n"
    assert not (tree / DIR / "trace").exists()
    assert (tree / DIR / "main.c").stat().st_mtime == 1_000_000_000
    assert built.exists()
    again = graft(project, "--update", tree)
    assert (again.returncode, again.stdout) == (0, "")


def test_update_grafts_a_tree_that_is_not(project, tree):
    assert graft(project, "--update", tree).returncode == 0
    assert ours_in(tree)["main.c"] == OURS["main.c"]


def test_files_shared_by_hard_links_are_never_written(project, tree, tmp_path):
    twin = tmp_path / "twin"
    shutil.copytree(tree, twin, copy_function=os.link)
    before = snapshot(twin)
    assert graft(project, tree).returncode == 0
    third = tmp_path / "third"
    shutil.copytree(tree, third, copy_function=os.link)
    grafted = snapshot(third)
    write(project / "kernel", {"main.c": "int changed;\n", "core/new.c": "int new;\n"})
    assert graft(project, "--update", tree).returncode == 0
    assert snapshot(third) == grafted
    assert snapshot(twin) == before


@pytest.mark.parametrize(
    "makefile", ["VERSION = 7\nPATCHLEVEL = 2\n", "VERSION = 6\nPATCHLEVEL = 3\n"]
)
def test_another_version_is_refused(project, tree, makefile):
    (tree / "Makefile").write_text(makefile + "SUBLEVEL = 4\n")
    before = snapshot(tree)
    done = graft(project, tree)
    assert done.returncode != 0
    version = makefile.split()[2] + "." + makefile.split()[5] + ".4"
    assert f"is Linux {version}; this iommufd is for 7.3.y only" in done.stderr
    assert snapshot(tree) == before


def test_grafting_twice_is_refused(project, tree):
    assert graft(project, tree).returncode == 0
    before = snapshot(tree)
    done = graft(project, tree)
    assert done.returncode != 0
    assert "is already grafted" in done.stderr
    assert snapshot(tree) == before


def test_undo_without_a_graft_is_refused(project, tree):
    before = snapshot(tree)
    done = graft(project, "--undo", tree)
    assert done.returncode != 0
    assert "is not grafted" in done.stderr
    assert snapshot(tree) == before


def test_what_is_not_a_kernel_tree_is_refused(project, tmp_path):
    done = graft(project, tmp_path)
    assert done.returncode != 0
    assert "is not a Linux source tree" in done.stderr


def test_a_run_that_was_cut_short_is_mended(project, tree):
    before = snapshot(tree)
    # As if killed between the two renames: the tree's own files are already moved away.
    aside = tree / "drivers/iommu/.iommufd.graft"
    aside.mkdir()
    (tree / DIR).rename(aside / ".upstream")
    assert graft(project, tree).returncode == 0
    assert not aside.exists()
    assert ours_in(tree)["main.c"] == OURS["main.c"]
    assert graft(project, "--undo", tree).returncode == 0
    before.pop("drivers/iommu")
    after = snapshot(tree)
    after.pop("drivers/iommu")
    assert after == before


def test_status(project, tree):
    assert graft(project, "--status", tree).stdout == "own\n"
    assert graft(project, tree).returncode == 0
    assert graft(project, "--status", tree).stdout == "grafted\n"


def test_the_trees_built_from_differ_in_that_directory_only():
    """build/linux: outside the replaced directory, both trees are identical."""
    pristine, grafted = TOP / "build/linux/pristine", TOP / "build/linux/grafted"
    if not grafted.is_dir():
        pytest.fail("build/linux/grafted is missing: run `make kernel` first")

    def inodes(root):
        found = {}
        for base, dirs, files in os.walk(root):
            rel = os.path.relpath(base, root)
            if rel == ".":
                dirs[:] = [d for d in dirs if not d.startswith("o-")]
            if rel == "drivers/iommu":
                dirs.remove("iommufd")
            for name in files:
                found[os.path.join(rel, name)] = os.lstat(os.path.join(base, name)).st_ino
        return found

    assert inodes(grafted) == inodes(pristine)
    test_header = f"{DIR}/iommufd_test.h"
    assert (grafted / test_header).read_bytes() == (pristine / test_header).read_bytes()
    listed = (grafted / DIR / ".graft").read_text().split("\n")
    assert {"Kconfig", "Makefile", "main.c"} <= set(listed)
