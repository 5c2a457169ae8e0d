from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.audit import Audit, audit
from emolens.data.dataset import SPLITS, Dataset, Split
from emolens.data.sources import load_dataset
from emolens.labels import LabelSet

NAMES = LabelSet(("sadness", "joy", "fear"))


def dataset_of(*, blank: dict[str, int] | None = None, **splits: list[tuple[str, int]]) -> Dataset:
    def split(rows: list[tuple[str, int]]) -> Split:
        return Split(tuple(text for text, _ in rows), np.array([label for _, label in rows]))

    by_split = {name: split(rows) for name, rows in splits.items()}
    return Dataset("made", NAMES, by_split, blank=blank or {})


def is_broken(text: str) -> bool:
    return audit(dataset_of(train=[(text, 0)])).splits["train"].broken_encoding == 1


@pytest.fixture
def spoilt() -> Audit:
    return audit(
        dataset_of(
            train=[("a", 0), ("a", 0), ("b", 1), ("c", 1), ("x", 1), ("cafÃ©", 2)],
            validation=[("b", 1), ("d", 0), ("d", 1)],
            test=[("b", 2), ("c", 1), ("e", 0), ("y", 2)],
            blank={"train": 2, "test": 1},
        )
    )


def test_repeated_and_contradicting_texts_are_counted(spoilt: Audit) -> None:
    assert spoilt.repeated_texts == 4  # a, b, c, d
    assert spoilt.contradicting_texts == 2
    assert {entry["text"]: entry["rows"] for entry in spoilt.contradictions} == {
        "b": [
            {"split": "train", "row": 2, "label": "joy"},
            {"split": "validation", "row": 0, "label": "joy"},
            {"split": "test", "row": 0, "label": "fear"},
        ],
        "d": [
            {"split": "validation", "row": 1, "label": "sadness"},
            {"split": "validation", "row": 2, "label": "joy"},
        ],
    }


def test_rows_that_also_stand_in_train_are_named(spoilt: Audit) -> None:
    assert {name: split.leaked for name, split in spoilt.splits.items()} == {
        "train": 0,
        "validation": 1,
        "test": 2,
    }
    places = [(row["split"], row["row"], row["text"], row["label"]) for row in spoilt.leaked_rows]
    assert places == [
        ("validation", 0, "b", "joy"),
        ("test", 0, "b", "fear"),
        ("test", 1, "c", "joy"),
    ]


def test_rows_without_a_text_are_counted_and_broken_ones_named(spoilt: Audit) -> None:
    assert [split.blank for split in spoilt.splits.values()] == [2, 0, 1]
    assert [(row["split"], row["row"]) for row in spoilt.broken_rows] == [("train", 5)]


def test_classes_are_counted_by_split(spoilt: Audit) -> None:
    train = spoilt.splits["train"]
    assert (train.n, train.by_class) == (6, {"sadness": 2, "joy": 3, "fear": 1})
    assert (train.majority, train.majority_share) == ("joy", 0.5)


def test_every_finding_is_a_sentence(spoilt: Audit) -> None:
    wanted = {
        "T01": "2 rows of train and 1 row of test have no text and are left out.",
        "T02": "1 row of train has a broken encoding.",
        "T03": "4 texts occur more than once.",
        "T04": "2 texts occur with different labels.",
        "T05": "1 row of validation and 2 rows of test also occur in train.",
    }
    findings = {check.code: check.reason for check in spoilt.checks if check.is_finding}
    assert wanted.items() <= findings.items()
    assert list(findings.values()) == spoilt.findings


def test_clean_data_has_no_findings_and_no_token_figures() -> None:
    rows = [(f"{i} times {i * i} is a number", i % 3) for i in range(60)]
    clean = audit(dataset_of(train=rows[:40], test=rows[40:]))
    assert clean.findings == []
    assert clean.splits["train"].n_tokens is None
    assert clean.splits["train"].over_limit is None


