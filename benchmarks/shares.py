"""How right the adjusted shares of the classes are, and how often their intervals hold the truth.

    python benchmarks/shares.py runs/emotion-minilm [--model probe] [--draws 300]

Takes the predictions of a run folder. Each draw is a table with shares of the classes that are
drawn at random, so the mixes differ, and the texts are of one kind, as the method supposes. First
the rows come from test, and validation says which mistakes the model makes: the mean error of a
share in percentage points, counted and adjusted. Then answers are drawn with the mistakes of test,
as the true ones, and so is a validation split: how many of 100 intervals hold the true share.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from emolens.evaluation.metrics import confusion
from emolens.evaluation.shares import adjusted_shares


def read(run, model):
    """Labels and answers of validation and of test, as numbers of classes."""
    table = pq.read_table(run / "predictions.parquet").to_pydict()
    names = sorted(set(table["label"]))
    ids = {name: place for place, name in enumerate(names)}
    split = np.array(table["split"])
    labels = np.array([ids[name] for name in table["label"]])
    answers = np.array([ids[name] for name in table[f"{model}_label"]])
    return {s: (labels[split == s], answers[split == s]) for s in ("validation", "test")}, len(ids)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--model", default="finetune")
    parser.add_argument("--draws", type=int, default=300)
    given = parser.parse_args()
    splits, k = read(given.run, given.model)
    known, true = (confusion(*splits[split], k) for split in ("validation", "test"))
    rates = true / true.sum(axis=1, keepdims=True)
    labels, answers = splits["test"]
    rng = np.random.default_rng(0)
    print("| rows | error, counted | error, adjusted | intervals |\n|---|---|---|---|")
    for n in (500, 2000):
        counted, adjusted, inside = [], [], []
        for _ in range(given.draws):
            shares = rng.dirichlet(np.ones(k))
            sizes = rng.multinomial(n, shares)
            rows = np.concatenate(
                [rng.choice(np.flatnonzero(labels == c), size) for c, size in enumerate(sizes)]
            )
            counts = np.bincount(answers[rows], minlength=k)
            counted.append(np.abs(counts / n - shares).mean())
            adjusted.append(np.abs(adjusted_shares(counts, known)[:, 0] - shares).mean())
            validation = np.stack([rng.multinomial(known[c].sum(), rates[c]) for c in range(k)])
            counts = rng.multinomial(n, shares @ rates)
            _, low, high = adjusted_shares(counts, validation).T
            inside.append(np.mean((low <= shares) & (shares <= high)))
        figures = 100 * np.mean(counted), 100 * np.mean(adjusted), 100 * np.mean(inside)
        print(f"| {n:,} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")


if __name__ == "__main__":
    main()
