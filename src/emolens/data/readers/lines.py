"""Text files: one text per line, 'text;label' lines, lines of fastText or of VW, or a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from emolens.data.checks import Note
from emolens.data.readers.columns import any_usual
from emolens.data.readers.delimited import delimited_table, first_lines
from emolens.data.readers.dialect import NO_DELIMITER, Found, delimiter_option, find_dialect, shown
from emolens.data.readers.encoding import text_file
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import Chunk, Row, Table, chunked
from emolens.data.readers.text import TextFile
from emolens.data.readers.wrapped import is_drawn
from emolens.errors import DataError

_TAGS = re.compile(r"(?:^|(?<=\s))__label__(\S+?)(?:\s*,)?(?:\s+|$)")
# A label, perhaps weights and a tag, and the words of a namespace: "2 1.0 'tag|text so glad".
_NAMESPACE = re.compile(
    r"\s*(-?\d+(?:\.\d+)?)(\s[^|]*)?\|([A-Za-z_]\w*)?[ \t]+([^|]*)(\|(?=\w).*)?", re.DOTALL
)

# Takes a file, its first lines, and what the likeliest dialect makes of them.
_Otherwise = Callable[[TextFile, Sequence[str], Found | None, ReadOptions], Table]


def open_unlabelled_text(source: Source, options: ReadOptions) -> Table:
    """A table with tabs or with a header; otherwise one text per line."""
    return _opened(source, options, _unlabelled)


def open_labelled_text(source: Source, options: ReadOptions) -> Table:
    """`text;label` lines, or a table."""
    return _opened(source, options, _labelled)


def _opened(source: Source, options: ReadOptions, otherwise: _Otherwise) -> Table:
    file = text_file(source, options)
    lines = [line for line in first_lines(file) if line.strip()]
    found = find_dialect(lines, None) if lines else None
    return _recognised(file, lines, found, options) or otherwise(file, lines, found, options)


def _unlabelled(
    file: TextFile, _: Sequence[str], found: Found | None, options: ReadOptions
) -> Table:
    notes: tuple[Note, ...] = ()
    if not options.delimiter and found and found.is_exact and found.dialect.delimiter not in ",;":
        sign = shown(found.dialect.delimiter)
        text = f"Each line of {file.source} is read as one text, although {sign} stands in each"
        notes += (
            Note(
                "R03", f"{text} of them.", f"If it stands between columns, add --delimiter {sign}."
            ),
        )
    return _texts(file, options, notes)


def _labelled(
    file: TextFile, lines: Sequence[str], found: Found | None, options: ReadOptions
) -> Table:
    if not all(";" in line for line in lines):
        if found and found.is_exact:
            table = delimited_table(file, options)
            text = f"The lines of {file.source} are cut at {shown(found.dialect.delimiter)}."
            note = Note("R03", text, "If each line is one text, add --delimiter none.")
            return replace(table, notes=(*table.notes, note))
        if not any(";" in line for line in lines):
            raise DataError(
                f"{file.source}, line 1: there is no ';' between a text and its label.",
                hint="If the label stands after another sign, name it: --delimiter tab.",
            )
    return _labelled_lines(file, options, None)


def open_texts(source: Source, options: ReadOptions) -> Table:
    """One text per line. An empty line is an empty text, so that rows keep their line numbers."""
    return _texts(text_file(source, options), options)


def _texts(file: TextFile, options: ReadOptions, notes: tuple[Note, ...] = ()) -> Table:
    skipped = options.skip_rows + (options.header is True)
    return _table(
        file,
        ("text",),
        lambda line, *_: {"text": line.removesuffix("\n")},
        skipped=skipped,
        notes=notes,
    )


def _recognised(
    file: TextFile, lines: Sequence[str], found: Found | None, options: ReadOptions
) -> Table | None:
    """The table of lines that are no plain texts, with labels or without; None for others."""
    if options.delimiter:
        sign = delimiter_option(options.delimiter)
        return None if sign == NO_DELIMITER else delimited_table(file, options)
    if not lines or found is None:
        return None
    if table := _of_tool(file, lines, options):
        return table
    sign = found.dialect.delimiter
    columns = is_drawn(lines) or sign == " " or (sign == "\t" and found.is_exact and len(lines) > 1)
    if columns or any(
        _names_texts(lines[0], each) for each in ("\t", ",", "|", sign) if each != ";"
    ):
        return delimited_table(file, options)
    header = _header(lines[0])
    if header and options.header is not False:
        return _labelled_lines(file, options, header)
    return None


def _names_texts(line: str, sign: str) -> bool:
    """Whether a line is a header: more than one name, and one of them is usual for texts."""
    names = [name.strip().strip('"') for name in line.split(sign)]
    return len(names) > 1 and all(names) and any_usual(names, "text")


def _of_tool(file: TextFile, lines: Sequence[str], options: ReadOptions) -> Table | None:
    """The table of lines as fastText and Vowpal Wabbit read them; None for others."""
    if sum(map(bool, map(_TAGS.search, lines))) > 0.9 * len(lines):
        return _tagged_lines(file, options)
    return _vw_lines(file, lines, options) if _are_of_vw(lines) else None


def _tagged_lines(file: TextFile, options: ReadOptions) -> Table:
    """The lines of fastText: labels that begin with '__label__', mostly before the text."""

    def row(line: str, *_: object) -> Row:
        labels = _TAGS.findall(line)
        text = _TAGS.sub("", line).rstrip() if labels else line.removesuffix("\n")
        return {"text": text, "label": labels[0] if len(labels) == 1 else labels or ""}

    note = Note("R01", f"{file.source} has the lines of fastText: '__label__' begins each label.")
    return _table(file, ("text", "label"), row, skipped=options.skip_rows, notes=(note,))


def _are_of_vw(lines: Sequence[str]) -> bool:
    """Whether lines are those of Vowpal Wabbit: few labels, and the same namespace in all lines."""
    matches = list(filter(None, map(_NAMESPACE.fullmatch, lines)))
    alike = len(matches) > 0.9 * len(lines) and len({match[3] for match in matches}) == 1
    is_header = not _NAMESPACE.fullmatch(lines[0])
    return alike and not is_header and len({match[1] for match in matches}) < len(lines)


def _vw_lines(file: TextFile, lines: Sequence[str], options: ReadOptions) -> Table:
    """The lines of Vowpal Wabbit: the label, and the words of the first namespace."""

    def row(line: str, *_: object) -> Row:
        match = _NAMESPACE.fullmatch(line)
        text = (match[4] if match else line).rstrip()
        return {"text": text, "label": match[1] if match else ""}

    matches = filter(None, map(_NAMESPACE.fullmatch, lines))
    more = any((match[2] or "").strip() or match[5] for match in matches)
    sentence = (
        f"{file.source} has the lines of Vowpal Wabbit: a label, and a text behind the first |."
    )
    if more:
        sentence += " Weights, tags and other namespaces are not read."
    note = Note("R01", sentence, "For a table with | between its columns, add --delimiter pipe.")
    return _table(file, ("text", "label"), row, skipped=options.skip_rows, notes=(note,))


def _labelled_lines(file: TextFile, options: ReadOptions, header: tuple[str, str] | None) -> Table:
    """Each line is cut at its last semicolon, because a text may hold others. Blank lines are
    skipped."""
    columns = header or ("text", "label")

    def row(line: str, number: int, errors: dict[int, str]) -> Row | None:
        if not line.strip():
            return None
        text, semicolon, label = line.rpartition(";")
        if not semicolon:
            why = "there is no ';' between a text and its label"
            file.put(errors, number, why, hint="Correct this line, or leave out --strict.")
            text = line.removesuffix("\n")
            label = ""
        return {columns[0]: text, columns[1]: label.strip()}

    skipped = options.skip_rows + (header is not None or options.header is True)
    return _table(file, columns, row, skipped=skipped)


def _table(
    file: TextFile,
    columns: Sequence[str],
    row: Callable[[str, int, dict[int, str]], Row | None],
    *,
    skipped: int = 0,
    notes: tuple[Note, ...] = (),
) -> Table:
    """A table with a row per line.

    row: takes a line, its number and the errors, and gives None for no row. skipped: how many
    rows are left out at the start.
    """

    def read(_: Sequence[str]) -> Iterator[Chunk]:
        errors: dict[int, str] = {}
        numbered = enumerate(file.lines(errors), start=1)
        rows = ((n, values) for n, line in numbered if (values := row(line, n, errors)) is not None)
        return chunked(islice(rows, skipped, None), errors)

    return Table(
        file.source.name,
        tuple(columns),
        read,
        unit="line",
        notes=(*file.notes, *notes),
        needs_mark=file.needs_mark,
    )


def _header(line: str) -> tuple[str, str] | None:
    text, _, label = (part.strip() for part in line.rpartition(";"))
    return (text or "text", label) if any_usual([label], "label") else None
