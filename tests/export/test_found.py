"""The exported model of a folder or of the Hub: which file is used, and what is checked."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolens.encode.engines.openvino import INPUTS
from emolens.errors import EncoderError
from emolens.export.model import ExportedModel
from emolens.export.onnx import export_onnx
from emolens.export.openvino import export_openvino
from emolens.study import Run
from tests.conftest import HOSTILE, Emolens, feeling_rows
from tests.hub.standin import StandIn

TEXTS = [text for text, _ in feeling_rows(60)] + [*HOSTILE, "happy", "very " * 60]
READ = {"config.json", "emolens.json", "tokenizer.json", "tokenizer_config.json"}
READ |= {"training_texts.safetensors"}
# Answers, or errors, for several names, in one process: the client reads its environment at import.
CLIENT = """
import json, sys, warnings
from emolens.errors import EmolensError
from emolens.predict.classifier import Classifier
answers = []
for name, precision in json.loads(sys.argv[1]):
    try:
        with warnings.catch_warnings(record=True) as notes:
            classifier = Classifier(name, precision=precision)
        answers.append({"p": classifier.predict_proba(["i am happy", "so sad"]).tolist(),
                        "name": repr(classifier), "folder": str(classifier.folder),
                        "notes": [str(note.message) for note in notes]})
    except EmolensError as error:
        answers.append({"error": str(error), "hint": error.hint})
heavy = {"torch", "transformers", "pandas", "sklearn"} & sys.modules.keys()
print(json.dumps([answers, sorted(heavy)]))
"""


@pytest.fixture(scope="module")
def exported(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with all that an export writes."""
    folder = tmp_path_factory.mktemp("found") / "model"
    shutil.copytree(tiny_run.folder / "model", folder)
    export_openvino(folder, calibration=TEXTS)
    export_onnx(folder, TEXTS, calibration=TEXTS[:40])
    return folder


