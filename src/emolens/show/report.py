"""report.html: one file that shows every figure and table of a study, and fetches nothing.

Texts of the data are untrusted: the template escapes all of them, and the page forbids itself
scripts and any connection.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from emolens.data.audit import Audit
from emolens.data.dataset import TEST, TRAIN, VALIDATION
from emolens.errors import require
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.verdict import comparison_sentence
from emolens.explore.project import Projection
from emolens.scores import EXPORTED, MAJORITY, Facts, role_of
from emolens.show import theme
from emolens.version import __version__

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
    "errors": "Errors worth reading",
    "made": "How this was made",
}


@dataclass(frozen=True)
class ReportContents:
    """What a report shows. study: the resolved settings as plain values; facts: by model.

    example: texts as padded_batch gives them. figures: by name, the SVG file. stages: what
    came out, seconds and peak memory by stage; without the export where it failed.
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


def render_report(contents: ReportContents) -> str:
    """The whole page as text."""
    jinja2 = require("jinja2", "train")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    evaluation = contents.evaluation
    roles = [role_of(model) for model in evaluation.by_split[VALIDATION]]
    models = {role.name: _sentence_case(role.title) for role in roles}
    sections = _BEFORE_THE_MODELS | models | _AFTER_THE_MODELS
    ids = list(sections)
    page: str = environment.get_template("report.html.j2").render(
        study=contents.study,
        study_toml=contents.study_toml,
        version=__version__,
        made=f"{datetime.now().day} {datetime.now():%B %Y}",
        audit=contents.audit,
        example=contents.example,
        shapes=contents.shapes,
        embed_runtime=contents.embed_runtime,
        projection_head=_projection_head(contents.projection),
        projection_rows=len(contents.projection.labels),
        facts=contents.facts,
        roles=roles,
        exported=EXPORTED,
        evaluation=evaluation,
        figures={name: _data_uri(path) for name, path in contents.figures.items()},
        stages=contents.stages,
        tiles=_tiles(contents.audit, evaluation),
        classes_sentence=_classes_sentence(contents.audit),
        contents=list(sections.items()),
        number=lambda name: ids.index(name) + 1,
        title=lambda name: sections[name],
        role_of=role_of,
        theme=theme,
        sentence_case=_sentence_case,
        comparison_sentence=comparison_sentence,
    )
    return page


def _tiles(audit: Audit, evaluation: Evaluation) -> list[dict[str, str]]:
    best = evaluation.by_split[TEST][EXPORTED.name]
    low, high = best.intervals["accuracy"]
    chance = evaluation.by_split[TEST][MAJORITY.name].accuracy
    model = f"the {EXPORTED.title} model"
    return [
        {
            "value": f"{best.accuracy:.1%}",
            "label": f"test accuracy of {model}, 95 % interval {low:.1%} – {high:.1%}",
        },
        {"value": f"{best.macro_f1:.3f}", "label": f"test macro-F1 of {model}"},
        {"value": f"{chance:.1%}", "label": "test accuracy of always answering the largest class"},
        {
            "value": f"{sum(split.n for split in audit.splits.values()):,}",
            "label": f"texts in {len(evaluation.labels)} classes",
        },
    ]


def _classes_sentence(audit: Audit) -> str:
    counts = audit.splits[TRAIN].by_class
    largest, smallest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    ratio = counts[largest] / max(counts[smallest], 1)
    if ratio < 1.5:
        return "The classes are of about equal size, so accuracy and macro-F1 say much the same."
    return (
        f"For each text of '{smallest}' there are {ratio:.1f} of '{largest}': accuracy alone would "
        "hide how the small classes fare, so macro-F1 stands beside it everywhere."
    )


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _projection_head(projection: Projection, n: int = 5) -> list[tuple[float, float, int]]:
    rows = zip(projection.xy[:n].tolist(), projection.labels[:n].tolist(), strict=True)
    return [(x, y, label) for (x, y), label in rows]


def _data_uri(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
