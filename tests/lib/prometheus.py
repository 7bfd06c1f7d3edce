# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A Prometheus server that scrapes iommufd-exporter, queried through its HTTP API."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

API = "127.0.0.1:9090"
# For a slow machine; never reached if all is well.
PATIENCE = 120


def program() -> str:
    """The Prometheus on the path, else Debian's, which scripts/setup --full has unpacked."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    cache = Path(os.environ.get("IOMMUFD_CACHE") or Path(home, "iommufd-bpf"))
    return shutil.which("prometheus") or str(cache / "prometheus" / "usr" / "bin" / "prometheus")


class Prometheus:
    """A running server; ends with the with."""

    def __init__(self, folder: Path, target: str) -> None:
        config = {
            "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"},
            "scrape_configs": [{"job_name": "iommufd", "static_configs": [{"targets": [target]}]}],
        }
        # JSON is YAML.
        (folder / "config.yml").write_text(json.dumps(config))
        self._log = (folder / "log").open("w+")
        self._process = subprocess.Popen(
            [
                program(),
                f"--config.file={folder}/config.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={API}",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> "Prometheus":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def _log_text(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def get(self, path: str, **parameters: str) -> Any:
        """The data in an answer of the API."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://{API}/api/v1/{path}?{query}", timeout=60) as answer:
            found = json.load(answer)
        assert found["status"] == "success", found
        return found["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression yields now."""
        return self.get("query", query=expression)["result"]

    def until(self, expression: str, holds: Callable[[list[dict[str, Any]]], object]) -> Any:
        """Repeats a query until its series satisfy a condition; returns them."""
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, self._log_text()
            try:
                found = self.query(expression)
            except (urllib.error.URLError, ConnectionError):
                found = []  # it does not answer yet
            if holds(found):
                return found
            assert time.monotonic() < deadline, (expression, found, self._log_text())
