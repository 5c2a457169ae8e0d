"""Workbooks give the values that a user sees in them, or one sentence."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from emolens.data.readers.open import source_of
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.table import CHUNK, Table
from emolens.data.sources import load_dataset
from emolens.errors import DataError
from tests.tables import open_table

ROWS: list[list[Any]] = [["text", "label"], ["so glad", "joy"], ["so low", "sadness"]]
ODS = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
{}</office:spreadsheet></office:body></office:document-content>"""


def write(path: Path, sheets: dict[str, Sequence[Sequence[Any]]], *, hidden: str = "") -> Path:
    options = {"default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(str(path), options) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
        if hidden:
            book.get_worksheet_by_name(hidden).hide()
    return path


def test_a_cell_that_is_merged_over_rows_belongs_to_each_of_them(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet("S")
        sheet.merge_range("C2:D3", "Moods of the spring")
        sheet.write_row("C4", ["emotion", "text"])
        sheet.merge_range("C5:C7", "joy")
        sheet.merge_range("C8:C10", "sadness")
        for row, text in enumerate(["so glad", "very glad", "", "so low", "very low"], start=4):
            sheet.write(row, 3, text)
    table = open_table(tmp_path / "a.xlsx", labelled=True)
    assert [row for chunk in table.chunks() for row in chunk.rows] == [
        {"emotion": "joy", "text": "so glad"},
        {"emotion": "joy", "text": "very glad"},
        {"emotion": None, "text": None},
        {"emotion": "sadness", "text": "so low"},
        {"emotion": "sadness", "text": "very low"},
    ]
    (note,) = [note for note in table.notes if note.code == "R05"]
    assert "3 cells are merged over several rows" in note.text


def test_a_header_may_have_groups_above_it(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet("S")
        sheet.merge_range("A1:A2", "ID")
        sheet.merge_range("B1:C1", "Post")
        sheet.merge_range("D1:F1", "Emotions")
        sheet.write_row("B2", ["Text", "Date", "joy", "sadness", "anger"])
        for i in range(30):
            marks = [int(i % 3 == place) for place in range(3)]
            sheet.write_row(2 + i, 0, [f"r{i}", f"I feel so and so {i}", "May", *marks])
    data = load_dataset(tmp_path / "a.xlsx")
    assert data.columns[:2] == ("Text", "joy,sadness,anger")
    assert len(data) == 30
    assert any("named in" in note.text and note.text.endswith("row 2.") for note in data.notes)


def write_ods(path: Path, rows: list[list[str]], *, below: str = "") -> Path:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = [
        f"<table:table-row>{''.join(cell.format(value) for value in row)}</table:table-row>"
        for row in rows
    ]
    sheet = f'<table:table table:name="S">{"".join(lines)}{below}</table:table>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        kind = "application/vnd.oasis.opendocument.spreadsheet"
        file.writestr("mimetype", kind, zipfile.ZIP_STORED)
        file.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest'
            ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            "</manifest:manifest>",
        )
        file.writestr("content.xml", ODS.format(sheet))
    return path


def opened(path: Path, **options: Any) -> Table:
    return open_table(path, labelled=True, options=ReadOptions(**options))


def rows_of(table: Table) -> list[dict[str, Any]]:
    return [row for chunk in table.chunks() for row in chunk.rows]


def numbers(table: Table) -> list[int]:
    return [number for chunk in table.chunks() for number in chunk.numbers]


def test_values_are_those_that_stand_in_the_cells(tmp_path: Path) -> None:
    day, moment = date(2024, 2, 29), datetime(2024, 2, 29, 13, 30)
    values = [day, moment, 3, 3.0, 2.5, 1e300, True, "007", " a\nb ", "=1+1", "", None, "1.0"]
    path = write(tmp_path / "a.xlsx", {"S": [[f"c{i}" for i in range(len(values))], values]})
    (row,) = rows_of(opened(path))
    wanted = [day, moment, 3, 3, 2.5, 1e300, True, "007", " a\nb ", 0, None, None, "1.0"]
    assert list(row.values()) == wanted
    assert [type(v) for v in row.values()] == [type(v) for v in wanted]


def test_row_numbers_are_those_of_the_sheet(tmp_path: Path) -> None:
    rows = [[], [], ["", "text", "label"], [], ["", "a", "joy"], ["", None, ""], ["", "b", "joy"]]
    table = opened(write(tmp_path / "a.xlsx", {"S": rows}))
    assert table.columns == ("text", "label")
    assert numbers(table) == [5, 6, 7]
    assert table.where(5) == f"{tmp_path / 'a.xlsx'}, sheet S, row 5"


def test_a_title_a_missing_header_and_second_headers_are_treated_as_in_a_csv(
    tmp_path: Path,
) -> None:
    data = [[f"i am so {word} about item {i}", word] for i in range(6) for word in ("glad", "low")]
    titled = [["Survey of 2024"], [], ["comment", "mood"], *data]
    table = opened(write(tmp_path / "a.xlsx", {"S": titled}))
    assert (table.columns, len(rows_of(table)), numbers(table)[0]) == (("comment", "mood"), 12, 4)
    assert "a title before the columns" in table.notes[0].text
    table = opened(write(tmp_path / "b.xlsx", {"S": data}))
    assert (table.columns, len(rows_of(table))) == (("1", "2"), 12)
    assert "has no header" in table.notes[0].text
    assert opened(tmp_path / "b.xlsx", header=True).columns == tuple(data[0])
    assert opened(tmp_path / "a.xlsx", header=False).columns == ("1", "2")
    twice = [["Q1", "Q2"], ["What happened?", "Which mood?"], ["{id: 1}", "{id: 2}"], *data]
    table = opened(write(tmp_path / "c.xlsx", {"S": twice}), skip_rows=2)
    assert (table.columns, len(rows_of(table))) == (("Q1", "Q2"), 12)
    with pytest.raises(DataError, match="has only 15 rows"):
        opened(tmp_path / "c.xlsx", skip_rows=40)


def test_columns_of_one_name_and_without_a_name_are_kept(tmp_path: Path) -> None:
    rows = [["id", "score", "text", "score", ""], [1, 2, "a", 3, 4], [5, 6, "b", 7, 8]]
    table = opened(write(tmp_path / "a.xlsx", {"S": rows}))
    assert table.titles == ("id", "score", "text", "score", "")
    assert [list(row.values()) for row in rows_of(table)] == rows[1:]


def test_the_first_visible_sheet_with_rows_is_read_and_the_others_are_named(
    tmp_path: Path,
) -> None:
    sheets = {"Empty": [], "Hidden": [["x"], ["1"]], "Answers": ROWS, "Other": [["text"], ["z"]]}
    path = write(tmp_path / "a.xlsx", sheets, hidden="Hidden")
    table = opened(path)
    assert [row["text"] for row in rows_of(table)] == ["so glad", "so low"]
    (note,) = table.notes
    assert note.code == "R01"
    assert "'Answers' is read" in note.text
    assert "Empty, Hidden, Other" in note.text
    for sheet in ("Other", "4"):
        chosen = opened(path, sheet=sheet)
        assert (rows_of(chosen), chosen.notes) == ([{"text": "z"}], ())
    for sheet in ("Othr", "0", "5", "-1"):
        with pytest.raises(DataError, match="has no sheet") as caught:
            opened(path, sheet=sheet)
        assert "Answers" in caught.value.hint
    with pytest.raises(DataError, match="no rows"):
        opened(path, sheet="Empty")


def test_a_page_before_the_table_is_not_read(tmp_path: Path) -> None:
    sheets = {"Info": [["About"], ["so glad"]], "Data": ROWS, "More": [*ROWS, ROWS[1]]}
    table = opened(write(tmp_path / "a.xlsx", sheets))
    assert table.columns == ("text", "label")
    assert "the sheet 'Data' is read, and these are not: Info, More" in table.notes[0].text
    titled = {"Data": [["Survey"], [], ["Made in 2024"], *ROWS], "More": [*ROWS] * 3}
    assert rows_of(opened(write(tmp_path / "b.xlsx", titled)))[0]["text"] == "so glad"


def test_a_sheet_that_is_called_as_a_number_comes_before_the_number(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"2": ROWS, "3": [["text"], ["z"]]})
    assert rows_of(opened(path, sheet="2"))[0]["text"] == "so glad"


def test_a_workbook_of_hidden_sheets_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"Seen": [], "Hidden": ROWS}, hidden="Hidden")
    table = opened(path)
    assert len(rows_of(table)) == 2
    assert "'Hidden' is read" in table.notes[0].text


