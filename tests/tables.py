"""Opens a file that is not compressed by its path, as most tests want it."""

from __future__ import annotations

from pathlib import Path

from emolens.data.readers import open as readers
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.source import Source
from emolens.data.readers.table import Table


def open_table(given: Path | Source, *, labelled: bool, options: ReadOptions = AS_FOUND) -> Table:
    with readers.source_of(given, options) as source:
        return readers.open_table(source, labelled=labelled, options=options)
