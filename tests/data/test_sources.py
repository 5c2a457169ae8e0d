from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.blank import is_blank
from emolens.data.dataset import SPLITS, Dataset
from emolens.data.sources import load_dataset
from emolens.errors import DataError, EmolensError, UsageError
from tests.conftest import feeling_rows, write_csv

Rows = list[tuple[str, str]]


def same(one: Dataset, other: Dataset) -> bool:
    return one.labels == other.labels and one.fingerprint == other.fingerprint


def write_table(path: Path, rows: Rows) -> Path:
    """The same rows in the format of the ending."""
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet as pq

    table = pa.table({"text": [text for text, _ in rows], "label": [label for _, label in rows]})
    if path.suffix == ".tsv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter="\t").writerows([("text", "label"), *rows])
    elif path.suffix == ".jsonl":
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".arrow":
        pyarrow.feather.write_feather(table, path)
    else:
        write_csv(path, rows)
    return path


ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet", ".arrow")
# Any text but half surrogates (no UTF-8) and NUL (no text file holds it).
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
SEEN = TEXTS.filter(lambda text: not is_blank(text))


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(SEEN, min_size=12, max_size=20, unique=True))
def test_every_format_gives_the_same_dataset(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    rows = [(text, ("joy", "fear")[i % 2]) for i, text in enumerate(texts)]
    loaded = [
        load_dataset(str(write_table(folder / f"rows{ending}", rows)), shares=(0.5, 0.25, 0.25))
        for ending in ENDINGS
    ]
    assert all(same(loaded[0], other) for other in loaded[1:])
    found = {
        text: loaded[0].labels.names[label]
        for split in loaded[0].splits.values()
        for text, label in zip(split.texts, split.labels, strict=True)
    }
    assert found == dict(rows)


def test_text_label_lines_give_the_same_dataset_as_a_csv(tmp_path: Path) -> None:
    rows = [(f"{text}; and more", label) for text, label in feeling_rows(30)]
    write_csv(tmp_path / "rows.csv", rows)
    lines = "\n".join(f"{text};{label}" for text, label in rows)
    (tmp_path / "rows.txt").write_text(lines, "utf-8")
    assert same(load_dataset(str(tmp_path / "rows.csv")), load_dataset(str(tmp_path / "rows.txt")))


def test_a_folder_gives_its_splits_in_order(feelings_folder: Path) -> None:
    dataset = load_dataset(str(feelings_folder))
    assert dataset.name == "feelings"
    assert tuple(dataset.splits) == SPLITS
    assert dataset.sizes == {"train": 60, "validation": 18, "test": 18}
    assert dataset.labels.names == ("sadness", "joy", "anger")
    assert dataset["test"].texts[0] == feeling_rows(1, start=78)[0][0]


def test_the_home_folder_does_not_give_its_name(
    feelings_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = feelings_folder.rename(feelings_folder.parent / "janedoe")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))  # on Windows
    assert load_dataset("~").name == "home"
    assert load_dataset("~/*.csv").name == "home"


@pytest.mark.parametrize("name", ["val", "valid", "dev", "my-validation", "validation-00000-of-1"])
def test_splits_go_by_many_names(feelings_folder: Path, name: str) -> None:
    (feelings_folder / "validation.csv").rename(feelings_folder / f"{name}.csv")
    assert load_dataset(str(feelings_folder)).sizes["validation"] == 18


def test_splits_may_stand_in_a_data_folder_and_in_pieces(tmp_path: Path) -> None:
    for piece in range(2):
        write_csv(tmp_path / "data" / f"train-{piece}.csv", feeling_rows(30, start=30 * piece))
    dataset = load_dataset(str(tmp_path))
    assert len(dataset) == 60


def test_a_folder_without_validation_loses_no_test_row(feelings_folder: Path) -> None:
    (feelings_folder / "validation.csv").unlink()
    dataset = load_dataset(str(feelings_folder))
    assert dataset["test"].texts == tuple(text for text, _ in feeling_rows(18, start=78))
    assert sum(len(dataset[split]) for split in ("train", "validation")) == 60
    assert len(dataset["validation"]) == pytest.approx(60 / 9, abs=1.5)


def test_one_file_is_split_and_the_seed_decides_how(tmp_path: Path) -> None:
    path = str(write_csv(tmp_path / "rows.csv", feeling_rows(60)))
    assert same(load_dataset(path, seed=1), load_dataset(path, seed=1))
    assert not same(load_dataset(path, seed=1), load_dataset(path, seed=2))