@pytest.mark.parametrize("rows", [[], [["text", "label"]], [["", " "]]])
def test_a_workbook_without_rows_is_a_sentence(tmp_path: Path, rows: list[list[str]]) -> None:
    path = write(tmp_path / "a.xlsx", {"S": rows})
    with pytest.raises(DataError, match="holds no rows"):
        rows_of(opened(path))


def test_an_ods_file_with_the_empty_rows_of_an_office_program(tmp_path: Path) -> None:
    below = (
        '<table:table-row table:number-rows-repeated="1048573">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    path = write_ods(tmp_path / "a.ods", ROWS, below=below)
    assert [row["text"] for row in rows_of(opened(path))] == ["so glad", "so low"]


def test_the_content_decides_before_the_ending(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"S": ROWS}).rename(tmp_path / "a.csv")
    table = opened(path)
    assert len(rows_of(table)) == 2
    assert "is read as xlsx, because of its content" in table.notes[0].text
    csv = tmp_path / "b.xlsx"
    csv.write_text("text,label\nso glad,joy\nso low,sadness\n")
    table = opened(csv)
    assert len(rows_of(table)) == 2
    assert "is read as csv, because of its content" in table.notes[0].text


def test_a_workbook_gives_a_data_set(tmp_path: Path) -> None:
    rows = [["text", "label"], *([f"so {w} {i}", w] for i in range(20) for w in ("glad", "low"))]
    data = load_dataset(write(tmp_path / "a.xlsx", {"S": rows, "Notes": [["x"], ["y"]]}))
    assert len(data) == 40
    assert any("'S' is read" in note.text for note in data.notes)


