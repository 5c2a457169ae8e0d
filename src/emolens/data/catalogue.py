"""The data sets with a short name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A data set with a short name: where it is, what it is, and its licence.

    location: a folder of this package if it is bundled, or else a repository of the Hub.
    """

    location: str
    bundled: bool
    about: str
    licence: str


CATALOGUE = {
    "starter": Entry(
        location="starter",
        bundled=True,
        about="short English texts with six emotions and neutral, composed for emolens",
        licence="CC0-1.0",
    ),
    "emotion": Entry(
        location="dair-ai/emotion",
        bundled=False,
        about="20,000 English Twitter messages with six emotions (CARER, EMNLP 2018)",
        licence="education and research",
    ),
}


def bundled_folder(entry: Entry) -> Path:
    """The folder of a bundled data set."""
    return Path(__file__).parent / entry.location
