"""The exported model is the trained one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import openvino
import torch

from emolens.decide import ONE_CLASS
from emolens.encode.backbone import logits_and_embedding_of, logits_of, trained_classifier
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.choose import choose
from emolens.encode.engines.openvino import MODEL, OpenVinoEngine
from emolens.encode.engines.torch import TorchEngine
from emolens.encode.tokenize import Tokenizer
from emolens.export.openvino import export_openvino
from emolens.output import sha256
from emolens.study import Run
from tests.conftest import HOSTILE, feeling_rows

TEXTS = [text for text, _ in feeling_rows(30)] + [*HOSTILE, "", "happy", "very " * 60]


def test_openvino_gives_the_probabilities_of_torch(tiny_run: Run) -> None:
    folder = tiny_run.folder / "model"
    tokenizer, fp32 = Tokenizer.from_folder(folder), choose("fp32")
    tokens = tokenizer.encode(TEXTS)
    torch_engine = TorchEngine(logits_of(trained_classifier(folder)), fp32)
    exported = OpenVinoEngine(folder / "openvino" / MODEL, fp32)
    wanted, found = (
        ONE_CLASS.probabilities(run_batches(engine, tokens, tokenizer.pad_id))
        for engine in (torch_engine, exported)
    )
    assert tokens.lengths.min() == 2
    assert tokens.lengths.max() == 32
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_embedding_is_a_second_output_and_that_of_torch(tiny_run: Run) -> None:
    folder = tiny_run.folder / "model"
    tokenizer, fp32 = Tokenizer.from_folder(folder), choose("fp32")
    tokens = tokenizer.encode(TEXTS)
    module = logits_and_embedding_of(trained_classifier(folder))
    exported = OpenVinoEngine(folder / "openvino" / MODEL, fp32)
    torch_engine = TorchEngine(module, fp32)
    wanted, found = (
        run_batches(engine, tokens, tokenizer.pad_id, then=lambda outputs: outputs)
        for engine in (torch_engine, exported)
    )
    assert wanted.shape == (len(TEXTS), 3 + 16)
    assert exported.n_more == torch_engine.n_more == 16
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    ports = openvino.Core().read_model(folder / "openvino" / MODEL).outputs
    assert [port.get_any_name() for port in ports] == ["logits", "embedding"]
    ids = torch.tensor([tokenizer.encode(["happy"])[0].tolist()])
    states = trained_classifier(folder)(ids, output_hidden_states=True)
    middle = states.hidden_states[1][0].mean(dim=0).detach().numpy()  # of two layers the first
    place = TEXTS.index("happy")
    np.testing.assert_allclose(found[place, 3:], middle, atol=1e-4)


def test_exporting_again_replaces_its_own_files_only(tiny_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_run.folder / "model", folder)
    names = ["openvino_model.bin", "openvino_model.xml"]
    int8 = ["openvino_model_qint8_quantized.bin", "openvino_model_qint8_quantized.xml"]
    assert [path.name for path in export_openvino(folder, calibration=TEXTS)] == names + int8
    (folder / "openvino" / "notes").write_text("mine")
    paths = export_openvino(folder)
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in (folder / "openvino").iterdir()) == ["notes", *names]
    listed = json.loads((folder / "emolens.json").read_text("utf-8"))["files"]
    for path in paths:
        assert listed[path.relative_to(folder).as_posix()] == sha256(path)
    assert not {f"openvino/{name}" for name in int8} & set(listed)
    assert not list(folder.glob(".*"))
