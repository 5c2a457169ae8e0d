"""From a data set spec to a Dataset: catalogue names, Hub repositories, files and folders."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emolens.data.catalogue import CATALOGUE, bundled_folder
from emolens.data.dataset import SPLITS, TEST, TRAIN, VALIDATION, Dataset, Split, split_by_label
from emolens.data.files import LABEL_COLUMNS, RawTable, is_table, missing, read_table
from emolens.data.hub import hub_tables, saved_tables
from emolens.data.rows import TEXT_COLUMNS
from emolens.errors import DataError, UsageError, nearest
from emolens.labels import LabelSet

_SYNONYMS = {
    TRAIN: ("train", "training"),
    VALIDATION: ("validation", "valid", "val", "dev"),
    TEST: ("test", "testing"),
}
_SHARD = re.compile(r"-\d+(-of-\d+)?$")
_HUB_SPEC = re.compile(
    r"(?P<repo>[\w.-]+/[\w.-]+)(:(?P<config>[\w.+-]+))?(@(?P<revision>[\w./-]+))?"
)


@dataclass(frozen=True)
class SourceOptions:
    """How to read a source whose shape can't be told from itself.

    text, label: column names. splits: train, validation, test → what the source calls them.
    shares: how one table is cut into train, validation and test. limit: most rows a split.
    """

    text: str | None = None
    label: str | None = None
    splits: dict[str, str] = field(default_factory=dict)
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    limit: int | None = None
    seed: int = 42

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
                f"There is no split '{unknown[0]}' to name.", hint=nearest(unknown[0], SPLITS)
            )


def load_dataset(spec: str | Path, **options: Any) -> Dataset:
    """Load labelled texts with the splits train, validation and test.

    spec: a name of the catalogue (`starter`), `owner/name[:config][@revision]` on the Hub, or a
    file or folder. options: the fields of SourceOptions. What the source has not split is split
    by label, seeded, with equal texts on one side. Raises DataError or HubError.
    """
    chosen = SourceOptions(**options)
    name, raw = _raw_tables(str(spec), chosen)
    columns = _choose_columns(raw, chosen)
    labels = _label_set(raw, columns[1])
    splits = {split: _rows(tables, columns, labels) for split, tables in raw.items()}
    splits = _complete(name, splits, chosen)
    if absent := set(range(len(labels))) - set(splits[TRAIN].labels.tolist()):
        # Cutting a split out of train leaves a row of every class there; splits that the source
        # has cut may not.
        raise DataError(
            f"{name}: the training split has no row of: "
            f"{', '.join(labels.names[i] for i in sorted(absent))}.",
            hint="Add rows of it, or leave the class out.",
        )
    first = next(iter(raw.values()))[0]
    others = tuple(column for column in first.columns if column not in columns)
    dataset = Dataset(name, labels, splits, (*columns, *others))
    return dataset.limited(chosen.limit, seed=chosen.seed) if chosen.limit else dataset


def _raw_tables(spec: str, options: SourceOptions) -> tuple[str, dict[str, list[RawTable]]]:
    """The tables of a source by split; a source without splits gives train alone."""
    path = Path(spec).expanduser()
    if entry := CATALOGUE.get(spec):
        if entry.bundled:
            return spec, _folder(bundled_folder(entry), options)
        return entry.location, _hub(entry.location, options)
    if path.is_dir():
        return path.resolve().name, _folder(path, options)
    if path.exists() or is_table(path):
        return path.stem, {TRAIN: [read_table(path)]}
    # 'data/reviws' beside an existing folder 'data' is a slip of the pen; the Hub isn't asked.
    if _HUB_SPEC.fullmatch(spec) and not spec.startswith(".") and not path.parent.is_dir():
        return spec, _hub(spec, options)
    if "/" in spec or "\\" in spec or spec.startswith("."):
        raise missing(path)
    raise DataError(f"There is no data set '{spec}'.", hint=nearest(spec, CATALOGUE))


def _folder(folder: Path, options: SourceOptions) -> dict[str, list[RawTable]]:
    if (folder / "dataset_dict.json").is_file():
        return _by_split(saved_tables(folder), folder, options)
    for place in (folder, folder / "data"):
        files = sorted(
            path
            for path in place.glob("*")
            if path.is_file() and is_table(path) and not path.name.startswith(".")
        )
        splits = _files_by_split(files, options)
        if splits:
            _check_named(folder, splits, [path.stem for path in files], options)
            return {split: [read_table(path) for path in paths] for split, paths in splits.items()}
        if len(files) == 1:
            return {TRAIN: [read_table(files[0])]}
    names = ", ".join(sorted(path.name for path in folder.glob("*"))[:8]) or "nothing"
    raise DataError(
        f"{folder} has no files whose names tell their split.",
        hint=f"Name them train, validation and test (with .csv, .txt, …). There is: {names}.",
    )


def _files_by_split(files: list[Path], options: SourceOptions) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for split in SPLITS:
        wanted = options.splits.get(split)
        names = (wanted,) if wanted else _SYNONYMS[split]
        exact = [path for path in files if (path.stem if wanted else path.stem.lower()) in names]
        # 'train-00000-of-00002.parquet', as the Hub and its libraries write shards.
        shards = [path for path in files if _SHARD.sub("", path.stem.lower()) in names]
        worded = [path for path in files if set(_words(path)) & set(names)]
        paths = exact or shards or worded
        if len(paths) > 1 and paths is not shards:
            raise DataError(
                f"Several files may be the {split} split: {', '.join(p.name for p in paths)}.",
                hint=f'Name the one in the study: [data.splits] {split} = "{paths[0].stem}".',
            )
        if paths:
            found[split] = paths
    return found if TRAIN in found else {}


def _words(path: Path) -> list[str]:
    return re.split(r"[^a-z0-9]+", path.stem.lower())


def _check_named(
    origin: Path, found: Iterable[str], present: Iterable[str], options: SourceOptions
) -> None:
    """A split that was named must be there; cutting it out of train would hide the mistake."""
    for split, wanted in options.splits.items():
        if split not in found:
            raise DataError(
                f"{origin} has no '{wanted}' for the {split} split.", hint=nearest(wanted, present)
            )


def _hub(spec: str, options: SourceOptions) -> dict[str, list[RawTable]]:
    parts = _HUB_SPEC.fullmatch(spec)
    if parts is None:  # the callers have matched it, or hold it in the catalogue
        raise DataError(f"'{spec}' is no Hub name.", hint="It is owner/name[:config][@revision].")
    tables = hub_tables(parts["repo"], config=parts["config"], revision=parts["revision"])
    return _by_split(tables, Path(spec), options)


def _by_split(
    by_name: dict[str, RawTable], origin: Path, options: SourceOptions
) -> dict[str, list[RawTable]]:
    """The tables under emolens' own split names."""
    tables: dict[str, list[RawTable]] = {}
    for split in SPLITS:
        wanted = (options.splits[split],) if split in options.splits else _SYNONYMS[split]
        if name := next((name for name in wanted if name in by_name), None):
            tables[split] = [by_name[name]]
    if TRAIN not in tables:
        raise DataError(
            f"{origin} has no training split among: {', '.join(by_name)}.",
            hint='Name it in the study: [data.splits] train = "…".',
        )
    _check_named(origin, tables, by_name, options)
    return tables


