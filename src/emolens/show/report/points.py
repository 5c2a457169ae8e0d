"""What the map of the report holds of each text, packed for the browser. Draws nothing."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from emolens.data.checks import agreeing, counted
from emolens.data.dataset import Dataset
from emolens.explore.project import Projection
from emolens.labels import LabelSet
from emolens.scores import Scores
from emolens.show import theme
from emolens.show.page import cut
from emolens.shown import isolated, visible, visible_lines

Texts = Literal["all", "errors", "none"]
MOST_TEXTS = 100_000  # of more points, a sample has its text in the page
_NONE = 2**16 - 1  # no answer


@dataclass(frozen=True)
class Points:
    """Every text of a data set on the map, split after split.

    xy: (n, 2) float32. split, label, answer: (n,) ids; the answer is -1 where the model was not
    asked, as in train. probability: (n,) of the answer. shown: (m,) the points whose text the page
    holds, and texts: (m,) these texts.
    """

    splits: tuple[str, ...]
    xy: np.ndarray
    split: np.ndarray
    label: np.ndarray
    answer: np.ndarray
    probability: np.ndarray
    shown: np.ndarray
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.xy)

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        scores: Scores,
        projections: Mapping[str, Projection],
        *,
        texts: Texts = "all",
        seed: int = 0,
    ) -> Points:
        """The points of the splits that have places on the map.

        texts: which texts the page holds: of all points, of wrong answers, or none.
        """
        sizes = [len(p.labels) for p in projections.values()]
        split = np.repeat(np.arange(len(sizes)), sizes)
        label = np.concatenate([p.labels for p in projections.values()])
        answer = np.full(len(label), -1)
        probability = np.zeros(len(label))
        for place, name in enumerate(projections):
            if name in scores.probabilities:
                answer[split == place] = scores.predictions(name)
                probability[split == place] = scores.probabilities[name].max(axis=1)
        wrong = (answer >= 0) & (answer != label)
        rows = {"all": np.arange(len(label)), "errors": np.flatnonzero(wrong)}
        shown = _sample(rows.get(texts, np.empty(0, dtype=np.int64)), wrong, seed)
        everything = [text for name in projections for text in dataset[name].texts]
        return cls(
            splits=tuple(projections),
            xy=np.concatenate([p.xy for p in projections.values()]),
            split=split,
            label=label,
            answer=answer,
            probability=probability,
            shown=shown,
            texts=tuple(visible_lines(cut(everything[row])) for row in shown),
        )

    @property
    def _placed(self) -> np.ndarray:
        # UMAP gives no place to a text that it finds like no other.
        return np.asarray(np.isfinite(self.xy).all(axis=1))

    @property
    def without_place(self) -> str:
        """Which texts have no place on the map, and where they are drawn; empty if all have one."""
        n = int((~self._placed).sum())
        if not n:
            return ""
        have, are = agreeing(n, "have"), agreeing(n, "are")
        return (
            f"{counted(n, 'text')} {have} no place, because the map found nothing like"
            f" {'it' if n == 1 else 'them'}, and {are} drawn in the lower left corner."
        )

    def packed(self, labels: LabelSet) -> dict[str, Any]:
        """The points as JSON values: arrays as base64 of deflated bytes, little-endian."""
        there = self._placed
        known = self.xy[there] if there.any() else np.zeros((1, 2))
        low, span = known.min(axis=0), np.ptp(known, axis=0).max() or 1.0
        xy = np.where(there[:, None], self.xy, low)
        places = np.round((xy - low) * (65_535 / span)).astype("<u2")
        return {
            "n": len(self),
            "labels": [isolated(visible(name)) for name in labels.names],
            "colors": [theme.class_color(labels, name) for name in labels.names],
            "splits": list(self.splits),
            "x": _packed(places[:, 0]),
            "y": _packed(places[:, 1]),
            "split": _packed(self.split.astype("u1")),
            "label": _packed(self.label.astype("<u2")),
            "answer": _packed(np.where(self.answer < 0, _NONE, self.answer).astype("<u2")),
            "probability": _packed(np.round(self.probability * 255).astype("u1")),
            "shown": _packed(self.shown.astype("<u4")),
            "texts": _packed(json.dumps(self.texts, ensure_ascii=False).encode()),
        }


def _sample(rows: np.ndarray, wrong: np.ndarray, seed: int) -> np.ndarray:
    """At most MOST_TEXTS of the rows, in their order: the wrong answers first, others by chance."""
    if len(rows) <= MOST_TEXTS:
        return rows
    order = np.random.default_rng(seed).permutation(len(rows))
    chosen = order[np.argsort(~wrong[rows][order], kind="stable")][:MOST_TEXTS]
    return rows[np.sort(chosen)]


def _packed(values: np.ndarray | bytes) -> str:
    content = values if isinstance(values, bytes) else values.tobytes()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(deflate.compress(content) + deflate.flush()).decode("ascii")


def sentence(points: Points, texts: Texts) -> str:
    """Which texts the page holds, since it is made to be sent to others."""
    n, held = len(points), len(points.shown)
    if texts == "none":
        return "This page holds no text of the data."
    if texts == "errors":
        return f"This page holds the {held:,} texts that the model gets wrong, and no others."
    if held < n:
        return f"This page holds {held:,} of the {n:,} texts: the wrong answers, and a sample."
    return f"This page holds all {n:,} texts of the data."


def classes_of(labels: LabelSet, points: Points) -> Sequence[tuple[str, str, int]]:
    """Each class with its color and its number of points."""
    counts = np.bincount(points.label, minlength=len(labels)).tolist()
    return [
        (name, theme.class_color(labels, name), n)
        for name, n in zip(labels.names, counts, strict=True)
    ]
