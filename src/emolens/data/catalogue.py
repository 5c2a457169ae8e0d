"""The data sets with a short name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A data set with a short name: where it is, what it is, and its licence.

    location: the folder of a bundled data set, or the name of a repository on the Hub.
    """

    location: Path | str
    about: str
    licence: str


CATALOGUE = {
    "starter": Entry(
        location=Path(__file__).parent / "starter",
        about="short English texts with six emotions and neutral, composed for emolens",
        licence="CC0-1.0",
    ),
    "comments": Entry(
        location=Path(__file__).parent / "comments",
        about="English comments on products and services, and everyday texts, composed for emolens",
        licence="CC0-1.0",
    ),
    "emotion": Entry(
        location="dair-ai/emotion",
        about="20,000 English Twitter messages with six emotions (CARER, EMNLP 2018)",
        licence="education and research",
    ),
}
