"""int8 beside the exact model: what is written, what it answers, how far off it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emolens.cli import app
from emolens.data.dataset import Dataset
from emolens.errors import EncoderError
from emolens.export.openvino import export_openvino
from emolens.export.verify import drift
from emolens.learn.finetune import finetune
from emolens.predict.classifier import Classifier
from emolens.scores import Recipe
from emolens.study import Run, run_study
from tests.conftest import feeling_rows
from tests.learn.conftest import LABELS, split_of

TEXTS = [text for text, _ in feeling_rows(90)]


@pytest.fixture(scope="module")
def model(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned enough to give different answers."""
    folder = tmp_path_factory.mktemp("int8") / "model"
    rows = {"train": feeling_rows(60), "validation": feeling_rows(18, start=60)}
    splits = {name: split_of(part) for name, part in rows.items()}
    recipe = Recipe(epochs=15, learning_rate=3e-3, batch_size=8, precision="fp32")
    finetune(tiny_encoder, Dataset("feelings", LABELS, splits), folder, recipe=recipe)
    paths = export_openvino(folder, calibration=TEXTS[:30])
    assert "openvino_model_qint8_quantized.xml" in [path.name for path in paths]
    return folder


def test_drift_is_what_the_two_classifiers_differ_by(model: Path) -> None:
    exact, int8 = (Classifier(model, precision=p).predict_proba(TEXTS) for p in ("fp32", "int8"))
    y = exact.argmax(axis=1)
    y[:10] = (y[:10] + 1) % 3
    found = drift(model, TEXTS, labels=y)
    assert found.texts == len(TEXTS)
    assert found.flips == (exact.argmax(axis=1) != int8.argmax(axis=1)).sum()
    assert found.max_dp == np.abs(exact - int8).max() > 1e-4
    assert found.accuracy == (pytest.approx(80 / 90), pytest.approx((int8.argmax(1) == y).mean()))
    assert f"{found.flips} labels differ" in str(found)
    assert drift(model, TEXTS).accuracy is None
    assert drift(model, TEXTS, precision="fp32").max_dp == 0


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_a_label_is_the_same_whatever_stands_beside_it(model: Path, precision: str) -> None:
    classifier = Classifier(model, precision=precision)
    together = classifier.predict([*TEXTS, "very " * 30, "wow"])[: len(TEXTS)]
    alone = [classifier.predict([text])[0] for text in TEXTS]
    assert [a.label for a in together] == [a.label for a in alone]


def test_int8_that_was_not_exported_is_an_error(tiny_run: Run) -> None:
    with pytest.raises(EncoderError, match="no exported model") as caught:
        Classifier(tiny_run.folder / "model", precision="int8")
    assert "--int8" in caught.value.hint


def test_a_study_exports_int8_on_request(tiny_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(tiny_run.folder, folder)
    export = tiny_run.study.export.model_copy(update={"int8": True})
    study = tiny_run.study.model_copy(update={"export": export})
    summary = run_study(study, folder).records["export"].summary
    flips = json.loads((folder / "drift.json").read_text("utf-8"))["flips"]
    assert f"{flips} labels differ" in summary
    assert Classifier(folder / "model", precision="int8").predict(["i am happy"])
    run_study(tiny_run.study, folder)
    assert not (folder / "drift.json").exists(), "it tells of a model that is no longer there"


def test_the_command_says_how_far_off_int8_is(
    tiny_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, data = tmp_path / "model", str(tiny_run.study.data.dataset)
    shutil.copytree(tiny_run.folder / "model", folder)
    command = ["export", str(folder), "--int8", "--no-onnx", "--dataset", data]
    app(args=command, standalone_mode=False)
    told = capsys.readouterr()
    assert "openvino_model_qint8_quantized.xml" in told.out
    assert "labels differ" in told.err
    assert "accuracy" in told.err
