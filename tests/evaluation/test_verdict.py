"""The sentences about figures: which model is better, if any, and what is wrong with a model."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from emolens.data.balance import Method
from emolens.evaluation.calibration import Bin, CalibrationFigures, PromiseKept
from emolens.evaluation.gaps import Measured
from emolens.evaluation.intervals import wilson
from emolens.evaluation.metrics import Comparison, mcnemar, per_class, summary
from emolens.evaluation.model import ModelEvaluation
from emolens.evaluation.verdict import (
    at_least,
    augrc_sentence,
    calibration_sentence,
    comparison_sentence,
    coverage_sentence,
    gap_sentence,
    percent,
    promise_sentence,
    warnings,
    winner,
)
from emolens.scores import Recipe
from emolens.study import Run, load_study, pairs


def compared(only_first: int, only_second: int) -> Comparison:
    """Two models: rows that only one of them gets right, and ten that both get right."""
    labels = np.zeros(only_first + only_second + 10, dtype=np.int64)
    first, second = labels.copy(), labels.copy()
    second[:only_first] = 1
    first[only_first : only_first + only_second] = 1
    return mcnemar(labels, first, second, names=("probe", "finetune"))


@pytest.mark.parametrize(
    ("only_first", "only_second", "best", "start"),
    [
        (5, 40, "finetune", "The fine-tuned model is better than the probe model, by more than"),
        (40, 5, "probe", "The probe model is better than the fine-tuned model, by more than"),
        (6, 0, "probe", "The probe model is better than the fine-tuned model"),
        (5, 0, None, "The difference between the probe model and the fine-tuned model may be ch"),
        (9, 12, None, "The difference between"),
        (20, 20, None, "The difference between"),
        (0, 0, None, "The probe model and the fine-tuned model do not differ: both get the same"),
    ],
)
def test_a_comparison_names_the_winner_where_there_is_one(
    only_first: int, only_second: int, best: str | None, start: str
) -> None:
    comparison = compared(only_first, only_second)
    assert winner(comparison) == best
    sentence = comparison_sentence(comparison)
    assert sentence.startswith(start)
    if only_first + only_second:
        assert f"{only_first} rows are right only with the probe model" in sentence
        assert f"{only_second} only with the fine-tuned model" in sentence


def test_a_name_that_is_no_role_stands_as_it_is() -> None:
    sentence = comparison_sentence(Comparison("TF-IDF", "A b", 1, 50, 1e-9))
    assert sentence.startswith("The A b model is better than the TF-IDF model")
    assert "p < 0.001" in sentence


def calibrated(confidence: float, error: float = 0.1) -> CalibrationFigures:
    """Figures of calibration with this mean probability and expected error."""
    measured = Measured(error, error / 2, 2 * error)
    return CalibrationFigures(measured, measured, measured, confidence, half=0.9, augrc=0.01)


def figures(matrix: list[list[int]]) -> ModelEvaluation:
    """A model with this confusion matrix, the true class by row."""
    counts = np.array(matrix)
    names = tuple("abcdefghij"[: len(counts)])
    return ModelEvaluation(
        n=int(counts.sum()),
        **{name: float(value) for name, value in summary(counts).items()},
        intervals={},
        loss=1.0,
        per_class=per_class(counts, names),
        confusion=matrix,
        calibration=calibrated(0.8),
    )


def of_validation(models: dict[str, ModelEvaluation], recipe: Recipe | None = None) -> list[str]:
    """The warnings for models that were measured on validation alone."""
    return warnings({"validation": models}, recipe)


RIGHT = [[8, 0, 0], [0, 8, 0], [0, 1, 7]]
GOOD = [[7, 1, 0], [0, 8, 0], [0, 2, 6]]
BAD = [[8, 0, 0], [0, 4, 4], [4, 4, 0]]
ONE_ANSWER = [[8, 0, 0], [8, 0, 0], [7, 0, 1]]


def test_a_good_model_gets_no_warning() -> None:
    models = {"tfidf": figures(BAD), "probe": figures(GOOD), "finetune": figures(RIGHT)}
    assert of_validation(models) == []
    assert of_validation({"probe": figures(BAD)}) == []
    perfect = figures([[3, 0], [0, 3]])
    assert of_validation({"probe": perfect, "finetune": perfect}) == []


def test_a_collapsed_model_is_named_with_its_answer_and_what_to_try() -> None:
    first, *others = of_validation({"finetune": figures(ONE_ANSWER)}, Recipe(learning_rate=0.01))
    assert first == (
        "The fine-tuned model has collapsed: it answers 'a' for 23 of 24 validation texts. "
        "Try another learning rate (--set finetune.learning_rate=0.0002) "
        "or more epochs (--set finetune.epochs=4)."
    )
    assert others == []


def test_many_rows_of_one_class_are_no_collapse() -> None:
    assert of_validation({"finetune": figures([[95, 1], [2, 2]])}) == []
    (warning,) = of_validation({"finetune": figures([[96, 0], [4, 0]])})
    assert "has collapsed: it answers 'a' for 100 of 100" in warning
    assert of_validation({"finetune": figures([[5, 0], [0, 0]])}) == []
    assert not any(
        "collapsed" in w for w in of_validation({"finetune": figures([[0, 50], [50, 0]])})
    )
    assert of_validation({"finetune": figures([[700, 200], [95, 5]])}) == []


def test_classes_that_are_never_right_are_named() -> None:
    few = [[8, 0, 0, 0], [0, 8, 0, 0], [2, 5, 0, 0], [0, 3, 0, 0]]
    (warning,) = of_validation({"finetune": figures(few)})
    names = "c (7 texts) and d (3 texts)"
    assert warning == f"The fine-tuned model gets no validation text of {names} right."
    many = np.zeros((10, 10), dtype=int)
    many[:, 0], many[0, 0] = 2, 20
    many[:, 1] = 2
    (warning,) = of_validation({"finetune": figures(many.tolist())})
    names = ", ".join(f"{name} (4 texts)" for name in "cdefg")
    assert f"of {names} and 3 more right" in warning


@pytest.mark.parametrize(
    ("probe", "sentence"),
    [
        (
            RIGHT,
            "is better than the fine-tuned model on validation "
            "(macro-F1 0.958 against 0.878, 8.1 points more).",
        ),
        (GOOD, "is as good as the fine-tuned model on validation (macro-F1 0.878)."),
        (BAD, None),
        (ONE_ANSWER, None),
    ],
)
def test_a_simpler_model_that_is_as_good_is_the_first_thing_said(
    probe: list[list[int]], sentence: str | None
) -> None:
    models = {"majority": figures(ONE_ANSWER), "probe": figures(probe), "finetune": figures(GOOD)}
    more = " More labelled rows in train help fine-tuning most."
    assert of_validation(models) == ([f"The probe model {sentence}{more}"] if sentence else [])
    if sentence:
        never = {**models, "finetune": figures([[8, 0, 0], [0, 8, 0], [0, 8, 0]])}
        first, second = of_validation(never)
        assert first.startswith("The probe model is better than")
        assert "right" in second


def test_a_simpler_model_is_named_with_the_splits_where_it_wins() -> None:
    validation = {"tfidf": figures(BAD), "probe": figures(GOOD), "finetune": figures(GOOD)}
    test = {"tfidf": figures(BAD), "probe": figures(RIGHT), "finetune": figures(GOOD)}
    (warning,) = warnings({"validation": validation, "test": test})
    assert warning.startswith("The probe model is better than the fine-tuned model on test (mac")
    assert "validation" not in warning
    first, second = warnings({"validation": {**test, "tfidf": figures(RIGHT)}, "test": test})
    assert "tfidf" in first.lower() or "tf-idf" in first.lower()
    assert second.startswith("The probe model is better than the fine-tuned model on validation (")
    assert ") and on test (" in second


@pytest.mark.parametrize("matrix", [BAD, ONE_ANSWER, GOOD])
@pytest.mark.parametrize("rate", [1e-7, 2e-5, 5e-5, 2e-4, 1.0])
@pytest.mark.parametrize("method", get_args(Method))
def test_each_setting_to_try_exists_and_differs_from_the_present_one(
    matrix: list[list[int]], rate: float, method: str
) -> None:
    before = {"finetune.learning_rate": rate, "balance.method": method}
    study = load_study("starter", before)
    recipe = Recipe(learning_rate=rate, balance=method)
    models = {"probe": figures(RIGHT), "finetune": figures(matrix)}
    hints = re.findall(r"--set (\S+=[\w.-]*\w)", " ".join(of_validation(models, recipe)))
    assert hints
    for hint in hints:
        assert load_study("starter", before | pairs([hint])) != study


def test_the_evaluation_of_a_run_warns_of_a_real_collapse(collapsed_run: Run) -> None:
    *simpler, last = collapsed_run.evaluation.warnings
    assert re.match("The fine-tuned model has collapsed: it answers '\\w+' for ", last)
    assert "--set finetune.learning_rate=0.0002" in last
    assert simpler
    assert all(" the fine-tuned model on " in sentence for sentence in simpler)
    assert any(sentence.startswith("The probe model is better") for sentence in simpler)


def promising(promise: PromiseKept | None) -> ModelEvaluation:
    """A calibrated model with this promise, which is right on 90 % of its rows."""
    rows = {"n": promise.rows, "accuracy": 0.9} if promise else {}
    return replace(figures(GOOD), before=calibrated(0.95, 0.2), promise=promise, **rows)


@pytest.mark.parametrize(
    ("promise", "sentence"),
    [
        (
            PromiseKept(0.97, 2000, 1702, right=1670, low=0.974, high=0.987, threshold=0.93755),
            "The model is sure of 1,702 of the 2,000 texts of test (probability at least 0.938),"
            " and 98.1 % of these answers are right (95 % interval 97.4–98.7 %). Of the other 298,"
            " 43.6 % are right: let a person read them. So the promise of 97 % was kept on test.",
        ),
        (
            PromiseKept(0.97, 2000, answered=1000, right=930, low=0.913, high=0.944),
            "The promise of 97 % was broken on test: the model is sure of 1,000 of the 2,000 texts"
            " of test, and only 93.0 % of these answers are right (95 % interval 91.3–94.4 %). Of"
            " the other 1,000, 87.0 % are right: let a person read them.",
        ),
        (
            PromiseKept(0.97, 200, answered=100, right=96, low=0.90, high=0.98),
            "The texts are too few to say whether the promise of 97 % was broken on test: the"
            " model is sure of 100 of the 200 texts of test, and 96.0 % of these",
        ),
        (
            PromiseKept(0.995, 200, answered=100, right=100, low=0.96, high=1.0),
            "The texts are too few to say whether the promise of 99.5 % was kept on test: the",
        ),
        (
            PromiseKept(0.9, 200, answered=0, right=0, low=0, high=1),
            "The promise of 90 % says nothing on test: the model is sure of no text.",
        ),
        (None, "Nothing is promised: with half of the rows answered, it is not certain that 80 %"),
    ],
)
def test_a_promise_is_said_to_be_kept_or_not(promise: PromiseKept | None, sentence: str) -> None:
    assert promise_sentence(promising(promise), "test").startswith(sentence)


def test_without_unsure_rows_nothing_is_said_about_them() -> None:
    every = PromiseKept(0.8, 200, answered=200, right=180, low=0.85, high=0.94)
    assert "Of the other" not in promise_sentence(promising(every), "test")


@pytest.mark.parametrize(
    ("threshold", "typed"),
    [
        (0.9370551, "0.938"),
        (0.9, "0.900"),
        (0.99999, "0.99999"),
        (0.9996, "0.9996"),
        (1.0, "1.000"),
    ],
)
def test_a_threshold_that_is_typed_is_never_too_low(threshold: float, typed: str) -> None:
    assert at_least(threshold) == typed
    assert float(typed) >= threshold


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.3475, "34.8 %"),
        (0.8665, "86.7 %"),
        (0.99999, "99.9 %"),
        (1.0, "100.0 %"),
        (1e-9, "0.1 %"),
    ],
)
def test_halves_are_rounded_up_and_no_share_becomes_all_or_none(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_comparison_says_by_how_much_the_better_model_is_better() -> None:
    better = replace(compared(5, 40), difference=Measured(0.0695, 0.0561, 0.0824))
    sentence = comparison_sentence(better)
    assert ": of 100 texts, the fine-tuned model gets 7.0 more right" in sentence
    assert "(95 % interval 5.6 to 8.2). 5 rows are right only with the probe model" in sentence
    worse = replace(compared(12, 9), difference=Measured(-0.01, -0.03, 0.012))
    sentence = comparison_sentence(worse)
    assert "may be chance: of 100 texts, the probe model gets 1.0 more right" in sentence
    assert "(95 % interval -1.2 to 3.0)" in sentence


def test_a_model_that_was_not_calibrated_promises_nothing() -> None:
    model = figures(GOOD)
    assert promise_sentence(model, "test").startswith("The model was not calibrated")
    sentence = calibration_sentence("probe", model, "test")
    assert "of the probe model on test is 80.0 %; 87.5 % of them are right." in sentence


def test_the_calibration_is_said_before_and_after() -> None:
    sentence = calibration_sentence("finetune", promising(None), "test")
    assert (
        "was 95.0 % before calibration and is 80.0 % after it; 87.5 % of them are right."
        in sentence
    )
    assert "fell from 0.200 (0.100–0.400) to 0.100 (0.050–0.200)" in sentence
    worse = replace(promising(None), calibration=calibrated(0.8, 0.3))
    assert "rose from 0.200" in calibration_sentence("finetune", worse, "test")


def group(start: float, rows: int, right: int, confidence: float) -> Bin:
    """A group of answers with their interval."""
    share = right / rows
    return Bin(start, start + 1 / 15, rows, confidence, share, *wilson(share, rows))


def test_the_group_whose_probability_says_least_is_named_with_its_texts() -> None:
    fine, few = group(0.6, 300, 190, 0.63), group(9 / 15, 4, 1, 0.65)
    bad = group(11 / 15, 40, 16, 0.78)
    sentence = gap_sentence([fine, few, bad])
    # Of few texts, a wider gap may be chance.
    assert "differ most in the group from 73.3 % to 80.0 %: of its 40 texts, 40.0 % are" in sentence
    assert "the mean probability is 78.0 %. This is more than chance explains." in sentence
    unsure = gap_sentence([group(11 / 15, 10, 4, 0.78), *[fine] * 7])
    assert "of its 10 texts" in unsure
    assert unsure.endswith("With 8 groups to look at, this may still be chance.")
    for none in ([fine, few], []):
        assert gap_sentence(none).startswith("In no group")


def test_what_it_gains_to_answer_fewer_rows_is_said() -> None:
    best = promising(None)
    worse = replace(best, calibration=replace(best.calibration, augrc=0.05))
    sentence = coverage_sentence("finetune", best, "test")
    assert "90.0 % of its answers are right; if it answers all rows, 87.5 %" in sentence
    sentence = augrc_sentence({"probe": worse, "finetune": best})
    assert "lowest for the fine-tuned model (probe 0.0500, fine-tuned 0.0100)" in sentence
