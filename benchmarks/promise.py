"""How often promises are broken, over new divisions of the rows that calibrate and of test.

    python benchmarks/promise.py RUN [RUN ...] [--splits 200]

RUN is the folder of a finished study. The rows of validation that calibrated and the rows of test
are put together and divided at random again, into parts of the same sizes. The first part fits the
temperature and the thresholds. In the second part, the answered rows that are right are counted.

made: the share of divisions with this promise. answered: of the rows of the second part. broken:
the share of all divisions where a smaller share of the answered rows was right than was promised.
The second part has chance of its own: a promise that is exactly true looks broken every second
time. So "broken, all rows" counts the answered rows of both parts. "chosen" is the promise that a
model gets by default: the highest one that leaves half of the rows answered.
"""

import argparse
from pathlib import Path

import numpy as np

import emolens as el
from emolens.calibration import FEWEST_ANSWERED, PROMISES
from emolens.decide import Decision
from emolens.evaluation.calibration import expected_calibration_error
from emolens.learn.calibrate import find_promises, fit_temperature, parts
from emolens.scores import FINETUNE, PROBE

LEVELS = sorted(PROMISES)


def rows_of(run, role):
    """Logits and labels of the rows that calibrated and of test, and how many calibrated."""
    study = el.load_study(run / "study.toml")
    options = study.data.model_dump(exclude={"dataset"})
    data = el.load_dataset(study.data.dataset, **options)
    scores = el.Scores.load(run / role.folder)
    labels = data["validation"].labels
    held = np.sort(np.concatenate([rows for _, rows in parts(labels)]))
    probabilities = np.concatenate([scores.probabilities["validation"][held],
                                    scores.probabilities["test"]])  # fmt: skip
    labels = np.concatenate([labels[held], data["test"].labels])
    return np.log(np.maximum(probabilities, 1e-300)), labels, len(held)


def divided(logits, labels, n, rng):
    """One division: the error of calibration, and by promise what became of it."""
    order = rng.permutation(len(labels))
    first, second = order[:n], order[n:]
    cooled = Decision(temperature=fit_temperature(logits[first], labels[first]))
    probabilities = cooled.probabilities(logits)
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    promises = find_promises(top[first], right[first], n_rows=n, levels=LEVELS)
    outcome = {}
    for promise in promises:
        answered = top >= promise.threshold
        there = answered[second]
        outcome[promise.right] = (
            there.mean(),
            right[second][there].mean() < promise.right,
            right[answered].mean() < promise.right,
        )
    half = [p.right for p in promises if p.answered >= FEWEST_ANSWERED]
    if half:
        outcome["chosen"] = outcome[max(half)]
    return expected_calibration_error(labels[second], probabilities[second]).value, outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--splits", type=int, default=200)
    given = parser.parse_args()
    for run in given.runs:
        for role in (PROBE, FINETUNE):
            logits, labels, n = rows_of(run, role)
            rng = np.random.default_rng(0)
            errors, outcomes = zip(
                *(divided(logits, labels, n, rng) for _ in range(given.splits)), strict=True
            )
            print(f"\n{run.name}, {role.title}: {n:,} rows calibrate, {len(labels) - n:,} count;"
                  f" calibration error {np.mean(errors):.4f}")  # fmt: skip
            print(
                "| promise | made | answered | broken | broken, all rows |\n|---|---|---|---|---|"
            )
            for level in (*LEVELS, "chosen"):
                made = [outcome[level] for outcome in outcomes if level in outcome]
                share, broken, of_all = np.sum(made, axis=0) if made else (0, 0, 0)
                cells = [len(made) / given.splits, share / max(len(made), 1)]
                cells += [broken / given.splits, of_all / given.splits]
                print(f"| {level} | " + " | ".join(f"{100 * cell:.1f} %" for cell in cells) + " |")


if __name__ == "__main__":
    main()
