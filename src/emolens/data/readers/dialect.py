"""Finds out how the fields of a table are separated and quoted, from its first rows.

The delimiter is the sign that gives most rows the same number of fields. Knows no column names.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from emolens.data.readers.columns import any_usual
from emolens.data.readers.header import MOST_TITLES
from emolens.data.readers.records import Dialect, Shape
from emolens.errors import UsageError

USUAL = ",;\t|"
_OTHER = "^~¦§:#*@!\x01\x1e\x1f"  # only where every row has as many
_REPEATED = re.compile(r"([|:\t~^#@*§!])\1+")  # such as '||'
_NAMES = {
    "tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ",
    "none": "\x1f",
}  # fmt: skip
_FORBIDDEN = frozenset('"\r\n\\')
NO_DELIMITER = "\x1f"  # for tables of one column; no text holds it
_SPACED = re.compile(r'"(?:[^"\\]|\\.|"")*" \S')  # a field in quotes, and the start of another
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel reads it, and hides it
_LONGEST = 10  # signs of a delimiter
_MOST_KNOWN = 50  # different values of a column that has the classes


def delimiter_option(given: str | None) -> str | None:
    """The delimiter that a user named. Raises UsageError for signs that can be none."""
    if given is None or given.lower() in _NAMES:
        return _NAMES[given.lower()] if given else None
    given = given.replace("\\t", "\t")
    if not given or len(given) > _LONGEST or given.isalnum() or not _FORBIDDEN.isdisjoint(given):
        raise UsageError(
            f"'{given}' is not a delimiter.",
            hint="Give one sign or a few to --delimiter, or one of: tab, comma, semicolon, pipe,"
            " space, none.",
        )
    return given


def shown(delimiter: str) -> str:
    """The word for a delimiter that --delimiter takes; a rare sign is shown in quotes."""
    words = {sign: word for word, sign in _NAMES.items() if word.isalpha()}
    sign = delimiter if delimiter.isprintable() else ascii(delimiter)[1:-1]
    return words.get(delimiter) or f'"{sign}"'


def sep_line(line: str) -> str | None:
    """The delimiter that a first line such as 'sep=;' names."""
    named = _SEP_LINE.fullmatch(line)
    return named[1] if named else None


@dataclass(frozen=True)
class Found:
    """What a dialect makes of the first rows of a table.

    width: the fields of most rows. share: how many rows have so many. header_width: the fields of
    the first row. n_wrong: records with wrong quotes. n_quoted: records that hold quotes. other:
    another delimiter that fits nearly as well.
    """

    dialect: Dialect
    width: int
    share: float
    header_width: int
    n_wrong: int
    n_quoted: int
    other: str | None = None

    @classmethod
    def of(cls, lines: Sequence[str], dialect: Dialect) -> Found:
        """Try a dialect."""
        records = list(_strict_records(lines, dialect))
        widths = Counter(len(fields) for fields, _ in records if fields)
        if not widths:
            return cls(dialect, 1, 0.0, 1, len(records), len(records))
        header = next(fields for fields, _ in records if fields)
        # Of two that are equally frequent, the one of the header.
        width = max(widths, key=lambda n: (widths[n], n == len(header)))
        # Excel may write empty names behind the others.
        header_width = (
            len(header) if any(map(str.strip, header[width:])) else min(width, len(header))
        )
        shape = Shape(dialect, width, _known_values(lines, dialect, width))
        n_wrong = n_quoted = n_right = 0
        for fields, taken in records:
            swallowed = len(taken) > 1 and bool(dialect.quote) and shape.has_swallowed(taken)
            n_wrong += not fields or swallowed
            n_quoted += any('"' in line for line in taken)
            n_right += len(fields) == width and not swallowed
        n_titles = len(list(takewhile(lambda record: len(record[0]) == 1, records[:MOST_TITLES])))
        n_rows = len(records) - (n_titles if width > 1 and len(records) > n_titles + 1 else 0)
        return cls(dialect, width, n_right / n_rows, header_width, n_wrong, n_quoted)

    @property
    def is_exact(self) -> bool:
        """Whether all rows have the same number of fields, and more than one."""
        return self.share == 1 and self.width > 1

    def shape(self, lines: Sequence[str], width: int) -> Shape:
        """What is known of rows with this number of fields."""
        return Shape(self.dialect, width, _known_values(lines, self.dialect, width))


def find_dialect(lines: Sequence[str], wanted: str | None, *, tabs: bool = False) -> Found:
    """The likeliest dialect of the lines. wanted: the delimiter, if it is known.

    tabs: whether a tab is more likely than other delimiters.
    """
    if wanted:
        return _best_quoting(lines, wanted)
    sample = "".join(lines)
    if any_usual([next(filter(None, map(str.strip, lines)), "").strip('"')], "text"):
        return _best_quoting(lines, NO_DELIMITER)  # one column; signs in all its texts are no more
    if (sign := _repeated(lines)) and (found := _best_quoting(lines, sign)).is_exact:
        return found
    if all(_SPACED.match(line) for line in lines if line.strip()):  # as R writes tables
        found = _best_quoting(lines, " ")
        if _fits(found):
            return found
    usual = [_best_quoting(lines, sign) for sign in USUAL if sign in sample]
    fitting = sorted(filter(_fits, usual), key=_merit, reverse=True)
    if tabs:  # the sort keeps the order of equals
        fitting.sort(key=lambda found: found.dialect.delimiter != "\t")
    if not fitting or fitting[0].header_width == 1:
        signs = [sign for sign in _OTHER if sign in lines[0] and not _is_in_numbers(sign, sample)]
        other = [_best_quoting(lines, sign) for sign in signs]
        fitting = [each for each in other if each.is_exact and len(lines) > 2][:1] or fitting
    if not fitting:
        return _best_quoting(lines, NO_DELIMITER)
    rival = next((f for f in fitting[1:] if f.share > 0.9 and f.header_width == f.width), None)
    return replace(fitting[0], other=rival.dialect.delimiter if rival else None)


def _repeated(lines: Sequence[str]) -> str | None:
    """A delimiter such as '||', if it stands in each line, and most lines have no '|' alone."""
    filled = [line for line in lines if line.strip()]
    for run in {run[0] for line in filled[:1] for run in _REPEATED.finditer(line)}:
        alone = [line for line in filled if run[0] in line.replace(run, "")]
        if all(run in line for line in filled) and len(alone) < len(filled) / 2:
            return run
    return None


def _is_in_numbers(sign: str, sample: str) -> bool:
    """Whether a sign stands inside times, such as 10:30."""
    return re.search(rf"\d{re.escape(sign)}\d", sample) is not None


def _merit(found: Found) -> tuple[bool, float, int]:
    """A delimiter also stands in the header, and makes as many fields in every row."""
    return found.header_width == found.width, round(found.share, 2), found.width


def _fits(found: Found) -> bool:
    if found.width < 2:
        return False
    # The header of R has no name for the names of rows; and a last column may be empty.
    if abs(found.header_width - found.width) <= 1 and found.header_width > 1:
        return found.share >= 0.5
    return found.share >= 0.9  # only titles stand before the header


def _best_quoting(lines: Sequence[str], delimiter: str) -> Found:
    """The way of quoting that gives most rows the same number of fields."""
    plain = Dialect(delimiter)
    sample = "".join(lines)
    if sample.count('="') > len(lines) / 2 and len(plain.formula.findall(sample)) > len(lines) / 2:
        plain = replace(plain, formulas=True)
    ways = [plain]
    if '"' in sample:
        if "\\" in sample:
            ways.append(replace(plain, escapes=True))
        if f'{delimiter} "' in sample or f'" {delimiter}' in sample:
            ways += [replace(way, spaced=True) for way in ways]
        ways.append(replace(plain, quote=""))
    elif f"\\{delimiter}" in sample:
        ways.append(replace(plain, escapes=True))
    elif _has_single_quotes(lines, single := replace(plain, quote="'")):
        ways.insert(0, single)
    found = [Found.of(lines, way) for way in ways]
    best = max(found, key=lambda each: each.share)  # the first of equals
    if not best.dialect.quote and found[0].n_quoted > 2 * found[0].n_wrong:
        return max(found[:-1], key=lambda each: each.share)
    return best


def _has_single_quotes(lines: Sequence[str], single: Dialect) -> bool:
    """Whether most lines have a field in single quotes, where the delimiter may stand."""
    filled = [line for line in lines if line.strip()]
    n_quoted = sum(bool(single.quoted_field.search(line)) for line in filled)
    return n_quoted > len(filled) / 2


def _strict_records(
    lines: Sequence[str], dialect: Dialect
) -> Iterator[tuple[list[str], Sequence[str]]]:
    """The fields and the lines of each record; no fields if its quotes are wrong.

    Blank lines are left out. After a wrong quote, the next line begins a record.
    """
    start = 0
    while start < len(lines):
        reader = dialect.read(lines[start:])
        before = 0
        try:
            for fields in reader:
                taken = lines[start + before : start + reader.line_num]
                if any(map(str.strip, taken)):
                    yield fields, taken
                before = reader.line_num
            return
        except csv.Error:
            start += before
            yield [], lines[start : start + 1]
            start += 1


def _known_values(lines: Sequence[str], dialect: Dialect, width: int) -> dict[int, frozenset[str]]:
    """By column, its values if each stands in several rows: then they are probably classes."""
    reader = replace(dialect, quote="").read(lines, strict=False)
    rows = [fields for fields in reader if len(fields) == width]
    known = {}
    for column in range(min(width, 200)):
        counts = Counter(row[column] for row in rows)
        values = (v for v, n in counts.items() if n > 1 and len(v.strip()) > 1)
        often = frozenset(value for value in values if '"' not in value)  # no half of a field
        if often and len(often) <= _MOST_KNOWN and len(counts) < len(rows) / 2:
            known[column] = often
    return known
