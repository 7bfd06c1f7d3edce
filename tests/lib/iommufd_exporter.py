# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A running iommufd-exporter, and its answers, parsed by Prometheus' own parser."""

import fcntl
import http.client
import socket
import struct
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tool_runner import Tool

NAME = "iommufd-exporter"
# A directory in which every user may create a socket.
SOCKET = "/tmp/iommufd-exporter.sock"
PORT = "127.0.0.1:9899"

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def has_tcp() -> bool:
    """Most guest kernels have no TCP. If this one has, the loopback interface is up afterwards."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            request = struct.pack("16sH14x", b"lo", IFF_UP)
            fcntl.ioctl(control, SIOCSIFFLAGS, request)
    except OSError:
        return False
    return True


class _Unix(http.client.HTTPConnection):
    """HTTP through a Unix socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


@dataclass
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Scrape:
    """All metrics of one scrape."""

    families: dict[str, Metric] = field(default_factory=dict)

    def value(self, name: str, **labels: object) -> float | None:
        """The value of the only sample with this name and these labels, or None."""
        wanted = {key: str(value) for key, value in labels.items()}
        found = [
            sample.value
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name and wanted.items() <= sample.labels.items()
        ]
        assert len(found) <= 1, (name, labels, found)
        return found[0] if found else None

    def labels(self, name: str) -> list[dict[str, str]]:
        """The labels of each sample with this name."""
        return [
            sample.labels
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name
        ]


def parse(text: str) -> Scrape:
    """Parses a response strictly."""
    assert text.endswith("# EOF\n")
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    return Scrape({family.name: family for family in families})


class Exporter(Tool):
    """A running exporter, at its default port, or at a socket if the kernel lacks TCP."""

    def __init__(self, *arguments: str, prefix: tuple[str, ...] = ()) -> None:
        self.tcp = has_tcp()
        listen = () if self.tcp else ("--listen", SOCKET)
        super().__init__(NAME, *listen, *arguments, prefix=prefix)

    def connection(self) -> http.client.HTTPConnection:
        """Opens a new connection."""
        if self.tcp:
            return http.client.HTTPConnection(PORT, timeout=60)
        return _Unix(SOCKET, timeout=60)

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        over: http.client.HTTPConnection | None = None,
        accept: str | None = None,
    ) -> Answer:
        """Sends one request."""
        connection = over or self.connection()
        headers = {"Accept": accept} if accept else {}
        connection.request(method, path, body, headers)
        with connection.getresponse() as response:
            text = response.read().decode()
            answer = Answer(response.status, dict(response.headers), text)
        if not over:
            connection.close()
        return answer

    def scrape(self) -> Scrape:
        """Scrapes the metrics."""
        answer = self.ask("/metrics")
        assert answer.status == 200
        return parse(answer.body)
