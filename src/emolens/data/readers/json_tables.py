"""JSON: one object per line, an array of rows, columns in one object, a list inside an object.

Lines and arrays are read a piece at a time; one object is held in memory.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from emolens.data.checks import Note, counted
from emolens.data.readers.annotations import Survey
from emolens.data.readers.columns import any_usual
from emolens.data.readers.encoding import text_file
from emolens.data.readers.header import numbered, without_header
from emolens.data.readers.json_objects import rows_in
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import MOST_BYTES, Chunk, Row, Table, chunked, too_long
from emolens.data.readers.text import HALF_HINT, TextFile, half_character
from emolens.errors import DataError, first_line

_LINE_HINT = 'Each line is one object, such as {"text": "…", "label": "joy"}.'
_HINT = 'A table is a list of objects, such as [{"text": "…", "label": "joy"}].'
_SAMPLE = 1_000  # rows
_SHOWN = 200  # characters of a broken line
_PLAIN = (str, int, float)
_CUT = 16  # characters at the end of a piece that may be only a part, such as 'tru'
Values = Iterator[tuple[int, Any]]


def _without_repeats(pairs: list[tuple[str, Any]]) -> Row:
    """The object of these pairs. json would keep the last value of a name without a word."""
    row = dict(pairs)
    if len(row) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise KeyError(counts.most_common(1)[0][0])
    return row


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats)


def open_json_lines(source: Source, options: ReadOptions) -> Table:
    """One object per line, perhaps with a comma behind it.

    The whole file is read for its names: a late row may have new ones. A line that is no JSON is a
    row with an error; if half of the lines are, this is no such file.
    """
    file = text_file(source, options)

    def values(errors: dict[int, str]) -> Values:
        for number, line in enumerate(file.lines(errors), start=1):
            if text := line.strip():
                text = text.removesuffix(",")
                try:
                    value = _DECODER.decode(text)
                except (KeyError, ValueError, RecursionError) as error:
                    why, hint = _problem(error, _LINE_HINT)
                    if isinstance(error, KeyError):
                        file.put(errors, number, why, hint=hint)
                        value = json.loads(text)
                    else:
                        value = file.error(number, f"{why}: {text[:_SHOWN]}", hint=hint)
                yield number, _whole(file, value, text, number=number, errors=errors, unit="line")

    return _table(file, values, unit="line")


def open_json(source: Source, options: ReadOptions) -> Table:
    """A JSON document: an array, or one or several objects."""
    file = text_file(source, options)
    document = _Document(file)
    if document.peek() != "[":
        whole = document.value(1, {})
        if not document.peek():
            rows, form = rows_in(whole, source)
            notes = (Note("R01", f"{source} is read as {form}."),) if form else ()
            return _table(file, lambda *_: enumerate(rows, start=1), notes=notes)
    return _table(file, lambda *given: _Document(file).values(*given))


def _table(
    file: TextFile,
    values: Callable[..., Values],
    *,
    unit: str = "row",
    notes: tuple[Note, ...] = (),
) -> Table:
    """The table of the rows that `values` gives. It takes a dict for errors."""
    survey = Survey()
    errors: dict[int, str] = {}
    first: list[list[str]] = []

    def first_time() -> Values:
        for number, value in values(errors):
            survey.n_dialogs += _is_dialog(value)
            yield number, value

    for number, row in _rows(file, first_time(), errors, unit):
        if number not in errors or row:
            survey.add(row)
            if len(first) < _SAMPLE:
                first.append([str(v) if isinstance(v, _PLAIN) else "" for v in row.values()])

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        errors: dict[int, str] = {}
        rows = _rows(file, values(errors), errors, unit)
        return chunked(((number, survey.row(row)) for number, row in rows), errors)

    tool, usual = survey.usual()
    if [*survey.columns] == numbered(len(survey.columns)):  # lists without a header
        usual, note = without_header(file.source.name, first, len(survey.columns))
        notes = (*notes, note)
    return Table(
        file.source.name,
        tuple(survey.columns),
        read,
        unit=unit,
        notes=(*file.notes, *notes, *_tool_notes(file.source, tool, survey)),
        needs_mark=file.needs_mark,
        nested=survey.names(),
        lists=tuple(survey.lists),
        usual=usual,
    )


def _tool_notes(source: Source, tool: str, survey: Survey) -> Iterator[Note]:
    if tool:
        roles = ", ".join(f"the {role}s are in {name}" for role, name in survey.usual()[1].items())
        yield Note("R01", f"{source} {tool}" + (f": {roles}." if roles else "."))
    if survey.n_dialogs:
        yield Note(
            "R01", f"{source} holds lists of objects, such as dialogs. Each object is a row."
        )
    if survey.is_prodigy and survey.n_refused:
        yield Note(
            "R05",
            f"{source}: {counted(survey.n_refused, 'row', 'have')} another 'answer' than 'accept',"
            " and so no label.",
            n_rows=survey.n_refused,
        )
    if survey.n_differing:
        yield Note(
            "R05",
            f"{source}: {counted(survey.n_differing, 'text', 'have')} different answers of several"
            " annotators; all their choices are taken.",
            n_rows=survey.n_differing,
        )


def _rows(
    file: TextFile, values: Values, errors: dict[int, str], unit: str
) -> Iterator[tuple[int, Row]]:
    """Objects as they are, a text as a row, and a list as a row whose names stand in the first.

    A list of objects, such as a dialog, is a row for each of them. Another value, or an error about
    a line, is an empty row with an error. If half of the values are such, the first of these errors
    is raised.
    """
    names: Sequence[str] | None = None  # unknown yet
    first, n_wrong, n_values = None, 0, 0
    for number, value in _each(values, errors):
        n_values += 1
        if isinstance(value, list) and names is None:
            names = list(map(str, value))
            if any_usual(names):
                continue
            names = numbered(len(value))
        if isinstance(value, dict):
            names = names or ()
            yield number, value
        elif isinstance(value, str):
            names = names or ()
            yield number, {"text": value}
        elif isinstance(value, list) and len(value) == len(names or ()):
            yield number, dict(zip(names or (), value, strict=True))
        else:
            error = value
            if not isinstance(value, DataError):
                hint = _LINE_HINT if unit == "line" else _HINT
                why = f"this is JSON, but not an object: {str(value)[:_SHOWN]}"
                error = file.error(number, why, hint=hint, unit=unit)
            if file.strict:
                raise error
            first, n_wrong = first or error, n_wrong + 1
            errors[number] = str(error).removeprefix(f"{file.source}, ").rstrip(".")
            yield number, {}
    if first is not None and 2 * n_wrong >= n_values:
        raise first


def _each(values: Values, errors: dict[int, str]) -> Values:
    """The values, and in place of a list of objects these objects. They are numbered anew."""
    n_more = 0
    for number, value in values:
        inner = value if _is_dialog(value) else [value]
        for place, each in enumerate(inner):
            if number in errors and n_more + place:
                errors[number + n_more + place] = errors.pop(number)
            yield number + n_more + place, each
        n_more += len(inner) - 1


def _is_dialog(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(v, dict) for v in value)


class _Document:
    """The values of a JSON document, one after the other, with as little in memory as can be."""

    def __init__(self, file: TextFile) -> None:
        self._file = file
        self._damages: list[str] = []
        self._pieces = file.pieces(self._damages)
        self._text, self._at, self._lines = "", 0, 1

    def values(self, errors: dict[int, str]) -> Values:
        """The items of an array, or all values."""
        inside = self.peek() == "["
        self._at += inside
        number = 0
        while (sign := self.peek()) and not (inside and sign == "]"):
            if inside and number:
                self._step(",")
            number += 1
            yield number, self.value(number, errors)
        if inside:
            self._step("]")
            if self.peek():
                raise self._no_json("there is more after the end of the list")

    def peek(self) -> str:
        """The next character that is no space, or "" at the end."""
        while True:
            rest = self._text[self._at : self._at + 64].lstrip()
            if rest:
                self._at = self._text.index(rest[0], self._at)
                return rest[0]
            if self._at + 64 < len(self._text):
                self._at += 64
            elif not self._more():
                return ""

    def value(self, number: int, errors: dict[int, str]) -> Any:
        """The next value. number: of its row. errors: gets the damages in it."""
        self.peek()
        try:
            value, end = self._decoded(_DECODER, number)
        except (KeyError, ValueError, RecursionError) as error:
            why, hint = _problem(error, _HINT)
            if not isinstance(error, KeyError):
                raise self._file.error(number, why, hint=hint, unit="row") from error
            self._file.put(errors, number, why, hint=hint, unit="row")
            value, end = self._decoded(json.JSONDecoder(), number)
        raw = self._text[self._at : end]
        self._at = end
        if self._damages and "\ufffd" in raw:
            errors[number] = self._damages[-1]
        return _whole(self._file, value, raw, number=number, errors=errors, unit="row")

    def _decoded(self, decoder: json.JSONDecoder, number: int) -> tuple[Any, int]:
        while True:
            try:
                value, end = decoder.raw_decode(self._text, self._at)
                if end < len(self._text) or isinstance(value, (str, list, dict)):
                    return value, end
                if not self._more():
                    return value, end
            except json.JSONDecodeError as error:
                cut = error.pos >= len(self._text) - _CUT or error.msg.startswith("Unterminated")
                if not cut or not self._more():
                    raise self._no_json(error.msg, error.pos) from error
            if len(self._text) - self._at > MOST_BYTES:
                raise too_long(f"{self._file.source}, row {number}", "the object")

    def _step(self, sign: str) -> None:
        if self.peek() != sign:
            raise self._no_json(f"Expecting '{sign}'")
        self._at += 1

    def _more(self) -> bool:
        """Read on: as much as is waiting, so that a long value is not parsed many times."""
        self._lines += self._text.count("\n", 0, self._at)
        parts, size = [self._text[self._at :]], 0
        while size <= len(parts[0]) and (piece := next(self._pieces, "")):
            parts.append(piece)
            size += len(piece)
        self._text, self._at = "".join(parts), 0
        return size > 0

    def _no_json(self, why: str, place: int | None = None) -> DataError:
        line = self._lines + self._text.count("\n", 0, self._at if place is None else place)
        return self._file.error(line, f"this is not JSON ({why})", hint=_HINT)


def _whole(
    file: TextFile, value: Any, raw: str, *, number: int, errors: dict[int, str], unit: str
) -> Any:
    """The value. If it holds half of a character, '?' takes its place, and that is an error."""
    if "\\u" in raw and not isinstance(
        value, DataError
    ):  # such an escape can stand for half of an emoji
        text = json.dumps(value, ensure_ascii=False)
        if why := half_character(text):
            file.put(errors, number, why, hint=HALF_HINT, unit=unit)
            return json.loads(text.encode("utf-8", "replace"))
    return value


def _problem(error: Exception, hint: str) -> tuple[str, str]:
    """What an error of json says, and what to do."""
    if isinstance(error, KeyError):
        why = f"the name '{error.args[0]}' stands twice in one object"
        return why, "Rename one of them, or delete it."
    why = first_line(error)
    if isinstance(error, json.JSONDecodeError):  # without its 'line 1'
        why = f"{error.msg}, at sign {error.pos + 1}"
    if why.startswith("Exceeds the limit"):
        why = f"a number has more than {sys.get_int_max_str_digits():,} digits"
        return why, "Write it as a string, in double quotes."
    return f"this is not JSON ({why})", hint
