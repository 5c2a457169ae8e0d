"""What stands in a folder for one table: a file, a file of texts and one of labels, or a class.

Looks at the first lines of files; reads none of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emolens.data.readers.columns import LABEL_COLUMNS, TEXT_COLUMNS, any_usual
from emolens.data.readers.endings import PACKED, is_table, stem_of
from emolens.data.readers.open import open_table, source_of
from emolens.data.splitnames import assigned, in_order, part_key, words_of
from emolens.errors import DataError

_LINES = (".txt", ".text", ".label", ".labels", "")
_DELIMITED = (".csv", ".tsv")
_TEXT_WORDS = ("text", "texts", "sentence", "sentences", "tweet", "tweets", "input", "inputs", "x")
LABEL_WORDS = ("label", "labels", "target", "targets", "y", "class", "classes", "gold",
                "emotion", "emotions")  # fmt: skip

# What systems and programs put beside the data, such as locks of Excel; and folders of copies.
_ASIDE = re.compile(r"\.|__|~\$|thumbs\.db")
_COPY = re.compile(r".*(\.bak|\.tmp|~)$")
_UNLABELLED = ("unsup", "unlabeled", "unlabelled", "unknown")  # folders that are no class
_NUMBERS = ("id", "idx", "index", "")  # columns that are no label
_LOOKED_AT = 64_000  # bytes of a file


@dataclass(frozen=True)
class Pair:
    """A file of texts, and a file with the label of each row."""

    texts: Path
    labels: Path


@dataclass(frozen=True)
class ClassFolder:
    """A folder that has the name of a class. Each file in it is one text."""

    path: Path

    @property
    def files(self) -> list[Path]:
        """The texts, in the order of their names."""
        return sorted(
            (path for path in visible(self.path) if is_text_file(path)),
            key=lambda path: in_order(path.name),
        )


@dataclass(frozen=True)
class ClassFile:
    """A file whose lines, or whose rows, are the texts of one class."""

    path: Path
    name: str


Item = Path | Pair | ClassFolder | ClassFile


def classes_among(entries: Sequence[Path]) -> list[Item]:
    """The classes, where each folder or each file is one; empty if there are not two of them.

    A folder holds a file per text, or one file with a text per line, or tables without a column of
    labels. A file has a text per line, or it is such a table.
    """
    folders = [path for path in entries if path.is_dir() and _is_class_folder(path)]
    if len(folders) > 1:
        inside = [ClassFolder(path).files for path in folders]
        if all(len(files) == 1 for files in inside) and any(_has_lines(f) for (f,) in inside):
            return [ClassFile(files[0], files[0].parent.name) for files in inside]
        return [ClassFolder(path) for path in folders]
    files = [path for path in entries if path.is_file() and is_table(path)]
    # 'part_1' and 'part_2' are no classes, but parts of one table.
    if len({part_key(stem_of(path)) for path in files}) == len(files) > 1 and not folders:
        return [ClassFile(f, stem_of(f)) for f in files] if all(map(_has_only_texts, files)) else []
    of_tables = [path for path in entries if path.is_dir() and _holds_only_texts(path)]
    if len(of_tables) > 1 and not files:
        return [ClassFile(path, folder.name) for folder in of_tables for path in visible(folder)]
    return []


def _is_class_folder(folder: Path) -> bool:
    inside = visible(folder)
    texts = [path for path in inside if is_text_file(path)]
    named = assigned([path.stem for path in texts], exact=True).places
    labelled = folder.name.lower() not in _UNLABELLED
    return labelled and bool(texts) and not named and not any(path.is_dir() for path in inside)


def _holds_only_texts(folder: Path) -> bool:
    """Whether a folder seems to hold tables of the texts of one class, and nothing else."""
    inside = visible(folder) if folder.name.lower() not in _UNLABELLED else []
    return (
        bool(inside)
        and all(path.is_file() and is_table(path) for path in inside)
        and not assigned([stem_of(path) for path in inside], exact=True).places
        and all(map(_has_only_texts, inside))
    )


def _has_lines(path: Path) -> bool:
    return len(_first_lines(path)) > 1


def _has_only_texts(path: Path) -> bool:
    """Whether a file seems to have texts alone, and no labels beside them."""
    if path.suffix.lower() == ".txt":
        return _has_only_lines(path)
    header = _columns(path)
    if header is None:
        with source_of(path) as source:
            return _has_only_lines(source.path)
    return not header.isdisjoint(TEXT_COLUMNS) and header <= {*TEXT_COLUMNS, *_NUMBERS}


def has_labels_beside_texts(path: Path) -> bool:
    """Whether a file seems to be a table of texts and labels, by the usual names of columns."""
    header = _columns(path) or ()
    return any_usual(header, "text") and any_usual(header, "label")


def _columns(path: Path) -> set[str] | None:
    """The columns of a table in small letters, none if it can't be read; None for plain lines."""
    try:
        with source_of(path) as source:
            if source.format == "txt":
                return None
            if source.format in ("csv", "tsv"):
                return _header(source.path)
            return {name.lower() for name in open_table(source, labelled=False).columns}
    except DataError:
        return set()


