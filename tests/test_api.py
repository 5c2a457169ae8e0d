"""The public names of `emolens`, the printing of their values, and the examples in docstrings."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emolens
from emolens.data.audit import audit
from emolens.data.audit.contents import audit_texts
from emolens.data.balance import balance
from emolens.data.sources import load_dataset, load_rows, load_texts
from emolens.encode.backbone import find_encoder, tokenizer_of
from emolens.encode.embed import Embeddings, Encoder
from emolens.evaluation.calibration import PromiseKept
from emolens.evaluation.seeds import seeds_of
from emolens.explore.project import Projection
from emolens.export.verify import drift
from emolens.judge.check import score_sheet
from emolens.judge.model import score_model
from emolens.judge.sheet import COLUMNS, DrawOptions, draw_sheet
from emolens.labels import LabelSet
from emolens.predict.classifier import Classifier
from emolens.predict.tables import WriteOptions
from emolens.predict.tally import Tally
from emolens.scores import FINETUNE, ROLES, FinetuneFacts, Scores, SeedPoint
from emolens.show.canvas import Display
from emolens.study import Run
from emolens.study.compare import compare
from tests.conftest import ROOT, write_csv


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


EXPORTED = {name: getattr(emolens, name) for name in emolens._HOMES}
SOURCES = sorted(Path(emolens.__file__).parent.rglob("*.py"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def test_what_documents_and_examples_call_is_exported() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*SOURCES, *DOCUMENTS)]
    called = {name for text in texts for name in re.findall(r"\bel\.(\w+)", text)}
    assert len(called) > 8
    assert called <= set(EXPORTED)
    assert {display.__name__ for display in Display.__subclasses__()} <= set(EXPORTED)


def returned_classes(function: Any) -> Iterator[type]:
    """The classes of emolens in a function's return annotation."""
    hint = inspect.get_annotations(function).get("return", "")
    for name in re.findall(r"\w+", str(hint)):
        value = vars(inspect.getmodule(function)).get(name)
        if isinstance(value, type) and value.__module__.startswith("emolens"):
            yield value


def test_what_an_exported_function_returns_is_exported() -> None:
    returned: set[type] = set()
    for value in EXPORTED.values():
        methods = vars(value).items() if isinstance(value, type) else [("call", value)]
        for name, method in methods:
            function = getattr(method, "fget", None) or getattr(method, "__func__", method)
            if inspect.isfunction(function) and not name.startswith("_"):
                returned.update(returned_classes(function))
    assert len(returned) > 10
    assert returned <= {value for value in EXPORTED.values() if isinstance(value, type)}


def test_every_parameter_for_a_path_also_takes_a_text() -> None:
    """In functions and methods. A field of a dataclass may be a Path only."""
    strict = []
    for owner, value in EXPORTED.items():
        methods = vars(value) if isinstance(value, type) else {owner: value}
        for name, method in methods.items():
            function = getattr(method, "__func__", method)
            own = name.startswith("_") and (name != "__init__" or is_dataclass(value))
            if inspect.isfunction(function) and not own:
                hints = {**inspect.get_annotations(function), "return": None}
                strict += [f"{owner}.{name}({p})" for p, hint in hints.items() if hint == "Path"]
    assert strict == []


INDENTED = re.compile(r"(?:^ {4}.*\n?|^\n(?= {4}))+", re.MULTILINE)


def examples() -> list[Any]:
    """The indented code of all docstrings, with its place as the id."""
    blocks = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        for node in (node for node in ast.walk(tree) if isinstance(node, documented)):
            text = ast.get_docstring(node) or ""
            assert ">>>" not in text, f"{path.name}: write examples as indented code"
            for block in INDENTED.findall(text):
                if "import emolens as el" in block:
                    where = f"{path.parent.name}/{path.name}:{getattr(node, 'name', 'module')}"
                    blocks.append(pytest.param(textwrap.dedent(block), id=where))
                    text = text.replace(block, "")
            assert not re.search(r"^ *(el\.|\w+ = \w+[(.])", text, re.MULTILINE), text
    return blocks


