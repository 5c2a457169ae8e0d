"""Which files of a folder are train, validation and test. Opens none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

from emolens.data.checks import Note
from emolens.data.items import (
    LABEL_WORDS,
    ClassFile,
    ClassFolder,
    Item,
    Pair,
    classes_among,
    has_labels_beside_texts,
    is_lines,
    is_text_file,
    pairs_among,
    paths_of,
    visible,
)
from emolens.data.readers.endings import is_table, stem_of
from emolens.data.splitnames import (
    SPLITS,
    TRAIN,
    assigned,
    in_order,
    part_key,
    split_option,
    words_of,
)
from emolens.errors import DataError, nearest, some_of
from emolens.names import user_path

# Endings of files that may be tables, if they have the name of a split.
_PERHAPS = ("", ".data", ".dat", ".tab")
# The words of files that name classes, 'mapping.txt', and those beside them: 'id2label.json'.
_NAME_WORDS = {"mapping", "map", "category", "categories", "names", *LABEL_WORDS}
_BESIDE_NAMES = {"id", "ids", "to", "2", "list", "index", "name", "x", "y"}
_ASIDE = (["readme"], ["license"], ["licence"], ["citation"], ["changelog"], ["desktop"])
# Words of .json files that hold no rows.
_SETTINGS = {"config", "settings", "metadata", "info", "infos", "state", "schema", "package"}
_LARGEST_NAMES = 100_000  # bytes of a file that names classes


@dataclass(frozen=True)
class Piece:
    """What is one table, or the parts of one. name: what it is called. stem: its name in words."""

    name: str
    stem: str
    items: tuple[Item, ...]

    @property
    def paths(self) -> list[Path]:
        """Its files and folders."""
        return [path for item in self.items for path in paths_of(item)]

    @property
    def names(self) -> set[str]:
        """What a user may call it."""
        files = (name for path in self.paths for name in (path.name, stem_of(path)))
        return {self.name, self.stem, *files}


@dataclass(frozen=True)
class Layout:
    """The pieces by split. rest: other pieces. unused: all files and folders that are not read.

    names: a file that may name the classes.
    """

    splits: dict[str, list[Piece]]
    rest: list[Piece] = field(default_factory=list)
    unused: tuple[Path, ...] = ()
    names: Path | None = None
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
            return replace(deeper, unused=(*beside, *deeper.unused))
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
        splits[split] = [pieces[place] for place in places]
        if len(places) > 1:
            raise _several(split, splits[split])
        if split in chosen.loose:
            notes.append(used_as(splits[split][0].name, split))
    used = {place for places in chosen.places.values() for place in places}
    rest = [piece for place, piece in enumerate(pieces) if place not in used]
    if TRAIN not in splits and len(rest) > 1:
        rest = _class_files(rest) or _class_folders(rest) or rest
    if TRAIN not in splits and len(rest) == 1:
        splits[TRAIN] = rest
        if len(splits) > 1:
            notes.append(Note("S01", f"{rest[0].name} is used as the train split."))
        rest = []
    return _complete(Layout(splits, rest, notes=tuple(notes)), entries)


def _class_files(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces as one, if each of them is a file of texts that has the name of a class."""
    items = classes_among([path for piece in pieces for path in piece.paths])
    whole = len(items) == sum(len(piece.items) for piece in pieces)
    return [Piece("the files", "", tuple(items))] if whole else []


def _class_folders(pieces: Sequence[Piece]) -> list[Piece]:
    """The folders of classes, if no table beside them has labels of its own."""
    folders = [p for p in pieces if isinstance(p.items[0], (ClassFolder, ClassFile))]
    others = [item for piece in pieces if piece not in folders for item in piece.items]
    alone = all(isinstance(item, Path) and not has_labels_beside_texts(item) for item in others)
    return folders if alone else []


def _complete(layout: Layout, entries: Sequence[Path]) -> Layout:
    """With what is to be said about parts, and about files that are not used."""
    splits = {split: layout.splits[split] for split in SPLITS if split in layout.splits}
    pieces = {split: [item for p in of for item in p.items] for split, of in splits.items()}
    notes = [*layout.notes, *(note for s, items in pieces.items() for note in _parts(s, items))]
    used = {path for items in pieces.values() for item in items for path in paths_of(item)}
    unused = list(_unused(entries, used))
    names = next(filter(_may_name_classes, unused), None)
    left = tuple(path for path in unused if not _aside(path))
    return Layout(splits, layout.rest, left, names, tuple(notes))


def _wanted(folder: Path, entries: Sequence[Path], name: str, split: str) -> list[Piece]:
    """What the user calls a split: the name of a file or folder, or a pattern such as 'a*.csv'."""
    exact = user_path(folder / name)
    pairs = [_pair_piece(p) for p in pairs_among([path for path in entries if path.is_file()])[0]]
    if here := [piece for piece in pairs if exact in piece.paths]:
        return here
    if exact.exists() and (pieces := _one(exact)):
        return pieces
    candidates = [*pairs, *(piece for path in entries for piece in _one(path))]
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
        raise _several(split, hits)
    return hits


def _one(path: Path) -> list[Piece]:
    """The piece of one file or of one folder, whatever it is called."""
    if path.is_dir():
        items = items_in(path)
        return [Piece(path.name, path.name, tuple(items))] if items else []
    return [Piece(path.name, stem_of(path), (path,))] if _is_table(path) else []


