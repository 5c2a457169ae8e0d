"""Model folders that are not what they seem: nothing foreign is run, nothing random is answered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from emolens.cli import app
from emolens.encode.backbone import find_encoder, tokenizer_of
from emolens.encode.embed import Encoder
from emolens.encode.engines.openvino import read_traced
from emolens.errors import EncoderError
from emolens.export.model import ExportedModel
from emolens.export.openvino import export_openvino
from tests.conftest import write_csv
from tests.encode.families import FAMILIES, save_model
from tests.export.test_model import THREE, model_folder

EVIL = """
import pathlib
pathlib.Path(__file__).parent.joinpath("WAS_RUN").write_text("x")
pathlib.Path({marker!r}).write_text("x")
from transformers import BertConfig, BertModel, BertTokenizer
class EvilConfig(BertConfig):
    model_type = {kind!r}
class EvilModel(BertModel):
    config_class = EvilConfig
class EvilTokenizer(BertTokenizer):
    pass
"""
AUTO_MAP = {
    "AutoConfig": "evil.EvilConfig",
    "AutoModel": "evil.EvilModel",
    "AutoModelForSequenceClassification": "evil.EvilModel",
}


@pytest.fixture
def folder(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run emolens as a user does, with a stdin that says yes to every question."""
    return subprocess.run(
        [sys.executable, "-m", "emolens", *map(str, arguments)],
        input="y\n" * 1000,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "Do you wish" not in done.stdout + done.stderr


def make_evil(folder: Path, marker: Path, *, kind: str) -> None:
    (folder / "evil.py").write_text(EVIL.format(marker=str(marker), kind=kind), "utf-8")
    change(folder / "config.json", model_type=kind, auto_map=AUTO_MAP)
    tokenizer = {"AutoTokenizer": ["evil.EvilTokenizer", "evil.EvilTokenizer"]}
    change(folder / "tokenizer_config.json", auto_map=tokenizer, tokenizer_class="EvilTokenizer")


@pytest.mark.parametrize("kind", ["evil", "bert"])
@pytest.mark.parametrize("with_tokenizer_json", [True, False])
def test_python_code_in_a_folder_is_never_run(
    folder: Path, tmp_path: Path, kind: str, with_tokenizer_json: bool
) -> None:
    marker = tmp_path / "MARK"
    make_evil(folder, marker, kind=kind)
    if not with_tokenizer_json:
        (folder / "tokenizer.json").unlink()
    table = write_csv(tmp_path / "t.csv", [("happy", "joy")])
    out = tmp_path / "out.parquet"
    done = command("encode", table, "--encoder", folder, "--out", out)
    assert not marker.exists()
    assert not (folder / "WAS_RUN").exists()
    assert "Do you wish" not in done.stdout + done.stderr
    if kind == "bert" and with_tokenizer_json:
        # The library has a class of its own for this kind, and needs no code of the folder.
        assert done.returncode == 0, done.stderr
        assert out.exists()
    else:
        assert_refused(done)
        assert not out.exists()


@pytest.mark.parametrize("left", [0, 5])
def test_partial_weights_are_neither_encoded_with_nor_exported(
    folder: Path, tmp_path: Path, left: int
) -> None:
    change(folder / "config.json", architectures=["BertForSequenceClassification"])
    weights = load_file(folder / "model.safetensors")
    save_file(dict(list(weights.items())[:left]), folder / "model.safetensors")
    table = write_csv(tmp_path / "t.csv", [("happy", "joy")])
    out = tmp_path / "out.parquet"
    for arguments in (["encode", table, "--encoder", folder, "--out", out], ["export", folder]):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert isinstance(result.exception, EncoderError)
    assert not out.exists()
    assert not (folder / "openvino").exists()


def test_other_ways_to_weights_and_code_are_not_followed(folder: Path, tmp_path: Path) -> None:
    """Adapters, pickles and files of other libraries beside the weights change nothing."""
    elsewhere = Path(shutil.copytree(folder, tmp_path / "elsewhere"))
    before = Encoder(folder, cache=False).encode(["happy", "sad"])
    adapter = {"peft_type": "LORA", "base_model_name_or_path": str(elsewhere)}
    (folder / "adapter_config.json").write_text(json.dumps(adapter))
    marker = tmp_path / "PICKLED"
    for name in ("pytorch_model.bin", "adapter_model.bin", "tf_model.h5", "flax_model.msgpack"):
        (folder / name).write_bytes(f"cos\nsystem\n(S'touch {marker}'\ntR.".encode())
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text("raise SystemExit(3)")
    (folder / "generation_config.json").write_text("[")
    with pytest.warns(UserWarning, match=r"adapter_config\.json is not used"):
        after = Encoder(folder, cache=False).encode(["happy", "sad"])
    np.testing.assert_array_equal(after, before)
    assert not marker.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"vocab_file": "vocab.txt", "tokenizer_file": "tokenizer.json"},
        {"init_inputs": ["vocab.txt"]},
        {"fast_tokenizer_files": ["../tokenizer.json"]},
        {"tokenizer_class": "PreTrainedTokenizerFast", "tokenizer_file": "tokenizer.json"},
        {"tokenizer_class": "TokenizersBackend", "vocab_file": "vocab.txt"},
        {"tokenizer_class": "BertTokenizerLegacy", "vocab_file": "vocab.txt"},
    ],
)
def test_a_tokenizer_config_names_no_file_elsewhere(
    folder: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    for name in ("tokenizer.json", "vocab.txt"):
        (folder / name).rename(tmp_path / name)
    absolute = {
        key: str(tmp_path / value) if key in ("vocab_file", "tokenizer_file") else value
        for key, value in changes.items()
    }
    change(folder / "tokenizer_config.json", **absolute)
    with pytest.raises(EncoderError) as caught:
        tokenizer_of(find_encoder(folder))
    assert caught.value.hint


@pytest.fixture(scope="module")
def exported(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = model_folder(tmp_path_factory.mktemp("exported"), tiny_encoder, id2label=THREE)
    export_openvino(folder)
    (folder / "emolens.json").unlink()  # as a folder of others, whose files have no SHA-256
    return folder


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("input_ids", "input_idz"),
        ('<?xml version="1.0"?>', '<?xml version="1.0"?><!DOCTYPE net SYSTEM "/etc/passwd">'),
        ("<layers>", "<layers>" + "<layer>" * 50_000),
        ("</net>", ""),
        ('element_type="i64"', 'element_type="f32"'),
        ('shape="?,?"', 'shape="1,8"'),
    ],
)
def test_a_changed_export_is_one_sentence(
    exported: Path, tmp_path: Path, old: str, new: str
) -> None:
    folder = Path(shutil.copytree(exported, tmp_path / "model"))
    path = folder / "openvino" / "openvino_model.xml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(EncoderError, match=r"openvino|OpenVINO") as caught:
        ExportedModel(folder, precision="fp32").ask(["happy", "so sad"])
    assert "emolens export" in caught.value.hint


