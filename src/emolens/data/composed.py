"""Tables that several files make: parts, a file of texts with one of labels, a folder per class.

Knows nothing of splits.
"""

from __future__ import annotations

import codecs
import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from emolens.blank import is_blank
from emolens.data.checks import Note, counted
from emolens.data.items import ClassFile, ClassFolder, Item, Pair, is_lines
from emolens.data.readers.encoding import text_file
from emolens.data.readers.lines import open_texts
from emolens.data.readers.open import open_table, source_of
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import CHUNK, Chunk, Row, Table, chunked
from emolens.errors import DataError, some_of
from emolens.temporary import scratch_folder

_LOOKED_AT = 64_000  # bytes of a file
_TURN = "__eou__"  # stands behind each turn of a dialog in DailyDialog
_GUESSED = 1_000  # files that are enough to guess an encoding


@dataclass(frozen=True)
class Opener:
    """Opens files as the user said.

    files: closes what was opened for them. labelled: whether the rows of a file have labels.
    """

    files: contextlib.ExitStack
    read: ReadOptions
    labelled: bool = True

    def open(self, item: Item) -> Table:
        """The table of a file, a pair or a folder. Raises DataError."""
        if isinstance(item, ClassFolder):
            return class_table(item, self.read)
        if isinstance(item, ClassFile):
            return _with_label(self._rows(item.path, "text"), item.name)
        if isinstance(item, Pair):
            texts, labels = self._rows(item.texts, "text"), self._rows(item.labels, "label")
            return (turns_of if _are_dialogs(texts) else joined_columns)(texts, labels)
        source = self.files.enter_context(source_of(item, self.read))
        return open_table(source, labelled=self.labelled, options=self.read)

    def _rows(self, path: Path, column: str) -> Table:
        """A table; of a file with one value per line, its values in this column."""
        if not is_lines(path):
            return self.open(path)
        as_lines = replace(self.read, file_format="txt")
        table = open_texts(self.files.enter_context(source_of(path, as_lines)), as_lines)

        def read(_: Sequence[str]) -> Iterator[Chunk]:
            for chunk in table.chunks("text"):
                yield replace(chunk, rows=[{column: row["text"]} for row in chunk.rows])

        return replace(table, columns=(column,), titles=(column,), read=read)


def joined_columns(texts: Table, labels: Table) -> Table:
    """The rows of two tables side by side. Raises DataError, while they are read, if one has more.

    A column that both have must have the same values in both. If it numbers the rows, they may
    stand in another order.
    """
    shared = [column for column in labels.columns if column in texts.columns]
    by_key = _by_key(texts, labels, shared) if shared else {}
    columns = (*texts.columns, *(column for column in labels.columns if column not in shared))

    def joined(left: _Numbered, right: _Numbered) -> _Numbered:
        number, row, error = left
        for column in shared:
            if str(row.get(column)) != str(right[1].get(column)):
                raise DataError(
                    f"{texts.where(number)} and {labels.where(right[0])} have different values in"
                    f" '{column}'.{_not_joined(texts, labels, shared)}",
                    hint="Leave out the rows that have no partner or several, or put the rows of"
                    " both files into the same order.",
                )
        return number, right[1] | row, error or right[2]

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        rows_of_labels = _numbered(labels)
        if by_key:
            rows_of_labels = (
                by_key.get(_key(row, shared), (n, {c: row.get(c) for c in shared}, None))
                for n, row, _ in _numbered(texts)
            )
        both = zip_longest(_numbered(texts), rows_of_labels)
        rows = (joined(*pair) for pair in _of_one_length(both, texts, labels))
        while part := list(islice(rows, CHUNK)):
            errors = {place: error for place, (_, _, error) in enumerate(part) if error}
            yield Chunk([n for n, _, _ in part], [row for _, row, _ in part], errors=errors)

    return replace(
        texts,
        columns=columns,
        titles=columns,
        read=read,
        schema=None,
        class_names={**labels.class_names, **texts.class_names},
        notes=(*texts.notes, *labels.notes, *([_joined_by(labels, shared)] if by_key else [])),
    )


