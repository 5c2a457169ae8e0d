"""How often a 95 % interval contains the true accuracy, macro-F1 and weighted F1.

    python benchmarks/intervals.py [--quick] [--jobs 2]

A cell of the grid is a number of classes, their sizes, and an accuracy. From these follow the
probability of each answer for each class, and the true figures: those of the expected confusion
matrix. For each cell, 1,000 confusion matrices are drawn, and each method computes its intervals.

Sizes are equal (3, 10, 30 or 300 rows per class) or follow Zipf's law (300, 150, 100, ... rows, at
least 3 or at least 10). Sizes are given: each data set has exactly these. Errors are spread evenly
over the other classes. emolens' method is also measured with sizes that are drawn with the rows
(multinomial), with 70 % of a class's errors in one other class ("pairs"), with all errors in the
largest class ("sink"), and with sizes that fall from 300 to 3 ("steep").

The methods that resample (both bootstraps, both Dirichlets) make 500 draws per data set, or 200
with 27 classes and more. With 150 classes they get a tenth of the data sets, and data sets of more
than 10,000 rows are left out. --quick: a tenth of the data sets for all.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from scipy.special import ndtr, ndtri

from emolens.evaluation.intervals import _f1_uncertainty, intervals, wilson
from emolens.evaluation.metrics import summary

FIGURES = ("accuracy", "macro_f1", "weighted_f1")
CLASSES, ACCURACIES = (2, 6, 27, 150), (0.6, 0.9, 0.97)
SIZES = ("3", "10", "30", "300", "zipf", "zipf10")
Z = ndtri(0.975)


def class_sizes(kind, k):
    ranks = np.arange(1, k + 1)
    if kind == "steep":
        return np.round(300 * ranks ** (np.log(1 / 100) / np.log(k))).astype(int)
    if kind.startswith("zipf"):
        return np.maximum(300 // ranks, int(kind[4:] or 3))
    return np.full(k, int(kind))


def answers_by_class(k, accuracy, errors):
    """(k, k): the probability of each answer for each class."""
    wrong = np.ones((k, k))
    if errors == "pairs" and k > 2:
        wrong *= 0.3 / (k - 2)
        wrong[np.arange(k), (np.arange(k) + 1) % k] = 0.7
    if errors == "sink":
        wrong[1:] = np.arange(k) == 0
    np.fill_diagonal(wrong, 0)
    answers = (1 - accuracy) * wrong / wrong.sum(axis=1, keepdims=True)
    np.fill_diagonal(answers, accuracy)
    return answers


def draw(sizes, answers, design, n, rng):
    """(n, k, k) confusion matrices."""
    if design == "drawn":
        cells = (sizes[:, None] * answers).ravel() / sizes.sum()
        return rng.multinomial(sizes.sum(), cells, size=n).reshape(n, *answers.shape)
    return np.stack([rng.multinomial(s, answers[i], size=n) for i, s in enumerate(sizes)], axis=1)


def figures_of(hits, support, predicted):
    """(..., 3): as summary, from (..., k) counts."""
    f1, n = 2 * hits / np.maximum(support + predicted, 1e-12), support.sum(axis=-1)
    present = support > 0
    macro = (f1 * present).sum(axis=-1) / present.sum(axis=-1)
    return np.stack([hits.sum(axis=-1) / n, macro, (f1 * support).sum(axis=-1) / n], axis=-1)


def quantiles(values, low=0.025, high=0.975):
    return np.quantile(values, low), np.quantile(values, high)


class Resamples:
    """The bootstrap of one confusion matrix: draws only the cells with rows."""

    def __init__(self, matrix, n_draws, rng):
        self.row, self.column = np.nonzero(matrix)
        self.count, self.k = matrix[self.row, self.column], len(matrix)
        self.estimate = self.figures(self.count[None])[0]
        shares = self.count / self.count.sum()
        self.values = self.figures(rng.multinomial(self.count.sum(), shares, size=n_draws))

    def figures(self, counts):
        each = np.zeros((3, len(counts), self.k))
        starts = np.flatnonzero(np.diff(self.row, prepend=-1))
        each[1][:, self.row[starts]] = np.add.reduceat(counts, starts, axis=1)
        order = np.argsort(self.column, kind="stable")
        starts = np.flatnonzero(np.diff(self.column[order], prepend=-1))
        sums = np.add.reduceat(counts[:, order], starts, axis=1)
        each[2][:, self.column[order][starts]] = sums
        right = self.row == self.column
        each[0][:, self.row[right]] = counts[:, right]
        return figures_of(*each)

    def percentile(self):
        return [quantiles(self.values[:, f]) for f in range(3)]

    def bca(self):
        """Bias-corrected and accelerated (Efron, 1987), with the jackknife over rows."""
        without = self.figures(self.count - np.eye(len(self.count), dtype=int))
        pull = np.average(without, axis=0, weights=self.count) - without
        bounds = []
        for f in range(3):
            below = (self.values[:, f] < self.estimate[f]).mean()
            below += (self.values[:, f] == self.estimate[f]).mean() / 2
            z0 = ndtri(np.clip(below, 0.001, 0.999))
            square = (self.count * pull[:, f] ** 2).sum()
            a = (self.count * pull[:, f] ** 3).sum() / (6 * max(square, 1e-30) ** 1.5)
            tails = [ndtr(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in (-Z, Z)]
            bounds.append(quantiles(self.values[:, f], *tails))
        return bounds


def dirichlet(matrix, prior, n_draws, rng):
    """Percentiles of the figures, by draws of the cells' shares (Goutte and Gaussier, 2005)."""
    cells = rng.standard_gamma(matrix + prior, size=(n_draws, *matrix.shape))
    hits = np.diagonal(cells, axis1=1, axis2=2)
    values = figures_of(hits, cells.sum(axis=2), cells.sum(axis=1))
    return [quantiles(values[:, f]) for f in range(3)]


