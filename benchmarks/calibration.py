"""How often a 95 % interval contains the true calibration error and the true Brier score.

    python benchmarks/calibration.py [--sets 200] [--jobs 2]

A cell of the grid is a number of classes, a number of rows, how sure the model is, and what is
wrong with its probabilities: nothing, too high ("sure": temperature 0.5), too low ("unsure":
temperature 1.5), or too high for one class ("one class"). The true probability of each class is
known for each row, so the true figures are those of 200,000 rows without noise of labels. For each
cell, `--sets` data sets are drawn, and each method computes its intervals.

The bootstraps make 200 resamples of the rows. They and the method without dependent classes get a
quarter of the data sets. With 27 classes there are half as many data sets.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from scipy.special import ndtri

from emolens.decide import ONE_CLASS
from emolens.evaluation.calibration import (
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
)
from emolens.evaluation.gaps import N_BINS, Gaps, mean_gap

CLASSES, ROWS, SHARPNESS = (2, 6, 27), (100, 400, 2000), (1.2, 2.5)
WRONG = ("nothing", "sure", "unsure", "one class")
ECE, CLASSWISE, BRIER = "expected", "class-wise", "Brier"
Z = ndtri(0.975)


def draw(n, k, sharpness, wrong, rng):
    """Labels, the model's probabilities, and the true ones."""
    labels = rng.integers(0, k, n)
    logits = sharpness * rng.standard_normal((n, k))
    # With this height of the true class, softmax gives its true probability.
    logits[np.arange(n), labels] += sharpness**2
    given = logits * {"sure": 2, "unsure": 1 / 1.5}.get(wrong, 1)
    if wrong == "one class":
        given = given + np.eye(k)[0]
    return labels, ONE_CLASS.probabilities(given), ONE_CLASS.probabilities(logits)


def top(probabilities, hits):
    answers = ONE_CLASS.top(probabilities)[:, None]
    return np.take_along_axis(probabilities, answers, 1), np.take_along_axis(hits, answers, 1)


def truth(probabilities, true):
    return {
        ECE: Gaps.of(*top(probabilities, true)).error,
        CLASSWISE: Gaps.of(probabilities, true).error,
        BRIER: float((true * (1 - true) + (probabilities - true) ** 2).sum(axis=1).mean()),
    }


def equal_mass(confidence, right):
    """The expected calibration error with bins of as many rows each."""
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split((confidence - right)[order], min(N_BINS, len(order)))
    return sum(abs(part.sum()) for part in parts) / len(order)


def bootstraps(values, estimate):
    """The percentile interval, and the basic one, which mirrors it at the estimate."""
    low, high = np.quantile(values, [0.025, 0.975])
    basic = max(2 * estimate - high, 0.0), 2 * estimate - low
    return {"percentile bootstrap": (low, high), "basic bootstrap": basic}


def by_method(labels, probabilities, n_draws, rng):
    """{(figure, method): (low, high)}"""
    bounds = {}
    for figure, measure in (
        (ECE, expected_calibration_error),
        (CLASSWISE, classwise_calibration_error),
        (BRIER, brier_score),
    ):
        measured = measure(labels, probabilities)
        bounds[figure, "emolens"] = measured.low, measured.high
    hits = np.eye(probabilities.shape[1])[labels]
    losses = ((probabilities - hits) ** 2).sum(axis=1)
    half = Z * losses.std() / np.sqrt(len(losses))
    bounds[BRIER, "± 1.96 standard errors"] = losses.mean() - half, losses.mean() + half
    if n_draws:
        apart = mean_gap(probabilities, hits, one_each=False)
        bounds[CLASSWISE, "emolens, classes independent"] = apart.low, apart.high
        resamples = rng.integers(0, len(labels), (n_draws, len(labels)))
        confidence, right = top(probabilities, hits)
        values = [Gaps.of(confidence[rows], right[rows]).error for rows in resamples]
        for method, ends in bootstraps(values, Gaps.of(confidence, right).error).items():
            bounds[ECE, method] = ends
    return bounds


