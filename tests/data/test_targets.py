"""Label columns in every form that people write, from files and from Python values."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.checks import Note
from emolens.data.dataset import Dataset
from emolens.data.sources import load_dataset
from emolens.errors import DataError, UsageError

NAMES = ("sadness", "joy", "anger", "fear")
Rows = Sequence[Sequence[str]]


def texts(n: int) -> list[str]:
    return [f"the letter number {i} came today" for i in range(n)]


def table(path: Path, labels: Sequence[object], **columns: Sequence[object]) -> Path:
    """A CSV file of texts and labels, and of more columns behind them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", *columns])
        writer.writerows(zip(texts(len(labels)), labels, *columns.values(), strict=True))
    return path


def lines(path: Path, labels: Sequence[object], **columns: Sequence[object]) -> Path:
    """A file of JSON lines with texts and labels."""
    names = ("text", "label", *columns)
    rows = zip(texts(len(labels)), labels, *columns.values(), strict=True)
    path.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows))
    return path


def classes(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """The class names of each text, in the order of their names."""
    found = {}
    for split in dataset.splits.values():
        for text, label in zip(split.texts, split.labels, strict=True):
            ids = np.flatnonzero(label).tolist() if label.ndim else [int(label)]
            found[text] = tuple(sorted(dataset.labels.names[i] for i in ids))
    return found


def notes(dataset: Dataset, code: str) -> list[Note]:
    return [note for note in dataset.notes if note.code == code]


def said(dataset: Dataset, code: str) -> str:
    return " ".join(note.text for note in notes(dataset, code))


def ids_of(rows: Rows) -> list[list[int]]:
    return [[NAMES.index(name) for name in row] for row in rows]


# How a row of class names can be written into one cell of a CSV file. Each form keeps the names.
NAMED: dict[str, Callable[[Sequence[str]], str]] = {
    "comma": ",".join,
    "comma and space": ", ".join,
    "semicolon": ";".join,
    "bar": "|".join,
    "hash": "#".join,
    "slash": "/".join,
    "JSON": json.dumps,
    "Python": lambda row: str(list(row)),
    "tuple": lambda row: f"({', '.join(row)},)",
    "set": lambda row: "{" + ",".join(row) + "}",
    "NumPy": lambda row: str(np.array(row)),
    "marks by name": lambda row: json.dumps({name: int(name in row) for name in NAMES}),
}
NUMBERED: dict[str, Callable[[list[int]], str]] = {
    "comma": lambda row: ",".join(map(str, row)),
    "space": lambda row: " ".join(map(str, row)),
    "JSON": json.dumps,
    "NumPy": lambda row: str(np.array(row)),
    "floats": lambda row: json.dumps([float(i) for i in row]),
    "vector": lambda row: json.dumps([int(i in row) for i in range(len(NAMES))]),
}
# Every class stands alone in some row, and two rows have two classes each.
SETS = st.lists(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True), min_size=4, max_size=20
).map(lambda rows: [*([name] for name in NAMES * 6), ["joy", "fear"], ["anger", "fear"], *rows])
SINGLES = st.lists(st.sampled_from(NAMES), min_size=4, max_size=20).map(
    lambda rows: [[name] for name in (*NAMES * 6, *rows)]
)


@settings(max_examples=60, deadline=None)
@given(rows=st.one_of(SETS, SINGLES), form=st.sampled_from(sorted(NAMED)))
def test_every_form_of_names_gives_the_same_classes(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, form: str
) -> None:
    path = table(tmp_path_factory.getbasetemp() / "rows.csv", [NAMED[form](row) for row in rows])
    dataset = load_dataset(path, shares=(0.4, 0.3, 0.3))
    assert dataset.multi_label == any(len(row) > 1 for row in rows)
    wanted = dict(zip(texts(len(rows)), (tuple(sorted(row)) for row in rows), strict=True))
    assert classes(dataset) == wanted
    assert dataset.labels.names == NAMES


@settings(max_examples=40, deadline=None)
@given(rows=st.one_of(SETS, SINGLES), form=st.sampled_from(sorted(NUMBERED)))
def test_every_form_of_numbers_gives_the_same_classes(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, form: str
) -> None:
    written = [NUMBERED[form](row) for row in ids_of(rows)]
    path = table(tmp_path_factory.getbasetemp() / "rows.csv", written)
    dataset = load_dataset(path, class_names=",".join(NAMES), shares=(0.4, 0.3, 0.3))
    wanted = dict(zip(texts(len(rows)), (tuple(sorted(row)) for row in rows), strict=True))
    assert classes(dataset) == wanted
    assert dataset.labels.names == NAMES


@settings(max_examples=30, deadline=None)
@given(
    rows=st.one_of(SETS, SINGLES),
    mark=st.sampled_from([(0, 1), ("False", "True"), (0.0, 1.0), ("", 1), ("no", "yes")]),
)
def test_one_column_for_each_class_gives_the_same_classes(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, mark: tuple[object, object]
) -> None:
    columns = {name: [mark[name in row] for row in rows] for name in NAMES}
    path = table(tmp_path_factory.getbasetemp() / "rows.csv", [7] * len(rows), **columns)
    dataset = load_dataset(path, label="fear, joy,anger,Sadness", shares=(0.4, 0.3, 0.3))
    wanted = dict(zip(texts(len(rows)), (tuple(sorted(row)) for row in rows), strict=True))
    assert classes(dataset) == wanted


@pytest.mark.parametrize("several", [False, True])
def test_lists_of_any_kind_give_the_same_classes(tmp_path: Path, several: bool) -> None:
    rows = [[name] for name in NAMES * 10] + ([["joy", "fear"]] if several else [])
    wanted = classes(load_dataset(table(tmp_path / "a.csv", ["|".join(row) for row in rows])))
    as_vectors = [[int(name in row) for name in NAMES] for row in rows]
    given_forms: list[Sequence[Any]] = [rows, list(map(np.array, rows)), list(map(tuple, rows))]
    for labels in given_forms:
        assert classes(Dataset.from_texts(texts(len(rows)), labels)) == wanted
    for vectors in (as_vectors, np.array(as_vectors), np.array(as_vectors, dtype=bool)):
        dataset = Dataset.from_texts(texts(len(rows)), vectors, class_names=NAMES)
        assert classes(dataset) == wanted
    assert classes(load_dataset(lines(tmp_path / "a.jsonl", rows))) == wanted


