"""Which class of a table is which class of a model: by name, or as the user says.

Knows nothing of texts, probabilities or files.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from emolens.data.targets.options import typed
from emolens.data.targets.spelling import folded
from emolens.errors import UsageError, nearest, some_of

# By class of a model: the name or names of the same class in the table.
Mapped = Mapping[str, str | Sequence[str]]
# Other words for usual classes. A hint names them; no class is matched because of them.
_ALIKE = {
    "sadness": {"sad", "unhappy", "grief", "sorrow", "depression"},
    "joy": {"happiness", "happy", "joyful", "enjoyment", "excitement"},
    "love": {"loving", "affection", "caring"},
    "anger": {"angry", "rage", "annoyance", "hate"},
    "fear": {"afraid", "scared", "worry", "anxiety", "nervousness"},
    "surprise": {"surprised", "astonishment", "amazement"},
    "disgust": {"disgusted", "aversion"},
    "neutral": {"none", "no emotion", "empty", "others", "other"},
}
_GIVEN_BY_TRANSFORMERS = re.compile(r"LABEL_(\d+)")


@dataclass(frozen=True)
class Matching:
    """The class of the model for each class of the table that has one.

    table, model: the class names of both. by_user: those that the user matched.
    """

    table: tuple[str, ...]
    model: tuple[str, ...]
    targets: Mapping[str, str]
    by_user: Mapping[str, str] = field(default_factory=dict)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The classes of the table that the model does not know."""
        return tuple(name for name in self.table if name not in self.targets)

    @property
    def absent(self) -> tuple[str, ...]:
        """The classes of the model that the table does not have."""
        present = set(self.targets.values())
        return tuple(name for name in self.model if name not in present)

    @property
    def alike(self) -> dict[str, str]:
        """By unknown class, the class of the model that may be the same."""
        similar = {name: _alike(name, self) for name in self.unknown}
        return {name: target for name, target in similar.items() if target}

    @property
    def way_out(self) -> str:
        """A hint how more classes can be matched; there is an unknown one."""
        if option := map_option(self.alike):
            return f"If these are the same classes: {option}"
        example = f"{self.model[0]}={self.unknown[0]}"
        return f'Say which class of the table is which class of the model: --map "{example}"'

    def marks(self, labels: np.ndarray) -> np.ndarray:
        """(n, k) bool, which classes of the model each row has.

        labels: ids of the table's classes, (n,), or (n, classes of the table) bool.
        """
        onto = np.zeros((len(self.table), len(self.model)), dtype=bool)
        for name, target in self.targets.items():
            onto[self.table.index(name), self.model.index(target)] = True
        return onto[labels] if labels.ndim == 1 else labels @ onto

    def unknown_marks(self, labels: np.ndarray) -> np.ndarray:
        """(n, number of unknown classes) bool, which of them each row has."""
        ids = [self.table.index(name) for name in self.unknown]
        return labels[:, None] == np.array(ids) if labels.ndim == 1 else labels[:, ids]


def match_classes(
    table: Sequence[str], model: Sequence[str], mapped: Mapped | None = None
) -> Matching:
    """Match the classes of a table with those of a model.

    mapped: what the user says; it goes before names. Other classes match if their names differ only
    in capital letters, spaces, '-' and '_'; the number 3 is the class that transformers calls
    LABEL_3. Raises UsageError if no class has a partner, or for a name that is not there.
    """
    by_user = _by_user(table, model, mapped or {})
    names = {plain_name(name): name for name in reversed(model)}
    names |= {m[1]: name for name in model if (m := _GIVEN_BY_TRANSFORMERS.fullmatch(name))}
    by_name = {name: names[plain_name(name)] for name in table if plain_name(name) in names}
    by_name |= {name: name for name in table if name in model}
    matching = Matching(tuple(table), tuple(model), by_name | by_user, by_user)
    if not matching.targets:
        raise UsageError(
            f"The table and the model have no class in common: the table has"
            f" {some_of(list(table))}, and the model has {some_of(list(model))}.",
            hint=_hint_for_none(matching),
        )
    return matching


