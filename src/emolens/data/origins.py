"""What the name of a data set stands for: tables by split, from files, folders or the Hub."""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from emolens.data.catalogue import CATALOGUE
from emolens.data.checks import Note
from emolens.data.composed import Opener
from emolens.data.folders import Layout, beside, layout_of, layout_of_folder, used_as
from emolens.data.hub import hub_tables
from emolens.data.namefiles import NamesInFile
from emolens.data.readers.endings import is_table, stem_of
from emolens.data.readers.open import missing, tables_inside
from emolens.data.readers.source import is_stream
from emolens.data.readers.table import Table
from emolens.data.saved import is_saved, saved_tables
from emolens.data.splitcolumn import by_split_column
from emolens.data.splitnames import SPLITS, TRAIN, assigned, in_order, split_option
from emolens.errors import DataError, HubError, nearest, some_of
from emolens.names import user_path

_HUB_SPEC = re.compile(r"([\w.-]+/[\w.-]+)(?::([^:@/\\]+))?(?:@([\w./-]+))?")

_SWAPPED = re.compile(r"([\w./-]+)@([\w./-]+):([^:@/\\]+)")


class HubData(NamedTuple):
    """A data set on the Hub: owner/name, and its configuration and revision if they were given."""

    repo: str
    config: str | None
    revision: str | None


def hub_data(name: str) -> HubData | None:
    """What `owner/name:config@revision` stands for; None for other names.

    The name of a loaded data set has this form only if it came from the Hub.
    """
    match = _HUB_SPEC.fullmatch(name)
    return HubData(*match.groups()) if match else None


@dataclass(frozen=True)
class Origin:
    """What a spec stands for: a name, tables by split, and what is to be said about them.

    unused: what its folder holds beside them, by the name to say. names: files that may
    name the classes. commit: of a data set on the Hub.
    """

    name: str
    tables: Mapping[str, Sequence[Table]]
    notes: tuple[Note, ...] = ()
    unused: Mapping[Path, str] = field(default_factory=dict)
    names: tuple[Path, ...] = ()
    commit: str | None = None

    def all_notes(self, used: NamesInFile | None) -> tuple[Note, ...]:
        """The notes, with one about files that are not used. used: the file of class names."""
        unused = sorted(n for path, n in self.unused.items() if not used or path != used.path)
        left = (Note("S02", f"Not used: {some_of(unused)}."),) if unused else ()
        return (*self.notes, *left, *((used.note,) if used else ()))


def origin_of(
    spec: str | Path | Sequence[str | Path], splits: Mapping[str, str], opener: Opener
) -> Origin:
    """Find what a spec stands for.

    splits: for a split, its name in the source: a file, a folder, or a value of a column that says
    the split of each row. Raises DataError and HubError.
    """
    try:
        return _divided(_origin(spec, splits, opener), splits)
    except DataError as error:
        if not splits:
            raise
        try:
            whole = _origin(spec, {}, opener)
        except DataError:
            raise error from None
        if (by_value := _divided(whole, splits)) is whole:
            raise
        return by_value


def _origin(
    spec: str | Path | Sequence[str | Path], splits: Mapping[str, str], opener: Opener
) -> Origin:
    if not isinstance(spec, (str, Path)):
        return _several_files([user_path(path) for path in spec], splits, opener)
    path = user_path(spec)
    spec = str(spec)
    if is_stream(spec):
        raise DataError(
            f"A data set can't come from a pipe ({spec}): it is read several times.",
            hint="Save it as a file, such as data.csv, and give the file.",
        )
    short = spec if spec in CATALOGUE else re.split("[:@]", spec)[0]
    more = spec.removeprefix(short)
    if short in CATALOGUE and (not more or hub_data(f"{CATALOGUE[short].location}{more}")):
        return _of_catalogue(short, more, splits, opener)
    if path.is_dir():
        return _folder(path, splits, opener)
    if not path.exists() and (files := _matching(path)):
        return _several_files(files, splits, opener)
    if path.exists() or is_table(path):
        return _file(path, splits, opener)
    # If the folder 'data' exists, 'data/reviws' is a typing mistake and no name on the Hub.
    if hub_data(spec) and not spec.startswith(".") and not path.parent.is_dir():
        return _hub(spec, splits)
    if swapped := _SWAPPED.fullmatch(spec):
        name, revision, config = swapped.groups()
        hint = f"The configuration stands before the revision: {name}:{config}@{revision}"
        raise DataError(f"There is no data set '{spec}'.", hint=hint)
    if "/" in spec or "\\" in spec or spec.startswith("."):
        raise missing(path)
    raise DataError(f"There is no data set '{spec}'.", hint=nearest(spec, CATALOGUE))


def _of_catalogue(name: str, more: str, splits: Mapping[str, str], opener: Opener) -> Origin:
    """A data set of the catalogue. If a file or folder has the same name, that is said.

    more: the configuration and the revision of one on the Hub, ':config@revision', or "".
    """
    location = CATALOGUE[name].location
    there = Path(name).exists()
    text = f"'{name}' is {'the bundled data set' if isinstance(location, Path) else location} here,"
    text += " although there is a file or folder of this name."
    hint = f"For the file or folder, write ./{name}."
    if isinstance(location, Path):
        origin = replace(_folder(location, splits, opener), name=name)
    else:
        try:
            origin = _hub(location + more, splits)
        except HubError as error:
            raise HubError(
                str(error), hint=f"{hint if there else ''} {error.hint}".strip()
            ) from error
    notes = (Note("S02", text, hint=hint), *origin.notes) if there else origin.notes
    return replace(origin, notes=notes)


