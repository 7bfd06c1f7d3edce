# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Copies streams between the caller and the guest until the command ends."""

import os
import select
import selectors
import signal
import socket
import time
from contextlib import ExitStack, suppress

from . import channel, terminal
from .errors import Interrupted, VmError

CHUNK = 1 << 16


class Session:
    """One run of one command."""

    def __init__(self, ctl: socket.socket, stdin: socket.socket, flags: int) -> None:
        self._ctl = ctl
        self._stdin = stdin
        self._flags = flags
        self._parser = channel.Parser()
        self._input = b""
        self._lost: set[int] = set()
        self._selector = selectors.PollSelector()
        self._wakeup: tuple[socket.socket, socket.socket] | None = None
        self._stack = ExitStack()
        self.hello = False
        self.running = False
        self.failure = ""
        self.status: int | None = None

    def run(self, boot_timeout: float) -> None:
        """Returns when the guest has sent the command's status or is gone."""
        self._selector.register(self._ctl, selectors.EVENT_READ, self._on_ctl)
        deadline = time.monotonic() + boot_timeout
        with self._stack:
            while self.status is None and self._selector.get_map():
                left = None if self.hello else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise VmError(f"the guest did not boot in {boot_timeout:.0f} s")
                for key, _ in self._selector.select(left):
                    if self._selector.get_map().get(key.fd) is key:
                        key.data()
                if not self._ctl_registered():
                    return

    def _ctl_registered(self) -> bool:
        return self._ctl.fileno() in self._selector.get_map()

    def _on_ctl(self) -> None:
        try:
            data = self._ctl.recv(CHUNK)
        except ConnectionResetError:
            data = b""
        if not data:
            self._selector.unregister(self._ctl)
        for kind, body in self._parser.feed(data):
            self._on_message(kind, body)

    def _on_message(self, kind: int, body: bytes) -> None:
        if kind == channel.STDOUT:
            self._write(1, body)
        elif kind == channel.STDERR:
            self._write(2, body)
        elif kind == channel.HELLO:
            self.hello = True
        elif kind == channel.RUNNING:
            self._on_running()
        elif kind == channel.FAIL:
            self.failure = body.decode(errors="replace")
            self._say_bye()
        elif kind == channel.EXIT:
            self.status = int.from_bytes(body, "little")
            self._say_bye()

    def _say_bye(self) -> None:
        """The guest waits for this before it ends. It may have been killed."""
        with suppress(OSError):
            self._ctl.sendall(channel.message(channel.BYE))

    def _on_running(self) -> None:
        self.running = True
        self._selector.register(0, selectors.EVENT_READ, self._on_our_input)
        if self._flags & channel.PTY:
            terminal.make_raw(self._stack)
            self._watch_size()

    def _watch_size(self) -> None:
        """A handler must not write between the parts of a message: it only wakes the loop."""
        self._wakeup = socket.socketpair()
        for end in self._wakeup:
            end.setblocking(False)
            self._stack.enter_context(end)
        receiver, sender = self._wakeup
        self._stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(sender.fileno()))
        self._stack.callback(signal.signal, signal.SIGWINCH, signal.getsignal(signal.SIGWINCH))
        signal.signal(signal.SIGWINCH, lambda *_: None)
        self._selector.register(receiver, selectors.EVENT_READ, self._on_resize)

    def _on_resize(self) -> None:
        assert self._wakeup
        self._wakeup[0].recv(CHUNK)
        self._ctl.sendall(channel.message(channel.WINSIZE, channel.winsize(terminal.size())))

    def _on_our_input(self) -> None:
        try:
            data = os.read(0, channel.MAX_DATA)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if self._flags & channel.PTY and (terminal.ESCAPE in data or not data):
            raise Interrupted(signal.SIGHUP if not data else signal.SIGINT)
        self._input = channel.message(channel.STDIN, data)
        # Read no more until this is sent: the command sets the pace.
        self._selector.unregister(0)
        self._stdin.setblocking(False)
        self._selector.register(self._stdin, selectors.EVENT_WRITE, self._on_input_room)

    def _on_input_room(self) -> None:
        try:
            sent = self._stdin.send(self._input)
        except BlockingIOError:
            return
        except OSError:
            self._selector.unregister(self._stdin)
            return
        end = len(self._input) == channel.HEAD.size
        self._input = self._input[sent:]
        if self._input:
            return
        self._selector.unregister(self._stdin)
        if not end:
            self._selector.register(0, selectors.EVENT_READ, self._on_our_input)

    def _write(self, fd: int, data: bytes) -> None:
        view = memoryview(data)
        while view and fd not in self._lost:
            try:
                view = view[os.write(fd, view) :]
            except BlockingIOError:
                select.select([], [fd], [])
            except OSError:
                # The reader is gone: the command gets SIGPIPE, as it would on the host.
                self._lost.add(fd)
                self._ctl.sendall(channel.message(channel.CLOSE, bytes([fd])))
