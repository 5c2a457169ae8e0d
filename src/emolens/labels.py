"""The classes of a task: their names and order. Knows nothing of data, models or pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from emolens.errors import UsageError, nearest
from emolens.shown import one_line

# The order of dair-ai/emotion on the Hub, then neutral. A fixed order gives two data sets with the
# same classes the same ids, whatever order their files have.
EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise", "neutral")


@dataclass(frozen=True)
class LabelSet:
    """The class names in the order of their ids."""

    names: tuple[str, ...]

    @classmethod
    def ordered(cls, names: Iterable[str]) -> LabelSet:
        """Known emotions first, in the order of `dair-ai/emotion`, then the others by name."""
        given = set(names)
        known = [name for name in EMOTIONS if name in given]
        return cls((*known, *sorted(given.difference(known))))

    def __repr__(self) -> str:
        return one_line(self, f"{len(self)} classes: {', '.join(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    def id_of(self, name: str) -> int:
        """The id of a class name; KeyError for an unknown one."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None

    @property
    def id2label(self) -> dict[int, str]:
        """Ids to names, as transformers' configurations hold them."""
        return dict(enumerate(self.names))


def class_ids(
    labels: LabelSet | None, *columns: np.ndarray | Sequence[str]
) -> tuple[LabelSet, list[np.ndarray]]:
    """The classes, and each column of names or ids as (n,) int64 ids.

    labels: None for the classes that occur; a class that is given as an id has its number as its
    name. UsageError for columns of unequal length, and for a name or id outside the classes.
    """
    arrays = [np.asarray(column) for column in columns]
    if len({array.shape for array in arrays}) > 1 or arrays[0].ndim != 1 or not len(arrays[0]):
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise UsageError(
            f"The labels have the shapes {shapes}.",
            hint="Give lists of the same length, with one label per row.",
        )
    values = {value for array in arrays for value in array.tolist()}
    kinds = {type(value) for value in values}
    if kinds - {str, int} or (labels is None and len(kinds) > 1):
        raise UsageError(
            f"The labels are of the types {', '.join(sorted(kind.__name__ for kind in kinds))}.",
            hint="Give class names, or class ids. Leave out rows without an answer (blank texts).",
        )
    if labels is None and kinds == {int}:
        labels = LabelSet(tuple(str(i) for i in range(max(values) + 1)))
    elif labels is None:
        labels = LabelSet.ordered(values)
    ids: dict[object, int] = {i: i for i in range(len(labels))}
    ids |= {name: i for i, name in enumerate(labels.names)}
    if wrong := [value for value in values if value not in ids]:
        raise UsageError(
            f"There is no class {wrong[0]!r}.", hint=nearest(str(wrong[0]), labels.names)
        )
    return labels, [np.array([ids[v] for v in a.tolist()], dtype=np.int64) for a in arrays]
