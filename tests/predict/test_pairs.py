"""Rows, columns and cells come out as they went in, for every pair of a dialect and an encoding."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.readers.options import ReadOptions
from emolens.predict.classifier import Classifier
from emolens.predict.tables import WriteOptions, predict_table
from emolens.study import Run

TITLES = ("id", "text", "note")
OVERWRITE = WriteOptions(overwrite=True)


@dataclass(frozen=True)
class Dialect:
    """How a program writes text between delimiters."""

    delimiter: str
    end: str
    quoting: int = csv.QUOTE_MINIMAL
    escapes: bool = False
    sep: bool = False
    space: bool = False

    def __str__(self) -> str:
        kinds = {csv.QUOTE_MINIMAL: "minimal", csv.QUOTE_ALL: "all", csv.QUOTE_NONE: "no"}
        more = [name for name in ("escapes", "sep", "space") if getattr(self, name)]
        return " ".join([repr(self.delimiter), repr(self.end), kinds[self.quoting], *more])

    def allows(self, cell: str) -> bool:
        """Whether the dialect can hold a cell at all, with one meaning."""
        if self.quoting == csv.QUOTE_NONE:
            return not {self.delimiter, "\n", "\r", '"'} & set(cell)
        return not (self.escapes and "\\" in cell)

    def written(self, rows: list[tuple[str, ...]]) -> str:
        file = io.StringIO(newline="")
        # With CR LF, Python puts every line end in quotes.
        writer = csv.writer(
            file,
            delimiter=self.delimiter,
            lineterminator="\r\n",
            quoting=self.quoting,  # type: ignore[arg-type]
            doublequote=not self.escapes,
            escapechar="\\" if self.escapes else None,
        )
        lines = [f"sep={self.delimiter}{self.end}"] if self.sep else []
        for row in rows:
            writer.writerow(row)
            line = file.getvalue().removesuffix("\r\n")
            if self.space:
                line = line.replace(f'"{self.delimiter}"', f'"{self.delimiter} "')
            lines.append(line + self.end)
            file.seek(0)
            file.truncate()
        return "".join(lines)


DIALECTS = [
    *(
        Dialect(delimiter, end, quoting)
        for delimiter, end, quoting in product(
            ",;\t|", ("\n", "\r\n", "\r"), (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
        )
    ),
    *(Dialect(delimiter, "\n", csv.QUOTE_NONE) for delimiter in ",;\t|"),
    *(Dialect(delimiter, "\r\n", sep=True) for delimiter in ",;\t|"),
    *(Dialect(delimiter, "\n", csv.QUOTE_ALL, escapes=True) for delimiter in ",;\t"),
    Dialect(",", "\r\r\n", csv.QUOTE_ALL),
]
# With a name: what Python calls it, and the option that a person gives, if one is needed.
ENCODINGS = {
    "utf-8": None,
    "utf-8-sig": None,
    "utf-16": None,
    "utf-32": None,
    "utf-16-le": "utf-16-le",
    "cp1252": "cp1252",
    "cp1251": "cp1251",
    "cp932": "cp932",
    "gb18030": "gb18030",
}
LETTERS = {"cp1252": "éàüßñ€“”œ", "cp1251": "жяюёЩ№", "cp932": "日本語カナ"}
SIGNS = ",;\t|\"'\\ \n\r#=:{[.-0019ab"


def cells(encoding: str) -> st.SearchStrategy[str]:
    letters = st.sampled_from(SIGNS + LETTERS.get(encoding, "é😀\u00a0\u2028\u200bжש"))
    if encoding not in LETTERS:
        letters |= st.characters(codec="utf-8", exclude_characters="\0\ufeff")
    return st.text(letters, max_size=12)


@st.composite
def tables(draw: st.DrawFn, dialect: Dialect, encoding: str) -> list[tuple[str, ...]]:
    cell = cells(encoding).filter(dialect.allows)
    n = draw(st.integers(2, 6))
    return [(f"n{i}", f"x{draw(cell)}", draw(cell)) for i in range(n)]


@pytest.fixture(scope="module")
def classifier(tiny_run: Run) -> Classifier:
    return Classifier(tiny_run.folder / "model", precision="fp32")


def check(
    classifier: Classifier,
    folder: Path,
    dialect: Dialect,
    encoding: str,
    rows: list[tuple[str, ...]],
) -> None:
    tabs = dialect.delimiter == "\t" and not dialect.sep
    source = folder / ("pairs.tsv" if tabs else "pairs.csv")
    source.write_bytes(dialect.written([TITLES, *rows]).encode(encoding))
    read = ReadOptions(encoding=ENCODINGS[encoding])
    for target in (folder / "out.jsonl", folder / f"out{source.suffix}"):
        tally = predict_table(classifier, source, target, read=read, write=OVERWRITE)
        assert (tally.rows, tally.errors) == (len(rows), 0)
        if target.suffix == ".jsonl":
            lines = target.read_text("utf-8").split("\n")[:-1]
            found = [tuple(json.loads(line).values()) for line in lines]
        else:
            text = target.read_bytes().decode("utf-8-sig")
            if dialect.sep:
                assert text.startswith(f"sep={dialect.delimiter}{dialect.end}")
                text = text.removeprefix(f"sep={dialect.delimiter}{dialect.end}")
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter)
            titles, *found = map(tuple, reader)
            assert titles[:3] == TITLES
        assert [row[:3] for row in found] == rows


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_some_pairs(
    tmp_path_factory: pytest.TempPathFactory, classifier: Classifier, data: st.DataObject
) -> None:
    dialect = data.draw(st.sampled_from(DIALECTS))
    encoding = data.draw(st.sampled_from([*ENCODINGS]))
    rows = data.draw(tables(dialect, encoding))
    check(classifier, tmp_path_factory.getbasetemp(), dialect, encoding, rows)


@pytest.mark.soak
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_pair(
    tmp_path_factory: pytest.TempPathFactory,
    classifier: Classifier,
    dialect: Dialect,
    encoding: str,
    data: st.DataObject,
) -> None:
    rows = data.draw(tables(dialect, encoding))
    check(classifier, tmp_path_factory.getbasetemp(), dialect, encoding, rows)
