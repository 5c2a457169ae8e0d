"""What predict says of a whole table: how often each emotion occurs."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolens.predict.classifier import Classifier
from emolens.predict.found import Found
from emolens.predict.tables import predict_table
from emolens.study import Run
from tests.conftest import feeling_rows, write_csv


def test_the_counts_are_those_of_the_columns(classifier: Classifier, tmp_path: Path) -> None:
    texts = [*(text for text, _ in feeling_rows(50)), "", "  "]
    source = write_csv(tmp_path / "t.csv", [(text,) for text in texts], ("text",))
    found = predict_table(classifier, source, tmp_path / "out.csv").found
    assert found is not None
    assert found.texts == 50
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    answers = Counter(row["emotion"] for row in rows if row["emotion"])
    guesses = Counter(row["best_guess"] for row in rows if row["best_guess"])
    for each in found.classes:
        assert (each.answers, each.guesses) == (answers[each.label], guesses[each.label])
        assert each.share.value == pytest.approx(each.n / 50)
        assert each.share.low < each.share.value < each.share.high or each.n in (0, 50)
    counts = [each.n for each in found.classes]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == 50
    adjusted = [each.adjusted for each in found.classes]
    assert sum(share.value for share in adjusted if share) == pytest.approx(1)
    assert found.rows == (classifier.calibration and classifier.calibration.rows)


def test_nothing_is_adjusted_for_a_model_whose_mistakes_are_not_known(
    tiny_run: Run, tmp_path: Path
) -> None:
    model = Classifier(tiny_run.folder / "model", precision="fp32")
    assert model.calibration is not None
    model.calibration = replace(model.calibration, confusion=None)
    source = write_csv(tmp_path / "t.csv", [("so happy",)], ("text",))
    found = predict_table(model, source, tmp_path / "out.csv").found
    assert found is not None
    assert found.rows == 0
    assert {each.adjusted for each in found.classes} == {None}


def test_nothing_is_adjusted_where_too_many_texts_are_unlike(classifier: Classifier) -> None:
    counts = np.array([5, 3, 2])
    for unlike, adjusted in ((0, True), (1, True), (2, False)):
        found = Found.of(
            classifier.labels.names,
            10,
            answers=counts,
            guesses=0 * counts,
            unlike=unlike,
            calibration=classifier.calibration,
        )
        assert found.is_adjusted is adjusted
        assert all((each.adjusted is not None) is adjusted for each in found.classes)


def test_nothing_is_found_where_no_text_can_be_read(classifier: Classifier, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "t.csv", [("x", ""), ("x", " ")], ("id", "text"))
    assert predict_table(classifier, source, tmp_path / "out.csv").found is None
