"""Which files of a model folder go to the Hub, and which stay here. Nothing private goes along.

Knows nothing of the Hub.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from emolens.encode.config import read_config
from emolens.encode.engines.openvino import MODEL
from emolens.encode.weights import Weights
from emolens.errors import EncoderError, StorageError, some_of
from emolens.export.head import read_head
from emolens.export.model import ExportedModel
from emolens.likeness import ARRAYS_FILE
from emolens.modelfolder import (
    EMOLENS_JSON,
    EXPORTED_FROM,
    ONNX,
    OPENVINO,
    check_files,
    check_weights,
    owned_in,
    read_emolens_json,
)
from emolens.output import sha256
from emolens.show.cardtext import CARD
from emolens.shown import quoted
from emolens.store import json_text

# Entries of emolens.json for the last push: the card that was sent, and the user's words in the
# card of the folder. The two differ if words were taken from the Hub.
PUSHED_CARD, WORDS_HERE = "card_sha256", "card_words_sha256"
_CONFIGS = ("config.json", "tokenizer_config.json")
_TOKENIZER = (
    *("tokenizer.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt"),
    *("vocab.json", "merges.txt", "spiece.model", "spm.model", "sentencepiece.bpe.model"),
)
_MOST_IN_MEMORY = 10 * 10**6  # bytes
# In a configuration, these keys name files and folders of the machine that wrote it.
_PLACE_KEY = re.compile(r"_?name_or_path|\w+_file")
# Values of other keys that do so: /home/anna/x, ~/x, C:\x, //server/x, file:///x
_PLACE = re.compile(r"~?/+[^/\s]+/|~/|[A-Za-z]:[\\/]|\\\\|file:/")
_COMMON_USERS = {"root", "user", "admin", "ubuntu", "runner"}  # of many machines
_TEXTS_OF_THE_MODEL = {"id2label", "label2id", "added_tokens_decoder"}  # classes and tokens


@dataclass(frozen=True)
class File:
    """A file that goes to the Hub. source: where it is, or its bytes. sha256: in hexadecimal."""

    source: Path | bytes
    sha256: str

    @classmethod
    def of(cls, source: Path | bytes) -> File:
        """The file with its SHA-256. A small one is read: it may be changed until it is sent."""
        if isinstance(source, Path) and source.stat().st_size > _MOST_IN_MEMORY:
            return cls(source, sha256(source))
        content = source if isinstance(source, bytes) else source.read_bytes()
        return cls(content, hashlib.sha256(content).hexdigest())

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def read(self) -> bytes:
        """All of it."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


@dataclass(frozen=True)
class Outgoing:
    """What goes to the Hub, by its path there, without card and emolens.json.

    left_out: the names of other files in the folder. notes: what stays here, in sentences. facts:
    what emolens.json says of the model.
    """

    folder: Path
    files: Mapping[str, File]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, Any]

    def with_card(self, card: str, *, words_here: str) -> dict[str, File]:
        """All files, with this card, and with an emolens.json that lists them.

        StorageError if the card holds the path of a folder of this machine.
        """
        text = File.of(card.encode("utf-8"))
        _check_places(self.folder, CARD, text.read())
        digests = {name: file.sha256 for name, file in sorted(self.files.items())}
        facts = {
            **self.facts,
            PUSHED_CARD: text.sha256,
            WORDS_HERE: words_here,
            "files": digests,
        }
        return {**self.files, CARD: text, EMOLENS_JSON: File.of(json_text(facts).encode())}


def outgoing(folder: Path) -> Outgoing:
    """The files of a model folder that emolens wrote, and those that load it, after checking them.

    Raises EncoderError if emolens has not written the folder or exported the model, or if a file is
    damaged; StorageError if a file holds the path of a folder of this machine, or is a link to a
    file outside of the folder.
    """
    _check_is_model(folder)
    facts = read_emolens_json(folder)
    exported = [name for name in owned_in(folder).files if name.startswith((OPENVINO, ONNX))]
    _check(folder, exported)
    weights = Weights.of(folder)
    tensors = {path.name for path in weights.files}
    wanted = {ARRAYS_FILE, *_CONFIGS, *_TOKENIZER, *tensors, Path(weights.name).name, *exported}
    there = sorted(name for name in wanted if (folder / name).is_file())
    _check_links(folder, [*there, CARD, EMOLENS_JSON])
    public, gone = _public_facts(facts)
    files, left_out_of = {}, {EMOLENS_JSON: gone}
    for name in there:
        files[name], left_out_of[name] = _public_file(folder / name)
        content = _header(folder / name) if name in tensors else files[name].read()
        _check_places(folder, name, content)
    others = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    others -= {*files, CARD, EMOLENS_JSON}
    left_out = tuple(sorted(others))
    return Outgoing(folder, files, left_out, tuple(_notes(left_out, left_out_of)), public)


