"""The evaluation: every model on every split, its JSON, its worst rows, its table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolens.calibration import Calibration, Promise
from emolens.data.dataset import Dataset, Split
from emolens.errors import StorageError, UsageError
from emolens.evaluation.calibration import calibration_figures
from emolens.evaluation.evaluate import Evaluation, WorstRow, evaluate, predictions_table, rival_of
from emolens.evaluation.metrics import Comparison
from emolens.labels import LabelSet
from emolens.scores import Scores
from emolens.store import load_table
from emolens.study import Run

NAMES = ("joy", "anger", "<b>|&")


def split_of(prefix: str, labels: list[int]) -> Split:
    return Split(tuple(f"{prefix} {i}" for i in range(len(labels))), np.array(labels))


DATASET = Dataset(
    "made",
    LabelSet(NAMES),
    {
        "train": split_of("train", [0, 1, 2]),
        "validation": split_of("validation", [0, 1, 2, 0, 1]),
        "test": split_of("test", [0, 1, 2]),
    },
)
SURE = {
    "validation": np.array(
        [
            [0.8, 0.1, 0.1],  # right
            [0.6, 0.3, 0.1],  # wrong
            [0.9, 0.08, 0.02],  # wrong, the most confidently, and the hardest
            [0.3, 0.25, 0.45],  # wrong, the least confidently
            [0.1, 0.05, 0.85],  # wrong
        ]
    ),
    "test": np.eye(3),
}
CHANCE = {name: np.full_like(array, 1 / 3) for name, array in SURE.items()}
SCORES = [Scores(name, p) for name, p in (("majority", CHANCE), ("tfidf", CHANCE), ("probe", SURE))]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(DATASET, SCORES)


def test_every_model_is_measured_on_every_split_except_train(evaluation: Evaluation) -> None:
    assert list(evaluation.by_split) == ["validation", "test"]
    for models in evaluation.by_split.values():
        assert list(models) == ["majority", "tfidf", "probe"]
    probe = evaluation.by_split["validation"]["probe"]
    assert (probe.n, probe.accuracy) == (5, 0.2)
    assert probe.confusion == [[1, 0, 1], [1, 0, 1], [1, 0, 0]]
    assert probe.loss == pytest.approx(-np.log([0.8, 0.3, 0.02, 0.3, 0.05]).mean())
    assert list(probe.per_class) == list(NAMES)
    low, high = probe.intervals["accuracy"]
    assert low <= probe.accuracy <= high
    assert evaluation.by_split["test"]["probe"].accuracy == 1


def test_the_pairs_mixed_up_most_come_with_their_share_of_the_class(
    evaluation: Evaluation,
) -> None:
    a, b, c = NAMES
    probe = evaluation.by_split["validation"]["probe"]
    assert probe.mistaken(1) == [(c, a, 1, 1.0)]
    assert probe.mistaken() == [(c, a, 1, 1.0), (a, c, 1, 0.5), (b, a, 1, 0.5), (b, c, 1, 0.5)]
    assert evaluation.by_split["test"]["probe"].mistaken() == []


def test_scores_can_be_named_to_compare_several() -> None:
    scores = SCORES[-1]
    both = evaluate(DATASET, [scores.named("one"), scores.named("two")])
    assert list(both.by_split["validation"]) == ["one", "two"]
    with pytest.raises(UsageError, match="2 scores of 1 models"):
        evaluate(DATASET, [scores, scores])


def test_the_worst_rows_are_those_of_the_best_model_on_validation(evaluation: Evaluation) -> None:
    scores = {name: e.macro_f1 for name, e in evaluation.by_split["validation"].items()}
    assert evaluation.worst_of == max(scores, key=scores.__getitem__) == "majority"


def test_a_calibrated_model_is_measured_before_and_after_with_its_promise() -> None:
    calibration = Calibration(
        temperature=2.0,
        rows=5,
        folds=5,
        confidence=0.9,
        promised=0.5,
        promises=(Promise(0.5, 0.85, 0.5),),
        thresholds=(0.0,) * 100,
        accuracies=(0.2,) * 100,
        sets=(0.0,) * 100,
    )
    probe = replace(SCORES[-1], calibration=calibration)
    labels, p = DATASET["validation"].labels, SURE["validation"]
    raw = p**2 / (p**2).sum(axis=1, keepdims=True)  # twice as high logits
    evaluated = evaluate(DATASET, [*SCORES[:-1], probe])
    of_probe = evaluated.by_split["validation"]["probe"]
    assert of_probe.calibration == calibration_figures(labels, p)
    assert of_probe.before
    assert of_probe.before.confidence == pytest.approx(raw.max(axis=1).mean())
    assert of_probe.promise
    assert (of_probe.promise.answered, of_probe.promise.right) == (2, 0)
    # A text that is cut is not answered, whatever its probability is.
    cut = {"probe": {"validation": np.array([True, True, False, True, True])}}
    promise = evaluate(DATASET, [probe], answerable=cut).by_split["validation"]["probe"].promise
    assert promise
    assert (promise.rows, promise.answered) == (5, 1)
    majority = evaluated.by_split["validation"]["majority"]
    assert (majority.before, majority.promise) == (None, None)
    assert Evaluation.from_dict(json.loads(json.dumps(evaluated.to_dict()))) == evaluated


def test_the_order_of_the_splits_changes_nothing(evaluation: Evaluation) -> None:
    splits = {name: DATASET.splits[name] for name in ("test", "validation", "train")}
    again = evaluate(Dataset("made", LabelSet(NAMES), splits), SCORES)
    assert again == evaluation
    assert {row.split for row in again.hardest + again.confidently_wrong} == {"validation"}


def test_data_without_validation_are_refused() -> None:
    splits = {name: DATASET.splits[name] for name in ("train", "test")}
    with pytest.raises(UsageError, match="made has no split 'validation'"):
        evaluate(Dataset("made", LabelSet(NAMES), splits), SCORES)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ({"validation": SURE["validation"]}, "have nothing for test, not (3, 3)"),
        (SURE | {"test": np.eye(3)[:2]}, "have the shape (2, 3) for test, not (3, 3)"),
        (SURE | {"test": np.full((3, 2), 0.5)}, "have the shape (3, 2) for test, not (3, 3)"),
    ],
)
def test_scores_of_other_rows_or_classes_are_refused(
    probabilities: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(f"The scores of 'mine' {message}")):
        evaluate(DATASET, [Scores("mine", probabilities)])


def test_the_worst_rows_are_of_validation_and_in_order() -> None:
    evaluation = evaluate(DATASET, SCORES[-1:])
    assert evaluation.worst_of == "probe"
    assert [row.row for row in evaluation.hardest] == [2, 4, 1, 3]
    assert [row.row for row in evaluation.confidently_wrong] == [2, 4, 1, 3]
    first = WorstRow("validation", 2, "validation 2", "<b>|&", "joy", p_predicted=0.9, p_label=0.02)
    assert evaluation.confidently_wrong[0] == first


def test_hard_and_confidently_wrong_are_not_the_same() -> None:
    probabilities = {
        "validation": np.array(
            [[0.5, 0.5, 0], [0.6, 0.4, 0], [0.4, 0.35, 0.25], [0.1, 0.9, 0], [0.3, 0.7, 0]]
        ),
        "test": np.eye(3),
    }
    evaluation = evaluate(DATASET, [Scores("finetune", probabilities)])
    assert [row.row for row in evaluation.hardest] == [3, 2, 1]
    assert [row.row for row in evaluation.confidently_wrong] == [3, 1, 2]


def test_trained_models_are_compared_pair_by_pair(evaluation: Evaluation) -> None:
    wanted = Comparison("tfidf", "probe", only_first=0, only_second=2, p_value=0.5)
    (found,) = evaluation.comparisons["test"]
    assert replace(found, difference=None) == wanted
    assert found.difference
    assert found.difference.value == pytest.approx(
        evaluation.by_split["test"]["probe"].accuracy
        - evaluation.by_split["test"]["tfidf"].accuracy
    )
    assert found.difference.low < found.difference.value < found.difference.high


def test_the_exported_model_is_compared_with_the_best_of_the_others() -> None:
    """The best rival need not be the model before it."""
    evaluation = evaluate(DATASET, [*SCORES, replace(SCORES[-1], model="finetune")])
    accuracy = {name: e.accuracy for name, e in evaluation.by_split["validation"].items()}
    assert accuracy["tfidf"] > accuracy["probe"]
    for tests in evaluation.comparisons.values():
        pairs = [(test.first, test.second) for test in tests]
        assert pairs == [("tfidf", "probe"), ("probe", "finetune"), ("tfidf", "finetune")]
    rival = rival_of(evaluation, "test")
    assert rival
    assert (rival.first, rival.only_first, rival.only_second) == ("tfidf", 0, 2)
    assert rival_of(evaluate(DATASET, SCORES), "test") is None


def test_classes_without_rows_are_named_and_not_averaged() -> None:
    splits = {**DATASET.splits, "test": split_of("test", [0, 1, 1])}
    evaluation = evaluate(Dataset("made", DATASET.labels, splits), SCORES[-1:])
    assert evaluation.absent == {"validation": [], "test": ["<b>|&"]}
    assert evaluation.absence("validation") == ""
    assert evaluation.absence("test") == "test has no rows of <b>|&, which macro-F1 leaves out"
    assert evaluation.by_split["test"]["probe"].macro_f1 == pytest.approx((1 + 2 / 3) / 2)


def test_what_is_saved_is_loaded_as_the_same_evaluation(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    path = evaluation.save(tmp_path / "evaluation.json")
    assert Evaluation.load(str(path)) == evaluation
    plain = json.loads(path.read_text("utf-8"))
    assert plain["test"]["probe"]["accuracy"] == 1
    assert plain["test"]["probe"]["per_class"]["joy"]["support"] == 1
    assert "NaN" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"labels": 3}', '{"comparisons": {}}', "no JSON", "null"]
)
def test_a_file_that_is_no_evaluation_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(content)
    with pytest.raises(StorageError, match=r"evaluation\.json can't be read"):
        Evaluation.load(path)


def test_a_finished_run_reads_its_own_evaluation(tiny_run: Run) -> None:
    plain = json.loads((tiny_run.folder / "evaluation.json").read_text())
    assert tiny_run.evaluation.to_dict() == Evaluation.from_dict(plain).to_dict()
    for split in ("validation", "test"):
        assert list(plain[split]) == ["majority", "tfidf", "probe", "finetune"]


def test_the_table_of_predictions_has_every_row_and_model() -> None:
    table = predictions_table(DATASET, SCORES)
    models = [c for m in SCORES for c in (f"{m.model}_label", *(f"{m.model}_p_{n}" for n in NAMES))]
    assert table.column_names == ["split", "row", "text", "label", *models]
    rows = table.to_pylist()
    assert [(r["split"], r["row"]) for r in rows] == [
        *(("validation", i) for i in range(5)),
        *(("test", i) for i in range(3)),
    ]
    assert rows[2]["text"] == "validation 2"
    assert (rows[2]["label"], rows[2]["probe_label"]) == ("<b>|&", "joy")
    assert [rows[2][f"probe_p_{name}"] for name in NAMES] == [0.9, 0.08, 0.02]


def test_the_table_on_disk_agrees_with_the_evaluation(tiny_run: Run) -> None:
    rows = load_table(tiny_run.folder / "predictions.parquet").to_pylist()
    for split, models in tiny_run.evaluation.by_split.items():
        mine = [row for row in rows if row["split"] == split]
        for name, figures in models.items():
            right = sum(row[f"{name}_label"] == row["label"] for row in mine)
            assert right / len(mine) == pytest.approx(figures.accuracy)


@pytest.mark.parametrize("scores", [[], [SCORES[-1], SCORES[-1]]])
def test_scores_need_models_of_different_names(scores: list[Scores]) -> None:
    with pytest.raises(UsageError, match=rf"There are {len(scores)} scores of"):
        evaluate(DATASET, scores)
