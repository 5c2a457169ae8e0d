"""Folders as people have them: what is read, what is said, and whether the hints work."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from emolens.cli import app
from emolens.cli.ending import run_command
from emolens.data.dataset import Dataset
from emolens.data.sources import load_dataset
from emolens.errors import DataError, EmolensError, UsageError
from tests.conftest import feeling_rows, write_csv

CLASSES = ("sadness", "joy", "anger")


def said(dataset: Dataset, code: str) -> str:
    """What the notes of this code say."""
    return " ".join(str(note) for note in dataset.notes if note.code == code)


def words_after(text: str) -> list[str]:
    """The option in a hint, as a shell would split it."""
    option = re.search(r'--split (?:"[^"]*"|\S+)', text)
    assert option, text
    return shlex.split(option[0])


def typed(*words: object) -> None:
    """A command that must work."""
    assert run_command(app, [str(word) for word in words]) == 0


def write_lines(path: Path, lines: list[str], end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = ("\n".join(lines) + end).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def write_pair(folder: Path, split: str, rows: list[tuple[str, str]], name: str = "{}.txt") -> None:
    write_lines(folder / name.format(f"{split}_text"), [text for text, _ in rows])
    write_lines(folder / name.format(f"{split}_labels"), [label for _, label in rows])


def write_classes(folder: Path, rows: list[tuple[str, str]], ending: str = ".txt") -> None:
    for number, (text, label) in enumerate(rows):
        path = folder / label / f"{number}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "dev.csv", "test.csv"),
        ("Training.CSV", "Validation.CSV", "Testing.CSV"),
        ("trn.tsv", "valid.tsv", "tst.tsv"),
        ("en-train.csv", "en-dev.csv", "en-test.csv"),
        ("train_sent_emo.csv", "dev_sent_emo.csv", "test_sent_emo.csv"),
        ("emotionTrain.csv", "emotionEval.csv", "emotionHoldout.csv"),
        ("train/data.csv", "val/data.csv", "test/data.csv"),
        ("data/train.csv", "data/evaluation.csv", "data/hold-out.csv"),
        ("train", "dev", "test"),
        ("Train.data", "eval.tab", "test.dat"),
        ("my data/train.csv", "my data/val.csv", "my data/test.csv"),
    ],
)
def test_split_names_are_found_in_files_and_folders(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    start = 0
    for name, n in zip(names, (30, 12, 9), strict=True):
        path = tmp_path / "d" / name
        write_csv(path, feeling_rows(n, start=start))
        if path.suffix == ".tsv":
            path.write_text(path.read_text().replace(",", "\t"))
        start += n
    dataset = load_dataset(tmp_path / "d")
    assert dataset.sizes == {"train": 30, "validation": 12, "test": 9}
    assert "random" not in said(dataset, "S01")


def test_a_name_with_two_meanings_is_said_and_the_hint_works(tmp_path: Path) -> None:
    for name, n in (("train", 30), ("eval", 9), ("test", 6)):
        write_csv(tmp_path / f"{name}.csv", feeling_rows(n, start=2 * n))
    note = said(load_dataset(tmp_path), "S01")
    assert "eval.csv is used as the validation split" in note
    typed("inspect", tmp_path, *words_after(note))
    other = load_dataset(tmp_path, splits={"test": "eval.csv"})
    assert other.sizes["test"] == 9
    assert "Not used: test.csv" in said(other, "S02")
    assert "validation is cut out of train at random" in said(other, "S01")


def test_files_that_are_not_used_are_named_but_for_what_is_no_data(feelings_folder: Path) -> None:
    for name in ("README.md", "LICENSE", "config.json", ".hidden.csv", "readme.txt"):
        (feelings_folder / name).write_text("x")
    assert load_dataset(feelings_folder).notes == ()
    write_csv(feelings_folder / "sample_submission.csv", feeling_rows(9))
    write_csv(feelings_folder / "old" / "train.csv", feeling_rows(9))
    (feelings_folder / "picture.png").write_bytes(b"x")
    (note,) = load_dataset(feelings_folder).notes
    assert str(note) == "Not used: old/, picture.png, sample_submission.csv."


def test_what_is_not_used_inside_folders_is_named_too(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", feeling_rows(60))
    for name in ("train/joy/1.png", "train/urls.txt", "vocabulary", "notes/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    note = said(load_dataset(tmp_path), "S02")
    assert "Not used: notes/, train/joy/1.png, train/urls.txt, vocabulary." in note


@pytest.mark.parametrize("name", ["train.json", "data.json", "reviews.json"])
def test_a_json_file_is_a_table_unless_its_name_says_that_it_holds_settings(
    tmp_path: Path, name: str
) -> None:
    rows = [{"text": text, "label": label} for text, label in feeling_rows(60)]
    (tmp_path / name).write_text(json.dumps(rows))
    for other in ("config.json", "dataset_infos.json", "croissant_metadata.json"):
        (tmp_path / other).write_text("{}")
    assert len(load_dataset(tmp_path)) == 60
    write_csv(tmp_path / "train.csv", feeling_rows(30))
    if name == "train.json":
        with pytest.raises(DataError, match=r"train\.csv, train\.json"):
            load_dataset(tmp_path)
    else:
        dataset = load_dataset(tmp_path)
        assert len(dataset) == 30
        assert said(dataset, "S02") == f"Not used: {name}."


@pytest.mark.parametrize(
    "names",
    [
        ["train-00000-of-00002.csv", "train-00001-of-00002.csv"],
        ["goemotions_1.csv", "goemotions_2.csv", "goemotions_3.csv"],
        ["train.part2.csv", "train.part10.csv"],
        ["train/a.csv", "train/b.csv"],
        ["d1.csv", "d2.csv", "d3.csv"],
    ],
)
def test_parts_are_one_table_in_the_order_of_their_numbers(
    tmp_path: Path, names: list[str]
) -> None:
    for i, name in enumerate(names):
        write_csv(tmp_path / name, feeling_rows(30, start=30 * i))
    write_csv(tmp_path / "test.csv", feeling_rows(9, start=200))
    dataset = load_dataset(tmp_path)
    assert len(dataset) == 30 * len(names) + 9
    assert dataset["train"].texts[0] == feeling_rows(30)[0][0]
    shown = ", ".join(Path(name).name for name in names)
    assert f"train is read from {len(names)} files as one table: {shown}." in said(dataset, "S02")


def test_a_pattern_and_a_list_of_files_are_one_table(tmp_path: Path) -> None:
    paths = [write_csv(tmp_path / f"p_{i}.csv", feeling_rows(30, start=30 * i)) for i in (1, 2, 10)]
    write_csv(tmp_path / "other.csv", feeling_rows(9))
    dataset = load_dataset(tmp_path / "p_*.csv")
    assert len(dataset) == 90
    assert "p_1.csv, p_2.csv, p_10.csv" in said(dataset, "S02")
    assert load_dataset([str(path) for path in paths]).fingerprint == dataset.fingerprint
    typed("inspect", tmp_path / "p_*.csv")
    typed("inspect", *paths)  # what a shell makes of the pattern


def test_one_part_alone_says_that_there_are_others_and_the_hint_works(tmp_path: Path) -> None:
    for i in (1, 2, 3):
        write_csv(tmp_path / f"p_{i}.csv", feeling_rows(30, start=30 * i))
    write_csv(tmp_path / "q.csv", feeling_rows(9))
    note = said(load_dataset(tmp_path / "p_2.csv"), "S02")
    assert "these files are not read: p_1.csv, p_3.csv." in note
    (pattern,) = re.findall('"(.*)"', note)
    assert len(load_dataset(pattern)) == 90
    typed("inspect", pattern)
    assert said(load_dataset(tmp_path / "q.csv", shares=(1, 1, 1)), "S02") == ""


def test_the_training_file_alone_says_that_its_folder_has_splits(feelings_folder: Path) -> None:
    dataset = load_dataset(feelings_folder / "train.csv")
    assert "validation and test are cut out of train at random" in said(dataset, "S01")
    note = said(dataset, "S02")
    assert "Beside train.csv, these files are not read: validation.csv, test.csv." in note
    (folder,) = re.findall('"(.*)"', note)
    assert load_dataset(folder).notes == ()
    assert said(load_dataset(feelings_folder / "test.csv", shares=(1, 1, 1)), "S02") == ""


def test_a_pattern_of_splits_is_splits(feelings_folder: Path) -> None:
    write_csv(feelings_folder / "notes.csv", feeling_rows(9))
    dataset = load_dataset(feelings_folder / "*.csv")
    assert dataset.sizes == load_dataset(feelings_folder).sizes
    assert "Not used: notes.csv" in said(dataset, "S02")
    with pytest.raises(DataError, match="has no 'train' for the train split"):
        load_dataset([feelings_folder / "validation.csv", feelings_folder / "test.csv"])
    with pytest.raises(DataError, match="There is no file"):
        load_dataset([feelings_folder / "train.csv", feelings_folder / "tset.csv"])


def test_a_pattern_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file or folder"):
        load_dataset(tmp_path / "p_*.csv")


@pytest.mark.parametrize("name", ["{}.txt", "{}.csv"])
def test_texts_and_labels_in_two_files_are_joined(tmp_path: Path, name: str) -> None:
    rows = feeling_rows(60)
    if name == "{}.csv":
        for word, place in (("text", 0), ("labels", 1)):
            cells = [(i, row[place]) for i, row in enumerate(rows)]
            write_csv(tmp_path / f"train_{word}.csv", cells, header=("id", word.rstrip("s")))
    else:
        write_pair(tmp_path, "train", rows)
        write_pair(tmp_path, "test", feeling_rows(9, start=60))
    dataset = load_dataset(tmp_path)
    assert len(dataset) == (60 if name == "{}.csv" else 69)
    labels = dict(rows)
    for text, label in zip(dataset["train"].texts, dataset.y["train"].tolist(), strict=True):
        assert dataset.labels.names[label] == labels[text]
    assert "The lines of train_text" in said(dataset, "S02")


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        ("X_train.txt", "y_train.txt"),
        ("train.text", "train.labels"),
        ("train.txt", "train_labels.txt"),
        ("train/text.txt", "train/label.txt"),
        ("sentences.txt", "emotions.txt"),
        ("train/text", "train/label"),
        ("train_text.txt.gz", "train_labels.txt.gz"),
    ],
)
def test_pairs_have_many_names(tmp_path: Path, texts: str, labels: str) -> None:
    rows = feeling_rows(60)
    write_lines(tmp_path / texts, [text for text, _ in rows])
    write_lines(tmp_path / labels, [label for _, label in rows])
    dataset = load_dataset(tmp_path)
    assert len(dataset) == 60
    assert set(dataset.labels.names) == set(CLASSES)


def test_a_pair_of_different_lengths_is_an_error_that_names_the_first_row(tmp_path: Path) -> None:
    rows = feeling_rows(30)
    write_lines(tmp_path / "train_text.txt", [text for text, _ in rows])
    write_lines(tmp_path / "train_labels.txt", [label for _, label in rows[:-2]])
    message = r"train_text\.txt .*train_labels\.txt have different numbers of rows: from line 29 "
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path)
    write_lines(tmp_path / "train_labels.txt", [label for _, label in rows], end="\n\n \n")
    assert len(load_dataset(tmp_path)) == 30


def test_pairs_whose_ids_differ_are_not_joined(tmp_path: Path) -> None:
    rows = feeling_rows(30)
    write_csv(
        tmp_path / "text.csv", [(i, t) for i, (t, _) in enumerate(rows)], header=("id", "text")
    )
    cells = [(i + (i == 7), label) for i, (_, label) in enumerate(rows)]
    write_csv(tmp_path / "labels.csv", cells, header=("id", "label"))
    with pytest.raises(DataError, match=r"text\.csv, line 9 and .*different values in 'id'"):
        load_dataset(tmp_path)


def test_the_name_of_a_text_file_names_a_pair_for_a_split(tmp_path: Path) -> None:
    for split, n in (("one", 60), ("two", 9)):
        write_pair(tmp_path, split, feeling_rows(n, start=n))
    dataset = load_dataset(tmp_path, splits={"train": "one_text", "test": "two_text.txt"})
    assert dataset.sizes["test"] == 9


NUMBERED = [(i, name) for i, name in enumerate(CLASSES)]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("mapping.txt", [f"{i}\t{name}" for i, name in NUMBERED]),
        ("emotions.txt", list(CLASSES)),
        ("labels.txt", [f"{name}: {i}" for i, name in NUMBERED]),
        ("class_names.csv", ["id,name", *(f"{i},{name}" for i, name in NUMBERED)]),
        ("label_map.tsv", ["name\tid", *(f"{name}\t{i}" for i, name in NUMBERED)]),
        ("id2label.json", [json.dumps(dict(NUMBERED))]),
        ("label2id.json", [json.dumps({name: i for i, name in NUMBERED})]),
        ("label_list.json", [json.dumps(CLASSES)]),
    ],
)
def test_a_file_names_the_classes_that_are_numbers(
    tmp_path: Path, name: str, lines: list[str]
) -> None:
    rows = [(text, CLASSES.index(label)) for text, label in feeling_rows(60)]
    write_csv(tmp_path / "train.csv", rows)
    write_lines(tmp_path / name, lines)
    write_csv(tmp_path / "test.csv", [("a new text", 1), ("and more", 2)])
    dataset = load_dataset(tmp_path)
    assert dataset.labels.names == CLASSES
    assert [dataset.labels.names[i] for i in dataset.y["test"]] == ["joy", "anger"]
    assert f"The classes are numbers, and {name} names them." in said(dataset, "L03")
    assert said(dataset, "S02") == ""


FEATURES = """dataset_info:
  features:
  - name: labels
    dtype:
      class_label:
        names:
          '0': joy
          '1': sadness
          '2': anger
  splits:
  - name: train
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("names.yaml", "# our classes\n- joy\n- sadness\n- anger\n"),
        ("labels.yml", "names:\n  0: joy\n  1: sadness\n  2: anger\nnc: 3\n"),
        ("labels.yml", "labels:\n- joy\n- 'sadness'\n- anger\nother:\n- x\n"),
        ("classes.yaml", "nc: 3\nnames: [joy, sadness, anger]\n"),
        ("names.yaml", "joy: 0\nsadness: 1\nanger: 2\n"),
        ("README.md", f"---\nlanguage:\n- en\n{FEATURES}---\n# joy: 3\n"),
        (
            "dataset_infos.json",
            json.dumps({"default": {"features": {"labels": {
                "names": ["joy", "sadness", "anger"], "_type": "ClassLabel"}}}}),
        ),
    ],
)  # fmt: skip
def test_class_names_may_be_yaml_or_the_card_of_a_data_set(
    tmp_path: Path, name: str, content: str
) -> None:
    ids = {"joy": 0, "sadness": 1, "anger": 2}
    rows = [(text, ids[label]) for text, label in feeling_rows(60)]
    write_csv(tmp_path / "data" / "train.csv", rows, header=("text", "labels"))
    (tmp_path / name).write_text(content, encoding="utf-8")
    dataset = load_dataset(tmp_path)
    assert [dataset.labels.names[i] for i in (0, 1, 2)] == list(ids)
    assert f"{name} names them" in said(dataset, "L03")
    given = load_dataset(tmp_path / "data", class_names=str(tmp_path / name))
    assert given.labels.names == dataset.labels.names


