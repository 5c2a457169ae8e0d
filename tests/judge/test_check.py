"""Sheets: rows drawn for a person to label, and how right the model is on them."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import python_calamine
import xlsxwriter

from emolens.cli import main
from emolens.data.readers.options import ReadOptions
from emolens.errors import DataError, UsageError
from emolens.judge.check import score_sheet
from emolens.judge.sheet import COLUMNS, DrawOptions, draw_sheet
from emolens.labels import LabelSet
from emolens.predict.classifier import Classifier
from emolens.study import Run
from tests.conftest import Emolens, feeling_rows

NAMES = LabelSet(("joy", "strange_one"))
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def classifier(tiny_run: Run) -> Classifier:
    return Classifier(tiny_run.folder / "model", precision="fp32")


def cells(path: Path, name: str = "texts") -> list[list[Any]]:
    """The rows of a page of a workbook."""
    return python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python()


def table(path: Path, texts: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    return path


def sheet(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = [(n, *row) for n, row in enumerate(rows, start=2)]
        csv.writer(file).writerows([COLUMNS, *lines])
    return path


def test_a_sheet_holds_rows_of_the_table_and_explains_the_classes(tmp_path: Path) -> None:
    texts = [f"text {n}" if n % 3 else " " for n in range(300)]
    source = table(tmp_path / "t.csv", texts)
    drawn = draw_sheet(source, tmp_path / "s.xlsx", NAMES)
    assert (drawn.n, drawn.of) == (60, 200)
    header, *rows = cells(tmp_path / "s.xlsx")
    assert tuple(header) == COLUMNS
    numbers = [int(row[0]) for row in rows]
    assert numbers == sorted(set(numbers))
    assert [row[1] for row in rows] == [texts[number - 2] for number in numbers]
    assert {row[2] for row in rows if row[2:]} <= {""}
    classes = cells(tmp_path / "s.xlsx", "classes")
    assert [row[0] for row in classes[:3]] == ["class", "joy", "strange_one"]
    assert classes[1][1] == "glad, happy"
    xml = zipfile.ZipFile(tmp_path / "s.xlsx").read("xl/worksheets/sheet1.xml").decode()
    assert "<formula1>classes!$A$2:$A$3</formula1>" in xml


def test_each_row_has_the_same_chance(tmp_path: Path) -> None:
    source = table(tmp_path / "t.csv", [f"text {n}" for n in range(20)])
    times: Counter[int] = Counter()
    for seed in range(100):
        draw_sheet(source, tmp_path / f"{seed}.xlsx", NAMES, draw=DrawOptions(5, seed))
        times.update(int(row[0]) for row in cells(tmp_path / f"{seed}.xlsx")[1:])
    assert sum(times.values()) == 500
    assert len(times) == 20
    assert max(times.values()) < 45


def test_formulas_and_markup_in_texts_stay_texts(tmp_path: Path) -> None:
    texts = ["=1+1", "<r>so</r>", "@SUM(A1)", "https://example.org", "a" * 20_000]
    drawn = draw_sheet(table(tmp_path / "t.csv", texts), tmp_path / "s.xlsx", NAMES)
    assert any("1 text is longer than 10,000 characters" in str(note) for note in drawn.notes)
    assert [row[1] for row in cells(tmp_path / "s.xlsx")[1:]] == [*texts[:4], "a" * 10_000]
    xml = zipfile.ZipFile(tmp_path / "s.xlsx").read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "hyperlink" not in xml


@pytest.mark.parametrize("name", ["s.csv", "s"])
def test_a_sheet_is_a_workbook(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is a workbook"):
        draw_sheet(table(tmp_path / "t.csv", ["so"]), tmp_path / name, NAMES)


def test_labels_are_compared_with_answers(classifier: Classifier, tmp_path: Path) -> None:
    rows = feeling_rows(40)
    answers = classifier.predict([text for text, _ in rows])
    names = classifier.labels.names
    # Half of the labels agree with the answers, and of some texts two labels are right.
    labels = [a.label or a.best_guess or "" for a in answers]
    other = {name: names[(i + 1) % len(names)] for i, name in enumerate(names)}
    written = [
        (name, other[name], f"{other[name]}, {name.upper()}", " ")[n % 4]
        for n, name in enumerate(labels)
    ]
    texts = [text for text, _ in rows]
    given = sheet(tmp_path / "s.csv", list(zip(texts, written, strict=True)))
    checked = score_sheet(classifier, given)
    assert checked.unlabelled == 10
    assert (checked.every.n, checked.every.right) == (30, 20)
    assert checked.answers.n == sum(not a.unsure for n, a in enumerate(answers) if n % 4 != 3)
    assert checked.answers.n + checked.guesses.n == 30
    assert checked.answers.right + checked.guesses.right == 20
    assert len(checked.differing) == 10
    for wrong in checked.differing:
        assert wrong.text == texts[int(wrong.row or 0) - 2]
        assert wrong.labels == (other[wrong.answer],)
    assert json.loads(json.dumps(checked.to_dict()))["every"]["right"] == 20


def test_what_a_cell_may_hold_and_what_is_left_out_is_said(
    classifier: Classifier, tmp_path: Path
) -> None:
    one, two = classifier.labels.names[:2]
    rows = [("so happy", cell) for cell in (f" {one.upper()} ", f"{one}; {two}", f"{one}/{two}")]
    rows += [("so sad", "None"), ("so sad", " , "), ("so sad", ""), (" ", one), ("", "")]
    checked = score_sheet(classifier, sheet(tmp_path / "s.csv", rows))
    assert checked.every.n == 4
    assert checked.unlabelled == 2
    assert [str(note) for note in checked.notes] == [
        "1 row has a label and no text, and is left out."
    ]
    assert ("none",) in [wrong.labels for wrong in checked.differing]
    (tmp_path / "s.csv").write_text(f"row,text,your_label\n2,so,{one}\n3,so,so,{one},x\n")
    checked = score_sheet(classifier, tmp_path / "s.csv")
    assert checked.every.n == 1
    assert any("could not be read as written" in str(note) for note in checked.notes)


def test_a_word_that_is_no_class_is_named(classifier: Classifier, tmp_path: Path) -> None:
    name = classifier.labels.names[0]
    given = sheet(tmp_path / "s.csv", [("so", name), ("sad", f"{name}x")])
    with pytest.raises(DataError, match=f"no class of the model: '{name}x' .1 row.") as error:
        score_sheet(classifier, given)
    assert f"Did you mean '{name}'?" in error.value.hint


def test_a_sheet_without_labels_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has a label yet"):
        score_sheet(classifier, sheet(tmp_path / "s.csv", [("so", "")]))


def test_a_table_that_is_no_sheet_is_refused(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no sheet") as error:
        score_sheet(classifier, table(tmp_path / "t.csv", ["so happy"]))
    assert error.value.hint == "Draw one from a table with: emolens check FILE"


@pytest.fixture
def check(
    tiny_run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Command:
    """Run the command in tmp_path; its exit code, its stdout and its stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        model = ["--model", str(tiny_run.folder / "model")]
        monkeypatch.setattr(sys, "argv", ["emolens", "check", *arguments, *model])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_the_command_draws_a_sheet_and_takes_it_back(check: Command, tmp_path: Path) -> None:
    table(tmp_path / "t.csv", [text for text, _ in feeling_rows(100)])
    code, out, err = check("t.csv")
    assert (code, out) == (0, "t-check.xlsx\n")
    assert "60 of 100 texts, drawn at random" in err
    assert "emolens check t-check.xlsx --model" in err
    again = check("t.csv", "--rows", "200", "--unsure-below", "0.4", "--overwrite")[2]
    assert "100 of 100 texts, all there are" in again
    assert " --unsure-below 0.4" in again.split("Then:")[1]
    assert check("t.csv", "--overwrite")[0] == 0
    header, *rows = cells(tmp_path / "t-check.xlsx")
    labels = dict(feeling_rows(100))
    book = xlsxwriter.Workbook(tmp_path / "t-check.xlsx")  # as a person saves it
    page = book.add_worksheet("texts")
    page.write_row(0, 0, header)
    for place, (number, text, *_) in enumerate(rows, start=1):
        page.write_row(place, 0, [number, text, labels[text] if place <= 50 else ""])
    book.close()
    code, out, err = check("t-check.xlsx")
    assert code == 0
    assert "10 texts have no label, and are left out" in err
    assert "together" in out
    code, out, _ = check("t-check.xlsx", "--json")
    plain = json.loads(out)
    assert (code, plain["every"]["n"], plain["unlabelled"]) == (0, 50, 10)


