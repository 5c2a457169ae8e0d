"""Makes what the commands in documents name: small tables, runs, models, encoders and sheets."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import python_calamine
import xlsxwriter

from emolens.study import Run
from tests.conftest import feeling_rows

Rows = Sequence[Sequence[object]]
WORDS = {"sadness": "so sad, I cried", "joy": "so happy with it", "anger": "this makes me furious"}


def write_csv(path: Path, rows: Rows, *, encoding: str = "utf-8", delimiter: str = ",") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def write_xlsx(path: Path, **sheets: Rows) -> None:
    book = xlsxwriter.Workbook(path)
    for name, rows in sheets.items():
        page = book.add_worksheet(name)
        for place, row in enumerate(rows):
            page.write_row(place, 0, row)
    book.close()


def comments(n: int = 30) -> list[list[object]]:
    """A table as a survey has it, with two columns of texts."""
    texts = list(WORDS.values())
    rows: list[list[object]] = [["best", "comment", "name"]]
    rows += [[texts[i % 3], texts[(i + 1) % 3], f"Ann {i}"] for i in range(n)]
    return rows


def labelled(n: int, *header: str, start: int = 0) -> list[list[object]]:
    return [list(header), *(list(row) for row in feeling_rows(n, start=start))]


def happy(n: int) -> list[list[object]]:
    """Labelled rows in which one class has another name than in the model."""
    names = {"joy": "happiness"}
    return [["text", "label"], *([t, names.get(c, c)] for t, c in feeling_rows(n))]


def sheet(path: Path) -> None:
    """A sheet of emolens check on which a person has written a class beside each text."""
    rows = [[n, text, name] for n, (name, text) in enumerate(WORDS.items(), start=2)]
    write_xlsx(path, texts=[["row", "text", "your_label"], *rows])


@dataclass(frozen=True)
class Workshop:
    """A folder in which commands are tried. run and encoder: small ones, which are copied."""

    folder: Path
    run: Run
    encoder: Path

    def prepare(self, words: Sequence[str]) -> None:
        """Make the files and folders that these words name, as far as they are not there yet."""
        for word in words:
            name = word.rpartition("=")[2]
            if name.endswith("-check.xlsx") and (self.folder / name).is_file():
                self.label(self.folder / name)
            for key, make in self.makers.items():
                path = self.folder / key
                if (name == key or name.startswith(f"{key}/")) and not path.exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    make(path)

    @property
    def makers(self) -> dict[str, Callable[[Path], object]]:
        """By the name that documents use."""
        tables: dict[str, Callable[[Path], object]] = {
            "comments.csv": lambda path: write_csv(path, comments()),
            "answers.csv": lambda path: write_csv(path, comments()),
            "comments-check.xlsx": sheet,
            "comments.xlsx": lambda path: write_xlsx(path, texts=comments()),
            "survey.xlsx": lambda path: write_xlsx(path, Info=[["Survey"]], Answers=comments()),
            "from-excel.csv": lambda path: write_csv(
                path, [["Kommentar"], ["schön, but so sad"]], encoding="cp1252", delimiter=";"
            ),
            "pipes.csv": lambda path: write_csv(path, comments(), delimiter="|"),
            "lines.txt": lambda path: path.write_text("so happy\nso sad\n", "utf-8"),
            "answers.jsonl": lambda path: path.write_text('{"data": {"text": "so sad"}}\n'),
            "reviews.csv": lambda path: write_csv(path, labelled(90, "review", "mood")),
            "mine.csv": lambda path: write_csv(path, happy(60)),
            "labelled.csv": lambda path: write_csv(path, labelled(90, "text", "label")),
            "numbers.csv": lambda path: write_csv(
                path,
                [["text", "label"], *([t, i % 3] for i, (t, _) in enumerate(feeling_rows(90)))],
            ),
            "folds.csv": lambda path: write_csv(
                path,
                [
                    ["text", "label", "fold"],
                    *([*r, i % 5 + 1] for i, r in enumerate(feeling_rows(90))),
                ],
            ),
        }
        return tables | {
            "reviews": self.reviews,
            "data": self.parts,
            "later.csv": lambda path: write_csv(path, labelled(20, "review", "mood", start=90)),
            "runs/starter": lambda path: shutil.copytree(self.run.folder, path),
            "runs/other": lambda path: shutil.copytree(self.run.folder, path),
            "runs/reviews": lambda path: shutil.copytree(self.run.folder, path),
            "encoder": lambda path: shutil.copytree(self.encoder, path),
            "my-study.toml": lambda path: path.write_text(
                '[data]\ndataset = "starter"\n[encoder]\nname = "minilm"\n', "utf-8"
            ),
        }

    @staticmethod
    def reviews(folder: Path) -> None:
        """A folder of splits with two files that have no usual name."""
        folder.mkdir()
        for name, n, start in (("train", 60, 0), ("eval", 18, 60), ("holdout", 18, 78)):
            write_csv(folder / f"{name}.csv", labelled(n, "text", "label", start=start))

    @staticmethod
    def parts(folder: Path) -> None:
        folder.mkdir()
        for i in range(2):
            write_csv(folder / f"part_{i}.csv", labelled(60, "text", "label", start=60 * i))

    @staticmethod
    def label(sheet: Path) -> None:
        """Write a class beside each text, as a person does."""
        book = python_calamine.CalamineWorkbook.from_path(sheet)
        header, *rows = book.get_sheet_by_name("texts").to_python()
        names = {text: name for name, text in WORDS.items()}
        filled = [[row[0], row[1], names.get(str(row[1]), "none")] for row in rows]
        write_xlsx(sheet, texts=[header, *filled])
