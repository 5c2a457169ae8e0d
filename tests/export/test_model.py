"""Exported folders of each kind of head: their answers, and the folders that are refused."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from emolens.encode.engines.openvino import INT8_MODEL
from emolens.errors import EncoderError
from emolens.export.model import ExportedModel
from emolens.export.openvino import export_openvino
from emolens.export.verify import drift
from emolens.predict.classifier import Classifier
from emolens.predict.tables import predict_table
from emolens.study import Run
from tests.conftest import HOSTILE, feeling_rows, write_csv

TEXTS = [text for text, _ in feeling_rows(12)] + [*HOSTILE, "happy", "very " * 60]
THREE = {0: "sadness", 1: "joy", 2: "anger"}
SEVERAL = "multi_label_classification"


def model_folder(folder: Path, encoder: Path, **config: Any) -> Path:
    """A classifier with random weights whose answers differ from text to text."""
    torch.manual_seed(3)
    bert = BertConfig.from_pretrained(encoder, initializer_range=0.7, **config)
    model = BertForSequenceClassification(bert)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder).save_pretrained(folder)
    if "function_to_apply" in config:
        change_config(folder, function_to_apply=config["function_to_apply"])
    return folder


def change_config(folder: Path, **config: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | config), "utf-8")


def test_several_labels_are_those_at_one_half_or_more(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = model_folder(tmp_path, tiny_encoder, id2label=THREE, problem_type=SEVERAL)
    export_openvino(folder, calibration=TEXTS)
    classifier = Classifier(folder, precision="fp32", answer_all=True)
    answers = classifier.predict([*TEXTS, " "])
    for answer in answers[:-1]:
        reached = [name for name, p in answer.probabilities.items() if p is not None and p >= 0.5]
        assert answer.label == (", ".join(reached) or None)
        assert answer.unsure or reached
        assert (answer.reason == "no class") is (not reached and not answer.truncated)
    counts = {len((answer.label or "").split(", ")) for answer in answers}
    assert len(counts) > 1
    assert any(answer.label is None for answer in answers[:-1])
    assert answers[-1].probability is None
    write_csv(tmp_path / "in.csv", [(text,) for text in TEXTS], ("text",))
    predict_table(classifier, tmp_path / "in.csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["emotion"] for row in rows] == [answer.label or "" for answer in answers[:-1]]
    int8 = Classifier(folder, precision="int8", answer_all=True).predict(TEXTS)
    flips = sum(a.label != b.label for a, b in zip(answers[:-1], int8, strict=True))
    assert drift(folder, [*TEXTS, " "]).flips == flips


@pytest.mark.parametrize("config", [{"num_labels": 1}, {"problem_type": "regression"}])
def test_a_regression_head_is_neither_exported_nor_answered_from(
    tiny_encoder: Path, tmp_path: Path, config: dict[str, Any]
) -> None:
    folder = model_folder(tmp_path, tiny_encoder, **config)
    for refuse in (export_openvino, ExportedModel, Classifier):
        with pytest.raises(EncoderError, match="regression head"):
            refuse(folder)
    assert not (folder / "openvino").exists()


def test_an_encoder_without_a_head_is_not_exported(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    change_config(folder, id2label={"0": "joy", "1": "anger"})
    with pytest.raises(EncoderError, match=r"its weights lack classifier\.bias"):
        export_openvino(folder)
    assert not (folder / "openvino").exists()


def test_a_config_of_other_classes_than_the_export_is_named(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = model_folder(tmp_path, tiny_encoder, id2label=THREE)
    export_openvino(folder)
    change_config(folder, id2label={"0": "joy", "1": "anger"})
    with pytest.raises(EncoderError, match="gives 3 outputs for the 2 classes") as caught:
        ExportedModel(folder, precision="fp32")
    assert "emolens export" in caught.value.hint


def other_weights(folder: Path) -> None:
    """Change the weights in place, without a change of their size or time."""
    file = folder / "model.safetensors"
    state, weights = file.stat(), load_file(file)
    file.write_bytes(save({name: array + np.float32(1) for name, array in weights.items()}))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_an_export_of_other_weights_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = model_folder(tmp_path, tiny_encoder, id2label=THREE)
    export_openvino(folder, calibration=TEXTS)
    assert ExportedModel(folder).ask(TEXTS)[0].shape == (len(TEXTS), 3)
    other_weights(folder)
    for precision in ("fp32", "int8"):
        with pytest.raises(EncoderError, match="made from other weights") as caught:
            ExportedModel(folder, precision=precision)
        assert caught.value.hint.startswith("Export it again: emolens export")
    export_openvino(folder)
    ExportedModel(folder, precision="fp32")
    (folder / "model.safetensors").unlink()  # an exported model needs no weights
    ExportedModel(folder, precision="fp32")


def test_an_old_int8_model_behind_a_link_gives_no_answer(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = model_folder(tmp_path / "model", tiny_encoder, id2label=THREE)
    (tmp_path / "elsewhere").mkdir()
    (folder / "openvino").symlink_to(tmp_path / "elsewhere")
    export_openvino(folder, calibration=TEXTS)
    other_weights(folder)
    with pytest.warns(UserWarning, match="old file, but was not deleted"):
        export_openvino(folder)
    ExportedModel(folder, precision="fp32")
    with pytest.raises(EncoderError, match="made from other weights"):
        ExportedModel(folder, precision="int8")
    with (tmp_path / "elsewhere" / INT8_MODEL).open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(EncoderError, match="is not as emolens wrote it"):
        ExportedModel(folder, precision="int8")


def unlike(folder: Path) -> list[str]:
    return list(ExportedModel(folder, precision="fp32").ask(UNLIKE).unlike)


UNLIKE = ["i am happy", "zzqx kkwv qqzx zzzq", "\U0001f600 \U0001f44d", "very " * 200, " "]


def test_texts_are_compared_with_those_of_train(tiny_run: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_run.folder / "model", tmp_path / "model"))
    facts = json.loads((folder / "emolens.json").read_text("utf-8"))
    texts = facts["training_texts"]
    assert texts["rows"] == 24
    assert texts["language"] == "en"

    def change(**entries: Any) -> None:
        changed = {**facts, "training_texts": {**texts, **entries}}
        (folder / "emolens.json").write_text(json.dumps(changed), "utf-8")

    change(length=[3, 100], unknown=0.2, distance=-99)
    assert unlike(folder) == ["content", "content", "unknown words", "longer", ""]
    change(length=[3, 100], unknown=0.2, distance=99)
    assert unlike(folder) == ["", "", "unknown words", "longer", ""]
    (folder / "training_texts.safetensors").unlink()
    assert unlike(folder) == ["", "", "unknown words", "longer", ""]
    change(length=[3, 100], unknown=0.2, distance="far")
    with pytest.raises(EncoderError, match="not as emolens writes it"):
        ExportedModel(folder)
    (folder / "emolens.json").write_text(
        json.dumps({**facts, "training_texts": {"language": "en"}}), "utf-8"
    )
    assert unlike(folder) == [""] * 5


def test_changed_statistics_of_the_training_texts_are_refused(
    tiny_run: Run, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_run.folder / "model", tmp_path / "model"))
    with (folder / "training_texts.safetensors").open("ab") as file:
        file.write(b" ")
    with pytest.raises(EncoderError, match="is not as emolens wrote it"):
        ExportedModel(folder)


def test_statistics_of_another_model_are_refused_and_need_not_be_there(
    tiny_run: Run, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_run.folder / "model", tmp_path / "model"))
    facts = json.loads((folder / "emolens.json").read_text("utf-8"))
    del facts["files"]["training_texts.safetensors"]
    (folder / "emolens.json").write_text(json.dumps(facts), "utf-8")
    arrays = {"center": np.zeros(3, np.float32), "axes": np.zeros((3, 2), np.float32)}
    (folder / "training_texts.safetensors").write_bytes(save(arrays))
    with pytest.raises(EncoderError, match="does not belong to this model") as caught:
        ExportedModel(folder)
    assert caught.value.hint.startswith("Delete it")
    (folder / "training_texts.safetensors").unlink()
    assert ExportedModel(folder).head.calibration is not None
