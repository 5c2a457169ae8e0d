"""Unsure answers: which rows get none, why, and what is promised of the others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from emolens.calibration import Calibration
from emolens.errors import DataError, UsageError
from emolens.export.onnx import export_onnx
from emolens.export.openvino import export_openvino
from emolens.predict.classifier import Classifier
from emolens.predict.tables import WriteOptions, predict_table
from emolens.predict.unsure import reasons
from emolens.study import Run
from tests.conftest import Emolens, feeling_rows
from tests.export.test_model import THREE, model_folder
from tests.predict.formats import ADDED, BY_CLASS, OF_ALL, csv_file, read
from tests.test_calibration import KNOWN

TEXTS = [text for text, _ in feeling_rows(30)]
LONG, UNKNOWN, BLANK = "very " * 60, "\u4dc0 \u4dc1 sad", " "
ITALIAN = "ho paura di quello che succederà domani mattina"
MakeModel = Callable[..., Path]


@pytest.fixture
def model_with(tiny_run: Run, tmp_path: Path) -> MakeModel:
    """A copy of the small model with this calibration, trained on texts of this language."""

    def make(calibration: Calibration | None = KNOWN, language: str | None = None) -> Path:
        folder = tmp_path / "model"
        shutil.copytree(tiny_run.folder / "model", folder, dirs_exist_ok=True)
        path = folder / "emolens.json"
        plain = json.loads(path.read_text())
        plain["calibration"] = calibration and calibration.to_json()
        plain["training_texts"] = {"language": language}
        path.write_text(json.dumps(plain))
        return folder

    return make


def test_of_several_reasons_the_first_of_the_list_is_given() -> None:
    flags = np.tri(6, dtype=bool)  # text i has all reasons from i on
    blank, unknown, foreign, cut, unanswered, low = flags
    given = reasons(
        low,
        unanswered,
        blank=blank,
        unknown=unknown,
        cut=(cut, 32),
        languages=["Italian" if there else None for there in foreign],
    )
    wanted = ["blank", "unknown words", "in Italian", "cut at 32 tokens", "no class"]
    assert given == [*wanted, "low probability"]


class TestAnswers:
    """Of a classifier."""

    def test_an_unsure_text_has_a_best_guess_in_place_of_a_label(
        self, model_with: MakeModel
    ) -> None:
        texts = [*TEXTS, LONG, UNKNOWN, BLANK]
        folder = model_with()
        every = Classifier(folder, precision="fp32", answer_all=True).predict(texts)
        middle = float(np.median([a.probability or 0 for a in every[: len(TEXTS)]]))
        some = Classifier(folder, precision="fp32", unsure_below=middle).predict(texts)
        assert {a.reason for a in some} == {
            None, "low probability", "cut at 32 tokens", "unknown words", "blank",
        }  # fmt: skip
        for answer, always in zip(some, every, strict=True):
            assert answer.probabilities == always.probabilities
            assert answer.unsure is (answer.reason is not None)
            assert always.best_guess is None
            if answer.unsure:
                assert (answer.label, answer.best_guess) == (None, always.label)
            else:
                assert (answer.label, answer.best_guess) == (always.label, None)

    def test_the_threshold_is_compared_with_the_whole_number(self, model_with: MakeModel) -> None:
        folder = model_with()
        p = Classifier(folder, precision="fp32").predict(["i am happy"])[0].probability
        assert p is not None
        for threshold, unsure in ((p, False), (float(np.nextafter(p, 1)), True)):
            given = Classifier(folder, precision="fp32", unsure_below=threshold)
            assert given.predict(["i am happy"])[0].unsure is unsure
        assert not Classifier(folder, unsure_below=0).predict(["i am happy"])[0].unsure
        assert Classifier(folder, unsure_below=1).predict(["i am happy"])[0].unsure

    def test_an_option_sets_the_threshold(self, model_with: MakeModel) -> None:
        folder = model_with()
        at = {
            0.4: {}, 0.8: {"promise": 0.85}, 0.2: {"coverage": 0.8}, 0.33: {"unsure_below": 0.33},
        }  # fmt: skip
        for threshold, given in at.items():
            classifier = Classifier(folder, **given)
            assert classifier.threshold.unsure_below == pytest.approx(threshold)
            assert classifier.decision.unsure_below == classifier.threshold.unsure_below
            kept = classifier.threshold.promise
            assert (kept is not None) is (threshold in (0.4, 0.8))
            assert ("no promise" in classifier.threshold.text) is (kept is None)

    def test_the_promise_is_about_answers_that_are_not_unsure(self, model_with: MakeModel) -> None:
        folder = model_with()
        text = "Of the answers, at least 80 % are right, with 90 % confidence, on texts like"
        assert Classifier(folder).threshold.text.startswith(text)
        every = Classifier(folder, answer_all=True).threshold.text
        assert every.startswith("Of the answers that are not unsure, at least 80 % are right")

    @pytest.mark.parametrize("calibration", [None, replace(KNOWN, promised=None)])
    def test_without_a_promise_it_is_one_half(
        self, model_with: MakeModel, calibration: Calibration | None
    ) -> None:
        threshold = Classifier(model_with(calibration)).threshold
        assert (threshold.unsure_below, threshold.promise) == (0.5, None)
        assert "othing is promised" in threshold.text

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"promise": 0.95}, "95 % of the answers are right can't be promised"),
            ({"promise": 95}, "above 0 and up to 1, not 95"),
            ({"coverage": 0}, "--coverage takes a share above 0"),
            ({"unsure_below": float("nan")}, "not nan"),
            ({"promise": 0.8, "coverage": 0.8}, "only one of"),
        ],
    )
    def test_what_cannot_be_kept_is_refused(
        self, model_with: MakeModel, given: dict[str, float], message: str
    ) -> None:
        with pytest.raises(UsageError, match=message):
            Classifier(model_with(), **given)

    def test_a_model_that_was_not_measured_promises_nothing(self, model_with: MakeModel) -> None:
        folder = model_with(None)
        for given in ({"promise": 0.8}, {"coverage": 0.8}):
            with pytest.raises(UsageError, match="nobody has measured"):
                Classifier(folder, **given)
        with pytest.raises(UsageError, match="nobody has measured"):
            Classifier(folder).predict(["happy"], sets=0.9)

    def test_an_error_names_a_model_as_it_can_be_typed(
        self, model_with: MakeModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = model_with(None)
        folder.rename(folder.with_name("general"))
        monkeypatch.chdir(folder.parent)
        with pytest.raises(UsageError, match=r"the model \./general nobody"):
            Classifier(Path("general"), coverage=0.8)

    def test_prediction_sets_hold_what_is_likely_enough_and_the_best(
        self, model_with: MakeModel
    ) -> None:
        classifier = Classifier(model_with(), precision="fp32")
        for coverage in (0.1, 0.5, 0.9):
            lowest = KNOWN.set_threshold(coverage)
            for answer in classifier.predict(TEXTS[:5], sets=coverage):
                likely = {n for n, p in answer.probabilities.items() if p and p >= lowest}
                assert set(answer.prediction_set or ()) == likely | {
                    answer.label or answer.best_guess
                }
        (blank,) = classifier.predict([""], sets=0.9)
        assert blank.prediction_set == ()
        with pytest.raises(UsageError, match=r"--sets takes a share above 0 and up to 0\.99"):
            classifier.predict(["happy"], sets=1.0)


class TestTables:
    """The columns of answers."""

    def test_a_row_says_why_it_has_no_answer(self, model_with: MakeModel, tmp_path: Path) -> None:
        texts = ["i am so happy", LONG, UNKNOWN, BLANK, ITALIAN]
        source = tmp_path / "in.jsonl"
        source.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
        tally = predict_table(
            Classifier(model_with(language="en"), unsure_below=0), source, tmp_path / "out.jsonl"
        )
        rows = read(tmp_path / "out.jsonl")
        assert [row["reason"] for row in rows] == [
            None, "cut at 32 tokens", "unknown words", "blank", "in Italian",
        ]  # fmt: skip
        assert [bool(row["emotion"]) for row in rows] == [True, *[False] * 4]
        assert [bool(row["best_guess"]) for row in rows] == [False, True, True, False, True]
        assert (tally.rows, tally.answered, tally.reasons.total()) == (5, 1, 4)
        assert tally.summary.startswith("5 rows: 1 answered, 4 unsure (1 ")

    @pytest.mark.parametrize("language", [None, "it"])
    def test_the_language_is_that_of_the_training(
        self, model_with: MakeModel, tmp_path: Path, language: str | None
    ) -> None:
        source = csv_file(tmp_path / "in.csv", f"text\n{ITALIAN}\n")
        tally = predict_table(Classifier(model_with(language=language)), source, tmp_path / "o.csv")
        assert "in Italian" not in tally.reasons

    @pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet", ".xlsx"])
    def test_other_columns_of_these_names_stay_if_they_are_not_needed(
        self, model_with: MakeModel, tmp_path: Path, ending: str
    ) -> None:
        own = {"text": "happy", "reason": "late", "best_guess": "me", "error": "404"}
        source = csv_file(tmp_path / "in.jsonl", json.dumps(own) + "\n")
        target = tmp_path / f"out{ending}"
        folder = model_with()
        predict_table(Classifier(folder, answer_all=True), source, target)
        (row,) = read(target)
        assert list(row) == [*own, *OF_ALL, *BY_CLASS]
        assert {name: row[name] for name in own} == own
        with pytest.raises(DataError, match="already has a column 'best_guess'"):
            predict_table(Classifier(folder), source, tmp_path / "b.csv")

    @pytest.mark.parametrize("before", [False, True])
    @pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet", ".xlsx"])
    def test_answers_of_another_kind_are_replaced(
        self, model_with: MakeModel, tmp_path: Path, ending: str, before: bool
    ) -> None:
        folder = model_with()
        ways = [Classifier(folder, answer_all=every) for every in (before, not before)]
        source = csv_file(tmp_path / "in.csv", "id,text\n1,happy\n2,\n3,so sad\n")
        once, twice, fresh = (tmp_path / f"{name}{ending}" for name in ("one", "two", "new"))
        write = WriteOptions(sets=None if before else 0.9)
        predict_table(ways[0], source, once, write=write)
        predict_table(ways[1], once, twice)
        predict_table(ways[1], source, fresh)
        assert read(twice) == read(fresh)

    def test_types_are_those_of_the_columns(self, model_with: MakeModel, tmp_path: Path) -> None:
        source = csv_file(tmp_path / "in.csv", "text\n\nhappy\n")
        given = Classifier(model_with(), unsure_below=0)
        write = WriteOptions(sets=0.5)
        predict_table(given, source, tmp_path / "out.parquet", write=write)
        table = pq.read_table(tmp_path / "out.parquet")
        kinds = ["string", "string", "double", "bool", "string", *["double"] * 3, "string"]
        assert [str(table.schema.field(n).type) for n in (*ADDED, "prediction_set")] == kinds
        blank, happy = table.to_pylist()
        assert (blank["best_guess"], blank["prediction_set"]) == (None, None)
        assert (happy["best_guess"], happy["reason"], happy["unsure"]) == (None, None, False)


@pytest.fixture(scope="module")
def with_all_exports(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose answers differ from text to text."""
    folder = model_folder(tmp_path_factory.mktemp("exported"), tiny_encoder, id2label=THREE)
    export_openvino(folder, calibration=TEXTS)
    export_onnx(folder, TEXTS)
    return folder


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8", "onnx"])
def test_every_engine_and_file_leaves_the_same_texts_unanswered(
    with_all_exports: Path, emolens: Emolens, precision: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(with_all_exports, tmp_path / "model")
    texts = [*TEXTS, LONG, UNKNOWN, BLANK]
    exact = Classifier(folder, precision="fp32").predict_proba(TEXTS)
    highest = np.sort(exact, axis=1)
    threshold = float(np.median(highest[:, -1]))
    wanted = Classifier(folder, precision="fp32", unsure_below=threshold).predict(texts)
    if precision == "onnx":
        shutil.rmtree(folder / "openvino")
    run_as = "fp32" if precision == "onnx" else precision
    classifier = Classifier(folder, precision=run_as, unsure_below=threshold)
    answers = classifier.predict(texts)
    # bf16 and int8 compute with fewer digits: what is nearly a tie may fall to another side.
    error = np.abs(classifier.predict_proba(TEXTS) - exact).max(axis=1)
    near = (np.abs(highest[:, -1] - threshold) <= error) | (
        highest[:, -1] - highest[:, -2] <= 2 * error
    )
    assert near.mean() < 0.7
    for answer, other, is_near in zip(answers, wanted, [*near, False, False, False], strict=True):
        if not is_near:
            assert (answer.label, answer.best_guess) == (other.label, other.best_guess)
            assert answer.reason == other.reason
    source = csv_file(tmp_path / "in.jsonl", "".join(json.dumps({"text": t}) + "\n" for t in texts))
    options = ("--model", folder, "--precision", run_as, "--unsure-below", repr(threshold))
    ended = emolens("predict", "--input", source, "--out", tmp_path / "out.jsonl", *options)
    assert ended.code == 0, ended.err
    rows = read(tmp_path / "out.jsonl")
    assert [(row["emotion"], row["best_guess"], row["reason"]) for row in rows] == [
        (a.label, a.best_guess, a.reason) for a in answers
    ]
    given = json.loads(emolens("predict", *texts, "--json", *options).out)
    assert [answer["reason"] for answer in given] == [a.reason for a in answers]
