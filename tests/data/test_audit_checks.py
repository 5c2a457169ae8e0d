"""The numbered checks: what each of them says, and on which data it must be silent."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import numpy as np
import pytest

from emolens.data.audit import Audit, audit
from emolens.data.audit.check import Check
from emolens.data.checks import CHECKS, Note, chosen_codes
from emolens.data.dataset import Dataset, Split
from emolens.errors import UsageError
from emolens.labels import LabelSet
from tests.conftest import ROOT

Rows = Sequence[tuple[str, str]]
FEELINGS = ("joy", "sadness", "anger", "fear")


def dataset_of(train: Rows, **others: Rows) -> Dataset:
    splits = {"train": train, **others}
    names = tuple(dict.fromkeys(label for rows in splits.values() for _, label in rows))
    ids = {name: k for k, name in enumerate(names)}

    def split(rows: Rows) -> Split:
        return Split(tuple(t for t, _ in rows), np.array([ids[label] for _, label in rows]))

    return Dataset("made", LabelSet(names), {name: split(rows) for name, rows in splits.items()})


def plain(n: int = 60, *, start: int = 0) -> list[tuple[str, str]]:
    """n different texts of four classes, with nothing to find."""
    return [
        (f"number {i} was a day like {i * i}", FEELINGS[i % 4]) for i in range(start, start + n)
    ]


def check_of(dataset: Dataset, code: str, **given: object) -> Check:
    return {check.code: check for check in audit(dataset, **given).checks}[code]  # type: ignore[arg-type]


def test_there_is_one_check_for_each_code_in_order() -> None:
    checks = audit(dataset_of(plain())).checks
    assert [(check.code, check.title) for check in checks] == list(CHECKS.items())


def test_the_page_of_the_checks_names_each_of_them() -> None:
    lines = (ROOT / "docs" / "checks.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines if line[:1] == "|"]
    assert [tuple(row) for row in rows[2:]] == list(CHECKS.items())


def test_an_audit_survives_json() -> None:
    found = audit(dataset_of([*plain(), ("cafÃ©", "joy"), ("cafÃ©", "fear")]))
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert Audit.from_dict(values) == found
    assert values["findings"] == found.findings
    assert {check["code"] for check in values["checks"] if check["status"] != "passed"} > {"T02"}


def test_an_ignored_check_is_listed_as_ignored_and_says_nothing() -> None:
    rows = [*plain(), ("again", "joy"), ("again", "joy")]
    assert check_of(dataset_of(rows), "T03").status == "noted"
    found = audit(dataset_of(rows), ignore=["t03, L04", "T12"])
    assert [c.code for c in found.checks if c.status == "ignored"] == ["L04", "T03", "T12"]
    assert len(found.checks) == len(CHECKS)
    assert not [sentence for sentence in found.findings if "more than once" in sentence]


@pytest.mark.parametrize(("given", "near"), [("T3", "T03"), ("L4", "L04"), ("X01", "R01")])
def test_an_unknown_code_is_a_usage_error_that_names_a_near_one(given: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"no check '{given}'") as caught:
        chosen_codes(["T01", given])
    assert near in caught.value.hint


def test_notes_of_reading_stand_under_their_check() -> None:
    noted = Note("R02", "The file is cp1252.", "Give --encoding if it is not.", 3, (4, 9))
    more = Note("R02", "One byte was lost.", n_rows=1, rows=(12,))
    plain_data = dataset_of(plain())
    dataset = Dataset("made", plain_data.labels, plain_data.splits, notes=(noted, more))
    check = check_of(dataset, "R02")
    assert (check.status, check.n_rows) == ("noted", 4)
    assert check.reason == "The file is cp1252. One byte was lost."
    assert check.action == "Give --encoding if it is not."
    assert check.rows == ({"number": 4}, {"number": 9}, {"number": 12})


def test_a_note_does_not_soften_a_failed_check() -> None:
    rows = [*plain(), *([("cafÃ©", "joy")] * 5)]
    dataset = dataset_of(rows)
    dataset = Dataset("made", dataset.labels, dataset.splits, notes=(Note("T02", "So it is."),))
    check = check_of(dataset, "T02")
    assert check.status == "failed"
    assert check.reason == "5 rows of train have a broken encoding. So it is."


@pytest.mark.parametrize(
    "odd",
    [
        "Which emotion?",
        '{"ImportId":"QID2"}',
        "label",
        "Emotion",
        "please choose the emotion that fits best",
    ],
)
def test_a_class_of_one_row_that_looks_like_a_header_fails(odd: str) -> None:
    check = check_of(dataset_of([("How do you feel?", odd), *plain()]), "L04")
    assert (check.status, check.n_rows) == ("failed", 1)
    assert odd in check.reason
    assert "--skip-rows 1" in check.action
    assert check.rows == ({"split": "train", "row": 0, "text": "How do you feel?"},)
    later = check_of(dataset_of([*plain(), ("How do you feel?", odd)]), "L04")
    # No shell takes quotes inside of quotes in the same way as another one.
    assert (f"--drop-classes {odd}" in later.action.replace('"', "")) != ('"' in odd)


@pytest.mark.parametrize(
    "odd", ["joy; awe", "joy|awe", "joy und anger", "joy::anger", "joy-anger", "joy_anger"]
)
def test_classes_of_another_kind_than_the_others_fail(odd: str) -> None:
    check = check_of(dataset_of([*plain(), ("one more", odd)]), "L04")
    assert (check.status, check.n_rows) == ("failed", 1)
    assert odd in check.reason


def test_dates_as_classes_fail() -> None:
    rows = [(text, f"2024-01-0{i % 3 + 1}") for i, (text, _) in enumerate(plain())]
    check = check_of(dataset_of(rows), "L04")
    assert (check.status, check.n_rows) == ("failed", 60)
    assert "Classes that are dates: 2024-01-01, 2024-01-02, 2024-01-03." in check.reason


@pytest.mark.parametrize(
    "form", ["{}", "{}.50 €", "2024-01-{}", "{}.3.2024 10:15", "http://x.org/{}"]
)
def test_texts_without_a_word_are_noted(form: str) -> None:
    rows = [(form.format(i + 1), label) for i, (_, label) in enumerate(plain())]
    check = check_of(dataset_of(rows), "T01")
    assert check.status == "noted"
    assert "60 of 60 texts are only a number, a date or a link." in check.reason
    assert "--text" in check.action
    assert check_of(dataset_of([*rows, *plain()]), "T01").status == "passed"


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85"])
def test_signs_that_end_lines_and_pages_are_not_broken(sign: str) -> None:
    assert check_of(dataset_of([*plain(), (f"so{sign}glad", "joy")]), "T02").status == "passed"


def test_numbers_among_names_fail() -> None:
    check = check_of(dataset_of([*plain(), ("one more", "0"), ("and more", "2")]), "L04")
    assert (check.status, check.n_rows) == ("failed", 2)
    assert "Classes that are numbers, while others are names: 0, 2." in check.reason


def test_a_class_minus_one_beside_one_is_a_feeling() -> None:
    rows = [(f"the letter {i} came", str(i % 3 - 1)) for i in range(60)]
    assert check_of(dataset_of(rows), "L04").status == "passed"
    signs = [(f"the letter {i} came", "+-"[i % 2]) for i in range(60)]
    assert check_of(dataset_of(signs), "L04").status == "passed"
    four = [(f"the letter {i} came", str(i % 4 - 1)) for i in range(60)]
    assert check_of(dataset_of(four), "L04").status == "failed"


@pytest.mark.parametrize("odd", ["nan", "N/A", "null", "?", "unknown", "#N/A", "<NA>", "unlabeled"])
def test_a_class_that_stands_for_no_value_fails(odd: str) -> None:
    rows = [*plain(), *((f"also {i}", odd) for i in range(12))]
    check = check_of(dataset_of(rows), "L04")
    assert (check.status, check.n_rows) == ("failed", 12)
    assert "--missing" in check.action


@pytest.mark.parametrize(
    "odd", ["joy,anger", "joy#fear", "anger | fear", "joy and sadness", "joyfear"]
)
def test_a_class_that_is_made_of_others_fails(odd: str) -> None:
    rows = [*plain(), *((f"also {i}", odd) for i in range(12))]
    check = check_of(dataset_of(rows), "L04")
    assert (check.status, check.n_rows) == ("failed", 12)
    assert "several labels" in check.reason


@pytest.mark.parametrize(
    "name",
    ["none", "neutral", "other", "no emotion", "joyful", "very sad", "joy of life", "1", "A"],
)
def test_an_ordinary_class_name_is_not_suspected(name: str) -> None:
    rows = [*plain(), *((f"also {i}", name) for i in range(12))]
    assert check_of(dataset_of(rows), "L04").status == "passed"


def test_classes_of_few_rows_are_named_and_absent_ones_fail() -> None:
    few = [(f"rare {i}", "envy") for i in range(4)]
    check = check_of(dataset_of([*plain(), *few], test=[("now", "envy"), *plain(start=100)]), "L05")
    assert (check.status, check.n_rows) == ("noted", 5)
    assert "envy (5)" in check.reason
    check = check_of(dataset_of([*plain(), *few], test=plain(start=100)), "L05")
    assert check.status == "failed"
    assert "Not in test: envy." in check.reason
    assert check_of(dataset_of(plain(), test=plain(start=100)), "L05").status == "passed"


def test_texts_that_hold_their_label_fail_if_most_classes_do() -> None:
    rows = [(f"day {i} #{FEELINGS[i % 4]} again", FEELINGS[i % 4]) for i in range(80)]
    check = check_of(dataset_of(rows), "T10")
    assert (check.status, check.n_rows) == ("failed", 80)
    assert "joy (100%)" in check.reason


def test_one_class_whose_name_people_write_is_noted_only() -> None:
    rows = [*plain(), *((f"i love number {i}", "love") for i in range(14)), *plain(start=100)]
    rows += [(f"what a dear number {i}", "love") for i in range(6)]
    check = check_of(dataset_of(rows), "T10")
    assert (check.status, check.n_rows) == ("noted", 14)
    assert "love (70%)" in check.reason


def test_a_word_that_all_classes_use_is_chance() -> None:
    rows = [(f"no joy and no fear on day {i}", FEELINGS[i % 4]) for i in range(80)]
    assert check_of(dataset_of(rows), "T10").status == "passed"


def test_unknown_tokens_are_counted_and_rows_without_a_known_one_named() -> None:
    dataset = dataset_of(plain(40), test=plain(20, start=100))
    none = {"train": np.zeros(40), "test": np.zeros(20)}
    assert check_of(dataset, "T08", unknown=none).status == "passed"
    assert check_of(dataset, "T08").status == "skipped"
    some = {"train": np.where(np.arange(40) < 4, 1.0, 0.0), "test": np.zeros(20)}
    check = check_of(dataset, "T08", unknown=some)
    assert (check.status, check.n_rows) == ("failed", 4)
    assert "10.0% in train" in check.reason
    assert "4 rows of train hold nothing that it knows" in check.reason
    assert audit(dataset, unknown=some).splits["train"].unknown == pytest.approx(0.1)


def test_rows_that_were_left_out_are_a_share_of_all() -> None:
    base = dataset_of(plain(90))
    unread = Note("R04", "Rows can't be read.", n_rows=6)
    for blank, status in ((0, "noted"), (10, "failed")):
        dataset = Dataset("made", base.labels, base.splits, blank={"train": blank}, notes=(unread,))
        check = check_of(dataset, "T12")
        assert (check.status, check.n_rows) == (status, 6 + blank)
    assert check_of(base, "T12").status == "passed"


def test_several_labels_a_row_are_checked_too() -> None:
    texts = ("so happy and so afraid", "only happy", "again", "again", "nothing at all")
    hot = np.array([[1, 1], [1, 0], [1, 0], [0, 1], [0, 0]], dtype=bool)
    dataset = Dataset("made", LabelSet(("joy", "fear")), {"train": Split(texts, hot)})
    from emolens.data.audit.facts import Facts

    facts = Facts({"train": texts}, {"train": hot}, dataset.labels.names)
    assert [facts.label_of("train", row) for row in (0, 1, 4)] == ["joy, fear", "joy", ""]
    assert list(facts.contradicting) == ["again"]


def test_thousands_of_classes_take_no_minutes() -> None:
    """Such as a column of ids that was taken for the labels."""
    rows = [
        (f"number {i} is a day like day {i} of any year", f"class {i % 5000}")
        for i in range(20_000)
    ]
    started = time.process_time()
    labels = [
        check for check in audit(dataset_of(rows)).checks if check.code in ("L04", "L05", "T10")
    ]
    assert time.process_time() - started < 20
    assert [check.status for check in labels] == ["passed", "noted", "passed"]
