"""The stand-in for the Hub as a test uses it: a server, and clients that have a cache of their own.

The client libraries read their environment at import, so every client is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


class StandIn:
    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "hf-home"
        self.served = root / "served"  # what the server keeps; tests/hub/server.py describes it
        self.served.mkdir()
        self.server: subprocess.Popen[str] | None = None
        self.port = "9"  # nobody listens there

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.hub.server", str(self.served)]
        root = Path(__file__).parents[2]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
        assert self.server.stdout is not None
        self.port = self.server.stdout.readline().strip()

    def stop(self) -> None:
        if self.server is not None:
            self.server.kill()
            self.server.communicate()
            self.server = None

    def files(self, kind: str, repo: str, revision: str = "main") -> Path:
        """The folder of what the server has of a repository (`models` or `datasets`)."""
        return self.served / kind / repo / revision

    def requests(self) -> list[dict[str, Any]]:
        """Every request until now: method, path, bytes and status (0: closed without an answer)."""
        log = self.served / "requests.jsonl"
        return [json.loads(line) for line in log.read_text("utf-8").splitlines()]

    def environment(self, **more: str) -> dict[str, str]:
        """For a process that takes this server for the Hub. A token is `HF_TOKEN="hf_write"`."""
        usual = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("HF_", "HUGGING_FACE"))
        }
        return {
            **usual,
            "HF_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "HF_HOME": str(self.home),
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # a call to another host
            **more,
        }

    def python(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A process of Python: `python("-m", "emolens", …, HF_TOKEN="hf_write")`."""
        return subprocess.run(
            [sys.executable, *command],
            check=False,  # what went wrong stands in the answer
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            env=self.environment(**environment),
        )
