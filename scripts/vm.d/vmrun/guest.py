# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""One guest from start to end, and the log of its kernel."""

import argparse
import os
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from . import channel, terminal
from .accel import kvm_usable
from .devices import requested_devices
from .errors import VmError
from .initramfs import make_initramfs
from .machine import qemu_command
from .paths import PARTS, find_kernel, writable_dir
from .process import running
from .session import Session

BOOT_TIMEOUT = 300.0
PROBE_TIMEOUT = 20.0
SHUTDOWN_TIMEOUT = 120.0

# Variables of the caller that would mislead a root shell in the guest.
DROPPED = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "SUDO_USER")
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def guest_environment() -> dict[str, str]:
    """The caller's environment, adapted to root."""
    env = {k: v for k, v in os.environ.items() if k not in DROPPED}
    env.update(HOME="/root", USER="root", LOGNAME="root", IOMMUFD_VM="1")
    path = env.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    env["PATH"] = path + "".join(
        f":{p}" for p in SYSTEM_PATH.split(":") if p not in path.split(":")
    )
    return env


class Guest:
    """The guest that the command line requests."""

    def __init__(self, options: argparse.Namespace, console: Path) -> None:
        self._options = options
        self._console = console
        self._kernel = find_kernel(options.kernel, options.arch)
        self._output = b""

    def run(self) -> int:
        """Runs the command; returns its wait status."""
        kvm = not self._options.icount and kvm_usable(self._kernel, self._probe_kvm)
        return self._boot(kvm, self._options.command, terminal.pty_flags(), BOOT_TIMEOUT)

    def log(self) -> str:
        """The console's output so far."""
        try:
            return self._console.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def _probe_kvm(self) -> bool:
        try:
            return self._boot(True, ["true"], 0, PROBE_TIMEOUT) == 0
        except VmError:
            return False

    def _setup(self, addresses: list[str]) -> list[str]:
        modules = str(self._kernel.modules or "")
        return ["/bin/sh", str(PARTS / "setup"), modules, self._options.iommu, *addresses]

    def _boot(self, kvm: bool, command: list[str], flags: int, timeout: float) -> int:
        with ExitStack() as stack:
            devices = stack.enter_context(requested_devices(self._options.device))
            ctl, ctl_guest = socket.socketpair()
            stdin, stdin_guest = socket.socketpair()
            for end in (ctl, ctl_guest, stdin, stdin_guest):
                stack.enter_context(end)
            fds = (ctl_guest.fileno(), stdin_guest.fileno())
            output = stack.enter_context(tempfile.TemporaryFile())
            initramfs = make_initramfs(
                self._kernel.initmods, self._kernel.arch, self._options.iommu
            )
            qemu = qemu_command(
                self._options, self._kernel, initramfs, devices, kvm, self._console, fds
            )
            process = stack.enter_context(running(qemu, fds, output))
            # Only QEMU keeps its ends open, so that its end is noticed.
            ctl_guest.close()
            stdin_guest.close()
            ctl.sendall(
                channel.start(
                    flags,
                    terminal.size(),
                    os.getcwd(),
                    self._setup(devices.addresses),
                    command,
                    guest_environment(),
                )
            )
            session = Session(ctl, stdin, flags)
            session.run(timeout)
            self._wait(process, session)
            output.seek(0)
            self._output = output.read()
            return self._status(session, process)

    def _wait(self, process: subprocess.Popen, session: Session) -> None:
        try:
            process.wait(SHUTDOWN_TIMEOUT)
        except subprocess.TimeoutExpired:
            what = "power off" if session.status is not None else "end"
            raise VmError(f"the guest did not {what} in {SHUTDOWN_TIMEOUT:.0f} s") from None

    def _status(self, session: Session, process: subprocess.Popen) -> int:
        if session.status is not None:
            return session.status
        if session.failure:
            raise VmError(session.failure)
        said = self._output.decode(errors="replace").strip()
        if process.returncode:
            raise VmError(f"QEMU ended with status {process.returncode}: {said}")
        when = "while the command ran" if session.running else "before the command was started"
        raise VmError(f"the guest ended {when}" + (f"; QEMU: {said}" if said else ""))


def console_path(options: argparse.Namespace) -> Path:
    """The file for the console: a new one for each run."""
    if options.log:
        return Path(options.log).resolve()
    fd, name = tempfile.mkstemp(
        prefix=f"vm-{Path(options.kernel).name}-", suffix=".log", dir=writable_dir("log")
    )
    os.close(fd)
    return Path(name)
