"""Loads a Dataset by its name: from the catalogue, the Hub, a file or a folder."""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from emolens.data.catalogue import CATALOGUE
from emolens.data.checks import Note
from emolens.data.composed import Opener
from emolens.data.dataset import SEED, SHARES, SPLITS, TRAIN, Dataset
from emolens.data.folders import Layout, beside, layout_of, layout_of_folder, split_option
from emolens.data.hub import hub_tables
from emolens.data.namefiles import names_the_classes, said_of_names
from emolens.data.readers import AS_FOUND, is_table, missing
from emolens.data.readers.columns import LABEL_COLUMNS, choose_column, has_labels, label_columns
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import is_stream
from emolens.data.readers.table import Table
from emolens.data.saved import is_saved, saved_tables
from emolens.data.splitcolumn import by_split_column
from emolens.data.splitnames import assigned, in_order
from emolens.data.targets.options import AS_WRITTEN, LabelOptions
from emolens.data.targets.rows import marking_columns
from emolens.data.unlabelled import Texts
from emolens.errors import DataError, HubError, UsageError, nearest, some_of
from emolens.names import user_path

_HUB_SPEC = re.compile(r"[\w.-]+/[\w.-]+(:[\w.+-]+)?(@[\w./-]+)?")


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
        if unknown := sorted(set(self.splits).difference(SPLITS)):
            raise UsageError(
                f"'{unknown[0]}' is not the name of a split.", hint=nearest(unknown[0], SPLITS)
            )


@dataclass(frozen=True)
class Origin:
    """What a spec stands for: a name, tables by split, and what is to be said about them.

    unused: what its folder holds beside them, by the name to say. names: one of these files, which
    may name the classes.
    """

    name: str
    tables: Mapping[str, Sequence[Table]]
    notes: tuple[Note, ...] = ()
    unused: Mapping[Path, str] = field(default_factory=dict)
    names: Path | None = None

    def said(self, used: Path | None) -> tuple[Note, ...]:
        """The notes, with one about files that are not used. used: the file of class names."""
        unused = sorted(name for path, name in self.unused.items() if path != used)
        left = (Note("S02", f"Not used: {some_of(unused)}."),) if unused else ()
        return (*self.notes, *left, *((said_of_names(used),) if used else ()))


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
    with contextlib.ExitStack() as files:
        opener = Opener(files, chosen.read)
        origin = _by_column(_origin(spec, chosen, opener), chosen)
        columns, chosen_notes = _choose_columns(origin.tables, chosen)
        tables, unlabelled = _labelled(origin.tables, columns[1])
        labels = replace(chosen.labels, strict=chosen.read.strict)
        names = origin.names if labels.class_names is None else None
        if names and names_the_classes(names, tables, columns[1]):
            labels = replace(labels, class_names=str(names))
        else:
            names = None
        dataset = Dataset.from_tables(
            origin.name,
            tables,
            columns=columns,
            options=labels,
            shares=chosen.shares,
            seed=chosen.seed,
        )
    notes = (
        *origin.said(names),
        *chosen_notes,
        *unlabelled,
        *_cut(tables, chosen.seed),
        *dataset.notes,
    )
    dataset = replace(dataset, notes=notes)
    return dataset.limited(chosen.limit, seed=chosen.seed) if chosen.limit else dataset


def load_texts(spec: str | Path | Sequence[str | Path], **options: Any) -> Texts:
    """Load the texts of a source that has no labels. The arguments are those of load_dataset.

    Splits are not cut out of others: a table alone is called 'table'. Raises DataError or HubError.
    """
    chosen = _source_options(options)
    with contextlib.ExitStack() as files:
        origin = _origin(spec, chosen, Opener(files, chosen.read, labelled=False))
        first = origin.tables[TRAIN][0]
        text = choose_column(first, "text", chosen.text)
        alone = set(origin.tables) == {TRAIN}
        tables = {"table": origin.tables[TRAIN]} if alone else origin.tables
        texts = Texts.from_tables(origin.name, tables, text=text, strict=chosen.read.strict)
    return replace(texts, notes=(*origin.said(None), *texts.notes))


