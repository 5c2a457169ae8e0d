"""Tables without labels: what is read of them, and what is said about them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emolens.data.audit.contents import audit_texts
from emolens.data.sources import load_texts
from emolens.errors import DataError

ROWS = [
    "I am so happy that you came to see us",
    "",
    "Das Paket ist schon wieder nicht angekommen und ich bin sauer",
    "ok",
    "ok",
    "cafÃ©",
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "comments.csv"
    lines = [f'{i},"{text}",Bonn' for i, text in enumerate(ROWS)]
    path.write_text("\n".join(["id,comment,city", *lines]) + "\n", "utf-8")
    return path


def test_the_texts_of_a_table_without_labels_are_read(table: Path) -> None:
    texts = load_texts(table)
    assert texts.splits == {"table": tuple(filter(None, ROWS))}
    assert (texts.name, texts.text, texts.columns) == (
        "comments",
        "comment",
        ("id", "comment", "city"),
    )
    assert texts.blank == {"table": 1}


def test_a_text_file_has_one_text_per_line(tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("so happy\n\nso sad; really\n", "utf-8")
    assert load_texts(tmp_path / "posts.txt").splits["table"] == ("so happy", "so sad; really")


def test_the_files_of_a_folder_are_its_splits(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text(f"text\n{name} a\n{name} b\nthe same\n", "utf-8")
    texts = load_texts(tmp_path)
    assert {name: len(part) for name, part in texts.splits.items()} == {"train": 3, "test": 3}
    checks = {check.code: check for check in audit_texts(texts).checks}
    assert checks["T05"].n_rows == 1


def test_rows_that_can_not_be_read_are_named_with_the_reason(tmp_path: Path) -> None:
    rows = [{"text": "so happy"}, {"text": {"a": 1}}, {"text": "so sad"}, {"text": [1, 2]}]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    check = next(c for c in audit_texts(load_texts(path)).checks if c.code == "R04")
    assert (check.status, check.n_rows) == ("noted", 2)
    assert check.rows == (
        {"number": 2, "reason": "the text is a list or an object, not a string."},
        {"number": 4, "reason": "the text is a list or an object, not a string."},
    )
    assert "line 2: the text is a list" in check.reason


def test_the_texts_of_a_split_may_have_another_usual_name(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("review_text,mood\nso happy,a\nso sad,b\n", "utf-8")
    (tmp_path / "test.csv").write_text("Sentence,mood\nso so,a\n", "utf-8")
    texts = load_texts(tmp_path)
    assert texts.splits == {"train": ("so happy", "so sad"), "test": ("so so",)}
    notes = " ".join(note.text for note in texts.notes if note.code == "R05")
    assert "taken from the column 'review_text'" in notes
    assert "'Sentence' for 'review_text'" in notes


def test_a_column_without_any_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("id,text\n1,\n2,\n", "utf-8")
    with pytest.raises(DataError, match="no row with a text"):
        load_texts(tmp_path / "empty.csv")


def test_the_contents_name_lengths_languages_and_repetitions(table: Path) -> None:
    texts = load_texts(table)
    n_tokens, unknown = np.array([10, 14, 3, 3, 4]), np.array([0, 0, 1.0, 1.0, 0])
    found = audit_texts(
        texts, n_tokens={"table": n_tokens}, unknown={"table": unknown}, max_length=12
    )
    split = found.splits["table"]
    assert (split.n, split.blank, split.distinct, split.over_limit) == (5, 1, 4, 1)
    assert split.characters["maximum"] == len(ROWS[2])
    assert split.unknown == pytest.approx(0.4)
    assert found.languages == {"English": 1, "German": 1}
    assert found.repeated == {"ok": 2}
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["findings"] == found.findings


def test_the_checks_are_those_that_need_no_labels(table: Path) -> None:
    checks = {check.code: check for check in audit_texts(load_texts(table), ignore=["T03"]).checks}
    assert not {"L01", "L04", "L05", "T04", "T10"} & set(checks)
    assert {code: checks[code].status for code in ("R01", "T01", "T02", "T03", "T05", "T07")} == {
        "R01": "passed",
        "T01": "noted",
        "T02": "failed",
        "T03": "ignored",
        "T05": "skipped",
        "T07": "skipped",
    }
    assert checks["T01"].reason == "1 row of the table has no text and is left out."
    assert checks["T02"].rows[0]["text"] == "cafÃ©"
