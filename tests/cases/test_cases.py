"""The tables that people bring: what is right for each of them, as a user sees it.

Each folder in `tables/` has the shape of a file that a real user had. The words are neutral.
"""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from emolens.study import Run
from tests.conftest import Emolens

TABLES = Path(__file__).parent / "tables"
FOUR = {"anger", "fear", "joy", "sadness"}


@dataclass(frozen=True)
class Case:
    """A data set, and what `inspect` must see in it.

    arguments: behind `emolens inspect`, in the folder of the case. sizes: rows by split, or all
    rows together. says: words that must stand in a note about it.
    """

    name: str
    arguments: str
    sizes: dict[str, int] | int
    classes: set[str]
    says: tuple[str, ...] = ()


CASES = [
    Case(
        "01-tweeteval", "./emotion", {"train": 48, "validation": 8, "test": 8}, FOUR, ("mapping",)
    ),
    Case("04-isear", "isear.csv --text SIT --label Field1", 64, FOUR),
    Case("04-isear", "isear.csv --delimiter | --text SIT --label Field1", 64, FOUR),
    Case(
        "05-goemotions-tsv",
        "data",
        {"train": 48, "validation": 8, "test": 8},
        {*FOUR, "7"},
        ("header", "several labels", "emotions.txt"),
    ),
    Case("06-one-hot", "goemotions_1.csv --label anger,fear,joy,sadness", 64, FOUR),
    Case("06-one-hot", "goemotions_1.csv", 64, FOUR, ("anger",)),
    Case("07b-wassa-emoint", "train.txt", 64, FOUR, ("header",)),
    Case("07b-wassa-emoint", "train.txt --no-header --text 2 --label 3", 64, FOUR),
    Case("08-xed", "en-annotated.tsv", 64, {"1", "2", "3", "4", "7"}, ("several labels",)),
    Case("09-string-multilabel", "data.csv", 64, FOUR, ("several labels",)),
    Case("09b-string-multilabel", "data.csv", 64, {"0", "1", "2", "3", "5"}, ("several labels",)),
    Case(
        "10-parquet-list-labels",
        "train-00000-of-00001.parquet",
        64,
        {"0", "1", "2", "3"},
        ("list",),
    ),
    Case("101-space-before-quote", "data.csv", 64, FOUR),
    Case("103-parquet-column-twice", "data.parquet", 64, FOUR),
    Case("103-parquet-column-twice", "data.arrow", 64, FOUR),
    Case("12-json-array", "data.json", 64, FOUR),
    Case("12e-nested-jsonl", "data.jsonl --text data.text --label meta.emotion", 64, FOUR),
    Case("13-gz", "data.csv.gz", 64, FOUR),
    Case("15-cp1252", "data.csv", 64, FOUR, ("1252", "--encoding")),
    Case("15-cp1252", "data.csv --encoding cp1252", 64, FOUR),
    Case("15d-one-bad-byte", "data.csv", 63, FOUR, ("line", "byte")),
    Case("16b-sep-line", "data.csv", 64, FOUR),
    Case(
        "16c-commas-in-header",
        "survey.csv --text 'What did you feel, in your own words, today?'"
        " --label 'Emotion (one only, please)'",
        64,
        FOUR,
    ),
    Case("24-label-twice", "data.csv --label label_2", 64, FOUR),
    Case("17c-empty-rows", "data.csv", 64, FOUR, ("no text",)),
    Case("18-missing-labels", "data.csv", 62, FOUR, ("no label",)),
    Case("18b-nan-words", "data.csv", 56, FOUR, ("no label",)),
    Case("19-case-and-space", "data.csv", 64, FOUR, ("Sadness",)),
    Case("20-float-labels", "data.csv", 144, set(map(str, range(12)))),
    Case("23-split-column", "emobank.csv", {"train": 48, "validation": 8, "test": 8}, FOUR),
    Case("25-headerless", "data.csv", 64, FOUR, ("header",)),
    Case("25-headerless", "data.csv --no-header", 64, FOUR),
    Case("26b-tsv-quote-swallows", "data.tsv", 64, FOUR),
    Case("27-backslash-quotes", "data.csv", 64, FOUR),
    Case("33-eval-file", "d", {"train": 48, "validation": 8, "test": 8}, FOUR, ("eval.csv",)),
    Case("33d-kaggle-test", "d", 56, FOUR, ("test.csv",)),
    Case("33f-class-folders", "d", {"test": 8}, FOUR),
    Case("35b-save-to-disk-shards", "saved", 64, FOUR),
    Case("36d-arrows-ending", "data.arrows", 64, FOUR),
    Case("37-label-text", "train.jsonl", 64, FOUR, ("label_text",)),
    Case("37b-int-labels", "training.csv --class-names anger,joy,fear,sadness", 64, FOUR),
    Case("49b-text-as-tokens", "train.jsonl", 64, FOUR, ("spaces",)),
    Case("84-folder-called-starter", "./starter", 64, FOUR),
    Case("84-folder-called-starter", "starter", 1, set(), ("./starter",)),
    Case("97-two-header-lines", "qualtrics.csv --text Q1 --label Q2 --skip-rows 2", 64, FOUR),
    Case("109-emoji-only", "data.csv", 100, set(), ("does not know",)),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A copy of the case's folder, as the current folder."""
    folder = Path(shutil.copytree(TABLES / request.param, tmp_path / "case"))
    monkeypatch.chdir(folder)
    return folder


def inspected(emolens: Emolens, arguments: str) -> dict[str, Any]:
    ended = emolens("inspect", *shlex.split(arguments), "--json")
    assert ended.code == 0, ended.err
    audit: dict[str, Any] = json.loads(ended.out)
    return audit


def notes(audit: dict[str, Any]) -> str:
    return json.dumps([c for c in audit["checks"] if c["status"] != "passed"], ensure_ascii=False)


@pytest.mark.parametrize(
    ("place", "case"),
    [(case.name, case) for case in CASES],
    indirect=["place"],
    ids=[f"{case.name} {case.arguments}" for case in CASES],
)
def test_inspect_reads_what_is_there(place: Path, case: Case, emolens: Emolens) -> None:
    audit = inspected(emolens, case.arguments)
    sizes = {split: figures["n"] for split, figures in audit["splits"].items()}
    if isinstance(case.sizes, dict):
        assert {split: sizes[split] for split in case.sizes} == case.sizes
    elif case.sizes > 1:
        assert sum(sizes.values()) == case.sizes
    if case.classes:
        assert set(audit["splits"]["train"]["by_class"]) == case.classes
    for words in case.says:
        assert words in notes(audit)


@pytest.mark.parametrize("place", ["20-float-labels"], indirect=True)
def test_float_labels_are_in_the_order_of_numbers(place: Path, emolens: Emolens) -> None:
    classes = inspected(emolens, "data.csv")["splits"]["train"]["by_class"]
    assert list(classes) == list(map(str, range(12)))


@pytest.mark.parametrize("place", ["18-missing-labels"], indirect=True)
def test_strict_refuses_rows_without_a_label(place: Path, emolens: Emolens) -> None:
    ended = emolens("inspect", "data.csv", "--strict")
    assert ended.code == 1
    assert "no label" in ended.err


@pytest.mark.parametrize(
    ("place", "arguments", "says"),
    [
        ("24-label-twice", "data.csv --label label", "label_1"),
        ("33i-class-only-in-test", "d", "surprise"),
        ("87-two-distinct-texts", "data.csv", "2 different texts"),
        ("92-same-split-in-two-formats", "d", "train.jsonl"),
        ("14-xlsx", "survey.xlsx", "survey.xlsx"),
    ],
    indirect=["place"],
)
def test_a_refusal_names_the_true_cause(
    place: Path, arguments: str, says: str, emolens: Emolens
) -> None:
    ended = emolens("inspect", *shlex.split(arguments))
    assert ended.code == 1
    assert says in ended.err
    assert len(ended.err.splitlines()) == 2


@pytest.mark.parametrize("place", ["97-two-header-lines"], indirect=True)
def test_header_lines_as_classes_are_named(place: Path, emolens: Emolens) -> None:
    assert "--skip-rows 2" in notes(inspected(emolens, "qualtrics.csv --text Q1 --label Q2"))


# --- predict ---


@pytest.fixture
def predicted(emolens: Emolens, tiny_run: Run) -> Any:
    def call(arguments: str) -> tuple[list[list[str]], str]:
        """The rows that `emolens predict` wrote, the header first, and what it said."""
        model = tiny_run.folder / "model"
        ended = emolens("predict", "--model", model, "--input", *shlex.split(arguments))
        assert ended.code == 0, ended.err
        path = Path(ended.out.strip())
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            return [
                table.column_names,
                *map(list, zip(*table.to_pydict().values(), strict=True)),
            ], (ended.err)
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix in (".jsonl", ".json"):
            rows = (
                json.loads(text) if path.suffix == ".json" else map(json.loads, text.splitlines())
            )
            return [["text"], *([row.get("text")] for row in rows)], ended.err
        dialect = csv.Sniffer().sniff(text.splitlines()[0], delimiters=",;\t")
        return list(csv.reader(io.StringIO(text), dialect)), ended.err

    return call


@pytest.mark.parametrize(
    ("place", "arguments", "n_rows", "says"),
    [
        ("60-predict-has-emotion", "labelled.csv --prefix my_", 16, ""),
        ("61b-predict-unnamed-columns-lost", "t.csv", 2, ""),
        ("62-predict-space-in-header", "t.csv", 16, ""),
        (
            "64-predict-commas-in-header",
            "t.csv --text 'Tell us, in your own words, how you feel'",
            16,
            "",
        ),
        ("65-predict-utf16", "t.csv", 16, "utf-16"),
        ("67-predict-one-ragged-row", "t.csv", 17, "1 row could not be read"),
        ("68-predict-json", "t.json", 16, ""),
        ("72-predict-jsonl-late-key", "t.jsonl --out o.csv", 16, ""),
        ("77-predict-txt-blank-lines", "t.txt", 6, ""),
        ("78-predict-headerless", "t.csv", 16, "--header"),
        ("103-parquet-column-twice", "data.parquet", 64, ""),
        ("104-first-row-without-text", "t.jsonl", 6, "1 blank"),
        ("109-emoji-only", "data.csv", 100, ""),
    ],
    indirect=["place"],
)
def test_predict_keeps_every_row(
    place: Path, arguments: str, n_rows: int, says: str, predicted: Any
) -> None:
    rows, err = predicted(arguments)
    assert len(rows) - 1 == n_rows
    assert says.lower() in err.lower()


@pytest.mark.parametrize("place", ["61b-predict-unnamed-columns-lost"], indirect=True)
def test_predict_keeps_every_column(place: Path, predicted: Any) -> None:
    rows, _ = predicted("t.csv")
    assert rows[0][:4] == ["id", "text", "", ""]
    assert rows[1][:4] == ["1", "I am glad", "north", "red"]


@pytest.mark.parametrize("place", ["67-predict-one-ragged-row"], indirect=True)
def test_predict_marks_the_row_that_it_can_not_read(place: Path, predicted: Any) -> None:
    rows, _ = predicted("t.csv")
    error = rows[0].index("error")
    assert sum(bool(row[error]) for row in rows[1:]) == 1


@pytest.mark.parametrize("place", ["67-predict-one-ragged-row"], indirect=True)
def test_strict_stops_at_the_row(place: Path, emolens: Emolens, tiny_run: Run) -> None:
    model = tiny_run.folder / "model"
    ended = emolens("predict", "--strict", "--model", model, "--input", "t.csv")
    assert ended.code == 1
    assert "line" in ended.err
    assert [path.name for path in place.iterdir()] == ["t.csv"]


@pytest.mark.parametrize("place", ["60-predict-has-emotion"], indirect=True)
def test_the_hint_about_a_taken_name_works(place: Path, emolens: Emolens, tiny_run: Run) -> None:
    ended = emolens("predict", "--model", tiny_run.folder / "model", "--input", "labelled.csv")
    assert ended.code == 1
    assert "--prefix" in ended.err
