"""Loads an exported model folder and turns texts into probabilities. Loads no torch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emolens.blank import is_blank
from emolens.decide import mostly_unknown
from emolens.encode.engines.base import run_batches
from emolens.encode.engines.choose import choose, choose_exported, exported_names, open_exported
from emolens.encode.engines.openvino import names_weights
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.encode.weights import Weights
from emolens.errors import EncoderError, first_line
from emolens.export.head import read_head
from emolens.hub import fetch, is_hub_name, name_of
from emolens.likeness import ARRAYS_FILE, Directions, TrainingTexts
from emolens.modelfolder import (
    BUNDLED_FOLDER,
    EMOLENS_JSON,
    EXPORTED_FROM,
    TRAINING_TEXTS,
    check_files,
    damage_hint,
    export_hint,
    not_as_written,
    note_change,
    owned_in,
    read_emolens_json,
)
from emolens.names import BUNDLED, user_path
from emolens.store import fingerprint, load_arrays

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


class Outputs(NamedTuple):
    """What the model says of n texts.

    probabilities: (n, k) float64; the row of a blank text is NaN. blank: (n,) bool, which texts
    hold nothing to read. truncated: (n,) bool, which texts were cut at the limit. unknown: (n,)
    bool, texts of which the model knows less than half of the tokens. unlike: (n,) str, why a text
    is unlike those that the model was trained on; empty if it is like them, or if nothing is known.
    """

    probabilities: np.ndarray
    blank: np.ndarray
    truncated: np.ndarray
    unknown: np.ndarray
    unlike: np.ndarray


def find_model(name: str | Path, *, precision: str | None = None) -> Path:
    """The folder of an exported model: the bundled one, one of yours, or a copy of one of the Hub.

    name: `general` (bundled), a folder, or `owner/name` or `owner/name@revision` on the Hub. Of the
    Hub's files, only those are fetched that ExportedModel reads in this precision: no weights for
    torch, no pickles.
    Raises HubError, or EncoderError if the Hub has no config.json under this name.
    """
    if name == BUNDLED:
        if (Path(BUNDLED) / "config.json").is_file():
            message = f"The model is the one that comes with emolens; for your folder: ./{BUNDLED}"
            warnings.warn(message, UserWarning, stacklevel=3)
        return BUNDLED_FOLDER
    folder = user_path(name)
    if folder.is_dir() or not is_hub_name(name):
        return folder
    pinned = name
    wanted = exported_names(choose(precision, use="serve").precision)
    if precision in (None, "auto"):
        wanted += exported_names("int8")  # in case that nothing else was exported
    for model in wanted:
        parts = [model, model.replace(".xml", ".bin")]
        folder = fetch(pinned, ["config.json", EMOLENS_JSON, ARRAYS_FILE, *_TOKENIZER, *parts])
        if (folder / model).is_file():
            break
        pinned = name_of(folder) or pinned  # the name may stand for another commit a moment later
    if not (folder / "config.json").is_file():
        raise EncoderError(
            f"{name} on the Hub is no model for emolens: it has no config.json.",
            hint="Give the name of a text classifier.",
        )
    return folder


class ExportedModel:
    """A classifier that is ready to run: its head, its tokenizer and its engine.

    folder: a model folder with `openvino/`, or with `onnx/`, which OpenVINO reads, too. precision:
    'fp32', 'bf16', or 'int8' if it was exported; None chooses bf16 or fp32 by the machine, or int8
    if nothing else was exported.
    """

    def __init__(self, folder: Path, *, precision: str | None = None) -> None:
        self.folder, self.head = folder, read_head(folder)
        self._file, self.runtime = choose_exported(folder, precision)
        key = _content_key(folder, self._file)
        note_change(folder, "config.json")  # where people give classes other names
        with ThreadPoolExecutor(2) as beside:
            tokenizer = beside.submit(Tokenizer.from_folder, folder)
            check = beside.submit(_check, folder, self._file)
            weights = beside.submit(_weights_sha256, folder, self._file)
            self._engine = open_exported(self._file, self.runtime, key=key)
            self.tokenizer = tokenizer.result()
            check.result()
            if _content_key(folder, self._file) == key:
                self._engine.keep_compiled()
            else:  # an export has replaced the files since the key was made
                self._engine = open_exported(self._file, self.runtime)
            self._check_weights(weights.result())
        if self._engine.width is not None:
            self._check_width(self._engine.width)
        self.texts, self._directions = _training_texts(folder, self._engine.n_more)

    def ask(self, texts: Sequence[str]) -> Outputs:
        """The outputs for these texts. The model does not get blank ones."""
        tokens = self.tokenizer.encode(texts)
        asked = np.array([not is_blank(text) for text in texts], dtype=bool)
        probabilities = np.full((len(texts), len(self.head.labels)), np.nan)
        distances: np.ndarray | None = None
        if asked.any():
            rows = tokens if asked.all() else tokens.take(np.flatnonzero(asked))
            logits, more = np.split(self._run(rows), [len(self.head.labels)], axis=1)
            probabilities[asked] = self.head.decision.probabilities(logits)
            distances = more[:, 0] if self._directions else None
        shares = self.tokenizer.unknown_shares(tokens)
        unlike = np.full(len(texts), "", dtype=object)
        if self.texts is not None and asked.any():
            unlike[asked] = self.texts.reasons(rows.n_whole, shares[asked], distances)
        unknown = mostly_unknown(shares)
        return Outputs(probabilities, ~asked, tokens.truncated & asked, unknown, unlike)

    def _run(self, tokens: Tokens) -> np.ndarray:
        """(n, k) logits; if there are directions, (n, k + 1) with the distance of the embedding."""
        try:
            then = self._directions.after_logits if self._directions else None
            outputs = run_batches(self._engine, tokens, self.tokenizer.pad_id, then=then)
        except RuntimeError as error:  # a model that was made for other shapes, for example
            raise EncoderError(
                f"OpenVINO can't run the model in {self.folder}: {first_line(error)}.",
                hint=self._remedy(),
            ) from error
        self._check_width(outputs.shape[1] - (self._directions is not None))
        return outputs

    def _check_weights(self, digest: str | None) -> None:
        """Refuse an export whose weights are not those in the folder. digest: of those, if any."""
        if digest is None or self._engine.weights_sha256 in (None, digest):
            return
        hint = self._remedy()
        if read_emolens_json(self.folder).get("weights_sha256", digest) != digest:
            # An export would refuse weights that are not as emolens trained them.
            hint = f"To use the new weights, first delete {self.folder / EMOLENS_JSON}. {hint}"
        raise EncoderError(
            f"{self._file} was made from other weights than those in {self.folder}.",
            hint=hint,
        )

    def _check_width(self, width: int) -> None:
        if width != len(self.head.labels):
            raise EncoderError(
                f"{self._file} gives {width} outputs for the {len(self.head.labels)} classes of"
                " config.json.",
                hint=self._remedy(),
            )

    def _remedy(self) -> str:
        return export_hint(self.folder, int8=self.runtime.precision == "int8")


def _training_texts(folder: Path, width: int) -> tuple[TrainingTexts | None, Directions | None]:
    """What is known of the texts that the model was trained on. width: of its embeddings, or 0."""
    path = folder / ARRAYS_FILE
    try:
        texts = TrainingTexts.from_json(read_emolens_json(folder).get(TRAINING_TEXTS, {}))
    except ValueError as error:
        raise not_as_written(folder, error) from error
    if texts is None or not width or not path.is_file():
        return texts, None
    try:
        return texts, Directions.of(load_arrays(path), width)
    except ValueError as error:
        raise EncoderError(
            f"{path} does not belong to this model.",
            hint="Delete it: then predict does not compare the content of texts, and all else"
            " stays as it is.",
        ) from error


def _check(folder: Path, model: Path) -> None:
    """Raise EncoderError if a file that is loaded is not as emolens wrote it."""
    names = [*_parts(folder, model), ARRAYS_FILE, *_TOKENIZER]
    check_files(folder, names, remedy=damage_hint(folder, int8="int8" in model.name))


def _parts(folder: Path, model: Path) -> list[str]:
    files = [model] if model.suffix == ".onnx" else [model, model.with_suffix(".bin")]
    return [file.relative_to(folder).as_posix() for file in files]


def _content_key(folder: Path, model: Path) -> str:
    """A key of the files of a model, which _check compares with it; empty if it is not known."""
    owned = owned_in(folder)
    digests = [owned.files.get(name) for name in _parts(folder, model)]
    return "" if owned.pending or None in digests else fingerprint(*digests)


def _weights_sha256(folder: Path, model: Path) -> str | None:
    """Of the weights in the folder; None if they are not there, or the export does not name any."""
    if not names_weights(model):
        return None
    try:
        weights = Weights.of(folder)
    except EncoderError:  # an exported model needs no weights
        return None
    exported = read_emolens_json(folder).get(EXPORTED_FROM)
    if isinstance(exported, dict) and exported.get("stamp") == weights.stamp:
        return str(exported.get("sha256"))  # hashing would take as long as half of the start
    return weights.sha256
