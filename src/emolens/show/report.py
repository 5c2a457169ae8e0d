"""report.html: one file that shows every figure and table of a study, and fetches nothing.

Knows nothing of stages and folders.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emolens.calibration import CONFIDENCE
from emolens.data.audit import Audit
from emolens.data.audit.check import counts_of
from emolens.data.dataset import TEST, TRAIN, VALIDATION
from emolens.evaluation.behavior import Behavior
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.verdict import (
    calibration_sentence,
    comparison_sentence,
    coverage_sentence,
    percent,
    promise_sentence,
    sentence_case,
)
from emolens.explore.project import Projection
from emolens.learn.finetune.plan import in_words
from emolens.scores import EXPORTED, MAJORITY, Facts, role_of
from emolens.show.page import render

_BEFORE_THE_MODELS = {
    "data": "The data",
    "classes": "Classes",
    "audit": "Audit",
    "tokens": "Tokens",
    "embeddings": "Embeddings",
    "map": "Map",
}
_AFTER_THE_MODELS = {
    "validation": "Validation",
    "test": "Test",
    "believe": "When to believe an answer",
    "errors": "Wrong answers",
    "behavior": "Behavior",
    "made": "How this was made",
}


@dataclass(frozen=True)
class ReportContents:
    """Everything that a report shows.

    study: the resolved settings as plain values. example: texts as padded_batch gives them.
    facts: by model. figures: SVG files by name. stages: by stage, its result, seconds and peak
    memory; a failed export is left out. behavior: None if the model could not be tried.
    """

    study: dict[str, Any]
    study_toml: str
    audit: Audit
    example: list[dict[str, Any]]
    shapes: dict[str, tuple[int, ...]]
    embed_runtime: str
    projection: Projection
    facts: dict[str, Facts]
    evaluation: Evaluation
    figures: dict[str, Path]
    stages: dict[str, dict[str, Any]]
    behavior: Behavior | None = None


def render_report(contents: ReportContents) -> str:
    """The HTML of the whole page."""
    evaluation = contents.evaluation
    roles = [role_of(model) for model in evaluation.by_split[VALIDATION]]
    models = {role.name: sentence_case(role.title) for role in roles}
    sections = _BEFORE_THE_MODELS | models | _AFTER_THE_MODELS
    if contents.behavior is None:
        del sections["behavior"]
    return render(
        "report.html.j2",
        **vars(contents),
        roles=roles,
        exported=EXPORTED,
        majority=MAJORITY,
        svg={name: _data_uri(path) for name, path in contents.figures.items()},
        classes_sentence=_classes_sentence(contents.audit),
        sections=sections,
        role_of=role_of,
        sentence_case=sentence_case,
        comparison_sentence=comparison_sentence,
        percent=percent,
        in_words=in_words,
        **_belief(evaluation),
        counts_of=counts_of,
    )


def _belief(evaluation: Evaluation) -> dict[str, Any]:
    """The models that were calibrated, and sentences about the one that is exported."""
    calibrated = {name: e for name, e in evaluation.by_split[TEST].items() if e.before}
    exported = evaluation.by_split[TEST][EXPORTED.name]
    return {
        "calibrated": calibrated,
        "promise": exported.promise,
        "confidence": CONFIDENCE,
        "promise_sentence": promise_sentence(exported, TEST),
        "calibration_sentence": calibration_sentence(EXPORTED.name, exported, TEST),
        "coverage_sentence": coverage_sentence(calibrated, TEST) if calibrated else "",
    }


def _classes_sentence(audit: Audit) -> str:
    counts = audit.splits[TRAIN].by_class
    largest, smallest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    ratio = counts[largest] / max(counts[smallest], 1)
    if ratio < 1.5:
        return "All classes have about the same size, so accuracy and macro-F1 are much alike."
    return (
        f"For each text of '{smallest}' there are {ratio:.1f} of '{largest}'. Accuracy would hide "
        "errors on the small classes, so this page always shows macro-F1 beside it."
    )


def _data_uri(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