@pytest.mark.parametrize("saved", [False, True])
def test_lists_of_named_classes_keep_the_names(tmp_path: Path, saved: bool) -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.List(datasets.ClassLabel(names=["rage", "glee", "calm"]))
    features = datasets.Features({"text": datasets.Value("string"), "labels": names})
    rows = {"text": texts(40), "labels": [[0], [1], [2], [1, 2]] * 10}
    table = datasets.Dataset.from_dict(rows, features=features)
    if saved:
        datasets.DatasetDict({"train": table}).save_to_disk(str(tmp_path / "saved"))
    else:
        table.to_parquet(str(tmp_path / "saved.parquet"))
    dataset = load_dataset(tmp_path / ("saved" if saved else "saved.parquet"))
    assert dataset.labels.names == ("rage", "glee", "calm")
    assert classes(dataset)[texts(4)[3]] == ("calm", "glee")


def test_lists_of_one_in_a_parquet_file_are_one_class_per_row(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "rows.parquet"
    labels = [[0], [1], [2]] * 10
    pq.write_table(pa.table({"text": texts(30), "labels": labels}), path)
    dataset = load_dataset(path)
    assert not dataset.multi_label
    assert dataset.labels.names == ("0", "1", "2")
    assert "lists; each row has one class" in said(dataset, "L03")


def test_a_column_for_each_class_is_recognized_and_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    header = "text,id,rater,unclear,anger,fear,joy\n"
    marks = ["1,0,0", "0,1,0", "0,0,1"]
    rows = [f"{text},e{i},1,False,{marks[i % 3]}" for i, text in enumerate(texts(30))]
    path.write_text(header + "\n".join(rows))
    dataset = load_dataset(path)
    assert dataset.labels.names == ("joy", "anger", "fear")
    assert dataset.columns == ("text", "anger,fear,joy", "id", "rater", "unclear")
    assert "anger, fear, joy" in said(dataset, "L03")
    with pytest.raises(DataError, match="'id' holds 'e0', neither 0 nor 1"):
        load_dataset(path, label="anger,id")
    with pytest.raises(DataError, match="no label column 'angr'"):
        load_dataset(path, label="angr,fear")


@pytest.mark.parametrize(
    "names",
    [
        ("love, romantic", "love, parental", "joy"),
        ("anger/rage", "joy/delight", "fear"),
        ("very happy", "happy", "very sad"),
        ("surprise, good", "fear", "joy"),
        ("happy & calm", "sad"),
        ("[other]", "joy", "fear"),
        (";", ":)", ":/"),
    ],
)
def test_a_class_name_that_holds_a_separator_stays_whole(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    dataset = load_dataset(table(tmp_path / "rows.csv", [*names] * 12))
    assert set(dataset.labels.names) == set(names)
    assert not dataset.multi_label


def test_several_columns_may_hold_names(tmp_path: Path) -> None:
    first, second = ["joy", "fear", "awe"] * 12, ["", "joy", "nan"] * 12
    path = table(tmp_path / "a.csv", first, second=second)
    dataset = load_dataset(path, label="label,second")
    assert dataset.labels.names == ("joy", "fear", "awe")
    assert classes(dataset)[texts(3)[1]] == ("fear", "joy")
    assert "12 of 36 rows have several labels" in said(dataset, "L03")
    path = table(tmp_path / "b.csv", first, second=[0.7, 0.2, 0.1] * 12)
    with pytest.raises(DataError, match=r"'second' holds '0\.7', neither 0 nor 1"):
        load_dataset(path, label="second,second")


@pytest.mark.parametrize(
    "written",
    [
        ["joy;", "fear;", "joy;fear;", "awe;"],
        ["joy", "fear", "['joy', 'fear']", "['awe']", "awe"],
        ["joy", "fear", '["joy", "fear"]', "awe"],
    ],
)
def test_forms_that_are_mixed_in_one_column_are_read(tmp_path: Path, written: list[str]) -> None:
    dataset = load_dataset(table(tmp_path / "a.csv", written * 12))
    assert set(dataset.labels.names) == {"joy", "fear", "awe"}
    assert classes(dataset)[texts(3)[2]] == ("fear", "joy")


def test_objects_with_one_value_are_this_value(tmp_path: Path) -> None:
    labels = [[{"label": "joy"}], [{"label": "fear"}, {"label": "joy"}]] * 12
    dataset = load_dataset(lines(tmp_path / "a.jsonl", labels))
    assert classes(dataset)[texts(2)[1]] == ("fear", "joy")


def test_a_frame_may_have_a_column_for_each_class_or_one_beside_that_names_them() -> None:
    import pandas as pd

    frame = pd.DataFrame({"text": texts(40), "joy": [1, 0] * 20, "fear": [0, 1] * 20})
    dataset = Dataset.from_pandas(frame, label="joy,fear")
    assert classes(dataset)[texts(2)[1]] == ("fear",)
    assert dataset.columns == ("text", "joy,fear")
    frame = pd.DataFrame(
        {"text": texts(40), "label": [1.0, 0.0] * 20, "label_text": ["joy", "awe"] * 20, "id": 1}
    )
    dataset = Dataset.from_pandas(frame)
    assert dataset.labels.names == ("awe", "joy")
    assert dataset.columns == ("text", "label", "label_text", "id")


@pytest.mark.parametrize("separator", [",", "#", "|", ";"])
def test_a_label_that_never_stands_alone_is_a_class(tmp_path: Path, separator: str) -> None:
    rows = ["joy", "fear", f"joy{separator}surprise", f"fear{separator}surprise"] * 8
    dataset = load_dataset(table(tmp_path / "rows.csv", rows))
    assert dataset.labels.names == ("joy", "fear", "surprise")
    assert dataset.multi_label
    assert "16 of 32 rows have several labels" in said(dataset, "L03")


def test_the_user_says_what_stands_between_labels(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", ["joy", "fear", "joy,fear"] * 12)
    whole = load_dataset(path, label_separator="none")
    assert whole.labels.names == ("joy", "fear", "joy,fear")
    path = table(tmp_path / "rows.csv", ["joy~calm", "fear~calm", "joy"] * 12)
    assert load_dataset(path, label_separator="~").labels.names == ("joy", "fear", "calm")


def test_rows_with_none_of_the_classes_are_kept_beside_rows_with_several() -> None:
    labels = [["joy"], ["joy", "fear"], [], ["fear"]] * 10
    dataset = Dataset.from_texts(texts(40), labels)
    assert len(dataset) == 40
    assert "10 rows have none of the classes." in said(dataset, "L03")
    single = Dataset.from_texts(texts(40), [["joy"], ["fear"], [], ["fear"]] * 10)
    assert len(single) == 30
    assert "10 rows of train have no label" in said(single, "L01")


def test_whole_numbers_are_the_same_classes_however_they_are_written(tmp_path: Path) -> None:
    numbers = [i % 12 for i in range(144)]
    for i, split in enumerate(("train", "validation", "test")):
        written = (float, int, lambda n: f"{n:.3e}")[i]
        table(tmp_path / f"{split}.csv", [written(n) for n in numbers])
    dataset = load_dataset(tmp_path)
    assert dataset.labels.names == tuple(map(str, range(12)))
    assert [dataset[split].labels.tolist() for split in dataset.splits] == [numbers] * 3
    assert "whole numbers" in said(dataset, "L03")


def test_booleans_are_two_classes(tmp_path: Path) -> None:
    flags = [i % 2 == 0 for i in range(30)]
    from_lines = load_dataset(lines(tmp_path / "a.jsonl", flags))
    from_table = load_dataset(table(tmp_path / "a.csv", flags))
    assert from_lines.labels.names == from_table.labels.names == ("False", "True")
    assert classes(from_lines) == classes(from_table)
    mixed = load_dataset(table(tmp_path / "b.csv", ["TRUE", "false", "true", "FALSE"] * 8))
    assert len(mixed.labels) == 2


def test_a_column_beside_names_the_numbers(tmp_path: Path) -> None:
    ids = [i % 3 for i in range(30)]
    names = [("love", "joy", "grief")[i] for i in ids]
    dataset = load_dataset(lines(tmp_path / "a.jsonl", ids, label_text=names))
    assert dataset.labels.names == ("love", "joy", "grief")
    assert "'label_text' names the classes: 0 love, 1 joy, 2 grief" in said(dataset, "L03")
    names[0] = "joy"  # now number 0 has two names, so the column does not name the numbers
    dataset = load_dataset(lines(tmp_path / "b.jsonl", ids, label_text=names))
    assert dataset.labels.names == ("0", "1", "2")


@pytest.mark.parametrize("sign", [None, ","])
def test_a_column_beside_names_the_numbers_in_lists(tmp_path: Path, sign: str | None) -> None:
    ids = [[i % 3] if i % 4 else [i % 3, 2 - i % 2] for i in range(30)]
    names = [[("love", "joy", "grief")[i] for i in of] for of in ids]
    cells: list[list[Any]] = [[*ids], [*names]]
    if sign:
        cells = [[sign.join(map(str, of)) for of in column] for column in cells]
    dataset = load_dataset(lines(tmp_path / "a.jsonl", cells[0], label_text=cells[1]))
    assert dataset.labels.names == ("love", "joy", "grief")
    assert dataset.multi_label
    assert "'label_text' names the classes: 0 love, 1 joy, 2 grief" in said(dataset, "L03")
    cells[1][0] = cells[1][1]  # now the first row has two numbers and one name
    dataset = load_dataset(lines(tmp_path / "b.jsonl", cells[0], label_text=cells[1]))
    assert dataset.labels.names == ("0", "1", "2")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("names.txt", "calm\nglee\nrage\n"),
        ("names.txt", "0\tcalm\n1\tglee\n2\trage\n"),
        ("names.txt", "2: rage\n0: calm\n1: glee"),
        ("names.json", '["calm", "glee", "rage"]'),
        ("names.json", '{"0": "calm", "1": "glee", "2": "rage"}'),
        ("names.json", '{"calm": 0, "glee": 1, "rage": 2}'),
    ],
)
def test_class_names_come_from_a_file(tmp_path: Path, name: str, content: str) -> None:
    path = table(tmp_path / "a.csv", [i % 3 for i in range(30)])
    (tmp_path / name).write_text(content)
    assert load_dataset(path).labels.names == ("0", "1", "2")
    assert load_dataset(path, class_names=str(tmp_path / name)).labels.names == (
        ("calm", "glee", "rage")
    )


def test_class_names_may_count_from_one(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [1 + i % 3 for i in range(30)])
    dataset = load_dataset(path, class_names="calm,glee,rage")
    assert dataset["train"].labels[:1].tolist() == [0]
    assert dataset.labels.names == ("calm", "glee", "rage")
    assert "1 calm, 2 glee, 3 rage" in said(dataset, "L03")


def test_class_names_that_do_not_fit_are_an_error(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [i % 3 for i in range(30)])
    with pytest.raises(DataError, match="line 4: label 2 is outside the 2 classes") as caught:
        load_dataset(path, class_names="calm,glee")
    assert "--drop-classes 2" in caught.value.hint
    assert len(load_dataset(path, class_names="calm,glee", drop_classes="2")) == 20
    with pytest.raises(UsageError, match=r"no file 'nowhere\.txt'"):
        load_dataset(path, class_names="nowhere.txt")
    (tmp_path / "one.txt").write_text("calm")
    with pytest.raises(UsageError, match=r"one\.txt can't be read: it holds no two names"):
        load_dataset(path, class_names=str(tmp_path / "one.txt"))


MISSING = [
    "",
    " ",
    "nan",
    "NaN",
    "null",
    "NULL",
    "N/A",
    "n/a",
    "NA",
    "?",
    "-",
    "---",
    "#N/A",
    "\u200b",
]


@pytest.mark.parametrize("word", MISSING)
def test_a_row_without_a_label_is_left_out_and_counted(tmp_path: Path, word: str) -> None:
    path = table(tmp_path / "a.csv", [*["joy", "fear"] * 10, word])
    dataset = load_dataset(path)
    assert (len(dataset), dataset.labels.names) == (20, ("joy", "fear"))
    [note] = [note for note in dataset.notes if note.code == "L01"]
    assert (note.n_rows, note.rows) == (1, (22,))
    assert "1 row of train has no label" in note.text
    assert f"{path}, line 22" in note.text
    with pytest.raises(DataError, match="line 22: the row has no label"):
        load_dataset(path, strict=True)


@pytest.mark.parametrize("value", [None, float("nan"), -1])
def test_a_missing_value_of_numbers_is_left_out(value: Any) -> None:
    labels = [*[0, 1] * 10, value]
    dataset = Dataset.from_texts(texts(21), labels, class_names=["joy", "fear"])
    assert len(dataset) == 20
    assert [note.n_rows for note in dataset.notes if note.code == "L01"] == [1]


def test_minus_one_is_a_class_where_it_is_one_among_others() -> None:
    dataset = Dataset.from_texts(texts(30), [-1, 0, 1] * 10)
    assert dataset.labels.names == ("-1", "0", "1")


@pytest.mark.parametrize("label", [-1, "", "?"])
def test_a_test_split_without_labels_is_left_out(tmp_path: Path, label: object) -> None:
    table(tmp_path / "train.csv", [0, 1] * 20)
    table(tmp_path / "test.csv", [label] * 10)
    dataset = load_dataset(tmp_path)
    assert dataset.labels.names == ("0", "1")
    assert len(dataset) == 40  # validation and test are cut out of train
    assert "No row of test has a label" in said(dataset, "S01")


def test_none_is_a_class_unless_it_is_rare_beside_missing_labels(tmp_path: Path) -> None:
    often = [*["joy", "none"] * 20, ""]
    assert load_dataset(table(tmp_path / "a.csv", often)).labels.names == ("joy", "none")
    alone = [*["joy", "fear"] * 99, "none"]
    assert len(load_dataset(table(tmp_path / "b.csv", alone)).labels) == 3
    rare = [*["joy", "fear"] * 99, "None", ""]
    dataset = load_dataset(table(tmp_path / "c.csv", rare))
    assert dataset.labels.names == ("joy", "fear")
    assert "2 rows of train have no label (None)" in said(dataset, "L01")
    kept = load_dataset(tmp_path / "c.csv", missing="nan,null")
    assert kept.labels.names == ("joy", "fear", "None")


def test_the_user_says_which_words_are_missing_labels(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["joy", "unclear", "n/a", ""] * 10)
    dataset = load_dataset(path, missing="Unclear,skipped")
    assert dataset.labels.names == ("joy", "n/a")
    assert len(dataset) == 20


def test_classes_to_leave_out_are_left_out_and_counted(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["joy", "fear", "mixed, other"] * 10)
    dataset = load_dataset(path, drop_classes="Mixed, other")
    assert dataset.labels.names == ("joy", "fear")
    assert "10 rows of train have a class to leave out (mixed, other)" in said(dataset, "L01")
    several = load_dataset(
        table(tmp_path / "b.csv", ["joy", "fear", "joy|rage", "fear|joy", "rage"] * 10),
        drop_classes="rage",
    )
    assert several.labels.names == ("joy", "fear")
    assert len(several) == 40  # the other label of a row stays


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(
        st.sampled_from(
            [
                str.upper,
                str.title,
                "  {} ".format,
                "\u00a0{}".format,
                "{}\u200b".format,
                "\ufeff{}".format,
                lambda name: name.replace("é", "e\u0301"),
                lambda name: name.replace("fi", "\ufb01"),
            ]
        ),
        min_size=1,
        max_size=6,
    )
)
def test_spellings_that_look_alike_are_one_class(changes: list[Callable[[str], str]]) -> None:
    names = ["gaîté fine", "dépit"]
    labels = [*names * 10, *(change(name) for change in changes for name in names)]
    dataset = Dataset.from_texts(texts(len(labels)), labels)
    assert dataset.labels.names == tuple(sorted(names))
    assert len(dataset) == len(labels)
    changed = {label for label in labels if label not in names}
    assert bool(changed) == bool(said(dataset, "L02"))


