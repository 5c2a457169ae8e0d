"""The search for near duplicates across splits: its time, its recall and its memory.

    python benchmarks/near_duplicates.py DATA [DATA ...] [--rows 100000] [--sample 500]

DATA: data sets, such as the folder of dair-ai/emotion. Their texts are the first rows of one table.
The other rows are made of them: each is a text in which words were replaced by words of another
text, few or many of them, so that there are similar pairs at every distance. Four fifths are train,
one tenth each validation and test. Recall: a sample of the rows of test is compared with all rows
of train and validation by brute force. Three tables: real texts, long ones (ten texts end to end),
and sentences of three templates, of which many are similar.
"""

import argparse
import json
import random
import resource
import time

import numpy as np

import emolens as el
from emolens.data.audit.similar import THRESHOLD, grams_of, jaccard, prepared, similar, words_of


def changed(text, other, rng):
    """The text, with each word replaced by one of the other text, at a rate that varies."""
    rate = rng.choice([0.02, 0.05, 0.1, 0.3, 1.0])
    words = other.split()
    return " ".join(rng.choice(words) if rng.random() < rate else word for word in text.split())


def real(texts, rows, rng):
    """Rows of real texts, and of changed ones."""
    more = (changed(rng.choice(texts), rng.choice(texts), rng) for _ in range(rows - len(texts)))
    return [*texts[:rows], *more]


def long(texts, rows, rng):
    """Rows of ten texts each; every tenth is a changed copy of an earlier one."""
    made = []
    for _ in range(rows):
        if made and rng.random() < 0.1:
            made.append(changed(rng.choice(made), rng.choice(texts), rng))
        else:
            made.append(" ".join(rng.choices(texts, k=10)))
    return made


def templates(texts, rows, rng):
    """Rows of three long sentences with words of the data put in."""
    frames = ("i am so glad about the {} that we were given in the {} by the river this morning",
              "they were furious when nobody had told them of the {} and of all that came after it",
              "the {} was more than i could ever have hoped for, home in the {} rain")  # fmt: skip
    words = sorted({word for text in texts for word in text.split()})
    return [rng.choice(frames).format(*rng.choices(words, k=2)) for _ in range(rows)]


def measure(texts, sample, rng):
    """Seconds of the whole search, and its recall on a sample."""
    rng.shuffle(texts)
    cut = [len(texts) * 8 // 10, len(texts) * 9 // 10]
    started, cpu = time.perf_counter(), time.process_time()
    keys = list(map(words_of, texts))
    parts = {"train": keys[: cut[0]], "validation": keys[cut[0] : cut[1]], "test": keys[cut[1] :]}
    ready = prepared(parts)
    names = list(ready)
    searches = {
        (names[i], other): similar(ready[names[i]], ready[other])
        for i in range(len(names))
        for other in names[:i]
    }
    result = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    found = set(searches["test", "train"].matches) | set(searches["test", "validation"].matches)
    queries = rng.sample(range(len(parts["test"])), min(sample, len(parts["test"])))
    open_rows = {row: grams_of(parts["test"][row]) for row in queries}
    right = set()
    for key in keys[: cut[1]]:
        other = grams_of(key)
        hits = {row for row, grams in open_rows.items() if jaccard(grams, other) >= THRESHOLD}
        right |= hits
        open_rows = {row: grams for row, grams in open_rows.items() if row not in hits}
    result |= {
        "rows": len(texts),
        "pairs_looked_at": sum(search.looked_at for search in searches.values()),
        "complete": all(search.complete for search in searches.values()),
        "sample": len(queries),
        "similar_by_brute_force": len(right),
        "recall": len(right & found) / max(len(right), 1),
        "false": len(found.intersection(queries) - right),
    }
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=500)
    given = parser.parse_args()
    rng = random.Random(42)
    texts = [
        text
        for name in given.data
        for split in el.load_dataset(name).splits.values()
        for text in split.texts
    ]
    results = {}
    for kind in (real, long, templates):
        result = measure(kind(texts, given.rows, rng), given.sample, rng)
        result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        results[kind.__name__] = result
        print(f"{kind.__name__}: {result['rows']:,} rows in {result['seconds']:.1f} s"
              f" ({result['cpu']:.1f} s CPU), recall {result['recall']:.4f} of"
              f" {result['similar_by_brute_force']} in {result['sample']} rows,"
              f" {result['pairs_looked_at']:,} pairs, all compared: {result['complete']},"
              f" {result['peak_mb']:.0f} MB", flush=True)  # fmt: skip
    print(json.dumps({"benchmark": "near_duplicates", "tables": results, "numpy": np.__version__}))


if __name__ == "__main__":
    main()
