"""The model card: README.md of a model folder, as the Hugging Face Hub reads it.

Computes no figure and asks no model. What the user writes into a card is known in cardtext.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emolens.calibration import CONFIDENCE
from emolens.data.audit import Audit
from emolens.data.audit.check import counts_of
from emolens.data.checks import counted
from emolens.data.dataset import TEST, TRAIN, VALIDATION
from emolens.data.origins import HubData
from emolens.decide import Function
from emolens.evaluation.behavior import Behavior
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.gaps import Measured
from emolens.evaluation.model import ModelEvaluation
from emolens.evaluation.verdict import (
    calibration_sentence,
    percent,
    percents,
    promise_sentence,
    sentence_case,
)
from emolens.hub import client
from emolens.learn.finetune.plan import in_words
from emolens.scores import EXPORTED, FinetuneFacts, role_of
from emolens.show.cardtext import FOLDER, license_line, new_card, plain
from emolens.show.licenses import license_fields
from emolens.version import __version__

SENTENCE = "I am so happy to see you"
_LONGEST = 200  # characters of a text in the table of examples
_PIPELINE = "text-classification"
_PROBABILITIES: dict[Function, tuple[str, ...]] = {
    "softmax": ("scores = np.exp(logits - logits.max())", "probabilities = scores / scores.sum()"),
    "sigmoid": ("probabilities = 1 / (1 + np.exp(-logits))",),
    "none": ("probabilities = logits",),
}


@dataclass(frozen=True)
class Example:
    """A text, the model's answer to it, whether that is unsure, and the label if it has one."""

    text: str
    answer: str
    probability: float
    unsure: bool = False
    label: str | None = None


@dataclass(frozen=True)
class About:
    """What a card says beside figures. What is not known is None or empty.

    base: the base model, as the text names it. base_model: its owner/name on the Hub. license: of
    the weights of this model. languages: their codes. hub_data: the data set on the Hub. training:
    how the model was trained.
    """

    base: str
    base_model: str | None = None
    base_license: str | None = None
    license: str | None = None
    data_license: str | None = None
    languages: tuple[str, ...] = ()
    hub_data: HubData | None = None
    training: FinetuneFacts | None = None
    examples: tuple[Example, ...] = ()


def model_card(
    name: str,
    audit: Audit,
    evaluation: Evaluation,
    *,
    about: About,
    behavior: Behavior | None = None,
) -> str:
    """Metadata with the test figures; then what the model is, its figures, and its limits."""
    best = evaluation.by_split[TEST][EXPORTED.name]
    labels = ", ".join(plain(label) for label in evaluation.labels)
    parts = {
        f"# {plain(name)}": [
            f"A text classifier for {len(evaluation.labels)} classes ({labels}), fine-tuned from "
            f"{plain(about.base)} on {plain(audit.name)} with emolens {__version__}."
        ],
        "## Warnings": [f"- {plain(warning)}" for warning in evaluation.warnings],
        "## How to load it": _loading("softmax", audit.max_length),
        "## Examples": _examples(about.examples),
        "## When to believe an answer": _belief(best),
        "## Intended use": _USES,
        "## What it is not for": _MISUSES,
        "## Limits": [*_LIMITS, *_measured_limits(audit, best)],
        "## Behavior": _behavior(behavior),
        "## License": _licenses(about, audit.name),
        "## Data": _data(audit, about.hub_data),
        "## Checks of the data": _checks(audit),
        "## Training": _training(about.training),
        "## Figures": _figures(evaluation),
        f"## Figures by class, {EXPORTED.title}, test": _classes(best),
    }
    return new_card(_metadata(about, name=name, dataset=audit.name, best=best), _text(parts))


def short_card(
    name: str,
    labels: Sequence[str],
    *,
    license: str | None = None,
    function: Function = "softmax",
    max_length: int | None = None,
) -> str:
    """The card of a model that was not measured by a study. function: of the logits."""
    metadata = client().ModelCardData(
        library_name="transformers",
        pipeline_tag=_PIPELINE,
        tags=["emolens"],
        **(license_fields(license) if license else {}),
    )
    classes = ", ".join(map(plain, labels))
    parts = {
        f"# {plain(name)}": [f"A text classifier for {len(labels)} classes: {classes}."],
        "## How to load it": _loading(function, max_length),
        "## Intended use": _USES,
        "## What it is not for": _MISUSES,
        "## Limits": _LIMITS,
        "## License": [license_line(license)],
        "## Figures": [
            "None: this card was written without a measurement. `emolens run` measures a model."
        ],
    }
    return new_card(str(metadata.to_yaml()), _text(parts))


