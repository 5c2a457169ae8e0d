"""Check: what one numbered check says about one data set. Knows no data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from typing import Any, Literal, cast

from emolens.data.checks import CHECKS, Note, agreeing, counted
from emolens.shown import html_table, one_line

Status = Literal["passed", "noted", "failed", "ignored", "skipped"]
EXAMPLES = 20  # rows that a check names
SERIOUS = 0.01  # of the rows: from here on, a problem fails its check
_LONGEST = 200  # characters of a text in the list of rows
_FOUND: dict[bool, Status] = {False: "noted", True: "failed"}  # by whether it fails
Place = tuple[str, int]  # a split, and a row in it from 0
TextsBySplit = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Check:
    """One line of the list that `inspect` prints.

    code, title: as in `data.checks.CHECKS`. status: 'passed'; 'noted', good to know; 'failed', it
    harms training or makes a score wrong; 'ignored', the user does not want it; 'skipped', there
    was nothing to look at, as `reason` says. n_rows: how many rows it is about. rows: the first of
    them, by split and number, or by their number in the file. action: what to do about it.
    """

    code: str
    title: str
    status: Status
    n_rows: int = 0
    rows: tuple[dict[str, Any], ...] = ()
    reason: str = ""
    action: str = ""

    def __repr__(self) -> str:
        return one_line(self, self.code, self.status, self.reason or self.title)

    @property
    def is_finding(self) -> bool:
        """Whether there is something to read: the check is noted or failed."""
        return self.status in ("noted", "failed")

    def to_dict(self) -> dict[str, Any]:
        """The check as JSON values."""
        return asdict(self) | {"rows": list(self.rows)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Check:
        """The inverse of to_dict."""
        return cls(**{**values, "rows": tuple(values["rows"])})

    def with_notes(self, notes: Sequence[Note]) -> Check:
        """The check, with what was noticed about the same thing while the data was read."""
        if not notes:
            return self
        numbers = [
            {"number": number} | ({"reason": reason} if reason else {})
            for note in notes
            for number, reason in zip_longest(note.rows, note.reasons)
        ]
        return replace(
            self,
            status=self.status if self.is_finding else "noted",
            n_rows=self.n_rows + sum(note.n_rows for note in notes),
            rows=(*self.rows, *numbers)[:EXAMPLES],
            reason=_joined([self.reason if self.is_finding else "", *(n.text for n in notes)]),
            action=_joined([self.action, *(note.hint for note in notes)]),
        )


def passed(code: str) -> Check:
    """There is nothing to say."""
    return Check(code, CHECKS[code], "passed")


def finding(code: str, reason: str, action: str, *, fails: bool = False, **rows: Any) -> Check:
    """A noted or failed check. rows: its `n_rows` and `rows`."""
    return Check(code, CHECKS[code], _FOUND[fails], reason=reason, action=action, **rows)


def of_rows(
    code: str,
    texts: TextsBySplit,
    places: Sequence[Place],
    *,
    reason: str,
    action: str,
    fails: bool = False,
) -> Check:
    """A finding about these rows; passed if there are none."""
    if not places:
        return passed(code)
    return finding(code, reason, action, fails=fails, **named(texts, places))


def named(texts: TextsBySplit, places: Sequence[Place]) -> dict[str, Any]:
    """How a check names these rows: their number, and the first of them."""
    rows = tuple(row_of(texts, place) for place in places[:EXAMPLES])
    return {"n_rows": len(places), "rows": rows}


def row_of(texts: TextsBySplit, place: Place) -> dict[str, Any]:
    """How a check names a row."""
    split, row = place
    text = texts[split][row]
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return {"split": split, "row": row, "text": shown}


def skipped(code: str, reason: str) -> Check:
    """There was nothing to look at."""
    return Check(code, CHECKS[code], "skipped", reason=reason)


def ignored(code: str) -> Check:
    """The user does not want this check."""
    return Check(code, CHECKS[code], "ignored", reason="It was not looked at, because you asked.")


def rows_that(places: Iterable[Place], verb: str) -> str:
    """'2 rows of train and 1 row of test have', for the verb 'have'."""
    counts = Counter(split for split, _ in places)
    return f"{rows_in(counts)} {agreeing(counts.total(), verb)}"


def rows_in(counts: Mapping[str, int]) -> str:
    """'2 rows of train and 1 row of test', of the splits that have any."""
    parts = (f"{counted(n, 'row')} of {named_split(name)}" for name, n in counts.items() if n)
    return listed(parts)


def named_split(split: str) -> str:
    """'train'; 'the table' for a single table without splits."""
    return "the table" if split == "table" else split


def listed(parts: Iterable[str]) -> str:
    """'a, b and c'."""
    parts = list(parts)
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _joined(sentences: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(filter(None, sentences)))


def counts_of(checks: Iterable[Check]) -> str:
    """'20 checks passed, 3 noted, 1 failed'; the others are named only if there are any."""
    counts = Counter(check.status for check in checks)
    more = [f"{counts[s]} {s}" for s in ("noted", "failed", "ignored", "skipped") if counts[s]]
    return ", ".join([f"{counts['passed']} checks passed", *more])


class Checked:
    """What an audit is, with labels or without: figures by split, and the list of checks."""

    name: str
    splits: Mapping[str, Any]
    checks: tuple[Check, ...]

    def __repr__(self) -> str:
        sizes = (f"{name} {split.n:,}" for name, split in self.splits.items())
        return one_line(self, repr(self.name), *sizes, counts_of(self.checks))

    def _repr_html_(self) -> str:
        rows = [(c.code, c.title, c.status, c.reason) for c in self.checks if c.is_finding]
        return html_table(self, ("check", "what", "status", "reason"), rows)

    def to_dict(self) -> dict[str, Any]:
        """The audit as JSON values. `findings` stands there for readers of the file."""
        checks = [check.to_dict() for check in self.checks]
        return asdict(cast("Any", self)) | {"checks": checks, "findings": self.findings}

    @property
    def findings(self) -> list[str]:
        """What each noted or failed check says; empty for clean data."""
        return [check.reason for check in self.checks if check.is_finding]
