"""Texts to vectors with a frozen encoder. Knows nothing of labels or of what comes after."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np

from emolens import runtime
from emolens.data.dataset import TRAIN, Dataset
from emolens.data.sources import load_dataset
from emolens.encode.backbone import (
    EncoderFolder,
    Pooling,
    backbone,
    find_encoder,
    pooled,
    quiet_transformers,
    tokenizer_of,
    traceable,
)
from emolens.encode.cache import cached_model, cached_vectors
from emolens.encode.engines.base import Engine, Progress, run_batches
from emolens.encode.engines.openvino import MODEL, OpenVinoEngine, save_traced, traced
from emolens.encode.engines.torch import TorchEngine
from emolens.encode.quantize import CALIBRATION_ROWS, quantized
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.errors import EncoderError, UsageError, first_line, nearest
from emolens.shown import html_table, one_line
from emolens.store import fingerprint, load_arrays, save_arrays
from emolens.version import __version__


@dataclass(frozen=True)
class Embeddings:
    """Vectors by split: each (n, d) float32, in the order of the split's rows."""

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
        """The shape of each split's vectors."""
        return {split: array.shape for split, array in self.vectors.items()}

    def save(self, folder: Path) -> list[Path]:
        """Write one safetensors file a split; returns the paths."""
        paths = {split: folder / f"{split}.safetensors" for split in self.vectors}
        for split, path in paths.items():
            save_arrays(path, {"embeddings": self.vectors[split]})
        return list(paths.values())

    @classmethod
    def load(cls, folder: Path, splits: Sequence[str]) -> Embeddings:
        """Read what save wrote."""
        return cls({s: load_arrays(folder / f"{s}.safetensors")["embeddings"] for s in splits})


class Encoder:
    """A frozen encoder: `encode(texts)` gives a vector a text.

    name: as in find_encoder, or what it gave. pooling: 'cls' (the first token's state) or 'mean'.
    precision: 'fp32', 'bf16', 'int8', or None for what the machine does best without int8.
    layer: -1 is the last. normalize: scale each vector to length 1. OpenVINO computes on the CPU,
    torch on CUDA. What OpenVINO runs is made once and kept in the cache; int8 is calibrated on the
    starter corpus, whatever it is used for later.
    """

    def __init__(
        self,
        name: str | EncoderFolder,
        *,
        pooling: Pooling = "cls",
        precision: str | None = None,
        layer: int = -1,
        normalize: bool = False,
        max_length: int | None = None,
        sha256: str | None = None,
    ) -> None:
        if pooling not in get_args(Pooling):
            raise UsageError(
                f"There is no pooling '{pooling}'.", hint=nearest(pooling, get_args(Pooling))
            )
        self.source = find_encoder(name, sha256_wanted=sha256) if isinstance(name, str) else name
        self.runtime = runtime.choose(precision)
        self.tokenizer: Tokenizer = tokenizer_of(self.source, max_length=max_length)
        self.how: dict[str, Any] = {"pooling": pooling, "layer": layer, "normalize": normalize}
        if layer != -1:
            self._engine  # noqa: B018 - a layer that is not there is said now

    def encode(
        self,
        texts: Sequence[str],
        *,
        tokens: Tokens | None = None,
        cache: bool = True,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """(n, d) float32, one vector a text in the order given; warns where texts were cut.

        tokens: what `tokenizer` gave for the texts, where that is done already. cache: keep the
        vectors under the name of all that decides them, and read them from there the next time.
        progress: called with rows done and all.
        """
        if tokens is None:
            tokens = self.tokenizer.encode(texts)
            if n := tokens.n_truncated:
                limit = self.tokenizer.max_length
                warnings.warn(f"{n:,} texts were cut at {limit} tokens.", UserWarning, stacklevel=2)
        if not cache:
            return self._vectors(tokens, progress)
        decisive = [self.source.fingerprint, self.how, self.runtime.device, self.runtime.precision]
        key = fingerprint(__version__, decisive, self.tokenizer.max_length, list(texts))
        return cached_vectors(key, lambda: self._vectors(tokens, progress))

    def embed(self, dataset: Dataset) -> Embeddings:
        """The vectors of every split."""
        splits = dataset.splits.items()
        return Embeddings({name: self.encode(split.texts) for name, split in splits})

    def _vectors(self, tokens: Tokens, progress: Progress | None) -> np.ndarray:
        return run_batches(self._engine, tokens, self.tokenizer.pad_id, progress=progress)

    @cached_property
    def _engine(self) -> Engine:
        """Made when it is first needed: who reads vectors from the cache loads no model."""
        if self.runtime.device == "cuda":
            return TorchEngine(self._module(), self.runtime)
        int8 = self.runtime.precision == "int8"
        texts = load_dataset("starter")[TRAIN].texts[:CALIBRATION_ROWS] if int8 else ()
        tokens = self.tokenizer.encode(texts)

        def build(folder: Path) -> None:
            with quiet_transformers():
                model = traced(self._module(), "embeddings")
                if int8:
                    model = quantized(model, tokens, self.tokenizer.pad_id)
            save_traced(model, folder / MODEL)

        key = fingerprint(__version__, self.source.fingerprint, self.how, tokens.ids)
        try:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as fallback:
                return OpenVinoEngine(cached_model(key, build, Path(fallback)), self.runtime)
        except RuntimeError as error:  # can't be traced, or has an operation that OpenVINO hasn't
            if int8:
                raise EncoderError(
                    f"{self.source.name} can't be quantized: {first_line(error)}.",
                    hint="Choose bf16 or fp32.",
                ) from error
            return TorchEngine(self._module(), self.runtime)

    def _module(self) -> Any:
        return pooled(traceable(backbone(self.source)), **self.how)
