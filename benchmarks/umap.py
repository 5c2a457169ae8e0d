"""The map of 16,000 vectors: emolens against plain umap-learn, on the CPU.

    python benchmarks/umap.py DATA [--rounds 7]

DATA: the folder of dair-ai/emotion. Its train texts are encoded once (MiniLM, mean pooling). Then
the sides take turns, each in a new process; the time includes the interpreter, the imports and the
compiling by numba. Both scale the features to 0…1 and use cosine, 15 neighbors, distance 0.1 and
seed 42. Prints the medians, the median of the rounds' ratios, the trustworthiness (15 neighbors,
all rows, exact) and whether each side gave the same bits in all rounds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIDES = ("umap-learn", "emolens")


def worker(side, vectors, out):
    """One new process: read the vectors, lay them out, write their places."""
    sys.path.pop(0)  # this file's folder, in which `import umap` would find this file
    rows = np.load(vectors)
    if side == "emolens":
        from emolens.explore.project import project

        xy = project(rows, np.zeros(len(rows))).xy
    else:
        import umap
        from sklearn.preprocessing import MinMaxScaler

        scaled = MinMaxScaler().fit_transform(rows)
        xy = umap.UMAP(metric="cosine", random_state=42).fit_transform(scaled)
    np.save(out, xy)


def trustworthiness(rows, xy, k=15, block=500):
    """As scikit-learn's, with cosine, but in blocks: all pairs need too much memory."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    unit = (rows - low) / np.where(high > low, high - low, 1)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    n, squares = len(unit), (xy**2).sum(axis=1)
    lost = 0
    for start in range(0, n, block):
        own = np.arange(start, min(start + block, n))
        me = own - start
        apart = squares - 2 * xy[own] @ xy.T
        apart[me, own] = np.inf
        drawn = np.argpartition(apart, k, axis=1)[:, :k]
        alike = unit[own] @ unit.T
        alike[me, own] = np.inf
        order = np.argsort(-alike, axis=1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(n)[None], axis=1)
        lost += np.maximum(np.take_along_axis(rank, drawn, axis=1) - k, 0).sum()
    return 1 - 2 * lost / (n * k * (2 * n - 3 * k - 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    import emolens as el

    texts = el.load_dataset(given.data)["train"].texts
    rows = el.Encoder("minilm", pooling="mean").encode(texts)
    seconds, places = {side: [] for side in SIDES}, {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        vectors, out = Path(folder, "vectors.npy"), Path(folder, "xy.npy")
        np.save(vectors, rows)
        for turn in range(given.rounds):
            for side in SIDES[:: 1 if turn % 2 else -1]:
                command = [sys.executable, "-W", "ignore", __file__, "--worker", side]
                started = time.perf_counter()
                subprocess.run([*command, str(vectors), str(out)], check=True)
                seconds[side].append(time.perf_counter() - started)
                places[side].append(np.load(out))
            print(turn + 1, {side: round(seconds[side][-1], 1) for side in SIDES}, flush=True)
    result = {}
    print(f"{len(rows)} x {rows.shape[1]}, {given.rounds} rounds")
    for side in SIDES:
        first, *others = places[side]
        result[side] = {
            "seconds": float(np.median(seconds[side])),
            "trustworthiness": float(trustworthiness(rows, first.astype(np.float64))),
            "same_bits": all(first.tobytes() == other.tobytes() for other in others),
        }
        print(f"{side:<12}", result[side])
    ratios = np.divide(seconds["umap-learn"], seconds["emolens"])
    result["ratio"] = float(np.median(ratios))
    print(f"ratio {result['ratio']:.2f} ({ratios.min():.2f}–{ratios.max():.2f})")
    print(json.dumps({"benchmark": "umap", "rounds": given.rounds, **result}))


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        worker(*sys.argv[2:])
    else:
        main()
