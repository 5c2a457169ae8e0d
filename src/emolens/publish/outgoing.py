"""Which files of a model folder go to the Hub, and which stay here. Nothing private goes along.

Knows nothing of the Hub.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emolens.encode.config import read_config
from emolens.encode.engines.openvino import MODEL
from emolens.encode.weights import Weights
from emolens.errors import EncoderError, StorageError
from emolens.export.head import read_head
from emolens.export.model import ExportedModel
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
from emolens.shown import quoted
from emolens.store import json_text

CARD = "README.md"
# Entries of emolens.json for the last push: the card that was sent, and the user's words in the
# card of the folder. The two differ if words were taken from the Hub.
PUSHED_CARD, WORDS_HERE = "card_sha256", "card_words_sha256"
_CONFIGS = ("config.json", "tokenizer_config.json")
_TOKENIZER = (
    *("tokenizer.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt"),
    *("vocab.json", "merges.txt", "spiece.model", "spm.model", "sentencepiece.bpe.model"),
)
_INDEX = "model.safetensors.index.json"
# In a configuration, these name files and folders of the machine that wrote it.
_PLACES = {"_name_or_path", "name_or_path", "tokenizer_file", "special_tokens_map_file"}


@dataclass(frozen=True)
class File:
    """A file that goes to the Hub. source: where it is, or its bytes. sha256: in hexadecimal."""

    source: Path | bytes
    sha256: str

    @classmethod
    def of(cls, source: Path | bytes) -> File:
        """The file with its SHA-256."""
        if isinstance(source, bytes):
            return cls(source, hashlib.sha256(source).hexdigest())
        return cls(source, sha256(source))

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

    left_out: the names of other files in the folder. facts: what emolens.json says of the model.
    """

    files: Mapping[str, File]
    left_out: tuple[str, ...]
    facts: Mapping[str, Any]

    def with_card(self, card: str, *, words_here: str) -> dict[str, File]:
        """All files, with this card, and with an emolens.json that lists them."""
        text = File.of(card.encode("utf-8"))
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
    damaged; StorageError if a file holds the path of a folder of this machine.
    """
    facts = read_emolens_json(folder)
    read_head(folder)
    if not facts:
        raise EncoderError(
            f"{folder} has no {EMOLENS_JSON}: emolens has neither trained nor exported this model.",
            hint=f"Export it first: emolens export {quoted(folder)}",
        )
    _check(folder)
    weights = [path.name for path in Weights.of(folder).files]
    exported = [n for n in owned_in(folder).files if n.startswith((OPENVINO, ONNX))]
    wanted = [*_CONFIGS, *_TOKENIZER, *weights, *([_INDEX] if len(weights) > 1 else []), *exported]
    there = sorted({name for name in wanted if (folder / name).is_file()})
    files = {name: File.of(_clean(folder / name)) for name in there}
    for name, file in files.items():
        if name not in weights:
            _check_places(folder, name, file)
    others = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    others -= {*files, CARD, EMOLENS_JSON}
    return Outgoing(files, tuple(sorted(others)), _public(facts))


def _check(folder: Path) -> None:
    """Raise EncoderError if a file is damaged, or if an export is not of these weights."""
    check_weights(folder)
    exported = [name for name in owned_in(folder).files if name.startswith((OPENVINO, ONNX))]
    check_files(folder, exported, remedy=f"Export it again: emolens export {quoted(folder)}")
    if (folder / OPENVINO / MODEL).is_file():
        ExportedModel(folder, precision="fp32")


def _clean(path: Path) -> Path | bytes:
    """The file, or its content without the places of this machine."""
    if path.name not in _CONFIGS:
        return path
    config = read_config(path)
    if not config.keys() & _PLACES:
        return path
    return json_text({k: v for k, v in config.items() if k not in _PLACES}).encode()


def _public(facts: Mapping[str, Any]) -> dict[str, Any]:
    """emolens.json without its lists of files, and without the times of files."""
    public = {key: value for key, value in facts.items() if key not in ("files", "pending")}
    exported = public.pop(EXPORTED_FROM, None)
    if isinstance(exported, dict) and "sha256" in exported:
        public[EXPORTED_FROM] = {"sha256": exported["sha256"]}
    return public


def _check_places(folder: Path, name: str, file: File) -> None:
    """Raise StorageError if a file holds the path of the home folder, or of the model folder."""
    content, places = file.read(), (Path.home(), folder.resolve())
    for place in places:
        # A short path, such as /, stands in many files without being meant.
        if len(place.parts) > 1 and f"{place}{os.sep}".encode() in content:
            raise StorageError(
                f"{folder / name} holds the path {place}, which would be seen on the Hub.",
                hint=f"Delete the path from the file, or export the model again: emolens export"
                f" {quoted(folder)}",
            )