def test_columns_are_found_by_name_or_given(tmp_path: Path) -> None:
    rows = [(i, text, label) for i, (text, label) in enumerate(feeling_rows(40))]
    path = str(write_csv(tmp_path / "a.csv", rows, header=("id", "Tweet", "Emotion")))
    dataset = load_dataset(path)
    assert dataset.columns == ("Tweet", "Emotion", "id")
    path = str(write_csv(tmp_path / "b.csv", rows, header=("id", "was", "is")))
    assert same(load_dataset(path, text="was", label="is"), dataset)


def test_labels_that_are_numbers_stay_in_their_order(tmp_path: Path) -> None:
    rows = [(f"text {i}", i % 12) for i in range(120)]
    dataset = load_dataset(str(write_csv(tmp_path / "rows.csv", rows)))
    assert dataset.labels.names == tuple(str(i) for i in range(12))


def test_class_names_come_with_parquet_and_with_save_to_disk(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    names = ["no", "perhaps", "yes"]
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
    )
    rows = {"text": [f"text {i}" for i in range(30)], "label": [i % 3 for i in range(30)]}
    splits = datasets.DatasetDict(
        {split: datasets.Dataset.from_dict(rows, features=features) for split in ("train", "test")}
    )
    splits.save_to_disk(str(tmp_path / "saved"))
    (tmp_path / "parquet").mkdir()
    for name, split in splits.items():
        split.to_parquet(str(tmp_path / "parquet" / f"{name}.parquet"))
    saved = load_dataset(str(tmp_path / "saved"))
    assert saved.labels.names == tuple(names)
    assert saved["test"].texts == tuple(rows["text"])
    assert same(saved, load_dataset(str(tmp_path / "parquet")))
    splits["train"].save_to_disk(str(tmp_path / "single"))
    assert load_dataset(str(tmp_path / "single")).labels.names == tuple(names)


def test_a_damaged_saved_folder_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(DataError, match="is not a readable data set folder") as caught:
        load_dataset(str(tmp_path))
    assert "save_to_disk" in caught.value.hint


@pytest.mark.parametrize("place", [0.2, 0.6, 0.9])
def test_a_saved_folder_whose_rows_are_damaged_is_a_data_error(
    tmp_path: Path, place: float
) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {"text": [f"text {i}" for i in range(500)], "label": ["joy", "fear"] * 250}
    datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows)}).save_to_disk(tmp_path / "s")
    (path,) = (tmp_path / "s" / "train").glob("*.arrow")
    raw = bytearray(path.read_bytes())
    start = int(place * len(raw))
    raw[start : start + 40] = b"\xff" * 40
    path.write_bytes(raw)
    try:
        load_dataset(tmp_path / "s")
    except DataError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["owner/name", "emotion"])
def test_a_configuration_behind_the_revision_is_named(name: str) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(f"{name}@main:split")
    assert caught.value.hint.endswith(f" {name}:split@main")


def complaint(spec: Path | str, kind: type[EmolensError] = DataError, **options: object) -> str:
    """The one sentence and the hint, on two lines."""
    with pytest.raises(kind) as caught:
        load_dataset(str(spec), **options)
    message, hint = str(caught.value), caught.value.hint
    assert "\n" not in message
    assert hint
    return f"{message}\n{hint}"


def test_the_error_for_missing_data_names_what_is_similar(feelings_folder: Path) -> None:
    message = complaint(feelings_folder / "tarin.csv")
    assert "There is no file or folder" in message
    assert "train.csv" in message
    assert "There is no file or folder" in complaint(feelings_folder / "nowhere")
    assert "Did you mean 'starter'?" in complaint("startr")


def test_without_known_splits_the_error_names_the_files_of_a_folder(tmp_path: Path) -> None:
    write_csv(tmp_path / "one.csv", feeling_rows(9))
    write_csv(tmp_path / "two.csv", feeling_rows(9))
    message = complaint(tmp_path)
    assert str(tmp_path) in message
    assert "one.csv, two.csv" in message
    (tmp_path / "empty").mkdir()
    assert "There is: nothing" in complaint(tmp_path / "empty")


@pytest.mark.parametrize(
    ("header", "role"), [(("phrase", "label"), "text"), (("text", "mood"), "label")]
)
def test_a_missing_column_names_those_present(
    tmp_path: Path, header: tuple[str, str], role: str
) -> None:
    path = write_csv(tmp_path / "rows.csv", feeling_rows(9), header=header)
    message = complaint(path)
    assert f"{path} has no column with a usual name for {role}s" in message
    assert (f"--{role}. " if role == "label" else "--text phrase, for example. ") in message
    assert ", ".join(header) in message
    message = complaint(path, **{role: f"{role}z"})
    assert f"has no {role} column '{role}z'" in message
    assert header[0] in message


