"""The site, built once for all tests: with warnings as errors, and without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_ext"))

# Sphinx in a process of its own, which can reach nobody.
_BUILD = (
    "import sys, pytest_socket; pytest_socket.socket_allow_hosts(['127.0.0.1']);"
    "from sphinx.cmd.build import main; sys.exit(main(sys.argv[1:]))"
)


def build(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Build the site as `make docs` does it."""
    usual = ("-W", "--keep-going", "-n", "-q", "-E", "-d", f"{out}-read")
    return subprocess.run(
        [sys.executable, "-c", _BUILD, *usual, *options, str(DOCS), str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the built pages."""
    out = tmp_path_factory.mktemp("site") / "html"
    built = build(out)
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""
    return out
