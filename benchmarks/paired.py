"""How often a 95 % interval of a difference contains the true difference of two models.

    python benchmarks/paired.py [--sets 500]

A cell of the grid is a number of classes, a number of rows, and the accuracies of two models that
are often wrong on the same rows. 400,000 rows give the true differences of accuracy, macro-F1 and
each F1. From them data sets are drawn, and each method computes its intervals: emolens', and a
paired bootstrap without imagined rows.
"""

import argparse

import numpy as np

from emolens.evaluation import paired

CLASSES, ROWS = (3, 8), (50, 400, 2000)
ACCURACIES = ((0.6, 0.65), (0.9, 0.9), (0.93, 0.95))
N_TRUE, AGREEMENT = 400_000, 0.85


def models(k, accuracies, rng):
    """Labels and two models' answers. Classes have sizes of Zipf's law."""
    shares = 1 / np.arange(1, k + 1)
    shares /= shares.sum()
    labels, hard = rng.choice(k, N_TRUE, p=shares), rng.random(N_TRUE)
    answers = []
    for accuracy in accuracies:
        own = np.where(rng.random(N_TRUE) < AGREEMENT, hard, rng.random(N_TRUE))
        wrong = (labels + rng.integers(1, k, N_TRUE)) % k
        answers.append(np.where(own < accuracy, labels, wrong))
    return np.stack([labels, *answers])


def intervals(rows, k, seed):
    """(2 + k, 3): value and interval of accuracy, macro-F1 and each F1; NaN for an absent class."""
    found = paired.differences(*rows, k, seed=seed)
    nothing = (np.nan,) * 3
    figures = (found.accuracy, found.macro_f1, *found.f1)
    return np.array([nothing if f is None else (f.value, f.low, f.high) for f in figures])


def coverage(every, k, n, n_sets, rng):
    """The shares of true differences inside, in %: accuracy, macro-F1, the mean of all F1."""
    true = intervals(every, k, 0)[:, 0]
    inside = []
    for seed in range(n_sets):
        found = intervals(every[:, rng.integers(0, N_TRUE, n)], k, seed)
        hit = (found[:, 1] <= true) & (true <= found[:, 2])
        inside.append(np.where(np.isnan(found[:, 0]), np.nan, hit))
    accuracy, macro, *f1 = 100 * np.nanmean(inside, axis=0)
    return accuracy, macro, np.nanmean(f1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=500)
    n_sets = parser.parse_args().sets
    usual = paired._IMAGINED_IN_ALL, paired._IMAGINED_PER_CLASS
    print(
        "| classes | accuracies | rows | emolens | without imagined rows |\n|---|---|---|---|---|"
    )
    for k in CLASSES:
        for accuracies in ACCURACIES:
            every = models(k, accuracies, np.random.default_rng(0))
            for n in ROWS:
                cells = []
                for imagined in (usual, (0.0, 0.0)):
                    paired._IMAGINED_IN_ALL, paired._IMAGINED_PER_CLASS = imagined
                    figures = coverage(every, k, n, n_sets, np.random.default_rng(1))
                    cells.append(" ".join(f"{figure:.1f}" for figure in figures))
                both = ", ".join(map(str, accuracies))
                print(f"| {k} | {both} | {n:,} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
