"""Loads an exported model folder and turns texts into probabilities. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emolens.blank import is_blank
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.choose import choose, exported_file, open_exported
from emolens.encode.engines.openvino import names_weights
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.encode.weights import Weights
from emolens.errors import EncoderError, first_line
from emolens.export.head import read_head
from emolens.modelfolder import (
    EMOLENS_JSON,
    EXPORTED_FROM,
    check_files,
    note_change,
    read_emolens_json,
)
from emolens.runtime import Runtime
from emolens.shown import quoted


class Outputs(NamedTuple):
    """What the model says of n texts.

    probabilities: (n, k) float64; the row of a blank text is NaN. truncated: (n,) bool, which texts
    were cut at the limit. unknown: (n,) bool, texts of which the vocabulary holds nothing: each of
    their parts becomes the same token.
    """

    probabilities: np.ndarray
    truncated: np.ndarray
    unknown: np.ndarray


class ExportedModel:
    """A classifier that is ready to run: its head, its tokenizer and its engine.

    folder: a model folder with `openvino/`. precision: 'fp32', 'bf16', or 'int8' if it was
    exported; None chooses bf16 or fp32 by the machine.
    """

    def __init__(self, folder: Path, *, precision: str | None = None) -> None:
        self.folder, self.runtime = folder, choose(precision, use="serve")
        with ThreadPoolExecutor(1) as beside:
            check = beside.submit(_check, folder, self.runtime)
            weights = beside.submit(_weights_sha256, folder, self.runtime)
            self.head = read_head(folder)
            note_change(folder, "config.json")  # where people give classes other names
            self.tokenizer = Tokenizer.from_folder(folder)
            self._engine = open_exported(folder, self.runtime)
            check.result()
            self._check_weights(weights.result())
        if self._engine.width is not None:
            self._check_width(self._engine.width)

    def ask(self, texts: Sequence[str]) -> Outputs:
        """The outputs for these texts. The model does not get blank ones."""
        tokens = self.tokenizer.encode(texts)
        asked = np.array([not is_blank(text) for text in texts], dtype=bool)
        probabilities = np.full((len(texts), len(self.head.labels)), np.nan)
        if asked.any():
            rows = tokens if asked.all() else tokens.take(np.flatnonzero(asked))
            probabilities[asked] = self.head.decision.probabilities(self._logits(rows))
        unknown = self.tokenizer.unknown_shares(tokens) == 1
        return Outputs(probabilities, tokens.truncated & asked, unknown)

    def _logits(self, tokens: Tokens) -> np.ndarray:
        try:
            logits = run_batches(self._engine, tokens, self.tokenizer.pad_id)
        except RuntimeError as error:  # a model that was made for other shapes, for example
            raise EncoderError(
                f"OpenVINO can't run the model in {self.folder}: {first_line(error)}.",
                hint=_remedy(self.folder, self.runtime),
            ) from error
        self._check_width(logits.shape[1])
        return logits

    def _check_weights(self, digest: str | None) -> None:
        """Refuse an export whose weights are not those in the folder. digest: of those, if any."""
        if digest is None or self._engine.weights_sha256 in (None, digest):
            return
        hint = _remedy(self.folder, self.runtime)
        if read_emolens_json(self.folder).get("weights_sha256", digest) != digest:
            # An export would refuse weights that are not as emolens trained them.
            hint = f"To use the new weights, first delete {self.folder / EMOLENS_JSON}. {hint}"
        raise EncoderError(
            f"{self.folder / 'openvino'} was made from other weights than those in {self.folder}.",
            hint=hint,
        )

    def _check_width(self, width: int) -> None:
        if width != len(self.head.labels):
            raise EncoderError(
                f"{self.folder / 'openvino'} gives {width} outputs for the"
                f" {len(self.head.labels)} classes of config.json.",
                hint=_remedy(self.folder, self.runtime),
            )


def _check(folder: Path, runtime: Runtime) -> None:
    """Raise EncoderError if a file that is loaded is not as emolens wrote it."""
    model = exported_file(folder, runtime)
    read = ("tokenizer.json", "tokenizer_config.json")
    files = [model, model.with_suffix(".bin"), *(folder / name for name in read)]
    names = [file.relative_to(folder).as_posix() for file in files]
    check_files(folder, names, remedy=_remedy(folder, runtime))


def _weights_sha256(folder: Path, runtime: Runtime) -> str | None:
    """Of the weights in the folder; None if they are not there, or the export does not name any."""
    if not names_weights(exported_file(folder, runtime)):
        return None
    try:
        weights = Weights.of(folder)
    except EncoderError:  # an exported model needs no weights
        return None
    exported = read_emolens_json(folder).get(EXPORTED_FROM)
    if isinstance(exported, dict) and exported.get("stamp") == weights.stamp:
        return str(exported.get("sha256"))  # hashing would take as long as half of the start
    return weights.sha256


def _remedy(folder: Path, runtime: Runtime) -> str:
    int8 = " --int8" if runtime.precision == "int8" else ""
    return f"Export it again: emolens export {quoted(folder)}{int8} (needs emolens[train])."