def test_the_most_frequent_spelling_is_the_name() -> None:
    labels = ["Joy"] * 10 + ["joy"] * 3 + ["JOY"] * 2 + ["Fear"] * 4 + ["fear"] * 4
    dataset = Dataset.from_texts(texts(len(labels)), labels)
    assert dataset.labels.names == ("fear", "Joy")
    assert "5 spellings are 2 classes" in said(dataset, "L02")
    named = Dataset.from_texts(texts(len(labels)), labels, class_names=["JOY", "FEAR"])
    assert named.labels.names == ("JOY", "FEAR")


def test_other_splits_follow_the_spelling_and_the_columns_of_train(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", ["joy", "fear"] * 10)
    (tmp_path / "test.csv").write_text("Label , TEXT\nJOY,one\n FEAR ,two\n")
    dataset = load_dataset(tmp_path)
    assert dataset.labels.names == ("joy", "fear")
    assert dataset["test"].texts == ("one", "two")
    assert dataset["test"].labels.tolist() == [0, 1]


def test_a_class_that_only_another_split_has_is_named_with_a_way_out(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", ["joy", "fear"] * 10)
    path = table(tmp_path / "test.csv", ["joy", "fear", "in awe", "in awe"])
    with pytest.raises(DataError, match="line 4: class 'in awe' does not occur") as caught:
        load_dataset(tmp_path)
    assert str(path) in str(caught.value)
    assert "2 rows have it" in str(caught.value)
    assert '--drop-classes "in awe"' in caught.value.hint
    assert load_dataset(tmp_path, drop_classes="in awe")["test"].labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        ([f"e{i}" for i in range(40)], "a name or number for each row"),
        (list(range(100, 140)), "a name or number for each row"),
        ([i / 7 for i in range(40)], "measured values"),
        ([(i % 25) / 7 for i in range(200)], "measured values"),
        ([f"{i / 7:.2f}".replace(".", ",") for i in range(40)], "measured values"),
        (texts(40), "the texts"),
        ([f"I felt as I did on day {i}, only worse" for i in range(40)], "a name or number for"),
        ([f'{{"joy": {i / 40}, "fear": 0.5}}' for i in range(40)], "holds objects"),
    ],
)
def test_a_column_without_classes_is_named(tmp_path: Path, labels: list[object], what: str) -> None:
    path = table(tmp_path / "a.csv", labels, mood=["joy"] * len(labels))
    with pytest.raises(DataError, match="the column 'label' holds") as caught:
        load_dataset(path)
    assert what in str(caught.value)
    assert "--label" in caught.value.hint


