# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line of scripts/vm."""

import argparse
import os
import signal
import sys
from types import FrameType

from . import klog
from .arch import ARCHES
from .errors import Interrupted, VmError
from .guest import Guest, console_path
from .paths import arch_of_kernel

FAILED = 125

EPILOG = f"""\
COMMAND runs as root in the caller's directory. It sees the host's files; its
changes go to a temporary layer. Its streams are passed through unchanged. On a
terminal, COMMAND has a terminal too, and Ctrl-] ends the guest at any time.

Exit status: that of COMMAND (128 + N if signal N killed it); 126 or 127 if it
could not be run or found; {FAILED} if the guest could not be run, panicked, hung, or
if its kernel reported a bug or a warning from iommufd.
"""


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="vm",
        description="Runs COMMAND in a guest that boots a kernel built here.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="vm [OPTION...] -- COMMAND [ARG...]",
    )
    add = parser.add_argument
    kernel = parser.add_mutually_exclusive_group()
    kernel.add_argument(
        "--kernel",
        metavar="NAME",
        help="build/kernel/NAME, or a directory with a slash in its name (main; with --arch arm64:"
        " arm64)",
    )
    kernel.add_argument(
        "--peer",
        dest="role",
        action="store_const",
        const="peer",
        help="the base kernel with its own iommufd",
    )
    kernel.add_argument(
        "--debug", dest="role", action="store_const", const="debug", help="the sanitizer kernel"
    )
    add("--arch", choices=sorted(ARCHES), help="architecture of the guest (that of the kernel)")
    emulated = parser.add_mutually_exclusive_group()
    emulated.add_argument(
        "--icount", action="store_true", help="deterministic instruction clock, one CPU"
    )
    emulated.add_argument(
        "--parallel",
        action="store_true",
        help="run emulated CPUs at the same time, not in turns; a guest that switches tracing on"
        " or off may panic then (Oops: int3). CPUs of KVM always run at the same time",
    )
    add("--smp", type=int, default=2, metavar="N", help="number of CPUs (2)")
    add("--memory", default="2G", metavar="SIZE", help="memory of the guest (2G)")
    add("--hugepages", type=int, default=0, metavar="N", help="2 MiB huge pages to reserve")
    add(
        "--device",
        action="append",
        default=[],
        metavar="DEVICE[,OPTION...]",
        help="a PCI device for vfio-pci: edu, nvme[,file=IMAGE], any of QEMU's, or none;"
        " may be repeated (edu); function=N puts it into the slot of the one before",
    )
    kinds = "; ".join(f"{a.name}: {', '.join(a.iommus)}" for a in ARCHES.values())
    add("--iommu", metavar="KIND", help=f"kind of IOMMU ({kinds}; the first is the default)")
    add(
        "--secure-boot",
        action="store_true",
        help="start through UEFI firmware with Secure Boot, which trusts only the test key of"
        " Debian's package ovmf: the kernel's image and its modules must be signed with it",
    )
    add(
        "--append",
        action="append",
        default=[],
        metavar="ARGS",
        help="additions to the kernel's command line",
    )
    add("--qemu", action="append", default=[], metavar="ARG", help="extra argument for QEMU")
    add(
        "--timeout",
        type=float,
        default=0,
        metavar="S",
        help="seconds after which the guest counts as hung",
    )
    add("--log", metavar="FILE", help="write the kernel's console to FILE")
    add("command", nargs=argparse.REMAINDER, metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def _choose(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """The architecture, and what depends on it: the kernel and the IOMMU."""
    if options.arch:
        options.arch = ARCHES[options.arch]
    else:
        options.arch = arch_of_kernel(options.kernel or options.role or "main")
    options.kernel = options.kernel or options.arch.kernels[options.role or "main"]
    options.iommu = options.iommu or options.arch.usual_iommu
    if options.iommu not in options.arch.iommus:
        kinds = ", ".join(options.arch.iommus)
        parser.error(f"--iommu {options.iommu}: {options.arch.name} has {kinds}")
    if options.secure_boot and not options.arch.secure_boot:
        parser.error(f"--secure-boot: there is no firmware for it on {options.arch.name}")


def parse(argv: list[str]) -> argparse.Namespace:
    """The options in the form that the other modules use."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.command[:1] == ["--"]:
        del options.command[0]
    if not options.command:
        parser.error("no command; to look around: vm -- bash")
    _choose(parser, options)
    if options.icount:
        options.smp = 1
    options.device = options.device or ["edu"]
    return options


def _interrupt(signum: int, _frame: FrameType | None) -> None:
    raise Interrupted(signum)


def _install_handlers(timeout: float) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(signum, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)
    if timeout > 0:
        signal.setitimer(signal.ITIMER_REAL, timeout)


def _say(text: str) -> None:
    os.write(2, (text + "\n").encode(errors="replace"))


def _failed(why: str, log: str, console: str) -> int:
    found = klog.find_problems(log)
    _say(f"vm: {why}")
    if found:
        _say("\n\n".join(map(str, found)))
    elif log:
        _say("vm: the last lines of the guest's console:\n" + klog.tail(log))
    if log:
        _say(f"vm: the whole console is in {console}")
    return FAILED


def _judge(status: int, log: str, console: str) -> int:
    """The exit status, from the command's wait status and the kernel's log."""
    if klog.find_problems(log):
        return _failed("the guest's kernel reported:", log, console)
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status."""
    options = parse(sys.argv[1:] if argv is None else argv)
    guest = None
    console = None
    try:
        console = console_path(options)
        guest = Guest(options, console)
        _install_handlers(options.timeout)
        result = _judge(guest.run(), guest.log(), str(console))
    except Interrupted as stop:
        if stop.signum == signal.SIGALRM:
            why = f"the guest did not end in {options.timeout:g} s: it hangs, or it needs longer"
            result = _failed(why, guest.log() if guest else "", str(console))
        else:
            result = 128 + stop.signum
    except VmError as error:
        result = _failed(str(error), guest.log() if guest else "", str(console))
    if console and not options.log and (result != FAILED or not console.stat().st_size):
        console.unlink(missing_ok=True)
    return result
