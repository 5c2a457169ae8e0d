"""A model folder gives the same answers in every program that loads it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pytest
from tokenizers import Tokenizer

from emolens.data.dataset import Dataset
from emolens.decide import Function
from emolens.encode.backbone import Pooling
from emolens.encode.embed import Encoder
from emolens.export.onnx import export_onnx
from emolens.export.openvino import export_openvino
from emolens.learn.finetune import finetune
from emolens.predict.classifier import Classifier
from emolens.scores import Recipe
from emolens.show.card import SENTENCE, short_card
from emolens.show.cardtext import FOLDER
from tests.conftest import HOSTILE, ROOT, WORDS, feeling_rows
from tests.encode.families import TOKENIZERS, save_encoder
from tests.export.test_model import SEVERAL, THREE, change_config, model_folder
from tests.learn.conftest import LABELS, split_of

TEXTS = [
    *(text for text, _ in feeling_rows(6)),
    *HOSTILE,
    "happy",
    "so sad " * 60,  # longer than the limit of every tiny model
    "glad " * 41_000,  # emolens reads only the beginning of such a text
    "a [SEP] b [PAD] c [MASK] d <s> e </s> f <pad> g",
    "  spaces\t at\r\n both ends\n\n",
    "e\u0301 \u00e9 \ufb01 \u200d\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
]
STRANGE = {"0": "=1+1, 'joy'", "1": "</script>\n\u202e", "2": ""}

# Texts to (n, k) logits, or to (n, d) vectors.
Ask = Callable[[Sequence[str]], np.ndarray]


def tokenizer_of_transformers(folder: Path, kind: str) -> Callable[[Sequence[str]], Any]:
    """Texts to one padded batch, as people do it who know transformers alone."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return lambda texts: tokenizer(list(texts), padding=True, truncation=True, return_tensors=kind)


def in_transformers(folder: Path) -> Ask:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenize = tokenizer_of_transformers(folder, "pt")
    return lambda texts: model(**tokenize(texts)).logits.detach().numpy()


def in_onnx_runtime(folder: Path) -> Ask:
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "onnx" / "model.onnx")
    tokenize = tokenizer_of_transformers(folder, "np")

    def ask(texts: Sequence[str]) -> np.ndarray:
        tokens = tokenize(texts)
        inputs = {entry.name: tokens[entry.name] for entry in session.get_inputs()}
        return np.asarray(session.run(["logits"], inputs)[0])

    return ask


@cache
def core() -> Any:
    """One for all tests: when one ends before a younger one, Python crashes at the next signal."""
    import openvino

    return openvino.Core()


def in_openvino(file: Path) -> Ask:
    # Without this option, OpenVINO computes in bf16 where the processor has it.
    model = core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    tokenize = tokenizer_of_transformers(file.parents[1], "np")

    def ask(texts: Sequence[str]) -> np.ndarray:
        tokens = tokenize(texts)
        return np.asarray(model({port.any_name: tokens[port.any_name] for port in model.inputs})[0])

    return ask


PROGRAMS: dict[str, Callable[[Path], Ask]] = {
    "transformers": in_transformers,
    "ONNX Runtime": in_onnx_runtime,
    "OpenVINO": lambda folder: in_openvino(folder / "openvino" / "openvino_model.xml"),
    "OpenVINO, from ONNX": lambda folder: in_openvino(folder / "onnx" / "model.onnx"),
}
FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "softmax": lambda logits: np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True),
    "sigmoid": lambda logits: 1 / (1 + np.exp(-logits)),
    "none": lambda logits: logits,
}


def assert_close(values: np.ndarray, exact: np.ndarray, name: str) -> None:
    np.testing.assert_allclose(values, exact, atol=1e-4, rtol=0, err_msg=name)


