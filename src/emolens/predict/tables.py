"""Reads a table and writes it with emotions, a chunk of rows at a time.

The new table has all columns and all rows of the old one in their order, and the columns `emotion`,
`best_guess`, `probability`, `unsure`, `reason` and `p_<class>`. If rows could not be read as they
should, they have no answer, and a column `error` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from emolens.blank import is_blank
from emolens.data.checks import Note
from emolens.data.languages import Judge
from emolens.data.readers.columns import (
    Unread,
    check_column,
    choice_notes,
    choose_column,
    readable_texts,
)
from emolens.data.readers.endings import ENDINGS, stem_of
from emolens.data.readers.open import open_table, source_of
from emolens.data.readers.options import AS_FOUND, ReadOptions
from emolens.data.readers.source import Source, path_of
from emolens.data.readers.table import Chunk, Table
from emolens.errors import DataError, UsageError
from emolens.labels import LabelSet
from emolens.names import user_path
from emolens.output import atomic_file, new_output
from emolens.predict.added import ERROR, Added, added_columns, values_of
from emolens.predict.ahead import ahead
from emolens.predict.classifier import Classifier, Prediction, language_judge
from emolens.predict.found import ClassCounts
from emolens.predict.tally import Tally
from emolens.predict.unsure import UNREADABLE
from emolens.predict.writers import (
    COMPRESSED,
    DELIMITED,
    TEXTS,
    WRITERS,
    compressing,
    ending_of,
)
from emolens.predict.writers.form import Form, form_of
from emolens.predict.writers.layout import Answered, Layout, Writer

Progress = Callable[[int, int], None]
# A chunk, why rows of it get no answer, its texts and the other languages that they are in.
_Judged = tuple[Chunk, dict[int, str], list[str], list[str | None]]


@dataclass(frozen=True)
class WriteOptions:
    """How answers are written.

    overwrite: whether the file may exist. prefix: what the names of the new columns begin with.
    safe_csv: whether cells that a spreadsheet would run, such as '=1+1', get a ' in front of them.
    sets: how often the classes in a column `prediction_set` hold the right one; None for no such
    column.
    """

    overwrite: bool = False
    prefix: str = ""
    safe_csv: bool = False
    sets: float | None = None


AS_USUAL = WriteOptions()


def default_target(source: Source) -> Path:
    """NAME-emotions beside the source, in its format and compression if emolens can write them."""
    ending, packed = source.like.suffix.lower(), source.given.suffix
    if ENDINGS.get(ending) != source.format or ending not in WRITERS:
        ending = _written_as(source.format)
    if ending not in TEXTS or packed.lower() not in COMPRESSED:
        packed = ""
    return source.like.with_name(f"{stem_of(source.like)}-emotions{ending}{packed}")


def _written_as(file_format: str) -> str:
    if file_format in ("xls", "xlsb", "ods"):
        return ".xlsx"
    return f".{file_format}" if f".{file_format}" in WRITERS else ".csv"


def check_target(target: Path, source: str | Path | Source, *, write: WriteOptions) -> None:
    """Raise what predict_table raises for this target, without reading anything."""
    ending, _ = ending_of(target)
    if write.safe_csv and ending not in DELIMITED:
        raise UsageError(
            f"--safe-csv is for {' and '.join(DELIMITED)}, and {target} is neither.",
            hint="Leave it out: in other formats no program takes a text for a formula.",
        )
    new_output(target, inputs=[path_of(source)], overwrite=write.overwrite)


def predict_table(
    classifier: Classifier,
    source: str | Path | Source,
    target: str | Path,
    *,
    text_column: str | None = None,
    read: ReadOptions = AS_FOUND,
    write: WriteOptions = AS_USUAL,
    progress: Progress | None = None,
) -> Tally:
    """Read `source`, write `target` with the answers beside each row.

    source: any table that emolens reads, or .txt with one text per line; a pipe is read to its end
    first. read: how to read it. target: its ending is one of WRITERS, and it is never the source.
    write: how to write it. progress: called with the number of rows done, and of all rows. The
    table is read twice, so that rows that can't be read or written are known before the model
    answers. Memory use does not grow with the number of rows. Raises UsageError for such a target,
    and DataError that names the file and the line.
    """
    target = user_path(target)
    check_target(target, source, write=write)
    with source_of(source, read) as given:
        table = open_table(given, labelled=False, options=read)
        column = choose_column(table, "text", text_column)
        job = _Job(classifier, table, column, read, write)
        if text_column is None:
            job.tally.notes += choice_notes(table, "text", column)
        writer = job.prepared(given, target)
        with (
            atomic_file(target, overwrite=write.overwrite) as file,
            compressing(file, target) as compressed,
        ):
            writer.write(job.answered(progress), compressed)
    job.tally.found = job.counts.found()
    return job.tally


@dataclass
class _Job:
    """One table and the model that answers its rows."""

    classifier: Classifier
    table: Table
    column: str
    read: ReadOptions
    write: WriteOptions
    tally: Tally = field(default_factory=Tally)
    n_rows: int = 0
    added: Added = field(init=False)
    languages: Judge = field(init=False)
    earlier_error: str | None = None  # the column of an earlier call
    counts: ClassCounts = field(init=False)

    def __post_init__(self) -> None:
        self.counts = ClassCounts(self.classifier)
        self.languages = language_judge(self.classifier)

    def prepared(self, source: Source, target: Path) -> Writer:
        """The writer, after it has seen all rows; it has a column for errors if there are any."""
        ending, _ = ending_of(target)
        added = self.added = self._added(errors=False)
        if (error := f"{self.write.prefix}{ERROR}") in added.replaced:
            self.earlier_error = error
        writer = WRITERS[ending](self._layout(added, source, ending))
        # A .txt of one text per line, which nobody has said that it is.
        lines_of_text = source.format == "txt" and self.table.columns == ("text",)
        lines_of_text = lines_of_text and self.read.delimiter is None
        errors = self._first_pass(writer, lines_of_text=lines_of_text)
        if errors:
            added = self.added = self._added(errors=True)
            writer.layout = replace(writer.layout, added=added.names)
        self.tally.notes += [*self.table.notes, *added.notes, *writer.notes, *errors]
        return writer

    def _added(self, *, errors: bool) -> Added:
        return added_columns(
            self.table,
            self.classifier.labels,
            prefix=self.write.prefix,
            answer_all=self.classifier.answer_all,
            sets=self.write.sets is not None,
            errors=errors,
        )

    def _layout(self, added: Added, source: Source, ending: str) -> Layout:
        kept = tuple(name for name in self.table.columns if name not in added.replaced)
        form = form_of(source, self.table, ending) if ending in DELIMITED else Form()
        return Layout(self.table, kept, added.names, form, safe=self.write.safe_csv)

    def _first_pass(self, writer: Writer, *, lines_of_text: bool) -> list[Note]:
        """Let the writer look at all rows. A note if rows can't be read as they should."""
        self.tally.notes += check_column(self.table, self.column)
        unread = Unread()
        needed = [name for name in (self.column, self.earlier_error) if name]
        for chunk in self.table.chunks(*(() if writer.reads_all else needed)):
            if lines_of_text and not self.n_rows:
                _check_without_labels(self.table, chunk, self.classifier.labels)
            unread.add(chunk, self._texts(chunk)[1])
            self.n_rows += len(chunk)
            writer.look(chunk)
        why = f"the column '{self.write.prefix}{ERROR}' says why"
        return unread.notes(self.table, f"answer ({why})")

    def _texts(self, chunk: Chunk) -> tuple[list[str], dict[int, str]]:
        """The texts, and why rows get no answer. What an earlier call could not read has not become
        right since: such a row keeps its error.
        """
        strict = self.read.strict
        texts, errors = readable_texts(self.table, chunk, self.column, strict=strict)
        for place, row in enumerate(chunk.rows if self.earlier_error else ()):
            why = str(row.get(str(self.earlier_error)) or "")
            if place in errors or is_blank(why):
                continue
            if strict:
                raise DataError(
                    f"{self.table.where(chunk.numbers[place])} has an error: {why}.",
                    hint=f"Correct the row, and delete its text in '{self.earlier_error}'.",
                )
            texts[place], errors[place] = "", why
        return texts, errors

    def answered(self, progress: Progress | None) -> Iterator[Answered]:
        """The rows with their answers; the tally counts them on the way."""
        # While the model answers one chunk, others are read, judged and written.
        for chunk, errors, answers in ahead(self._asked, self._judged()):
            for place in errors:
                answers[place] = replace(answers[place], reason=UNREADABLE)
            added = self.added
            yield chunk, [values_of(a, added, errors.get(i)) for i, a in enumerate(answers)]
            self.tally.add(answers, n_errors=len(errors))
            self.counts.add(answers)
            if progress:
                progress(self.tally.rows, self.n_rows)

    def _judged(self) -> Iterator[_Judged]:
        """The chunks, one after the other: the judge of languages learns from those before."""
        for chunk in self.table.chunks():
            texts, errors = self._texts(chunk)
            yield chunk, errors, texts, self.languages.others(texts)

    def _asked(self, judged: _Judged) -> tuple[Chunk, dict[int, str], list[Prediction]]:
        chunk, errors, texts, others = judged
        return chunk, errors, self.classifier.predict(texts, sets=self.write.sets, languages=others)


def _check_without_labels(table: Table, chunk: Chunk, labels: LabelSet) -> None:
    """Raise DataError for the `text;label` lines of studies: the texts would hold the labels."""
    lines = [row["text"] for row in chunk.rows if row["text"].strip()]
    lines = lines[1:] or lines  # the first one may be a header
    labelled = (line.rpartition(";")[2].strip() in labels.names for line in lines)
    if lines and all(labelled):
        raise DataError(
            f"{table.origin} holds 'text;label' lines; the labels would be read as text.",
            hint="For the texts before the ';', add --format csv --delimiter semicolon"
            " --no-header. If each line is one text, add --delimiter none.",
        )
