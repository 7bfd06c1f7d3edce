# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A Debian 13 system in a directory, to install packages in.

It is that of scripts/debian-root with a layer in memory on top, in namespaces of its own: what a
test changes ends with the test, and there is no network. Only a compiler cache in /mnt stays.
"""

import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# For a slow machine; never reached if all is well.
LIMIT = 3600

UNSHARE = ["unshare", "--mount", "--net"]

MOUNTS = """
set -e
mount -t tmpfs -o size=3G,mode=755 tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
mount -t proc proc "$2/root/proc"
mkdir -p "$3"
mount --bind "$3" "$2/root/mnt"
echo mounted
exec cat
"""


# The same kinds of mounts, and the device nodes of a system.
TRIAL = """
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/lower /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
mount -t proc proc /mnt/root
mknod /mnt/null c 1 3
"""


def why_not() -> str:
    """Why this machine can't run such a system; empty if it can."""
    if os.geteuid() != 0:
        return "installing packages into a system of its own needs root"
    tried = subprocess.run([*UNSHARE, "sh", "-c", TRIAL], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"no systems here: {tried.stderr.strip()}"


def base() -> Path:
    """The system that all tests start from."""
    made = subprocess.run([TOP / "scripts" / "debian-root"], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return Path(made.stdout.splitlines()[-1])


class System:
    """A running system; ends with the with."""

    # For a script: compile kernel modules through the compiler cache.
    CACHED = "export DEBIAN_KERNEL_USE_CCACHE=1 CCACHE_DIR=/mnt; "

    def __init__(self, base: Path, folder: Path) -> None:
        # Where the host's programs find it, in its namespace (see on_host).
        self.root = folder / "root"
        self._holder = subprocess.Popen(
            [*UNSHARE, "sh", "-c", MOUNTS, "sh", base, folder, f"{base}.ccache"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout
        assert self._holder.stdout.readline() == "mounted\n"
        # The directory of the system, as seen from outside.
        self.path = Path(f"/proc/{self._holder.pid}/root{self.root}")

    def __enter__(self) -> "System":
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.communicate()

    def run(self, script: str) -> tuple[int, str]:
        """Runs a shell script; its exit status and output."""
        enter = [*self._enter(), "chroot", self.root]
        settings = ["PATH=/usr/sbin:/usr/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive"]
        done = subprocess.run(
            [*enter, "env", "-i", *settings, "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
        )
        return done.returncode, done.stdout

    def on_host(self, *command: str | Path) -> None:
        """Runs a program of the host, which sees the system in `root` and has to succeed."""
        done = subprocess.run([*self._enter(), *command], capture_output=True, text=True)
        assert done.returncode == 0, done

    def _enter(self) -> list[str]:
        place = f"/proc/{self._holder.pid}/ns"
        return ["nsenter", f"--mount={place}/mnt", f"--net={place}/net"]

    def output(self, script: str) -> str:
        """The output of a shell script, which has to succeed."""
        status, output = self.run(script)
        assert status == 0, output
        return output
