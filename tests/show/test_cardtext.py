"""Renewed cards: emolens' part is new, and no word of the user is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.show.cardtext import (
    has_own_words,
    license_line,
    merged,
    new_card,
    own_keys,
    stated_license,
    with_address,
    with_license,
)
from emolens.show.licenses import license_fields

OLD_DATA = "tags:\n- emotion\n- emolens\nmetrics:\n- accuracy\nlicense: apache-2.0\n"
NEW_DATA = "tags:\n- emotion\nlicense: mit\nlanguage: en\n"
OLD = new_card(OLD_DATA, f"# tiny\n\n{license_line('apache-2.0')}\n\nAccuracy 0.5")
NEW = new_card(NEW_DATA, f"# tiny\n\n{license_line('mit')}\n\nAccuracy 0.9")


def metadata(card: str) -> dict[str, Any]:
    match = re.match(r"\s*---\r?\n(.*?)^---\r?$", card, re.DOTALL | re.MULTILINE)
    return dict(yaml.safe_load(match[1]) or {}) if match else {}


def body(card: str) -> str:
    return re.sub(r"\A---\r?\n.*?^---\r?\n", "", card, count=1, flags=re.DOTALL | re.MULTILINE)


def part(card: str) -> str:
    match = re.search(r"<!-- emolens: begin.*<!-- emolens: end", card, re.DOTALL)
    assert match
    return match[0].replace("\r\n", "\n")


def edited(card: str, *, before: str = "", after: str = "", **keys: str | None) -> str:
    """The card as its user left it. keys: lines in place of a key; None deletes it."""
    for key, lines in keys.items():
        pattern = rf"^{key}:.*\n(?:- .*\n)*"
        card, n = re.subn(pattern, lines or "", card, count=1, flags=re.MULTILINE)
        if not n and lines:
            card = card.replace("---\n", f"---\n{lines}", 1)
    head, begin, rest = card.partition("<!-- emolens: begin")
    return f"{head}{before}{begin}{rest}{after}"


def test_a_card_is_read_by_the_hubs_own_reader() -> None:
    assert ModelCard(OLD).data.to_dict() == yaml.safe_load(OLD_DATA)
    assert "Accuracy 0.5" in OLD
    assert not has_own_words(OLD)


def test_words_above_and_below_stay_and_the_part_between_is_new() -> None:
    written = edited(OLD, before="# Ours\n\nBy Zoë.\n", after="\nThanks!\n---\nno last newline 😀")
    card = merged(NEW, written)
    assert part(card) == part(NEW)
    assert metadata(card) == yaml.safe_load(NEW_DATA)
    assert body(card).startswith("\n# Ours\n\nBy Zoë.\n<!--")
    assert card.endswith("-->\n\nThanks!\n---\nno last newline 😀")
    assert has_own_words(card)


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({"license": "license: gpl-3.0\n"}, {"license": "gpl-3.0"}),
        ({"license": None}, {"license": None}),
        ({"tags": "tags: [mine]\n"}, {"tags": ["mine"]}),
        ({"metrics": "metrics: [f1]\n"}, {"metrics": ["f1"]}),
        ({"widget": "widget:\n  - text: hi\n"}, {"widget": [{"text": "hi"}]}),
        ({"language": "language: fr\n"}, {"language": "fr"}),
        ({"tags": "tags: [ 'emotion', emolens ]\n", "widget": "widget: 1\n"}, {"widget": 1}),
    ],
)
def test_keys_that_the_user_set_stay_and_the_others_are_new(
    keys: dict[str, str | None], wanted: dict[str, Any]
) -> None:
    card = merged(NEW, edited(OLD, **keys))
    every = {**yaml.safe_load(NEW_DATA), **wanted}
    assert metadata(card) == {key: value for key, value in every.items() if value is not None}
    assert merged(NEW, card) == card
    assert sorted(own_keys(card)) == sorted(wanted)
    assert {key: metadata(merged(OLD, card)).get(key) for key in wanted} == wanted


def test_a_key_that_emolens_later_writes_alike_is_still_the_users() -> None:
    card = merged(NEW, edited(OLD, license="license: mit\n"))
    assert metadata(merged(OLD, card))["license"] == "mit"
    assert "License of the weights: mit." in merged(OLD, card)


def test_the_part_says_of_the_license_what_the_metadata_says() -> None:
    card = merged(NEW, edited(OLD, license=None))
    assert license_line(None) in card
    assert license_line("mit") not in card
    assert merged(NEW, card) == card


def test_comments_in_the_metadata_stay() -> None:
    written = edited(OLD, tags="# ours\ntags: # ask Ann\n- emotion\n- emolens\n")
    card = merged(NEW, written)
    assert card.startswith("---\n# ours\ntags: # ask Ann\n- emotion\n- emolens\n")
    assert own_keys(card) == ["tags"]
    only_a_comment = merged(NEW, OLD.replace("metrics:", "# why\nmetrics:"))
    assert "# why\n" in only_a_comment
    assert "metrics:" not in only_a_comment


@pytest.mark.parametrize("written", ["", " \n", "\ufeff", OLD, OLD.replace("\n", "\r\n")])
def test_without_words_of_the_user_the_card_is_the_new_one(written: str) -> None:
    assert not has_own_words(written)
    assert merged(NEW, written) == NEW


def test_a_user_may_take_all_the_metadata_away() -> None:
    card = merged(OLD, body(OLD))
    assert not card.startswith("---")
    assert metadata(merged(NEW, card)) == {"language": "en"}  # which was not there to delete


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        ("# My own card\n", "not there once each"),
        (OLD.replace("<!-- emolens: begin", "<!-- begin"), "not there once each"),
        (OLD.replace("<!-- emolens: end", "<!-- end"), "not there once each"),
        (OLD + OLD, "not there once each"),
        (OLD.replace("0.5", "0.99"), "was changed"),
        (OLD.replace("tags:", "tags: ["), "not valid YAML"),
        (OLD.replace("license:", "tags: x\nlicense:"), "'tags' twice"),
        (OLD.replace("license: apache-2.0", "a: &a [1]\nb: *a"), "alias"),
        (OLD.replace("license:", "  license:"), "not valid YAML"),
        (OLD.replace("tags:\n", "- tags\n"), "not valid YAML"),
        (OLD.replace("license: apache-2.0", f"a: {'[' * 3000}"), "not valid YAML"),
    ],
)
def test_a_card_that_can_not_be_renewed_is_refused_with_the_reason(
    damaged: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        merged(NEW, damaged)
    assert has_own_words(damaged)


# What people write: headings, rules that look like metadata, tables, other comments.
WORDS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.sampled_from(
            ["---", "# Title", "| a |\n|---|", "<!-- ours -->", "license: x", "- a", "", "\t", "é"]
        ),
    ),
    max_size=5,
).map("\n".join)
# With lines like the two of emolens, a card is refused.
WORDS = WORDS.filter(lambda text: "<!-- emolens:" not in text)
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "license": st.sampled_from([None, "license: gpl-3.0\n", "license: mit\n", "# c\n"]),
        "tags": st.sampled_from([None, "tags: [ a, 'b' ]\n", "tags:\n  - 'é #1'\n"]),
        "widget": st.sampled_from(["widget: |\n  a\n\n  # b\n", "widget: {a: 1}  # c\n"]),
        "language": st.sampled_from(["language: fr\n"]),
    },
)


@settings(max_examples=40, deadline=None)
@given(WORDS, WORDS, KEYS, st.booleans(), st.lists(st.booleans(), max_size=4))
def test_no_number_of_renewals_loses_a_word(
    before: str, after: str, keys: dict[str, str | None], crlf: bool, renewals: list[bool]
) -> None:
    above = before + "\n" if before else ""
    written = edited(OLD, before=above, after=after, **keys)
    if crlf:
        written = written.replace("\r\n", "\n").replace("\n", "\r\n")
        above, after = (t.replace("\r\n", "\n").replace("\n", "\r\n") for t in (above, after))
    mine = {key: metadata(written).get(key) for key in own_keys(written)}
    card = written
    for fresh in [NEW, *(NEW if new else OLD for new in renewals)]:
        card = merged(fresh, card)
        assert merged(fresh, card) == card
        assert has_own_words(card) == has_own_words(written)
        if has_own_words(written):
            assert part(card).splitlines()[-3] == part(fresh).splitlines()[-3]
            assert f"{above}<!-- emolens: begin" in card
            assert card.endswith(f"-->{chr(13) if crlf else ''}\n{after}")
            assert {key: metadata(card).get(key) for key in mine} == mine


@pytest.mark.parametrize(
    ("card", "license"),
    [
        (OLD, "apache-2.0"),
        (merged(NEW, edited(OLD, license=None)), None),
        ("---\nlicense:\n- mit\n- apache-2.0\n---\n", "mit, apache-2.0"),
        ("---\r\nlicense: other\r\nlicense_name: our-own\r\n---\r\n", "our-own"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlicense: unknown\n---\n", None),
        ("---\n{license: mit\n---\n", None),
        ("no metadata\n---\nlicense: mit\n---\n", None),
        ("", None),
    ],
)
def test_the_license_of_any_card(card: str, license: str | None) -> None:
    assert stated_license(card) == license


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        ("mit", {"license": "mit"}),
        (" Apache 2.0", {"license": "apache-2.0"}),
        ("CC0-1.0", {"license": "cc0-1.0"}),
        ("our: own #1", {"license": "other", "license_name": "our: own #1"}),
        ("no", {"license": "other", "license_name": "no"}),
        ("Other", {"license": "other"}),
    ],
)
def test_a_license_is_written_as_the_hub_knows_it(written: str, fields: dict[str, str]) -> None:
    assert license_fields(written) == fields
    start = merged(NEW, edited(OLD, license=None))
    for card in (OLD, start, start.replace("\n", "\r\n"), "# Of others\n", "---\na: 1\n---\nx"):
        stated = with_license(card, written)
        assert ModelCard(stated).data.to_dict().items() >= fields.items()
        assert stated_license(stated) == fields.get("license_name", fields["license"])
        assert stated.endswith(card[-3:])
        assert with_license(stated, written) == stated
    line = license_line(fields.get("license_name", fields["license"]))
    assert line in with_license(OLD, written)
    assert line in merged(OLD, merged(NEW, with_license(OLD, written)))


def test_on_the_hub_the_examples_load_the_model_from_there() -> None:
    text = '```python\nfolder = "THIS_FOLDER"\n```\n\n    emolens predict --model THIS_FOLDER'
    card = with_address(new_card("tags: [a]", text), "ann/tiny")
    assert 'folder = snapshot_download("ann/tiny")' in card
    assert "--model ann/tiny" in card
    assert "THIS_FOLDER" not in card
    assert not has_own_words(card)
    assert merged(new_card("tags: [a]", text), card) == new_card("tags: [a]", text)
