"""The text of a model card: the metadata, the part that emolens writes, and the user's own words.

The metadata is YAML between two lines of ---. The part of emolens stands between two comments. The
second one holds the digests of all that emolens wrote, so that what the user changed is known. This
module knows nothing of models and figures.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from emolens.errors import first_line
from emolens.show.licenses import license_fields
from emolens.shown import visible

CARD = "README.md"  # the name that the Hub wants
FOLDER = "THIS_FOLDER"  # in the examples of a card that is on no Hub
_BEGIN = (
    "<!-- emolens: begin. Write your own words above this line, or below the last line of this"
    " part: they are kept when emolens writes this part again. -->"
)
_YOURS = "yours"  # in place of a digest: the user changed, added or deleted this key
_FRONT = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_BEGIN_LINE = re.compile(r"^<!-- emolens: begin\b[^\n]*-->[ \t]*(\r?\n)", re.MULTILINE)
_END_LINE = re.compile(r"^<!-- emolens: end\b([^\n]*)-->[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_KEY = re.compile(r"^(?=[^\s#-])", re.MULTILINE)
_BLANK_OR_COMMENT = re.compile(r"(?:^(?:[ \t]*|#[^\n]*)\r?\n)+\Z", re.MULTILINE)
_LICENSE_LINE = re.compile(r"^License of the weights: [^\n]*$", re.MULTILINE)


@dataclass(frozen=True)
class _Block:
    """Lines of the metadata: one key with its value, or (key None) comments and blank lines."""

    key: str | None
    text: str
    value: Any = None

    @property
    def digest(self) -> str:
        """Changes with the value, and with a comment: the Hub may write the same in other words."""
        return _digest(repr((self.value, self.text.count("#"))))


@dataclass(frozen=True)
class _Card:
    """A card in its parts.

    blocks: the metadata; None if there is none. marks: the digest of each key that emolens wrote.
    """

    blocks: tuple[_Block, ...] | None
    before: str
    part: str
    after: str
    marks: Mapping[str, str]
    newline: str

    @classmethod
    def read(cls, card: str) -> _Card:
        """The parts of a card. ValueError, with the reason, if emolens can't renew it."""
        blocks, body = _front(card)
        begins, ends = list(_BEGIN_LINE.finditer(body)), list(_END_LINE.finditer(body))
        if len(begins) != 1 or len(ends) != 1 or begins[0].end() > ends[0].start():
            raise ValueError("the two comments around the part of emolens are not there once each")
        (begin,), (end,) = begins, ends
        part = body[begin.end() : end.start()]
        digest, *marks = end[1].split() or [""]
        if digest != _digest(_plain_lines(part)):
            raise ValueError("the part that emolens writes was changed")
        return cls(
            blocks=blocks,
            before=body[: begin.start()],
            part=part,
            after=body[end.end() :],
            marks=dict(mark.split("=", 1) for mark in marks if "=" in mark),
            newline=begin[1],
        )

    def __str__(self) -> str:
        part = _plain_lines(self.part)
        marks = [f"{key}={mark}" for key, mark in self.marks.items()]
        end = " ".join(["<!-- emolens: end", _digest(part), *marks, "-->"])
        ours = f"{_BEGIN}\n{part}{end}\n".replace("\n", self.newline)
        return f"{_front_text(self.blocks, self.newline)}{self.before}{ours}{self.after}"

    @property
    def keys(self) -> dict[str, _Block]:
        """The metadata by key."""
        return {block.key: block for block in self.blocks or () if block.key is not None}

    def is_yours(self, key: str) -> bool:
        """Whether the user added, changed or deleted this key of the metadata."""
        block, mark = self.keys.get(key), self.marks.get(key)
        if block is None or mark is None or mark == _YOURS:
            return block is not None or mark is not None
        return block.digest != mark


def new_card(metadata: str, part: str) -> str:
    """A card without words of the user. metadata: YAML. part: Markdown."""
    blocks = _blocks(f"{metadata.strip()}\n")
    marks = {block.key: block.digest for block in blocks if block.key is not None}
    return str(_Card(tuple(blocks), "\n", f"\n{part.strip()}\n\n", "", marks, "\n"))


def merged(fresh: str, written: str) -> str:
    """The card `fresh` of emolens with the user's words from the card `written`.

    The user's words are all that stands before and after the part of emolens, comments in the
    metadata, and the keys there that the user added, changed or deleted. ValueError, with the
    reason, if `written` is not a card of emolens, or if the part of emolens was changed.
    """
    if not has_own_words(written):
        return fresh
    new, old = _Card.read(fresh), _Card.read(written)
    names = dict.fromkeys([*old.keys, *new.keys, *old.marks])
    yours = {name for name in names if old.is_yours(name)}
    blocks = []
    for block in old.blocks or ():
        if block.key is None or block.key in yours:
            blocks.append(block)
        elif block.key in new.keys:
            blocks.append(_in_lines(new.keys[block.key], old.newline))
    added = (name for name in new.keys if name not in yours and name not in old.keys)
    blocks += [_in_lines(new.keys[name], old.newline) for name in added]
    marks = {
        name: _YOURS if name in yours else new.marks[name]
        for name in sorted(names)
        if name in new.marks or (name in yours and name in old.marks)
    }
    card = _Card(
        blocks=None if old.blocks is None and not blocks else tuple(blocks),
        before=old.before,
        part=new.part,
        after=old.after,
        marks=marks,
        newline=old.newline,
    )
    return str(_with_license_line(card))


