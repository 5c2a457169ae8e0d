"""One line of a table for each run folder: shapes of the vectors, accuracy and macro-F1, time.

    python benchmarks/shapes.py runs/emotion-minilm runs/emotion-mpnet

A run that ended after its probe has no figures of fine-tuning yet.
"""

import argparse
import json
import re
import tomllib
from pathlib import Path

PROBE, FINETUNE = "probe", "finetune"
CELLS = ((PROBE, "validation"), (FINETUNE, "validation"), (FINETUNE, "test"))


def figures(folder, stages):
    """Accuracy and macro-F1 of probe and fine-tuned model; what is not measured stays empty."""
    if (path := folder / "evaluation.json").is_file():
        by_split = json.loads(path.read_text("utf-8"))
        values = [by_split[split][model] for model, split in CELLS]
        return [f"{v['accuracy']:.4f} / {v['macro_f1']:.4f}" for v in values]
    accuracy = re.search(r"accuracy ([\d.]+\d)", stages[PROBE]["summary"])
    return [accuracy[1], "", ""]


def row(folder):
    stages = json.loads((folder / "manifest.json").read_text("utf-8"))["stages"]
    encoder = tomllib.loads((folder / "study.toml").read_text("utf-8"))["encoder"]
    shapes = ", ".join(re.findall(r"\(\d+, \d+\)", stages["embed"]["summary"]))
    name = f"{Path(encoder['name']).name}, {encoder['pooling']}"
    times = [
        f"{stages[stage]['seconds']:.0f} s, {stages[stage]['peak_memory_mb']:,.0f} MB"
        if stage in stages
        else ""
        for stage in ("embed", FINETUNE)
    ]
    return " | ".join([name, shapes, *figures(folder, stages), *times])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    print("| encoder, pooling | shapes | probe, validation | fine-tuned, validation", end="")
    print(" | fine-tuned, test | embedding | fine-tuning |\n|---|---|---|---|---|---|---|")
    for folder in parser.parse_args().runs:
        print(f"| {row(folder)} |")


if __name__ == "__main__":
    main()
