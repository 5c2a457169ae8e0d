"""Run folders for comparisons: whole runs whose answers are written anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emolens.output import sha256
from emolens.study import Run

Rows = list[dict[str, Any]]


def with_rows(run: Run, folder: Path, change: Callable[[Rows], Rows]) -> Path:
    """A copy of the run whose rows of test are changed, as if a run had ended so."""
    shutil.copytree(run.folder, folder)
    path = folder / "predictions.parquet"
    rows = pq.read_table(path).to_pylist()
    test = [row for row in rows if row["split"] == "test"]
    others = [row for row in rows if row["split"] != "test"]
    pq.write_table(pa.Table.from_pylist(others + change(test)), path)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for files in (manifest["stages"]["evaluate"]["outputs"], manifest["files"]):
        files[path.name] = sha256(path)
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder


def answering(
    answers: Callable[[int, str], str], labels: tuple[str, ...]
) -> Callable[[Rows], Rows]:
    """A change after which the fine-tuned model gives these answers, with a probability of .75."""

    def change(rows: Rows) -> Rows:
        for i, row in enumerate(rows):
            answer = answers(i, row["label"])
            row["finetune_label"] = answer
            for label in labels:
                row[f"finetune_p_{label}"] = 0.75 if label == answer else 0.25 / (len(labels) - 1)
        return rows

    return change
