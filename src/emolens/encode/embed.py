"""Texts to vectors with a frozen encoder. Knows nothing of labels or of what comes after."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emolens import runtime
from emolens.data.dataset import Dataset
from emolens.encode.backbone import (
    EncoderFolder,
    Pooling,
    backbone,
    find_encoder,
    pooled,
    quiet_transformers,
    tokeniser_of,
    traceable,
)
from emolens.encode.engines import Engine, Progress, TorchEngine, run_batches
from emolens.encode.openvino import OpenVinoEngine, traced
from emolens.encode.tokenise import Tokeniser, Tokens
from emolens.store import load_arrays, save_arrays


@dataclass(frozen=True)
class Embeddings:
    """Vectors by split: each (n, d) float32, in the order of the split's rows."""

    vectors: dict[str, np.ndarray]

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
    precision: 'fp32', 'bf16' or None for what the machine does best. layer: -1 is the last.
    normalise: scale each vector to length 1. OpenVINO computes on the CPU, torch on CUDA.
    """

    def __init__(
        self,
        name: str | EncoderFolder,
        *,
        pooling: Pooling = "cls",
        precision: str | None = None,
        layer: int = -1,
        normalise: bool = False,
        max_length: int | None = None,
        sha256: str | None = None,
    ) -> None:
        self.source = find_encoder(name, sha256_wanted=sha256) if isinstance(name, str) else name
        self.runtime = runtime.choose(precision)
        self.tokeniser: Tokeniser = tokeniser_of(self.source, max_length=max_length)
        model = traceable(backbone(self.source))
        module = pooled(model, pooling=pooling, layer=layer, normalise=normalise)
        self._engine = _engine(module, self.runtime)

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> np.ndarray:
        """(n, d) float32, one vector a text in the order given; warns where texts were cut."""
        tokens = self.tokeniser.encode(texts)
        if n := tokens.n_truncated:
            limit = self.tokeniser.max_length
            warnings.warn(f"{n:,} texts were cut at {limit} tokens.", UserWarning, stacklevel=2)
        return self.encode_tokens(tokens, progress=progress)

    def embed(self, dataset: Dataset) -> Embeddings:
        """The vectors of every split."""
        splits = dataset.splits.items()
        return Embeddings({name: self.encode(split.texts) for name, split in splits})

    def encode_tokens(self, tokens: Tokens, *, progress: Progress | None = None) -> np.ndarray:
        """(n, d) float32 from what `tokeniser` gave. progress: called with rows done and all."""
        return run_batches(self._engine, tokens, self.tokeniser.pad_id, progress=progress)


def _engine(module: Any, chosen: runtime.Runtime) -> Engine:
    if chosen.device == "cuda":
        return TorchEngine(module, chosen)
    try:
        with quiet_transformers():
            return OpenVinoEngine(traced(module, "embeddings"), chosen)
    except RuntimeError:  # an architecture that can't be traced, or an operation it does not have
        return TorchEngine(module, chosen)
