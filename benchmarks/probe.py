"""The probe's fit against the reference's logistic regression, on the same vectors, on the CPU.

    python benchmarks/probe.py DATA [--rounds 7]

DATA: the folder of dair-ai/emotion, encoded once (MiniLM, mean pooling). Reference:
LogisticRegression(max_iter=3000) on the raw vectors. emolens: Probe.fit, which is standardizing,
five fits and the choice of one on validation. Both take turns in one process, after a first turn
that doesn't count. Prints the medians, the median of the rounds' ratios, and the accuracies on
validation and test. Set OMP_NUM_THREADS=1 on a busy machine.
"""

import argparse
import json
import time

import numpy as np
from sklearn.linear_model import LogisticRegression

import emolens as el
from emolens.learn.probe import Probe


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    data = el.load_dataset(given.data)
    encoder = el.Encoder("minilm", pooling="mean")
    vectors = {name: encoder.encode(split.texts) for name, split in data.splits.items()}
    y = data.y
    sides = {
        "reference": lambda: LogisticRegression(max_iter=3000).fit(vectors["train"], y["train"]),
        "emolens": lambda: Probe().fit(
            vectors["train"], y["train"], eval_set=(vectors["validation"], y["validation"])
        ),
    }
    seconds, fitted, same = {side: [] for side in sides}, {}, dict.fromkeys(sides, True)
    for turn in range(given.rounds + 1):
        for side in list(sides)[:: 1 if turn % 2 else -1]:
            started = time.perf_counter()
            model = sides[side]()
            taken = time.perf_counter() - started
            if turn:  # the first turn includes loading
                seconds[side].append(taken)
                same[side] &= np.array_equal(model.coef_, fitted[side].coef_)
            fitted[side] = model
    print(f"{vectors['train'].shape[0]} x {vectors['train'].shape[1]}, {given.rounds} rounds")
    result = {}
    for side, model in fitted.items():
        result[side] = {"seconds": float(np.median(seconds[side])), "same_bits": same[side]}
        for name in ("validation", "test"):
            right = model.predict(vectors[name]) == y[name]
            result[side][f"{name}_accuracy"] = float(right.mean())
        print(f"{side:<10}", result[side])
    ratios = np.divide(seconds["reference"], seconds["emolens"])
    result["ratio"] = float(np.median(ratios))
    print(f"ratio {result['ratio']:.2f} ({ratios.min():.2f}–{ratios.max():.2f});",
          f"C {fitted['emolens'].C_:g}, log-loss by C: {fitted['emolens'].path_}")  # fmt: skip
    print(json.dumps({"benchmark": "probe", "rounds": given.rounds, **result}))


if __name__ == "__main__":
    main()