def test_sheets_with_the_names_of_splits_are_splits(tmp_path: Path) -> None:
    labels = ("joy", "fear", "anger") * 10
    sheets = {
        name: [ROWS[0], *([f"{name} {i}", label] for i, label in enumerate(labels))]
        for name in ("Notes", "Train", "valid", "test")
    }
    path = write(tmp_path / "a.xlsx", sheets)
    dataset = load_dataset(path)
    assert {split: len(part) for split, part in dataset.splits.items()} == {
        "train": 30, "validation": 30, "test": 30
    }  # fmt: skip
    assert dataset["validation"].texts[0] == "valid 0"
    assert [str(note) for note in dataset.notes if note.code == "S01"] == [
        f"{path} holds several tables, which are used as train, validation, test.",
        "Not used: Notes.",
    ]
    named = load_dataset(path, splits={"train": "Notes", "test": "Train"})
    assert named["train"].texts[0] == "Notes 0"
    assert len(load_dataset(path, sheet="Train")) == 30


def test_a_workbook_can_be_packed(tmp_path: Path) -> None:
    book = write(tmp_path / "a.xlsx", {"S": ROWS})
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        file.write(book, "in/a.xlsx")
    with source_of(tmp_path / "b.zip") as source:
        assert len(rows_of(open_table(source, labelled=True))) == 2
        assert source.like == tmp_path / "b.xlsx"


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.xlsb", "a.ods", "a.xlsm"])
@pytest.mark.parametrize("content", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 80])
def test_a_broken_workbook_is_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="is not a readable workbook") as caught:
        opened(tmp_path / name)
    assert caught.value.hint


@pytest.mark.parametrize("ending", [".xlsx", ".ods"])
def test_a_workbook_that_was_cut_or_changed_is_a_sentence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    if ending == ".ods":
        write_ods(path, ROWS * 50)
    else:
        write(path, {"S": ROWS * 50})
    whole = path.read_bytes()
    for size in (200, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="not a readable"):
            rows_of(opened(path))
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 0xFF
    path.write_bytes(changed)
    with pytest.raises(DataError):
        rows_of(opened(path))


def test_memory_of_a_workbook_is_that_of_its_cells(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"S": [["text"], *([f"row {i}"] for i in range(9 * CHUNK))]})
    table = opened(path)
    tracemalloc.start()
    assert sum(len(chunk) for chunk in table.chunks()) == 9 * CHUNK
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000  # one chunk at a time becomes objects of Python


def test_errors_in_cells_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["text", "n"])
        for row in (1, 2):
            sheet.write_string(row, 0, "so glad")
            sheet.write_formula(row, 1, "=1/0", value="#DIV/0!")
    table = opened(path)
    assert [row["n"] for row in rows_of(table)] == [None, None]
    (note,) = table.notes
    assert (note.code, note.n_rows) == ("R04", 2)
    assert "#DIV/0!" in note.text


def test_titles_keep_their_spaces(tmp_path: Path) -> None:
    table = opened(write(tmp_path / "a.xlsx", {"S": [[" text ", "label"], ["a", "joy"]]}))
    assert (table.titles, table.columns) == ((" text ", "label"), ("text", "label"))