def _source_options(options: dict[str, Any]) -> SourceOptions:
    """The SourceOptions of these names and values, some of which belong into its `read`."""
    rest, parts = dict(options), dict[str, Any]()
    for name, part in (("read", ReadOptions), ("labels", LabelOptions)):
        own = {field.name for field in fields(part)} & set(rest)
        if name not in rest and own:
            parts[name] = part(**{key: rest[key] for key in own})
        if own and name in rest:
            parts[name] = replace(rest[name], **{key: rest[key] for key in own})
        rest = {key: value for key, value in rest.items() if key not in own}
    return SourceOptions(**(rest | parts))


def _origin(
    spec: str | Path | Sequence[str | Path], options: SourceOptions, opener: Opener
) -> Origin:
    if not isinstance(spec, (str, Path)):
        return _several_files([user_path(path) for path in spec], options, opener)
    path = user_path(spec)
    spec = str(spec)
    if is_stream(spec):
        raise DataError(
            f"A data set can't come from a pipe ({spec}): it is read several times.",
            hint="Save it as a file, such as data.csv, and give the file.",
        )
    if spec in CATALOGUE:
        return _of_catalogue(spec, options, opener)
    if path.is_dir():
        return _folder(path, options, opener)
    if not path.exists() and (files := _matching(path)):
        return _several_files(files, options, opener)
    if path.exists() or is_table(path):
        return _file(path, options, opener)
    # If the folder 'data' exists, 'data/reviws' is a typing mistake and no name on the Hub.
    if _HUB_SPEC.fullmatch(spec) and not spec.startswith(".") and not path.parent.is_dir():
        return _hub(spec, options)
    if "/" in spec or "\\" in spec or spec.startswith("."):
        raise missing(path)
    raise DataError(f"There is no data set '{spec}'.", hint=nearest(spec, CATALOGUE))


def _of_catalogue(name: str, options: SourceOptions, opener: Opener) -> Origin:
    """A data set of the catalogue. If a file or folder has the same name, that is said."""
    location = CATALOGUE[name].location
    there = Path(name).exists()
    text = f"'{name}' is {'the bundled data set' if isinstance(location, Path) else location} here,"
    text += " although there is a file or folder of this name."
    hint = f"For the file or folder, write ./{name}."
    if isinstance(location, Path):
        origin = replace(_folder(location, options, opener), name=name)
    else:
        try:
            origin = _hub(location, options)
        except HubError as error:
            raise HubError(
                str(error), hint=f"{hint if there else ''} {error.hint}".strip()
            ) from error
    notes = (Note("S02", text, hint=hint), *origin.notes) if there else origin.notes
    return replace(origin, notes=notes)


def _file(path: Path, options: SourceOptions, opener: Opener) -> Origin:
    """One file. The splits that the user names are values of a column, or other files beside it."""
    table = opener.open(path)
    if not options.splits or by_split_column([table], options.splits):
        return Origin(path.stem, {TRAIN: [table]}, beside(path))
    if all((path.parent / name).is_file() for name in options.splits.values()):
        layout = layout_of(path.parent, [path], options.splits)
        return _laid_out(path.stem, layout, opener, path.parent)
    split, name = next(iter(options.splits.items()))
    raise _unnamed(path, split, name, [path.stem])


def _matching(path: Path) -> list[Path]:
    """The files that a pattern such as data/part_*.csv matches."""
    if not any(sign in str(path) for sign in "*?["):
        return []
    # Not Path.glob: it would take the fixed part of the pattern for a folder of its own.
    names = glob.glob(str(path), recursive=True)  # noqa: PTH207
    return [Path(name) for name in names if Path(name).is_file()]


def _several_files(paths: Sequence[Path], options: SourceOptions, opener: Opener) -> Origin:
    """Several files: splits if they are called so, and otherwise the parts of one table."""
    for path in paths:
        if not path.is_file():
            raise missing(path)
    paths = sorted(dict.fromkeys(paths), key=lambda path: in_order(str(path)))
    name = paths[0].parent.resolve().name
    layout = layout_of(paths[0].parent, paths, options.splits)
    if TRAIN not in layout.splits:
        if layout.splits:
            raise _unnamed(paths[0].parent, TRAIN, TRAIN, [path.name for path in paths])
        names = some_of([path.name for path in paths])
        text = f"{len(paths)} files are read as one table: {names}."
        return Origin(name, {TRAIN: list(map(opener.open, paths))}, (Note("S02", text),))
    return _laid_out(name, layout, opener, paths[0].parent)


