"""Runs that are compared: what is found, and which runs can't be compared."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.metrics import accuracy_score, f1_score

from emolens.errors import EmolensError, StorageError, UsageError
from emolens.evaluation.compared import RunComparison
from emolens.output import sha256
from emolens.study import Run, load_study, run_study
from emolens.study.compare import compare
from emolens.study.finished import read_finished
from tests.conftest import Emolens
from tests.study.comparing import Rows, answering, with_rows

Refused = Callable[..., EmolensError]


@pytest.fixture(scope="module")
def seeds_run(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The study of tiny_run with other epochs, two seeds and no more than its evaluation."""
    study = load_study(tiny_run.folder / "study.toml", {"finetune.epochs": 1, "finetune.seeds": 2})
    return run_study(study, tmp_path_factory.mktemp("seeds") / "run", until="evaluate")


@pytest.fixture
def refused() -> Refused:
    def call(kind: type[EmolensError], *runs: Path, split: str = "test") -> EmolensError:
        with pytest.raises(kind) as raised:
            compare(runs, split)
        assert str(raised.value).endswith(".")
        assert raised.value.hint
        return raised.value

    return call


@pytest.fixture
def found(tiny_run: Run, collapsed_run: Run) -> RunComparison:
    return compare([tiny_run.folder, collapsed_run.folder])


def test_the_figures_are_those_of_the_answers(
    found: RunComparison, tiny_run: Run, collapsed_run: Run
) -> None:
    first, second = (read_finished(run.folder).answers("test") for run in (tiny_run, collapsed_run))
    (pair,) = found.pairs
    accuracies, macros = zip(
        *(
            (
                accuracy_score(of.labels, of.answers),
                f1_score(of.labels, of.answers, average="macro", zero_division=0),
            )
            for of in (first, second)
        ),
        strict=True,
    )
    assert pair.accuracy.value == pytest.approx(accuracies[1] - accuracies[0])
    assert pair.macro_f1.value == pytest.approx(macros[1] - macros[0])
    hits = [
        [answer == label for answer, label in zip(of.answers, of.labels, strict=True)]
        for of in (first, second)
    ]
    assert pair.test.only_first == sum(a and not b for a, b in zip(*hits, strict=True))
    other = [i for i, pair in enumerate(zip(first.answers, second.answers, strict=True))
             if len(set(pair)) > 1]  # fmt: skip
    assert [row.row for row in found.rows] == other
    assert pair.n_other == len(other)
    for row in found.rows:
        assert row.text == first.texts[row.row]
        assert row.probabilities == (first.probabilities[row.row], second.probabilities[row.row])


def test_the_ladder_is_that_of_each_evaluation(found: RunComparison, tiny_run: Run) -> None:
    models = tiny_run.evaluation.by_split["test"]
    shown = found.runs[0].models
    assert list(shown) == list(models) == ["majority", "tfidf", "probe", "finetune"]
    for name, figures in models.items():
        accuracy = shown[name]["accuracy"]
        assert accuracy.value == figures.accuracy
        assert (accuracy.low, accuracy.high) == figures.intervals["accuracy"]


def test_what_differs_in_the_settings_is_listed_and_nothing_else(found: RunComparison) -> None:
    assert found.settings.pop("seconds of training")
    assert found.settings == {
        "finetune.epochs": ("2", "1"),
        "finetune.learning_rate": ("0.01", "1"),
    }


def test_a_planned_setting_is_listed_with_what_was_planned(tiny_run: Run) -> None:
    settings = read_finished(tiny_run.folder).settings
    assert tiny_run.study.finetune.rdrop is None
    assert float(settings["finetune.rdrop"]) >= 0
    assert settings["rows of train"] == "66"
    assert "name" not in settings


def test_of_several_seeds_the_one_that_was_kept_is_compared_and_named(
    tiny_run: Run, seeds_run: Run
) -> None:
    found = compare([tiny_run.folder, seeds_run.folder], "validation")
    seeds = seeds_run.evaluation.seeds
    assert seeds
    notes = " ".join(found.notes)
    assert f"B: Seed {seeds.kept} is kept: the best on validation" in notes
    assert "Over 2 seeds, validation accuracy" in notes
    assert "were chosen on validation" in notes
    accuracy = found.runs[1].models["finetune"]["accuracy"].value
    kept = next(point for point in seeds.each if point.seed == seeds.kept)
    assert accuracy == pytest.approx(kept.validation[0])
    assert found.settings["finetune.seeds"] == ("1", "2")


def test_if_the_runs_change_places_only_the_signs_change(
    found: RunComparison, tiny_run: Run, collapsed_run: Run
) -> None:
    (one,), (other,) = found.pairs, compare([collapsed_run.folder, tiny_run.folder]).pairs
    for a, b in ((one.accuracy, other.accuracy), (one.macro_f1, other.macro_f1)):
        assert (a.value, a.low, a.high) == (-b.value, -b.high, -b.low)
    assert one.test.p_value == other.test.p_value
    assert (one.test.only_first, one.test.only_second) == (
        other.test.only_second,
        other.test.only_first,
    )


