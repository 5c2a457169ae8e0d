"""Prints an audit: the columns, some rows, the splits, the classes, and the list of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emolens.console import Console
from emolens.data.catalogue import CATALOGUE
from emolens.errors import some_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from emolens.data.audit import Audit, SplitAudit
    from emolens.data.audit.check import Check
    from emolens.data.audit.contents import Contents, SplitContents

_ROWS = 3  # that the list shows of each check
_LONGEST = 80  # characters of a text beside a check


def show_audit(console: Console, audit: Audit) -> None:
    """What `inspect` prints: columns, rows, splits, classes, checks."""
    entry = CATALOGUE.get(audit.name)
    console.line(f"{audit.name}: {entry.about}; {entry.licence}" if entry else audit.name)
    console.line(f"columns: {some_of(audit.columns)}")
    for column, feature in audit.features.items():
        console.line(f"  {column}: {feature}")
    console.line()
    examples = (("First rows of train", audit.head), ("One text of each class", audit.one_of_each))
    for title, examples_of in examples:
        cells = [[row["text"], row["label"], row["label_name"]] for row in examples_of]
        console.table(("text", "label", "label_name"), cells, title=title)
        console.line()
    _show_splits(console, audit)
    classes = [
        [name, *(split.by_class[name] for split in audit.splits.values())]
        for name in next(iter(audit.splits.values())).by_class
    ]
    console.table(("class", *audit.splits), classes, title="Texts per class")
    console.line()
    show_checks(console, audit.checks)


def _show_splits(console: Console, audit: Audit) -> None:
    columns = ["split", "texts", "largest class", "its share", *_token_columns(audit)]
    rows = [
        [name, split.n, split.majority, f"{split.majority_share:.2%}", *_token_figures(split)]
        for name, split in audit.splits.items()
    ]
    console.table(columns, rows, title="Splits")
    console.line()


def _token_columns(audit: Audit | Contents) -> list[str]:
    """The titles of the figures about tokens; none without token counts."""
    tokens = all(split.n_tokens for split in audit.splits.values())
    return ["tokens, median", "longest", f"over {audit.max_length}"] if tokens else []


def _token_figures(split: SplitAudit | SplitContents) -> list[int]:
    if not split.n_tokens:
        return []
    lengths = (split.n_tokens["median"], split.n_tokens["maximum"], split.over_limit or 0)
    return [int(n) for n in lengths]


def show_contents(console: Console, contents: Contents) -> None:
    """What `inspect` prints of a table without labels."""
    console.line(contents.name)
    console.line(f"columns: {some_of(contents.columns)}; the texts are in '{contents.text}'")
    console.line()
    console.line("First rows")
    console.table(("text",), [[text] for text in contents.head])
    console.line()
    columns = ["split", "texts", "without text", "different", "characters, median", "longest"]
    columns += _token_columns(contents)
    rows = []
    for name, split in contents.splits.items():
        lengths = [int(split.characters[key]) for key in ("median", "maximum")]
        figures = [*lengths, *_token_figures(split)]
        rows.append([name, split.n, split.blank, split.distinct, *figures])
    console.table(columns, rows, title="Texts")
    console.line()
    if contents.languages:
        console.line("Languages of up to 1,000 texts of six words or more")
        console.table(("language", "texts"), list(contents.languages.items()))
        console.line()
    if contents.repeated:
        console.line("Most repeated")
        console.table(("times", "text"), [(n, text) for text, n in contents.repeated.items()])
        console.line()
    show_checks(console, contents.checks)


def show_checks(console: Console, checks: Sequence[Check]) -> None:
    """One line per check. Below those that are noted or failed: the reason, what to do, rows."""
    from emolens.data.audit.check import counts_of

    console.line(f"Checks: {counts_of(checks)}")
    for check in checks:
        console.line(f"  {check.code}  {check.status:<8} {check.title}")
        if check.is_finding:
            console.line(f"       {check.reason}")
            if check.action:
                console.line(f"       {check.action}")
            for row in check.rows[:_ROWS]:
                console.line(f"         {_row(row)}")
        elif check.reason:
            console.line(f"       {check.reason}")
    if not any(check.is_finding for check in checks):
        console.line("Nothing was found that harms training or makes scores too good.")


def _row(row: dict[str, Any]) -> str:
    """A row of a check on one line."""
    if "number" in row:
        reason = f": {row['reason']}" if "reason" in row else ""
        return f"row {row['number']} of the file{reason}"
    text = " ".join(row["text"].split())
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    like = f"  like {_row(row['like'])}" if "like" in row else ""
    return f"{row['split']} {row['row']}: {shown}{like}"
