"""Texts to vectors with a frozen encoder. Knows nothing of labels or of what comes after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolens import runtime
from emolens.data.dataset import Dataset
from emolens.encode.backbone import backbone, find_encoder, tokeniser_of
from emolens.encode.batches import pad, token_budget_batches
from emolens.encode.engines import Engine, Pooling, TorchEngine
from emolens.encode.tokenise import Tokeniser, Tokens
from emolens.errors import EncoderError
from emolens.store import load_arrays, save_arrays

# Large enough to keep two cores busy, small enough that activations stay near the caches.
TOKEN_BUDGET = 2048
Progress = Callable[[int, int], None]


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

    name: as in find_encoder. pooling: 'cls' (the first token's state) or 'mean'. precision:
    'fp32', 'bf16' or None for what the machine does best. layer: -1 is the last.
    """

    def __init__(
        self,
        name: str,
        *,
        pooling: Pooling = "cls",
        precision: str | None = None,
        layer: int = -1,
        max_length: int | None = None,
        sha256: str | None = None,
    ) -> None:
        self.source = find_encoder(name, sha256_wanted=sha256)
        self.runtime = runtime.choose(precision)
        self.tokeniser: Tokeniser = tokeniser_of(self.source, max_length=max_length)
        self._engine = TorchEngine(
            backbone(self.source), self.runtime, pooling=pooling, layer=layer
        )

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> np.ndarray:
        """(n, d) float32, one vector a text in the order given."""
        return self.encode_tokens(self.tokeniser.encode(texts), progress=progress)

    def embed(self, dataset: Dataset) -> Embeddings:
        """The vectors of every split."""
        splits = dataset.splits.items()
        return Embeddings({name: self.encode(split.texts) for name, split in splits})

    def encode_tokens(self, tokens: Tokens, *, progress: Progress | None = None) -> np.ndarray:
        """(n, d) float32 from what `tokeniser` gave. progress: called with rows done and all."""
        return run_batches(self._engine, tokens, self.tokeniser.pad_id, progress=progress)


def run_batches(
    engine: Engine, tokens: Tokens, pad_id: int, *, progress: Progress | None = None
) -> np.ndarray:
    """Run an engine over all rows, similar lengths together; (n, d) float32 in input order.

    Raises EncoderError where the model gives a number that is not finite.
    """
    result: np.ndarray | None = None
    done = 0
    for rows in token_budget_batches(tokens.lengths, budget=TOKEN_BUDGET):
        vectors = engine(*pad(tokens, rows, pad_id=pad_id))
        if not np.isfinite(vectors).all():
            raise EncoderError(
                "The model gives numbers that are not finite.",
                hint="Its weights are damaged or overflow in bf16: try --precision fp32.",
            )
        if result is None:
            result = np.empty((len(tokens), vectors.shape[1]), dtype=np.float32)
        result[rows] = vectors
        done += len(rows)
        if progress:
            progress(done, len(tokens))
    return result if result is not None else np.empty((0, 0), dtype=np.float32)