@pytest.mark.parametrize(
    "card",
    ["joy\nsadness\nanger\n", "---\nlanguage:\n- joy\n- sadness\n- anger\n---\n"],
)
def test_a_readme_that_names_no_classes_is_not_used(tmp_path: Path, card: str) -> None:
    rows = [(text, CLASSES.index(label)) for text, label in feeling_rows(60)]
    write_csv(tmp_path / "train.csv", rows)
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert load_dataset(tmp_path).labels.names == tuple(map(str, range(len(CLASSES))))
    with pytest.raises(UsageError, match="it names no classes"):
        load_dataset(tmp_path, class_names=str(tmp_path / "README.md"))


def test_class_names_may_begin_at_one_and_several_labels_have_names(tmp_path: Path) -> None:
    rows = [(f"text {i}", ("1", "2", "3", "1,3")[i % 4]) for i in range(60)]
    write_csv(tmp_path / "train.csv", rows)
    write_lines(tmp_path / "mapping.txt", [f"{i + 1} {name}" for i, name in NUMBERED])
    dataset = load_dataset(tmp_path)
    assert set(dataset.labels.names) == set(CLASSES)
    assert dataset.multi_label


def test_a_number_without_a_name_keeps_its_number(tmp_path: Path) -> None:
    rows = [(f"text {i}", ("0", "1", "2", "1,7", "", "N/A")[i % 6]) for i in range(60)]
    write_csv(tmp_path / "train.csv", rows)
    write_lines(tmp_path / "emotions.txt", list(CLASSES))
    dataset = load_dataset(tmp_path)
    assert dataset.labels.names == (*CLASSES, "7")
    assert "emotions.txt names them, but not 7." in said(dataset, "L03")


