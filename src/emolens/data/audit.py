"""What is in a data set, and what is wrong with it, before anything is trained on it.

Reads texts and labels only. The caller gives the token counts: it knows nothing of tokenizers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from emolens.data.dataset import TRAIN, Dataset
from emolens.shown import html_table, one_line

# A character whose UTF-8 bytes were read as Windows-1252 or Latin-1 becomes several characters, of
# which the first is Ã, Â, â€ or ðŸ. But Ã also ends real words in Portuguese capitals (IRMÃ). So
# before a character that may follow a word (a quote, a dash, …), Ã counts only with a small letter
# beside it.
_ANYWHERE = "\u0080-\u009f\u00a0-\u00aa\u00ac\u00ad\u00af-\u00ba\u00bc-\u00bf€ƒˆ‰Š‹Œš›œŸŽž˜†‡"
_AFTER_A_WORD = "\u00ab\u00ae\u00bb‘’‚“”„…•–—™"
_BROKEN = re.compile(
    f"\ufffd|ï¿½|ï»¿|ðŸ|â[€˜™œ]|â‚¬|â„¢|Ã[{_ANYWHERE}]|(?<=[a-zß-ÿ])Ã[{_AFTER_A_WORD}]"
    f"|Ã[{_AFTER_A_WORD}](?=[a-zß-ÿ])|(?<=[a-zß-ÿ])Å[“’]|Â[\u00a0-\u00bf]"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_EXAMPLES = 20


@dataclass(frozen=True)
class SplitAudit:
    """The figures of one split.

    n_tokens: minimum, median, 95th percentile and maximum, with the special tokens; None without
    token counts. leaked: rows whose text also occurs in train (always 0 for train). blank: rows
    that were left out because they have no text; n does not count them.
    """

    n: int
    by_class: dict[str, int]
    majority: str
    majority_share: float
    blank: int
    broken_encoding: int
    leaked: int
    n_tokens: dict[str, float] | None = None
    over_limit: int | None = None

    def __repr__(self) -> str:
        return one_line(self, f"{self.n:,} texts", f"largest class {self.majority}")


@dataclass(frozen=True)
class Audit:
    """What is known about a data set before training.

    repeated_texts: how many texts occur more than once in all splits together; contradicting_texts:
    how many of these have different labels. head: the first rows of train. one_of_each: the first
    row of each class in train. The other lists name a row by its split and its number, which counts
    from 0 the rows that have a text.
    """

    name: str
    columns: tuple[str, ...]
    features: dict[str, str]
    fingerprint: str
    head: list[dict[str, Any]]
    one_of_each: list[dict[str, Any]]
    splits: dict[str, SplitAudit]
    repeated_texts: int
    contradicting_texts: int
    contradictions: list[dict[str, Any]]
    leaked_rows: list[dict[str, Any]]
    broken_rows: list[dict[str, Any]]
    max_length: int | None

    def __repr__(self) -> str:
        sizes = (f"{name} {split.n:,}" for name, split in self.splits.items())
        findings = _count(len(self.findings), "finding")
        return one_line(self, repr(self.name), *sizes, findings)

    def _repr_html_(self) -> str:
        return html_table(self, ("finding",), [(finding,) for finding in self.findings])

    def to_dict(self) -> dict[str, Any]:
        """The audit as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Audit:
        """The inverse of to_dict, also for values that were saved as JSON."""
        splits = {name: SplitAudit(**split) for name, split in values["splits"].items()}
        columns = tuple(values["columns"])
        return cls(**{**values, "splits": splits, "columns": columns})

    @property
    def findings(self) -> list[str]:
        """One sentence for each problem; empty for clean data."""
        sentences = []
        if n := self.repeated_texts:
            sentences.append(
                f"{_count(n, 'text')} {'occurs' if n == 1 else 'occur'} more than once, "
                f"{self.contradicting_texts:,} of them with contradicting labels."
            )
        for name, split in self.splits.items():
            longer = f"longer than {self.max_length} tokens and will be cut"
            for n, one, many in (
                (split.leaked, "also occurs in train", "also occur in train"),
                (split.blank, "has no text and is left out", "have no text and are left out"),
                (split.broken_encoding, "has a broken encoding", "have a broken encoding"),
                (split.over_limit or 0, f"is {longer}", f"are {longer}"),
            ):
                if n:
                    sentences.append(f"{_count(n, 'row')} of {name} {one if n == 1 else many}.")
        return sentences