def test_the_better_run_is_named_and_chance_is_called_chance(tiny_run: Run, tmp_path: Path) -> None:
    labels = tiny_run.evaluation.labels
    wrong = dict(zip(labels, labels[1:] + labels[:1], strict=True))
    n_right = {"good": 20, "bad": 8, "middle": 18}
    runs = {
        name: with_rows(
            tiny_run,
            tmp_path / name,
            answering(lambda i, label, n=n: label if i < n else wrong[label], labels),  # type: ignore[misc]
        )
        for name, n in n_right.items()
    }
    (better,) = compare([runs["bad"], runs["good"]]).findings
    assert better == (
        "B is right on 12 texts where A is wrong, A on 0 where B is wrong: B is better (p < 0.001)."
    )
    (chance,) = compare([runs["good"], runs["middle"]]).findings
    assert chance == (
        "B is right on 0 texts where A is wrong, A on 2 where B is wrong: no difference that these"
        " 25 texts can show (p = 0.500)."
    )
    same = with_rows(tiny_run, tmp_path / "same", lambda rows: rows)
    (equal,) = compare([tiny_run.folder, same]).findings
    assert equal.startswith("A and B are right on the same texts: no difference")
    three = compare([runs["good"], runs["bad"], runs["middle"]])
    assert [pair.second for pair in three.pairs] == ["B", "C"]
    assert "A is better" in three.findings[0]
    assert any("p is below 0.025" in note for note in three.notes)


def test_several_comparisons_ask_more_of_each(tiny_run: Run, tmp_path: Path) -> None:
    labels = tiny_run.evaluation.labels
    wrong = dict(zip(labels, labels[1:] + labels[:1], strict=True))
    folders = [
        with_rows(
            tiny_run,
            tmp_path / str(n),
            answering(lambda i, label, n=n: label if i < n else wrong[label], labels),  # type: ignore[misc]
        )
        for n in (20, 14, 19)
    ]
    assert "A is better (p = 0.031)" in compare(folders[:2]).findings[0]
    assert "no difference" in compare(folders).findings[0]


def test_the_same_rows_in_another_order_are_matched_by_their_texts(
    tiny_run: Run, collapsed_run: Run, found: RunComparison, tmp_path: Path
) -> None:
    def turned(rows: Rows) -> Rows:
        return rows[::-1]

    reordered = compare([tiny_run.folder, with_rows(collapsed_run, tmp_path / "turned", turned)])
    assert reordered.pairs == found.pairs
    assert reordered.rows == found.rows
    assert "The rows of B stand in another order" in reordered.notes[0]


def test_a_repeated_text_in_another_order_is_refused(
    tiny_run: Run, tmp_path: Path, refused: Refused
) -> None:
    def twice(rows: Rows) -> Rows:
        return [*rows, rows[0]]

    first = with_rows(tiny_run, tmp_path / "first", twice)
    in_order = with_rows(tiny_run, tmp_path / "same", twice)
    assert compare([first, in_order]).rows == ()
    other = with_rows(tiny_run, tmp_path / "other", lambda rows: twice(rows)[::-1])
    assert "can't be matched" in str(refused(UsageError, first, other))


def changed(key: str) -> Callable[[Rows], Rows]:
    """The fourth row has another text or label."""

    def change(rows: Rows) -> Rows:
        old = rows[3][key]
        rows[3][key] = next(row[key] for row in rows if row[key] != old) + "!" * (key == "text")
        return rows

    return change


@pytest.mark.parametrize("key", ["text", "label"])
def test_other_texts_and_other_labels_are_refused(
    tiny_run: Run, tmp_path: Path, refused: Refused, key: str
) -> None:
    run = with_rows(tiny_run, tmp_path / "other", changed(key))
    error = refused(UsageError, tiny_run.folder, run)
    assert f"1 of 25 rows of {tiny_run.folder} is not in {run}" in str(error)


def test_after_a_change_of_the_data_the_hint_runs_again(
    tiny_run: Run, tmp_path: Path, refused: Refused, emolens: Emolens
) -> None:
    run = with_rows(tiny_run, tmp_path / "other", changed("text"))
    hint = refused(UsageError, tiny_run.folder, run).hint
    assert emolens(*shlex.split(hint.partition("emolens ")[2])).code == 0
    assert compare([tiny_run.folder, f"{run}-2"]).n == 25


def test_fewer_rows_are_refused(tiny_run: Run, tmp_path: Path, refused: Refused) -> None:
    fewer = with_rows(tiny_run, tmp_path / "fewer", lambda rows: rows[:-5])
    for runs in ((tiny_run.folder, fewer), (fewer, tiny_run.folder)):
        message = str(refused(UsageError, *runs))
        assert f"5 of 25 rows of {tiny_run.folder} are not in {fewer}" in message


