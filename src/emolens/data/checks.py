"""The numbered checks of a data set, and what one of them says about one data set.

Readers, labels and the audit all report through this list. It knows no file and no data set.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emolens.errors import UsageError, nearest

# The letter says what was looked at: R reading, S splits, L labels, T texts. A code never changes
# its meaning: users write it behind --ignore.
CHECKS = {
    "R01": "the format of the file",
    "R02": "the encoding of the characters",
    "R03": "delimiter, quotes and header",
    "R04": "rows that can be read",
    "R05": "the columns",
    "S01": "the splits",
    "S02": "the files of the folder",
    "L01": "rows with a label",
    "L02": "labels that are the same class",
    "L03": "the form of the labels",
    "L04": "labels that look like something else",
    "L05": "enough rows of each class in each split",
    "T01": "rows with a text",
    "T02": "broken encoding inside texts",
    "T03": "repeated texts",
    "T04": "equal texts with different labels",
    "T05": "texts of train in other splits",
    "T06": "near duplicates across splits",
    "T07": "texts longer than the encoder's limit",
    "T08": "words that the encoder does not know",
    "T09": "rows in another language",
    "T10": "texts that hold their own label",
    "T11": "splits of the same origin",
    "T12": "the share of rows left out",
}


def agreeing(n: int, verb: str) -> str:
    """'is' for 'are' and 'occurs' for 'occur', if n is 1."""
    return verb if n != 1 else {"are": "is", "have": "has", "could": "could"}.get(verb, f"{verb}s")


def counted(n: int, noun: str, verb: str = "") -> str:
    """'1 row', '1,200 rows'; with the verb 'have', '1 row has' and '1,200 rows have'."""
    return f"{n:,} {noun}{'' if n == 1 else 's'} {agreeing(n, verb) if verb else ''}".rstrip()


def chosen_codes(given: Iterable[str]) -> frozenset[str]:
    """The codes in these texts, of which each may hold several with commas between them.

    Raises UsageError for a code that is not among CHECKS.
    """
    codes = [code.strip().upper() for text in given for code in text.split(",") if code.strip()]
    if unknown := [code for code in codes if code not in CHECKS]:
        raise UsageError(
            f"There is no check '{unknown[0]}'.",
            hint=f"{nearest(unknown[0], CHECKS)} emolens inspect lists them all.",
        )
    return frozenset(codes)


@dataclass(frozen=True)
class Note:
    """One thing that was noticed, guessed, changed or left out while a data set was read.

    code: one of CHECKS. text: one sentence. hint: what to do if it is wrong, or "". n_rows: how
    many rows it is about, if it is about rows. rows: the numbers of the first of them in the file.
    reasons: for each of these rows why it is named, where this differs.
    """

    code: str
    text: str
    hint: str = ""
    n_rows: int = 0
    rows: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CHECKS:
            raise KeyError(self.code)

    def __str__(self) -> str:
        return f"{self.text} {self.hint}".strip()
