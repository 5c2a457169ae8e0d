"""Texts: the rows of tables that have no labels, by split. Knows nothing of files or checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emolens.blank import is_blank
from emolens.data.checks import Note
from emolens.data.readers.columns import check_column, readable_texts
from emolens.data.readers.table import Table
from emolens.data.targets.causes import no_texts
from emolens.data.targets.rows import unreadable_note
from emolens.shown import one_line


@dataclass(frozen=True)
class Texts:
    """Texts by split, without labels.

    columns: the column names of the source. text: the one of the texts. blank: by split, the number
    of rows that have no text; they are not among the texts. notes: as in Dataset.
    """

    name: str
    splits: Mapping[str, tuple[str, ...]]
    columns: tuple[str, ...]
    text: str
    blank: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def __repr__(self) -> str:
        sizes = (f"{split} {len(texts):,}" for split, texts in self.splits.items())
        return one_line(self, repr(self.name), *sizes)

    @classmethod
    def from_tables(
        cls, name: str, tables: Mapping[str, Sequence[Table]], *, text: str, strict: bool = False
    ) -> Texts:
        """The texts of the column `text`. Raises NoTextError if there is none.

        strict: whether a row that can't be read is an error; otherwise a note counts it.
        """
        splits: dict[str, tuple[str, ...]] = {}
        blank: dict[str, int] = {}
        notes = [note for parts in tables.values() for table in parts for note in table.notes]
        for split, parts in tables.items():
            rows: list[str] = []
            for table in parts:
                unread: dict[int, str] = {}
                notes += check_column(table, text)
                for chunk in table.chunks(text):
                    texts, errors = readable_texts(table, chunk, text, strict=strict)
                    unread |= {chunk.numbers[place]: why for place, why in errors.items()}
                    kept = [words for place, words in enumerate(texts) if place not in errors]
                    rows += [words for words in kept if not is_blank(words)]
                    blank[split] = blank.get(split, 0) + sum(map(is_blank, kept))
                if unread:
                    notes.append(unreadable_note(table, unread))
            splits[split] = tuple(rows)
        if not any(splits.values()):
            raise no_texts(name)
        columns = next(iter(tables.values()))[0].columns
        kept_notes = tuple(dict.fromkeys(notes))
        return cls(name, splits, columns, text, {s: n for s, n in blank.items() if n}, kept_notes)
