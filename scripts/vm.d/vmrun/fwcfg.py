# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Reads what QEMU hands to the firmware of the machine `virt`, without a boot.

QEMU starts with its CPUs stopped. Over its protocol for device tests (qtest), this process then
does what a firmware does: it has the device fw_cfg copy files to the guest's memory. See QEMU's
docs/specs/fw_cfg.rst.
"""

import struct
import subprocess
from typing import IO

from .errors import VmError

MEMORY = 0x40000000
DMA_REGISTER = 0x09020010
DIRECTORY = 0x19
READ, SELECT = 2, 8

REQUEST = struct.Struct(">IIQ")
COUNT = struct.Struct(">I")
ENTRY = struct.Struct(">IHxx56s")


class _Machine:
    """A stopped machine, and the two ends of the protocol."""

    def __init__(self, to_qemu: IO[str], from_qemu: IO[str]) -> None:
        self._to, self._from = to_qemu, from_qemu

    def _ask(self, command: str) -> str:
        self._to.write(command + "\n")
        self._to.flush()
        answer = self._from.readline().split()
        if answer[:1] != ["OK"]:
            raise VmError(f"QEMU does not describe its machine: {command}: {' '.join(answer)}")
        return answer[-1]

    def _copy(self, key: int, size: int) -> bytes:
        buffer = MEMORY + 0x1000
        request = REQUEST.pack(key << 16 | SELECT | READ, size, buffer)
        self._ask(f"write {MEMORY:#x} {len(request)} 0x{request.hex()}")
        # The register is big-endian, and the protocol's words are the machine's.
        swapped = int.from_bytes(MEMORY.to_bytes(8, "big"), "little")
        self._ask(f"writeq {DMA_REGISTER:#x} {swapped:#x}")
        return bytes.fromhex(self._ask(f"read {buffer:#x} {size}").removeprefix("0x"))

    def file(self, name: str) -> bytes:
        """The contents of a file."""
        (count,) = COUNT.unpack(self._copy(DIRECTORY, COUNT.size))
        entries = self._copy(DIRECTORY, COUNT.size + count * ENTRY.size)[COUNT.size :]
        for size, key, raw in ENTRY.iter_unpack(entries):
            if raw.rstrip(b"\0") == name.encode():
                return self._copy(key, size)
        raise VmError(f"QEMU has no {name} for the firmware")


def firmware_file(qemu: list[str], name: str) -> bytes:
    """The contents of a file; `qemu` is the program, and the arguments that define the machine."""
    command = [*qemu, "-m", "64M", "-nodefaults", "-display", "none", "-S"]
    command += ["-qtest", "stdio", "-qtest-log", "/dev/null"]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError:
        raise VmError(f"{qemu[0]} is not installed") from None
    with process:
        assert process.stdin and process.stdout and process.stderr
        try:
            return _Machine(process.stdin, process.stdout).file(name)
        except (VmError, BrokenPipeError) as error:
            process.kill()
            said = process.stderr.read().strip()
            raise VmError(f"{error}; QEMU: {said}" if said else str(error)) from None
        finally:
            process.kill()
