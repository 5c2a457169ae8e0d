"""What of a folder makes one table: a file, its numbered parts, a pair, or files that are classes.

Knows which names are splits, and opens no table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emolens.data.items import (
    ClassFile,
    ClassFolder,
    Item,
    Pair,
    classes_among,
    has_labels_beside_texts,
    pairs_among,
    paths_of,
    visible,
)
from emolens.data.readers.endings import is_table, stem_of
from emolens.data.splitnames import (
    assigned,
    in_order,
    part_key,
    split_option,
    without_split,
    words_of,
)
from emolens.errors import DataError

# Endings of files that may be tables, if they have the name of a split.
_PERHAPS = ("", ".data", ".dat", ".tab")
_ASIDE = (["readme"], ["license"], ["licence"], ["citation"], ["changelog"], ["desktop"])
# Words of .json files that hold no rows.
_SETTINGS = {"config", "settings", "metadata", "info", "infos", "state", "schema", "package"}


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


def pieces_of(entries: Sequence[Path]) -> list[Piece]:
    """The pieces among files and folders: tables, pairs, folders of splits and of classes."""
    pairs, files = pairs_among([path for path in entries if path.is_file()])
    folders = [path for path in entries if path.is_dir()]
    pieces = [*map(piece_of_pair, pairs), *parts_of_tables(_tables(files))]
    named = [path for path in folders if assigned([path.name], exact=True).places]
    classes = classes_among([path for path in folders if path not in named])
    for path in named:
        pieces += pieces_at(path)
    if classes:
        pieces.append(Piece("the folders", "", tuple(classes)))
    return pieces


def class_files(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces as one, if each of them is a file of texts that has the name of a class.

    The name of a split is no part of the name of a class: 'train_joy.csv' is joy.
    """
    items = classes_among([path for piece in pieces for path in piece.paths])
    whole = len(items) == sum(len(piece.items) for piece in pieces)
    classes = [
        replace(item, name=without_split(item.name)) if isinstance(item, ClassFile) else item
        for item in items
    ]
    return [Piece("the files", "", tuple(classes))] if whole else []


def class_folders(pieces: Sequence[Piece]) -> list[Piece]:
    """The folders of classes, if no table beside them has labels of its own."""
    folders = [p for p in pieces if isinstance(p.items[0], (ClassFolder, ClassFile))]
    others = [item for piece in pieces if piece not in folders for item in piece.items]
    alone = all(isinstance(item, Path) and not has_labels_beside_texts(item) for item in others)
    return folders if alone else []


def pieces_at(path: Path) -> list[Piece]:
    """The piece of one file or of one folder, whatever it is called."""
    if path.is_dir():
        items = items_in(path)
        return [Piece(path.name, path.name, tuple(items))] if items else []
    return [Piece(path.name, stem_of(path), (path,))] if may_be_table(path) else []


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


def parts_of_tables(files: Iterable[Path]) -> Iterator[Piece]:
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


def _tables(files: Iterable[Path]) -> list[Path]:
    """The files that hold tables. A .json file does if it is called like a split, or stands alone.

    Folders of data sets hold .json files with settings, too.
    """
    files = [path for path in files if may_be_table(path) and not is_aside(path)]
    tables = [path for path in files if path.suffix.lower() != ".json"]
    return [path for path in files if path in tables or not tables or assigned([path.stem]).places]


def may_be_table(path: Path) -> bool:
    """Whether a file is a table by its ending, or by a name such as 'train'."""
    if is_table(path):
        return path.is_file()
    perhaps = path.suffix.lower() in _PERHAPS and path.is_file()
    return perhaps and bool(assigned([path.stem], exact=True).places)


def is_aside(path: Path) -> bool:
    """Whether a file is no data by its name, so that nobody wonders why it is not read."""
    words = words_of(path.stem)
    settings = path.suffix.lower() == ".json" and not _SETTINGS.isdisjoint(words)
    return settings or path.suffix.lower() == ".md" or words[:1] in _ASIDE


def piece_of_pair(pair: Pair) -> Piece:
    """The piece of a file of texts and one of labels."""
    stem = stem_of(pair.texts)
    return Piece(pair.texts.name, stem, (pair,))
