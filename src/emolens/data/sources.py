"""Loads a Dataset by its name: from the catalogue, the Hub, a file or a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from emolens.data.checks import Note
from emolens.data.composed import Opener, renamed
from emolens.data.dataset import SEED, SHARES, SPLITS, TEST, TRAIN, Dataset
from emolens.data.labelled import Labelled, chosen_split
from emolens.data.namefiles import names_in
from emolens.data.origins import Origin, origin_of
from emolens.data.readers.columns import (
    Role,
    choice_notes,
    choose_column,
    has_labels,
    label_columns,
    usual_column,
)
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.table import Table
from emolens.data.splitnames import canonical
from emolens.data.targets.causes import NoLabelError
from emolens.data.targets.options import AS_WRITTEN, LabelOptions
from emolens.data.targets.rows import chosen_labels
from emolens.data.unlabelled import Texts
from emolens.errors import DataError, UsageError, nearest, some_of


@dataclass(frozen=True)
class SourceOptions:
    """How to read a source.

    text, label: column names. splits: for train, validation or test, its name in the source.
    shares: the sizes of train, validation and test, where one table is cut. limit: the largest
    number of rows per split. read: how to read its files. labels: how to read the labels.
    """

    text: str | None = None
    label: str | None = None
    splits: dict[str, str] = field(default_factory=dict)
    shares: tuple[float, float, float] = SHARES
    limit: int | None = None
    seed: int = SEED
    read: ReadOptions = AS_FOUND
    labels: LabelOptions = AS_WRITTEN

    def __post_init__(self) -> None:
        if not all(share > 0 for share in self.shares):
            raise UsageError(
                f"The shares {self.shares} leave a split without rows.",
                hint="Give three numbers above 0, such as 0.8, 0.1 and 0.1.",
            )
        if self.limit is not None and self.limit < 1:
            raise UsageError(
                f"A limit of {self.limit} leaves no rows.", hint="Give 1 or more, or no limit."
            )
        by_split = {canonical(name) or name: value for name, value in self.splits.items()}
        object.__setattr__(self, "splits", by_split)
        if unknown := sorted(set(by_split).difference(SPLITS)):
            raise UsageError(
                f"'{unknown[0]}' is not the name of a split.", hint=nearest(unknown[0], SPLITS)
            )


def load_dataset(spec: str | Path | Sequence[str | Path], **options: Any) -> Dataset:
    """Load labelled texts with the splits train, validation and test.

    spec: a name of the catalogue (`starter`), `owner/name[:config][@revision]` on the Hub, a file,
    a folder, a pattern (`data/part_*.csv`), or a list of files. options: the fields of
    SourceOptions, ReadOptions and LabelOptions. Splits that the source does not have are cut out of
    its training rows: at random with `seed`, with the shares of the classes, and with equal texts
    in the same split. Rows without a text or a label are left out; Dataset.blank counts those
    without a text. Dataset.notes says what was left out, guessed and not used. Raises DataError or
    HubError.
    """
    chosen = _source_options(options)
    with _opened(spec, chosen) as source:
        dataset = Dataset.from_tables(
            source.origin.name,
            source.tables,
            columns=source.columns,
            options=source.labels,
            shares=chosen.shares,
            seed=chosen.seed,
        )
    notes = (*source.notes, *dataset.notes)
    dataset = replace(dataset, notes=notes, commit=source.origin.commit)
    return dataset.limited(chosen.limit, seed=chosen.seed) if chosen.limit else dataset


def load_rows(
    spec: str | Path | Sequence[str | Path], split: str | None = None, **options: Any
) -> Labelled:
    """Load labelled rows to measure a model with: no split is cut out of them.

    The arguments are those of load_dataset. split: which rows: those of this split, or 'all';
    without it, those of test, or all rows if there is no test split. Raises DataError or HubError,
    and UsageError for a split that the source does not have.
    """
    chosen = _source_options(options)
    with _opened(spec, chosen) as source:
        given = source.tables
        try:
            rows = _rows_of(source, given, split)
        except NoLabelError:
            if split is not None or TEST not in given or len(given) == 1:
                raise
            rows = _rows_of(source, {s: of for s, of in given.items() if s != TEST}, None)
            note = Note("S01", f"No row of {TEST} has a label, so these rows are not used.")
            rows = replace(rows, notes=(note, *rows.notes))
    return replace(rows, notes=(*source.notes, *rows.notes))


def _rows_of(source: _Opened, tables: Mapping[str, Sequence[Table]], split: str | None) -> Labelled:
    name = source.origin.name
    of, chosen, about = chosen_split(name, tables, split)
    rows = Labelled.from_tables(
        name, chosen, columns=source.columns, options=source.labels, split=of
    )
    return replace(rows, notes=(*about, *rows.notes))


class _Opened(NamedTuple):
    """An open source with labels. columns: of the texts and the labels. labels: how to read them.

    notes: what is to be said about it, before its rows are read.
    """

    origin: Origin
    tables: Mapping[str, Sequence[Table]]
    columns: tuple[str, str]
    labels: LabelOptions
    notes: tuple[Note, ...]


@contextlib.contextmanager
def _opened(spec: str | Path | Sequence[str | Path], chosen: SourceOptions) -> Iterator[_Opened]:
    """The tables with labels that a spec stands for. They can be read inside of the block."""
    with contextlib.ExitStack() as files:
        origin = origin_of(spec, chosen.splits, Opener(files, chosen.read))
        columns, chosen_notes = _choose_columns(origin.tables, chosen)
        by_role: dict[Role, str] = {"text": columns[0], "label": columns[1]}
        tables, renamed_notes = _of_one_name(origin.tables, by_role)
        tables, unlabelled = _labelled(tables, columns[1])
        labels = replace(chosen.labels, strict=chosen.read.strict)
        perhaps = origin.names if labels.class_names is None else ()
        names = next(filter(None, (names_in(path, tables, columns[1]) for path in perhaps)), None)
        if names:
            labels = replace(labels, class_names=names.names)
        notes = (*origin.all_notes(names), *chosen_notes, *renamed_notes, *unlabelled)
        yield _Opened(origin, tables, columns, labels, notes)


def load_texts(spec: str | Path | Sequence[str | Path], **options: Any) -> Texts:
    """Load the texts of a source that has no labels. The arguments are those of load_dataset.

    Splits are not cut out of others: a table alone is called 'table'. Raises DataError or HubError.
    """
    chosen = _source_options(options)
    with contextlib.ExitStack() as files:
        origin = origin_of(spec, chosen.splits, Opener(files, chosen.read, labelled=False))
        first = origin.tables[TRAIN][0]
        text = choose_column(first, "text", chosen.text)
        alone = set(origin.tables) == {TRAIN}
        named, notes = _of_one_name(origin.tables, {"text": text})
        tables = {"table": named[TRAIN]} if alone else named
        if chosen.text is None:
            notes = [*choice_notes(first, "text", text), *notes]
        texts = Texts.from_tables(origin.name, tables, text=text, strict=chosen.read.strict)
    return replace(texts, notes=(*origin.all_notes(None), *notes, *texts.notes))


def _source_options(options: dict[str, Any]) -> SourceOptions:
    """The SourceOptions of these names and values, some of which belong into its `read`."""
    rest = dict(options)
    for name, usual in (("read", AS_FOUND), ("labels", AS_WRITTEN)):
        own = {f.name: rest.pop(f.name) for f in fields(usual) if f.name in rest}
        rest[name] = replace(rest.get(name, usual), **own)
    return SourceOptions(**rest)


def _choose_columns(
    tables: Mapping[str, Sequence[Table]], options: SourceOptions
) -> tuple[tuple[str, str], tuple[Note, ...]]:
    """The text and label columns, by the names that the first table has for them."""
    first, notes = tables[TRAIN][0], list[Note]()
    text = choose_column(first, "text", options.text)
    label = options.label
    if label is None:
        label, marked = chosen_labels(first, text)
        notes += marked
    if options.text is None:
        notes += choice_notes(first, "text", text)
    if options.label is None:
        notes += choice_notes(first, "label", label)
    label_columns(first, label)
    return (text, label), tuple(notes)


def _of_one_name(
    tables: Mapping[str, Sequence[Table]], columns: Mapping[Role, str]
) -> tuple[dict[str, Sequence[Table]], list[Note]]:
    """The tables, where these columns of all splits have the names of the training split.

    In another split they may stand in other columns with a usual name. Raises DataError for a table
    without texts.
    """
    named, notes = dict[str, Sequence[Table]](), list[Note]()
    for split, parts in tables.items():
        same = []
        for table in parts:
            names = {}
            for role, column in columns.items():
                lacking = not has_labels(table, column)
                if lacking and (other := usual_column(table, role)):
                    names[other] = column
                elif lacking and (role == "text" or split == TRAIN):
                    raise _without(table, role, column)
            if names:
                took = " and ".join(f"'{old}' for '{new}'" for old, new in names.items())
                sentence = f"{Path(table.origin).name} ({split}) has other columns: {took}."
                notes.append(Note("R05", sentence, "To use others, rename them in the file."))
            same.append(renamed(table, names) if names else table)
        named[split] = same
        every = list(dict.fromkeys(name for table in same for name in table.columns))
        if odd := [name for name in every if not all(table.gives(name) for table in same)]:
            text = f"Not all files of {split} have these columns: {some_of(odd)}."
            notes.append(Note("R05", text))
    return named, notes


def _without(table: Table, role: Role, column: str) -> DataError:
    if table.columns[0] == "1":
        return DataError(
            f"{table.origin} has no header, and the first file has one.",
            hint="Copy the header of the first file to the top of this one.",
        )
    return DataError(
        f"{table.origin} has no {role} column '{column}', as the first file has.",
        hint=f"Rename its column of {role}s to '{column}', or leave the file out. Its columns are:"
        f" {some_of(table.columns)}.",
    )


def _labelled(
    tables: Mapping[str, Sequence[Table]], label: str
) -> tuple[dict[str, Sequence[Table]], list[Note]]:
    """The tables without those that have no labels, such as the test file of a competition."""
    notes = []
    kept: dict[str, Sequence[Table]] = {}
    for split, parts in tables.items():
        without = [table for table in parts if not has_labels(table, label)]
        if labelled := [table for table in parts if has_labels(table, label)]:
            kept[split] = labelled
        for table in without:
            name, columns = Path(table.origin).name, some_of(table.columns)
            text = f"{name} ({split}) is left out: it has no column '{label}'. It has: {columns}."
            notes.append(Note("S01", text))
    return kept, notes
