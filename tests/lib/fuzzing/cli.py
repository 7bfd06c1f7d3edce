# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line of scripts/fuzz."""

import argparse
import random
import sys
from pathlib import Path

from vmrun.paths import BUILD, ROOT

from . import coverage, trace
from .differences import DIFFERENCES
from .guest import PROGRAM, Guest, Outcome, findings

MOST_STEPS = 160


def parser() -> argparse.ArgumentParser:
    """The options."""
    result = argparse.ArgumentParser(
        prog="fuzz",
        description="Random sequences of requests to iommufd, in a guest.",
        epilog="Exit status: 0 if nothing was found, 1 if something was.",
    )
    add = result.add_argument
    add("--kernel", default="debug", metavar="NAME", help="build/kernel/NAME (debug)")
    add("--seconds", type=int, default=60, metavar="N", help="how long (60)")
    add("--sequences", type=int, metavar="N", help="number of sequences, instead of a time")
    add("--seed", type=int, metavar="N", help="seed of the first sequence (random)")
    add("--flavour", metavar="NAME", help="plain, failnth, limited or threads (any)")
    add("--vfio", action="store_true", help="use a real device behind VT-d, not the mock")
    add("--compare", action="store_true", help="compare with the peer")
    add("--coverage", metavar="FILE", help="list lines never reached; needs --kernel fuzz")
    add("--trace", action="store_true", help="print each sequence")
    add("--steps", type=int, metavar="N", help="at most N steps")
    add("--keep", metavar="N,N...", help="only these steps")
    return result


def _words(options: argparse.Namespace) -> list[str]:
    words = ["--seed", str(options.seed), "--minimise", "--timeout", "120"]
    if options.sequences:
        words += ["--sequences", str(options.sequences)]
    else:
        words += ["--seconds", str(options.seconds)]
    for name in ("flavour", "steps", "keep"):
        value = getattr(options, name)
        words += [f"--{name}", str(value)] if value else []
    words += ["--trace"] if options.trace else []
    words += ["--kcov"] if options.coverage else []
    return words


def _again(guest: Guest, seed: int, options: argparse.Namespace) -> str:
    flavour = f" --flavour {options.flavour}" if options.flavour else ""
    vfio = " --vfio" if guest.vfio else ""
    kind = f"--kernel {guest.kernel}{vfio}{flavour}"
    return f"scripts/fuzz {kind} --seed {seed} --sequences 1 --trace"


def _bisect(guest: Guest, seed: int, options: argparse.Namespace) -> int | None:
    """The fewest steps with which a sequence still ends the guest; None if it no longer does."""
    flavour = ["--flavour", options.flavour] if options.flavour else []
    words = ["--seed", str(seed), "--sequences", "1", *flavour]

    def dies(steps: int) -> bool:
        return guest.run(*words, "--steps", str(steps), limit=120).died

    low, high = 0, MOST_STEPS
    if not dies(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if dies(middle) else (middle, high)
    return high


def _death(guest: Guest, outcome: Outcome, options: argparse.Namespace) -> None:
    """Reports how the guest ended, and in which sequence."""
    print(outcome.errors)
    if outcome.seed is None:
        return
    print(f"FINDING the guest ended in seed {outcome.seed}; again with")
    print(f"  {_again(guest, outcome.seed, options)}")
    steps = _bisect(guest, outcome.seed, options)
    if steps:
        print(f"  --steps {steps} is enough")
    else:
        print("  on its own, the sequence does not end the guest")


def _run(options: argparse.Namespace) -> int:
    guest = Guest(options.kernel, options.vfio)
    outcome = guest.run(*_words(options), limit=options.seconds, show=sys.stdout.write)
    if outcome.died:
        _death(guest, outcome, options)
        return 1
    for line in findings(outcome.output):
        if line.startswith("FINDING seed "):
            print(f"again: {_again(guest, int(line.split()[2]), options)}")
    return outcome.status


def _compare(options: argparse.Namespace) -> int:
    """Our kernel first, then the peer."""
    wanted = options.sequences or 200
    words = ["--seed", str(options.seed), "--flavour", "plain", "--common", "--lenient"]
    words += ["--trace", "--sequences", str(wanted)]
    runs = []
    for guest in (Guest(options.kernel, options.vfio), Guest("peer", options.vfio, strict=False)):
        outcome = guest.run(*words, limit=600)
        if outcome.died:
            _death(guest, outcome, options)
            return 1
        runs.append(trace.parse(outcome.output))
        if len(runs[-1].sequences) != wanted:
            print(f"kernel {guest.kernel} ran {len(runs[-1].sequences)} sequences of {wanted}")
            return 1
    found, met = trace.compare(runs[0], runs[1], DIFFERENCES)
    for reason, count in met.most_common():
        print(f"{count:6} times: {reason}")
    print(*found, sep="\n")
    print(f"{len(runs[0].sequences)} sequences, {len(found)} differences that are not listed")
    return 1 if found else 0


def _coverage(options: argparse.Namespace) -> int:
    """The addresses come back with the other output: files of the guest are lost with it."""
    guest = Guest(options.kernel, options.vfio)
    outcome = guest.run(*_words(options), limit=options.seconds)
    if outcome.died:
        _death(guest, outcome, options)
        return 1
    lines = outcome.output.splitlines()
    reached = {int(line[5:], 16) for line in lines if line.startswith("KCOV ")}
    print(*(line for line in lines if not line.startswith("KCOV ")), sep="\n")
    vmlinux = (BUILD / "kernel" / options.kernel / "vmlinux").resolve()
    text = coverage.report(vmlinux, reached, ROOT / "kernel")
    Path(options.coverage).write_text(text)
    print(text.splitlines()[-1])
    return outcome.status


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status."""
    options = parser().parse_args(argv)
    if not PROGRAM.exists():
        sys.exit(f"fuzz: {PROGRAM} is missing; `make selftests` builds it")
    if options.seed is None:
        options.seed = random.randrange(1 << 32)
    print(f"seed {options.seed}, kernel {options.kernel}", flush=True)
    if options.compare:
        return _compare(options)
    return _coverage(options) if options.coverage else _run(options)