_NOT_COVERED = [
    "What this does not cover:",
    "",
    "- texts of another kind, origin or time than those it was measured on, and other languages;",
    "- each class alone: answers of one class may be right less often than those of another;",
    "- a few texts: the share of right answers varies by chance, the more the fewer they are;",
    "- wrong labels: an answer counts as right if it agrees with the label.",
]
_USES = [
    "- To sort texts that are like those it was trained on by the emotion that their words"
    " express, for example comments, posts, or answers in a survey.",
    "- To count and compare many texts. Single answers are often wrong; the figures on this page"
    " say how often.",
]
_MISUSES = [
    "- Do not judge single people with it, for example at work, at school, for credit, or about"
    " their health. A text does not show what its writer really feels.",
    "- Do not watch people with it who do not know or do not want it.",
    "- Do not let it decide alone where a wrong answer harms somebody.",
]
_LIMITS = [
    "- It knows only the language, the kind of text and the classes of its training data.",
    "- It can only answer with its classes, even where none fits.",
    "- Irony, quotes and missing context mislead it. It may have learned prejudices from its data.",
]


def _text(parts: dict[str, list[str]]) -> str:
    """The titles with their lines, without parts that have none."""
    lines = [line for title, part in parts.items() if part for line in (title, "", *part, "")]
    return "\n".join(lines)


def _metadata(about: About, *, name: str, dataset: str, best: ModelEvaluation) -> str:
    """What the Hub reads, as YAML."""
    hub, data = client(), about.hub_data
    of = {
        "task_type": _PIPELINE,
        "dataset_type": data.repo if data else dataset,
        "dataset_name": data.repo if data else dataset,
        "dataset_config": data.config if data else None,
        "dataset_split": TEST,
        "dataset_revision": data.revision if data else None,
    }
    accuracy, macro_f1 = round(best.accuracy, 4), round(best.macro_f1, 4)
    metadata = hub.ModelCardData(
        language=(about.languages[0] if len(about.languages) == 1 else list(about.languages))
        or None,
        **(license_fields(about.license) if about.license else {}),
        base_model=about.base_model,
        datasets=[data.repo] if data else None,
        library_name="transformers",
        pipeline_tag=_PIPELINE,
        tags=["emotion", "emolens"],
        metrics=["accuracy", "f1"],
        model_name=name,
        eval_results=[
            hub.EvalResult(**of, metric_type="accuracy", metric_value=accuracy),
            hub.EvalResult(**of, metric_type="f1", metric_name="macro F1", metric_value=macro_f1),
        ],
    )
    return str(metadata.to_yaml())


def _loading(function: Function, max_length: int | None) -> list[str]:
    """Code for each way to load the model. All of it runs as it stands, in the model's folder."""
    cut = [f"tokenizer.enable_truncation({max_length})"] if max_length else []
    return [
        "With emolens, which needs no torch:",
        "",
        "```python",
        "import emolens as el",
        "",
        f'classifier = el.Classifier("{FOLDER}")',
        f'print(classifier.predict(["{SENTENCE}"])[0])',
        "```",
        "",
        "With transformers:",
        "",
        "```python",
        "from transformers import pipeline",
        "",
        # A pipeline neither cuts texts by itself nor reads the function from config.json.
        f'options = {{"truncation": True, "function_to_apply": "{function}"}}',
        f'classifier = pipeline("{_PIPELINE}", "{FOLDER}", **options)',
        f'print(classifier("{SENTENCE}"))',
        "```",
        "",
        "With ONNX Runtime, if the folder has the file `onnx/model.onnx`, which `emolens export`"
        " writes:",
        "",
        "```python",
        "import json",
        "from pathlib import Path",
        "",
        "import numpy as np",
        "import onnxruntime",
        "from tokenizers import Tokenizer",
        "",
        f'folder = "{FOLDER}"',
        'session = onnxruntime.InferenceSession(f"{folder}/onnx/model.onnx")',
        'tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")',
        *cut,
        f'tokens = tokenizer.encode("{SENTENCE}")',
        'inputs = {"input_ids": [tokens.ids], "attention_mask": [tokens.attention_mask]}',
        "logits = session.run(None, {name: np.array(ids) for name, ids in inputs.items()})[0][0]",
        *_PROBABILITIES[function],
        'names = json.loads(Path(folder, "config.json").read_text("utf-8")).get("id2label", {})',
        'labels = [names.get(str(i), f"LABEL_{i}") for i in range(len(probabilities))]',
        "print(dict(zip(labels, probabilities.tolist())))",
        "```",
    ]


