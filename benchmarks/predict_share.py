"""Which share of the time of `emolens predict` is not the model's: reading, tokenizing, writing.

    python benchmarks/predict_share.py MODEL DATA [--rows 10000] [--rounds 3] [--precision int8]

MODEL: a model folder, such as runs/emotion-minilm/model. DATA: the folder of dair-ai/emotion, whose
training texts stand in tables with five other columns. The model's part is padding batches and
running them; all the rest of predict_table counts as reading, tokenizing and writing. Prints the
share of the wall time and of the processor time, and the lowest of all rounds: other work on the
machine slows the parts differently.
"""

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

import emolens as el
from emolens.predict.classifier import Classifier
from emolens.predict.tables import predict_table

ENDINGS = (".csv", ".jsonl", ".parquet", ".xlsx")


def table_of(texts, n):
    rows = range(n)
    return {
        "id": [f"r{i:06}" for i in rows],
        "day": [f"2024-05-{i % 28 + 1:02}" for i in rows],
        "stars": [i % 5 + 1 for i in rows],
        "shop": [("north", "south", "east", "west")[i % 4] for i in rows],
        "note": ["" if i % 3 else "came back, twice" for i in rows],
        "text": [texts[i % len(texts)] for i in rows],
    }


def write(columns, path):
    rows = zip(*columns.values(), strict=True)
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
    elif path.suffix == ".jsonl":
        lines = (json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows)
        path.write_text("".join(lines), encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path)
    else:
        book = xlsxwriter.Workbook(path, {"constant_memory": True})
        sheet = book.add_worksheet()
        for place, row in enumerate([tuple(columns), *rows]):
            sheet.write_row(place, 0, row)
        book.close()
    return path


class Clock:
    """Counts the wall time and the processor time that a function takes."""

    def __init__(self, function):
        self.function, self.wall, self.processor = function, 0.0, 0.0

    def __call__(self, *arguments):
        wall, processor = time.perf_counter(), time.process_time()
        result = self.function(*arguments)
        self.wall += time.perf_counter() - wall
        self.processor += time.process_time() - processor
        return result


def measured(classifier, source):
    model = classifier._model
    clock, plain = Clock(model._run), model._run
    model._run = clock
    whole = Clock(predict_table)
    target = source.with_stem("out")
    whole(classifier, source, target)
    model._run = plain
    target.unlink()
    return {
        "share_of_wall_time": 1 - clock.wall / whole.wall,
        "share_of_processor_time": 1 - clock.processor / whole.processor,
        "seconds": whole.wall,
        "processor_seconds": whole.processor,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision")
    given = parser.parse_args()
    texts = el.load_dataset(given.data)["train"].texts
    classifier = Classifier(given.model, precision=given.precision)
    classifier.predict(texts[:2000])  # the engine prepares shapes of batches
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        columns = table_of(texts, given.rows)
        for ending in ENDINGS:
            source = write(columns, Path(folder) / f"in{ending}")
            rounds = [measured(classifier, source) for _ in range(given.rounds)]
            results[ending] = best = {key: min(r[key] for r in rounds) for key in rounds[0]}
            print(f"{ending}: {best['share_of_wall_time']:.1%} of the wall time,"
                  f" {best['share_of_processor_time']:.1%} of the processor time"
                  f" ({best['seconds']:.1f} s, {best['processor_seconds']:.1f} s)",
                  flush=True)  # fmt: skip
    print(json.dumps({"benchmark": "predict_share", "rows": given.rows,
                      "precision": classifier.runtime.precision, "tables": results}))  # fmt: skip


if __name__ == "__main__":
    main()
