"""Which embedding and which distance tell other texts from those that a model was trained on.

    python benchmarks/unlike.py MODEL DATASET OTHER [OTHER ...]

MODEL: a model folder, such as runs/starter/model. DATASET: what it was trained on. OTHER: other
data sets, of which the test split (or else train) is taken, and .txt files with one text in each
line, such as tests/predict/texts/legal.txt. For each way, the limit is set so that 1 % of
validation is called unlike; the table has the shares of other texts that are called unlike then.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import emolens as el
from emolens.encode.backbone import trained_classifier
from emolens.encode.batches import pad, token_budget_batches
from emolens.encode.tokenize import Tokenizer
from emolens.learn.typical import directions_of, slope_of
from emolens.likeness import scaled

MOST, SAMPLE, SHRINKAGE = 1000, 4000, (0.01, 0.1, 0.3)
Distance = Callable[[np.ndarray], np.ndarray]


def states_of(model, tokenizer, texts):
    """The lengths of the texts, their logits, and their CLS and mean vectors of each layer."""
    tokens = tokenizer.encode(texts)
    kept: dict[str, np.ndarray] = {}
    for rows in token_budget_batches(tokens.lengths, budget=2048):
        ids, mask = (
            torch.from_numpy(array) for array in pad(tokens, rows, pad_id=tokenizer.pad_id)
        )
        with torch.inference_mode():
            output = model(ids, attention_mask=mask, output_hidden_states=True)
        weights = mask.unsqueeze(-1).float()
        vectors = {"logits": output.logits}
        for layer, states in enumerate(output.hidden_states[1:], start=1):
            vectors[f"{layer} cls"] = states[:, 0]
            vectors[f"{layer} mean"] = (states * weights).sum(1) / weights.sum(1)
        for name, values in vectors.items():
            kept.setdefault(name, np.empty((len(texts), values.shape[1]), np.float32))
            kept[name][rows] = values.numpy()
    return tokens.n_whole, kept


def mahalanobis(train: np.ndarray, shrinkage: float) -> Distance:
    center, exact = train.mean(axis=0), train.astype(np.float64)
    variances, axes = np.linalg.eigh(np.cov(exact.T))
    shrunk = (1 - shrinkage) * variances + shrinkage * variances.mean() + 1e-12
    scaled_axes = axes / np.sqrt(shrunk)
    return lambda vectors: np.square((vectors - center) @ scaled_axes).sum(axis=1)


def residual(train: np.ndarray) -> Distance:
    """What is left outside of the directions that hold 90 % of the variance."""
    center = train.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov(train.T.astype(np.float64)))
    outside = axes[:, np.cumsum(variances) < 0.1 * variances.sum()]
    return lambda vectors: np.square((vectors - center) @ outside).sum(axis=1)


def neighbor(train: np.ndarray, *, cosine: bool) -> Distance:
    """The squared distance to the fifth nearest of 1,000 vectors of train."""
    center, some = train.mean(axis=0), train[:MOST]

    def ready(vectors):
        moved = vectors - center
        return moved / np.linalg.norm(moved, axis=1, keepdims=True).clip(1e-9) if cosine else moved

    def distances(vectors):
        a, b = ready(vectors), ready(some)
        squared = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
        return np.partition(squared.clip(0), 4, axis=1)[:, 4]

    return distances


def texts_of(name: str) -> list[str]:
    if Path(name).suffix == ".txt" and Path(name).is_file():
        return Path(name).read_text(encoding="utf-8").splitlines()
    return test_of(el.load_dataset(name))


def test_of(dataset) -> list[str]:
    return list(dataset["test" if "test" in dataset.splits else "train"].texts)


def sample(texts, n):
    texts = list(texts)
    return [texts[i] for i in np.random.default_rng(0).permutation(len(texts))[:n]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset")
    parser.add_argument("others", nargs="+")
    given = parser.parse_args()
    model, tokenizer = trained_classifier(given.model), Tokenizer.from_folder(given.model)
    dataset = el.load_dataset(given.dataset)
    of = lambda texts, n=MOST: states_of(model, tokenizer, sample(texts, n))  # noqa: E731
    (n_train, train), validation = (
        of(dataset["train"].texts, SAMPLE),
        of(dataset["validation"].texts),
    )
    others = {"own test": of(test_of(dataset))}
    others |= {Path(name).stem: of(texts_of(name)) for name in given.others}
    n_layers = sum(name.endswith("cls") for name in train)
    first, last = max(n_layers // 3, 1), max(2 * n_layers // 3, 1)
    for _, vectors in [(n_train, train), validation, *others.values()]:
        middle = [vectors[f"{layer} mean"] for layer in range(first, last + 1)]
        vectors[f"{first}-{last} mean"] = np.mean(middle, axis=0)
    print("| layer | distance |", " | ".join(others), "|")
    print("|---|---|", "---|" * len(others), sep="")
    table = []
    for name, vectors in train.items():
        ways = {f"Mahalanobis, shrunk {s}": mahalanobis(vectors, s) for s in SHRINKAGE}
        ways["emolens, 32 directions"] = directions_of(vectors).distances
        ways["residual of PCA"] = residual(vectors)
        ways["5th neighbor"] = neighbor(vectors, cosine=False)
        ways["5th neighbor, cosine"] = neighbor(vectors, cosine=True)
        for title, distance in ways.items():
            for by_length in (False, True):
                slope = slope_of(distance(vectors), n_train) if by_length else 0.0
                measure = lambda n, v: scaled(distance(v[name]), n, slope)  # noqa: B023, E731
                limit = np.quantile(measure(*validation), 0.99)
                shares = [100 * float((measure(*pair) > limit).mean()) for pair in others.values()]
                title_here = title + (", by length" if by_length else "")
                table.append((name, title_here, shares))
                print(f"| {name} | {title_here} |", " | ".join(f"{s:.1f}" for s in shares), "|")
    print(json.dumps({"benchmark": "unlike", "others": list(others), "shares": table}))


if __name__ == "__main__":
    main()