@pytest.fixture
def onnx_only(exported: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(exported, tmp_path / "onnx-only")
    shutil.rmtree(folder / "openvino")
    return folder


def probabilities(folder: Path, precision: str = "fp32") -> np.ndarray:
    return ExportedModel(folder, precision=precision).ask(TEXTS).probabilities


def test_without_openvino_the_onnx_model_answers(exported: Path, onnx_only: Path) -> None:
    exact = probabilities(exported)
    np.testing.assert_allclose(probabilities(onnx_only), exact, atol=1e-4)
    int8 = np.abs(probabilities(onnx_only, "int8") - exact).max()
    assert 1e-4 < int8 < 0.5


def test_an_int8_model_that_only_onnx_has_is_used(exported: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exported, tmp_path / "model")
    int8 = probabilities(folder, "int8")
    for file in (folder / "openvino").glob("*qint8*"):
        file.unlink()
    other = probabilities(folder, "int8")
    assert 0 < np.abs(int8 - other).max() < 0.5
    (folder / "onnx" / "model_int8.onnx").unlink()
    with pytest.raises(EncoderError, match=r"neither openvino/\S+ nor onnx/model_int8\.onnx"):
        ExportedModel(folder, precision="int8")


@pytest.mark.parametrize("name", ["onnx/model.onnx", "tokenizer.json"])
def test_a_changed_file_beside_an_onnx_model_gives_no_answer(onnx_only: Path, name: str) -> None:
    file = onnx_only / name
    whole = bytearray(file.read_bytes())
    if file.suffix == ".onnx":
        middle = len(whole) // 2
        whole[middle : middle + 400] = bytes(400)
    else:
        whole = whole.replace(b"happy", b"glad?", 1)
    file.write_bytes(whole)
    with pytest.raises(EncoderError, match=r"is not as emolens wrote it|is damaged") as caught:
        ExportedModel(onnx_only, precision="fp32")
    assert caught.value.hint.startswith(f"Export it again: emolens export {onnx_only}")


@pytest.mark.parametrize("size", [80, 5000])
def test_a_broken_off_onnx_file_is_damaged_and_nothing_else_is_printed(
    onnx_only: Path, size: int, emolens: Emolens
) -> None:
    (onnx_only / "emolens.json").unlink()
    file = onnx_only / "onnx" / "model.onnx"
    file.write_bytes(file.read_bytes()[:size])
    ended = emolens("predict", "so happy", "--model", onnx_only)
    assert (ended.code, ended.out) == (1, "")
    first, hint = ended.err.splitlines()
    assert first == f"Error: {file} can't be loaded: it is damaged."
    assert "emolens export" in hint


def test_an_onnx_model_of_other_weights_or_classes_is_refused(
    onnx_only: Path, exported: Path
) -> None:
    weights = onnx_only / "model.safetensors"
    whole = bytearray(weights.read_bytes())
    whole[-4:] = b"\0\0\1\1"
    weights.write_bytes(whole)
    with pytest.raises(EncoderError, match=r"model\.onnx was made from other weights than those"):
        ExportedModel(onnx_only, precision="fp32")
    weights.unlink()  # an exported model needs none
    assert probabilities(onnx_only).shape == (len(TEXTS), 3)
    config = onnx_only / "config.json"
    changed = json.loads(config.read_text("utf-8")) | {"id2label": {"0": "joy", "1": "anger"}}
    config.write_text(json.dumps(changed), "utf-8")
    (onnx_only / "emolens.json").unlink()
    with pytest.raises(EncoderError, match=r"model\.onnx gives 3 outputs for the 2 classes"):
        ExportedModel(onnx_only, precision="fp32")


def test_an_onnx_model_of_others_may_ask_for_token_types(onnx_only: Path) -> None:
    """As most exports of BERT by other programs do."""
    onnx = pytest.importorskip("onnx")
    wanted = probabilities(onnx_only)
    file = onnx_only / "onnx" / "model.onnx"
    model = onnx.load(file)
    types = onnx.helper.make_tensor_value_info("token_type_ids", 7, ["rows", "tokens"])
    model.graph.input.append(types)
    ids, added = INPUTS[0], "ids_of_both"
    for node in model.graph.node:
        node.input[:] = [added if name == ids else name for name in node.input]
    # Any type that is not 0 changes the token.
    model.graph.node.insert(0, onnx.helper.make_node("Add", [ids, "token_type_ids"], [added]))
    del model.metadata_props[:]
    onnx.save(model, file)
    (onnx_only / "emolens.json").unlink()
    np.testing.assert_allclose(probabilities(onnx_only), wanted, atol=1e-6)


def ask(hub: StandIn, *names: tuple[str, str], **environment: str) -> list[dict[str, Any]]:
    done = hub.python("-c", CLIENT, json.dumps(names), **environment)
    assert (done.returncode, done.stderr) == (0, "")
    answers, heavy = json.loads(done.stdout)
    assert heavy == []
    return list(answers)


def publish(hub: StandIn, folder: Path, name: str, revision: str = "main") -> Path:
    place = hub.files("models", f"someone/{name}", revision)
    shutil.copytree(folder, place)
    (place / "pytorch_model.bin").write_bytes(b"a pickle")
    (place / "notes.json").write_text("{}", "utf-8")
    return place


def files_of(answer: dict[str, Any]) -> set[str]:
    folder = Path(answer["folder"])
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_model_of_the_hub_answers_like_its_folder_and_then_from_the_cache(
    hub: StandIn, exported: Path, onnx_only: Path
) -> None:
    publish(hub, exported, "all")
    publish(hub, onnx_only, "onnx")
    publish(hub, onnx_only, "all", "v2")
    hub.start()
    names = [("someone/all", "fp32"), ("someone/onnx", "fp32"), ("someone/onnx", "int8")]
    both, onnx, int8 = answers = ask(hub, *names)
    wanted = ExportedModel(exported, precision="fp32").ask(["i am happy", "so sad"])
    for answer in (both, onnx):
        np.testing.assert_allclose(answer["p"], wanted.probabilities, atol=1e-4)
        assert answer["notes"] == []
    assert int8["p"] != onnx["p"]
    assert files_of(both) == READ | {f"openvino/openvino_model.{part}" for part in ("xml", "bin")}
    assert files_of(onnx) == READ | {"onnx/model.onnx", "onnx/model_int8.onnx"}
    commit = Path(both["folder"]).name
    assert f"someone/all@{commit}" in both["name"]
    assert not any("model.safetensors" in str(request) for request in hub.requests())

    (tagged,) = ask(hub, ("someone/all@v2", "fp32"))
    assert files_of(tagged) == READ | {"onnx/model.onnx"}
    hub.stop()
    assert ask(hub, *names, HF_HUB_OFFLINE="1") == answers
    first, pinned, other = ask(
        hub, names[0], (f"someone/all@{commit}", "fp32"), ("someone/all@v2", "fp32")
    )
    note = "The Hub did not give the model someone/all, so the copy in the cache is used, commit"
    assert first["notes"] == [f"{note} {commit[:12]}."]
    assert (pinned["p"], pinned["notes"]) == (both["p"], [])
    assert other["folder"] == tagged["folder"]


def test_what_the_hub_does_not_have_is_one_sentence_and_a_hint_that_helps(
    hub: StandIn, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = publish(hub, exported, "bare")
    for part in ("openvino", "onnx"):
        shutil.rmtree(bare / part)
    damaged = publish(hub, exported, "damaged")
    weights = damaged / "openvino" / "openvino_model.bin"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4000] + bytes(4000))
    (publish(hub, exported, "data") / "config.json").unlink()
    hub.start()
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    answers = ask(
        hub,
        ("someone/bare", "fp32"),
        ("someone/damaged", "fp32"),
        ("someone/data", "fp32"),
        ("someone/nothing", "fp32"),
        ("someone/bare@v9", "fp32"),
        ("runs/modle", "fp32"),
    )
    for answer in answers:
        assert "\n" not in answer["error"] + answer["hint"]
    missing, broken, no_config, absent, no_revision, no_folder = answers
    assert re.search("no exported model .* neither openvino/.* nor onnx/", missing["error"])
    assert "openvino_model.bin is not as emolens wrote it" in broken["error"]
    assert broken["hint"].startswith("Download it again: hf download someone/damaged --revision ")
    assert no_config["error"].startswith("someone/data on the Hub is no model for emolens")
    assert "does not have the model someone/nothing" in absent["error"]
    assert "does not have the model someone/bare at v9" in no_revision["error"]
    assert no_folder["error"] == "runs/modle is no model folder."
    assert "write runs/modle@main" in no_folder["hint"]

    hint = re.search(r"(hf download .*), then: emolens (export bare)$", missing["hint"])
    assert hint, missing["hint"]
    downloaded = hub.python("-m", "huggingface_hub.cli.hf", *hint[1].split()[1:])
    assert downloaded.returncode == 0, downloaded.stderr
    done = hub.python("-m", "emolens", *hint[2].split(), "--no-onnx")
    assert done.returncode == 0, done.stderr
    done = hub.python("-m", "emolens", "predict", "i am happy", "--model", "bare")
    assert "i am happy" in done.stdout