def _choose_columns(raw: dict[str, list[RawTable]], options: SourceOptions) -> tuple[str, str]:
    table = raw[TRAIN][0]
    text = _column(table, "text", options.text, TEXT_COLUMNS)
    label = _column(table, "label", options.label, LABEL_COLUMNS)
    for other in (other for tables in raw.values() for other in tables):
        _column(other, "text", text, ())
        _column(other, "label", label, ())
    return text, label


def _column(table: RawTable, role: str, wanted: str | None, usual: Iterable[str]) -> str:
    present = list(table.columns)
    if wanted is not None:
        if wanted in present:
            return wanted
        raise DataError(
            f"{table.path} has no {role} column '{wanted}'.", hint=nearest(wanted, present)
        )
    by_lower = {name.lower(): name for name in reversed(present)}
    for name in usual:
        if name in by_lower:
            return by_lower[name]
    raise DataError(
        f"{table.path} has no column that looks like the {role}s.",
        hint=f"Name it with --{role}. Present: {', '.join(present)}.",
    )


def _label_set(raw: dict[str, list[RawTable]], column: str) -> LabelSet:
    """The classes of the training split, in the order of their ids where the source has ids."""
    names = {_class_of(table, column, row) for table in raw[TRAIN] for row in _range(table)}
    for table in raw[TRAIN]:
        if column in table.class_names:
            # A source may name classes that no row has; they can't be learned.
            return LabelSet(tuple(n for n in table.class_names[column] if n in names))
    if all(re.fullmatch(r"\d+", name) for name in names):
        return LabelSet(tuple(sorted(names, key=int)))
    return LabelSet.ordered(names)


