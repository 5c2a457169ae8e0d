"""What a person wrote into a cell for labels: which classes are meant. Knows no file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from emolens.judge.classes import plain_name
from emolens.judge.sheet import NONE

_BETWEEN = re.compile(r"[,;/|\n]")  # what stands between two classes


@dataclass(frozen=True)
class Written:
    """ids: the classes. none: whether it says that no class fits. unknown: words that are none."""

    ids: tuple[int, ...] = ()
    none: bool = False
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ids or self.none or self.unknown)


def written_labels(cell: str, names: Sequence[str]) -> Written:
    """The classes in a cell. names: those of the model, of which some may hold commas themselves.

    The whole cell goes before its parts, and a long name before a short one.
    """
    if (whole := class_id(cell, names)) is not None:
        return Written((whole,))
    ids: list[int] = []
    none, unknown = False, []
    parts = _parts(cell)
    most = 1 + max(len(_BETWEEN.findall(name)) for name in names)
    place = 0
    while place < len(parts):
        for end in range(min(place + most, len(parts)), place, -1):
            word = cell[parts[place][0] : parts[end - 1][1]].strip()
            if (known := class_id(word, names)) is not None:
                ids.append(known)
                break
        else:  # `word` and `end` are those of one part
            if plain_name(word) == NONE:
                none = True
            elif word:
                unknown.append(word)
        place = end
    return Written(tuple(dict.fromkeys(ids)), none, tuple(unknown))


def class_id(name: str, names: Sequence[str]) -> int | None:
    """The number of a class; None if there is no such class. The exact name counts first."""
    for exact in (name, name.strip()):
        if exact in names:
            return names.index(exact)
    wanted, plain = _plain(name), list(map(_plain, names))
    return plain.index(wanted) if plain.count(wanted) == 1 else None


def _parts(cell: str) -> list[tuple[int, int]]:
    """Where each part begins and ends."""
    signs = [match.span() for match in _BETWEEN.finditer(cell)]
    return list(zip([0, *(e for _, e in signs)], [*(s for s, _ in signs), len(cell)], strict=True))


def _plain(name: str) -> str:
    """Spaces around a comma do not count."""
    return re.sub(r" ?([,;/|]) ?", r"\1", plain_name(name))
