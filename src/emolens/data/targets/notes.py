"""What is said about the labels of a data set: what was left out, joined, guessed and not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from emolens.data.checks import Note, agreeing, counted
from emolens.data.readers.columns import label_columns
from emolens.data.targets.cells import Cell, object_in, unread_in
from emolens.data.targets.column import Column
from emolens.data.targets.rows import NUMBERED, Part, unreadable_note
from emolens.errors import DataError, nearest, some_of

Parts = Mapping[str, Sequence[Part]]
_STRICT = "With --strict, such a row is an error."
_MERGED = (
    "If a label stands only in the first row of a group (merged cells), write it into each row of"
    " the group."
)


def strictly(parts: Parts, column: Column) -> None:
    """Raise DataError for the first row that can't be read or has no label."""
    for part in (part for several in parts.values() for part in several):
        for number, why in part.unreadable.items():
            raise DataError(
                f"{part.table.where(number)}: {why}",
                hint="Without --strict, such a row is left out and counted.",
            )
        if missing := set(part.counts) - set(column.classes(part)):
            raise DataError(
                f"{part.first(missing)}: the row has no label.",
                hint="Without --strict, such a row is left out and counted.",
            )


def notes_of(
    parts: Parts, column: Column, *, several: bool, unlabelled: Sequence[str]
) -> Iterator[Note]:
    """The notes. several: whether rows may have several labels. unlabelled: splits left out."""
    for split, tables in parts.items():
        for part in tables:
            if part.unreadable:
                yield unreadable_note(part.table, part.unreadable, split)
            yield from part.notes
            if split not in unlabelled:
                yield from _unlabelled(part, split, column, several=several)
        if split in unlabelled:
            n = sum(len(part.cells) for part in tables)
            yield Note(
                "S01", f"No row of {split} has a label, so these rows are not used.", n_rows=n
            )
    for name in column.never_dropped:
        known = nearest(name, column.labels.names)
        yield Note("L01", f"No row has the class '{name}' that is to be left out.", known)
    if unseen := column.never_missing:
        yield Note("L01", f"No row has these words for a missing label: {some_of(unseen)}.")
    yield from _merged(column)
    yield from _form(column, several=several)
    yield from _named(column)
    yield from _unnamed(column)


def _unlabelled(part: Part, split: str, column: Column, *, several: bool) -> Iterator[Note]:
    """Rows without a label, and rows of classes to leave out."""
    classes = column.classes(part)
    empty = {cell for cell in classes if not classes[cell] and not several}
    without = {cell for cell in part.counts if cell in column.missing or cell in empty}
    dropped = set(part.counts) - set(classes) - without
    yield from _left_out(part, split, without, what="no label")
    yield from _left_out(part, split, dropped, what="a class to leave out")


def _left_out(part: Part, split: str, cells: set[Cell], *, what: str) -> Iterator[Note]:
    """The note about the rows with these cells, if there are any."""
    numbers = [n for n, cell in zip(part.numbers, part.cells, strict=True) if cell in cells]
    if not numbers:
        return
    words = sorted({str(cell).strip() for cell in cells if cell} - {""})
    n, like = len(numbers), f" ({some_of(words)})" if words else ""
    hints = [_STRICT] if what == "no label" else []
    if hints and not words and n > len(part.cells) / 2 and numbers[0] > part.numbers[0]:
        hints.append(_MERGED)
    text = (
        f"{counted(n, 'row')} of {split} {agreeing(n, 'have')} {what}{like} and"
        f" {agreeing(n, 'are')} left out; the first is {part.table.where(numbers[0])}."
    )
    yield Note("L01", text, " ".join(hints), n, tuple(numbers[:NUMBERED]))


def _merged(column: Column) -> Iterator[Note]:
    merged = column.merged()
    if merged:
        n = sum(map(len, merged.values()))
        shown = []
        for name, counts in merged.items():
            others = (f"'{_seen(spelling)}'" for spelling in sorted(counts) if spelling != name)
            shown.append(f"{_seen(name)} (also {', '.join(others)})")
        changed = sum(
            rows for name, counts in merged.items() for text, rows in counts.items() if text != name
        )
        classes = "1 class" if len(merged) == 1 else f"{len(merged)} classes"
        yield Note("L02", f"{n} spellings are {classes}: {some_of(shown)}.", n_rows=changed)


def _form(column: Column, *, several: bool) -> Iterator[Note]:
    values = _first_values(column.train[0])
    objects = any(object_in(value) is not None for value in values)
    about, hint = "objects" if objects else column.form.about, ""
    unread = sorted({name for value in values for name in unread_in(value)})
    if unread:
        about += f", of which {some_of(unread)} {agreeing(len(unread), 'are')} not read"
    if column.form.separator and column.options.label_separator is None:
        hint = "--label-separator none reads them as names of single classes."
    if several:
        counts = Counter(
            min(len(classes[cell]), 2)
            for part in column.parts
            for classes in [column.classes(part)]
            for cell in part.cells
            if cell in classes
        )
        none = f"; {counted(counts[0], 'row', 'have')} none of the classes" if counts[0] else ""
        text = f"{counts[2]:,} of {counts.total():,} rows have several labels"
        yield Note("L03", f"{text}: the labels are {about}{none}.", hint, counts[2])
    elif about:
        yield Note("L03", f"The labels are {about}; each row has one class.", hint)
    if quoted := column.quoted:
        yield Note("L03", f"Quotes around labels are left out: {some_of(quoted)}.")


def _first_values(part: Part) -> list[Any]:
    """The first values of a label column, as the table gives them."""
    columns = label_columns(part.table, part.label)
    chunks = islice(part.table.chunks(*columns), 1)
    return [row.get(columns[0]) for chunk in chunks for row in chunk.rows]


def _named(column: Column) -> Iterator[Note]:
    names = column.names(column.train[0])
    if names.by_id and names.by_id != column.given_names:
        pairs = [f"{number} {names.by_id[number]}" for number in sorted(names.by_id)]
        yield Note("L03", f"{names.origin} names the classes: {some_of(pairs)}.")


def _unnamed(column: Column) -> Iterator[Note]:
    """Says that classes are numbers, and where their names can be given."""
    names = column.labels.names
    if not column.names(column.train[0]).by_id and all(name.isdigit() for name in names):
        beside = f" The column '{column.beside}' does not give each of them one name."
        yield Note(
            "L03",
            f"The classes are numbers: {some_of(names)}.{beside if column.beside else ''}",
            "If they have names, give them: --class-names FILE, with one name per line.",
        )


def _seen(text: str) -> str:
    """The text with a code in place of each invisible character."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