def test_runs_on_other_data_are_refused_and_the_hint_says_what_differs(
    tiny_run: Run, study_file: Callable[..., Path], tmp_path: Path, refused: Refused
) -> None:
    other = run_study(load_study(study_file()), tmp_path / "run", until="evaluate")
    error = refused(UsageError, tiny_run.folder, other.folder)
    assert "rows of test are not the same" in str(error)
    assert "data.dataset" in error.hint


def test_other_classes_are_refused(tiny_run: Run, tmp_path: Path, refused: Refused) -> None:
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    evaluation = tiny_run.evaluation
    replace(evaluation, labels=(*evaluation.labels[:-1], "calm")).save(folder / "evaluation.json")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    outputs = manifest["stages"]["evaluate"]["outputs"]
    outputs["evaluation.json"] = sha256(folder / "evaluation.json")
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    message = str(refused(UsageError, tiny_run.folder, folder))
    assert f"only {tiny_run.folder} has anger" in message


def test_what_is_no_run_is_refused_and_a_run_nearby_is_named(
    tiny_run: Run, tmp_path: Path, refused: Refused
) -> None:
    for folder in (tiny_run.folder / "model", tiny_run.folder.parent):
        error = refused(UsageError, tiny_run.folder, folder)
        assert str(error) == f"{folder} is not the folder of a run."
        assert str(tiny_run.folder) in error.hint
    missing = tmp_path / "nowhere"
    assert str(refused(UsageError, missing, tiny_run.folder)) == f"{missing} does not exist."
    for runs in ((), (tiny_run.folder,)):
        assert "two of them" in str(refused(UsageError, *runs))
    assert "given twice" in str(refused(UsageError, tiny_run.folder, tiny_run.folder))
    assert "27 runs are too many" in str(refused(UsageError, *map(Path, map(str, range(27)))))
    error = refused(UsageError, tiny_run.folder, tiny_run.folder, split="tset")
    assert "Did you mean 'test'?" in error.hint


@pytest.mark.parametrize(
    ("file", "says"),
    [("predictions.parquet", "predictions.parquet is missing or was changed"),
     ("evaluation.json", "evaluation.json is missing or was changed")],
)  # fmt: skip
def test_a_changed_file_is_refused_and_the_hint_makes_it_again(
    tiny_run: Run, collapsed_run: Run, tmp_path: Path, refused: Refused, emolens: Emolens,
    file: str, says: str,
) -> None:  # fmt: skip
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    (folder / file).unlink()
    error = refused(StorageError, collapsed_run.folder, folder)
    assert says in str(error)
    assert emolens(*shlex.split(error.hint.partition("emolens ")[2])).code == 0
    assert compare([collapsed_run.folder, folder]).n == 25


def test_a_run_that_was_stopped_after_a_change_is_refused(
    tiny_run: Run, collapsed_run: Run, tmp_path: Path, refused: Refused
) -> None:
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    study = folder / "study.toml"
    text = study.read_text("utf-8")
    study.write_text(text.replace("epochs = 2.0", "epochs = 3.0"), "utf-8")
    error = refused(StorageError, collapsed_run.folder, folder)
    assert "study.toml has another finetune.epochs than the models" in str(error)
    study.write_text(text, "utf-8")
    compare([collapsed_run.folder, folder])
    # The training has ended with the new setting, and the evaluation has not begun.
    changed = load_study(study, {"finetune.epochs": 1})
    run_study(changed, folder, until="finetune")
    assert "finetune was done again" in str(refused(StorageError, collapsed_run.folder, folder))


def test_a_run_without_an_evaluation_is_refused(
    tiny_run: Run, tmp_path: Path, refused: Refused
) -> None:
    run = run_study(tiny_run.study, tmp_path / "run", until="tokenize")
    assert "its models are not evaluated" in str(refused(StorageError, tiny_run.folder, run.folder))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"emolens": "1", "format": 4, "stages": 3}'])
def test_a_damaged_manifest_is_an_error(
    tiny_run: Run, tmp_path: Path, refused: Refused, content: str
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "manifest.json").write_text(content)
    assert "manifest.json can't be read" in str(refused(StorageError, tiny_run.folder, folder))


def test_a_run_of_another_form_is_refused_and_the_hint_makes_it_anew(
    tiny_run: Run, tmp_path: Path, refused: Refused, emolens: Emolens
) -> None:
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    (folder / "manifest.json").write_text('{"emolens": "0.0.1", "format": 1, "stages": {}}')
    error = refused(StorageError, tiny_run.folder, folder)
    assert "another version of emolens (0.0.1)" in str(error)
    assert emolens(*shlex.split(error.hint.partition("emolens ")[2])).code == 0
    assert compare([tiny_run.folder, f"{folder}-2"]).n == 25


def test_it_is_saved_and_loaded(found: RunComparison, tmp_path: Path) -> None:
    assert RunComparison.load(found.save(tmp_path / "c.json")) == found
    (tmp_path / "d.json").write_text('{"n": 3}')
    with pytest.raises(StorageError):
        RunComparison.load(tmp_path / "d.json")
