"""Texts unlike those that a model was trained on: laws, code, Italian, and other data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolens.data.dataset import Dataset
from emolens.data.sources import load_dataset
from emolens.export.openvino import export_openvino
from emolens.learn.finetune import finetune
from emolens.predict.classifier import Classifier
from emolens.scores import Recipe

TEXTS = Path(__file__).with_name("texts")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Texts cut at")]


def model_of(dataset: Dataset, folder: Path, *, epochs: int) -> Path:
    """A model of the bundled encoder, also in int8."""
    recipe = Recipe(epochs=epochs, learning_rate=2e-4, batch_size=32, warmup=0.1)
    finetune("minilm", dataset, folder, recipe=recipe)
    export_openvino(folder, calibration=dataset["train"].texts[:300])
    return folder


@pytest.fixture(scope="module")
def starter_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_of(load_dataset("starter"), tmp_path_factory.mktemp("starter"), epochs=2)


def share_and_line(model: Classifier, texts: Sequence[str]) -> tuple[float, str | None]:
    """The share of texts that are called unlike, and the sentence about them."""
    reasons: Iterable[str | None] = (answer.unlike for answer in model.predict(texts))
    counts = Counter(reason for reason in reasons if reason)
    return counts.total() / len(texts), model.unlike_line(counts, len(texts))


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_starter_model_knows_laws_code_and_italian_from_its_own_texts(
    starter_model: Path, precision: str
) -> None:
    model = Classifier(starter_model, precision=precision)
    for name, least in {"legal": 0.5, "code": 0.9, "italian": 0.9}.items():
        texts = (TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        share, line = share_and_line(model, texts)
        assert share >= least, name
        assert line is not None
        assert f"of {len(texts)} texts are unlike those that the model was trained on" in line
        assert "by content" in line
        # A hundred of its own texts with ten others in between: these are still seen.
        mixed = [*load_dataset("starter")["test"].texts[:100], *texts[:10]]
        assert share_and_line(model, mixed)[1] is not None, name
    share, line = share_and_line(model, load_dataset("starter")["test"].texts)
    assert share <= 0.03
    assert line is None


def test_a_model_of_emotion_knows_the_starter_corpus_from_its_own_texts(
    emotion_folder: Path, tmp_path: Path
) -> None:
    emotion = load_dataset(emotion_folder)
    rows = np.arange(8000)
    few = {**emotion.splits, "train": emotion["train"].take(rows)}
    folder = model_of(replace(emotion, splits=few), tmp_path / "model", epochs=1)
    model = Classifier(folder, precision="fp32")
    share, line = share_and_line(model, load_dataset("starter")["test"].texts)
    assert share >= 0.2
    assert line is not None
    share, line = share_and_line(model, emotion["test"].texts)
    assert share <= 0.02
    assert line is None