def test_two_different_texts_are_named_as_the_cause(tmp_path: Path) -> None:
    rows = "\n".join(["I am glad,joy", "I am cross,anger"] * 30)
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}\n")
    with pytest.raises(DataError, match="60 rows, but only 2 different texts"):
        load_dataset(tmp_path / "a.csv")


@pytest.mark.parametrize("written", [str.split, lambda text: str(text.split()), None])
def test_texts_of_words_are_joined_and_said(tmp_path: Path, written: Any) -> None:
    written = written or (lambda text: json.dumps(text.split()))
    labels = ["joy", "fear"] * 15
    rows = [
        {"text": written(text), "label": label}
        for text, label in zip(texts(30), labels, strict=True)
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    dataset = load_dataset(path)
    assert set(classes(dataset)) == set(texts(30))
    assert "joined with spaces" in said(dataset, "R05")


@pytest.mark.parametrize("text", ["['so", "[so]", "['so' it", "['a' + 'b']", '["a"]["b"]'])
def test_a_text_that_only_begins_like_a_list_stays_as_it_is(text: str) -> None:
    dataset = Dataset.from_texts([*texts(30), text], [*["joy", "fear"] * 15, "joy"])
    assert text in classes(dataset)
    assert not said(dataset, "R05")


@pytest.mark.parametrize("text", ["cut \ud83d", b"\xff", [1, 2], {"a": "b"}])
def test_a_text_that_can_not_be_read_is_left_out_and_counted(text: Any) -> None:
    dataset = Dataset.from_texts([*texts(30), text], [*["joy", "fear"] * 15, "joy"])
    assert len(dataset) == 30
    [note] = [note for note in dataset.notes if note.code == "R04"]
    assert (note.n_rows, note.rows) == (1, (31,))
    assert "1 row of train can't be read and is left out; the first is texts, row 31" in note.text


def several() -> Dataset:
    return Dataset.from_texts(texts(60), [["joy"], ["fear", "joy"], ["awe"], ["fear"]] * 15)


def test_a_dataset_with_several_labels_does_all_that_others_do() -> None:
    dataset = several()
    assert dataset["train"].labels.dtype == bool
    assert dataset["train"].labels.shape == (dataset.sizes["train"], 3)
    assert dataset.labels.names == ("joy", "fear", "awe")
    assert sum(dataset.counts(split) for split in dataset.splits).tolist() == [30, 30, 15]
    wanted = dict(zip(texts(60), [["joy"], ["joy", "fear"], ["awe"], ["fear"]] * 15, strict=True))
    for row in dataset.head(9):
        names = wanted[str(row["text"])]
        assert row["label_name"] == ", ".join(names)
        assert row["label"] == [dataset.labels.id_of(name) for name in names]
    assert all(k in row["label"] for k, row in enumerate(dataset.one_of_each()))  # type: ignore[operator]
    frame = dataset.to_pandas()
    assert dict(zip(frame["text"], frame["label"], strict=True)) == wanted
    assert dataset.features["label"] == "List(ClassLabel(names=['joy', 'fear', 'awe']))"
    assert len(dataset.limited(12, seed=1)["train"]) == 12
    assert (dataset.limited(12, seed=1).counts("train") > 0).all()
    assert dataset.fingerprint != replaced(dataset).fingerprint
    assert "3 classes" in repr(dataset)
    assert texts(1)[0] in dataset["train"]._repr_html_()
    again = Dataset.from_pandas(dataset.to_pandas(), split="split")
    assert again.y["test"].tolist() == dataset.y["test"].tolist()


def replaced(dataset: Dataset) -> Dataset:
    """The same data with one label less."""
    labels = [["joy"], ["fear", "joy"], ["awe"], ["fear"]] * 15
    labels[1] = ["joy"]
    return Dataset.from_texts(texts(60), labels)


def test_what_learns_one_class_per_row_says_so(tmp_path: Path) -> None:
    from emolens.evaluation.evaluate import evaluate
    from emolens.learn.baselines import majority, tfidf
    from emolens.learn.finetune import finetune
    from emolens.study import load_study, run_study

    dataset = several()
    learners: list[Callable[[], object]] = [
        lambda: majority(dataset),
        lambda: tfidf(dataset),
        lambda: finetune("minilm", dataset, tmp_path / "model"),
        lambda: evaluate(dataset, []),
    ]
    path = table(tmp_path / "a.csv", ["joy", "fear", "joy,fear"] * 12)
    study = load_study("starter", {"data.dataset": str(path)})
    for stage in (None, "map", "finetune", "evaluate"):
        learners.append(lambda stage=stage: run_study(study, tmp_path / "run", until=stage))  # type: ignore[misc]
    for learn in learners:
        with pytest.raises(DataError, match=r"several labels in \d+ of") as caught:
            learn()
        assert "--label COLUMN" in caught.value.hint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "names",
    [
        ["strongly agree", "agree", "neutral", "disagree", "strongly disagree"],
        ["very happy", "happy", "very sad", "sad"],
        ["salt and pepper", "salt", "sugar"],
        ["joy", "anger", "#fear"],
    ],
)
def test_names_of_several_words_stay_whole(tmp_path: Path, names: list[str]) -> None:
    """Their parts are not all classes on their own."""
    dataset = load_dataset(table(tmp_path / "a.csv", names * 12))
    assert not dataset.multi_label
    assert sorted(dataset.labels.names) == sorted(names)


