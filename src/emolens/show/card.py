"""The model card: README.md of a model folder, as the Hugging Face Hub reads it."""

from __future__ import annotations

import json
import re
from typing import Any

from emolens.data.audit import Audit
from emolens.data.dataset import TEST, VALIDATION
from emolens.evaluation.evaluate import Evaluation, ModelEvaluation
from emolens.scores import EXPORTED, role_of
from emolens.version import __version__


def model_card(name: str, audit: Audit, encoder: str, evaluation: Evaluation) -> str:
    """Metadata with the test figures, then what the model is, how good, and where it fails."""
    best = evaluation.by_split[TEST][EXPORTED.name]
    return "\n".join(
        [
            "---",
            *_metadata(name, audit.name, best),
            "---",
            "",
            f"# {_plain(name)}",
            "",
            f"A text classifier for {len(evaluation.labels)} classes "
            f"({', '.join(_plain(label) for label in evaluation.labels)}), fine-tuned from "
            f"{_plain(encoder)} on {_plain(audit.name)} with emolens {__version__}.",
            "",
            "```python",
            "from transformers import pipeline",
            'pipeline("text-classification", "THIS_FOLDER")("I can not wait to see you")',
            "```",
            "",
            "## Figures",
            "",
            *_table(evaluation),
            "",
            "95 % score intervals over the rows. Validation chose the epoch; "
            "nothing was chosen on test.",
            "",
            "| class | precision | recall | F1 | test texts |",
            "|---|---|---|---|---|",
            *(
                f"| {_plain(label)} | {v['precision']:.3f} | {v['recall']:.3f} | {v['f1']:.3f} "
                f"| {v['support']} |"
                for label, v in best.per_class.items()
            ),
            "",
            "## Known of the data",
            "",
            *(f"- {_plain(finding)}" for finding in audit.findings or ["The audit found nothing."]),
            "",
            "## Limits",
            "",
            "It knows the language, the kind of text and the classes of its training data and no "
            "others; it always answers with one of its classes. What a text shows is not what its "
            "writer feels: do not use it to judge people.",
            "",
        ]
    )


def _metadata(name: str, dataset: str, best: ModelEvaluation) -> list[str]:
    """What the Hub reads: one line of YAML a key."""
    result = {
        "task": {"type": "text-classification"},
        "dataset": {"type": dataset, "name": dataset, "split": "test"},
        "metrics": [
            {"type": "accuracy", "value": round(best.accuracy, 4)},
            {"type": "f1", "name": "macro F1", "value": round(best.macro_f1, 4)},
        ],
    }
    metadata = {
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["emotion", "emolens"],
        "model-index": [{"name": name, "results": [result]}],
    }
    return [f"{key}: {_yaml(value)}" for key, value in metadata.items()]


def _table(evaluation: Evaluation) -> list[str]:
    lines = [
        "| split | model | n | accuracy | macro-F1 | weighted F1 |",
        "|---|---|---|---|---|---|",
    ]
    for split in (VALIDATION, TEST):
        for model, e in evaluation.by_split[split].items():
            figures = " | ".join(e.figure(k) for k in ("accuracy", "macro_f1", "weighted_f1"))
            lines.append(f"| {split} | {role_of(model).title} | {e.n:,} | {figures} |")
    return lines


def _yaml(value: Any) -> str:
    """A JSON value on one line. JSON is YAML, except for how it escapes what ASCII lacks."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"[^\x20-\x7e]", lambda sign: f"\\U{ord(sign[0]):08x}", text)


def _plain(text: Any) -> str:
    """Text that stands in Markdown as itself and on one line."""
    line = " ".join(str(text).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#&~" else sign for sign in line)