@pytest.mark.parametrize("code", examples())
def test_an_example_in_a_docstring_runs(
    code: str,
    study_file: Callable[..., Path],
    feelings_folder: Path,
    tiny_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Small data and a tiny encoder replace the bundled ones."""
    for bundled, small in (
        ('load_study("starter")', f"load_study({str(study_file())!r})"),
        ('load_dataset("starter")', f"load_dataset({str(feelings_folder)!r})"),
        ('"minilm"', repr(str(tiny_encoder))),
    ):
        code = code.replace(bundled, small)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docstring", "exec"), {})


def test_there_are_examples() -> None:
    assert len(examples()) >= 2


@pytest.fixture(scope="module")
def values(
    tiny_run: Run,
    collapsed_run: Run,
    tiny_encoder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Any]:
    """Values of each public class, with HOSTILE texts in the rows, and some with 150 classes."""
    encoder = find_encoder(tiny_encoder)
    tokenizer = tokenizer_of(encoder)
    facts = Scores.load(tiny_run.folder / FINETUNE.folder).facts
    assert isinstance(facts, FinetuneFacts)
    evaluation = tiny_run.evaluation
    classifier = Classifier(tiny_run.folder / "model")
    splits = ("validation", "test")
    dataset = load_dataset(Path(tiny_run.study.data.dataset))
    texts = load_texts(Path(tiny_run.study.data.dataset))
    folder = tmp_path_factory.mktemp("sheets")
    table = write_csv(folder / "table.csv", [("so happy",)], ("text",))
    label = classifier.labels.names[0]
    sheet = write_csv(folder / "sheet.csv", [(2, "so happy", label)], COLUMNS)
    return [
        dataset,
        dataset["test"],
        audit(dataset),
        audit(dataset).splits["test"],
        audit(dataset).checks[0],
        texts,
        audit_texts(texts),
        load_rows(Path(tiny_run.study.data.dataset)),
        score_model(classifier, dataset),
        PromiseKept(0.9, rows=10, answered=0, right=0, low=0.0, high=1.0),
        tiny_run,
        tiny_run.study,
        *(Scores.load(tiny_run.folder / role.folder).facts for role in ROLES.values()),
        *facts.training,
        *facts.history,
        facts.recipe,
        *(points := [SeedPoint(seed, 1.0, 9.5, (0.9, 0.8), (0.7, 0.6)) for seed in range(40)]),
        seeds_of([Scores(FINETUNE.name, {}, replace(facts, seeds=tuple(points)))]),
        encoder,
        Encoder(encoder, precision="fp32"),
        drift(tiny_run.folder / "model", ["i am sad"], precision="fp32"),
        Tally(rows=3),
        WriteOptions(prefix="new_"),
        DrawOptions(rows=100),
        draw_sheet(table, folder / "sheet.xlsx", classifier.labels),
        score_sheet(classifier, sheet),
        *(tried := emolens.behavior(classifier.predict_proba, classifier.labels), *tried.tests),
        compared := compare([tiny_run.folder, collapsed_run.folder]),
        *compared.pairs,
        *compared.runs,
        *compared.rows,
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


def test_each_exported_class_of_values_is_among_them(values: list[Any]) -> None:
    estimator_or_error = {"Probe", "EmolensError"}
    classes = {name for name, value in EXPORTED.items() if isinstance(value, type)}
    displays = {display.__name__ for display in Display.__subclasses__()}
    tested = {type(value).__name__ for value in values}
    assert classes - tested - displays == estimator_or_error


def test_every_value_prints_as_one_short_line(values: list[Any]) -> None:
    for value in values:
        line = repr(value)
        assert len(line) <= 100, line
        assert line.isprintable(), line
        assert line.startswith(type(value).__name__ + "("), line


def test_tables_in_a_notebook_are_small(values: list[Any]) -> None:
    tables = {type(v).__name__: v._repr_html_() for v in values if hasattr(v, "_repr_html_")}
    data = {"Dataset", "Split", "Audit", "Tokens", "Embeddings", "Projection"}
    assert set(tables) >= data | {"Scores", "Evaluation", "ModelEvaluation", "Prediction", "Run"}
    assert all(page.count("<tr>") <= 14 for page in tables.values())