def test_a_split_without_texts_is_named(feelings_folder: Path) -> None:
    path = write_csv(feelings_folder / "test.csv", feeling_rows(9), header=("phrase", "label"))
    assert f"{path} has no text column 'text'" in complaint(feelings_folder)


@pytest.mark.parametrize("empty", ["", "  "])
def test_a_row_without_a_label_names_its_line(feelings_folder: Path, empty: str) -> None:
    path = write_csv(feelings_folder / "test.csv", [("two\nlines", "joy"), ("b", empty)])
    assert f"{path}, line 4: the row has no label" in complaint(feelings_folder, strict=True)
    dataset = load_dataset(feelings_folder)
    assert dataset["test"].texts == ("two\nlines",)
    note = next(note for note in dataset.notes if note.code == "L01")
    assert (note.n_rows, note.rows) == (1, (4,))
    assert f"{path}, line 4" in note.text


@pytest.mark.parametrize("line", ['{"text": "b"}', '{"text": "b", "label": NaN}'])
def test_a_json_row_without_a_label_names_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"text": "a", "label": "joy"}}\n{line}\n')
    assert f"{path}, line 2: the row has no label" in complaint(path, strict=True)


def test_rows_without_a_text_are_left_out_and_counted_by_split(feelings_folder: Path) -> None:
    whole = load_dataset(feelings_folder)
    blank = [("", "joy"), (" \u200b\ufeff", "sadness"), ("\n", "unheard of"), ("", "")]
    write_csv(feelings_folder / "test.csv", [*blank, *feeling_rows(18, start=78)])
    dataset = load_dataset(feelings_folder)
    assert dataset.blank == {"test": 4}
    assert dataset["test"].texts == whole["test"].texts
    assert dataset.limited(9, seed=1).blank == {"test": 4}


@pytest.mark.parametrize(
    ("name", "line"),
    [("rows.txt", ";joy"), ("rows.jsonl", '{"label": "joy"}'), ("rows.jsonl", '{"text": null}')],
)
def test_a_missing_text_is_no_text(tmp_path: Path, name: str, line: str) -> None:
    rows = feeling_rows(60)
    kept = [f"{t};{k}" for t, k in rows]
    if name.endswith("jsonl"):
        kept = [json.dumps({"text": t, "label": k}) for t, k in rows]
    (tmp_path / name).write_text("\n".join([*kept, line]), "utf-8")
    dataset = load_dataset(tmp_path / name)
    assert (len(dataset), dataset.blank) == (60, {"train": 1})


def test_a_split_of_blank_texts_has_no_rows(feelings_folder: Path) -> None:
    write_csv(feelings_folder / "test.csv", [("", "joy")])
    assert "feelings has too few rows for a test split" in complaint(feelings_folder)


def test_an_unknown_class_in_validation_names_its_line(feelings_folder: Path) -> None:
    path = write_csv(feelings_folder / "validation.csv", [("a", "joy"), ("b", "angr")])
    message = complaint(feelings_folder)
    assert f"{path}, line 3: class 'angr' does not occur in the training split" in message
    assert "Did you mean 'anger'?" in message


def test_one_class_only_is_an_error(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [(f"text {i}", "joy") for i in range(30)])
    message = complaint(path)
    assert "one class only (joy)" in message
    assert "--label" in message


def test_a_named_class_that_no_row_has_is_left_out(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["no", "perhaps", "yes"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})
    rows = {"text": [f"text {i}" for i in range(30)], "label": [2 * (i % 2) for i in range(30)]}
    path = tmp_path / "rows.parquet"
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(path))
    assert load_dataset(str(path)).labels.names == ("no", "yes")


def test_a_second_file_for_a_split_is_not_mixed_in(feelings_folder: Path) -> None:
    write_csv(feelings_folder / "test-emotions.csv", feeling_rows(9))
    write_csv(feelings_folder / "._train.csv", feeling_rows(9))
    assert load_dataset(str(feelings_folder)).sizes == {"train": 60, "validation": 18, "test": 18}
    (feelings_folder / "test.csv").rename(feelings_folder / "my-test.csv")
    message = complaint(feelings_folder)
    assert "Several files may be the test split: my-test.csv, test-emotions.csv" in message


def test_a_wrong_path_is_not_sent_to_the_hub(feelings_folder: Path) -> None:
    with pytest.raises(DataError, match="There is no file or folder"):
        load_dataset(f"{feelings_folder}/../nowhere")


def test_a_named_split_that_does_not_exist_is_an_error(feelings_folder: Path) -> None:
    message = complaint(feelings_folder, splits={"validation": "tset"})
    assert f"{feelings_folder} has no 'tset' for the validation split" in message
    assert "Did you mean 'test'?" in message
    whole = load_dataset(feelings_folder)
    other = load_dataset(str(feelings_folder), splits={"validation": "test"})
    assert other["validation"].texts == whole["test"].texts
    assert set(other["test"].texts) < set(whole["train"].texts)