_Numbered = tuple[int, Row, str | None]


def _by_key(texts: Table, labels: Table, shared: Sequence[str]) -> dict[tuple[str, ...], _Numbered]:
    """The rows of labels by their values in these columns, if the texts have the same values in
    another order, or more of them; {} if the order is the same, or if a value stands twice.
    """
    keys = [_key(row, shared) for _, row, _ in _numbered(texts)]
    of_labels = [(_key(numbered[1], shared), numbered) for numbered in _numbered(labels)]
    by_key = dict(of_labels)
    once = len(keys) == len(set(keys)) and len(of_labels) == len(by_key)
    return by_key if once and by_key.keys() <= set(keys) and keys != list(by_key) else {}


def _not_joined(texts: Table, labels: Table, shared: Sequence[str]) -> str:
    """Why the rows can't be joined by these columns: a value stands twice, or in labels only."""
    counts = [Counter(_key(row, shared) for _, row, _ in _numbered(of)) for of in (texts, labels)]
    names = [Path(table.origin).name for table in (texts, labels)]
    for name, of in zip(names, counts, strict=True):
        key, n = of.most_common(1)[0]
        if n > 1:
            return f" {name} has '{' '.join(key)}' {n} times."
    only = [" ".join(key) for key in counts[1] if key not in counts[0]]
    return f" Only {names[1]} has: {some_of(only)}." if only else ""


def _key(row: Row, shared: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row.get(column)) for column in shared)


def _joined_by(labels: Table, shared: Sequence[str]) -> Note:
    name = Path(labels.origin).name
    return Note(
        "S02", f"{name} has other rows, or another order. They are joined by {some_of(shared)}."
    )


def _numbered(table: Table) -> Iterator[_Numbered]:
    for chunk in table.chunks():
        for place, (number, row) in enumerate(zip(chunk.numbers, chunk.rows, strict=True)):
            yield number, row, chunk.errors.get(place)


def _of_one_length(
    both: Iterator[tuple[_Numbered | None, _Numbered | None]], texts: Table, labels: Table
) -> Iterator[tuple[_Numbered, _Numbered]]:
    """The pairs of rows. Blank rows at the end of one of the tables are no difference."""
    for left, right in both:
        if left and right:
            yield left, right
            continue
        rest = [(left, right), *both]
        more, side = (texts, 0) if left else (labels, 1)
        extra = [row for pair in rest if (row := pair[side]) and not _blank(row[1])]
        if extra:
            other = labels if more is texts else texts
            raise DataError(
                f"{texts.origin} and {labels.origin} have different numbers of rows: from"
                f" {more.unit} {extra[0][0]} of {Path(more.origin).name} on,"
                f" {counted(len(extra), 'row', 'have')} none in {Path(other.origin).name}.",
                hint="Each row of one file belongs to the same row of the other: add what is"
                " missing, or delete what is too much.",
            )


def _are_dialogs(texts: Table) -> bool:
    first = next(texts.chunks(), None)
    return texts.columns == ("text",) and first is not None and _TURN in str(first.rows[0]["text"])


def turns_of(texts: Table, labels: Table) -> Table:
    """A row for each turn of the dialogs. texts: a dialog per row. labels: of all turns of one.

    A dialog that has another number of labels than turns can't be read.
    """

    def turns(errors: dict[int, str]) -> Iterator[tuple[int, Row]]:
        both = zip_longest(_numbered(texts), _numbered(labels))
        for (number, row, error), (_, other, wrong) in _of_one_length(both, texts, labels):
            spoken = [turn.strip() for turn in str(row["text"]).split(_TURN) if turn.strip()]
            marks = str(other["label"]).split()
            unlike = f"the dialog has {len(spoken)} turns and {len(marks)} labels"
            why = error or wrong or (unlike if len(spoken) != len(marks) else None)
            for text, mark in zip_longest(spoken, marks, fillvalue=""):
                if why:
                    errors[number] = why
                yield number, {"text": text, "label": mark}

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        errors: dict[int, str] = {}
        return chunked(turns(errors), errors)

    note = Note("R01", f"Each line of {texts.origin} is a dialog. Each turn in it is a row.")
    columns, notes = ("text", "label"), (*texts.notes, *labels.notes, note)
    return replace(texts, columns=columns, titles=columns, read=read, notes=notes)


