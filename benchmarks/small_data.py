"""Fine-tuning against the probe on ten data sets of 50 to 36,000 rows, with the planned recipe.

    python benchmarks/small_data.py EMOTION GOEMOTIONS [--out FILE] [--only starter-50 emotion-100]
                                    [--seeds 1 2 3] [--set learning_rate=1e-4]

EMOTION, GOEMOTIONS: the folders of dair-ai/emotion and of GoEmotions, of which rows with one label
count. For each data set and seed, a table is drawn and cut, 8 rows for train to 1 for validation;
up to 4,000 other rows of the same shares of classes are the test split. Prints accuracy and
macro-F1 on test, in %, as mean ± standard deviation over the seeds: of the largest class, the
probe (mean pooling, and CLS), and the fine-tuned MiniLM; "fine-tuned - probe" is about the same
draws. Results are appended to FILE, one JSON line each; those that are there are not done again.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

import emolens as el
from emolens.data.cut import rows_by_side, stratified_rows
from emolens.data.dataset import Dataset, Split
from emolens.evaluation.metrics import confusion, summary
from emolens.labels import LabelSet
from emolens.learn.probe import Probe

TEST = 4000
FEW = ("gratitude", "amusement", "anger", "sadness", "curiosity")
# Name: source, rows of train, classes (None: all), shares of the classes ("natural", "balanced",
# or the share of the first one, with equal shares of the others).
DATASETS = {
    "starter-50": ("starter", 50, None, "balanced"),
    "emotion-100": ("emotion", 100, None, "natural"),
    "emotion-300": ("emotion", 300, ("joy", "sadness", "love", "anger", "fear", "surprise"), 0.7),
    "emotion-500": ("emotion", 500, ("joy", "sadness"), "balanced"),
    "goemotions-1000": ("goemotions", 1000, FEW, "balanced"),
    "starter-2000": ("starter", 2000, None, "natural"),
    "goemotions-4000": ("goemotions", 4000, "all but neutral", "natural"),
    "emotion-8000": ("emotion", 8000, None, "natural"),
    "emotion-16000": ("emotion", 16000, None, "natural"),
    "goemotions-36000": ("goemotions", 36000, "all but grief", "natural"),
}
MODELS = ("majority", "probe", "probe_cls", "finetuned")


def pool_of(source: str) -> tuple[np.ndarray, np.ndarray, LabelSet]:
    """All texts of a source, each once, with one class id each."""
    data = el.load_dataset(source)
    texts = np.array([text for split in data.splits.values() for text in split.texts], object)
    labels = np.concatenate([split.labels for split in data.splits.values()])
    if labels.ndim > 1:
        one = labels.sum(axis=1) == 1
        texts, labels = texts[one], labels[one].argmax(axis=1)
    _, first = np.unique(texts.astype(str), return_index=True)
    first.sort()
    return texts[first], labels[first], data.labels


def chosen(labels, names, classes, shares, rng):
    """The rows of these classes, in a random order, as many of each as `shares` says."""
    if isinstance(classes, str):
        classes = [name for name in names if name != classes.removeprefix("all but ")]
    classes = list(classes or names)
    ids = [names.index(name) for name in classes]
    counts = np.array([(labels == i).sum() for i in ids])
    if shares == "natural":
        kept = counts
    else:
        share = np.full(len(ids), 1 / len(ids))
        if shares != "balanced":
            share[0], share[1:] = shares, (1 - shares) / (len(ids) - 1)
        kept = np.floor(share * (counts / share).min()).astype(int)
    rows = [
        rng.permutation(np.flatnonzero(labels == i))[:n] for i, n in zip(ids, kept, strict=True)
    ]
    return classes, ids, rng.permutation(np.concatenate(rows))


def drawn(name: str, pools, seed: int) -> Dataset:
    """One draw of a data set."""
    source, n_train, classes, shares = DATASETS[name]
    texts, labels, label_set = pools[source]
    rng = np.random.default_rng([seed, n_train])
    classes, ids, rows = chosen(labels, list(label_set.names), classes, shares, rng)
    n_validation = min(n_train // 8, (len(rows) - n_train) // 2)
    place = {old: new for new, old in enumerate(ids)}
    labels = np.array([place[label] for label in labels[rows]])
    table = stratified_rows(labels, n_train + n_validation, rng)
    parts = [texts[rows[table]].tolist(), labels[table], (n_train, n_validation, 0)]
    train, validation, _ = rows_by_side(*parts, seed=seed)
    rest = np.setdiff1d(np.arange(len(rows)), table)[:TEST]
    places = {"train": table[train], "validation": table[validation], "test": rest}
    splits = {n: Split(tuple(texts[rows[p]].tolist()), labels[p]) for n, p in places.items()}
    return Dataset(f"{name}-{seed}", LabelSet(tuple(classes)), splits)


def figures(labels: np.ndarray, answers: np.ndarray, k: int) -> list[float]:
    """Accuracy and macro-F1."""
    both = summary(confusion(labels, answers, k))
    return [round(float(both[name]), 4) for name in ("accuracy", "macro_f1")]


def measured(data: Dataset, seed: int, given: dict) -> dict:
    """All models of one draw."""
    y, k = data.y, len(data.labels)
    largest = np.bincount(y["train"], minlength=k).argmax()
    found = {"majority": figures(y["test"], np.full(len(y["test"]), largest), k)}
    for model, pooling in (("probe", "mean"), ("probe_cls", "cls")):
        encoder = el.Encoder("minilm", pooling=pooling)
        X = {split: encoder.encode(rows.texts) for split, rows in data.splits.items()}
        probe = Probe().fit(X["train"], y["train"], eval_set=(X["validation"], y["validation"]))
        found[model] = figures(y["test"], probe.predict(X["test"]), k)
    recipe = el.plan_recipe("minilm", data, seed=seed, **given)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        scores = el.finetune("minilm", data, Path(place) / "model", recipe=recipe)
    found["finetuned"] = figures(y["test"], scores.predictions("test"), k)
    facts = {"best_epoch": scores.facts.best_epoch, "epochs": scores.facts.history[-1].epoch}
    sizes = {split: len(rows) for split, rows in data.splits.items()}
    seconds = round(time.perf_counter() - started, 1)
    return {**found, **facts, "recipe": vars(recipe), **sizes, "classes": k, "seconds": seconds}


def table(lines: list[dict]) -> None:
    """Print the table of all results."""
    print("| data | rows | classes | seeds | " + " | ".join(MODELS) + " | fine-tuned - probe |")
    print("|" + "---|" * (len(MODELS) + 5))
    for name in DATASETS:
        of_name = [line for line in lines if line["data"] == name]
        if not of_name:
            continue
        cells = []
        found = {model: 100 * np.array([line[model] for line in of_name]) for model in MODELS}
        found["gap"] = found["finetuned"] - found["probe"]
        for model, values in found.items():
            spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(2)
            sign = "+" if model == "gap" else ""
            both = zip(values.mean(axis=0), spread, strict=True)
            cells.append(" / ".join(f"{mean:{sign}.1f} ± {sd:.1f}" for mean, sd in both))
        first = of_name[0]
        print(f"| {name} | {first['train']:,} | {first['classes']} | {len(of_name)} | "
              + " | ".join(cells) + " |")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("emotion")
    parser.add_argument("goemotions")
    parser.add_argument("--out", type=Path, default=Path("small_data.jsonl"))
    parser.add_argument("--only", nargs="+", default=list(DATASETS), choices=list(DATASETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE")
    given = parser.parse_args()
    stated = dict(pair.split("=") for pair in given.set)
    stated = {name: json.loads(value) for name, value in stated.items()}
    sources = {"starter": "starter", "emotion": given.emotion, "goemotions": given.goemotions}
    needed = {DATASETS[name][0] for name in given.only}
    pools = {source: pool_of(sources[source]) for source in sorted(needed)}
    lines = []
    if given.out.exists():
        lines = [json.loads(line) for line in given.out.read_text().splitlines()]
    done = {(line["data"], line["seed"]) for line in lines}
    for name in given.only:
        for seed in given.seeds:
            if (name, seed) in done:
                continue
            found = measured(drawn(name, pools, seed), seed, stated)
            lines.append({"benchmark": "small_data", "data": name, "seed": seed, **found})
            with given.out.open("a") as file:
                file.write(json.dumps(lines[-1]) + "\n")
            print(name, seed, *(f"{model} {found[model]}" for model in MODELS), flush=True)
    table(lines)


if __name__ == "__main__":
    main()
