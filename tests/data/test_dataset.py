from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.blank import is_blank
from emolens.data.dataset import SPLITS, Dataset, Split, split_by_label
from emolens.data.sources import load_dataset
from emolens.data.targets.missing import is_missing_word
from emolens.data.targets.spelling import folded
from emolens.errors import DataError
from emolens.labels import LabelSet
from tests.conftest import feeling_rows, write_csv

SHARES = (0.8, 0.1, 0.1)
# Few different texts, so that many are equal and some contradict.
ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=1, max_size=80)


def rows_of(pairs: list[tuple[int, int]]) -> Split:
    texts = tuple(f"text {text}" for text, _ in pairs)
    return Split(texts, np.array([label for _, label in pairs], dtype=np.int64))


def pairs_of(split: Split) -> list[tuple[str, int]]:
    return list(zip(split.texts, split.labels.tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(pairs=ROWS, shares=st.sampled_from([SHARES, (0.2, 0.4, 0.4)]), seed=st.integers(0, 3))
def test_splitting_moves_every_row_once_and_equal_texts_together(
    pairs: list[tuple[int, int]], shares: tuple[float, float, float], seed: int
) -> None:
    rows = rows_of(pairs)
    cut = split_by_label(rows, shares, seed=seed)
    assert tuple(cut) == SPLITS
    moved = [pair for split in cut.values() for pair in pairs_of(split)]
    assert sorted(moved) == sorted(pairs_of(rows))
    sides = [set(split.texts) for split in cut.values()]
    assert sum(len(side) for side in sides) == len(set(rows.texts))
    first_label = dict(reversed(pairs_of(rows)))
    assert set(first_label.values()) <= set(cut["train"].labels.tolist())


def test_splitting_is_seeded_and_keeps_the_shares() -> None:
    rows = rows_of([(i, int(i % 10 == 0)) for i in range(1000)])
    cut = split_by_label(rows, SHARES, seed=3)
    assert [np.bincount(cut[split].labels).tolist() for split in SPLITS] == [
        [720, 80],
        [90, 10],
        [90, 10],
    ]
    again, other = (split_by_label(rows, SHARES, seed=seed) for seed in (3, 4))
    assert again["test"].texts == cut["test"].texts
    assert other["test"].texts != cut["test"].texts


def test_a_share_of_nothing_gives_an_empty_split() -> None:
    cut = split_by_label(rows_of([(i, i % 2) for i in range(20)]), (0.8, 0.2, 0.0), seed=1)
    assert [len(cut[split]) for split in SPLITS] == [16, 4, 0]


def dataset_of(*sizes: int) -> Dataset:
    splits = {
        name: rows_of([(i, i % 3) for i in range(size)])
        for name, size in zip(SPLITS, sizes, strict=True)
    }
    return Dataset("three", LabelSet(("sadness", "joy", "fear")), splits)


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=5),
    limit=st.integers(5, 100),
    seed=st.integers(0, 3),
)
def test_a_limit_keeps_shares_and_every_class(counts: list[int], limit: int, seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    split = Split(tuple(str(i) for i in range(len(labels))), labels)
    names = LabelSet(tuple("abcde"[: len(counts)]))
    part = Dataset("any", names, {"train": split}).limited(limit, seed=seed)
    kept = part.counts("train")
    n = min(limit, len(labels))
    assert kept.sum() == n
    assert (kept > 0).all()
    assert part["train"].texts == tuple(sorted(part["train"].texts, key=int))
    share = np.array(counts) / sum(counts)
    assert np.abs(kept - share * n).max() <= len(counts)


def test_a_limit_is_seeded() -> None:
    dataset = dataset_of(60, 30, 30)
    parts = [dataset.limited(12, seed=seed) for seed in (1, 1, 2)]
    assert parts[0].fingerprint == parts[1].fingerprint != parts[2].fingerprint


def test_a_limit_can_be_for_one_split_alone() -> None:
    assert dataset_of(60, 30, 30).limited(12, splits=["train"]).sizes == {
        "train": 12,
        "validation": 30,
        "test": 30,
    }


def test_the_properties_of_a_dataset() -> None:
    dataset = dataset_of(6, 3, 3)
    assert len(dataset) == 12
    assert dataset.sizes == {"train": 6, "validation": 3, "test": 3}
    assert dataset.counts("train").tolist() == [2, 2, 2]
    assert dataset.features == {
        "text": "Value('string')",
        "label": "ClassLabel(names=['sadness', 'joy', 'fear'])",
    }
    assert dataset.head(2, split="test")[1] == {"text": "text 1", "label": 1, "label_name": "joy"}
    assert [row["label_name"] for row in dataset.one_of_each()] == ["sadness", "joy", "fear"]
    assert dataset.one_of_each()[2]["text"] == "text 2"
    assert dataset["train"].take(np.array([4, 0])).texts == ("text 4", "text 0")


def test_the_fingerprint_tells_texts_labels_names_and_splits_apart() -> None:
    names = LabelSet(("a", "b"))
    one, two = Split(("x", "y"), np.array([0, 1])), Split(("x", "z"), np.array([0, 1]))
    three = Split(("x", "y"), np.array([1, 0]))
    prints = {
        Dataset("d", labels, splits).fingerprint
        for labels, splits in (
            (names, {"train": one}),
            (names, {"train": two}),
            (names, {"train": three}),
            (names, {"test": one}),
            (names, {"train": one, "test": one}),
            (LabelSet(("a", "c")), {"train": one}),
        )
    }
    assert len(prints) == 6
    same = Dataset("another name", names, {"train": Split(("x", "y"), np.array([0, 1]))})
    assert same.fingerprint in prints


def test_a_dataset_prints_as_one_short_line() -> None:
    dataset = dataset_of(3000, 30, 3)
    assert repr(dataset) == "Dataset('three', 3 classes, train 3,000, validation 30, test 3)"
    assert repr(dataset["train"]) == "Split(3,000 texts)"


def test_a_frame_has_the_texts_the_class_names_and_the_splits() -> None:
    dataset = dataset_of(4, 2, 1)
    frame = dataset.to_pandas()
    assert list(frame.columns) == ["text", "label", "split"]
    assert frame["split"].tolist() == ["train"] * 4 + ["validation"] * 2 + ["test"]
    assert frame["text"].tolist() == [
        *(f"text {i}" for i in range(4)),
        "text 0",
        "text 1",
        "text 0",
    ]
    assert list(frame["label"].cat.categories) == ["sadness", "joy", "fear"]
    part = dataset.to_pandas("validation")
    assert part.to_dict("list") == {"text": ["text 0", "text 1"], "label": ["sadness", "joy"]}


FEELINGS = ["joy", "fear", "sadness"] * 20
WORDS = [f"text {i}" for i in range(60)]


def test_texts_with_names_become_what_a_file_of_them_becomes(tmp_path: Path) -> None:
    rows = list(zip(WORDS, FEELINGS, strict=True))
    path = write_csv(tmp_path / "rows.csv", rows)
    dataset = Dataset.from_texts(WORDS, FEELINGS)
    assert dataset.labels.names == ("sadness", "joy", "fear")
    loaded = load_dataset(path)
    assert dataset.fingerprint == replace(loaded, notes=()).fingerprint
    assert [note.code for note in loaded.notes] == ["S01"]
    assert dataset.fingerprint != Dataset.from_texts(WORDS, FEELINGS, seed=1).fingerprint
    assert repr(dataset) == "Dataset('texts', 3 classes, train 48, validation 6, test 6)"


@pytest.mark.parametrize("as_given", [list, tuple, np.array, pd.Series])
def test_labels_may_be_ids(as_given: Callable[[list[int]], Any]) -> None:
    ids = as_given([i % 12 for i in range(120)])
    texts = [f"text {i}" for i in range(120)]
    numbered = Dataset.from_texts(texts, ids)
    assert numbered.labels.names == tuple(str(i) for i in range(12))
    named = Dataset.from_texts(texts, ids, class_names=[f"c{11 - i}" for i in range(12)])
    assert named.labels.names == tuple(f"c{11 - i}" for i in range(12))
    assert all((named.y[split] == numbered.y[split]).all() for split in SPLITS)


def test_splits_may_be_given_under_their_usual_names() -> None:
    splits = ["train"] * 40 + ["Dev"] * 10 + ["test"] * 10
    dataset = Dataset.from_texts(WORDS, FEELINGS, splits=splits)
    assert dataset.sizes == {"train": 40, "validation": 10, "test": 10}
    assert dataset["test"].texts == tuple(WORDS[50:])
    cut = Dataset.from_texts(WORDS, FEELINGS, splits=["train"] * 50 + ["test"] * 10)
    assert cut["test"].texts == tuple(WORDS[50:])
    assert cut.sizes["train"] + cut.sizes["validation"] == 50


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_a_missing_value_is_no_text_and_no_class(missing: Any) -> None:
    texts, labels = [f"text {i}" for i in range(20)], ["joy", "fear"] * 10
    assert Dataset.from_texts([*texts, missing], [*labels, "joy"]).blank == {"train": 1}
    dataset = Dataset.from_texts([*texts, "text"], [*labels, missing])
    assert len(dataset) == 20
    (note,) = (note for note in dataset.notes if note.code == "L01")
    assert (note.n_rows, note.rows) == (1, (21,))


def test_bytes_that_are_utf8_are_texts_and_classes() -> None:
    texts, labels = [f"café {i}" for i in range(60)], ["joy", "dégoût"] * 30
    wanted = Dataset.from_texts(texts, labels)
    raw = [text.encode() for text in texts], [label.encode() for label in labels]
    assert Dataset.from_texts(*raw).fingerprint == wanted.fingerprint
    assert Dataset.from_texts(*map(np.array, raw)).fingerprint == wanted.fingerprint
    frame = pd.DataFrame(dict(zip(("text", "label"), raw, strict=True)))
    assert Dataset.from_pandas(frame).fingerprint == wanted.fingerprint


def test_rows_without_a_text_are_left_out_and_counted() -> None:
    texts = [*WORDS, None, "", " \n", "\u200b\ufeff", float("nan")]
    dataset = Dataset.from_texts(texts, [*FEELINGS, "joy", "fear", "joy", None, "unheard of"])
    assert (len(dataset), dataset.blank) == (60, {"train": 5})
    whole = Dataset.from_texts(WORDS, FEELINGS)
    assert dataset["test"].texts == whole["test"].texts
    assert dataset.fingerprint != whole.fingerprint  # an audit tells them apart


@pytest.mark.parametrize(
    ("texts", "labels", "options", "message"),
    [
        (["a"], ["joy", "fear"], {}, "different lengths (1 for text, 2 for label)"),
        (["a", "b"], [None, " "], {}, "has no row with a label"),
        (["a", "b"], [0, 2], {"class_names": ["x", "y"]}, "row 2: label 2 is outside"),
        (["a", "b"], [0, 1], {"class_names": ["x", "x"]}, "has two classes called 'x'"),
        (["a", "b"], ["joy", "feer"], {"class_names": ["joy", "fear"]}, "'feer' is not among"),
        ([[1], ["b", 1]], ["joy", "fear"], {}, "row 1: the text is a list"),
        ([{"a"}, {"b"}], ["joy", "fear"], {}, "row 1: the text is a list"),
        (["cut \ud83d"] * 2, ["joy", "fear"], {}, "row 1: \\ud83d is only half"),
        ([b"\xff"] * 2, ["joy", "fear"], {}, "row 1: the text is bytes"),
        (["a", "b"], ["joy", b"\xff"], {}, "row 2: the label is bytes"),
        (
            ["a", "b"],
            ["joy", "fear"],
            {"splits": ["train", "tset"]},
            "row 2: 'tset' is not the name",
        ),
        (["a", "b"], ["joy", "fear"], {"splits": ["test", "test"]}, "has no training rows"),
        ([], [], {}, "has no training rows"),
        (["a", "b"], ["joy", "fear"], {}, "too few rows for a validation split"),
        (["a", "b"], ["joy", "joy"], {}, "too few rows for a validation split"),
    ],
)
def test_texts_that_make_no_dataset_are_an_error(
    texts: list[Any], labels: list[Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        Dataset.from_texts(texts, labels, name="mine", **options)
    assert str(caught.value).startswith("mine")


def test_a_frame_gives_the_same_dataset_again(tmp_path: Path) -> None:
    ids = [i % 3 for i in range(60)]
    dataset = Dataset.from_texts(WORDS, ids, class_names=["zeal", "awe", "calm"])
    again = Dataset.from_pandas(dataset.to_pandas(), split="split")
    assert again.fingerprint == dataset.fingerprint
    assert again.columns == ("text", "label", "split")
    dataset.to_pandas().to_csv(tmp_path / "a.csv", index=False)
    frame = pd.read_csv(tmp_path / "a.csv")
    assert Dataset.from_pandas(frame, split="split")["test"].texts == dataset["test"].texts


WORDS_OF_ANY_KIND = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(WORDS_OF_ANY_KIND.filter(lambda t: not is_blank(t)), min_size=6, max_size=20),
    names=st.lists(
        WORDS_OF_ANY_KIND.filter(lambda name: not is_missing_word(name)),
        min_size=2,
        max_size=2,
        unique_by=folded,
    ),
)
def test_any_dataset_comes_back_from_its_frame(texts: list[str], names: list[str]) -> None:
    splits = ["train", "train", *(SPLITS[i % 3] for i in range(len(texts) - 2))]
    labels = [names[i % 2] for i in range(len(texts))]
    dataset = Dataset.from_texts(texts, labels, splits=splits)
    again = Dataset.from_pandas(dataset.to_pandas(), split="split")
    assert again.fingerprint == dataset.fingerprint
    parts = [dataset.to_pandas(split) for split in SPLITS]
    assert [part["text"].tolist() for part in parts] == [list(dataset[s].texts) for s in SPLITS]


def test_a_frame_is_read_by_the_rule_for_files() -> None:
    frame = pd.DataFrame({7: range(60), "Tweet": WORDS, "Emotion": FEELINGS, "mood": FEELINGS})
    frame.loc[len(frame)] = [0, None, "joy", "joy"]
    dataset = Dataset.from_pandas(frame, name="tweets")
    assert dataset.columns == ("Tweet", "Emotion", "7", "mood")
    assert (len(dataset), dataset.blank) == (60, {"train": 1})
    numbers = Dataset.from_pandas(frame, text="7", label="mood")
    assert numbers["train"].texts[0] == "0"
    with pytest.raises(DataError, match="tweets has no text column 'Twet'") as caught:
        Dataset.from_pandas(frame, text="Twet", name="tweets")
    assert "'Tweet'" in caught.value.hint
    with pytest.raises(DataError, match="frame has no column 'part'"):
        Dataset.from_pandas(frame, split="part")
    twice = pd.concat([frame, frame[["mood"]]], axis=1)
    assert Dataset.from_pandas(twice).columns == ("Tweet", "Emotion", "7", "mood_1", "mood_2")
    with pytest.raises(DataError, match="has 2 columns 'mood'"):
        Dataset.from_pandas(twice, label="mood")


@pytest.mark.parametrize("spaced", ["joy ", b" joy"])
def test_spaces_around_categories_and_class_names_do_not_count(spaced: Any) -> None:
    names = ["fear", spaced, "joy"]
    frame = pd.DataFrame({"text": WORDS, "label": pd.Categorical(names * 20, categories=names)})
    assert Dataset.from_pandas(frame).labels.names == ("fear", "joy")
    named = Dataset.from_texts(WORDS, [0, 1] * 30, class_names=["fear ", "joy"])
    assert named.labels.names == ("fear", "joy")
    frame["label"] = pd.Categorical([b"fear", b"\xff"] * 30)
    with pytest.raises(DataError, match="row 2: the label is bytes"):
        Dataset.from_pandas(frame)


@pytest.mark.parametrize("dtype", ["category", "string", "Int64", "float64"])
def test_labels_of_a_frame_may_have_any_type(dtype: str) -> None:
    labels = pd.Series([30, 10, 20] * 20, dtype="Int64" if dtype == "Int64" else None)
    frame = pd.DataFrame({"text": pd.array(WORDS, dtype="string"), "label": labels.astype(dtype)})
    dataset = Dataset.from_pandas(frame)
    assert dataset.labels.names == ("10", "20", "30")
    assert dataset.to_pandas()["label"].value_counts().tolist() == [20, 20, 20]


def test_a_frame_that_is_cut_at_random_says_so_and_names_its_split_column() -> None:
    frame = Dataset.from_texts(*zip(*feeling_rows(60), strict=True)).to_pandas()
    notes = [str(note) for note in Dataset.from_pandas(frame).notes]
    assert notes == [
        "The column 'split' is not used. To take the splits from it: split=\"split\"",
        "validation and test are cut out of train at random, with seed 42.",
    ]
    assert Dataset.from_pandas(frame, split="split").notes == ()


def test_the_columns_of_a_frame_may_be_numbers_and_several() -> None:
    texts, labels = zip(*feeling_rows(60), strict=True)
    frame = pd.DataFrame(list(zip(texts, labels, texts, labels, strict=True)))
    assert len(Dataset.from_pandas(frame, text=0, label=1)) == 60
    marks = pd.DataFrame({"text": texts} | {k: [k == v for v in labels] for k in set(labels)})
    dataset = Dataset.from_pandas(marks, label=sorted(set(labels)))
    assert set(dataset.labels.names) == set(labels)


def test_columns_of_a_frame_that_mark_classes_are_found_as_in_files() -> None:
    texts, labels = zip(*feeling_rows(60), strict=True)
    marks = {name: [int(label == name) for label in labels] for name in sorted(set(labels))}
    dataset = Dataset.from_pandas(pd.DataFrame({"text": texts, **marks}))
    assert set(dataset.labels.names) == set(labels)
    assert "are taken as one class each" in " ".join(note.text for note in dataset.notes)
