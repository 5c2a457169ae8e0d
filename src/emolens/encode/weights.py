"""The weight files of a folder: which they are, their SHA-256, and the tensors in them.

Only safetensors are read. Knows nothing of models.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from math import prod
from pathlib import Path
from typing import Any

from emolens.encode.config import AGAIN, read_config
from emolens.errors import EncoderError, first_line, require
from emolens.output import sha256

_ONE_FILE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_ADAPTER = "adapter_config.json"  # of PEFT: small weights that change those of another model
_FLOATS = {"F64", "F32", "F16", "BF16"}
_MERGE = "To use it, save the merged model: model.merge_and_unload().save_pretrained(NEW_FOLDER)"


@dataclass(frozen=True)
class Weights:
    """The files that hold a model's weights: one, or several shards."""

    files: tuple[Path, ...]

    @classmethod
    def of(cls, folder: Path) -> Weights:
        """The weight files of a folder; EncoderError if it has none, or its index is not valid."""
        one_file, adapter = folder / _ONE_FILE, folder / _ADAPTER
        whole = one_file.is_file() or (folder / _INDEX).is_file()
        if adapter.is_file() and not whole:
            raise EncoderError(
                f"{folder} holds an adapter (PEFT) and no whole weights.", hint=_MERGE
            )
        if adapter.is_file():
            _note_unused(adapter)
        if not whole:
            raise EncoderError(
                f"{folder} has no weights: there is no {_ONE_FILE}.",
                hint="Save them with model.save_pretrained(folder); .bin files are not read.",
            )
        return cls((one_file,) if one_file.is_file() else tuple(_shards(folder)))

    @property
    def name(self) -> str:
        """The name for messages."""
        first = self.files[0]
        return str(first if len(self.files) == 1 else first.with_name(_INDEX))

    @cached_property
    def sha256(self) -> str:
        """In hexadecimal, of all files one after the other, in the order of their names."""
        return sha256(*self.files)

    @property
    def stamp(self) -> list[list[int]]:
        """Size and times of each file. As long as it is the same, nobody has changed a file.

        Nobody can set the time of the last change of a file's status; on Windows it is missing.
        """
        states = (file.stat() for file in self.files)
        return [[state.st_size, state.st_mtime_ns, state.st_ctime_ns] for state in states]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor. Reads the headers only."""
        return {name: tuple(file.get_slice(name).get_shape()) for name, file in self._entries()}

    def type_of(self, weight: str) -> str | None:
        """The type in the files of a weight that tensors() leaves out; None if there is none.

        A model and its files may name a weight with or without the same first words.
        """
        for name, file in self._entries():
            kind = str(file.get_slice(name).get_dtype())
            same = f".{name}".endswith(f".{weight}") or f".{weight}".endswith(f".{name}")
            if same and kind not in _FLOATS:
                return kind
        return None

    @property
    def n_values(self) -> int:
        """How many numbers all tensors hold together."""
        return sum(prod(shape) for shape in self.shapes.values())

    def tensors(self) -> dict[str, Any]:
        """The tensors of floating-point numbers, as tensors of torch.

        Old files also hold position_ids and the like, which are whole numbers. The weights of a
        quantized model are whole numbers, too, so they are missing here.
        """
        return {
            name: file.get_tensor(name)
            for name, file in self._entries()
            if file.get_slice(name).get_dtype() in _FLOATS
        }

    def _entries(self) -> Iterator[tuple[str, Any]]:
        """The name of each tensor, and the open file that holds it."""
        safetensors = require("safetensors", "train")
        seen: set[str] = set()
        for path in self.files:
            try:
                opened = safetensors.safe_open(path, framework="pt")
            except (OSError, safetensors.SafetensorError) as error:
                raise EncoderError(
                    f"{path} can't be loaded: {first_line(error)}.", hint=AGAIN
                ) from error
            with opened as file:
                for name in file.keys():  # noqa: SIM118 - it is no dictionary
                    if name in seen:
                        raise EncoderError(f"{self.name} holds {name} in two files.", hint=AGAIN)
                    seen.add(name)
                    yield name, file


@cache
def _note_unused(adapter: Path) -> None:
    """Warn once, because one command may look at the weights several times."""
    message = f"The adapter of {adapter} is not used, only the whole weights. {_MERGE}"
    warnings.warn(message, UserWarning, stacklevel=3)


def _shards(folder: Path) -> list[Path]:
    """The files that the index names, in the order of their names."""
    by_tensor = read_config(folder / _INDEX).get("weight_map")
    named = list(by_tensor.values()) if isinstance(by_tensor, dict) else []
    if not named or not all(isinstance(name, str) for name in named):
        raise EncoderError(f"{folder / _INDEX} names no weight files.", hint=AGAIN)
    names = sorted(set(named))
    for name in names:
        # A file in another folder is not part of the model, and must not decide the vectors.
        if not name.endswith(".safetensors") or any(sign in name for sign in '/\\:"\0'):
            raise EncoderError(
                f"{folder / _INDEX} names {name[:60]!r}, which is no .safetensors file beside it.",
                hint="Use only models that you trust, and download the folder again.",
            )
        if not (folder / name).is_file():
            raise EncoderError(f"{folder} has no {name}, which its index names.", hint=AGAIN)
    return [folder / name for name in names]
