"""The model card: README.md of a model folder, as the Hugging Face Hub reads it."""

from __future__ import annotations

from emolens.data.audit import Audit
from emolens.data.audit.check import counts_of
from emolens.data.dataset import TEST, VALIDATION
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.model import ModelEvaluation
from emolens.evaluation.verdict import sentence_case
from emolens.hub import client
from emolens.scores import EXPORTED, role_of
from emolens.show.cardtext import plain
from emolens.version import __version__


def model_card(name: str, audit: Audit, encoder: str, evaluation: Evaluation) -> str:
    """Metadata with the test figures; then what the model is, its figures, and its limits."""
    best = evaluation.by_split[TEST][EXPORTED.name]
    labels = ", ".join(plain(label) for label in evaluation.labels)
    warned = {"## Warnings": [f"- {plain(warning)}" for warning in evaluation.warnings]}
    parts = {
        f"# {plain(name)}": [
            f"A text classifier for {len(evaluation.labels)} classes ({labels}), fine-tuned from "
            f"{plain(encoder)} on {plain(audit.name)} with emolens {__version__}.",
            "",
            "```python",
            "from transformers import pipeline",
            'pipeline("text-classification", "THIS_FOLDER")("I am so happy to see you")',
            "```",
        ],
        **(warned if evaluation.warnings else {}),
        "## Figures": _figures(evaluation),
        f"## Figures by class, {EXPORTED.title}, test": _classes(best),
        "## Checks of the data": _checks(audit),
        "## Limits": [
            "The model knows only the language, the kind of text and the classes of its training "
            "data. It always answers with one of its classes, even where none fits. A text does "
            "not show what its writer really feels: do not use the model to judge people."
        ],
    }
    body = [line for title, lines in parts.items() for line in (title, "", *lines, "")]
    return "\n".join(["---", _metadata(name, audit.name, best), "---", "", *body])


def _metadata(name: str, dataset: str, best: ModelEvaluation) -> str:
    """What the Hub reads, as YAML."""
    hub = client()
    of = {
        "task_type": "text-classification",
        "dataset_type": dataset,
        "dataset_name": dataset,
        "dataset_split": TEST,
    }
    accuracy, macro_f1 = round(best.accuracy, 4), round(best.macro_f1, 4)
    results = [
        hub.EvalResult(**of, metric_type="accuracy", metric_value=accuracy),
        hub.EvalResult(**of, metric_type="f1", metric_name="macro F1", metric_value=macro_f1),
    ]
    metadata = hub.ModelCardData(
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["emotion", "emolens"],
        model_name=name,
        eval_results=results,
    )
    return str(metadata.to_yaml())


def _figures(evaluation: Evaluation) -> list[str]:
    """Every model on both splits."""
    lines = [
        "| split | model | texts | accuracy | macro-F1 | weighted F1 |",
        "|---|---|---|---|---|---|",
    ]
    for split in (VALIDATION, TEST):
        for model, e in evaluation.by_split[split].items():
            figures = " | ".join(e.figure(k) for k in ("accuracy", "macro_f1", "weighted_f1"))
            lines.append(f"| {split} | {plain(role_of(model).title)} | {e.n:,} | {figures} |")
    lines += [
        "",
        "The numbers in brackets are 95 % intervals.",
        "The epoch was chosen on validation, by macro-F1. Nothing was chosen on test.",
    ]
    absences = [evaluation.absence(split) for split in evaluation.absent]
    return lines + [plain(f"{text[0].upper()}{text[1:]}.") for text in absences if text]


def _checks(audit: Audit) -> list[str]:
    """How many checks passed, and what each of the others says."""
    findings = [check for check in audit.checks if check.is_finding]
    return [
        f"{sentence_case(counts_of(audit.checks))}.",
        *([""] if findings else []),
        *(f"- {check.code} ({check.status}): {plain(check.reason)}" for check in findings),
    ]


def _classes(best: ModelEvaluation) -> list[str]:
    """The figures of the exported model on test, by class."""
    return [
        "| class | precision | recall | F1 | test texts |",
        "|---|---|---|---|---|",
        *(
            f"| {plain(label)} | {v['precision']:.3f} | {v['recall']:.3f} | {v['f1']:.3f} "
            f"| {v['support']} |"
            for label, v in best.per_class.items()
        ),
    ]
