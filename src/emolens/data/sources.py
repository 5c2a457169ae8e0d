"""Loads a Dataset by its name: from the catalogue, the Hub, a file or a folder."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from emolens.data.catalogue import CATALOGUE
from emolens.data.dataset import SEED, SHARES, SPLIT_NAMES, SPLITS, TRAIN, Dataset
from emolens.data.hub import hub_tables, saved_tables
from emolens.data.readers import AS_FOUND, is_table, missing, open_table, source_of
from emolens.data.readers.columns import choose_column
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.source import is_stream
from emolens.data.readers.table import Table
from emolens.errors import DataError, UsageError, nearest
from emolens.names import user_path

_SHARD = re.compile(r"-\d+(-of-\d+)?$")
_HUB_SPEC = re.compile(r"[\w.-]+/[\w.-]+(:[\w.+-]+)?(@[\w./-]+)?")


@dataclass(frozen=True)
class SourceOptions:
    """How to read a source.

    text, label: column names. splits: for train, validation or test, its name in the source.
    shares: the sizes of train, validation and test, where one table is cut. limit: the largest
    number of rows per split. read: how to read its files.
    """

    text: str | None = None
    label: str | None = None
    splits: dict[str, str] = field(default_factory=dict)
    shares: tuple[float, float, float] = SHARES
    limit: int | None = None
    seed: int = SEED
    read: ReadOptions = AS_FOUND

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


def load_dataset(spec: str | Path, **options: Any) -> Dataset:
    """Load labelled texts with the splits train, validation and test.

    spec: a name of the catalogue (`starter`), `owner/name[:config][@revision]` on the Hub, or a
    file or folder. options: the fields of SourceOptions and of ReadOptions. Splits that
    the source does not have are cut out of its training rows: at random with `seed`, with the
    shares of the classes, and with equal texts in the same split. Rows without a text are left out;
    Dataset.blank counts them. Raises DataError or HubError.
    """
    chosen = _source_options(options)
    with contextlib.ExitStack() as files:

        def opened(path: Path) -> Table:
            source = files.enter_context(source_of(path, chosen.read))
            return open_table(source, labelled=True, options=chosen.read)

        name, tables = _tables(str(spec), chosen, opened)
        text, label = _choose_columns(tables, chosen)
        dataset = Dataset.from_tables(
            name, tables, text=text, label=label, shares=chosen.shares, seed=chosen.seed
        )
    return dataset.limited(chosen.limit, seed=chosen.seed) if chosen.limit else dataset


def _source_options(options: dict[str, Any]) -> SourceOptions:
    """The SourceOptions of these names and values, some of which belong into its `read`."""
    of_read = {field.name for field in fields(ReadOptions)}
    read = {name: value for name, value in options.items() if name in of_read}
    chosen = SourceOptions(**{name: v for name, v in options.items() if name not in of_read})
    return replace(chosen, read=ReadOptions(**read)) if read else chosen


def _tables(
    spec: str, options: SourceOptions, opened: Callable[[Path], Table]
) -> tuple[str, dict[str, list[Table]]]:
    """The name of a source, and its tables by split; a source without splits has only train."""
    path = user_path(spec)
    if is_stream(spec):
        raise DataError(
            f"A data set can't come from a pipe ({spec}): it is read several times.",
            hint="Save it as a file, such as data.csv, and give the file.",
        )
    if entry := CATALOGUE.get(spec):
        if isinstance(entry.location, Path):
            return spec, _folder(entry.location, options, opened)
        return entry.location, _hub(entry.location, options)
    if path.is_dir():
        return path.resolve().name, _folder(path, options, opened)
    if path.exists() or is_table(path):
        _check_named(path, [TRAIN], [path.stem], options)
        return path.stem, {TRAIN: [opened(path)]}
    # If the folder 'data' exists, 'data/reviws' is a typing mistake and no name on the Hub.
    if _HUB_SPEC.fullmatch(spec) and not spec.startswith(".") and not path.parent.is_dir():
        return spec, _hub(spec, options)
    if "/" in spec or "\\" in spec or spec.startswith("."):
        raise missing(path)
    raise DataError(f"There is no data set '{spec}'.", hint=nearest(spec, CATALOGUE))


def _folder(
    folder: Path, options: SourceOptions, opened: Callable[[Path], Table]
) -> dict[str, list[Table]]:
    if (folder / "dataset_dict.json").is_file():
        return _by_split(saved_tables(folder), folder, options)
    for place in (folder, folder / "data"):
        files = sorted(
            path
            for path in place.glob("*")
            if path.is_file() and is_table(path) and not path.name.startswith(".")
        )
        splits = _files_by_split(files, options)
        if not splits and len(files) == 1:
            splits = {TRAIN: files}
        if splits:
            _check_named(folder, splits, [path.stem for path in files], options)
            return {split: list(map(opened, paths)) for split, paths in splits.items()}
    names = ", ".join(sorted(path.name for path in folder.glob("*"))[:8]) or "nothing"
    raise DataError(
        f"No file in {folder} has the name of a split.",
        hint=f"Name the files train, validation and test (.csv, .txt, …). There is: {names}.",
    )


def _files_by_split(files: list[Path], options: SourceOptions) -> dict[str, list[Path]]:
    by_split: dict[str, list[Path]] = {}
    for split in SPLITS:
        wanted = options.splits.get(split)
        names = (wanted,) if wanted else SPLIT_NAMES[split]
        exact = [path for path in files if (path.stem if wanted else path.stem.lower()) in names]
        # 'train-00000-of-00002.parquet', as the Hub and its libraries write shards.
        shards = [path for path in files if _SHARD.sub("", path.stem.lower()) in names]
        # 'my-test.csv'
        worded = [p for p in files if set(re.split(r"[^a-z0-9]+", p.stem.lower())) & set(names)]
        paths = exact or shards or worded
        if len(paths) > 1 and paths is not shards:
            raise DataError(
                f"Several files may be the {split} split: {', '.join(p.name for p in paths)}.",
                hint=f'In the study, write under [data.splits]: {split} = "{paths[0].stem}"',
            )
        if paths:
            by_split[split] = paths
    return by_split if TRAIN in by_split else {}


def _check_named(
    origin: Path, splits: Iterable[str], present: Iterable[str], options: SourceOptions
) -> None:
    """A named split must exist: cutting it out of train instead would hide the mistake."""
    for split, wanted in options.splits.items():
        if split not in splits:
            raise DataError(
                f"{origin} has no '{wanted}' for the {split} split.", hint=nearest(wanted, present)
            )


def _hub(spec: str, options: SourceOptions) -> dict[str, list[Table]]:
    name, _, revision = spec.partition("@")
    repo, _, config = name.partition(":")
    tables = hub_tables(repo, config=config or None, revision=revision or None)
    return _by_split(tables, Path(spec), options)


def _by_split(
    by_name: dict[str, Table], origin: Path, options: SourceOptions
) -> dict[str, list[Table]]:
    """The tables under the split names train, validation and test."""
    tables: dict[str, list[Table]] = {}
    for split in SPLITS:
        wanted = (options.splits[split],) if split in options.splits else SPLIT_NAMES[split]
        if name := next((name for name in wanted if name in by_name), None):
            tables[split] = [by_name[name]]
    if TRAIN not in tables:
        raise DataError(
            f"{origin} has no training split among: {', '.join(by_name)}.",
            hint=f'In the study, write under [data.splits]: train = "{next(iter(by_name), "")}"',
        )
    _check_named(origin, tables, by_name, options)
    return tables


def _choose_columns(tables: dict[str, list[Table]], options: SourceOptions) -> tuple[str, str]:
    """The text and label columns of the first table. Every other table must have them too."""
    first = tables[TRAIN][0]
    text = choose_column(first, "text", options.text)
    label = choose_column(first, "label", options.label)
    for other in (other for parts in tables.values() for other in parts):
        choose_column(other, "text", text)
        choose_column(other, "label", label)
    return text, label