@pytest.mark.parametrize(
    "joined", ["joy and anger", "joy, fear and anger", "joy, fear, and anger", "Joy and Anger"]
)
def test_names_with_and_between_them_are_several_labels(tmp_path: Path, joined: str) -> None:
    dataset = load_dataset(table(tmp_path / "a.csv", ["joy", "anger", "fear", joined] * 12))
    assert sorted(dataset.labels.names) == ["anger", "fear", "joy"]
    assert "12 of 48 rows have several labels" in said(dataset, "L03")


@pytest.mark.parametrize(
    "written", ['"{}"', "'{}'", "\u201c{}\u201d", "\u00ab {} \u00bb", "`{}`", ' "{}"']
)
def test_quotes_around_labels_are_left_out_and_said(tmp_path: Path, written: str) -> None:
    labels = [written.format(name) for name in ("joy", "anger")] * 12
    dataset = load_dataset(table(tmp_path / "a.csv", [*labels, "joy", "don't know", '"'] * 2))
    assert sorted(dataset.labels.names) == ['"', "anger", "don't know", "joy"]
    assert "Quotes around labels are left out" in said(dataset, "L03")


@pytest.mark.parametrize(
    "written",
    [
        '{{"emotion": "{}"}}',
        "{{'emotion': '{}'}}",
        '{{"name": "{}", "score": 0.5}}',
        "[{{'label': '{}', 'score': 0.5}}]",
    ],
)
def test_an_object_with_one_name_is_this_name(tmp_path: Path, written: str) -> None:
    labels = [written.format(name) for name in ("joy", "anger")] * 12
    assert sorted(load_dataset(table(tmp_path / "a.csv", labels)).labels.names) == ["anger", "joy"]
    nested = [{"name": name, "score": 0.5} for name in ("joy", "anger")] * 12
    dataset = load_dataset(lines(tmp_path / "a.jsonl", nested), label="label")
    assert sorted(dataset.labels.names) == ["anger", "joy"]