def test_a_named_split_is_not_ignored_where_there_is_one_table(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", feeling_rows(60))
    for place in (path, tmp_path):
        message = complaint(place, splits={"validation": "dev"})
        assert f"{place} has no 'dev' for the validation split" in message


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"limit": 0}, "limit of 0"),
        ({"limit": 2}, "limit of 2 rows per split can't keep the 3 classes"),
        ({"shares": (0.9, 0.0, 0.1)}, "(0.9, 0.0, 0.1)"),
        ({"shares": (1.2, -0.1, 0.1)}, "(1.2, -0.1, 0.1)"),
        ({"splits": {"vlaid": "dev"}}, "'vlaid'"),
    ],
)
def test_options_that_make_no_sense_are_misuse(
    feelings_folder: Path, options: dict[str, object], named: str
) -> None:
    assert named in complaint(feelings_folder, UsageError, **options)


def test_a_limit_keeps_the_shares_of_the_classes(tmp_path: Path) -> None:
    rows = [(f"text {i}", "joy" if i % 4 else "fear") for i in range(400)]
    dataset = load_dataset(str(write_csv(tmp_path / "rows.csv", rows)), limit=20)
    assert dataset.sizes == {"train": 20, "validation": 20, "test": 20}
    assert dataset.counts("train").tolist() == [15, 5]


def test_the_real_emotion_data(emotion_folder: Path) -> None:
    dataset = load_dataset(str(emotion_folder))
    assert dataset.sizes == {"train": 16_000, "validation": 2_000, "test": 2_000}
    assert dataset.labels.names == ("sadness", "joy", "love", "anger", "fear", "surprise")
    assert dataset.columns == ("text", "label_name")
    assert dataset.head(1) == [
        {"text": "i didnt feel humiliated", "label": 0, "label_name": "sadness"}
    ]
    majority = Counter(dataset["test"].labels.tolist()).most_common(1)[0]
    assert majority == (dataset.labels.id_of("joy"), 695)
    part = dataset.limited(600, seed=1)
    share = dataset.counts("train") / 16_000
    np.testing.assert_allclose(part.counts("train") / 600, share, atol=1.5 / 600)


@settings(max_examples=100, deadline=None)
@given(
    head=st.sampled_from([b"text,label\n", b"text\tlabel\n", b"text;label\n", b""]),
    content=st.binary(max_size=60),
    ending=st.sampled_from([".csv", ".tsv", ".txt", ".jsonl", ".parquet", ".arrow"]),
)
def test_any_bytes_are_data_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, content: bytes, ending: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any-source{ending}"
    path.write_bytes(head + content)
    try:
        dataset = load_dataset(path)
    except EmolensError as error:
        assert "\n" not in str(error)
        assert "any-source" in str(error)
    else:
        assert not any(is_blank(text) for split in dataset.splits.values() for text in split.texts)


@pytest.mark.parametrize("header", ["Tweet Text,Emotion Label", "review_text,goldLabel"])
def test_columns_whose_last_word_is_usual_are_taken_and_said(tmp_path: Path, header: str) -> None:
    rows = (f"the letter {i} came,{'joy' if i % 2 else 'fear'},{i}" for i in range(30))
    (tmp_path / "a.csv").write_text("\n".join([f"{header},label_id", *rows]))
    dataset = load_dataset(tmp_path / "a.csv")
    assert dataset.columns == (*header.split(","), "label_id")
    for name in header.split(","):
        assert any(n.code == "R05" and f"from the column '{name}'" in n.text for n in dataset.notes)


def test_two_columns_whose_last_word_is_usual_are_no_choice(tmp_path: Path) -> None:
    rows = "\n".join(["I am here,joy,fear"] * 20)
    (tmp_path / "a.csv").write_text(f"text,first_label,second_label\n{rows}\n")
    with pytest.raises(DataError, match="no column with a usual name for labels"):
        load_dataset(tmp_path / "a.csv")


def test_the_choice_between_two_columns_of_texts_is_said(tmp_path: Path) -> None:
    rows = "\n".join(f"I am {i},you are {i},{'joy' if i % 2 else 'fear'}" for i in range(20))
    (tmp_path / "a.csv").write_text(f"tweet,text,label\n{rows}\n")
    note = next(note for note in load_dataset(tmp_path / "a.csv").notes if note.code == "R05")
    assert note.text == "The texts are taken from the column 'text', and not from tweet."
    assert note.hint == 'To use another column: --text "tweet"'
