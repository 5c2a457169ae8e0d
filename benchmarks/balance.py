"""What class weights, over- and undersampling do to accuracy, and to the recall of every class.

    python benchmarks/balance.py DATA [--seeds 42 43 44] [--recipe fast] [--out balance.jsonl]

DATA: the folder of dair-ai/emotion, whose largest class has nine times as many rows as the smallest
one. MiniLM is fine-tuned once for each method and seed and scored on test; test chooses nothing.
Prints a table of means and standard deviations over the seeds. Results are appended to the file,
one JSON line each; those that are there are not done again.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import emolens as el
from emolens.evaluation.metrics import confusion, per_class, summary

METHODS = ("none", "root-weights", "class-weights", "oversample", "undersample")


def measured(data, method: str, seed: int, kind: str) -> dict:
    """The figures of one training, in %."""
    recipe = el.plan_recipe("minilm", data, kind, balance=method, seed=seed)
    with tempfile.TemporaryDirectory() as place:
        scores = el.finetune("minilm", data, Path(place) / "model", recipe=recipe)
    counts = confusion(data["test"].labels, scores.predictions("test"), len(data.labels))
    whole = summary(counts)
    figures = {name: whole[name] for name in ("accuracy", "macro_f1")}
    figures |= {name: v["recall"] for name, v in per_class(counts, data.labels.names).items()}
    return {name: round(100 * float(value), 2) for name, value in figures.items()} | {
        "seconds": round(scores.facts.seconds),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--out", type=Path, default=Path("balance.jsonl"))
    given = parser.parse_args()
    lines = []
    if given.out.exists():
        lines = [json.loads(line) for line in given.out.read_text().splitlines()]
    done = {(line["method"], line["seed"]) for line in lines}
    data = el.load_dataset(given.data)
    for seed in given.seeds:
        for method in METHODS:
            if (method, seed) in done:
                continue
            found = measured(data, method, seed, given.recipe)
            lines.append({"method": method, "seed": seed, **found})
            with given.out.open("a") as file:
                file.write(json.dumps(lines[-1]) + "\n")
            print(json.dumps(lines[-1]), flush=True)
    names = [name for name in lines[0] if name not in ("method", "seed")]
    print("| method | " + " | ".join(names) + " |")
    print("|" + "---|" * (len(names) + 1))
    for method in METHODS:
        values = np.array([[line[n] for n in names] for line in lines if line["method"] == method])
        if len(values):
            spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(len(names))
            cells = [f"{m:.1f} ± {s:.1f}" for m, s in zip(values.mean(0), spread, strict=True)]
            print(f"| {method} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