def pieces_of(entries: Sequence[Path]) -> list[Piece]:
    """The pieces among files and folders: tables, pairs, folders of splits and of classes."""
    pairs, files = pairs_among([path for path in entries if path.is_file()])
    folders = [path for path in entries if path.is_dir()]
    pieces = [*map(_pair_piece, pairs), *_parts_of_tables(_tables(files))]
    named = [path for path in folders if assigned([path.name], exact=True).places]
    classes = classes_among([path for path in folders if path not in named])
    for path in named:
        pieces += _one(path)
    if classes:
        pieces.append(Piece("the folders", "", tuple(classes)))
    return pieces


def items_in(folder: Path) -> list[Item]:
    """All that a folder of one split holds: classes, pairs, or tables. DataError for doubles."""
    entries = visible(folder)
    pairs, files = pairs_among([path for path in entries if path.is_file()])
    if classes := [] if pairs else classes_among([*files, *filter(Path.is_dir, entries)]):
        return classes
    if pairs:
        return list(pairs)
    tables = sorted(_tables(files), key=lambda path: in_order(path.name))
    stems: dict[str, Path] = {}
    for path in tables:
        if (other := stems.setdefault(stem_of(path), path)) != path:
            raise DataError(
                f"{folder} holds the same table twice: {other.name}, {path.name}.",
                hint=f"Name one: {split_option(folder.name, f'{folder.name}/{other.name}')}",
            )
    inner = [path for path in entries if path.is_dir()]
    return list(tables) if tables or len(inner) != 1 else items_in(inner[0])


def _parts_of_tables(files: Iterable[Path]) -> Iterator[Piece]:
    """The tables; those whose names differ only in numbers are parts of one."""
    groups: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(files, key=lambda path: in_order(path.name)):
        stem = stem_of(path)
        ending = path.name.removeprefix(stem).lower()
        groups.setdefault((part_key(stem), ending), []).append(path)
    for (key, _), paths in groups.items():
        first = paths[0]
        name = first.name.replace(stem_of(first), key.replace("#", "*"), 1)
        yield Piece(name if len(paths) > 1 else first.name, stem_of(first), tuple(paths))


def beside(path: Path) -> tuple[Note, ...]:
    """What is to be said about files that seem to be other parts or splits of the same data set."""
    try:
        files = [other for other in visible(path.parent) if _is_table(other)]
    except DataError:  # the file may be read, but not its folder
        return ()
    pieces = list(_parts_of_tables(files))
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


def _tables(files: Iterable[Path]) -> list[Path]:
    """The files that hold tables. A .json file does if it is called like a split, or stands alone.

    Folders of data sets hold .json files with settings, too.
    """
    files = [path for path in files if _is_table(path) and not _aside(path)]
    tables = [path for path in files if path.suffix.lower() != ".json"]
    return [path for path in files if path in tables or not tables or assigned([path.stem]).places]


def _is_table(path: Path) -> bool:
    if is_table(path):
        return path.is_file()
    perhaps = path.suffix.lower() in _PERHAPS and path.is_file()
    return perhaps and bool(assigned([path.stem], exact=True).places)


def _aside(path: Path) -> bool:
    """Whether a file is no data by its name, so that nobody wonders why it is not read."""
    words = words_of(path.stem)
    settings = path.suffix.lower() == ".json" and not _SETTINGS.isdisjoint(words)
    return settings or path.suffix.lower() == ".md" or words[:1] in _ASIDE


def _may_name_classes(path: Path) -> bool:
    small = path.is_file() and path.stat().st_size <= _LARGEST_NAMES
    words = set(words_of(path.stem))
    named = bool(words & _NAME_WORDS) and words <= _NAME_WORDS | _BESIDE_NAMES
    return small and named and path.suffix in (".txt", ".tsv", ".csv", ".json")


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


def _pair_piece(pair: Pair) -> Piece:
    stem = stem_of(pair.texts)
    return Piece(pair.texts.name, stem, (pair,))


def _several(split: str, pieces: Sequence[Piece]) -> DataError:
    names = [piece.name for piece in pieces]
    hint = f"Name one: {split_option(split, names[0])}"
    endings = {path.suffix for piece in pieces for path in piece.paths}
    if len(endings) == 1 and (pattern := _pattern(names, pieces[0].paths[0].parent)):
        hint += f" Or read them as one table: {split_option(split, pattern)}"
    if _class_files(pieces):
        hint = (
            f"If each file is a class, put the files into a folder: {split}/joy.txt, for example."
        )
    return DataError(f"Several files may be the {split} split: {some_of(names)}.", hint=hint)


def _pattern(names: Sequence[str], folder: Path) -> str | None:
    """A pattern that matches these names and nothing else in the folder."""
    start = _common_start(names)
    end = _common_start([name[len(start) :][::-1] for name in names])[::-1]
    pattern = f"{start}*{end}"
    matched = {path.name for path in visible(folder) if fnmatchcase(path.name, pattern)}
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
        what = "files" if all(stem_of(item.path) == item.name for item in files) else "folders"
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
    return DataError(error, hint=f"There is: {names}. {hint}")