def _blank(row: Row) -> bool:
    return all(value is None or is_blank(str(value)) for value in row.values())


def _with_label(texts: Table, name: str) -> Table:
    """The texts, with the same label in each row."""

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        for chunk in texts.chunks():
            yield replace(chunk, rows=[{**row, "label": name} for row in chunk.rows], batch=None)

    columns = (*texts.columns, "label")
    return replace(texts, columns=columns, titles=columns, read=read)


def class_table(folder: ClassFolder, options: ReadOptions = AS_FOUND) -> Table:
    """The texts of a folder, with its name as their label. Rows count the files by name."""
    code_page, notes = _code_page(folder, options)
    other = replace(options, encoding=code_page)

    def rows() -> Iterator[tuple[int, Row]]:
        for number, path in enumerate(folder.files, start=1):
            text = _whole(path, options if _is_unicode(path) else other)
            yield number, {"text": text, "label": folder.path.name}

    return Table(
        folder.path, ("text", "label"), lambda _: chunked(rows()), unit="file", notes=notes
    )


def _code_page(folder: ClassFolder, options: ReadOptions) -> tuple[str | None, tuple[Note, ...]]:
    """The encoding of the files that are not Unicode: one text alone is too short for a guess."""
    files = [path for path in folder.files if not _is_unicode(path)]
    if options.encoding or not files:
        return options.encoding, ()
    with scratch_folder() as scratch:
        path = scratch / "texts"
        path.write_bytes(b"\n".join(file.read_bytes()[:_LOOKED_AT] for file in files[:_GUESSED]))
        guessed = text_file(Source.of(path, name=str(folder.path)), options)
    return guessed.encoding, guessed.notes


def _is_unicode(path: Path) -> bool:
    raw = path.read_bytes()
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw
    return True


def _whole(path: Path, options: ReadOptions) -> str:
    """All that a file holds; line ends are newlines, and the last one is left out."""
    if not path.stat().st_size:
        return ""
    file = text_file(Source.of(path), replace(options, strict=True))
    return "".join(file.lines({})).rstrip("\n")


def only(table: Table, columns: Sequence[str], values: frozenset[tuple[Any, ...]]) -> Table:
    """The rows whose values in these columns are among `values`."""

    def read(wanted: Sequence[str]) -> Iterator[Chunk]:
        for chunk in table.chunks(*dict.fromkeys([*wanted, *columns])):
            kept = [
                place
                for place, row in enumerate(chunk.rows)
                if tuple(row.get(column) for column in columns) in values
            ]
            places = {place: i for i, place in enumerate(kept)}
            errors = {places[p]: why for p, why in chunk.errors.items() if p in places}
            if kept:
                yield Chunk(
                    [chunk.numbers[p] for p in kept], [chunk.rows[p] for p in kept], errors=errors
                )

    return replace(table, read=read)


def renamed(table: Table, names: Mapping[str, str]) -> Table:
    """The table with other names for some of its columns. names: the new name by the old one."""
    old = {new: name for name, new in names.items()}

    def read(wanted: Sequence[str]) -> Iterator[Chunk]:
        for chunk in table.chunks(*(old.get(column, column) for column in wanted)):
            rows = [{names.get(key, key): v for key, v in row.items()} for row in chunk.rows]
            yield replace(chunk, rows=rows, batch=None)

    columns = tuple(names.get(column, column) for column in table.columns)
    classes = {names.get(column, column): of for column, of in table.class_names.items()}
    return replace(table, columns=columns, titles=columns, read=read, class_names=classes)