def test_token_counts_and_texts_over_the_limit() -> None:
    dataset = dataset_of(train=[(str(i), i % 3) for i in range(5)], test=[("x", 0)])
    counts = {"train": np.array([3, 9, 4, 10, 5]), "test": np.array([8])}
    result = audit(dataset, n_tokens=counts, max_length=8)
    train = result.splits["train"]
    assert train.n_tokens == pytest.approx({"minimum": 3, "median": 5, "p95": 9.8, "maximum": 10})
    assert (train.over_limit, result.splits["test"].over_limit) == (2, 0)
    assert "2 rows of train are longer than 8 tokens and will be cut." in result.findings


def test_an_audit_is_json(spoilt: Audit) -> None:
    assert json.loads(json.dumps(spoilt.to_dict(), allow_nan=False))["repeated_texts"] == 4


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.tuples(st.sampled_from(SPLITS), st.integers(0, 9), st.integers(0, 2))))
def test_counts_agree_with_counting_pair_by_pair(rows: list[tuple[str, int, int]]) -> None:
    rows.append(("train", 0, 0))
    splits = {name: [(str(t), k) for s, t, k in rows if s == name] for name in SPLITS}
    result = audit(dataset_of(**{name: split for name, split in splits.items() if split}))
    texts = {str(t) for _, t, _ in rows}
    repeated = {t for t in texts if sum(str(other) == t for _, other, _ in rows) > 1}
    labels = {t: {k for _, other, k in rows if str(other) == t} for t in texts}
    assert result.repeated_texts == len(repeated)
    assert result.contradicting_texts == sum(len(labels[t]) > 1 for t in repeated)
    in_train = {t for t, _ in splits["train"]}
    for name, split in result.splits.items():
        assert split.leaked == (name != "train") * sum(t in in_train for t, _ in splits[name])


LETTERS = "àáâãäçèéêëìíîïñòóôöùúûüýÿßÀÂÄÇÈÉÊËÎÔÖÙÜœ’“”…–€™🙂❤"


def misread(text: str, encoding: str) -> str:
    """UTF-8 read byte by byte, as browsers do: what cp1252 leaves undefined stays a control."""
    parts = [bytes([byte]) for byte in text.encode("utf-8")]
    return "".join(part.decode(encoding, "ignore") or part.decode("latin-1") for part in parts)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("sign", LETTERS)
def test_utf8_that_was_read_as_another_encoding_is_found(sign: str, encoding: str) -> None:
    assert is_broken(misread(f"das x{sign}y war", encoding))


@pytest.mark.parametrize(
    "text",
    [
        "cafÃ©",
        "donâ€™t",
        "StraÃŸe",
        "Ã‰tÃ©",
        "Ã–sterreich",
        "what\ufffd",
        "ï¿½",
        "ï»¿text",
        "bell\x07",
    ],
)
def test_known_traces_of_broken_encoding_are_found(text: str) -> None:
    assert is_broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "São Paulo",
        "NÃO, MÃE! A IRMÃ, A MAÇÃ… “IRMÃ” «IRMÃ» ‘IRMÃ’ IRMÃ – MÃE",
        "Ça va, naïve ? Âme, ÂME, âgé, TÂCHE. « Déjà »",
        "Straße, Größe, ÄÖÜ, „Spaß“",
        "på Å, “Å” ångström",
        "Tiếng Việt, Ân, ÂN, Ấn Độ",
        "Ñandú, ¿qué? ¡olé!",
        "Łódź, Århus, İstanbul",
        "привет, 我很高兴, مرحبا, 😀👍🏽❤️",
        "tab\tand\nnewline",
        "5 €, 10 £, 20 °C, ™",
    ],
)
def test_correct_text_of_many_languages_is_not_suspected(text: str) -> None:
    assert not is_broken(text)


def test_the_real_emotion_data(emotion_folder: Path) -> None:
    result = audit(load_dataset(str(emotion_folder)))
    assert (result.repeated_texts, result.contradicting_texts) == (52, 51)
    assert [split.leaked for split in result.splits.values()] == [0, 5, 11]
    assert result.splits["test"].majority == "joy"
    assert result.splits["test"].majority_share == 0.3475
    assert sum(split.blank + split.broken_encoding for split in result.splits.values()) == 0