def _folder(folder: Path, options: SourceOptions, opener: Opener) -> Origin:
    name = folder.resolve().name
    if is_saved(folder):
        return _by_split(name, saved_tables(folder, opener.open), folder, options)
    return _laid_out(name, layout_of_folder(folder, options.splits), opener, folder)


def _laid_out(name: str, layout: Layout, opener: Opener, folder: Path) -> Origin:
    tables = {
        split: [opener.open(item) for piece in pieces for item in piece.items]
        for split, pieces in layout.splits.items()
    }
    unused = {path: _shown(path, folder) for path in layout.unused}
    return Origin(name, tables, layout.notes, unused, layout.names)


def _shown(path: Path, folder: Path) -> str:
    """The name of what a folder holds."""
    inside = path.relative_to(folder) if path.is_relative_to(folder) else path
    return inside.as_posix() + ("/" if path.is_dir() else "")


def _by_column(origin: Origin, options: SourceOptions) -> Origin:
    """If there is one table, and a column of it says the split of each row: the tables by split."""
    if set(origin.tables) == {TRAIN} and (
        parts := by_split_column(origin.tables[TRAIN], options.splits)
    ):
        return replace(origin, tables=parts.tables, notes=(*origin.notes, *parts.notes))
    return origin


def _unnamed(origin: Path, split: str, name: str, present: Iterable[str]) -> DataError:
    """A named split must exist: cutting it out of train instead would hide the mistake."""
    return DataError(
        f"{origin} has no '{name}' for the {split} split.", hint=nearest(name, present)
    )


def _hub(spec: str, options: SourceOptions) -> Origin:
    name, _, revision = spec.partition("@")
    repo, _, config = name.partition(":")
    tables = hub_tables(repo, config=config or None, revision=revision or None)
    return _by_split(spec, tables, Path(spec), options)


def _by_split(name: str, by_name: dict[str, Table], origin: Path, options: SourceOptions) -> Origin:
    """The tables under the split names train, validation and test."""
    for split, wanted in options.splits.items():
        if wanted not in by_name:
            raise _unnamed(origin, split, wanted, by_name)
    left = [name for name in by_name if name not in options.splits.values()]
    chosen = assigned(left, taken=options.splits)
    names = options.splits | {split: left[places[0]] for split, places in chosen.places.items()}
    if TRAIN not in names:
        raise DataError(
            f"{origin} has no training split among: {', '.join(by_name)}.",
            hint=f"Name it: {split_option(TRAIN, next(iter(by_name), ''))}",
        )
    unused = [name for name in by_name if name not in names.values()]
    notes = [Note("S01", f"Not used: {some_of(unused)}.")] if unused else []
    tables = {split: [by_name[names[split]]] for split in SPLITS if split in names}
    return Origin(name, tables, tuple(notes))


def _choose_columns(
    tables: Mapping[str, Sequence[Table]], options: SourceOptions
) -> tuple[tuple[str, str], tuple[Note, ...]]:
    """The text and label columns of the first table. Every other table must have the text column,
    and every table of train the label column.
    """
    first, notes = tables[TRAIN][0], list[Note]()
    text = choose_column(first, "text", options.text)
    try:
        label = choose_column(first, "label") if options.label is None else options.label
    except DataError:
        marking = marking_columns(first)
        if not marking:
            raise
        label = ",".join(marking)
        notes.append(
            Note(
                "L03",
                "No column has a usual name for labels, so the columns that hold 0 and 1 are taken"
                f" as one class each: {some_of(marking)}.",
                "To use another column, name it with --label.",
            )
        )
    for split, other in ((split, other) for split, parts in tables.items() for other in parts):
        choose_column(other, "text", text)
        if split == TRAIN or any(name.lower() in LABEL_COLUMNS for name in other.columns):
            label_columns(other, label)
    return (text, label), tuple(notes)


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


def _cut(tables: Mapping[str, Sequence[Table]], seed: int) -> list[Note]:
    """What is to be said about the splits that are cut out of train."""
    absent = [split for split in SPLITS if split not in tables]
    if not absent:
        return []
    verb = "are" if len(absent) > 1 else "is"
    text = f"{' and '.join(absent)} {verb} cut out of train at random, with seed {seed}."
    return [Note("S01", text)]