def logits_of_all(folder: Path) -> np.ndarray:
    """Export a model; all programs must give the logits of each text, alone and in a batch."""
    export_openvino(folder)
    export_onnx(folder, TEXTS)
    asks = {name: program(folder) for name, program in PROGRAMS.items()}
    exact = np.concatenate([asks["transformers"]([text]) for text in TEXTS])
    for name, ask in asks.items():
        assert_close(ask(TEXTS), exact, f"{name}, in a batch")
        assert_close(np.concatenate([ask([text]) for text in TEXTS]), exact, f"{name}, alone")
    assert exact.std(axis=0).min() > 0.02  # the texts have different answers
    return exact


def assert_answers(
    folder: Path, logits: np.ndarray, *, function: str = "softmax", asked: str | None = None
) -> None:
    """A pipeline and emolens make the same probabilities of these logits.

    function: from logits to probabilities. asked: the function that the pipeline must be given.
    """
    exact = FUNCTIONS[function](logits.astype(np.float64))
    for batch_size in (1, 7):
        assert_close(in_a_pipeline(folder, batch_size, function=asked), exact, "pipeline")
    without = shutil.ignore_patterns("openvino")
    onnx_only = Path(shutil.copytree(folder, folder.with_name("onnx-only"), ignore=without))
    for place in (folder, onnx_only):
        classifier = Classifier(place, precision="fp32")
        assert_close(classifier.predict_proba(TEXTS), exact, f"emolens, {place.name}, in a batch")
        alone = [classifier.predict_proba([text]) for text in TEXTS]
        assert_close(np.concatenate(alone), exact, f"emolens, {place.name}, alone")


def in_a_pipeline(folder: Path, batch_size: int, *, function: str | None) -> np.ndarray:
    """(n, k) the scores of TEXTS by a pipeline of transformers."""
    from transformers import pipeline

    extra = {} if function is None else {"function_to_apply": function}
    ask = pipeline("text-classification", str(folder), device="cpu", truncation=True, **extra)
    answers = ask(TEXTS, top_k=None, batch_size=batch_size)
    names = ask.model.config.id2label
    scores = [{answer["label"]: answer["score"] for answer in row} for row in answers]
    return np.array([[row[names[i]] for i in range(len(names))] for row in scores])


# What config.json says, the function that makes probabilities of logits, and the one that a
# pipeline must be given in its call: it reads none from config.json.
HEADS: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "one class": ({}, "softmax", None),
    "one class, stated": ({"problem_type": "single_label_classification"}, "softmax", None),
    "strange names": ({"id2label": STRANGE}, "softmax", None),
    "several classes": ({"problem_type": SEVERAL}, "sigmoid", None),
    "sigmoid": ({"function_to_apply": "sigmoid"}, "sigmoid", "sigmoid"),
    "softmax": ({"problem_type": SEVERAL, "function_to_apply": "softmax"}, "softmax", "softmax"),
    "none": ({"function_to_apply": "none"}, "none", "none"),
}


