"""tokenizer.json: the rules of published tokenizers are admitted, rules without an end are not."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from emolens.encode.tokenize import Tokenizer
from emolens.encode.tokenizer_file import may_backtrack, open_tokenizer, tokenizer_errors
from emolens.errors import EncoderError

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+"
)


def table(entry: bytes) -> str:
    """A table of letters like that of sentencepiece: one index entry, then the texts."""
    return base64.b64encode((4).to_bytes(4, "little") + b"\0\0\0\0" + entry + b"\0ab\0").decode()


def replace(pattern: str, content: str, kind: str = "Regex") -> dict[str, Any]:
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def split(pattern: str) -> dict[str, Any]:
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }


def sequence(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Sequence", "normalizers": list(rules)}


PRECOMPILED = {"type": "Precompiled", "precompiled_charsmap": table(b"x" * 33)}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
PUBLISHED: dict[str, dict[str, Any]] = {
    "xlm-roberta": {"normalizer": sequence(PRECOMPILED, replace(" {2,}", " "))},
    "albert": {
        "normalizer": sequence(
            replace("``", '"', "String"),
            replace("''", '"', "String"),
            {"type": "NFKD"},
            {"type": "StripAccents"},
            {"type": "Lowercase"},
            PRECOMPILED,
            replace(" {2,}", " "),
        )
    },
    "camembert": {"normalizer": sequence(replace("\n", " ", "String"), replace(" {2,}", " "))},
    "llama2": {
        "normalizer": sequence({"type": "Prepend", "prepend": "▁"}, replace(" ", "▁", "String"))
    },
    "roberta": {"pre_tokenizer": {**BYTES, "use_regex": True}},
    "gpt2": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split(GPT2), BYTES]}},
    "llama3": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split(LLAMA3), BYTES]}},
    "o200k": {"pre_tokenizer": split(O200K)},
    "modernbert": {"normalizer": {"type": "NFC"}},
}


@pytest.fixture
def file(tiny_encoder: Path, tmp_path: Path) -> Path:
    for name in ("tokenizer.json", "config.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_encoder / name).read_bytes())
    return tmp_path / "tokenizer.json"


def change(file: Path, **parts: Any) -> Path:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | parts), "utf-8")
    return file


def refused(file: Path, match: str) -> None:
    with pytest.raises(EncoderError, match=match) as caught:
        Tokenizer.from_folder(file.parent)
    assert caught.value.hint
    assert len(str(caught.value)) < 300 + len(str(file))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_rules_of_a_published_tokenizer_are_admitted(file: Path, name: str) -> None:
    change(file, **PUBLISHED[name])
    try:
        open_tokenizer(file)
    except EncoderError as error:
        # The tables of letters here are too short for the library.
        assert "can't be read as a tokenizer" in str(error)
        assert "Precompiled" in json.dumps(PUBLISHED[name])


@pytest.mark.parametrize(
    "parts",
    [
        {"normalizer": sequence(*[replace("a", "aa", "String")] * 40)},
        {"normalizer": sequence(*[replace("", "x")] * 40)},
        {"normalizer": sequence(*[replace("(?=.)", "x")] * 40)},
        {"normalizer": sequence(sequence(*[replace(".", "xx")] * 20), replace("x", "x" * 99))},
        {"normalizer": replace("a", "a" * 1_000_000, "String")},
        {"normalizer": replace("", "a" * 1_000_000, "String")},
        {"normalizer": {"type": "Replace", "pattern": {"String": 5}, "content": "a" * 1_000}},
        {"normalizer": {"type": "Prepend", "prepend": "a" * 1_000_000}},
        {"normalizer": sequence(*[PRECOMPILED] * 5)},
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": table(b"x" * 100_000)}},
        {"normalizer": sequence(*[{"type": "ByteLevel"}] * 40)},
        {"normalizer": sequence(*[{"type": "NFC"}] * 5000)},
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [BYTES] * 40}},
    ],
)
def test_rules_that_multiply_a_text_are_refused(file: Path, parts: dict[str, Any]) -> None:
    added = {"id": 5, "content": "a", "single_word": False, "lstrip": False, "rstrip": False}
    change(file, **parts, added_tokens=[{**added, "normalized": True, "special": False}])
    refused(file, "times longer")


def test_a_template_that_repeats_the_text_is_refused(file: Path) -> None:
    pieces = [{"Sequence": {"id": "A", "type_id": 0}}] * 2
    template = {"type": "TemplateProcessing", "single": pieces, "pair": pieces}
    change(file, post_processor={**template, "special_tokens": {}})
    refused(file, "repeats the text")


@pytest.mark.parametrize(
    "pattern", [GPT2, LLAMA3, O200K, " {2,}", r"\p{Han}", r"(?:\r\n)+", "(ab)*"]
)
def test_regular_expressions_of_published_tokenizers_end(pattern: str) -> None:
    assert not may_backtrack(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(x+x+)+y", "(a|aa)*b", "(a*)*b", "((a)+)+$", "(?:a|b|ab)+c", r"(\w*){2,}!", "(a{1,9}){30}b"],
)
def test_a_regular_expression_that_may_never_end_is_refused(file: Path, pattern: str) -> None:
    assert may_backtrack(pattern)
    for part in ({"normalizer": replace(pattern, "")}, {"pre_tokenizer": split(pattern)}):
        change(file, **part)
        refused(file, "may never end")


def test_a_panic_of_the_library_is_an_encoder_error(file: Path) -> None:
    # No endless repetition of a repetition, but it takes the fifth power of the length.
    change(file, pre_tokenizer=split(r"x*x*x*x*x*x*x*y"))
    tokenizer = Tokenizer.from_folder(file.parent)
    with pytest.raises(EncoderError, match="retry-limit"):
        tokenizer.encode(["x" * 5000 + " y"])


def test_an_exception_is_an_encoder_error_and_a_stop_is_none() -> None:
    with pytest.raises(KeyboardInterrupt), tokenizer_errors("it failed"):
        raise KeyboardInterrupt
    with pytest.raises(EncoderError, match=r"it failed: no\."), tokenizer_errors("it failed"):
        raise Exception("no")


@pytest.mark.parametrize("id_", [10**9, 2**31, 2**32 - 1])
@pytest.mark.parametrize("where", ["vocab", "added"])
def test_ids_that_the_model_does_not_have_are_refused(file: Path, where: str, id_: int) -> None:
    content = json.loads(file.read_text("utf-8"))
    if where == "vocab":
        content["model"]["vocab"]["happy"] = id_
    else:
        content["added_tokens"].append({**content["added_tokens"][0], "id": id_, "content": "hm"})
    change(file, **content)
    refused(file, f"{id_:,}.*vocab_size")
    config = json.loads((file.parent / "config.json").read_text("utf-8"))
    del config["vocab_size"]
    (file.parent / "config.json").write_text(json.dumps(config))
    if id_ >= 2**31:
        refused(file, f"{id_:,}.*vocab_size")


def test_a_smaller_model_than_the_tokenizer_is_refused(file: Path) -> None:
    config = json.loads((file.parent / "config.json").read_text("utf-8"))
    size = config["vocab_size"]
    assert Tokenizer.from_folder(file.parent)
    (file.parent / "config.json").write_text(json.dumps({**config, "vocab_size": size - 1}))
    refused(file, "vocab_size")


@pytest.mark.parametrize("limit", [1, 2])
def test_a_limit_without_room_for_a_word_is_refused(file: Path, limit: int) -> None:
    change(file.parent / "tokenizer_config.json", model_max_length=limit)
    refused(file, f"takes {limit} tokens per text")


@pytest.mark.parametrize(
    "parts",
    [
        {"model": None},
        {"model": []},
        {"model": {"type": "WordPiece", "vocab": {"a": "x"}}},
        {"normalizer": {"type": "NoSuch"}},
        {"normalizer": [1, {"type": ["x"]}]},
        {"normalizer": replace(3, 4)},  # type: ignore[arg-type]
        {"pre_tokenizer": split(None)},  # type: ignore[arg-type]
        {"added_tokens": 3},
        {"added_tokens": [3, {"id": "x"}]},
        {"post_processor": {"type": "TemplateProcessing", "single": 3}},
    ],
)
def test_parts_of_another_shape_are_refused(file: Path, parts: dict[str, Any]) -> None:
    change(file, **parts)
    refused(file, "tokenizer.json")


def test_words_of_any_length_are_refused(file: Path) -> None:
    content = json.loads(file.read_text("utf-8"))
    change(file, model={**content["model"], "max_input_chars_per_word": 10**9})
    refused(file, "max_input_chars_per_word")