@pytest.mark.parametrize("shape", ["states", "scalar"])
def test_an_export_whose_output_is_no_table_is_refused(exported: Path, shape: str) -> None:
    import openvino as ov

    core, path = ov.Core(), exported / "openvino" / "openvino_model.xml"
    other = path.with_name(f"{shape}.xml")
    model = core.read_model(path)
    axis = ov.opset13.constant(0)
    if shape == "states":
        node = ov.opset13.unsqueeze(model.outputs[0].get_node().input_value(0), axis)
    else:
        node = ov.opset13.reduce_sum(model.outputs[0].get_node().input_value(0), axis)
    ov.save_model(ov.Model([node], model.get_parameters()), other)
    with pytest.raises(EncoderError, match="rows, numbers"):
        read_traced(other)


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(f, marks=[] if f in ("distilbert", "modernbert") else [pytest.mark.soak])
        for f in FAMILIES
    ],
)
def test_a_classifier_of_each_family_is_exported_and_answers(
    tiny_encoder: Path, tmp_path: Path, family: str
) -> None:
    folder = save_model(tmp_path, family, "ForSequenceClassification", vocab_size=300)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_encoder / name, folder)
    export_openvino(folder)
    probabilities, *_ = ExportedModel(folder, precision="fp32").ask(["happy", "so sad today"])
    assert probabilities.shape == (2, 2)
    with pytest.warns(UserWarning, match="another task"):
        vectors = Encoder(folder, cache=False, precision="fp32").encode(["happy"])
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize(
    ("change_content", "message"),
    [
        (lambda c: c["model"].update(unk_token="[NOPE]"), "tokenizer of this model failed"),
        (
            lambda c: c.update(
                post_processor={
                    "type": "BertProcessing",
                    "sep": ["[SEP]", 10**6],
                    "cls": ["[CLS]", 2],
                }
            ),
            "ids up to 1,000,000",
        ),
    ],
    ids=["unknown token", "ids of the post-processor"],
)
def test_a_tokenizer_that_does_not_fit_is_one_sentence(
    folder: Path, tmp_path: Path, change_content: Any, message: str
) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text("utf-8"))
    change_content(content)
    path.write_text(json.dumps(content), "utf-8")
    table = write_csv(tmp_path / "t.csv", [("so 我", "joy")])
    result = CliRunner().invoke(app, ["encode", str(table), "--encoder", str(folder)])
    assert isinstance(result.exception, EncoderError)
    assert message in str(result.exception)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_a_pipe_beside_the_model_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "special_tokens_map.json")
    (folder / "notes.json").mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import emolens; emolens.find_encoder({str(folder)!r}).fingerprint",
        ],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
