# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Messages between the host and the guest's init; init/proto.h is the other side."""

import struct
from collections.abc import Iterator

HEAD = struct.Struct("<II")
MAX_DATA = 32 * 1024 - HEAD.size

START, WINSIZE, CLOSE, STDIN, BYE = b"SWCiB"
HELLO, RUNNING, STDOUT, STDERR, FAIL, EXIT = b"HRoeFx"

PTY = 1
PTY_STDERR = 2


def message(kind: int, data: bytes = b"") -> bytes:
    """Encodes one message."""
    return HEAD.pack(kind, len(data)) + data


def winsize(size: tuple[int, int]) -> bytes:
    """(rows, columns) in the format of the guest."""
    return struct.pack("<HH", *size)


def start(
    flags: int,
    size: tuple[int, int],
    folder: str,
    setup: list[str],
    argv: list[str],
    env: dict[str, str],
) -> bytes:
    """The message that makes the guest run a command."""
    variables = [f"{k}={v}" for k, v in env.items()]
    counts = struct.pack("<III", len(setup), len(argv), len(variables))
    strings = [folder, *setup, *argv, *variables]
    data = b"".join(s.encode(errors="surrogateescape") + b"\0" for s in strings)
    return message(START, struct.pack("<I", flags) + winsize(size) + counts + data)


class Parser:
    """Splits a byte stream into messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Adds bytes; yields each message that they complete."""
        self._data += data
        while len(self._data) >= HEAD.size:
            kind, length = HEAD.unpack_from(self._data)
            end = HEAD.size + length
            if len(self._data) < end:
                return
            body = bytes(self._data[HEAD.size : end])
            del self._data[:end]
            yield kind, body