def mapping_of(pairs: Iterable[str], table: Sequence[str]) -> dict[str, list[str]]:
    """The mapping in the form that the command line takes: 'joy=happiness', 'joy=fun,love=care'.

    Behind the '=', several classes of the table may stand, with commas between them. table: its
    classes, which may hold commas themselves.
    """
    mapped: dict[str, list[str]] = {}
    for pair in pairs:
        model, equals, names = pair.partition("=")
        if not equals or not model.strip() or not names.strip():
            raise UsageError(
                f"--map {pair} names no two classes.",
                hint="Write the model's class, '=', and the table's class: --map joy=happiness",
            )
        if folded(names) in set(map(folded, table)):
            mapped.setdefault(model.strip(), []).append(names.strip())
            continue
        for part in pair.split(","):
            target, equals, name = part.partition("=")
            model, name = (target, name) if equals else (model, part)
            mapped.setdefault(model.strip(), []).append(name.strip())
    return mapped


def map_option(alike: Mapping[str, str]) -> str:
    """The option --map that matches classes of the table with those of the model; '' if it can't be
    typed. alike: by class of the table.
    """
    written = typed([f"{target}={name}" for name, target in alike.items()]) if alike else ""
    return f"--map {written}" if written else ""


def _alike(name: str, matching: Matching) -> str | None:
    """The class of the model that may be the same as a class of the table."""
    plain = plain_name(name)
    for target in matching.model:
        alike = _ALIKE.get(plain_name(target), set())
        if plain in alike or plain_name(target) in _ALIKE.get(plain, set()):
            return target
    close = difflib.get_close_matches(
        plain, list(map(plain_name, matching.absent)), n=1, cutoff=0.75
    )
    return next((target for target in matching.absent if [plain_name(target)] == close), None)


def _by_user(table: Sequence[str], model: Sequence[str], mapped: Mapped) -> dict[str, str]:
    """By class of the table, the class of the model that the user gives."""
    targets: dict[str, str] = {}
    for target, names in mapped.items():
        known = _spelled(target, model)
        given = [names] if isinstance(names, str) else list(names)
        if known is None:
            raise UsageError(
                f"The model has no class '{target}'.",
                hint=_hint_for_target(target, given, table=table, model=model),
            )
        for name in given:
            own = _spelled(name, table)
            if own is None:
                raise UsageError(f"The table has no class '{name}'.", hint=nearest(name, table))
            if targets.setdefault(own, known) != known:
                raise UsageError(
                    f"The table's class '{own}' is matched with two classes: {targets[own]} and"
                    f" {known}.",
                    hint=f"Give one of them: --map {known}={own}",
                )
    return targets


def _hint_for_target(
    target: str, given: Sequence[str], *, table: Sequence[str], model: Sequence[str]
) -> str:
    turned = next((name for name in given if _spelled(name, model)), None)
    if turned is None or not _spelled(target, table):
        return nearest(target, model)
    return f"The model's class stands first: --map {turned}={target}"


def _hint_for_none(matching: Matching) -> str:
    if all(name.isdigit() for name in matching.table):
        if all(int(name) < len(matching.model) for name in matching.table):
            return (
                "If the table's numbers count the model's classes from 0, in the order above:"
                f" --class-names {typed(matching.model)}"
            )
        return "Name the numbers: --class-names FILE, with one name per line, from 0 on."
    return matching.way_out


def _spelled(name: str, known: Sequence[str]) -> str | None:
    """The known name that is meant."""
    if name in known:
        return name
    return next((other for other in known if plain_name(other) == plain_name(name)), None)


def plain_name(name: str) -> str:
    """What all spellings of a class name have in common, also those of programs."""
    return " ".join(folded(name).replace("_", " ").replace("-", " ").split())