def test_a_name_of_the_hub_is_no_folder_to_export(
    emolens: Emolens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = emolens("export", "someone/tiny@v1.0", "--int8")
    assert (ended.code, ended.out) == (2, "")
    first, hint = ended.err.splitlines()
    assert first == "Error: someone/tiny@v1.0 is no folder."
    assert "hf download someone/tiny --revision v1.0 --local-dir tiny, then:" in hint
    assert hint.endswith("emolens export tiny --int8")


def test_the_command_says_which_commit_answers_and_a_folder_wins(
    hub: StandIn, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hub, exported, "tiny")
    hub.start()
    monkeypatch.chdir(tmp_path)
    command = ("-m", "emolens", "predict", "i am happy", "--model", "someone/tiny")
    done = hub.python(*command)
    assert "i am happy" in done.stdout, done.stderr
    note = re.match(r"Note: The model is (someone/tiny@[0-9a-f]{40})\. Its", done.stderr)
    assert note, done.stderr
    assert hub.python(*command[:-1], note[1], HF_HUB_OFFLINE="1").stdout == done.stdout
    shutil.copytree(exported, tmp_path / "someone" / "tiny")
    hub.stop()
    done = hub.python(*command, HF_HOME=str(tmp_path / "empty"))
    assert ("i am happy" in done.stdout, "someone/tiny@" in done.stderr) == (True, False)


def test_a_damaged_copy_of_the_hub_is_made_good_by_its_hint(hub: StandIn, exported: Path) -> None:
    publish(hub, exported, "tiny")
    hub.start()
    (good,) = ask(hub, ("someone/tiny", "fp32"))
    weights = Path(good["folder"]) / "openvino" / "openvino_model.bin"
    weights.write_bytes(weights.read_bytes()[:-4000] + bytes(4000))
    (damaged,) = ask(hub, ("someone/tiny", "fp32"), HF_HUB_OFFLINE="1")
    assert "openvino_model.bin is not as emolens wrote it" in damaged["error"]
    hint = re.search(r"hf (download .* --force-download)\.", damaged["hint"])
    assert hint, damaged["hint"]
    done = hub.python("-m", "huggingface_hub.cli.hf", *hint[1].split())
    assert done.returncode == 0, done.stderr
    (again,) = ask(hub, ("someone/tiny", "fp32"), HF_HUB_OFFLINE="1")
    assert again == good


def test_a_private_model_needs_a_token_that_is_valid(hub: StandIn, exported: Path) -> None:
    (publish(hub, exported, "tiny").parent / "private").touch()
    hub.start()
    name = ("someone/tiny", "fp32")
    (without,) = ask(hub, name)
    assert without["error"].startswith("The Hub does not have the model someone/tiny, or it is pri")
    assert "hf auth login" in without["hint"]
    (refused,) = ask(hub, name, HF_TOKEN="hf_other")
    assert refused["error"] == "The Hub refuses your token."
    (answer,) = ask(hub, name, HF_TOKEN="hf_read")
    assert answer["notes"] == []
    (cached,) = ask(hub, name, HF_TOKEN="hf_other")
    assert cached["p"] == answer["p"]
    assert "The Hub did not give the model someone/tiny, so the copy" in cached["notes"][0]


def test_a_download_that_breaks_off_is_one_sentence_and_is_continued(
    hub: StandIn, exported: Path
) -> None:
    publish(hub, exported, "tiny")
    fault = hub.served / "break-download"
    fault.write_text("20000")
    hub.start()
    (broken,) = ask(hub, ("someone/tiny", "fp32"))
    assert "The Hugging Face Hub does not answer" in broken["error"]
    fault.unlink()
    (answer,) = ask(hub, ("someone/tiny", "fp32"))
    assert len(answer["p"]) == 2


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals between processes")
def test_a_signal_stops_a_slow_download_at_once(hub: StandIn, exported: Path) -> None:
    place = publish(hub, exported, "tiny")
    with (place / "openvino" / "openvino_model.bin").open("ab") as file:
        file.write(bytes(100_000_000))  # some minutes
    (hub.served / "slow").touch()
    hub.start()
    client = subprocess.Popen(
        [sys.executable, "-m", "emolens", "predict", "so happy", "--model", "someone/tiny"],
        env=hub.environment(),
        stderr=subprocess.PIPE,
    )
    log = hub.served / "requests.jsonl"
    deadline = time.monotonic() + 60
    while not (log.exists() and re.search(r'"GET", "path": "[^"]*\.bin"', log.read_text("utf-8"))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    client.send_signal(signal.SIGTERM)
    _, printed = client.communicate(timeout=30)
    assert (client.returncode, printed) == (128 + signal.SIGTERM, b"Stopped.\n")


def test_tokenize_and_encode_say_which_commit_of_an_encoder_they_use(
    hub: StandIn, tiny_encoder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_encoder, hub.files("models", "someone/tiny", "v1"))
    hub.start()
    done = hub.python("-m", "emolens", "tokenize", "so happy", "--encoder", "someone/tiny@v1")
    note = re.fullmatch(r"Note: the encoder is (someone/tiny@[0-9a-f]{40})\n", done.stderr)
    assert note, done.stderr
    hub.stop()
    (tmp_path / "t.csv").write_text("text\nso happy\n", "utf-8")
    table = str(tmp_path / "t.csv")
    done = hub.python("-m", "emolens", "encode", table, "--encoder", note[1], "--no-cache")
    assert note[0].strip() in done.stderr.splitlines()
    assert done.returncode == 0
