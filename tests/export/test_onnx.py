"""The ONNX model is the trained one, for every batch and length. No file tells of this machine."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from emolens.encode.backbone import logits_of, trained_classifier
from emolens.encode.batches import pad
from emolens.encode.engines.choose import choose
from emolens.encode.engines.torch import TorchEngine
from emolens.encode.tokenize import Tokenizer
from emolens.encode.weights import Weights
from emolens.errors import EncoderError
from emolens.export import onnx as exports
from emolens.export.onnx import OnnxExport, export_onnx
from emolens.output import sha256
from emolens.study import Run
from tests.conftest import HOSTILE, Emolens, feeling_rows

TEXTS = [text for text, _ in feeling_rows(60)] + [*HOSTILE, "", "happy", "very " * 60]


@pytest.fixture(scope="module")
def model(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx") / "model"
    shutil.copytree(tiny_run.folder / "model", folder)
    return folder


@pytest.fixture(scope="module")
def exported(model: Path) -> OnnxExport:
    return export_onnx(model, TEXTS, calibration=TEXTS[:40])


def test_both_models_are_compared_with_torch(exported: OnnxExport) -> None:
    assert [path.name for path in exported.paths] == ["model.onnx", "model_int8.onnx"]
    exact, int8 = exported.drifts
    assert exact.texts == len(TEXTS) - 1  # without the empty one
    assert (exact.flips, exact.max_dp < 1e-4) == (0, True)
    assert 1e-4 < int8.max_dp < 0.5
    assert str(int8).startswith("ONNX int8 compared with fp32")


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 5), (17, 32)])
def test_plain_onnx_runtime_gives_the_logits_of_torch(
    model: Path, exported: OnnxExport, shape: tuple[int, int]
) -> None:
    ort = pytest.importorskip("onnxruntime")
    rows, length = shape
    session = ort.InferenceSession(exported.paths[0], providers=["CPUExecutionProvider"])
    assert [entry.name for entry in session.get_inputs()] == ["input_ids", "attention_mask"]
    generator = np.random.default_rng(0)
    ids = generator.integers(5, 60, shape)
    mask = (np.arange(length) < generator.integers(1, length + 1, (rows, 1))).astype(np.int64)
    torch_engine = TorchEngine(logits_of(trained_classifier(model)), choose("fp32", use="score"))
    (found,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    np.testing.assert_allclose(found, torch_engine(ids, mask), atol=1e-4)


def test_an_int8_answer_does_not_depend_on_its_batch(model: Path, exported: OnnxExport) -> None:
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(exported.paths[1], providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_folder(model)
    tokens = tokenizer.encode(["so happy today", "very " * 60, "I am afraid"])
    names = ("input_ids", "attention_mask")
    alone, together = (
        session.run(None, dict(zip(names, pad(tokens, rows, pad_id=tokenizer.pad_id), strict=True)))
        for rows in (np.array([0]), np.array([0, 1, 2]))
    )
    np.testing.assert_allclose(alone[0][0], together[0][0], atol=0.05)


def test_the_files_tell_nothing_of_this_machine(exported: OnnxExport) -> None:
    places = [Path.home(), Path(exports.__file__).parent, "site-packages", "Traceback"]
    for path in exported.paths:
        content = path.read_bytes()
        assert not [place for place in places if str(place).encode() in content]


def test_the_files_are_listed_and_say_what_they_were_made_of(
    model: Path, exported: OnnxExport
) -> None:
    onnx = pytest.importorskip("onnx")
    listed = json.loads((model / "emolens.json").read_text("utf-8"))["files"]
    for path in exported.paths:
        assert listed[path.relative_to(model).as_posix()] == sha256(path)
    (entry,) = onnx.load(exported.paths[0]).metadata_props
    assert (entry.key, entry.value) == ("emolens.weights_sha256", Weights.of(model).sha256)


def test_a_model_that_answers_otherwise_than_torch_is_not_kept(
    emolens: Emolens, tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_run.folder / "model", folder)
    (path,) = export_onnx(folder, TEXTS[:5]).paths
    monkeypatch.setattr(exports, "_ROUNDING", -1.0)
    with pytest.raises(EncoderError, match="its answers are not those of torch") as caught:
        export_onnx(folder, TEXTS[:5])
    typed = str(caught.value.hint).split(": emolens ")[1]
    assert emolens(*shlex.split(typed)).code == 0
    assert not path.exists()
    listed = json.loads((folder / "emolens.json").read_text("utf-8"))["files"]
    assert not [name for name in listed if name.startswith("onnx/")]
    assert not list(folder.glob(".*"))
