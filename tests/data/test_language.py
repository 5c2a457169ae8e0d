"""Rows in another language than most of the table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from emolens.data.audit.check import Check
from emolens.data.audit.facts import Facts
from emolens.data.audit.language import other_languages
from emolens.data.languages import Judge, is_long_enough, main_language
from emolens.data.sources import load_dataset

OTHERS = {
    "German": "Das Paket ist schon wieder nicht angekommen, ich bin echt sauer",
    "French": "Nous avons passé toute la soirée dans le jardin",
    "Spanish": "la echo mucho de menos desde que se fue",
    "Italian": "ho paura di quello che succederà domani mattina",
    "Dutch": "ik mis haar heel erg sinds ze weg is",
    "Portuguese": "estou tão feliz de te ver hoje meu amigo",
    "Swedish": "jag är rädd för vad som ska hända imorgon",
    "Polish": "siedzieliśmy w ogrodzie przez cały wieczór razem",
    "Turkish": "bugün seni gördüğüme o kadar çok sevindim ki",
    "Russian": "мы весь вечер просидели в саду вместе",
    "Arabic": "لم يصل الطرد حتى الآن وأنا غاضب جدا",
    "Chinese": "我今天很高兴见到你，我们在花园里坐了一整晚",
    "Japanese": "今日はあなたに会えてとても嬉しいです、ありがとう",
}


@pytest.fixture(scope="module")
def english() -> tuple[str, ...]:
    return load_dataset("starter")["train"].texts


def check(*texts: Sequence[str]) -> Check:
    return other_languages(Facts(dict(zip(("train", "validation", "test"), texts, strict=False))))


def test_english_texts_of_every_kind_are_english(english: Sequence[str]) -> None:
    assert check(english).status == "passed"
    odd = [
        "i wanna tell you how i feel but im scared",
        "u get an updoot from one sad person 2 another",
    ]
    assert check([*english, *odd, "12 34 56 78 90 12 34", "─ │ ─ │ ─ │ ─ │"]).status == "passed"


@pytest.mark.parametrize("language", OTHERS)
def test_a_row_in_another_language_is_named(english: Sequence[str], language: str) -> None:
    result = check(english, [*english[:5], OTHERS[language]])
    assert (result.status, result.n_rows) == ("noted", 1)
    wanted = f"1 row of validation is in another language than English: 1 {language}."
    assert result.reason == wanted
    assert result.rows == ({"split": "validation", "row": 5, "text": OTHERS[language]},)


def test_the_main_language_is_that_of_most_rows(english: Sequence[str]) -> None:
    german = [f"{OTHERS['German']} und das Wetter war am Tag {i} nicht besser" for i in range(60)]
    result = check([*german, *english[:20]])
    assert result.status == "failed"
    assert "in another language than German" in result.reason
    assert result.n_rows <= 20


def test_short_texts_are_not_judged(english: Sequence[str]) -> None:
    assert check([*english, "das ist gut", "c'est la vie"]).status == "passed"
    assert check(["das ist gut", "so happy"]).status == "skipped"
    assert is_long_enough("one two three four five six")
    assert not is_long_enough("one two three four five 6")
    assert is_long_enough("我今天很高兴见到你们大家")


def test_a_table_without_any_language_passes() -> None:
    assert check(["─ │ a ─ b c d e f " * 3, "1 2 3 a b c d e f"]).status == "passed"


def test_the_language_of_all_texts_is_known_if_nearly_all_are_in_it(english: Sequence[str]) -> None:
    german = [f"{OTHERS['German']} und das Wetter war am Tag {i} nicht besser" for i in range(300)]
    assert main_language(english) == "en"
    assert main_language(german) == "de"
    assert main_language([*english[:190], *german[:10]]) == "en"
    for mixed in ([*english[:300], *german], english[:5], ["so sad"] * 50, ["12 34 56 78 90"], []):
        assert main_language(mixed) is None


@pytest.mark.parametrize("language", OTHERS)
def test_texts_are_judged_one_by_one(english: Sequence[str], language: str) -> None:
    judge = Judge("en")
    assert judge.others([OTHERS[language], "das ist gut", ""]) == [language, None, None]
    assert not any(judge.others(english))
    assert judge.others([OTHERS[language]]) == [language]


def test_another_main_language_and_texts_of_any_length_are_judged(english: Sequence[str]) -> None:
    judge = Judge("de")
    assert judge.others([OTHERS["German"], " ".join(english)[:2_000_000]]) == [None, "English"]
    assert Judge("da").others(["jeg er så glad for at se dig i dag min ven"]) == [None]
