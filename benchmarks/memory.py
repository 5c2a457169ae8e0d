"""Peak memory of `emolens encode` on tables of different sizes: it must not grow with the rows.

    python benchmarks/memory.py DATA [--rows 10000 200000]

DATA: the folder of dair-ai/emotion. Its training texts are repeated up to the number of rows; each
row ends in its own number, so that no two rows are the same. Each size is a process of its own.
Prints the memory before the first row, the peak of resident memory above it, and the speed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import emolens as el

CODE = """
import sys, time
from pathlib import Path
from emolens.encode.embed import Encoder
from emolens.encode.table import encode_table
from emolens.study.meter import Meter
encoder = Encoder("minilm", pooling="mean", precision=sys.argv[2])
encoder.encode(["a text to have the model loaded", sys.argv[1]])
meter = Meter()
before = meter.peak_memory_mb
started = time.perf_counter()
target = Path(sys.argv[1]).with_suffix(".parquet")
encode_table(encoder, Path(sys.argv[1]), target, overwrite=True)
seconds = time.perf_counter() - started
print(before, meter.peak_memory_mb, seconds)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 200_000])
    parser.add_argument("--precision", default="int8")
    given = parser.parse_args()
    texts = el.load_dataset(given.data)["train"].texts
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        # The cache starts empty, so that no vectors are read. One row has the model traced.
        environment = {**os.environ, "EMOLENS_CACHE": str(Path(folder) / "cache")}
        for rows in [1, *given.rows]:
            table = Path(folder) / f"{rows}.txt"
            with table.open("w", encoding="utf-8") as file:
                file.writelines(f"{texts[i % len(texts)]} {i}\n" for i in range(rows))
            command = [sys.executable, "-c", CODE, str(table), given.precision]
            ran = subprocess.run(command, check=True, capture_output=True, env=environment)
            if rows == 1:
                continue
            before, peak, seconds = map(float, ran.stdout.split())
            results[rows] = {
                "model_mb": before,
                "above_model_mb": peak - before,
                "texts_per_second": rows / seconds,
            }
            print(f"{rows:,} rows: {results[rows]['above_model_mb']:.0f} MB above the"
                  f" {before:.0f} MB of the loaded model,"
                  f" {rows / seconds:.0f} texts per second", flush=True)  # fmt: skip
    print(json.dumps({"benchmark": "memory", "rows": results}))


if __name__ == "__main__":
    main()
