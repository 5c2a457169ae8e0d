"""The layers and house rules, read from the source: each rule is tried on a small wrong source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emolens.scores import ROLES
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "emolens"
FILES = sorted(SOURCE.rglob("*.py"))

# Each layer imports from itself and from those before it. Modules of one rank stand apart,
# except that those of the ground may use each other.
RANKS = (
    (
        *(
            "version",
            "errors",
            "shown",
            "labels",
            "blank",
            "runtime",
            "names",
            "temporary",
            "output",
        ),
        *("store", "owned", "modelfolder", "stopped", "hub"),
    ),
    ("decide", "calibration", "likeness"),
    ("scores",),
    ("data",),
    ("encode",),
    ("explore", "learn"),
    ("evaluation",),
    ("export",),
    ("predict",),
    ("judge",),
    ("show",),
    ("publish",),
    ("study",),
    ("journey",),
    ("console",),
    ("cli",),
)
RANK = {layer: rank for rank, layers in enumerate(RANKS) for layer in layers}
LIGHT = {
    "version",
    "errors",
    "shown",
    "labels",
    "blank",
    "runtime",
    "names",
    "temporary",
    "output",
    "store",
    "owned",
    "modelfolder",
    "stopped",
    "hub",
    "decide",
    "calibration",
    "likeness",
    "predict",
    "data.checks",
    "data.languages",
    "data.readers",
    "encode.giant",
    "evaluation.gaps",
    "evaluation.intervals",
    "evaluation.shares",
    "encode.tokenize",
    "encode.batches",
    "encode.engines.base",
    "encode.engines.openvino",
    "export.head",
    "export.model",
}
OWNERS = {
    "openvino": "encode/engines/openvino.py",
    "nncf": "encode/quantize.py",
    "datasets": "data/hub.py",
    "umap": "explore/project.py",
    "matplotlib": "show/canvas.py",
}
FORBIDDEN_MODULES = {"pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}
FORBIDDEN_CALLS = {"print", "eval", "exec", "__import__"}
RUNS_OWN_CODE = "journey/run.py"  # the walkthrough, which comes with emolens


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a source imports or requires, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            # `from emolens import runtime` imports the module emolens.runtime.
            inner = prefix == "emolens" or node.level > 0
            yield from (f"{prefix}.{a.name}" for a in node.names) if inner else (prefix,)
        elif isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name in ("require", "import_module") and isinstance(first, ast.Constant):
                yield str(first.value)


def layer_breaches(path: str, source: str) -> list[str]:
    """path: within src/emolens."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    layer = module.split(".")[0]
    found = []
    for name in imported(ast.parse(source)):
        if name.startswith("."):
            found.append(f"{path}: relative import {name}")
        if not name.startswith("emolens."):
            continue
        target = name.removeprefix("emolens.")
        other = target.split(".")[0]
        if other == layer:
            continue
        if other not in RANK:
            found.append(f"{path}: {target} is in no layer")
        elif RANK[other] > RANK[layer] or (RANK[other] == RANK[layer] and RANK[layer] > 0):
            found.append(f"{path}: {layer} imports {target}")
        elif layer == "predict" and not any(
            target == light or target.startswith(light + ".") for light in LIGHT
        ):
            found.append(f"{path}: predict imports {target}")
    return found


def owner_breaches(path: str, source: str) -> list[str]:
    found = []
    for name in imported(ast.parse(source)):
        package = name.split(".")[0]
        if package in OWNERS and path != OWNERS[package]:
            found.append(f"{path}: {package} belongs to {OWNERS[package]}")
    if "AutoModel" in source and path != "encode/backbone.py":
        # In words it may be named; in code it may not.
        for node in ast.walk(ast.parse(source)):
            name = getattr(node, "attr", getattr(node, "id", getattr(node, "name", "")))
            if isinstance(name, str) and name.startswith("AutoModel"):
                found.append(f"{path}: {name} belongs to encode/backbone.py")
    return found


def danger_breaches(path: str, source: str) -> list[str]:
    tree = ast.parse(source)
    packages = {name.split(".")[0] for name in imported(tree)}
    found = [f"{path}: {package}" for package in sorted(packages & FORBIDDEN_MODULES)]
    for node in ast.walk(tree):
        called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if called in FORBIDDEN_CALLS and (called, path) != ("exec", RUNS_OWN_CODE):
            found.append(f"{path}:{node.lineno}: {called}()")
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            found.append(f"{path}: {node.arg}")
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append(f"{path}:{node.lineno}: a bare except")
        if isinstance(node, ast.Attribute) and node.attr == "nan_to_num":
            found.append(f"{path}:{node.lineno}: nan_to_num")
    return found


