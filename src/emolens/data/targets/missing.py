"""Which labels are missing: empty ones, and words such as 'nan' and 'N/A'. Knows no tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from emolens.blank import is_blank
from emolens.data.targets.cells import Cell, number_of
from emolens.data.targets.spelling import folded

_OF_SPREADSHEETS = ("#n/a", "#null!", "#value!", "#ref!", "#name?", "#num!", "#div/0!")
USUAL = frozenset(
    ("nan", "null", "na", "n/a", "n / a", "n.a.", "n/a.", "<na>", "nat", "nil", "\\n",
     "?", "-", "--", "---", "\u2013", "\u2014", *_OF_SPREADSHEETS)
)  # fmt: skip
_NONE = "none"
_RARE = 0.01


def missing_cells(counts: Mapping[Cell, int], wanted: frozenset[str] | None) -> set[Cell]:
    """The different cells of a column that hold no label.

    counts: rows by cell. wanted: the folded words that the user gives for a missing label.

    Many sets of emotions have a class 'none'. It is a missing label only where other missing labels
    stand beside it, and in less than 1 % of the rows.
    """
    words = USUAL if wanted is None else wanted
    if wanted is None and any(isinstance(cell, str) and cell.strip() == "+" for cell in counts):
        words = USUAL - {"-"}  # plus and minus are feelings
    missing = {cell for cell in counts if is_missing_word(cell, words)}
    nones = {cell for cell in counts if isinstance(cell, str) and folded(cell) == _NONE}
    if wanted is None and nones and any(cell not in nones for cell in missing):
        few = max(1, _RARE * sum(counts.values()))
        missing |= nones if sum(counts[cell] for cell in nones) <= few else set()
    return missing


def is_missing_word(cell: Cell, words: frozenset[str] = USUAL) -> bool:
    """Whether a cell is empty or holds one of the words."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return is_blank(cell) or folded(cell) in words
    return not isinstance(cell, tuple) and str(cell) in words


def unlabelled_numbers(
    train: Mapping[Cell, int],
    others: Sequence[Mapping[Cell, int]],
    *,
    missing: Collection[Cell],
    named: bool,
) -> set[Cell]:
    """The cells with -1 that mean 'no label'. Each mapping: rows by cell.

    That is so where numbers have names, and in a table without any other label, while no row of
    train has -1. named: whether the numbers have names.
    """
    minus = {cell for counts in (train, *others) for cell in counts if number_of(cell) == -1}
    if named:
        return minus
    whole = [counts for counts in others if minus & set(counts)]
    alone = all(cell in minus or cell in missing for counts in whole for cell in counts)
    return minus if alone and not minus & set(train) else set()
