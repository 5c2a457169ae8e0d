"""A classifier that all tests of predicting share."""

from __future__ import annotations

import pytest

from emolens.predict.classifier import Classifier
from emolens.study import Run


@pytest.fixture(scope="session")
def classifier(tiny_run: Run) -> Classifier:
    return Classifier(tiny_run.folder / "model", precision="fp32")
