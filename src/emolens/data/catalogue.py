"""The data sets that are known by a name of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A known data set: where it is, what it is, and under which terms.

    location: a folder of this package, or a repository of the Hub.
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
    """The folder in which a bundled data set is installed."""
    return Path(__file__).parent / entry.location
