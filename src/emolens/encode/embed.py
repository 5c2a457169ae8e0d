"""Texts to vectors with a frozen encoder. Knows nothing of labels or classifiers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np

from emolens.data.dataset import TRAIN, Dataset
from emolens.data.sources import load_dataset
from emolens.encode.backbone import (
    EncoderFolder,
    Pooling,
    backbone,
    find_encoder,
    pooled,
    token_states,
    tokenizer_of,
    traceable,
)
from emolens.encode.batches import pad
from emolens.encode.cache import FORMAT, cached_model, keep_vectors, read_vectors
from emolens.encode.engines.base import Engine, Progress, run_batches
from emolens.encode.engines.choose import choose, start
from emolens.encode.engines.openvino import MODEL, save_traced, traced
from emolens.encode.pretrained import quiet_transformers
from emolens.encode.quantize import CALIBRATION_ROWS, quantized
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.errors import UsageError, nearest
from emolens.names import user_path
from emolens.shown import html_table, one_line
from emolens.store import fingerprint, load_arrays, save_arrays
from emolens.version import __version__, versions

# Libraries whose version may change the vectors; the key in the cache contains them.
_LIBRARIES = ("openvino", "nncf", "torch", "transformers")


@dataclass(frozen=True)
class Embeddings:
    """The vectors of each split: (n, d) float32, in the order of the split's rows."""

    vectors: dict[str, np.ndarray]

    def __repr__(self) -> str:
        return one_line(self, *(f"{split} {shape}" for split, shape in self.shapes.items()))

    def _repr_html_(self) -> str:
        rows = [(split, *shape) for split, shape in self.shapes.items()]
        return html_table(self, ("split", "texts", "dimensions"), rows)

    def __getitem__(self, split: str) -> np.ndarray:
        return self.vectors[split]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape (n, d) by split."""
        return {split: array.shape for split, array in self.vectors.items()}

    def save(self, folder: str | Path) -> list[Path]:
        """Write one safetensors file per split; returns the paths."""
        paths = {split: user_path(folder) / f"{split}.safetensors" for split in self.vectors}
        for split, path in paths.items():
            save_arrays(path, {"embeddings": self.vectors[split]})
        return list(paths.values())

    @classmethod
    def load(cls, folder: str | Path, splits: Sequence[str]) -> Embeddings:
        """Read what save wrote."""
        return cls(
            {s: load_arrays(user_path(folder) / f"{s}.safetensors")["embeddings"] for s in splits}
        )


class Encoder:
    """A frozen encoder: `encode(texts)` returns one vector per text.

    name: as in find_encoder, or its result. pooling: 'cls' (the state of the first token) or
    'mean'. precision: 'fp32', 'bf16' or 'int8'; None chooses bf16 or fp32 by the machine. layer: -1
    is the last. normalize: scale each vector to length 1. tokenizer: the encoder's own by default;
    give one for a lower limit (`tokenizer_of(encoder, max_length=64)`). `runtime` names the engine
    and the reason for it. int8 is calibrated on the starter corpus, so that its vectors don't
    depend on the texts to encode. cache: keep the vectors and the model for OpenVINO on disk, and
    read them from there the next time.
    """

    def __init__(
        self,
        name: str | Path | EncoderFolder,
        *,
        pooling: Pooling = "cls",
        precision: str | None = None,
        layer: int = -1,
        normalize: bool = False,
        tokenizer: Tokenizer | None = None,
        cache: bool = True,
    ) -> None:
        if pooling not in get_args(Pooling):
            raise UsageError(
                f"There is no pooling '{pooling}'.", hint=nearest(pooling, get_args(Pooling))
            )
        self.source = name if isinstance(name, EncoderFolder) else find_encoder(name)
        self.tokenizer = tokenizer or tokenizer_of(self.source)
        self.options: dict[str, Any] = {"pooling": pooling, "layer": layer, "normalize": normalize}
        # The texts that calibrate int8 are cut at the tokenizer's limit, too.
        limit = self.tokenizer.max_length if precision == "int8" else None
        self._model_key = fingerprint(
            *(FORMAT, __version__, versions(_LIBRARIES)),
            *(self.source.fingerprint, self.options, limit),
        )
        self.cache = cache
        self.runtime = choose(precision, model=self._model_key if cache else "")
        if layer != -1:
            self._engine  # noqa: B018 - so that a missing layer is an error at once

    def __repr__(self) -> str:
        options = [f"{name}={value}" for name, value in self.options.items()]
        engine = f"{self.runtime.engine} on {self.runtime.device}"
        return one_line(self, self.source.short_name, *options, self.runtime.precision, engine)

    def encode(
        self, texts: Sequence[str] | Tokens, *, progress: Progress | None = None
    ) -> np.ndarray:
        """(n, d) float32, one vector per text in the order given; warns if texts were cut.

        texts: texts, or Tokens from `tokenizer`. progress: called with the rows done and all rows.
        """
        tokens = texts if isinstance(texts, Tokens) else self._tokens(texts)
        if self.cache:
            cached = read_vectors(self._key(tokens), len(tokens))
            if cached is not None:
                return cached
        vectors = run_batches(self._engine, tokens, self.tokenizer.pad_id, progress=progress)
        if self.cache:
            # A new key: loading the engine may have changed `runtime`.
            keep_vectors(self._key(tokens), vectors)
        return vectors

    def embed(self, dataset: Dataset) -> Embeddings:
        """The vectors of every split."""
        splits = dataset.splits.items()
        return Embeddings({name: self.encode(split.texts) for name, split in splits})

    def hidden_states(self, texts: Sequence[str]) -> np.ndarray:
        """(n, tokens, d) float32, the vector of each token after the encoder's `layer`, in fp32.

        To look at a few texts: they are one batch, padded as padded_batch pads it. `encode` makes
        one vector of each text from these: the first token's, or the mean without the padding.
        """
        tokens = self._tokens(texts)
        batch = pad(tokens, np.arange(len(tokens)), pad_id=self.tokenizer.pad_id)
        layer = self.options["layer"]
        engine, _ = start(
            choose("fp32", use="score"), lambda: token_states(backbone(self.source), layer=layer)
        )
        return engine(*batch)

    def _tokens(self, texts: Sequence[str]) -> Tokens:
        tokens = self.tokenizer.encode(texts)
        if n := tokens.n_truncated:
            limit = self.tokenizer.max_length
            warnings.warn(f"Texts cut at {limit} tokens: {n:,}.", UserWarning, stacklevel=3)
        return tokens

    def _key(self, tokens: Tokens) -> str:
        """A digest of everything that decides the vectors: model, engine and tokens."""
        runtime = [self.runtime.engine, self.runtime.device, self.runtime.precision]
        return fingerprint(self._model_key, runtime, tokens.ids, tokens.offsets)

    @cached_property
    def _engine(self) -> Engine:
        """Loaded at the first use: to read vectors from the cache, no model is needed."""
        key = self._model_key if self.cache else ""
        engine, self.runtime = start(
            self.runtime,
            self._module,
            traced=lambda load: cached_model(key, self._trace, load),
            model=key,
        )
        return engine

    def _trace(self, folder: Path) -> None:
        """Write the model for OpenVINO into an empty folder."""
        with quiet_transformers():
            model = traced(self._module(), "embeddings")
            if self.runtime.precision == "int8":
                texts = load_dataset("starter")[TRAIN].texts[:CALIBRATION_ROWS]
                model = quantized(model, self.tokenizer.encode(texts), self.tokenizer.pad_id)
        save_traced(model, folder / MODEL)

    def _module(self) -> Any:
        return pooled(traceable(backbone(self.source)), **self.options)
