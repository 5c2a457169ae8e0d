"""Which files of a folder are train, validation and test. Opens none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType

from emolens.data.checks import Note
from emolens.data.items import (
    LABEL_WORDS,
    ClassFile,
    ClassFolder,
    Item,
    Pair,
    is_lines,
    is_text_file,
    pairs_among,
    paths_of,
    visible,
)
from emolens.data.pieces import (
    Piece,
    class_files,
    class_folders,
    is_aside,
    may_be_table,
    parts_of_tables,
    piece_of_pair,
    pieces_at,
    pieces_of,
)
from emolens.data.readers.endings import stem_of
from emolens.data.splitnames import (
    SPLITS,
    TEST,
    TRAIN,
    assigned,
    split_option,
    words_of,
)
from emolens.errors import DataError, nearest, some_of
from emolens.names import user_path
from emolens.shown import quoted

# The words of files that name classes, 'mapping.txt', and those beside them: 'id2label.json'.
_NAME_WORDS = {"mapping", "map", "category", "categories", "names", *LABEL_WORDS}
_BESIDE_NAMES = {"id", "ids", "to", "2", "list", "index", "name", "x", "y"}
_NAME_ENDINGS = (".txt", ".tsv", ".csv", ".json", ".yaml", ".yml")
_ABOUT_DATA = ("readme.md", "dataset_info.json", "dataset_infos.json")  # of data sets of the Hub
_LARGEST_NAMES = 100_000  # bytes of a file that names classes


@dataclass(frozen=True)
class Layout:
    """The pieces by split. rest: other pieces. unused: all files and folders that are not read.

    names: files that may name the classes, the likelier first.
    """

    splits: dict[str, list[Piece]]
    rest: list[Piece] = field(default_factory=list)
    unused: tuple[Path, ...] = ()
    names: tuple[Path, ...] = ()
    notes: tuple[Note, ...] = ()


def layout_of_folder(folder: Path, wanted: Mapping[str, str]) -> Layout:
    """The layout of a folder, or of the folder in it that holds the tables.

    wanted: for a split, its name in the folder. Raises DataError if nothing is for training.
    """
    entries = visible(folder)
    # The names that a user gives are looked for where the tables are.
    here = not wanted or any(user_path(folder / name).exists() for name in wanted.values())
    outer = layout_of(folder, entries, wanted if here or pieces_of(entries) else {})
    if TRAIN in outer.splits:
        return outer
    inner = [path for path in entries if path.is_dir()]
    places = [path for path in inner if path.name == "data"] or inner
    if len(places) == 1 and not outer.splits:
        deeper = layout_of(places[0], visible(places[0]), wanted)
        if TRAIN in deeper.splits:
            beside = [path for path in outer.unused if path != places[0]]
            names = (*deeper.names, *outer.names)
            return replace(deeper, unused=(*beside, *deeper.unused), names=names)
    raise _no_training(folder, outer)


def layout_of(folder: Path, entries: Sequence[Path], wanted: Mapping[str, str]) -> Layout:
    """The layout of these files and folders of a folder."""
    splits = {split: _wanted(folder, entries, name, split) for split, name in wanted.items()}
    taken = {path for pieces in splits.values() for piece in pieces for path in piece.paths}
    left = [path for path in entries if path not in taken and not _holds(path, taken)]
    pieces = pieces_of(left)
    chosen = assigned([piece.stem for piece in pieces], taken=splits)
    notes = []
    for split, places in chosen.places.items():
        named = [pieces[place] for place in places]
        splits[split] = (class_files(named) if len(named) > 1 else []) or named
        if split in chosen.loose:
            notes.append(used_as(splits[split][0].name, split))
    if several := {s: of for s, of in splits.items() if len(of) > 1 and s not in wanted}:
        raise _several(several, wanted)
    used = {place for places in chosen.places.values() for place in places}
    rest = [piece for place, piece in enumerate(pieces) if place not in used]
    if TRAIN not in splits and len(rest) > 1:
        rest = class_files(rest) or class_folders(rest) or rest
    if TRAIN not in splits and len(rest) == 1:
        splits[TRAIN] = rest
        if len(splits) > 1:
            notes.append(Note("S01", f"{rest[0].name} is used as the train split."))
        rest = []
    return _complete(Layout(splits, rest, notes=tuple(notes)), entries)


def _complete(layout: Layout, entries: Sequence[Path]) -> Layout:
    """With what is to be said about parts, and about files that are not used."""
    splits = {split: layout.splits[split] for split in SPLITS if split in layout.splits}
    pieces = {split: [item for p in of for item in p.items] for split, of in splits.items()}
    notes = [*layout.notes, *(note for s, items in pieces.items() for note in _parts(s, items))]
    used = {path for items in pieces.values() for item in items for path in paths_of(item)}
    unused = list(_unused(entries, used))
    names = sorted(filter(_may_name_classes, unused), key=_is_about_data)
    left = tuple(path for path in unused if not is_aside(path))
    return Layout(splits, layout.rest, left, tuple(names), tuple(notes))


def _wanted(folder: Path, entries: Sequence[Path], name: str, split: str) -> list[Piece]:
    """What the user calls a split: the name of a file or folder, or a pattern such as 'a*.csv'."""
    exact = user_path(folder / name)
    pairs = [piece_of_pair(p) for p in pairs_among([path for path in entries if path.is_file()])[0]]
    if here := [piece for piece in pairs if exact in piece.paths]:
        return here
    if exact.exists() and (pieces := pieces_at(exact)):
        return pieces
    candidates = [*pairs, *(piece for path in entries for piece in pieces_at(path))]
    for same in (
        lambda other: other == name,
        lambda other: other.lower() == name.lower(),
        lambda other: fnmatchcase(other, name),
    ):
        if hits := [piece for piece in candidates if any(map(same, piece.names))]:
            break
    else:
        known = {stem_of(path) for path in entries}
        raise DataError(
            f"{folder} has no '{name}' for the {split} split.", hint=nearest(name, known)
        )
    hits = [p for p in hits if isinstance(p.items[0], Pair)] or hits
    if len(hits) > 1 and not any(sign in name for sign in "*?["):
        raise _several({split: hits})
    return (class_files(hits) if len(hits) > 1 else []) or hits


def beside(path: Path) -> tuple[Note, ...]:
    """What is to be said about files that seem to be other parts or splits of the same data set."""
    try:
        files = [other for other in visible(path.parent) if may_be_table(other)]
    except DataError:  # the file may be read, but not its folder
        return ()
    pieces = list(parts_of_tables(files))
    own = next((place for place, piece in enumerate(pieces) if path in piece.items), None)
    if own is None:
        return ()
    if len(pieces[own].items) > 1:
        others, whole = pieces[own].paths, path.parent / pieces[own].name
        return (_not_read(path, others, f'To read all of them as one table, give "{whole}".'),)
    splits = assigned([piece.stem for piece in pieces]).places
    if splits.pop(TRAIN, None) == [own] and splits:
        others = [other for places in splits.values() for i in places for other in pieces[i].paths]
        return (
            _not_read(path, others, f'To read them as splits, give the folder "{path.parent}".'),
        )
    return ()


def _not_read(path: Path, others: Iterable[Path], hint: str) -> Note:
    names = some_of([other.name for other in others if other != path])
    return Note("S02", f"Beside {path.name}, these files are not read: {names}.", hint=hint)


def _may_name_classes(path: Path) -> bool:
    small = path.is_file() and path.stat().st_size <= _LARGEST_NAMES
    words = set(words_of(path.stem))
    named = bool(words & _NAME_WORDS) and words <= _NAME_WORDS | _BESIDE_NAMES
    return small and (_is_about_data(path) or (named and path.suffix in _NAME_ENDINGS))


def _is_about_data(path: Path) -> bool:
    return path.name.lower() in _ABOUT_DATA


def _unused(entries: Iterable[Path], used: set[Path]) -> Iterator[Path]:
    """What is not used; of a folder that is used in part, what it holds."""
    for path in entries:
        if path in used:
            inside = visible(path) if path.is_dir() else []
            yield from (other for other in inside if not is_text_file(other))
        elif _holds(path, used):
            yield from _unused(visible(path), used)
        else:
            yield path


def _holds(path: Path, used: Iterable[Path]) -> bool:
    """Whether a folder holds one of the files that are used."""
    return path.is_dir() and any(path in other.parents for other in used)


def _several(
    splits: Mapping[str, Sequence[Piece]], wanted: Mapping[str, str] = MappingProxyType({})
) -> DataError:
    """The error for splits with several tables. wanted: what the user says about other splits."""
    names = {split: [piece.name for piece in pieces] for split, pieces in splits.items()}
    given = [split_option(split, name) for split, name in wanted.items()]
    first = [split_option(split, of[0]) for split, of in names.items()]
    hint = f"Name one: {' '.join([*given, *first])}"
    patterns = {split: _pattern(pieces) for split, pieces in splits.items()}
    if all(patterns.values()):
        whole = [split_option(split, pattern or "") for split, pattern in patterns.items()]
        hint += f" Or read them as one table: {' '.join([*given, *whole])}"
    split = next(iter(names))
    return DataError(f"Several files may be the {split} split: {some_of(names[split])}.", hint=hint)


def _pattern(pieces: Sequence[Piece]) -> str | None:
    """A pattern that matches files of one format, and nothing else in their folder."""
    names = [piece.name for piece in pieces]
    if len({path.suffix for piece in pieces for path in piece.paths}) > 1:
        return None
    start = _common_start(names)
    end = _common_start([name[len(start) :][::-1] for name in names])[::-1]
    pattern = f"{start}*{end}"
    matched = {
        path.name for path in visible(pieces[0].paths[0].parent) if fnmatchcase(path.name, pattern)
    }
    return pattern if matched == set(names) else None


def _common_start(names: Sequence[str]) -> str:
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same)


def used_as(name: str, split: str) -> Note:
    """What is to be said about a name that may mean another split."""
    other = next(s for s in SPLITS[1:] if s != split)
    return Note(
        "S01",
        f"{name} is used as the {split} split.",
        hint=f"If it is another one: {split_option(other, name)}",
    )


def _parts(split: str, items: Sequence[Item]) -> list[Note]:
    """What is to be said about a split that is read from several files."""
    if isinstance(items[0], ClassFolder):
        names = some_of([item.path.name for item in items if isinstance(item, ClassFolder)])
        return [Note("S02", f"Each file is one text of {split}; the folders are classes: {names}.")]
    if isinstance(items[0], ClassFile):
        files = [item for item in items if isinstance(item, ClassFile)]
        names = some_of(list(dict.fromkeys(item.name for item in files)))
        each = "line" if all(is_lines(item.path) for item in files) else "row"
        what = "files" if all(item.name in stem_of(item.path) for item in files) else "folders"
        return [
            Note("S02", f"Each {each} is one text of {split}; the {what} are classes: {names}.")
        ]
    if isinstance(items[0], Pair):
        pair = items[0]
        text = f"The lines of {pair.texts.name} have their labels in {pair.labels.name}."
        return [Note("S02", text)]
    if len(items) > 1:
        names = some_of([path.name for item in items for path in paths_of(item)])
        return [Note("S02", f"{split} is read from {len(items)} files as one table: {names}.")]
    return []


def _has_training(folder: Path) -> bool:
    try:
        return folder.is_dir() and TRAIN in layout_of(folder, visible(folder), {}).splits
    except DataError:
        return False


def _no_training(folder: Path, layout: Layout) -> DataError:
    names = ", ".join(sorted(path.name for path in visible(folder))[:8]) or "nothing"
    error = f"No file in {folder} has the name of a split."
    hint = "Name the file to learn from 'train'."
    if layout.rest:
        hint = f"Name the one to learn from: {split_option(TRAIN, layout.rest[0].name)}"
    elif inner := [path for path in layout.unused if _has_training(path)]:
        hint = f'Give one of its folders, such as "{inner[0]}".'
    elif not layout.splits:
        error = f"There is no table in {folder}."
        hint = "Give a folder that holds tables, such as train.csv and test.csv."
    else:
        error = f"{folder} has no training split."
        piece = layout.splits.get(TEST) or next(iter(layout.splits.values()))
        file = quoted(folder / piece[0].name)
        hint += f" To score a model, give one file: --dataset {file}"
    return DataError(error, hint=f"There is: {names}. {hint}")
