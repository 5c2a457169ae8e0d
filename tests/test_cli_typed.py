"""The command that `predict` says to type next: it reads the same texts with the same model."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from emolens.cli.options import READ_OPTIONS
from emolens.cli.typed import model_options, reading_options
from emolens.data.readers.options import ReadOptions
from emolens.predict.threshold import Wanted
from emolens.study import Run
from tests.conftest import Emolens

ASIDE = "what else (it's new)"


def next_command(err: str) -> list[str]:
    """The words that the shell makes of it."""
    return shlex.split(err.split("by hand: emolens ")[1])


def workbook(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        for title, text in (("other", "so bad"), (ASIDE, "so glad")):
            sheet = book.add_worksheet(title)
            sheet.write_row(0, 0, ["text", ASIDE])
            sheet.write_row(1, 0, ["so bad", text])


@pytest.mark.parametrize(
    ("name", "content", "given"),
    [
        ("my book.xlsx", None, ["--sheet", ASIDE, "--text", ASIDE]),
        (
            "my table.csv",
            "x\tso glad\n".encode("utf-16-le"),
            ["--encoding", "utf-16-le", "--delimiter", "\t", "--no-header", "--text", "2"],
        ),
        (
            "t.csv",
            b"text;b\nso;b\nso glad;\n",
            ["--delimiter", ";", "--header", "--skip-rows", "1"],
        ),
        ("t.dat", b"text\nso glad\n", ["--format", "csv", "--strict", "--precision", "fp32"]),
    ],
)
def test_it_reads_the_table_with_the_options_of_this_one(
    emolens: Emolens,
    tiny_run: Run,
    tmp_path: Path,
    name: str,
    content: bytes | None,
    given: list[str],
) -> None:
    table = tmp_path / name
    if content is None:
        workbook(table)
    else:
        table.write_bytes(content)
    model = ["--model", tiny_run.folder / "model"]
    ended = emolens("predict", "--input", table, "--out", tmp_path / "out.csv", *model, *given)
    assert ended.code == 0, ended.err
    checked = emolens(*next_command(ended.err))
    assert checked.code == 0, checked.err
    drawn = CalamineWorkbook.from_path(Path(checked.out.strip())).get_sheet_by_name("texts")
    assert [row[1] for row in drawn.to_python()[1:]] == ["so glad"]
    assert {*map(str, model)} <= {*next_command(ended.err)}


def test_each_option_about_reading_is_repeated() -> None:
    read = ReadOptions("csv", "cp1252", "a'b", header=False, skip_rows=2, sheet="Q 1", strict=True)
    assert len(vars(read)) == len(READ_OPTIONS)
    assert shlex.split(reading_options(read)) == [
        *("--format", "csv", "--encoding", "cp1252", "--delimiter", "a'b", "--no-header"),
        *("--skip-rows", "2", "--sheet", "Q 1", "--strict"),
    ]
    assert not reading_options(ReadOptions())


def test_the_model_and_the_threshold_are_repeated() -> None:
    assert not model_options("general", Wanted(), None)
    typed = model_options("my model", Wanted(promise=0.9), "int8")
    words = ["--model", "my model", "--promise", "0.9", "--precision", "int8"]
    assert shlex.split(typed) == words
