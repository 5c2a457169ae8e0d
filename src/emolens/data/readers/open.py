"""Opens tables of any format, a few rows at a time, for learning, encoding and predicting.

A new format needs a function that opens it, and one line in FORMATS. Loads nothing heavy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from emolens.data.readers.arrow import open_arrow, open_parquet
from emolens.data.readers.delimited import open_delimited
from emolens.data.readers.endings import ENDINGS, PACKED, is_table, stem_of
from emolens.data.readers.excel import open_workbook, sheet_names
from emolens.data.readers.json_tables import open_json, open_json_lines
from emolens.data.readers.kinds import recognised
from emolens.data.readers.lines import open_labelled_text, open_unlabelled_text
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.source import Source, copy_of, is_stream
from emolens.data.readers.table import Chunk, Table
from emolens.data.readers.unpack import split_member, tables_in_zip, unpacked
from emolens.errors import DataError, UsageError, nearest, some_of
from emolens.names import user_path

_WORKBOOKS = ("xlsx", "xls", "xlsb", "ods")
FORMATS: dict[str, Callable[[Source, ReadOptions], Table]] = {
    "csv": open_delimited,
    "tsv": open_delimited,
    "txt": open_labelled_text,
    "json": open_json,
    "jsonl": open_json_lines,
    "parquet": open_parquet,
    "arrow": open_arrow,
    **dict.fromkeys(_WORKBOOKS, open_workbook),
}
# A .txt file without labels is read in another way.
_WITHOUT_LABELS = {"txt": open_unlabelled_text}


@contextlib.contextmanager
def source_of(given: str | Path | Source, options: ReadOptions = AS_FOUND) -> Iterator[Source]:
    """The file to read for what a user gave: a path, or '-' for stdin.

    What can be read only once (stdin, a pipe) is copied to a temporary file first, and a compressed
    file is unpacked into one; it is removed after the block. Raises UsageError and DataError.
    """
    if isinstance(given, Source):
        yield given
        return
    path, member = user_path(given), None
    wanted = _format(options.file_format) if options.file_format else None
    with contextlib.ExitStack() as files:
        if is_stream(given):
            source = files.enter_context(copy_of(given))
        elif path.is_dir():
            raise _folder(path)
        else:
            archive, member = split_member(path)
            with _system_errors(path):
                source = Source.of(archive)
        with _system_errors(path):
            source = recognised(source, wanted)
        if member is not None and source.format != "zip":
            raise missing(path)
        if source.format in PACKED.values():
            source = recognised(files.enter_context(unpacked(source, member)), wanted)
        if source.format in PACKED.values():
            raise DataError(
                f"{source} is compressed twice.", hint="Unpack it once, and give that file."
            )
        yield source


def tables_inside(path: Path, options: ReadOptions) -> dict[str, tuple[Path, ReadOptions]]:
    """The sheets of a workbook, or the tables of a zip: by name, what opens them.

    Empty for other files, and if the user names a sheet. Raises DataError.
    """
    if not path.is_file():
        return {}
    with _system_errors(path):
        source = recognised(Source.of(path), None)
    if source.format == "zip":
        members = tables_in_zip(source)
        inside = {stem_of(Path(member)): (path / member, options) for member in members}
        return inside if len(inside) == len(members) else {}
    if source.format in _WORKBOOKS and options.sheet is None:
        return {name: (path, replace(options, sheet=name)) for name in sheet_names(source)}
    return {}


def open_table(source: Source, *, labelled: bool, options: ReadOptions = AS_FOUND) -> Table:
    """The table of a source.

    labelled: whether the rows have labels. Then a .txt file holds 'text;label' lines; otherwise it
    holds one text per line. Raises DataError, also later, while the rows are read. A file that has
    changed since then is an error, too.
    """
    openers = FORMATS if labelled else FORMATS | _WITHOUT_LABELS
    with _system_errors(source.path), source.unchanged():
        table = openers[source.format](source, options)
    if not table.columns:
        raise _no_rows(source)
    notes = (*source.notes, *table.notes)
    read = partial(_some_rows, source, table, strict=options.strict)
    return replace(table, read=read, notes=notes)


def _format(name: str) -> str:
    """The format that a user names, by an ending with or without its dot."""
    file_format = ENDINGS.get(f".{name.lower().lstrip('.')}")
    if file_format is None:
        raise UsageError(
            f"There is no format '{name}'.", hint=nearest(name, [e[1:] for e in ENDINGS])
        )
    return file_format


def missing(path: Path) -> DataError:
    """The error for a path that does not exist; the hint names the files beside it."""
    beside = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
    names = ", ".join(beside[:6]) + (", …" if len(beside) > 6 else "")
    folder = "This folder" if path.parent == Path() else str(path.parent)
    return DataError(
        f"There is no file or folder {path}.",
        hint=f"{folder} holds: {names}." if names else "Check the path.",
    )


def _folder(path: Path) -> DataError:
    names = sorted(str(file) for file in path.glob("*") if is_table(file) and file.is_file())
    return DataError(
        f"{path} is a folder, and a table is a file.",
        hint=f"Give one of its tables: {some_of(names)}"
        if names
        else f"It holds no table. Give a file whose name ends with {', '.join(ENDINGS)}.",
    )


@contextlib.contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise DataError(
            f"{path} can't be read: {error.strerror or error}.",
            hint="Check the path and the permissions of the file.",
        ) from error


def _some_rows(
    source: Source, table: Table, columns: Sequence[str], *, strict: bool
) -> Iterator[Chunk]:
    empty = True
    with _system_errors(source.path), source.unchanged():
        for chunk in table.read(columns):
            source.check()  # before the caller uses rows of a file that has changed
            empty = False
            yield _without_headers(table, chunk, strict=strict)
    if empty:
        raise _no_rows(source)


def _without_headers(table: Table, chunk: Chunk, *, strict: bool) -> Chunk:
    """The rows, where those that repeat the header have an error: several files were joined.

    A table of one column is not looked at: a text may be its name. Neither are typed columns.
    """
    if len(table.columns) < 2 or chunk.batch is not None:
        return chunk
    first, title = table.columns[0], table.titles[0]
    header = dict(zip(table.columns, table.titles, strict=True))
    rows = enumerate(chunk.rows)
    repeated = [place for place, row in rows if row.get(first) == title and row == header]
    if not repeated:
        return chunk
    number, why = chunk.numbers[repeated[0]], "the row repeats the names of the columns"
    if strict:
        raise DataError(
            f"{table.where(number)}: {why}.", hint="Delete this row, or leave out --strict."
        )
    errors = {place: f"{table.unit} {chunk.numbers[place]}: {why}" for place in repeated}
    return replace(chunk, errors={**chunk.errors, **errors})


def _no_rows(source: Source) -> DataError:
    return DataError(f"{source} holds no rows.", hint="Check how the file was made.")