def _check_is_model(folder: Path) -> None:
    """Raise EncoderError unless this is a model folder that emolens has trained or exported."""
    inside = folder / "model"  # of a run folder
    if not (folder / "config.json").is_file() and (inside / "config.json").is_file():
        raise EncoderError(
            f"{folder} is no model folder, but holds one.",
            hint=f"Push that one: emolens push {quoted(inside)} owner/name",
        )
    read_head(folder)
    if not (folder / EMOLENS_JSON).is_file():
        raise EncoderError(
            f"{folder} has no {EMOLENS_JSON}: emolens has neither trained nor exported this model.",
            hint=f"Export it first: emolens export {quoted(folder)}",
        )


def _notes(left_out: Sequence[str], left_out_of: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What stays here: files, and keys of files."""
    if left_out:
        yield f"Left out, because emolens.json does not list them: {some_of(left_out)}."
    for name, keys in left_out_of.items():
        if keys:
            yield f"Left out of {name}, because they name places of a machine: {some_of(keys)}."


def _check(folder: Path, exported: Iterable[str]) -> None:
    """Raise EncoderError if a file is damaged, or if an export is not of these weights."""
    check_weights(folder)
    remedy = f"Export it again: emolens export {quoted(folder)}"
    check_files(folder, list(exported), remedy=remedy)
    if (folder / OPENVINO / MODEL).is_file():
        ExportedModel(folder, precision="fp32")


def _check_links(folder: Path, names: Iterable[str]) -> None:
    """Raise StorageError if a file is a link to one outside of the folder, or lies behind one."""
    for name in names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise StorageError(
                f"{folder / name} is a link to a file outside of the model folder, which may be"
                " private.",
                hint="If the file belongs to the model, put a copy of it in place of the link.",
            )


def _public_file(path: Path) -> tuple[File, list[str]]:
    """The file without the places of this machine, and the keys that are left out."""
    if path.name in _CONFIGS:
        config, gone = _without_places(read_config(path))
        if gone:
            return File.of(json_text(config).encode()), gone
    return File.of(path), []


def _public_facts(facts: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """emolens.json without its lists of files, without the times of files, and without places.

    The keys of the places are the second value.
    """
    public = {key: value for key, value in facts.items() if key not in ("files", "pending")}
    exported = public.pop(EXPORTED_FROM, None)
    if isinstance(exported, dict) and "sha256" in exported:
        public[EXPORTED_FROM] = {"sha256": exported["sha256"]}
    return _without_places(public)


def _without_places(content: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A JSON object without entries that name places of a machine, and the keys of those."""
    kept, gone = dict[str, Any](), []
    for key, value in content.items():
        if _is_place(key, value):
            gone.append(key)
        elif isinstance(value, dict) and key not in _TEXTS_OF_THE_MODEL:
            kept[key], inside = _without_places(value)
            gone += inside
        else:
            kept[key] = value
    return kept, gone


def _is_place(key: str, value: Any) -> bool:
    texts = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
    return any(_PLACE_KEY.fullmatch(key) or _PLACE.match(text) for text in texts)


def _header(path: Path) -> bytes:
    """What a file of safetensors says before its numbers: names of tensors, and notes of tools."""
    with path.open("rb") as file:
        return file.read(int.from_bytes(file.read(8), "little"))


def _check_places(folder: Path, name: str, content: bytes) -> None:
    """Raise StorageError if a file holds the path of the home folder, or of the model folder.

    The card may also hold no path with the user's name as a part.
    """
    places = [folder.resolve()]
    with contextlib.suppress(RuntimeError):  # a user without a home folder
        places.append(Path.home())
    patterns = dict[str, bytes]()
    for place in places:
        if len(place.parts) > 2:
            patterns |= dict.fromkeys(_spellings(place), rb"(?!\w)")
        elif place != folder.resolve():  # /root
            patterns |= dict.fromkeys(_spellings(place), rb"[\\/]")
        # else a folder such as /model, which stands in many files without being meant
    with contextlib.suppress(KeyError, OSError):  # a user without a name
        user = getpass.getuser()
        if name == CARD and len(user) > 3 and user not in _COMMON_USERS:
            patterns |= {f"/{user}": rb"/", f"\\{user}": rb"\\"}
    for text, end in patterns.items():
        if re.search(re.escape(text.encode()) + end, content):
            raise StorageError(
                f"{folder / name} holds the path {text}, which would be seen on the Hub.",
                hint="Delete the path from the file, or export the model again: emolens export"
                f" {quoted(folder)}",
            )


def _spellings(place: PurePath) -> set[str]:
    """A folder as it is written in text, in addresses and in JSON."""
    in_json = (json.dumps(str(place), ensure_ascii=ascii)[1:-1] for ascii in (True, False))
    return {str(place), place.as_posix(), place.as_uri().removeprefix("file://"), *in_json}
