"""Other ways to batch texts and to run MiniLM on OpenVINO, against the way of emolens.

    python benchmarks/batching.py DATA [--rounds 7] [--texts 1700] [--precision bf16]

DATA: the folder of dair-ai/emotion. All ways take turns in one process on the same tokens: once on
texts that every round repeats (OpenVINO has prepared their shapes), once on texts that are new in
each round. Prints the padding, and the median speed of both relative to the way of emolens.
"""

import argparse
import copy
import json
import time

import numpy as np

import emolens as el
from emolens.encode.batches import pad, token_budget_batches


def equal_lengths(lengths, budget):
    """No padding at all: a batch ends where another length begins."""
    for length in np.unique(lengths)[::-1]:
        rows = np.flatnonzero(lengths == length)
        step = max(budget // max(int(length), 1), 1)
        yield from (rows[start : start + step] for start in range(0, len(rows), step))


def as_they_come(lengths, budget):
    """In the order of the texts, as in a plain loop."""
    step = budget // 32
    return np.split(np.arange(len(lengths)), range(step, len(lengths), step))


def by_budget(lengths, budget):
    return token_budget_batches(lengths, budget=budget)


def changed(engine, *, fused=False, in_flight=None, **options):
    """The same model, compiled or fed in another way."""
    other = copy.copy(engine)
    other.__dict__.pop("_long", None)
    other._options = {**engine._options, **options}
    other._short = other._compiled(**({} if fused else {"SNIPPETS_MODE": "DISABLE"}))
    other._in_flight = in_flight or engine._in_flight
    return other


def seconds(engine, tokens, batches):
    started = time.perf_counter()
    for _ in engine.stream((rows, *pad(tokens, rows, pad_id=0)) for rows in batches):
        pass
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--texts", type=int, default=1700)
    parser.add_argument("--precision", default="bf16")
    given = parser.parse_args()
    encoder = el.Encoder("minilm", pooling="mean", precision=given.precision)
    texts = el.load_dataset(given.data)["train"].texts
    n = given.texts
    parts = [encoder.tokenizer.encode(texts[i : i + n]) for i in range(0, len(texts) - n + 1, n)]
    repeated, *new = parts
    kept = encoder._engine
    threads = encoder.runtime.threads
    budget = kept.budget
    one = {"NUM_STREAMS": 1, "in_flight": 1}
    ways = {
        f"kept: {threads} streams, {budget} tokens a batch": ({}, by_budget, budget),
        **{f"{size} tokens a batch": ({}, by_budget, size) for size in (256, 512, 2048, 4096)},
        "batches of equal length": ({}, equal_lengths, budget),
        "in the order given, 32 rows": ({}, as_they_come, budget),
        f"one stream of {threads} threads": (one, by_budget, budget),
        f"one stream of {threads} threads, 4096 tokens": (one, by_budget, 4096),
        "a batch for each stream, none waiting": ({"in_flight": threads}, by_budget, budget),
        "OpenVINO's fused attention": ({"fused": True}, by_budget, budget),
    }
    # Each way has its own model, which prepares its own shapes.
    ways = {name: (changed(kept, **how), *rest) for name, (how, *rest) in ways.items()}
    taken = {name: ([], []) for name in ways}
    for turn in range(given.rounds + 1):
        for name, (engine, cut, tokens) in ways.items():
            for kind, rows in enumerate((repeated, new[turn % len(new)])):
                spent = seconds(engine, rows, list(cut(rows.lengths, tokens)))
                if turn:  # the first round prepares the shapes
                    taken[name][kind].append(spent)
    base = next(iter(taken.values()))
    speeds = " and ".join(f"{n / np.median(times):.0f}" for times in base)
    print(f"{n} texts, {given.precision}, {given.rounds} rounds; kept: {speeds} texts per second")
    print("| way | padding | repeated texts | new texts |\n|---|---|---|---|")
    results = {}
    for name, (_, cut, tokens) in ways.items():
        lengths = repeated.lengths
        cells = sum(len(rows) * lengths[rows].max() for rows in cut(lengths, tokens))
        speed = [float(np.median(np.divide(base[kind], taken[name][kind]))) for kind in (0, 1)]
        results[name] = {"padding": float(cells / lengths.sum() - 1), "speed": speed}
        print(f"| {name} | {results[name]['padding']:.1%} | {speed[0]:.2f} | {speed[1]:.2f} |")
    print(json.dumps({"benchmark": "batching", "rounds": given.rounds, "ways": results}))


if __name__ == "__main__":
    main()