def test_the_page_of_the_classes_is_no_other_table(classifier: Classifier, tmp_path: Path) -> None:
    """The sheet as it is drawn, with a label typed into it."""
    source = table(tmp_path / "t.csv", ["so happy"])
    draw_sheet(source, tmp_path / "s.xlsx", classifier.labels)
    with zipfile.ZipFile(tmp_path / "s.xlsx") as drawn:
        parts = {name: drawn.read(name).decode() for name in drawn.namelist()}
    page = "xl/worksheets/sheet1.xml"
    label = f'<c r="C2" t="inlineStr"><is><t>{classifier.labels.names[0]}</t></is></c></row>'
    first, _, rest = parts[page].partition('<row r="2"')
    parts[page] = first + '<row r="2"' + rest.replace("</row>", label, 1)
    with zipfile.ZipFile(tmp_path / "typed.xlsx", "w") as typed:
        for name, content in parts.items():
            typed.writestr(name, content)
    checked = score_sheet(classifier, tmp_path / "typed.xlsx")
    assert (checked.every.n, checked.unlabelled, checked.notes) == (1, 0, ())


def test_a_sheet_of_a_pipe_is_written_where_the_command_is_typed(
    check: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"text\nso happy\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    code, out, _ = check("-", "--format", "csv")
    assert (code, out) == (0, "check.xlsx\n")
    assert cells(tmp_path / "check.xlsx")[1][1] == "so happy"


def test_options_for_drawing_are_refused_for_a_sheet(check: Command, tmp_path: Path) -> None:
    sheet(tmp_path / "s.csv", [("so", "joy")])
    code, _, err = check("s.csv", "--rows", "5")
    assert (code, "--rows is for drawing a sheet" in err) == (2, True)


def test_an_existing_sheet_is_kept(check: Command, tmp_path: Path) -> None:
    table(tmp_path / "t.csv", ["so happy"])
    assert check("t.csv")[0] == 0
    before = (tmp_path / "t-check.xlsx").read_bytes()
    code, _, err = check("t.csv", "--unsure-below", "0.25")
    assert (code, "--overwrite" in err) == (2, True)
    assert "If you have labelled it: emolens check t-check.xlsx --model " in err
    assert err.endswith(" --unsure-below 0.25\n")
    assert (tmp_path / "t-check.xlsx").read_bytes() == before


def as_excel_saves(text: str, encoding: str = "cp1252") -> bytes:
    """A sign that the encoding lacks becomes ?, and an emoji, which is two units, becomes ??."""
    units = ("??" if ord(sign) > 0xFFFF else sign for sign in text)
    return "".join(units).encode(encoding, "replace")


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
def test_signs_that_excel_lost_come_back_from_the_sheet_that_was_drawn(
    classifier: Classifier, tmp_path: Path, encoding: str
) -> None:
    texts = ["so glad 😂❤️", "so sad… très ✨", "why? so", "übel? →", "plain"]
    draw_sheet(table(tmp_path / "t.csv", texts), tmp_path / "s.xlsx", classifier.labels)
    name = classifier.labels.names[0]
    lines = [f"{n};{text};{name}" for n, text in enumerate(texts, start=2)]
    saved = as_excel_saves("\r\n".join([";".join(COLUMNS), *lines]), encoding)
    (tmp_path / "s.csv").write_bytes(saved)
    read = ReadOptions(encoding=encoding)
    whole = score_sheet(classifier, sheet(tmp_path / "u.csv", [(text, name) for text in texts]))
    checked = score_sheet(classifier, tmp_path / "s.csv", read=read)
    assert (checked.every, checked.differing) == (whole.every, whole.differing)
    (note,) = [note for note in checked.notes if note.code == "T02"]
    assert str(note).startswith("3 texts have '?' in ")
    assert str(note).endswith("and are read as drawn, from " + str(tmp_path / "s.xlsx") + ".")
    (tmp_path / "s.xlsx").unlink()
    checked = score_sheet(classifier, tmp_path / "s.csv", read=read)
    (note,) = [note for note in checked.notes if note.code == "T02"]
    assert "3 texts hold a '?' that may stand for a lost sign" in str(note)


def test_a_sheet_that_can_hold_every_sign_has_lost_none(
    classifier: Classifier, tmp_path: Path
) -> None:
    name = classifier.labels.names[0]
    for text, encoding in [("what?? ✨", "utf-8"), ("what?? so", "utf-8-sig"), ("??", "utf-16")]:
        lines = f"{','.join(COLUMNS)}\n2,{text},{name}\n"
        (tmp_path / "s.csv").write_bytes(lines.encode(encoding))
        notes = score_sheet(classifier, tmp_path / "s.csv").notes
        assert not [note for note in notes if note.code == "T02"]


def test_a_text_that_a_person_changed_is_not_changed_back(
    classifier: Classifier, tmp_path: Path
) -> None:
    source = table(tmp_path / "t.csv", ["so glad 😂", "what?", "so ? sad"])
    draw_sheet(source, tmp_path / "s.xlsx", classifier.labels)
    name = classifier.labels.names[0]
    address = "sad: https://example.org/a?b=c www.example.org/?q"
    own = [("so glad, NAME ??", name), ("what?", name), (address, name)]
    sheet(tmp_path / "s.csv", own)
    checked = score_sheet(classifier, tmp_path / "s.csv")
    (note,) = checked.notes
    assert str(note).startswith("1 text holds a '?' that may stand for a lost sign")
    with xlsxwriter.Workbook(tmp_path / "s.xlsx") as book:  # no sheet of emolens
        book.add_worksheet("other").write(0, 0, "x")
    assert score_sheet(classifier, tmp_path / "s.csv").every.n == 3
    (tmp_path / "s.xlsx").write_bytes(b"no workbook")
    assert score_sheet(classifier, tmp_path / "s.csv").every.n == 3


GERMAN = "Das Essen war kalt und der Kellner sehr unhöflich"


def test_texts_that_the_model_will_not_answer_are_said_before_they_are_labelled(
    emolens: Emolens, tmp_path: Path
) -> None:
    source = table(tmp_path / "t.csv", [GERMAN, GERMAN, "The food was cold and the waiter rude"])
    drawn = emolens("check", source)
    assert "2 of 3 texts are in another language than the texts of the training (German 2)" in (
        drawn.err
    )
    english = table(tmp_path / "u.csv", ["The food was cold and the waiter rude"])
    err = emolens("check", english).err
    assert "another language" not in err
    assert err.startswith("1 of 1 text, all there are.")


def test_why_texts_are_unsure_is_said(emolens: Emolens, tmp_path: Path) -> None:
    given = sheet(tmp_path / "s.csv", [(GERMAN, "anger"), (GERMAN, "anger"), ("hm", "neutral")])
    ended = emolens("check", given, "--promise", "0.96")
    assert "Why texts are unsure: in German 2, low probability 1.\n" in ended.out
    whole = json.loads(emolens("check", given, "--json").out)
    assert whole["unsure"]["in German"] == 2
    sure = sheet(tmp_path / "s.csv", [("I love this so much", "love")])
    assert "unsure:" not in emolens("check", sure, "--unsure-below", "0").out
