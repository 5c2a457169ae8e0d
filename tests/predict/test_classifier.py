"""The classifier: torch's answers without torch, flagged where unsure, refused with a reason."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emolens.decide import ONE_CLASS
from emolens.encode.backbone import logits_of, trained_classifier
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.choose import choose
from emolens.encode.engines.torch import TorchEngine
from emolens.errors import DataError, EncoderError
from emolens.predict.classifier import Classifier, Prediction
from emolens.study import Run
from tests.conftest import HOSTILE, feeling_rows

TEXTS = [text for text, _ in feeling_rows(30)] + [*HOSTILE, "happy", "very " * 60]

IN_A_NEW_PROCESS = """
import json, sys
from emolens.predict.classifier import Classifier
from emolens.predict.tables import predict_table
answers = Classifier(sys.argv[1], precision="fp32").predict(["i am happy", "so sad"])
names = {"torch", "transformers", "sklearn", "pandas", "datasets", "huggingface_hub"}
heavy = sorted(names & set(sys.modules))
print(json.dumps([heavy, [a.probabilities for a in answers]]))
"""


@pytest.fixture(scope="module")
def model(tiny_run: Run) -> Path:
    return tiny_run.folder / "model"


@pytest.fixture(scope="module")
def classifier(model: Path) -> Classifier:
    return Classifier(model, precision="fp32")


def test_probabilities_are_torchs(classifier: Classifier, model: Path) -> None:
    engine = TorchEngine(logits_of(trained_classifier(model)), choose("fp32"))
    tokens = classifier.tokenizer.encode(TEXTS)
    wanted = ONE_CLASS.probabilities(run_batches(engine, tokens, 0))
    np.testing.assert_allclose(classifier.predict_proba(TEXTS), wanted, atol=1e-4)


def test_an_answer_names_the_most_probable_class(classifier: Classifier) -> None:
    answers = classifier.predict(TEXTS)
    assert [answer.text for answer in answers] == TEXTS
    for answer in answers:
        assert list(answer.probabilities) == ["sadness", "joy", "anger"]
        values = [p for p in answer.probabilities.values() if p is not None]
        assert sum(values) == pytest.approx(1)
        assert answer.probability == max(values)
        assert answer.probabilities[str(answer.label or answer.best_guess)] == answer.probability


@pytest.mark.parametrize("blank", ["", " \n\t", "\u200b\ufeff", "\u2800", "\x00", " " * 500])
def test_a_blank_text_has_no_emotion_and_no_probability(classifier: Classifier, blank: str) -> None:
    texts = [blank, "i am happy", blank, "so sad", blank]
    first, happy, second, sad, third = classifier.predict(texts)
    nothing = dict.fromkeys(classifier.labels.names)
    wanted = Prediction(
        blank, None, None, None, unsure=True, reason="blank", truncated=False, probabilities=nothing
    )
    assert [first, second, third] == [wanted] * 3
    assert repr(first).startswith("Prediction(no text, unsure: blank, ")
    assert [happy, sad] == classifier.predict(["i am happy", "so sad"])
    probabilities = classifier.predict_proba(texts)
    assert np.isnan(probabilities[[0, 2, 4]]).all()
    assert np.array_equal(probabilities[[1, 3]], classifier.predict_proba(texts[1::2]))
    assert np.isnan(classifier.predict_proba([blank])).all()


def test_an_answer_does_not_depend_on_its_neighbors(classifier: Classifier) -> None:
    together = classifier.predict((TEXTS * 20)[::-1])[::-1][: len(TEXTS)]
    alone = [classifier.predict([text])[0] for text in TEXTS]
    assert [a.label for a in together] == [a.label for a in alone]
    np.testing.assert_allclose(
        [a.probability for a in together], [a.probability for a in alone], atol=1e-5
    )


def test_answers_under_the_threshold_are_flagged(classifier: Classifier, model: Path) -> None:
    tops = classifier.predict_proba(TEXTS).max(axis=1)
    between = float(np.median(tops))
    careful = Classifier(model, precision="fp32", unsure_below=between)
    answers = careful.predict(TEXTS)
    low = [answer.reason == "low probability" for answer in answers]
    others = np.array([answer.unsure for answer in answers]) & ~np.array(low)
    assert low == ((tops < between) & ~others).tolist()
    assert 0 < sum(low) < len(low)


def test_a_text_of_unknown_signs_only_is_unsure_at_any_threshold(model: Path) -> None:
    sure = Classifier(model, unsure_below=0)
    answers = sure.predict(["\u4dc0 \u4dc1", "\u4dc0", "i am sad", "i am \u4dc0"])
    assert [answer.unsure for answer in answers] == [True, True, False, False]
    assert answers[0].probability is not None


def test_no_texts_give_no_answers(classifier: Classifier) -> None:
    assert classifier.predict([]) == []
    assert classifier.predict_proba([]).shape == (0, 3)


def test_half_a_surrogate_pair_is_named(classifier: Classifier) -> None:
    with pytest.raises(DataError, match="Text 1 "):
        classifier.predict(["fine", "\ud83d"])


def test_it_answers_without_torch_or_transformers(classifier: Classifier, model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_NEW_PROCESS, str(model)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    heavy, probabilities = json.loads(done.stdout)
    assert heavy == []
    wanted = [a.probabilities for a in classifier.predict(["i am happy", "so sad"])]
    for found, there in zip(probabilities, wanted, strict=True):
        assert found == pytest.approx(there, abs=1e-6)


def test_a_folder_that_is_not_there_is_an_encoder_error(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no model folder") as caught:
        Classifier(tmp_path / "nowhere")
    assert "emolens run" in caught.value.hint


def test_a_model_without_export_says_how_to_export(model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "model")
    shutil.rmtree(folder / "openvino")
    with pytest.raises(EncoderError, match="no exported model") as caught:
        Classifier(folder)
    assert "emolens export" in caught.value.hint


@pytest.mark.parametrize("name", ["openvino_model.xml", "openvino_model.bin"])
def test_a_truncated_export_is_an_encoder_error(model: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(model, tmp_path / "model")
    whole = (folder / "openvino" / name).read_bytes()
    (folder / "openvino" / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EncoderError) as caught:
        Classifier(folder)
    assert "emolens export" in caught.value.hint


def test_a_broken_config_is_an_encoder_error(model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "config.json").write_text("{")
    with pytest.raises(EncoderError, match=r"config\.json") as caught:
        Classifier(folder)
    assert caught.value.hint


def test_a_bare_encoder_is_no_classifier(tiny_encoder: Path) -> None:
    assert "id2label" not in (tiny_encoder / "config.json").read_text("utf-8")
    with pytest.raises(EncoderError, match="without classes") as caught:
        Classifier(tiny_encoder)
    assert caught.value.hint
