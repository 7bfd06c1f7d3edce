# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A guest with a running pytest in it, as seen from the host."""

import itertools
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vmrun import klog
from vmrun.paths import ROOT, writable_dir

from .config import GuestConfig

DISK_SIZE = 16 << 20
BOOT_LIMIT = 400.0
END_LIMIT = 240.0

_count = itertools.count(1)


class GuestDied(Exception):
    """The guest is gone or does not answer. The text has its last output."""


class Machine:
    """One boot. The host hooks of tests receive it, for example to look into disk images."""

    def __init__(self, config: GuestConfig, files: list[str]) -> None:
        self.config = config
        self._scratch = tempfile.TemporaryDirectory(prefix="guest-")
        self.disks: list[Path] = []
        self.log = writable_dir("log") / f"test-{os.getpid()}-{next(_count)}-{config}.log"
        self._stderr = tempfile.TemporaryFile()
        self._data = b""
        self._process = subprocess.Popen(
            [*self._vm_command(), "--", *self._worker_command(files)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )
        try:
            self.receive("ready", BOOT_LIMIT)
        except BaseException:
            self.kill()
            raise

    def _vm_command(self) -> list[str]:
        c = self.config
        command = [str(ROOT / "scripts" / "vm"), "--kernel", c.kernel, "--iommu", c.iommu]
        command += ["--smp", str(c.smp), "--memory", c.memory, "--log", str(self.log)]
        command += ["--hugepages", str(c.hugepages)]
        command += [f"--append={words}" for words in c.append]
        command += ["--icount"] if c.icount else []
        command += ["--parallel"] if c.parallel else []
        for device in c.devices or ("none",):
            command += ["--device", self._with_disk(device)]
        return command

    def _with_disk(self, device: str) -> str:
        """The host creates the image of a disk, so that tests can look into it."""
        if device != "nvme":
            return device
        image = Path(self._scratch.name, f"disk{len(self.disks)}")
        with image.open("wb") as disk:
            disk.truncate(DISK_SIZE)
        self.disks.append(image)
        return f"nvme,file={image}"

    def _worker_command(self, files: list[str]) -> list[str]:
        # pytest uses the standard streams, so the channel to the host gets other descriptors.
        script = 'exec "$@" 3>&1 4<&0 1>&2 0</dev/null'
        pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--guest-worker"]
        options = ["--kernels", self.config.kernel, "--full", "--basetemp=/run/pytest", *files]
        return ["sh", "-c", script, "sh", *pytest, *options]

    def send(self, **message: object) -> None:
        """Sends one message to the worker."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # receive() will find out why

    def receive(self, kind: str, limit: float) -> dict:
        """Returns the next message of a kind; drops all others."""
        deadline = time.monotonic() + limit
        while True:
            message = self._next(deadline, limit)
            if "unknown" in message:
                raise GuestDied(f"the guest has no {message['unknown']}: did its file change?")
            if kind in message:
                return message

    def _next(self, deadline: float, limit: float) -> dict:
        assert self._process.stdout
        fd = self._process.stdout.fileno()
        while b"\n" not in self._data:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise GuestDied(self._hung(limit))
            data = os.read(fd, 1 << 16)
            if not data:
                raise GuestDied(self._last_words())
            self._data += data
        line, _, self._data = self._data.partition(b"\n")
        return json.loads(line)

    def run_test(self, nodeid: str, after: str | None, limit: float) -> dict:
        """Runs one test; returns {"reports": [...], "dirty": bool}."""
        self.send(run=nodeid, next=after)
        return self.receive("reports", limit)

    def _hung(self, limit: float) -> str:
        self.kill()
        log = self.log.read_text(errors="replace") if self.log.exists() else ""
        problems = "\n\n".join(map(str, klog.find_problems(log)))
        words = problems or klog.tail(log)
        return f"no answer from the guest for {limit:.0f} s\n{words}\n(console: {self.log})"

    def _last_words(self) -> str:
        status = self._process.wait(END_LIMIT)
        return f"the guest ended, scripts/vm exited with {status}:\n{self._errors()}"

    def _errors(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def finish(self) -> str:
        """Shuts it down; returns what went wrong: leaks, or what the kernel reported."""
        self.send(quit=True)
        try:
            leaks = self.receive("leaks", END_LIMIT)["leaks"]
            status = self._process.wait(END_LIMIT)
        except (GuestDied, subprocess.TimeoutExpired) as died:
            self.kill()
            return str(died)
        self._scratch.cleanup()
        if status or leaks:
            return leaks or f"scripts/vm exited with {status}:\n{self._errors()}"
        self.log.unlink(missing_ok=True)
        return ""

    def kill(self) -> None:
        """Ends it at once."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._scratch.cleanup()