def cell(k, n, sharpness, wrong, n_sets):
    """{(figure, method): (intervals, that hold the truth, width)}; and true and mean measured."""
    rng, draws = np.random.default_rng(0), np.random.default_rng(1)
    _, many, true = draw(200_000, k, sharpness, wrong, rng)
    facts, tally, measured = truth(many, true), {}, np.zeros(2)
    n_sets = n_sets // 2 if k == 27 else n_sets
    for i in range(n_sets):
        labels, probabilities, _ = draw(n, k, sharpness, wrong, rng)
        right = (ONE_CLASS.top(probabilities) == labels).astype(float)
        confidence = probabilities.max(axis=1)
        measured += (
            Gaps.of(confidence[:, None], right[:, None]).error,
            equal_mass(confidence, right),
        )
        wanted = 200 if i < n_sets / 4 else 0
        for key, (low, high) in by_method(labels, probabilities, wanted, draws).items():
            held = low - 1e-9 <= facts[key[0]] <= high + 1e-9
            tally[key] = tally.get(key, np.zeros(3)) + np.array([1, held, high - low])
    flat = equal_mass(many.max(axis=1), top(many, true)[1][:, 0])
    return tally, (facts[ECE], *(measured / n_sets), flat)


def print_methods(cells):
    print("\n| figure | method | 100 rows | 400 rows | 2000 rows |")
    print("|---|---|---|---|---|")
    for figure, method in dict.fromkeys(key for tally, _ in cells.values() for key in tally):
        parts = []
        for n in ROWS:
            counts = [t[figure, method] for key, (t, _) in cells.items() if key[1] == n]
            shares = [100 * held / total for total, held, _ in counts]
            width = np.mean([width / total for total, _, width in counts])
            parts.append(f"{min(shares):.1f}–{max(shares):.1f} ({width:.3f})")
        print(f"| {figure} | {method} |", " | ".join(parts), "|")


def print_cells(cells):
    print("\nThe method of emolens: expected, class-wise, Brier")
    print("\n| classes | sharpness | wrong |", " | ".join(f"{n} rows" for n in ROWS), "|")
    print("|---|---|---|---|---|---|")
    for k, sharpness, wrong in dict.fromkeys((k, s, w) for k, _, s, w in cells):
        rows = []
        for n in ROWS:
            tally, _ = cells[k, n, sharpness, wrong]
            counts = [tally[figure, "emolens"] for figure in (ECE, CLASSWISE, BRIER)]
            rows.append(" ".join(f"{100 * held / total:.1f}" for total, held, _ in counts))
        print(f"| {k} | {sharpness} | {wrong} |", " | ".join(rows), "|")


def print_bins(cells):
    print("\nMean of the measured expected error, minus the true one of the same bins")
    print("\n| bins |", " | ".join(f"{n} rows" for n in ROWS), "|")
    print("|---|---|---|---|")
    for name, measured, true in (("equal width", 1, 0), ("equal mass", 2, 3)):
        parts = []
        for n in ROWS:
            rows = [about for key, (_, about) in cells.items() if key[1] == n]
            parts.append(f"{np.mean([about[measured] - about[true] for about in rows]):.4f}")
        print(f"| {name} |", " | ".join(parts), "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=200, help="data sets for each cell")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    n_sets, started = given.sets, time.perf_counter()
    keys = [(k, n, s, w) for k in CLASSES for n in ROWS for s in SHARPNESS for w in WRONG]
    with ProcessPoolExecutor(given.jobs) as pool:
        waiting = {key: pool.submit(cell, *key, n_sets) for key in reversed(keys)}
        cells = {key: waiting[key].result() for key in keys}
    print_methods(cells)
    print_cells(cells)
    print_bins(cells)
    seconds = round(time.perf_counter() - started)
    print(json.dumps({"benchmark": "calibration", "data_sets": n_sets, "seconds": seconds}))


if __name__ == "__main__":
    main()