def test_a_file_that_names_few_of_the_classes_is_not_used(tmp_path: Path) -> None:
    write_lines(tmp_path / "classes.txt", list(CLASSES))
    for last in (9, 10**15, int("9" * 4000)):
        labels = [*range(9 if last == 9 else 3), last]
        rows = [(f"text {i}", labels[i % len(labels)]) for i in range(200)]
        write_csv(tmp_path / "train.csv", rows)
        dataset = load_dataset(tmp_path)
        assert len(dataset.labels) == len(labels)
        assert said(dataset, "S02") == "Not used: classes.txt."


def test_a_file_of_names_is_not_used_where_the_labels_are_names(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", feeling_rows(60))
    write_lines(tmp_path / "emotions.txt", ["calm", "fear"])
    dataset = load_dataset(tmp_path)
    assert set(dataset.labels.names) == set(CLASSES)
    assert said(dataset, "S02") == "Not used: emotions.txt."


def test_names_that_the_user_gives_go_before_the_file(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "train.csv", [(text, i % 2) for i, (text, _) in enumerate(feeling_rows(60))]
    )
    write_lines(tmp_path / "labels.txt", ["no", "yes"])
    assert load_dataset(tmp_path).labels.names == ("no", "yes")
    dataset = load_dataset(tmp_path, class_names="bad,good")
    assert set(dataset.labels.names) == {"bad", "good"}
    assert said(dataset, "S02") == "Not used: labels.txt."


@pytest.mark.parametrize("ending", [".txt", ""])
@pytest.mark.parametrize("place", ["", "data", "train"])
def test_a_folder_a_class(tmp_path: Path, place: str, ending: str) -> None:
    rows = [(f"{text}\nand more", label) for text, label in feeling_rows(60)]
    write_classes(tmp_path / "d" / place, rows, ending)
    (tmp_path / "d" / "README.md").write_text("x")
    dataset = load_dataset(tmp_path / "d")
    assert len(dataset) == 60
    labels = dict(rows)
    for text, label in zip(dataset["train"].texts, dataset.y["train"].tolist(), strict=True):
        assert dataset.labels.names[label] == labels[text]
    assert "Each file is one text of train; the folders are classes: anger, joy, sadness." in said(
        dataset, "S02"
    )


@pytest.mark.parametrize("name", ["{}.txt", "{}/all.txt", "train/{}.txt", "train/{}/texts.txt"])
def test_a_file_of_lines_a_class(tmp_path: Path, name: str) -> None:
    rows = feeling_rows(60)
    for label in CLASSES:
        lines = [text for text, other in rows if other == label]
        write_lines(tmp_path / name.format(label), lines)
    dataset = load_dataset(tmp_path)
    assert len(dataset) == 60
    labels = dict(rows)
    for text, label in zip(dataset["train"].texts, dataset.y["train"].tolist(), strict=True):
        assert dataset.labels.names[label] == labels[text]
    what = "folders" if "{}/" in name else "files"
    said_of = f"Each line is one text of train; the {what} are classes: anger, joy, sadness."
    assert said_of in said(dataset, "S02")


def test_files_of_rows_with_labels_are_no_classes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_lines(
            tmp_path / f"{name}.txt", [f"{text};{label}" for text, label in feeling_rows(9)]
        )
    with pytest.raises(DataError, match=r"No file in .* has the name of a split"):
        load_dataset(tmp_path)


def test_short_texts_of_a_class_have_one_encoding_and_it_is_said(tmp_path: Path) -> None:
    for i in range(30):
        for label, text in (("joy", f"c'est très bien {i}"), ("fear", f"ça me gêne {i}")):
            (tmp_path / label).mkdir(exist_ok=True)
            encoding = ("cp1252", "utf-8", "utf-16")[i % 3]
            (tmp_path / label / f"{i}.txt").write_text(text, encoding)
    dataset = load_dataset(tmp_path)
    texts = {text for split in dataset.splits.values() for text in split.texts}
    assert texts == {
        text.format(i) for text in ("c'est très bien {}", "ça me gêne {}") for i in range(30)
    }
    assert "joy is not UTF-8; it is read as cp1252" in said(dataset, "R02")


def test_an_empty_file_of_a_class_is_a_row_without_a_text(tmp_path: Path) -> None:
    write_classes(tmp_path, [*feeling_rows(30), ("", "joy")])
    assert load_dataset(tmp_path).blank == {"train": 1}


def test_a_test_file_without_labels_is_left_out_and_said(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", feeling_rows(60))
    write_csv(tmp_path / "test.csv", [(1, "some text")], header=("id", "text"))
    dataset = load_dataset(tmp_path)
    assert len(dataset) == 60
    note = said(dataset, "S01")
    assert "test.csv (test) is left out: it has no column 'label'" in note
    assert "validation and test are cut out of train at random, with seed 42" in note


def test_one_other_table_beside_a_test_file_is_for_training(tmp_path: Path) -> None:
    write_csv(tmp_path / "reviews.csv", feeling_rows(60))
    write_csv(tmp_path / "test.csv", feeling_rows(9, start=60))
    dataset = load_dataset(tmp_path)
    assert dataset.sizes["test"] == 9
    assert "reviews.csv is used as the train split" in said(dataset, "S01")


Maker = Callable[[Path], object]


def two_formats(folder: Path) -> None:
    path = write_csv(folder / "train.csv", feeling_rows(30))
    path.with_suffix(".tsv").write_text(path.read_text().replace(",", "\t"))


def two_languages(folder: Path) -> None:
    write_csv(folder / "en train.csv", feeling_rows(30))
    write_csv(folder / "fi train.csv", feeling_rows(30, start=30))


def signs_of_a_shell(folder: Path) -> None:
    write_csv(folder / "a(train)&$x;.csv", feeling_rows(30))
    write_csv(folder / "b(train)&$x;.tsv", feeling_rows(30, start=30))


def no_split_names(folder: Path) -> None:
    write_csv(folder / "one.csv", feeling_rows(30))
    write_csv(folder / "two.csv", feeling_rows(30, start=30))


def twice_in_a_split_folder(folder: Path) -> None:
    two_formats(folder / "train")


@pytest.mark.parametrize(
    "make",
    [two_formats, two_languages, signs_of_a_shell, no_split_names, twice_in_a_split_folder],
)
def test_where_the_training_file_is_not_clear_the_hint_works(tmp_path: Path, make: Maker) -> None:
    make(tmp_path)
    with pytest.raises(EmolensError) as caught:
        load_dataset(tmp_path)
    hint, _, or_all = caught.value.hint.partition(" Or ")
    words = words_after(hint)
    typed("inspect", tmp_path, *words)
    _, _, name = words[1].partition("=")
    assert len(load_dataset(tmp_path, splits={"train": name})) == 30
    assert bool(or_all) == (make is two_languages)
    if or_all:
        _, _, pattern = words_after(or_all)[1].partition("=")
        assert len(load_dataset(tmp_path, splits={"train": pattern})) == 60


def test_of_several_data_sets_in_a_folder_the_hint_names_one(tmp_path: Path) -> None:
    for language in ("en", "fr"):
        write_csv(tmp_path / language / "train.csv", feeling_rows(30))
        write_csv(tmp_path / language / "test.csv", feeling_rows(9, start=30))
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path)
    (folder,) = re.findall('"(.*)"', caught.value.hint)
    assert load_dataset(folder).sizes["test"] == 9


def test_a_folder_without_tables_or_without_a_training_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(DataError, match="There is no table in ") as caught:
        load_dataset(tmp_path)
    assert "There is: picture.png." in caught.value.hint
    for name in ("dev", "test"):
        write_csv(tmp_path / f"{name}.csv", feeling_rows(9))
    with pytest.raises(DataError, match="has no training split") as caught:
        load_dataset(tmp_path)
    assert "Name the file to learn from 'train'." in caught.value.hint
    (tmp_path / "dev.csv").rename(tmp_path / "train.csv")
    assert load_dataset(tmp_path, shares=(1, 1, 1)).sizes["test"] == 9


def test_tables_without_labels_are_classes_if_all_of_them_are(tmp_path: Path) -> None:
    for label in CLASSES:
        rows = [(i, text) for i, (text, other) in enumerate(feeling_rows(60)) if other == label]
        write_csv(tmp_path / f"{label}.csv", rows, header=("id", "text"))
    dataset = load_dataset(tmp_path)
    assert len(dataset) == 60
    assert set(dataset.labels.names) == set(CLASSES)
    write_csv(tmp_path / "more.csv", feeling_rows(9))
    with pytest.raises(DataError):
        load_dataset(tmp_path)


def test_labels_in_another_order_are_joined_by_the_number_of_the_row(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", feeling_rows(60))
    rows = [(i, f"the letter {i} came", "joy" if i % 3 else "anger") for i in range(12)]
    write_csv(tmp_path / "test.csv", [(i, text) for i, text, _ in rows], header=("id", "text"))
    others = [(i, label) for i, _, label in reversed(rows)]
    write_csv(tmp_path / "test_labels.csv", others, header=("id", "label"))
    dataset = load_dataset(tmp_path)
    test = dataset["test"]
    assert test.texts == tuple(text for _, text, _ in rows)
    assert [dataset.labels.names[i] for i in test.labels] == [label for *_, label in rows]
    assert "They are joined by id" in said(dataset, "S02")
    write_csv(tmp_path / "test_labels.csv", others[:8], header=("id", "label"))
    some = load_dataset(tmp_path)
    assert some["test"].texts == tuple(text for _, text, _ in rows[4:])
    assert "4 rows of test have no label" in said(some, "L01")
    write_csv(tmp_path / "test_labels.csv", [(20, "joy"), *others[1:]], header=("id", "label"))
    with pytest.raises(
        DataError, match=r"different values in 'id'\. Only test_labels\.csv has: 20"
    ):
        load_dataset(tmp_path)
    write_csv(tmp_path / "test_labels.csv", [*others, others[0]], header=("id", "label"))
    with pytest.raises(DataError, match=r"in 'id'\. test_labels\.csv has '11' 2 times"):
        load_dataset(tmp_path)


def test_a_folder_of_unlabelled_texts_is_no_class(tmp_path: Path) -> None:
    for name in ("joy", "anger", "unsup"):
        (tmp_path / "train" / name).mkdir(parents=True)
        for i in range(12):
            (tmp_path / "train" / name / f"{i}.txt").write_text(f"{name} number {i}")
    dataset = load_dataset(tmp_path)
    assert sorted(dataset.labels.names) == ["anger", "joy"]
    assert "Not used: train/unsup/" in said(dataset, "S02")


def test_labels_of_a_test_file_may_stand_in_another_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", feeling_rows(60))
    rows = [(i, *row) for i, row in enumerate(feeling_rows(9, start=60))]
    write_csv(tmp_path / "test.csv", [(i, t) for i, t, _ in rows], header=("id", "text"))
    write_csv(tmp_path / "test_labels.csv", [(i, k) for i, _, k in rows], header=("id", "label"))
    dataset = load_dataset(tmp_path)
    assert dataset["test"].texts == tuple(text for _, text, _ in rows)
    assert "The lines of test.csv have their labels in test_labels.csv" in said(dataset, "S02")


def test_a_pattern_names_several_files_of_a_split(tmp_path: Path) -> None:
    two_languages(tmp_path)
    dataset = load_dataset(tmp_path, splits={"train": "*train.csv"})
    assert len(dataset) == 60
    assert "en train.csv, fi train.csv" in said(dataset, "S02")


def test_the_names_of_splits_may_be_those_of_an_inner_folder(tmp_path: Path) -> None:
    for i in range(1, 6):
        write_csv(tmp_path / "data" / f"fold_{i}.csv", feeling_rows(12, start=12 * i))
    dataset = load_dataset(tmp_path, splits={"test": "fold_5"})
    assert dataset.sizes["test"] == 12


def test_one_of_the_parts_can_be_another_split(tmp_path: Path) -> None:
    for i in range(1, 6):
        write_csv(tmp_path / f"fold_{i}.csv", feeling_rows(12, start=12 * i))
    dataset = load_dataset(tmp_path, splits={"test": "fold_5", "validation": "fold_4.csv"})
    assert dataset.sizes == {"train": 36, "validation": 12, "test": 12}


def test_other_files_beside_a_file_can_be_its_splits(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mine.csv", feeling_rows(60))
    write_csv(tmp_path / "later.csv", feeling_rows(9, start=60))
    dataset = load_dataset(path, splits={"test": "later.csv"})
    assert dataset.sizes["test"] == 9
    typed("inspect", path, "--split", "test=later.csv")


def split_rows(splits: list[str]) -> list[tuple[str, str, str]]:
    rows = feeling_rows(len(splits))
    return [(split, text, label) for split, (text, label) in zip(splits, rows, strict=True)]


@pytest.mark.parametrize("header", ["split", "Split", "set", "Partition", "data_split", "fold"])
@pytest.mark.parametrize("names", [("train", "dev", "test"), ("Training", "VAL", "hold-out")])
def test_a_column_of_split_names_is_used_and_said(
    tmp_path: Path, header: str, names: tuple[str, str, str]
) -> None:
    splits = [names[0]] * 30 + [names[1]] * 12 + [names[2]] * 9
    path = write_csv(tmp_path / "d.csv", split_rows(splits), header=(header, "text", "label"))
    dataset = load_dataset(path)
    assert dataset.sizes == {"train": 30, "validation": 12, "test": 9}
    meaning = f"train ({names[0]}), validation ({names[1]}), test ({names[2]})"
    assert f"The column '{header}' says the split of each row: {meaning}." in said(dataset, "S01")


def test_rows_of_no_split_are_left_out_and_counted(tmp_path: Path) -> None:
    splits = ["train"] * 48 + ["test"] * 9 + ["unused"] * 3 + [""] * 2
    path = write_csv(tmp_path / "d.csv", split_rows(splits), header=("split", "text", "label"))
    dataset = load_dataset(path)
    assert len(dataset) == 57
    note = said(dataset, "S01")
    assert "5 rows have another value in the column 'split' (empty, unused), and are left" in note
    assert "validation is cut out of train at random" in note


@pytest.mark.parametrize(
    ("header", "yes", "no", "train", "test"),
    [
        ("is_test", "1", "0", "0", "1"),
        ("isTest", "True", "False", "False", "True"),
        ("test", "x", "", "empty", "x"),
        ("is_train", "yes", "no", "yes", "no"),
        ("in_training_set", "1.0", "0.0", "1.0", "0.0"),
    ],
)
def test_a_column_that_marks_the_rows_of_a_split_is_used_and_said(
    tmp_path: Path, header: str, yes: str, no: str, *, train: str, test: str
) -> None:
    marked = [yes if ("test" in header.lower()) == (i < 12) else no for i in range(60)]
    path = write_csv(tmp_path / "d.csv", split_rows(marked), header=(header, "text", "label"))
    dataset = load_dataset(path)
    assert (len(dataset["test"]), len(dataset)) == (12, 60)
    meaning = f"train ({train}), test ({test})"
    assert f"The column '{header}' says the split of each row: {meaning}." in said(dataset, "S01")


def test_names_of_splits_with_other_words_are_read_if_all_values_are_such(tmp_path: Path) -> None:
    """As in FER2013."""
    usage = [("Training", "PublicTest", "Training", "PrivateTest")[i % 4] for i in range(60)]
    path = write_csv(tmp_path / "d.csv", split_rows(usage), header=("Usage", "text", "label"))
    dataset = load_dataset(path)
    assert len(dataset["test"]) == 30
    assert "train (Training), test (PrivateTest, PublicTest)" in said(dataset, "S01")


def test_a_fold_column_that_is_not_used_is_said_and_the_hint_works(tmp_path: Path) -> None:
    folds = [str(i % 5) for i in range(60)]
    path = write_csv(tmp_path / "d.csv", split_rows(folds), header=("fold", "text", "label"))
    note = next(note for note in load_dataset(path).notes if "'fold'" in note.text)
    assert "holds 0, 1, 2, 3, 4. These are not names of splits." in note.text
    assert note.hint == "To use it: --split test=4"
    typed("inspect", path, "--split", "test=4")


@pytest.mark.parametrize("name", ["~$data.xlsx", ".~lock.data.csv#", "data.csv.bak", "data.csv~"])
def test_files_that_programs_leave_behind_are_no_tables(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "data.csv", feeling_rows(60))
    (tmp_path / name).write_bytes(b"x")
    assert len(load_dataset(tmp_path)) == 60


def test_several_columns_that_mark_splits_are_used_together(tmp_path: Path) -> None:
    header = ("is_train", "is_val", "is_test", "text", "label")
    rows = [(*("100" if i < 40 else "010" if i < 50 else "001"), f"the letter {i} came",
             "joy" if i % 2 else "fear") for i in range(60)]  # fmt: skip
    dataset = load_dataset(write_csv(tmp_path / "d.csv", rows, header=header))
    assert dataset.sizes == {"train": 40, "validation": 10, "test": 10}
    two = [row[:2] + row[3:] for row in rows]
    header = ("is_train", "is_val", "text", "label")
    dataset = load_dataset(write_csv(tmp_path / "e.csv", two, header=header))
    assert dataset.sizes == {"train": 40, "validation": 10, "test": 10}


@pytest.mark.parametrize(
    "values", [["a", "b", "c"], ["train"], ["test", "dev"], [str(i) for i in range(60)], [""]]
)
def test_a_column_of_other_values_is_no_split_column(tmp_path: Path, values: list[str]) -> None:
    splits = [values[i % len(values)] for i in range(60)]
    path = write_csv(tmp_path / "d.csv", split_rows(splits), header=("set", "text", "label"))
    dataset = load_dataset(path)
    assert len(dataset) == 60
    assert "cut out of train at random" in said(dataset, "S01")


def test_the_user_names_the_values_of_a_split_column(tmp_path: Path) -> None:
    splits = [str(i % 5 + 1) for i in range(60)]
    path = write_csv(tmp_path / "d.csv", split_rows(splits), header=("fold", "text", "label"))
    dataset = load_dataset(path, splits={"test": "5", "validation": "4"})
    assert dataset.sizes == {"train": 36, "validation": 12, "test": 12}
    typed("inspect", path, "--split", "test=5")
    in_folder = load_dataset(path.parent, splits={"test": "5", "validation": "4"})
    assert in_folder.sizes == dataset.sizes
    write_csv(tmp_path / "d2.csv", split_rows(splits), header=("fold", "text", "label"))
    assert load_dataset(tmp_path / "d*.csv", splits={"test": "5"}).sizes["test"] == 24
    with pytest.raises(DataError, match="No row has '9' in the column 'fold'"):
        load_dataset(path, splits={"test": "5", "validation": "9"})
    with pytest.raises(DataError, match="has no '9' for the test split"):
        load_dataset(path, splits={"test": "9"})


def test_a_file_called_like_the_starter_is_said_and_the_hint_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_dataset("starter").notes == ()
    write_csv(tmp_path / "starter" / "train.csv", feeling_rows(60))
    bundled = load_dataset("starter")
    (note,) = bundled.notes
    assert "'starter' is the bundled data set here" in note.text
    assert "write ./starter" in note.hint
    assert len(load_dataset("./starter")) == 60 != len(bundled)


def save_splits(folder: Path, sizes: dict[str, int]) -> None:
    datasets = pytest.importorskip("datasets")
    splits = {}
    for place, (name, n) in enumerate(sizes.items()):
        rows = feeling_rows(n, start=100 * place)
        columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
        splits[name] = datasets.Dataset.from_dict(columns)
    datasets.DatasetDict(splits).save_to_disk(folder)


def test_the_splits_of_a_saved_folder_go_by_many_names(tmp_path: Path) -> None:
    save_splits(tmp_path / "one", {"full": 60, "eval": 9, "holdout": 6})
    dataset = load_dataset(tmp_path / "one")
    assert (dataset.sizes["validation"], dataset.sizes["test"]) == (9, 6)
    assert "full is used as the train split" in said(dataset, "S01")
    words = words_after(said(dataset, "S01"))
    assert words == ["--split", "test=eval"]
    typed("inspect", tmp_path / "one", *words)
    save_splits(tmp_path / "two", {"en": 60, "fr": 30, "test": 9})
    with pytest.raises(DataError, match="has no training split among: en, fr, test") as caught:
        load_dataset(tmp_path / "two")
    words = words_after(caught.value.hint)
    typed("inspect", tmp_path / "two", *words)
    chosen = load_dataset(tmp_path / "two", splits={"train": "en"})
    assert "Not used: fr." in said(chosen, "S01")


def test_files_of_other_columns_are_read_as_one_table_and_said(tmp_path: Path) -> None:
    rows = feeling_rows(60)
    write_csv(tmp_path / "a.csv", rows[:30])
    more = [(label, text, "x") for text, label in rows[30:]]
    write_csv(tmp_path / "b.csv", more, header=("emotion", "comment", "extra"))
    dataset = load_dataset([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert len(dataset) == 60
    assert "b.csv (train) has other columns" in said(dataset, "R05")
    assert "Not all files of train have these columns: extra." in said(dataset, "R05")
    write_csv(tmp_path / "c.csv", [("so", "it")], header=("foo", "bar"))
    with pytest.raises(DataError, match=r"c\.csv has no text column 'text'") as caught:
        load_dataset([tmp_path / "a.csv", tmp_path / "c.csv"])
    assert "Rename its column of texts to 'text', or leave the file out" in caught.value.hint
    write_csv(tmp_path / "c.csv", rows[1:], header=rows[0])
    with pytest.raises(DataError, match=r"c\.csv has no header, and the first file has one"):
        load_dataset([tmp_path / "a.csv", tmp_path / "c.csv"])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("dataset", ("train", "dev", "held-out")),
        ("ds_type", ("training", "validation", "testing")),
        ("part", ("Train", "Val", "Test")),
        ("set", ("tr", "va", "te")),
    ],
)
def test_a_column_of_nothing_but_split_names_is_used(
    tmp_path: Path, column: str, values: tuple[str, str, str]
) -> None:
    rows = [(*row, values[i // 20]) for i, row in enumerate(feeling_rows(60))]
    dataset = load_dataset(write_csv(tmp_path / "rows.csv", rows, header=("text", "label", column)))
    assert dataset.sizes == {"train": 20, "validation": 20, "test": 20}
    assert f"The column '{column}' says the split of each row" in said(dataset, "S01")


def test_short_names_of_files_are_splits_if_all_three_are_there(tmp_path: Path) -> None:
    for name in ("tr", "va", "te"):
        write_csv(tmp_path / f"data_{name}.csv", feeling_rows(30))
    assert load_dataset(tmp_path).sizes == {"train": 30, "validation": 30, "test": 30}
    (tmp_path / "data_te.csv").unlink()
    with pytest.raises(DataError, match="No file in"):
        load_dataset(tmp_path)


def test_the_value_test_is_the_one_that_the_hint_names(tmp_path: Path) -> None:
    rows = [(*row, ("learn", "test", "tune")[i % 3]) for i, row in enumerate(feeling_rows(60))]
    path = write_csv(tmp_path / "rows.csv", rows, header=("text", "label", "set"))
    assert "--split test=test" in said(load_dataset(path), "S01")


def test_splits_may_be_called_in_python_as_on_the_command_line(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", feeling_rows(60))
    write_csv(tmp_path / "holdout.csv", feeling_rows(9))
    dataset = load_dataset(tmp_path, splits={"dev": "holdout.csv"})
    assert len(dataset["validation"]) == 9


def test_two_columns_of_one_usual_name_are_said(tmp_path: Path) -> None:
    rows = [(text, label, "so") for text, label in feeling_rows(60)]
    path = write_csv(tmp_path / "rows.csv", rows, header=("text", "label", "Label"))
    assert "and not from Label" in said(load_dataset(path), "R05")


def test_a_class_folder_that_train_lacks_is_named_with_the_way_out(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", feeling_rows(30))
    write_classes(tmp_path / "test", feeling_rows(9))
    write_classes(tmp_path / "test", [("well well", "surprise")])
    with pytest.raises(DataError, match="class 'surprise' does not occur") as caught:
        load_dataset(tmp_path)
    assert "--drop-classes surprise." in caught.value.hint
    assert len(load_dataset(tmp_path, drop_classes="surprise")["test"]) == 9


@pytest.mark.parametrize(
    "name", ["{}/part.csv", "{}/a.jsonl", "{}.jsonl", "{}.csv.gz", "{}.txt.gz"]
)
def test_a_table_of_texts_for_each_class(tmp_path: Path, name: str) -> None:
    for label in CLASSES:
        texts = [text for text, own in feeling_rows(60) if own == label]
        lines = [json.dumps({"text": text}) for text in texts] if "jsonl" in name else texts
        write_lines(tmp_path / name.format(label), ["text", *lines] if "csv" in name else lines)
    dataset = load_dataset(tmp_path)
    assert sorted(dataset.labels.names) == sorted(CLASSES)
    assert len(dataset) == 60
    what = "folders" if "/" in name else "files"
    assert f"the {what} are classes: anger, joy, sadness." in said(dataset, "S02")


def test_parts_without_labels_are_no_classes(tmp_path: Path) -> None:
    for part in ("1", "2"):
        write_lines(tmp_path / "train" / f"part_{part}.jsonl", [json.dumps({"text": "so it is"})])
    with pytest.raises(DataError, match="no column with a usual name for labels"):
        load_dataset(tmp_path)


def test_a_table_without_labels_beside_folders_of_classes_is_not_used(tmp_path: Path) -> None:
    write_classes(tmp_path, feeling_rows(60))
    write_csv(tmp_path / "metadata.csv", [("1.txt", "me")], header=("file", "author"))
    dataset = load_dataset(tmp_path)
    assert len(dataset) == 60
    assert "Not used: metadata.csv." in said(dataset, "S02")
    write_csv(tmp_path / "metadata.csv", feeling_rows(60))
    with pytest.raises(DataError, match="No file in"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("name", ["{}_train.txt", "train.{}.txt", "{}Train.txt"])
def test_files_of_classes_may_have_names_of_splits(tmp_path: Path, name: str) -> None:
    for split, rows in (("train", feeling_rows(60)), ("test", feeling_rows(12, start=60))):
        in_split = name.replace("train", split).replace("Train", split.title())
        for label in CLASSES:
            texts = [text for text, own in rows if own == label]
            write_lines(tmp_path / in_split.format(label), texts)
    dataset = load_dataset(tmp_path)
    assert set(dataset.labels.names) == set(CLASSES)
    assert dataset.sizes["test"] == 12
    assert "the files are classes" in said(dataset, "S02")
    pattern = name.format("*")
    same = load_dataset(tmp_path, splits={"train": pattern})
    assert same.fingerprint == dataset.fingerprint


def test_tables_of_texts_may_have_names_of_classes_and_splits(tmp_path: Path) -> None:
    for label in CLASSES:
        texts = [[text] for text, own in feeling_rows(60) if own == label]
        write_csv(tmp_path / f"train_very_{label}.csv", texts, header=("text",))
    names = load_dataset(tmp_path).labels.names
    assert set(names) == {f"very_{label}" for label in CLASSES}


def test_the_turns_of_dialogs_have_the_labels_of_another_file(tmp_path: Path) -> None:
    rows = feeling_rows(60)
    dialogs = [rows[i : i + 4] for i in range(0, 60, 4)]
    write_lines(
        tmp_path / "dialogues_text.txt",
        ["".join(f"{text} __eou__ " for text, _ in dialog) for dialog in dialogs],
    )
    marks = [" ".join(str(CLASSES.index(label)) for _, label in dialog) for dialog in dialogs]
    marks[3] += " 1"
    write_lines(tmp_path / "dialogues_emotion.txt", marks)
    write_lines(tmp_path / "dialogues_act.txt", ["1 1 1 1"] * 15)
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path)
    (_, split) = caught.value.hint.rsplit("--split ", 1)
    dataset = load_dataset(tmp_path, splits=dict([split.split("=")]))
    assert len(dataset) == 56
    assert dataset.labels.names == ("0", "1", "2")
    pairs = {(text, CLASSES.index(label)) for text, label in rows}
    for part in dataset.splits.values():
        assert pairs.issuperset(zip(part.texts, part.labels.tolist(), strict=True))
    assert "Each turn in it is a row" in said(dataset, "R01")
    (why,) = [note.text for note in dataset.notes if note.code == "R04"]
    assert "line 4: the dialog has 4 turns and 5 labels" in why


def test_the_hint_names_all_splits_that_have_several_files(tmp_path: Path) -> None:
    for split, n in (("train", 60), ("dev", 9), ("test", 12)):
        for label in CLASSES:
            rows = [row for row in feeling_rows(n) if row[1] == label]
            write_csv(tmp_path / f"{label}-intensity.{split}.csv", rows)
    with pytest.raises(DataError, match="Several files may be the train split") as caught:
        load_dataset(tmp_path, splits={"validation": "*dev.csv"})
    _, _, whole = caught.value.hint.partition("Or read them as one table: ")
    splits = dict(value.split("=") for value in re.findall('--split "(.*?)"', whole))
    assert load_dataset(tmp_path, splits=splits).sizes == {"train": 60, "validation": 9, "test": 12}


def test_a_copy_of_a_table_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", feeling_rows(60))
    write_csv(tmp_path / "train.csv.bak", feeling_rows(60))
    assert "Not used: train.csv.bak." in said(load_dataset(tmp_path), "S02")


@pytest.mark.parametrize("ending", [".pq", ".pqt", ".ipc"])
def test_other_endings_of_parquet_and_arrow_are_tables(tmp_path: Path, ending: str) -> None:
    texts, labels = zip(*feeling_rows(60), strict=True)
    table = pa.table({"text": texts, "label": labels})
    write = feather.write_feather if ending == ".ipc" else parquet.write_table
    write(table, tmp_path / f"train{ending}")
    write(table.slice(0, 9), tmp_path / f"test{ending}")
    dataset = load_dataset(tmp_path)
    assert len(dataset["test"]) == 9
    assert not said(dataset, "R01")
