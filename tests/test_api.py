"""What `import emolens` offers: the names, how their values print, and the examples."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emolens
from emolens.data.audit import audit
from emolens.data.balance import balance
from emolens.data.sources import load_dataset
from emolens.encode.backbone import find_encoder, tokenizer_of
from emolens.encode.embed import Embeddings
from emolens.explore.project import Projection
from emolens.labels import LabelSet
from emolens.predict.classifier import Classifier
from emolens.scores import Scores
from emolens.study import Run


def test_type_checkers_see_the_names_that_are_loaded_late() -> None:
    tree = ast.parse(Path(emolens.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == emolens._HOMES
    assert all(getattr(emolens, name) is not None for name in dir(emolens))


@pytest.fixture(scope="module")
def values(tiny_run: Run, tiny_encoder: Path) -> list[Any]:
    """One of each kind of value, with HOSTILE texts in the rows, and some with 150 classes."""
    tokenizer = tokenizer_of(find_encoder(str(tiny_encoder)))
    evaluation = tiny_run.evaluation
    classifier = Classifier(tiny_run.folder / "model")
    splits = ("validation", "test")
    dataset = load_dataset(Path(tiny_run.study.data.dataset))
    return [
        dataset,
        dataset["test"],
        audit(dataset),
        audit(dataset).splits["test"],
        tiny_run,
        tiny_run.study,
        evaluation,
        *evaluation.by_split["test"].values(),
        *evaluation.hardest,
        Scores.load(tiny_run.folder / "probe", splits),
        Embeddings.load(tiny_run.folder / "embeddings", splits),
        Projection.load(tiny_run.folder / "projection.parquet"),
        tokenizer,
        tokenizer.encode(["i am sad"] * 1000),
        classifier,
        *classifier.predict(["i am sad\n\nso sad " * 20, ""]),
        LabelSet(tuple(f"class {i}" for i in range(150))),
        balance(np.arange(1500) % 150, 150, method="none", seed=0),
    ]


def test_every_value_prints_as_one_short_line(values: list[Any]) -> None:
    for value in values:
        line = repr(value)
        assert len(line) <= 100, line
        assert line.isprintable(), line
        assert line.startswith(type(value).__name__ + "("), line


def test_tables_in_a_notebook_are_small(values: list[Any]) -> None:
    tables = [value._repr_html_() for value in values if hasattr(value, "_repr_html_")]
    assert len(tables) >= 6
    assert all(page.count("<tr>") <= 14 for page in tables)