def plain_wilson(matrix):
    n, right = matrix.sum(), np.trace(matrix)
    half = Z * np.sqrt(right * (1 - right / n) + Z**2 / 4)
    return [((right + Z**2 / 2 - half) / (n + Z**2), (right + Z**2 / 2 + half) / (n + Z**2))]


def normal(values, rows):
    """The delta method in its usual form: 1.96 standard errors on both sides."""
    halves = [Z * np.sqrt(v * (1 - v) / n) for v, n in zip(values, rows, strict=True)]
    return [(v - half, v + half) for v, half in zip(values, halves, strict=True)]


def by_method(matrix, drawing, rng):
    """The bounds of each method. drawing: the number of draws; with 0, no method that resamples."""
    values = [float(value) for value in summary(matrix).values()]
    rows = [float(matrix.sum()), *(of_f1.rows for of_f1 in _f1_uncertainty(matrix).values())]
    bounds = {
        "emolens": list(intervals(matrix).values()),
        "emolens, without bias correction": [
            wilson(v, n) for v, n in zip(values, rows, strict=True)
        ],
        "delta method, normal": normal(values, rows),
        "Wilson": plain_wilson(matrix),
    }
    if drawing:
        resamples = Resamples(matrix, drawing, rng)
        bounds["percentile bootstrap"] = resamples.percentile()
        bounds["BCa bootstrap"] = resamples.bca()
        bounds["Dirichlet, prior 1"] = dirichlet(matrix, 1, drawing, rng)
        bounds["Dirichlet, prior 1/k"] = dirichlet(matrix, 1 / len(matrix), drawing, rng)
    return bounds


class Tally:
    """Counts of one cell of the grid, by method: all intervals, and those with each property."""

    def __init__(self):
        self.counts = {}

    def add(self, method, bounds, truth, estimate):
        counts = self.counts.setdefault(method, np.zeros((4, len(bounds))))
        low, high = np.array(bounds).T
        true, own = truth[: len(low)], estimate[: len(low)]
        # A rounding error is not a miss.
        low, high = low - 1e-9, high + 1e-9
        covered, outside = (low <= true) & (true <= high), (own < low) | (own > high)
        counts += [np.ones_like(low), covered, outside, high - low < 3e-9]

    def covered(self, method):
        n, covered, _, _ = self.counts[method]
        return 100 * covered / n