def _range(table: RawTable) -> range:
    return range(len(table.lines))


def _class_of(table: RawTable, column: str, row: int) -> str:
    """The class name of a row; DataError where it has none or several."""
    value = table.columns[column][row]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or _is_nan(value) or not str(value).strip():
        raise DataError(
            f"{table.where(row)}: the row has no label.",
            hint=f"Fill the column '{column}' or delete the row.",
        )
    names = table.class_names.get(column)
    if names and isinstance(value, int):
        if 0 <= value < len(names):
            return names[value]
        raise DataError(
            f"{table.where(row)}: label {value} is outside the {len(names)} classes.",
            hint="An unlabelled test split has -1 there: take its rows or its file away.",
        )
    if isinstance(value, (list, tuple, dict)):
        raise DataError(
            f"{table.where(row)}: the row has several labels.",
            hint="emolens learns one class a row; choose another column with --label.",
        )
    return str(value).strip()


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _rows(tables: list[RawTable], columns: tuple[str, str], labels: LabelSet) -> Split:
    text_column, label_column = columns
    ids = {name: number for number, name in enumerate(labels.names)}
    texts: list[str] = []
    found: list[int] = []
    for table in tables:
        for row in _range(table):
            name = _class_of(table, label_column, row)
            if name not in ids:
                raise DataError(
                    f"{table.where(row)}: class '{name}' does not occur in the training split.",
                    hint=nearest(name, labels.names),
                )
            value = table.columns[text_column][row]
            if isinstance(value, bytes):
                raise DataError(
                    f"{table.where(row)}: the text is bytes that are not UTF-8.",
                    hint="Write the column as strings, or choose another one with --text.",
                )
            texts.append("" if value is None else str(value))
            found.append(ids[name])
    return Split(tuple(texts), np.array(found, dtype=np.int64))


def _complete(name: str, splits: dict[str, Split], options: SourceOptions) -> dict[str, Split]:
    """Cut the splits that the source lacks out of its training rows."""
    train_share, validation_share, test_share = options.shares
    absent = [split for split in (VALIDATION, TEST) if split not in splits]
    if absent:
        shares = (
            train_share,
            validation_share if VALIDATION in absent else 0.0,
            test_share if TEST in absent else 0.0,
        )
        cut = split_by_label(splits[TRAIN], shares, seed=options.seed)
        splits = {**splits, TRAIN: cut[TRAIN], **{split: cut[split] for split in absent}}
    for split in SPLITS:
        if not len(splits[split]):
            raise DataError(
                f"{name} has too few rows for a {split} split.",
                hint="Ten rows or more of every class are a start; give more rows.",
            )
    return {split: splits[split] for split in SPLITS}