@pytest.fixture(scope="module")
def three(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A model with three outputs, exported, and its logits."""
    folder = tmp_path_factory.mktemp("parity") / "model"
    folder = model_folder(folder, tiny_encoder, id2label=THREE, num_hidden_layers=1)
    return folder, logits_of_all(folder)


@pytest.mark.parametrize("head", HEADS)
def test_every_program_answers_alike_for_each_head(
    three: tuple[Path, np.ndarray], tmp_path: Path, head: str
) -> None:
    (folder, logits), (config, function, asked) = three, HEADS[head]
    folder = Path(shutil.copytree(folder, tmp_path / "model"))
    change_config(folder, **config)
    assert_answers(folder, logits, function=function, asked=asked)


def ran(text: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[dict[str, Any]]:
    """The names that each piece of Python in a text leaves behind. folder: where it runs."""
    monkeypatch.chdir(folder)
    pieces: list[dict[str, Any]] = []
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        pieces.append({})
        exec(code, pieces[-1])
    return pieces


def test_the_examples_in_the_docs_give_the_same_answers(
    three: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = three
    text = (ROOT / "docs" / "loading.md").read_text(encoding="utf-8")
    *loaded, encoder = ran(text, monkeypatch, folder.parent)
    exact, *others = (np.asarray(names["probabilities"]) for names in loaded)
    assert len(others) == 4
    for probabilities in others:
        assert_close(probabilities, exact, "probabilities")
    with pytest.warns(UserWarning, match="another task"):
        ours = Encoder(folder, pooling="mean", precision="fp32", cache=False)
        assert_close(encoder["vectors"], ours.encode(["so happy", "so sad"]), "vectors")


def assert_code_in_the_card(folder: Path, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """folder: called as in the examples of a card."""
    classifier = Classifier(folder, precision="fp32")
    names, exact = classifier.labels.names, classifier.predict_proba([SENTENCE])[0]
    card = short_card(
        "model", names, function=cast("Function", function), max_length=classifier.max_length
    )
    with_emolens, with_a_pipeline, with_onnx = ran(card, monkeypatch, folder.parent)
    assert with_emolens["classifier"].labels.names == names
    answers = with_a_pipeline["classifier"](SENTENCE, top_k=None)
    scores = sorted(answer["score"] for answer in answers)
    assert_close(np.array(scores), np.sort(exact), "pipeline")
    assert with_a_pipeline["classifier"]("sad " * 99)
    assert_close(with_onnx["probabilities"], exact, "ONNX Runtime")
    assert [label or "LABEL_2" for label in with_onnx["labels"]] == list(names)


@pytest.mark.parametrize("head", HEADS)
def test_the_code_in_the_card_gives_the_same_answers_for_each_head(
    three: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str
) -> None:
    config, function, _ = HEADS[head]
    folder = Path(shutil.copytree(three[0], tmp_path / FOLDER))
    change_config(folder, **config)
    backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    backend.enable_padding(length=30)  # as some folders of others have it
    backend.save(str(folder / "tokenizer.json"))
    assert_code_in_the_card(folder, function, monkeypatch)


@pytest.mark.parametrize(
    ("config", "function"),
    [({"id2label": {0: "angry"}, "problem_type": SEVERAL}, "sigmoid"), ({}, "softmax")],
    ids=["one output", "two classes without names"],
)
def test_every_program_answers_alike_for_one_output_and_for_two(
    tiny_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    function: str,
) -> None:
    folder = model_folder(tmp_path / FOLDER, tiny_encoder, num_hidden_layers=1, **config)
    assert ("id2label" in json.loads((folder / "config.json").read_text("utf-8"))) is bool(config)
    assert_answers(folder, logits_of_all(folder), function=function)
    assert_code_in_the_card(folder, function, monkeypatch)


FAMILIES = [
    pytest.param(name, marks=() if name in ("bert", "roberta") else pytest.mark.soak)
    for name in TOKENIZERS
]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_program_answers_alike_for_a_model_that_emolens_trained(
    tmp_path: Path, family: str
) -> None:
    encoder = save_encoder(tmp_path / "encoder", family, WORDS)
    splits = {"train": split_of(feeling_rows(60)), "validation": split_of(feeling_rows(18))}
    recipe = Recipe(epochs=15, learning_rate=3e-3, batch_size=8, precision="fp32")
    folder = tmp_path / "model"
    finetune(encoder, Dataset("feelings", LABELS, splits), folder, recipe=recipe)
    assert_answers(folder, logits_of_all(folder))
    assert_same_vectors(folder)


def assert_same_vectors(folder: Path) -> None:
    """sentence-transformers and emolens read the trained model as the same encoder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    model = SentenceTransformer(str(folder), device="cpu")
    width = model.get_embedding_dimension()
    for pooling in get_args(Pooling):
        model[1] = modules.Pooling(width, pooling_mode=pooling)
        with pytest.warns(UserWarning, match="another task|cut at"):
            ours = Encoder(folder, pooling=pooling, precision="fp32", cache=False).encode(TEXTS)
        theirs = model.encode(TEXTS, batch_size=7)
        assert_close(ours, theirs, pooling)