def test_names_beside_objects_with_choices_are_several_labels(tmp_path: Path) -> None:
    """So Label Studio writes its CSV files."""
    labels = ["joy", "fear", '{"choices":["joy","fear"]}'] * 12
    dataset = load_dataset(table(tmp_path / "a.csv", labels))
    assert sorted(dataset.labels.names) == ["fear", "joy"]
    assert dataset.multi_label


@pytest.mark.parametrize("word", ["#NULL!", "#VALUE!", "#REF!", "#DIV/0!", "\\N", "[]", "{}"])
def test_what_a_spreadsheet_writes_for_no_value_is_no_class(tmp_path: Path, word: str) -> None:
    dataset = load_dataset(table(tmp_path / "a.csv", [*(["joy", "anger"] * 20), word]))
    assert sorted(dataset.labels.names) == ["anger", "joy"]
    assert "1 row of train has no label" in said(dataset, "L01")


def test_a_header_inside_the_table_is_left_out_and_counted(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["joy", "anger"] * 12)
    path.write_text(path.read_text() * 2)
    dataset = load_dataset(path)
    assert sorted(dataset.labels.names) == ["anger", "joy"]
    assert len(dataset) == 48
    assert "line 26: the row repeats the names of the columns" in said(dataset, "R04")
    with pytest.raises(DataError, match="line 26: the row repeats"):
        load_dataset(path, strict=True)


def test_another_column_of_a_usual_name_may_name_the_numbers(tmp_path: Path) -> None:
    names = ["joy", "anger", "fear"] * 8
    path = table(tmp_path / "a.csv", [0, 1, 2] * 8, emotion=names)
    dataset = load_dataset(path)
    assert dataset.labels.names == ("joy", "anger", "fear")
    assert "from the column 'label', and not from emotion" in said(dataset, "R05")
    assert load_dataset(path, label="emotion").labels.names == ("joy", "anger", "fear")
    wrong = table(tmp_path / "b.csv", [0, 1, 2] * 8, label_text=["fear", *names[1:]])
    assert "'label_text' does not give each of them one name" in said(load_dataset(wrong), "L03")


def test_numbers_with_a_decimal_comma_are_whole(tmp_path: Path) -> None:
    dataset = load_dataset(table(tmp_path / "a.csv", [f"{i % 12},0" for i in range(240)]))
    assert dataset.labels.names == tuple(map(str, range(12)))


def test_as_many_names_as_numbers_are_taken_in_order(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [0, 2, 5, 10] * 8)
    dataset = load_dataset(path, class_names="sadness,joy,anger,fear")
    assert dataset.labels.names == NAMES
    assert "names the classes: 0 sadness, 2 joy, 5 anger, 10 fear" in said(dataset, "L03")


@pytest.mark.parametrize(
    ("yes", "no"), [("TRUE", "FALSE"), ("yes", "no"), ("x", ""), ("1.0", "0.0"), ("1", "")]
)
def test_columns_that_mark_their_class_are_taken_together(
    tmp_path: Path, yes: str, no: str
) -> None:
    """Whatever marks a row, and also with the text between them."""
    header = "id,is_new,joy,anger,text,fear,year"
    rows = []
    for i in range(30):
        marks = [yes if i % 3 == k else no for k in range(3)]
        new = yes if i % 2 else no
        rows.append(f"{i},{new},{marks[0]},{marks[1]},the letter {i} came,{marks[2]},2020")
    (tmp_path / "a.csv").write_text("\n".join([header, *rows]))
    dataset = load_dataset(tmp_path / "a.csv")
    assert sorted(dataset.labels.names) == ["anger", "fear", "joy"]
    assert "joy, anger, fear. These beside them are no classes: is_new." in said(dataset, "L03")


def test_a_test_split_of_no_label_in_any_column_is_left_out(tmp_path: Path) -> None:
    """Such as the test file of SemEval 2018."""
    columns = {name: [str(int(i % 3 == k)) for i in range(30)] for k, name in enumerate(NAMES[1:])}
    table(tmp_path / "train.csv", ["-"] * 30, **columns)
    table(tmp_path / "test.csv", ["-"] * 9, **{name: ["NONE"] * 9 for name in columns})
    dataset = load_dataset(tmp_path, label=",".join(columns))
    assert sorted(dataset.labels.names) == sorted(columns)
    assert "No row of test has a label" in said(dataset, "S01")


