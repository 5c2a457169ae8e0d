"""The classes of a task: their names, order and colors. Knows nothing of data or models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emolens.shown import one_line

# The order of dair-ai/emotion on the Hub, then neutral; a known emotion keeps its place whatever
# order a file mentions it in, so that two data sets with the same classes have the same ids.
_CANONICAL = ("sadness", "joy", "love", "anger", "fear", "surprise", "neutral")

# One hue an emotion, told apart by people with the common color-vision deficiencies
# (Okabe and Ito, 2008, darkened where text must stand on it).
_COLORS = {
    "sadness": "#0072b2",
    "joy": "#c98a00",
    "love": "#cc5f95",
    "anger": "#c43c00",
    "fear": "#6a4fb3",
    "surprise": "#00906a",
    "neutral": "#6b7280",
}
_OTHER_COLORS = (
    "#2f7fc1",
    "#8a6d00",
    "#a34d79",
    "#9c4221",
    "#5b5fc7",
    "#3d7f4f",
    "#7a5c3a",
    "#4d6b7a",
)


@dataclass(frozen=True)
class LabelSet:
    """The class names in the order of their ids, and how they are drawn."""

    names: tuple[str, ...]

    @classmethod
    def ordered(cls, names: Iterable[str]) -> LabelSet:
        """Known emotions first, in the order of `dair-ai/emotion`, then the others by name."""
        found = set(names)
        known = [name for name in _CANONICAL if name in found]
        return cls((*known, *sorted(found.difference(known))))

    def __repr__(self) -> str:
        return one_line(self, f"{len(self)} classes: {', '.join(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    def id_of(self, name: str) -> int:
        """The id of a class name; KeyError where there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None

    @property
    def id2label(self) -> dict[int, str]:
        """Ids to names, as transformers' configurations hold them."""
        return dict(enumerate(self.names))

    def color(self, name: str) -> str:
        """A hex color for a class: fixed for the known emotions, by place for others."""
        return _COLORS.get(name) or _OTHER_COLORS[self.id_of(name) % len(_OTHER_COLORS)]
