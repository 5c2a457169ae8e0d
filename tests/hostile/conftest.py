"""Fixtures of the attacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emolens.study import Run


@pytest.fixture
def tiny_model(tiny_run: Run, tmp_path: Path) -> Path:
    """A model folder of three classes that a test may change."""
    return Path(shutil.copytree(tiny_run.folder / "model", tmp_path / "tiny-model"))