def _file(path: Path, splits: Mapping[str, str], opener: Opener) -> Origin:
    """One file. The splits that the user names are tables in it, or other files beside it."""
    inside = tables_inside(path, opener.read)
    named = set(splits.values()) <= set(inside) if splits else len(assigned([*inside]).places) > 1
    if inside and named:
        # Only those that are used will be opened.
        by_name = {n: map(replace(opener, read=read).open, [p]) for n, (p, read) in inside.items()}
        origin = _by_split(stem_of(path), by_name, path, splits)
        text = f"{path} holds several tables, which are used as {', '.join(origin.tables)}."
        return replace(origin, notes=(Note("S01", text), *origin.notes))
    if not splits:
        return Origin(stem_of(path), {TRAIN: [opener.open(path)]}, beside(path))
    if all((path.parent / name).is_file() for name in splits.values()):
        layout = layout_of(path.parent, [path], splits)
        return _laid_out(stem_of(path), layout, opener, path.parent)
    split, name = next(iter(splits.items()))
    raise _unnamed(path, split, name, [stem_of(path)])


def _matching(path: Path) -> list[Path]:
    """The files that a pattern such as data/part_*.csv matches."""
    if not any(sign in str(path) for sign in "*?["):
        return []
    # Not Path.glob: it would take the fixed part of the pattern for a folder of its own.
    names = glob.glob(str(path), recursive=True)  # noqa: PTH207
    return [Path(name) for name in names if Path(name).is_file()]


def _several_files(paths: Sequence[Path], splits: Mapping[str, str], opener: Opener) -> Origin:
    """Several files: splits if they are called so, and otherwise the parts of one table."""
    for path in paths:
        if not path.is_file():
            raise missing(path)
    paths = sorted(dict.fromkeys(paths), key=lambda path: in_order(str(path)))
    name = _name_of(paths[0].parent)
    layout = layout_of(paths[0].parent, paths, splits)
    if TRAIN not in layout.splits:
        if layout.splits:
            raise _unnamed(paths[0].parent, TRAIN, TRAIN, [path.name for path in paths])
        names = some_of([path.name for path in paths])
        text = f"{len(paths)} files are read as one table: {names}."
        return Origin(name, {TRAIN: list(map(opener.open, paths))}, (Note("S02", text),))
    return _laid_out(name, layout, opener, paths[0].parent)


def _name_of(folder: Path) -> str:
    """The name for reports. That of the home folder would be the user's."""
    folder = folder.resolve()
    with contextlib.suppress(RuntimeError):  # a user without a home folder
        if folder == Path.home().resolve():
            return "home"
    return folder.name


def _folder(folder: Path, splits: Mapping[str, str], opener: Opener) -> Origin:
    name = _name_of(folder)
    if is_saved(folder):
        return _by_split(name, saved_tables(folder, opener.open), folder, splits)
    return _laid_out(name, layout_of_folder(folder, splits), opener, folder)


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


def _divided(origin: Origin, splits: Mapping[str, str]) -> Origin:
    """If there is one table, and a column of it says the split of each row: the tables by split."""
    if set(origin.tables) == {TRAIN} and (parts := by_split_column(origin.tables[TRAIN], splits)):
        return replace(origin, tables=parts.tables, notes=(*origin.notes, *parts.notes))
    return origin


def _unnamed(origin: Path, split: str, name: str, present: Iterable[str]) -> DataError:
    """A named split must exist: cutting it out of train instead would hide the mistake."""
    return DataError(
        f"{origin} has no '{name}' for the {split} split.", hint=nearest(name, present)
    )


def _hub(spec: str, splits: Mapping[str, str]) -> Origin:
    data = hub_data(spec)
    assert data is not None  # noqa: S101 - for the type checker
    loaded = hub_tables(data.repo, config=data.config, revision=data.revision)
    by_name = {name: [table] for name, table in loaded.tables.items()}
    origin = _by_split(spec, by_name, Path(spec), splits)
    return replace(origin, notes=(loaded.note, *origin.notes), commit=loaded.commit)


def _by_split(
    name: str, by_name: Mapping[str, Iterable[Table]], origin: Path, splits: Mapping[str, str]
) -> Origin:
    """The tables under the split names train, validation and test."""
    for split, wanted in splits.items():
        if wanted not in by_name:
            raise _unnamed(origin, split, wanted, by_name)
    left = [name for name in by_name if name not in splits.values()]
    chosen = assigned(left, taken=splits)
    names = {**splits} | {split: left[places[0]] for split, places in chosen.places.items()}
    unused = [name for name in by_name if name not in names.values()]
    notes = [used_as(names[split], split) for split in chosen.loose]
    if TRAIN not in names:
        if len(unused) != 1:
            raise DataError(
                f"{origin} has no training split among: {', '.join(by_name)}.",
                hint=f"Name it: {split_option(TRAIN, next(iter(unused or by_name), ''))}",
            )
        names[TRAIN] = unused.pop()
        notes.append(Note("S01", f"{names[TRAIN]} is used as the train split."))
    if unused:
        notes.append(Note("S01", f"Not used: {some_of(unused)}."))
    tables = {split: list(by_name[names[split]]) for split in SPLITS if split in names}
    return Origin(name, tables, tuple(notes))
