"""Opens tokenizer.json, unless its rules could take gigabytes or hours for a short text.

Such a file is a small program: rules that replace text, regular expressions, tokens to add. It is
checked before the library tokenizers reads it. Knows nothing of models or of our Tokenizer.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from emolens.encode.config import AGAIN, is_whole, read_config
from emolens.errors import EmolensError, EncoderError, first_line

_LARGEST_FILE = 256 * 2**20  # that of XLM-RoBERTa has 17 MB
_TRUSTED = "Use only tokenizers that you trust. If you trust this one, simplify its rules."
# How many times longer all rules together may make a text. Published tokenizers stay below 64.
_LARGEST_GROWTH = 256
_MOST_RULES, _LONGEST_WORD = 200, 2_000
# A table of letters may map one letter to several; 18 is the most in Unicode.
_UNICODE_GROWTH, _LONGEST_ENTRY = 16, 1_000


def open_tokenizer(path: Path) -> tuple[Any, int]:
    """The tokenizer of the library tokenizers, and the largest token id that it can give."""
    import tokenizers

    content = read_config(path, largest=_LARGEST_FILE)
    _check_rules(path, content)
    with tokenizer_errors(f"{path} can't be read as a tokenizer"):
        return tokenizers.Tokenizer.from_file(str(path)), _largest_id(content)


@contextlib.contextmanager
def tokenizer_errors(failure: str) -> Iterator[None]:
    """Turn the errors of the library tokenizers into an EncoderError.

    failure: the beginning of its sentence. The library raises bare Exceptions, and panics.
    """
    try:
        yield
    except EmolensError:
        raise
    except BaseException as error:
        panic = type(error).__name__ == "PanicException"  # its module can't be imported
        if not (panic or isinstance(error, Exception)):
            raise
        hint = _TRUSTED if panic else AGAIN
        raise EncoderError(f"{failure}: {first_line(error)[:200]}.", hint=hint) from error


def _check_rules(path: Path, content: dict[str, Any]) -> None:
    for part in ("normalizer", "pre_tokenizer"):
        rules = list(_rules(content.get(part)))
        for rule in rules:
            if isinstance(pattern := _pattern(rule, "Regex"), str) and may_backtrack(pattern):
                raise EncoderError(
                    f"{path} holds a regular expression that may never end: {pattern[:60]!r}.",
                    hint=_TRUSTED,
                )
        if len(rules) > _MOST_RULES or prod(map(_growth, rules)) > _LARGEST_GROWTH:
            raise EncoderError(
                f"The {part} of {path} can make a text more than {_LARGEST_GROWTH} times longer.",
                hint=_TRUSTED,
            )
    if any(_copies(rule) > 1 for rule in _rules(content.get("post_processor"))):
        raise EncoderError(f"The post_processor of {path} repeats the text.", hint=_TRUSTED)
    model = content.get("model")
    longest = model.get("max_input_chars_per_word", 0) if isinstance(model, dict) else 0
    if is_whole(longest) and longest > _LONGEST_WORD:
        raise EncoderError(
            f"{path} allows words of more than {_LONGEST_WORD:,} characters"
            " (max_input_chars_per_word).",
            hint=_TRUSTED,
        )


def _growth(rule: dict[str, Any]) -> float:
    """How many times longer a rule can make a text."""
    kind, content = rule.get("type"), rule.get("content")
    if kind == "Replace" and isinstance(content, str):
        text = _pattern(rule, "String")
        if isinstance(text, str) and text:
            return max(1, len(content) / len(text))
        return 1 + len(content)  # a regular expression may match the empty text before each letter
    if kind in ("Prepend", "Metaspace"):
        # These add to a text once, or for each space.
        return max(len(str(rule.get("prepend", ""))), len(str(rule.get("replacement", "")))) or 1
    if kind == "Precompiled":
        longest = _longest_entry(rule.get("precompiled_charsmap"))
        return _UNICODE_GROWTH if longest <= _LONGEST_ENTRY else longest
    return 2 if kind == "ByteLevel" else 1


def _longest_entry(table: object) -> int:
    """The bytes of the longest text in a table of letters, as sentencepiece writes it."""
    try:
        data = base64.b64decode(str(table or ""))
    except (binascii.Error, ValueError):
        return 0  # the library will refuse it
    # The length of an index, the index, then texts that end with a zero.
    texts = data[4 + int.from_bytes(data[:4], "little") :]
    return max(map(len, texts.split(b"\0")))


def _copies(rule: dict[str, Any]) -> int:
    """How often a template for one text repeats it."""
    single = rule.get("single") if rule.get("type") == "TemplateProcessing" else None
    pieces = single if isinstance(single, list) else []
    return max(1, sum(isinstance(piece, dict) and "Sequence" in piece for piece in pieces))


def _pattern(rule: dict[str, Any], kind: str) -> Any:
    """What the rule looks for: a text ('String') or a regular expression ('Regex')."""
    pattern = rule.get("pattern")
    return pattern.get(kind) if isinstance(pattern, dict) else None


def may_backtrack(pattern: str) -> bool:
    """Whether a repetition without an end holds another repetition or a choice: (a+)+ or (a|aa)*.

    Their time can double with each letter of a text. A pattern of over 10,000 letters counts, too.
    """
    single = r"\\[pPx]\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]"
    without_classes = re.sub(single, "x", pattern, flags=re.DOTALL)
    starts: list[int] = []
    for place, sign in enumerate(without_classes):
        if sign == "(":
            starts.append(place)
        elif sign == ")" and starts:
            inside = without_classes[starts.pop() + 1 : place].removeprefix("?:")
            after = without_classes[place + 1 :]
            if re.match(r"[*+]|\{\d*,\d*\}|\{\d{2,}\}", after) and re.search(r"[*+|{]", inside):
                return True
    return len(pattern) > 10_000


def _largest_id(content: dict[str, Any]) -> int:
    model = content.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    ids: list[Any] = []
    if isinstance(vocabulary, dict):
        ids = list(vocabulary.values())
    elif isinstance(vocabulary, list):
        ids = [len(vocabulary) - 1]
    added = content.get("added_tokens")
    ids += [t.get("id") for t in (added if isinstance(added, list) else []) if isinstance(t, dict)]
    ids += _values(
        content.get("post_processor")
    )  # it holds small numbers, and the ids that it adds
    # A call of is_whole for each of 30,000 ids would take much of the time of a start.
    return max([i for i in ids if type(i) is int], default=0)


def _rules(part: Any) -> Iterator[dict[str, Any]]:
    """Every rule in a part, also the rules inside sequences."""
    return (value for value in _values(part) if isinstance(value, dict) and "type" in value)


def _values(part: Any) -> Iterator[Any]:
    yield part
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for value in inner:
        yield from _values(value)
