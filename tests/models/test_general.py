"""The model that comes with emolens: its files, its figures, and that they do not get worse."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import emolens as el
from emolens.evaluation.metrics import confusion, summary
from emolens.modelfolder import BUNDLED_FOLDER
from emolens.output import digests
from emolens.study import Run
from tests.conftest import REAL_DATA, Emolens
from tests.test_scripts import script

CLASSES = ("sadness", "joy", "love", "anger", "fear", "surprise", "neutral", "disgust")
MEASURED = json.loads((BUNDLED_FOLDER / "measured.json").read_text("utf-8"))
# Processors round int8 in different ways, which changes an answer now and then.
OTHER_ROUNDING = 0.01


@pytest.fixture(scope="module")
def general() -> el.Classifier:
    return el.Classifier()


def test_it_is_the_default_and_runs_in_int8(general: el.Classifier) -> None:
    assert (general.name, general.runtime.precision) == ("general", "int8")
    assert general.labels.names == CLASSES
    assert "Classifier(general, 8 classes, int8)" in repr(general)


def test_its_files_are_those_that_its_card_names() -> None:
    files = json.loads((BUNDLED_FOLDER / "emolens.json").read_text("utf-8"))["files"]
    there = {name: digest for name, digest in digests(BUNDLED_FOLDER).items() if name in files}
    assert there == files
    weights = next(digest for name, digest in files.items() if name.endswith(".bin"))
    assert weights in (BUNDLED_FOLDER / "README.md").read_text("utf-8")
    size = sum(path.stat().st_size for path in BUNDLED_FOLDER.rglob("*") if path.is_file())
    assert size < 40e6


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(BUNDLED_FOLDER, tmp_path / "general")
    for module in ("emolens.modelfolder", "emolens.export.model"):
        monkeypatch.setattr(f"{module}.BUNDLED_FOLDER", folder)
    weights = next(folder.rglob("*.bin"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(el.EmolensError, match="is damaged, or was changed") as caught:
        el.Classifier()
    assert caught.value.hint == "Install emolens again."


def test_other_precisions_are_refused() -> None:
    with pytest.raises(el.EmolensError, match="runs in int8, not in fp32") as caught:
        el.Classifier(precision="fp32")
    assert caught.value.hint == "Leave out the precision."


@pytest.mark.filterwarnings("ignore:The model is the one that comes with emolens")
def test_a_folder_of_this_name_is_another_model(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emolens: Emolens
) -> None:
    shutil.copytree(tiny_run.folder / "model", tmp_path / "general")
    monkeypatch.chdir(tmp_path)
    assert el.Classifier(Path("general")).labels.names != CLASSES
    assert el.Classifier("general").labels.names == CLASSES
    done = emolens("predict", "so glad", "--model", "./general")
    assert done.code == 0
    assert "The model is ./general. Its classes: sadness, joy, anger." in done.err


def test_a_folder_with_int8_only_is_used_without_an_option(tmp_path: Path) -> None:
    folder = shutil.copytree(BUNDLED_FOLDER, tmp_path / "mine")
    classifier = el.Classifier(folder)
    assert (classifier.runtime.precision, classifier.name) == ("int8", folder.as_posix())
    assert "only int8 was exported" in classifier.runtime.reason


def test_rows_that_it_has_learned_are_said(general: el.Classifier) -> None:
    rows = el.load_rows("comments", split="validation")
    assert el.score_model(general, rows).rows.trained_on


def test_the_goals_on_comments_are_reached(general: el.Classifier) -> None:
    report = el.score_model(general, el.load_dataset("comments"))
    of = MEASURED["figures"]["comments"]
    assert report.figures["accuracy"].value >= max(0.75, of["accuracy"][0] - OTHER_ROUNDING)
    assert report.right is not None
    assert report.right.value >= 0.9
    assert report.answered >= 200


def test_starter(general: el.Classifier) -> None:
    report = el.score_model(general, el.load_dataset("starter"))
    of = MEASURED["figures"]["starter"]
    assert report.figures["accuracy"].value >= max(0.75, of["accuracy"][0] - OTHER_ROUNDING)


def test_emotion(general: el.Classifier) -> None:
    if not (REAL_DATA / "emotion").is_dir():
        pytest.skip(f"it needs the data set {REAL_DATA / 'emotion'}, which is not there")
    data = el.load_dataset(str(REAL_DATA / "emotion"))
    places = [CLASSES.index(name) for name in data.labels.names]
    answers = general.predict_proba(data["test"].texts)[:, places].argmax(axis=1)
    accuracy = summary(confusion(data["test"].labels, answers, len(places)))["accuracy"]
    assert accuracy >= max(0.63, MEASURED["figures"]["emotion"]["accuracy"][0] - OTHER_ROUNDING)


def test_goemotions(general: el.Classifier) -> None:
    """Comments that people wrote, in the eight classes, as the script that measured makes them."""
    folder = REAL_DATA / "goemotions"
    if not folder.is_dir():
        pytest.skip(f"it needs the data set {folder}, which is not there")
    data = el.load_dataset(str(folder))
    rows, _ = script("general-data").goemotions(data["validation"], data.labels.names)
    texts, labels, _ = zip(*rows, strict=True)
    report = el.score_model(general, el.Labelled.from_texts(texts, labels))
    of = MEASURED["figures"]["goemotions"]
    assert report.rows.scored == of["rows"]
    for name in ("accuracy", "macro_f1"):
        assert report.figures[name].value >= of[name][0] - OTHER_ROUNDING
    assert report.right is not None
    assert report.right.value >= of["right"][0] - OTHER_ROUNDING
    assert report.answered >= of["answered"] - OTHER_ROUNDING * of["rows"]


def test_it_does_not_fail_more_behavioral_cases(general: el.Classifier) -> None:
    found = el.behavior(general.predict_proba, general.labels)
    failed = {test.name: [test.failed, test.n] for test in found.tests}
    before = MEASURED["behavior"]
    assert {name: n for name, (_, n) in failed.items()} == {n: m for n, (_, m) in before.items()}
    worse = {name: now for name, (now, _) in failed.items() if now > before[name][0] + 2}
    assert not worse
    total = sum(now for now, _ in failed.values())
    assert total <= sum(then for then, _ in before.values()) + 5


def test_the_card_hides_no_failure() -> None:
    card = (BUNDLED_FOLDER / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\w+) \| \d+ \| (\d+) \|$", card, re.MULTILINE))
    assert rows == {name: str(failed) for name, (failed, _) in MEASURED["behavior"].items()}


@pytest.mark.parametrize(
    ("text", "answer"),
    [("Zero regrets.", "joy"), ("Financing was available.", "neutral")],
)
def test_what_once_was_sadness(general: el.Classifier, text: str, answer: str) -> None:
    [found] = general.predict([text])
    assert answer in (found.label, found.best_guess)


def test_predict_needs_no_training(tmp_path: Path, emolens: Emolens) -> None:
    table = tmp_path / "comments.csv"
    table.write_text("comment\nNo complaints at all\nC'était vraiment très bon et bien servi\n")
    done = emolens("predict", "--input", table, "--text", "comment")
    assert done.code == 0
    assert "The model is general, which comes with emolens." in done.err
    rows = (tmp_path / "comments-emotions.csv").read_text("utf-8").splitlines()
    assert "in French" in rows[2]
    assert "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2" in done.err