def foreign_code_breaches(path: str, source: str) -> list[str]:
    """Only the literal trust_remote_code=False may stand; without it, the user is asked."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                found.append(f"{path}: {ast.unparse(node)}")
            continue
        texts = [getattr(node, name, None) for name in ("id", "attr", "arg", "value")]
        if any(isinstance(text, str) and "trust_remote_code" in text for text in texts):
            found.append(f"{path}: trust_remote_code as a name or a text")
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = {keyword.arg for keyword in node.keywords}
            # A model without a folder (None) gets its weights from emolens.
            no_folder = bool(node.args) and ast.unparse(node.args[0]) == "None"
            loads = name in ("from_pretrained", "from_config") and not no_folder
            if loads and "trust_remote_code" not in given:
                found.append(f"{path}:{node.lineno}: {name} without trust_remote_code=False")
    return found


def size_breaches(path: str, source: str) -> list[str]:
    lines = source.count("\n")
    found = [f"{path}: {lines} lines"] if lines > 400 else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > 60:
                found.append(f"{path}: {node.name} has {length} lines")
    return found


def decision_breaches(path: str, source: str) -> list[str]:
    """Only decide.py makes probabilities of logits, and answers of probabilities.

    Loss and attention of a training need softmax of tensors that can be differentiated.
    """
    found = []
    training = ("learn/finetune/passes.py", "learn/finetune/functions.py")
    for node in ast.walk(ast.parse(source)):
        if path in ("decide.py", *training) or not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        by_row = name == "argmax" and bool(node.args or node.keywords)
        if by_row or name in ("softmax", "log_softmax", "sigmoid", "expit"):
            found.append(f"{path}:{node.lineno}: {name}() belongs to decide.py")
    return found


def docstring_breaches(path: str, source: str) -> list[str]:
    """Every module says in its first sentence what it is."""
    return [] if ast.get_docstring(ast.parse(source)) else [f"{path}: no docstring"]


def role_breaches(path: str, source: str) -> list[str]:
    """The name of a model as a literal. Stages, commands and functions may be called the same."""
    if path in ("scores.py", "__init__.py"):
        return []
    tree = ast.parse(source)
    other: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "study_command":
            other.update(node.args)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Stage":
            # What a stage needs and heeds.
            other.update(inner for keyword in node.keywords for inner in ast.walk(keyword))
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            stages = {k for k, v in pairs if getattr(getattr(v, "func", 0), "id", "") == "Stage"}
            other.update(key for key in stages if key is not None)
    return [
        f"{path}:{node.lineno}: '{node.value}' as a literal; its role stands in scores.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in tuple(ROLES) and node not in other
    ]


RULES = (
    layer_breaches,
    owner_breaches,
    danger_breaches,
    foreign_code_breaches,
    decision_breaches,
    size_breaches,
    docstring_breaches,
    role_breaches,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: object) -> None:
    found = []
    for file in FILES:
        path = file.relative_to(SOURCE).as_posix()
        # The package's own __init__ stands above all layers: it names what users import.
        if rule is layer_breaches and path in ("__init__.py", "__main__.py"):
            continue
        assert callable(rule)
        found += rule(path, file.read_text(encoding="utf-8"))
    assert found == []


def test_every_file_is_in_a_layer() -> None:
    tops = {file.relative_to(SOURCE).parts[0].removesuffix(".py") for file in FILES}
    assert tops - {"__init__", "__main__"} == set(RANK)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("data/audit.py", "from emolens.encode.tokenize import Tokens"),
        ("data/audit.py", "def f():\n    import emolens.learn.probe"),
        ("data/audit.py", "def f():\n    from emolens import study"),
        ("data/audit.py", "from ..encode import embed"),
        ("learn/probe.py", "from emolens.evaluation.evaluate import evaluate"),
        ("learn/probe.py", "from emolens.explore.project import project"),
        ("explore/project.py", "from emolens.learn.probe import Probe"),
        ("store.py", "if TYPE_CHECKING:\n    from emolens.data.dataset import Dataset"),
        ("study/__init__.py", "from emolens.console import Console"),
        ("console.py", "import emolens.cli"),
        ("predict/classifier.py", "from emolens.encode.backbone import find_encoder"),
        ("predict/classifier.py", "from emolens.data.dataset import Dataset"),
        ("predict/classifier.py", "from emolens.encode.embed import Encoder"),
        ("predict/tables.py", "from emolens.scores import Scores"),
        ("data/audit.py", "import emolens.utils"),
        ("data/audit.py", 'importlib.import_module("emolens.cli")'),
    ],
)
def test_an_import_from_a_later_layer_is_a_breach(path: str, source: str) -> None:
    assert layer_breaches(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("store.py", "from emolens.errors import StorageError"),
        ("encode/embed.py", "from emolens import runtime\nfrom emolens.encode.batches import pad"),
        ("evaluation/evaluate.py", "from emolens.scores import Scores"),
        ("predict/classifier.py", "from emolens.encode.engines.openvino import OpenVinoEngine"),
        ("console.py", "if TYPE_CHECKING:\n    from emolens.study.settings import Study"),
        ("study/folder.py", "from emolens.version import __version__"),
    ],
)
def test_an_import_from_an_earlier_layer_is_none(path: str, source: str) -> None:
    assert layer_breaches(path, source) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("learn/probe.py", "import datasets"),
        ("learn/probe.py", "def f():\n    from datasets.features import ClassLabel"),
        ("learn/probe.py", 'require("umap", "train")'),
        ("show/report.py", 'errors.require("matplotlib.figure", "train")'),
        ("learn/finetune.py", 'require("transformers", "train").AutoModel.from_pretrained(f)'),
        ("learn/finetune.py", "from transformers import AutoModelForSequenceClassification"),
    ],
)
def test_a_library_has_one_owner(path: str, source: str) -> None:
    assert owner_breaches(path, source)
    assert owner_breaches("encode/backbone.py", 'hint = "a folder that AutoModel loads"') == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "def f():\n    from joblib import load",
        "def f():\n    print(1)",
        "eval('1')",
        "exec('1')",
        "np.load(path, allow_pickle=True)",
        "np.nan_to_num(x)",
        "try:\n    f()\nexcept:\n    pass",
    ],
)
def test_what_is_dangerous_or_hides_errors_is_a_breach(source: str) -> None:
    assert danger_breaches("learn/probe.py", source)


def test_one_module_runs_code_that_comes_with_emolens() -> None:
    assert danger_breaches("journey/run.py", "exec('1')") == []
    assert danger_breaches("journey/run.py", "eval('1')")
    assert danger_breaches("journey/parts.py", "exec('1')")


@pytest.mark.parametrize(
    "source",
    [
        "load(folder, trust_remote_code=True)",
        "load(folder, trust_remote_code=trusted)",
        "load(folder, trust_remote_code=None)",
        "load(folder, trust_remote_code=0)",
        'load(folder, **{"trust_remote_code": True})',
        'options["trust_" "remote_code"] = True',
        "trust_remote_code = True\nload(folder)",
        "options.trust_remote_code = True",
        "def load(folder, trust_remote_code): ...",
        "AutoTokenizer.from_pretrained(folder)",
        "AutoConfig.from_pretrained(folder, local_files_only=True)",
        "AutoModel.from_config(config)",
    ],
)
def test_a_way_to_foreign_code_is_a_breach(source: str) -> None:
    assert foreign_code_breaches("encode/backbone.py", source)


@pytest.mark.parametrize(
    "source",
    [
        "AutoTokenizer.from_pretrained(folder, trust_remote_code=False)",
        "kind.from_pretrained(None, config=config, state_dict=tensors)",
    ],
)
def test_foreign_code_that_is_turned_off_is_none(source: str) -> None:
    assert foreign_code_breaches("encode/backbone.py", source) == []


@pytest.mark.parametrize(
    "source",
    [
        "p.argmax(axis=1)",
        "p.argmax(-1)",
        "np.argmax(p, axis=1)",
        "softmax(z)",
        "scipy.special.softmax(z, axis=1)",
        "torch.nn.functional.softmax(z)",
        "z.sigmoid()",
    ],
)
def test_a_decision_outside_its_room_is_a_breach(source: str) -> None:
    assert decision_breaches("learn/probe.py", source)
    assert decision_breaches("decide.py", source) == []
    assert decision_breaches("learn/probe.py", "shares.argmax()") == []


@pytest.mark.parametrize(
    "source",
    [
        'best = by_split["test"]["finetune"]',
        'trained = [s for s in scores if s.model != "majority"]',
        'for model in ("probe", "tfidf"):\n    show(model)',
        'Scores("probe", {})',
    ],
)
def test_a_model_as_a_literal_is_a_breach(source: str) -> None:
    assert role_breaches("show/report.py", source)
    assert role_breaches("scores.py", source) == []


def test_a_stage_may_be_called_as_its_model_is() -> None:
    stages = 'STAGES = {"probe": Stage(_probe, needs=("embed",)), "x": Stage(y, needs=("probe",))}'
    assert role_breaches("study/stages.py", stages) == []
    assert role_breaches("cli/__init__.py", 'study_command(app, "finetune", "Fine-tune.")') == []


def test_the_report_template_names_no_model() -> None:
    template = (SOURCE / "show" / "report" / "report.html.j2").read_text(encoding="utf-8")
    names = "|".join(ROLES)
    assert (
        re.findall(rf"[\"'](?:{names})[\"']|(?:facts|evaluation)[\w.]*\.(?:{names})\b", template)
        == []
    )


def test_what_is_too_long_is_a_breach() -> None:
    assert size_breaches("data/audit.py", "x = 1\n" * 401)
    assert size_breaches("data/audit.py", "x = 1\n" * 400) == []
    assert size_breaches("data/audit.py", "def f():\n" + "    x = 1\n" * 60)
    assert size_breaches("data/audit.py", "def f():\n" + "    x = 1\n" * 59) == []


def test_a_module_without_docstring_is_a_breach() -> None:
    assert docstring_breaches("data/audit.py", "x = 1\n")


def test_the_lazy_names_of_the_package_exist() -> None:
    import emolens

    for name in dir(emolens):
        assert getattr(emolens, name) is not None, name


def test_the_files_are_found() -> None:
    assert Path("cli/__init__.py") in [file.relative_to(SOURCE) for file in FILES]
