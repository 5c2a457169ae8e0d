"""A model is scored on labelled rows: what is counted, left out, and said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from emolens.data.labelled import Labelled
from emolens.data.sources import load_dataset, load_rows
from emolens.errors import DataError, UsageError
from emolens.judge.model import score_model
from emolens.judge.report import ModelReport
from emolens.judge.sentences import left_out
from emolens.modelfolder import TRAINING_TEXTS
from emolens.predict.classifier import Classifier
from emolens.study import Run
from tests.conftest import feeling_rows, write_csv


@pytest.fixture(scope="module")
def classifier(tiny_run: Run) -> Classifier:
    return Classifier(tiny_run.folder / "model", precision="fp32")


@pytest.fixture(scope="module")
def rows() -> Labelled:
    texts, labels = zip(*feeling_rows(60), strict=True)
    return Labelled.from_texts(texts, labels)


def test_the_figures_are_those_of_scikit_learn(classifier: Classifier, rows: Labelled) -> None:
    report = score_model(classifier, rows)
    p = classifier.predict_proba(rows.rows.texts)
    answers = np.array(classifier.labels.names)[p.argmax(axis=1)]
    labels = np.array(rows.labels.names)[rows.rows.labels]
    assert report.figures["accuracy"].value == pytest.approx(accuracy_score(labels, answers))
    for name, average in (("macro_f1", "macro"), ("weighted_f1", "weighted")):
        wanted = f1_score(labels, answers, average=average)
        assert report.figures[name].value == pytest.approx(wanted)
    names = classifier.labels.names
    by_class = precision_recall_fscore_support(labels, answers, labels=names, zero_division=0)
    for i, name in enumerate(names):
        own = report.per_class[name]
        assert (own.precision, own.recall, own.f1.value, own.n) == pytest.approx(
            [figures[i] for figures in by_class]
        )
        assert own.f1.low <= own.f1.value <= own.f1.high
    assert sum(map(sum, report.confusion or [])) == report.rows.scored == 60
    assert report.calibration.confidence == pytest.approx(p.max(axis=1).mean())


def test_a_report_is_saved_and_loaded(
    classifier: Classifier, rows: Labelled, tmp_path: Path
) -> None:
    report = score_model(classifier, rows)
    assert ModelReport.load(report.save(tmp_path / "report.json")) == report


def test_rows_that_the_model_cannot_get_right_are_left_out_and_counted(
    classifier: Classifier,
) -> None:
    texts, labels = zip(*feeling_rows(30), strict=True)
    more = [("so proud", "pride"), ("i am glad", "happiness"), ("happy tears", "joy,sadness")]
    rows = Labelled.from_texts(
        [*texts, *(text for text, _ in more)], [*labels, *(label for _, label in more)]
    )
    report = score_model(classifier, rows, mapping={"joy": "happiness"})
    assert (report.rows.scored, report.rows.unknown, report.rows.several) == (31, 1, 1)
    assert report.classes.unknown == {"pride": 1}
    assert report.classes.matched["happiness"] == "joy"
    sure = not classifier.predict(["so proud"])[0].unsure
    assert report.rows.unknown_answered == sure


def test_two_names_of_one_class_in_a_row_are_one_class(classifier: Classifier) -> None:
    labels = ["joy,fun", "sadness", ""]
    rows = Labelled.from_texts(["so glad", "so sad", "not now"], labels, label_separator="comma")
    report = score_model(classifier, rows, mapping={"joy": "fun"})
    assert report.rows.scored == 2
    assert report.classes.absent == ("anger",)


def test_without_a_row_to_score_the_counts_are_said(classifier: Classifier) -> None:
    rows = Labelled.from_texts(["a cat", "a dog"], ["joy,anger", "pride"], label_separator="comma")
    with pytest.raises(DataError, match="1 have several classes, 0 have none, and 1 have a class"):
        score_model(classifier, rows)


def test_a_dataset_gives_its_test_rows_and_a_source_too(
    classifier: Classifier, feelings_folder: Path
) -> None:
    of_dataset = score_model(classifier, load_dataset(feelings_folder))
    of_source = score_model(classifier, feelings_folder)
    assert of_dataset.rows.scored == of_source.rows.scored == 18
    assert of_dataset.figures == of_source.figures


def test_all_rows_of_a_table_are_scored_also_if_they_have_one_class(
    classifier: Classifier, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "t.csv", [("so happy", "joy"), ("", "joy"), ("what", "joy")])
    report = score_model(classifier, path)
    assert report.rows.scored == 2
    assert report.rows.split == "table"
    assert "1 row has no text and is left out." in report.notes
    assert {row.row for row in report.confidently_wrong} <= {2, 4}
    assert len(report.confidently_wrong) == round(2 * (1 - report.figures["accuracy"].value))


def test_rows_are_those_of_test_else_all_and_the_split_can_be_named(
    feelings_folder: Path,
) -> None:
    assert len(load_rows(feelings_folder)) == 18
    assert len(load_rows(feelings_folder, "train")) == 60
    assert len(load_rows(feelings_folder, "dev")) == 18
    assert len(load_rows(feelings_folder, "all")) == 96
    (feelings_folder / "test.csv").unlink()
    rows = load_rows(feelings_folder)
    assert (len(rows), rows.split) == (78, "table")
    assert any("there is no test split" in note.text for note in rows.notes)
    with pytest.raises(UsageError, match="has no split 'test'"):
        load_rows(feelings_folder, "test")


def test_a_class_that_only_test_has_is_no_error(feelings_folder: Path) -> None:
    write_csv(feelings_folder / "test.csv", [("so proud", "pride"), ("so glad", "joy")])
    assert load_rows(feelings_folder).labels.names == ("joy", "pride")


def test_a_test_split_without_labels_is_left_out_and_said(feelings_folder: Path) -> None:
    write_csv(feelings_folder / "test.csv", [("so proud", ""), ("so glad", "")])
    rows = load_rows(feelings_folder)
    assert len(rows) == 78
    assert "No row of test has a label, so these rows are not used." in map(str, rows.notes)
    with pytest.raises(DataError, match="no row with a label"):
        load_rows(feelings_folder, "test")


def test_a_text_in_another_language_is_unsure_as_in_predict(tiny_run: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_run.folder / "model", tmp_path / "model")
    about = folder / "emolens.json"
    about.write_text(
        json.dumps(json.loads(about.read_text()) | {TRAINING_TEXTS: {"language": "en"}})
    )
    italian = "oggi sono molto felice perché il sole splende sopra la città"
    rows = Labelled.from_texts([italian, "i am so happy today"], ["joy", "joy"])
    assert score_model(folder, rows).unsure["in Italian"] == 1


def test_answers_to_unknown_classes_are_called_wrong_if_they_are(tiny_run: Run) -> None:
    texts, labels = zip(*feeling_rows(6), ("i am glad", "happiness"), strict=True)
    rows = Labelled.from_texts(texts, labels)
    unsure = Classifier(tiny_run.folder / "model", unsure_below=1.0)
    assert "The answer of the model is unsure." in left_out(score_model(unsure, rows))[0]
    sure = Classifier(tiny_run.folder / "model", unsure_below=0.0)
    line = left_out(score_model(sure, rows))[0]
    assert line.endswith(
        "1 of the answers of the model is not unsure, and so wrong if the model does not have the"
        " class under another name."
    )