def cell(k, kind, accuracy, n_sets, *, design="given", errors="even", others=True):
    """Simulate one cell of the grid."""
    sizes, answers = class_sizes(kind, k), answers_by_class(k, accuracy, errors)
    rng, tally = np.random.default_rng(0), Tally()
    truth = np.array(list(summary(sizes[:, None] * answers).values()))
    drawing, n_drawing = (500 if k < 27 else 200), (n_sets if k < 150 else n_sets // 10)
    if sizes.sum() > 10_000 or not others:
        n_drawing = 0
    draws = np.random.default_rng(1)
    for start in range(0, n_sets, 100):
        matrices = draw(sizes, answers, design, min(100, n_sets - start), rng)
        estimates = np.stack(list(summary(matrices).values()), axis=-1)
        for i, matrix in enumerate(matrices):
            wanted = drawing if start + i < n_drawing else 0
            for method, bounds in by_method(matrix, wanted, draws).items():
                tally.add(method, bounds, truth, estimates[i])
    return tally


def grid(pool, n_sets, sizes=SIZES, **how):
    """Every cell: {(k, sizes, accuracy): Tally}."""
    keys = [
        (k, kind, accuracy)
        for k in CLASSES
        for kind in sizes
        for accuracy in ACCURACIES
        if kind != "zipf10" or class_sizes("zipf", k).min() < 10
    ]
    waiting = {key: pool.submit(cell, *key, n_sets, **how) for key in reversed(keys)}
    return {key: waiting[key].result() for key in keys}


def extremes(cells, method, f):
    """Lowest and highest coverage with 10 rows per class or more, and the lowest with fewer."""
    shares = {key: t.covered(method)[f] for key, t in cells.items() if method in t.counts}
    many = [v for (k, kind, _), v in shares.items() if class_sizes(kind, k).min() >= 10]
    few = [v for (k, kind, _), v in shares.items() if class_sizes(kind, k).min() < 10]
    text = f"{min(many):.1f}–{max(many):.1f}" if many else "–"
    return f"{text} / {min(few):.1f}" if few else text


def print_methods(cells):
    print("\n| method | accuracy | macro-F1 | weighted F1 | without own figure | of width 0 |")
    print("|---|---|---|---|---|---|")
    methods = dict.fromkeys(m for tally in cells.values() for m in tally.counts)
    for method in methods:
        counts = [t.counts[method] for t in cells.values() if method in t.counts]
        n, _, outside, flat = np.sum([c.sum(axis=1) for c in counts], axis=0)
        parts = [extremes(cells, method, f) for f in range(counts[0].shape[1])]
        parts += [""] * (3 - len(parts)) + [f"{100 * outside / n:.1f} %", f"{100 * flat / n:.1f} %"]
        print(f"| {method} |", " | ".join(parts), "|")


def print_cells(cells):
    print("\nThe method of emolens: accuracy, macro-F1, weighted F1")
    print("\n| classes | sizes |", " | ".join(f"accuracy {a}" for a in ACCURACIES), "|")
    print("|---|---|---|---|---|")
    for k, kind in dict.fromkeys((k, kind) for k, kind, _ in cells):
        parts = (cells[k, kind, a].covered("emolens") for a in ACCURACIES)
        rows = " | ".join(" ".join(f"{v:.1f}" for v in values) for values in parts)
        print(f"| {k} | {kind} | {rows} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the data sets")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    with ProcessPoolExecutor(given.jobs) as pool:
        report(pool, 100 if given.quick else 1000)


def report(pool, n_sets):
    started = time.perf_counter()
    cells = grid(pool, n_sets)
    print("Coverage in %: lowest–highest with 10 rows per class or more / lowest with fewer")
    print_methods(cells)
    print_cells(cells)
    for title, how in (
        ("Sizes drawn", {"design": "drawn"}),
        ("Errors in pairs", {"errors": "pairs"}),
        ("Errors to the largest class", {"errors": "sink"}),
        ("Sizes from 300 to 3", {"sizes": ("steep",)}),
        ("Sizes from 300 to 3, drawn", {"sizes": ("steep",), "design": "drawn"}),
    ):
        print(f"\n{title}")
        cells = grid(pool, n_sets, **how, others=False)
        print_methods(cells)
        print_cells(cells)
    seconds = round(time.perf_counter() - started)
    print(json.dumps({"benchmark": "intervals", "data_sets": n_sets, "seconds": seconds}))


if __name__ == "__main__":
    main()