def test_a_split_with_labels_of_another_kind_names_both(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", [0, 1, 2] * 8)
    table(tmp_path / "test.csv", ["joy", "anger", "fear"] * 3)
    with pytest.raises(DataError, match="it has 0, 1, 2, and here are anger, fear, joy") as caught:
        load_dataset(tmp_path)
    assert "--class-names" in caught.value.hint
    names = load_dataset(tmp_path, class_names="joy,anger,fear").labels.names
    assert names == ("joy", "anger", "fear")


def test_columns_of_other_usual_names_in_another_split_are_taken_and_said(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", ["joy", "anger"] * 12)
    rows = "\n".join(["I am here,joy", "I am cross,anger"])
    (tmp_path / "test.csv").write_text(f"sentence,emotion\n{rows}\n")
    dataset = load_dataset(tmp_path)
    assert dataset["test"].texts == ("I am here", "I am cross")
    assert "test.csv (test) has other columns: 'sentence' for 'text'" in said(dataset, "R05")
    (tmp_path / "test.csv").write_text(f"phrase,emotion\n{rows}\n")
    with pytest.raises(DataError, match="has no text column 'text'"):
        load_dataset(tmp_path)


def test_texts_in_memory_are_read_with_the_options_of_files() -> None:
    labels = ["joy", "anger", "skipped", "other"] * 10
    dataset = Dataset.from_texts(texts(40), labels, missing="skipped", drop_classes="other")
    assert sorted(dataset.labels.names) == ["anger", "joy"]
    assert "10 rows of train have no label (skipped)" in said(dataset, "L01")
    with pytest.raises(DataError, match="no label"):
        Dataset.from_texts(texts(40), ["", *labels[1:]], strict=True)
    with pytest.raises(TypeError, match="mising"):
        Dataset.from_texts(texts(40), labels, mising="skipped")
    import pandas as pd

    frame = pd.DataFrame({"text": texts(40), "label": labels})
    assert len(Dataset.from_pandas(frame, missing="skipped", drop_classes="other")) == 20


@pytest.mark.parametrize("sign", ["/", " + ", " & ", " and "])
def test_a_class_that_stands_only_beside_others_is_one(tmp_path: Path, sign: str) -> None:
    names = ("joy", "anger", "fear")
    joined = [f"{name}{sign}awe" for name in names]
    dataset = load_dataset(table(tmp_path / "a.csv", [*names, *joined] * 6))
    assert sorted(dataset.labels.names) == ["anger", "awe", "fear", "joy"]


def test_both_signs_of_a_list_in_words_are_read(tmp_path: Path) -> None:
    labels = ["joy", "anger", "fear", "joy and anger", "joy, anger, and fear"] * 8
    dataset = load_dataset(table(tmp_path / "a.csv", labels))
    assert sorted(dataset.labels.names) == ["anger", "fear", "joy"]


def test_plus_and_minus_are_classes(tmp_path: Path) -> None:
    dataset = load_dataset(table(tmp_path / "a.csv", ["+", "-"] * 15))
    assert sorted(dataset.labels.names) == ["+", "-"]


def test_a_word_may_be_the_separator(tmp_path: Path) -> None:
    labels = ["Wut", "Freude", "Wut und Freude", "verwundert"] * 9
    path = table(tmp_path / "a.csv", labels)
    dataset = load_dataset(path, label_separator="und")
    assert sorted(dataset.labels.names) == ["Freude", "Wut", "verwundert"]
    assert len(load_dataset(path).labels) == 4


@pytest.mark.parametrize("sign", [" ", ",", ";"])
def test_marks_for_each_class_need_no_brackets(tmp_path: Path, sign: str) -> None:
    labels = [sign.join(str(int(i % 4 == k)) for k in range(4)) for i in range(40)]
    dataset = load_dataset(table(tmp_path / "a.csv", labels))
    assert dataset.labels.names == ("0", "1", "2", "3")
    assert not dataset.multi_label
    names = load_dataset(tmp_path / "a.csv", class_names=NAMES).labels.names
    assert names == NAMES


def test_all_classes_that_train_lacks_are_named_at_once(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", ["joy", "anger"] * 12)
    table(tmp_path / "test.csv", ["joy", "trust", "disgust", "trust"])
    with pytest.raises(DataError, match="the classes disgust, trust do not occur") as caught:
        load_dataset(tmp_path)
    assert "3 rows have one of them" in str(caught.value)
    assert '--drop-classes "disgust,trust".' in caught.value.hint
    assert len(load_dataset(tmp_path, drop_classes="disgust,trust")["test"]) == 1


def test_an_object_of_marks_in_the_form_of_spacy_is_read(tmp_path: Path) -> None:
    rows = [
        {"text": text, "cats": {"JOY": float(i % 2), "FEAR": float(i % 2 == 0)}}
        for i, text in enumerate(texts(30))
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert sorted(load_dataset(tmp_path / "a.jsonl").labels.names) == ["FEAR", "JOY"]


def test_a_class_to_leave_out_that_does_not_exist_is_said(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ["joy", "anger", "love, romantic", "fear"] * 12)
    note = next(n for n in load_dataset(path, drop_classes="Anegr").notes if n.code == "L01")
    assert note.text == "No row has the class 'anegr' that is to be left out."
    assert "Did you mean 'anger'?" in note.hint
    assert "No row has" not in said(load_dataset(path, drop_classes="Fear"), "L01")
    assert "No row has" not in said(load_dataset(path, drop_classes="love, romantic"), "L01")


def test_labels_of_merged_cells_are_named_as_the_cause(tmp_path: Path) -> None:
    groups = [name if i == 0 else "" for name in NAMES for i in range(16)]
    with pytest.raises(DataError, match="60 rows of train have no label") as caught:
        load_dataset(table(tmp_path / "rows.csv", groups))
    assert "merged cells" in caught.value.hint
    many = [name if i == 0 else "" for name in NAMES * 10 for i in range(4)]
    (note,) = notes(load_dataset(table(tmp_path / "rows.csv", many)), "L01")
    assert note.n_rows == 120
    assert "merged cells" in note.hint
    few = [*NAMES * 10, *[""] * 30]
    (note,) = notes(load_dataset(table(tmp_path / "rows.csv", few)), "L01")
    assert "merged cells" not in note.hint


@pytest.mark.parametrize("as_text", [False, True])
def test_what_is_not_read_of_an_object_is_said(tmp_path: Path, as_text: bool) -> None:
    rows: list[Any] = [
        [{"label": name, "score": 0.8}, {"label": other, "score": 0.2}]
        for name, other in zip(NAMES * 10, NAMES[1:] * 15, strict=False)
    ]
    path = table(tmp_path / "a.csv", rows) if as_text else lines(tmp_path / "a.jsonl", rows)
    dataset = load_dataset(path)
    assert dataset.multi_label
    assert "the labels are objects, of which score is not read" in said(dataset, "L03")
    whole = [{"emotion": name} for name in NAMES * 10]
    dataset = load_dataset(lines(tmp_path / "rows.jsonl", whole))
    assert said(dataset, "L03") == "The labels are objects; each row has one class."


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (("True", "False"), (1, 0)),
        (("TRUE", "FALSE"), ("1.0", "0.0")),
        ((1, 0), ("true", "false")),
        (("yes", "no"), (1, 0)),
    ],
)
def test_true_and_false_are_one_and_zero_in_another_split(
    tmp_path: Path, train: tuple[object, object], test: tuple[object, object]
) -> None:
    table(tmp_path / "train.csv", train * 20)
    table(tmp_path / "test.csv", test * 5)
    dataset = load_dataset(tmp_path)
    assert set(dataset.labels.names) == set(map(str, train))
    assert dataset.counts("test").tolist() == [5, 5]
    yes = dataset.labels.names.index(str(train[0]))
    assert dataset["test"].labels[0] == yes
    assert "written as" in said(dataset, "L03")


def test_columns_that_mark_classes_may_have_a_decimal_comma(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = [
        ";".join([text, *("1,0" if i % 3 == k else "0,0" for k in range(3))])
        for i, text in enumerate(texts(30))
    ]
    path.write_text("\n".join(["text;joy;anger;fear", *rows]))
    assert set(load_dataset(path).labels.names) == {"joy", "anger", "fear"}


def test_a_word_for_missing_labels_that_no_row_has_is_said(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", [*NAMES * 9, "skipped", "", ""])
    dataset = load_dataset(path, missing="Skipped,unknwon")
    assert "No row has these words for a missing label: unknwon." in said(dataset, "L01")


def test_no_hint_gives_names_that_a_shell_or_a_comma_changes(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", NAMES * 9)
    for odd, typed in ((["a b"], '"a b"'), (["a,b"], '"a,b"'), (["a", "b"], '"a,b"')):
        table(tmp_path / "test.csv", [*NAMES, *odd])
        with pytest.raises(DataError) as caught:
            load_dataset(tmp_path, label_separator="none")
        assert f"--drop-classes {typed}." in caught.value.hint
    for names in (["a,b", "c"], ['so "odd"'], ["$HOME"]):
        table(tmp_path / "test.csv", [*NAMES, *names])
        with pytest.raises(DataError) as caught:
            load_dataset(tmp_path, label_separator="none")
        assert "--drop-classes" not in caught.value.hint


def test_a_table_without_any_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + ",joy\n,anger\n" * 9)
    with pytest.raises(DataError, match="has no row with a text"):
        load_dataset(path)


def test_spellings_count_as_one_where_a_column_of_many_labels_is_refused(tmp_path: Path) -> None:
    forms = ("{}", " {}", "{} ", "'{}'", "{}\u200b", "{}\ufeff", '"{}"')
    spelled = [form.format(word) for n in NAMES for form in forms for word in (n, n.upper())]
    assert load_dataset(table(tmp_path / "rows.csv", spelled)).labels.names == NAMES


@pytest.mark.parametrize("word", ["n.a.", "N/A.", "N / A"])
def test_other_ways_to_write_no_value_are_no_class(tmp_path: Path, word: str) -> None:
    dataset = load_dataset(table(tmp_path / "rows.csv", [*NAMES * 9, word, word]))
    assert dataset.labels.names == NAMES
    assert "2 rows of train have no label" in said(dataset, "L01")


def test_the_names_in_the_settings_of_a_model_are_read(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", [0, 1, 2, 3] * 9)
    for name in ("id2label", "label2id"):
        by_id = {str(i): label for i, label in enumerate(NAMES)}
        names = by_id if name == "id2label" else {label: int(i) for i, label in by_id.items()}
        (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 4, name: names}))
        dataset = load_dataset(path, class_names=str(tmp_path / "config.json"))
        assert dataset.labels.names == NAMES


def test_a_test_split_without_labels_is_not_counted_as_left_out(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", NAMES * 9)
    table(tmp_path / "test.csv", [""] * 9)
    dataset = load_dataset(tmp_path)
    assert notes(dataset, "S01")[0].n_rows == 9
    assert not notes(dataset, "L01")


def test_parts_of_a_text_with_a_name_are_no_classes(tmp_path: Path) -> None:
    spans = [[[0, 4, name]] * (1 + i % 2) for i, name in enumerate(NAMES * 9)]
    with pytest.raises(DataError, match=r"lists inside of lists, such as \[0, 4, 'sadness'\]"):
        load_dataset(lines(tmp_path / "rows.jsonl", spans))


def test_a_list_of_an_empty_text_is_no_label(tmp_path: Path) -> None:
    rows = [*([name] for name in NAMES * 9), [""], [" "]]
    dataset = load_dataset(lines(tmp_path / "rows.jsonl", rows))
    assert dataset.labels.names == NAMES
    assert "2 rows of train have no label" in said(dataset, "L01")


def test_few_different_texts_are_named_as_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "".join(f"so {i % 3},{NAMES[i % 4]}\n" for i in range(64)))
    with pytest.raises(DataError, match="64 rows, but only 3 different texts"):
        load_dataset(path)