def audit(
    dataset: Dataset,
    *,
    n_tokens: dict[str, np.ndarray] | None = None,
    max_length: int | None = None,
) -> Audit:
    """Look for rows that harm training or make a score look better than it is.

    n_tokens: by split, (n,) token counts before truncation. max_length: the encoder's limit.
    """
    places: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for name, split in dataset.splits.items():
        for row, (text, label) in enumerate(zip(split.texts, split.labels.tolist(), strict=True)):
            places[text].append((name, row, label))
    repeated = {text: rows for text, rows in places.items() if len(rows) > 1}
    contradicting = {
        text: rows for text, rows in repeated.items() if len({label for _, _, label in rows}) > 1
    }
    leaked = [
        _row(dataset, name, row)
        for rows in repeated.values()
        if any(name == TRAIN for name, _, _ in rows)
        for name, row, _ in rows
        if name != TRAIN
    ]
    broken = [
        _row(dataset, name, row)
        for name, split in dataset.splits.items()
        for row, text in enumerate(split.texts)
        if _BROKEN.search(text)
    ]
    n_leaked, n_broken = (Counter(row["split"] for row in rows) for rows in (leaked, broken))
    splits = {
        name: _split_audit(
            dataset,
            name,
            broken_encoding=n_broken[name],
            leaked=n_leaked[name],
            **(_token_figures(n_tokens[name], max_length) if n_tokens else {}),
        )
        for name in dataset.splits
    }
    return Audit(
        name=dataset.name,
        columns=dataset.columns,
        features=dataset.features,
        fingerprint=dataset.fingerprint,
        head=dataset.head(),
        one_of_each=dataset.one_of_each(),
        splits=splits,
        repeated_texts=len(repeated),
        contradicting_texts=len(contradicting),
        contradictions=[
            {"text": text, "rows": [_place(dataset, *place) for place in rows]}
            for text, rows in contradicting.items()
        ],
        leaked_rows=leaked,
        broken_rows=broken[:_EXAMPLES],
        max_length=max_length,
    )


def _split_audit(dataset: Dataset, split: str, **figures: Any) -> SplitAudit:
    by_class = dataset.counts(split)
    largest = int(by_class.argmax())
    return SplitAudit(
        n=len(dataset[split]),
        by_class=dict(zip(dataset.labels.names, by_class.tolist(), strict=True)),
        majority=dataset.labels.names[largest],
        majority_share=float(by_class[largest] / by_class.sum()),
        blank=dataset.blank.get(split, 0),
        **figures,
    )


def _token_figures(n_tokens: np.ndarray, max_length: int | None) -> dict[str, Any]:
    quantiles = np.percentile(n_tokens, [0, 50, 95, 100]).tolist()
    return {
        "n_tokens": dict(zip(("minimum", "median", "p95", "maximum"), quantiles, strict=True)),
        "over_limit": None if max_length is None else int((n_tokens > max_length).sum()),
    }


def _row(dataset: Dataset, split: str, row: int) -> dict[str, Any]:
    label = dataset.labels.names[int(dataset[split].labels[row])]
    return {"split": split, "row": row, "text": dataset[split].texts[row], "label": label}


def _place(dataset: Dataset, split: str, row: int, label: int) -> dict[str, Any]:
    return {"split": split, "row": row, "label": dataset.labels.names[label]}


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
