"""Which split a name means: 'dev', 'en-train_2', 'holdout'. Knows no files and no tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emolens.errors import UsageError, nearest

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
# The names of the splits in files and repositories.
SPLIT_NAMES = {
    TRAIN: ("train", "training", "trn"),
    VALIDATION: ("validation", "validate", "valid", "val", "dev", "devel", "development"),
    TEST: ("test", "testing", "tst"),
}
_SHORT = {"tr": TRAIN, "va": VALIDATION, "te": TEST}  # if all three stand beside each other
# The words in the usual names of a column that holds splits: 'split', 'Set', 'data_split'.
SPLIT_COLUMNS = frozenset(
    ("split", "splits", "set", "subset", "dataset", "partition", "fold", "folds", "usage", "phase")
)
# Names that some use for validation and others for test: the split that is tried first, and then.
LOOSE_NAMES = {
    "eval": (VALIDATION, TEST),
    "evaluation": (VALIDATION, TEST),
    "holdout": (TEST, VALIDATION),
    "heldout": (TEST, VALIDATION),
}
_BREAKS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\D)(?=\d)|(?<=\d)(?=\D)")
_ENDS = re.compile(r"(set|data|split)$")  # 'trainset'
_SAFE = re.compile(r"[\w./=+@:,-]+")  # what no shell changes
_WORDED = 2  # the rank of 'my-train'; 'train' has 0 and 'train-2' has 1
_PART_WORDS = {"of", "part", "shard", "chunk", "piece", "set", "data", "split"}


@dataclass(frozen=True)
class Assigned:
    """The places of each split in a list of names. loose: splits whose name may mean another."""

    places: dict[str, list[int]]
    loose: tuple[str, ...] = ()


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: ['en', 'train', '2'] for 'enTrain_2'."""
    return [word for word in re.split(r"[\W_]+", _BREAKS.sub(" ", name).lower()) if word]


def canonical(name: object) -> str | None:
    """The split that a single name means: validation for 'Dev' and 'eval'; None for no split."""
    word = re.sub(r"[\s_-]", "", str(name)).lower()
    for split, names in SPLIT_NAMES.items():
        if word in names:
            return split
    return LOOSE_NAMES[word][0] if word in LOOSE_NAMES else None


def assigned(names: Sequence[str], *, taken: Iterable[str] = (), exact: bool = False) -> Assigned:
    """Which of the names are train, validation and test.

    A name that is a split name goes before 'train-2', and both go before 'my-train'. All names of
    the best of these kinds are given. Names such as 'eval' take a split that has no other name.
    taken: splits that need no name. exact: whether names such as 'my-train' are no split names.
    """
    words = [words_of(name) for name in names]
    if {*_SHORT}.issubset(word for of in words for word in of):
        words = [[_SHORT.get(word, word) for word in of] for of in words]
    ranked = list(map(_ranked, words))
    ranked = [(None, 0) if exact and rank == _WORDED else (word, rank) for word, rank in ranked]
    places: dict[str, list[int]] = {}
    for split in SPLITS:
        places[split] = _best(ranked, SPLIT_NAMES[split])
    loose: list[str] = []
    for word, wanted in LOOSE_NAMES.items():
        best = _best(ranked, (word,))
        free = next((s for s in wanted if not places[s] and s not in taken), None)
        if best and free:
            places[free] = best
            loose.append(free)
    named = {split: of for split, of in places.items() if of and split not in taken}
    return Assigned(named, tuple(loose))


def without_split(name: str) -> str:
    """A name without its split words, and without what stands between them and the others."""
    parts = re.split(r"([\W_]+)", _BREAKS.sub("\0", name))
    kept = "".join(part for part in parts if canonical(part) is None)
    return re.sub(r"^[\W_]+|[\W_]+$", "", kept).replace("\0", "") or name


def _best(ranked: Sequence[tuple[str | None, int]], words: Sequence[str]) -> list[int]:
    """The places of those among the names with one of these words that have the least beside it."""
    ranks = {i: rank for i, (word, rank) in enumerate(ranked) if word in words}
    return [i for i, rank in ranks.items() if rank == min(ranks.values())]


def _ranked(words: list[str]) -> tuple[str | None, int]:
    """The split word of a name, and how much stands beside it; None if it has none or two.

    words: of the name.
    """
    known = {*LOOSE_NAMES, *(word for words in SPLIT_NAMES.values() for word in words)}
    for i in range(len(words) - 1):
        if words[i] in ("hold", "held") and words[i + 1] == "out":
            words[i : i + 2] = [f"{words[i]}out"]
            break
    plain = [word if word in known else _ENDS.sub("", word) for word in words]
    of_splits = [word for word in plain if word in known]
    if len({canonical(word) for word in of_splits}) != 1:
        return None, 0
    others = [w for w in plain if w and w not in known and w not in _PART_WORDS]
    worded = any(not word.isdigit() for word in others)
    return of_splits[0], _WORDED if worded else len(words) > 1


def part_key(name: str) -> str:
    """The same for all parts of one table: 'train-#-of-#' for 'train-00000-of-00002'."""
    return re.sub(r"\d+", "#", name)


def in_order(name: str) -> list[tuple[int, str]]:
    """A sort key that puts part_10 behind part_2."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


def wanted_splits(pairs: Iterable[str]) -> dict[str, str]:
    """The names of splits in the form that the command line takes: 'test=holdout'."""
    wanted: dict[str, str] = {}
    for pair in pairs:
        split, equals, name = (part.strip() for part in pair.partition("="))
        if not equals or not name:
            raise UsageError(
                f"--split {pair} names no split of the data.",
                hint="For example: --split test=holdout",
            )
        known = canonical(split)
        if known is None:
            raise UsageError(f"'{split}' is not the name of a split.", hint=nearest(split, SPLITS))
        if wanted.setdefault(known, name) != name:
            raise UsageError(
                f"--split names the {known} split twice.", hint=f"Give one: --split {known}={name}"
            )
    return wanted


def split_option(split: str, name: str) -> str:
    """The option that names a split, as it is typed."""
    option = f"{split}={name}"
    return f"--split {option}" if _SAFE.fullmatch(option) else f'--split "{option}"'