def _has_only_lines(path: Path) -> bool:
    """Whether a file seems to have a text in each line, and no label beside it."""
    lines = _first_lines(path)
    rows = [line for line in lines if ";" in line or "\t" in line]
    return bool(lines) and len(rows) < len(lines) / 2 and _header(path).isdisjoint(LABEL_COLUMNS)


def _may_lack_labels(path: Path) -> bool:
    """Whether the labels of a file may stand in another file."""
    return path.suffix.lower() not in _DELIMITED or _header(path).isdisjoint(LABEL_COLUMNS)


def _header(path: Path) -> set[str]:
    """The names in the first line, in small letters."""
    lines = _first_lines(path)
    return (
        {name.strip(' "\ufeff').lower() for name in re.split(r"[;,\t|]", lines[0])}
        if lines
        else set()
    )


def _first_lines(path: Path) -> list[str]:
    """The first lines that are not empty, roughly: to look at them, not to read them."""
    with path.open("rb") as file:
        text = file.read(_LOOKED_AT).decode("utf-8", errors="replace")
    return [line for line in text.splitlines() if line.strip()]


def visible(folder: Path) -> list[Path]:
    """What a folder holds, without hidden files and what systems add."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"{folder} can't be read: {error.strerror or error}.",
            hint="Check the permissions of the folder.",
        ) from error
    return [
        path
        for path in entries
        if not _ASIDE.match(name := path.name.lower()) and not (_COPY.match(name) and path.is_dir())
    ]


def is_lines(path: Path) -> bool:
    """Whether a file, perhaps a compressed one, may hold one text or one label per line."""
    plain = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return plain.suffix.lower() in _LINES


def is_text_file(path: Path) -> bool:
    """Whether a file may hold one text: it ends in .txt, or has no ending."""
    return path.suffix.lower() in ("", ".txt") and path.is_file()


def paths_of(item: Item) -> tuple[Path, ...]:
    """The files or the folder of an item."""
    if isinstance(item, Pair):
        return item.texts, item.labels
    return (item.path,) if isinstance(item, (ClassFolder, ClassFile)) else (item,)


def pairs_among(files: Sequence[Path]) -> tuple[list[Pair], list[Path]]:
    """The pairs of a file of texts and one of labels, and the other files.

    They have the same name but for one word: 'train_text.txt' and 'train_labels.txt'.
    """
    texts: dict[tuple[str, ...], Path] = {}
    labels: dict[tuple[str, ...], list[tuple[int, Path]]] = {}
    plain: dict[tuple[str, ...], Path] = {}
    for path in (path for path in files if is_table(path) or is_lines(path)):
        stem = stem_of(path)
        ending = "" if is_lines(path) else path.name.removeprefix(stem)
        words = words_of(stem)
        for i, word in enumerate(words):
            key = (ending, *words[:i], *words[i + 1 :])
            if word in _TEXT_WORDS and _may_lack_labels(path):
                texts.setdefault(key, path)
            elif word in LABEL_WORDS:
                labels.setdefault(key, []).append((LABEL_WORDS.index(word), path))
        # 'train.txt' beside 'train.labels'
        if ending in ("", *_DELIMITED) and assigned([stem]).places and _may_lack_labels(path):
            plain[(ending, *words)] = path
    both = {
        key: (path, min(labels[key])[1]) for key, path in (plain | texts).items() if key in labels
    }
    pairs = [Pair(text, label) for text, label in both.values() if text != label]
    paired = {path for pair in pairs for path in paths_of(pair)}
    return pairs, [path for path in files if path not in paired]
