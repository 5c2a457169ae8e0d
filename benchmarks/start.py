"""How long a command takes to start: seconds above an interpreter that does nothing.

    python benchmarks/start.py [--rounds 15]

Each command is a new process, in turn with `python -c pass`. `encode` reads one text with the
bundled encoder, `predict` answers one with the bundled model. A first call, which is not counted,
puts what is traced and compiled into the cache.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(command):
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "one.csv"
        table.write_text("text\nso happy\n", encoding="utf-8")
        emolens = [sys.executable, "-m", "emolens"]
        commands = {
            "nothing": [sys.executable, "-c", "pass"],
            "emolens --help": [*emolens, "--help"],
            "emolens predict": [*emolens, "predict", "so happy"],
            "emolens encode": [*emolens, "encode", str(table), "--overwrite"],
        }
        taken = {name: [] for name in commands}
        for command in commands.values():
            seconds(command)
        for _ in range(given.rounds):
            for name, command in commands.items():
                taken[name].append(seconds(command))
    over = {
        name: statistics.median(t - n for t, n in zip(times, taken["nothing"], strict=True))
        for name, times in taken.items()
    }
    for name in list(over)[1:]:
        print(f"{name}: {1000 * over[name]:.0f} ms more than python -c pass")
    print(json.dumps({"benchmark": "start", "rounds": given.rounds, "seconds_over_nothing": over}))


if __name__ == "__main__":
    main()
