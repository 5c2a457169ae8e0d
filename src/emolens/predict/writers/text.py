"""Writes tables as text: fields between delimiters, JSON lines, or a JSON array."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, BinaryIO

from emolens.data.checks import Note
from emolens.data.readers.table import Chunk
from emolens.predict.writers.cells import as_json, plain, safe
from emolens.predict.writers.layout import Answered, Layout

_CRLF = "\r\n"


class _Text:
    reads_all = False

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def look(self, chunk: Chunk) -> None:
        """Every row can be written as text."""

    @property
    def notes(self) -> Sequence[Note]:
        """Only names of columns change."""
        return self.layout.renamed()

    def write(self, answered: Iterable[Answered], file: BinaryIO) -> None:
        """Write UTF-8. Half of a character, which UTF-8 can't hold, is written as \\udXXX."""
        if self.layout.form.mark:
            file.write(codecs.BOM_UTF8)
        for text in self._parts(answered):
            file.write(text.encode("utf-8", "backslashreplace"))

    def _parts(self, answered: Iterable[Answered]) -> Iterator[str]:
        raise NotImplementedError


class Delimited(_Text):
    """Fields between delimiters, with quotes where a field needs them. Names stay as they are."""

    notes: Sequence[Note] = ()

    def _parts(self, answered: Iterable[Answered]) -> Iterator[str]:
        keys, form = self.layout.keys, self.layout.form
        if form.sep:
            yield f"sep={form.delimiter}{form.line_end}"
        yield self._lines([self.layout.titles])
        for chunk, added in answered:
            whole = (row | values for row, values in zip(chunk.rows, added, strict=True))
            yield self._lines([[plain(row.get(key)) for key in keys] for row in whole])

    def _lines(self, rows: Sequence[Sequence[Any]]) -> str:
        lines: list[str] = []
        # With this line end, Python puts both "\r" and "\n" inside a field in quotes. With another
        # one it would write a bare "\r", which ends a row for most readers.
        writer = csv.writer(
            SimpleNamespace(write=lines.append),
            delimiter=self.layout.form.delimiter,
            lineterminator=_CRLF,
        )
        if self.layout.safe:
            rows = [[safe(value) for value in row] for row in rows]
        writer.writerows(rows)
        end = self.layout.form.line_end
        return "".join(line.removesuffix(_CRLF) + end for line in lines)


class JsonLines(_Text):
    """One object per line; a name that a row does not have is left out."""

    def _parts(self, answered: Iterable[Answered]) -> Iterator[str]:
        for chunk, added in answered:
            rows = zip(chunk.rows, added, strict=True)
            yield "".join(as_json(self.layout.whole(*row)) + "\n" for row in rows)


class JsonArray(_Text):
    """An array of objects, one object per line."""

    def _parts(self, answered: Iterable[Answered]) -> Iterator[str]:
        before = "[\n"
        for chunk, added in answered:
            rows = zip(chunk.rows, added, strict=True)
            yield before + ",\n".join(as_json(self.layout.whole(*row)) for row in rows)
            before = ",\n"
        yield "\n]\n"