def has_own_words(card: str) -> bool:
    """Whether anything in the card is not from emolens."""
    if not card.strip("\ufeff \t\r\n"):
        return False
    try:
        parts = _Card.read(card)
    except ValueError:
        return True
    remarks = any(block.key is None and block.text.strip() for block in parts.blocks or ())
    around = f"{parts.before}{parts.after}".strip()
    return bool(around) or remarks or bool(own_keys(card))


def words_digest(card: str) -> str:
    """A digest that changes with the user's words only, and not with what emolens wrote."""
    try:
        words = merged(new_card("", ""), card)
    except ValueError:  # a card of others, or one that the user changed
        words = card
    return hashlib.sha256(words.encode("utf-8")).hexdigest()


def body_of(card: str) -> str:
    """What stands below the metadata of any card."""
    try:
        return _front(card)[1]
    except ValueError:
        return card


def own_keys(card: str) -> list[str]:
    """The keys of the metadata that the user added, changed or deleted."""
    parts = _Card.read(card)
    return [name for name in dict.fromkeys([*parts.keys, *parts.marks]) if parts.is_yours(name)]


def stated_license(card: str) -> str | None:
    """The license in the metadata of any card; None if it has none, or no metadata to read."""
    try:
        blocks, _ = _front(card)
    except ValueError:
        return None
    return _license_in(blocks)


def with_license(card: str, license: str) -> str:
    """The card with this license in its metadata, as if the user had written it there.

    Works for any card. ValueError, with the reason, if its metadata can't be read.
    """
    fields = license_fields(license)
    blocks, body = _front(card)
    newline = "\r\n" if "\r\n" in card else "\n"
    kept = [block for block in blocks or () if block.key not in ("license", "license_name")]
    kept += [_in_lines(block, newline) for block in _blocks(_yaml(fields))]
    stated = _front_text(kept, newline) + body
    try:
        return str(_with_license_line(_Card.read(stated)))
    except ValueError:  # a card of others, or one that the user changed
        return stated


def with_address(card: str, repo: str) -> str:
    """The card of a model that is on the Hub as `repo`: its examples load it from there.

    ValueError, with the reason, if the card is not one of emolens, or if its part was changed.
    """
    parts = _Card.read(card)
    lines = f'from huggingface_hub import snapshot_download\n\nfolder = snapshot_download("{repo}")'
    code = _plain_lines(parts.part).replace(f'folder = "{FOLDER}"', lines)
    return str(replace(parts, part=code.replace(FOLDER, repo)))


def license_line(license: str | None) -> str:
    """What a card says about the license of its weights."""
    if license:
        return f"License of the weights: {plain(license)}."
    return (
        "License of the weights: not stated. Ask the author before you use them. The author states"
        " it with `license` in the metadata of this file, or with `card.license` in the study."
    )


def plain(text: Any) -> str:
    """The text on one line, with a backslash before each sign that has a meaning in Markdown."""
    line = visible(" ".join(str(text).split()))
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#&~" else sign for sign in line)


def _with_license_line(card: _Card) -> _Card:
    """The card; its part says of the license what the metadata says."""
    line = license_line(_license_in(card.blocks))
    return replace(card, part=_LICENSE_LINE.sub(lambda _: line, _plain_lines(card.part)))


def _license_in(blocks: Iterable[_Block] | None) -> str | None:
    values = {block.key: block.value for block in blocks or ()}
    license = values.get("license")
    if license == "other" and values.get("license_name"):
        license = values["license_name"]
    names = license if isinstance(license, list) else [license]
    return ", ".join(str(name) for name in names if name and name != "unknown") or None


def _front(card: str) -> tuple[tuple[_Block, ...] | None, str]:
    """The metadata, None if there is none, and the text below it."""
    card = card.removeprefix("\ufeff")
    match = _FRONT.match(card)
    if match is None or _BEGIN_LINE.search(match[1]):
        return None, card
    if match[1].strip() and not isinstance(_loaded(match[1]), (dict, type(None))):
        return None, card  # the user's text between two rules
    return tuple(_blocks(match[1])), card[match.end() :]


def _front_text(blocks: Iterable[_Block] | None, newline: str) -> str:
    if blocks is None:
        return ""
    return "".join([f"---{newline}", *(block.text for block in blocks), f"---{newline}"])


def _blocks(front: str) -> list[_Block]:
    """The metadata, cut before each key. ValueError if it can't be cut so."""
    first, *pieces = _KEY.split(front)
    blocks = [_Block(None, first)] if first else []
    if _loaded(first) is not None:
        raise ValueError("its metadata does not begin with a key")
    for piece in pieces:
        rest = _BLANK_OR_COMMENT.search(piece)
        text = piece[: rest.start()] if rest else piece
        value = _loaded(text)
        if not isinstance(value, dict) or len(value) != 1 or text[0] in "{[!&?":
            raise ValueError("its metadata is not a list of keys with values")
        ((key, inner),) = value.items()
        if not isinstance(key, str) or any(block.key == key for block in blocks):
            raise ValueError(f"its metadata has the key {key!r} twice, or it is no text")
        blocks.append(_Block(key, text, inner))
        if rest:
            blocks.append(_Block(None, rest[0]))
    return blocks


def _loaded(text: str) -> Any:
    """The value of YAML. ValueError if it is not valid, or repeats a part by a name (&, *)."""
    import yaml

    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError("its metadata has a YAML alias")
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"its metadata is not valid YAML: {first_line(error)}") from error


def _yaml(fields: Mapping[str, str]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(fields), allow_unicode=True, sort_keys=False))


def _in_lines(block: _Block, newline: str) -> _Block:
    return replace(block, text=_plain_lines(block.text).replace("\n", newline))


def _plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