def _examples(examples: Sequence[Example]) -> list[str]:
    """The answers that this model gave."""
    if not examples:
        return []
    if any(example.label is not None for example in examples):
        head = ["Rows of the test split, with the answers of this very model:", ""]
        head += ["| text | label | answer | probability |", "|---|---|---|---|"]
    else:
        head = ["Sentences that are not from its data, with the answers of this very model:", ""]
        head += ["| text | answer | probability |", "|---|---|---|"]
    for e in examples:
        text = e.text if len(e.text) <= _LONGEST else f"{e.text[: _LONGEST - 1]}…"
        label = "" if e.label is None else f"{plain(e.label)} | "
        answer = f"{plain(e.answer)}{' (unsure)' if e.unsure else ''}"
        head.append(f"| {plain(text)} | {label}{answer} | {e.probability:.2f} |")
    return head


def _licenses(about: About, dataset: str) -> list[str]:
    """Of the weights, of the base model and of the data: as stated, or that it is not stated."""
    of_base = plain(about.base_license or "not stated in its files")
    of_data = "not stated. The author states it with `card.data_license` in the study"
    return [
        license_line(about.license),
        "",
        f"License of the base model ({plain(about.base)}): {of_base}.",
        "",
        f"License of the data ({plain(dataset)}):"
        f" {plain(about.data_license) if about.data_license else of_data}.",
    ]


def _data(audit: Audit, hub_data: HubData | None) -> list[str]:
    """Which data, how much of it, and in which state."""
    n = {name: f"{split.n:,}" for name, split in audit.splits.items()}
    sizes = f"{n[TRAIN]} texts in train, {n[VALIDATION]} in validation and {n[TEST]} in test"
    state = f"The fingerprint of the texts and labels is {audit.fingerprint}."
    if hub_data and hub_data.revision:
        state += f" They were loaded from the Hub at revision {plain(hub_data.revision)}."
    return [f"{plain(audit.name)}: {sizes}.", state]


def _belief(best: ModelEvaluation) -> list[str]:
    """The promise, what came of it on test, the calibration, and what neither of them covers."""
    lines = [calibration_sentence(EXPORTED.name, best, TEST), "", promise_sentence(best, TEST)]
    if best.promise:
        promised = percent(best.promise.promised, 0)
        lines[:0] = [
            f"Of the texts that it answers, at least {promised} are answered right, with"
            f" {percent(CONFIDENCE, 0)} confidence, on texts like those of validation. The others"
            f" it calls unsure. `emolens predict` keeps to this; other programs give all answers.",
            "",
        ]
    return [*lines, "", *_NOT_COVERED]


def _measured_limits(audit: Audit, best: ModelEvaluation) -> list[str]:
    """What the figures and the audit say about texts that it answers worse."""
    with_rows = {name: v for name, v in best.per_class.items() if v["support"]}
    name, figures = min(with_rows.items(), key=lambda item: item[1]["f1"])
    lines = [f"- It is weakest on {plain(name)}: the F1 of this class on test is"]
    lines[0] += f" {figures['f1']:.3f}, from {counted(int(figures['support']), 'text')}."
    if audit.max_length:
        lines.append(f"- It reads the first {audit.max_length} tokens of a text.")
    return lines


def _behavior(behavior: Behavior | None) -> list[str]:
    """Which share of the cases of each behavioral test fails."""
    if behavior is None:
        return []
    lines = [
        "Shares of the texts on which the model fails, among texts written to try it. Right class:"
        " the answer should be right. Same answer: a change that should not change the answer."
        " Right direction: a change that should make a class more likely, or less.",
        "",
        "| test | what it asks | cases | fail (95 %) |",
        "|---|---|---|---|",
    ]
    for test in (test for test in behavior.tests if test.n):
        share = percents(Measured(test.share, test.low, test.high))
        lines.append(f"| {test.about} | {test.asks} | {test.n} | {share} |")
    return lines


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
    if several := evaluation.seeds:
        lines += ["", several.choice, *(several.sentence(split) for split in several.spread)]
        lines.append("The number behind ± is the standard deviation.")
    absences = [evaluation.absence(split) for split in evaluation.absent]
    return lines + [plain(f"{text[0].upper()}{text[1:]}.") for text in absences if text]


def _checks(audit: Audit) -> list[str]:
    """How many checks passed, and which others have how many rows.

    Their sentences stay in audit.json: they may name files, and quote texts of the data.
    """
    findings = [check for check in audit.checks if check.is_finding]
    rows = {c.code: f": {counted(c.n_rows, 'row')}" if c.n_rows else "" for c in findings}
    return [
        f"{sentence_case(counts_of(audit.checks))}.",
        *([""] if findings else []),
        *(f"- {c.code}, {c.title} ({c.status}){rows[c.code]}" for c in findings),
    ]


def _training(facts: FinetuneFacts | None) -> list[str]:
    """The recipe, and which of its epochs was kept."""
    if facts is None:
        return []
    return [
        f"{sentence_case(in_words(facts.recipe))}. The seed is {facts.recipe.seed}. Trained on"
        f" {plain(facts.runtime)}. Epoch {facts.best_epoch:g} was kept."
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
