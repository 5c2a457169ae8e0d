"""The model card: metadata that YAML can read, names that Markdown does not change, and examples
that run.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

from emolens.data.audit import Audit
from emolens.data.origins import HubData
from emolens.evaluation.calibration import PromiseKept
from emolens.evaluation.evaluate import Evaluation
from emolens.learn.finetune.loop import kept_look
from emolens.scores import EXPORTED, FinetuneFacts, Scores
from emolens.show.card import About, Example, model_card, short_card
from emolens.store import load_json
from emolens.study import Run

HARD = '<img src=x>|a*b_c`d`[e](f)#"\n---\n😀'


def renamed(evaluation: Evaluation, old: str, new: str) -> Evaluation:
    by_split = {
        split: {
            model: replace(e, per_class={new if c == old else c: v for c, v in e.per_class.items()})
            for model, e in models.items()
        }
        for split, models in evaluation.by_split.items()
    }
    labels = tuple(new if label == old else label for label in evaluation.labels)
    return replace(evaluation, labels=labels, by_split=by_split)


def audit_of(run: Run) -> Audit:
    return Audit.from_dict(load_json(run.folder / "audit.json"))


def halves(card: str) -> tuple[dict[str, Any], str]:
    _, head, body = re.split("^---\n", card, maxsplit=2, flags=re.MULTILINE)
    return yaml.safe_load(head), body


@pytest.mark.parametrize(
    "name", ["feelings", 'my "data": 😀 我 #1', "a\u2028b\x7f\x85'%&*!{[- \\u", HARD, "null", "1.0"]
)
def test_the_metadata_is_yaml_and_holds_the_names_as_they_are(tiny_run: Run, name: str) -> None:
    audit = replace(audit_of(tiny_run), name=name)
    card = model_card("tiny", audit, tiny_run.evaluation, about=About("minilm"))
    metadata, body = halves(card)
    assert re.match(r"\n<!-- emolens: begin.*-->\n\n# tiny\n", body)
    assert ModelCard(card).data.to_dict()["model-index"] == metadata["model-index"]
    assert metadata["library_name"] == "transformers"
    assert metadata["pipeline_tag"] == "text-classification"
    (model,) = metadata["model-index"]
    (result,) = model["results"]
    assert result["dataset"] == {"type": name, "name": name, "split": "test"}
    best = tiny_run.evaluation.by_split["test"][EXPORTED.name]
    assert result["metrics"][0] == {"type": "accuracy", "value": round(best.accuracy, 4)}


def test_weird_class_names_stand_as_text_on_one_line(tiny_run: Run) -> None:
    evaluation = renamed(tiny_run.evaluation, "joy", HARD)
    _, body = halves(model_card("tiny", audit_of(tiny_run), evaluation, about=About("my_encoder")))
    escaped = '\\<img src=x\\>\\|a\\*b\\_c\\`d\\`\\[e\\](f)\\#" --- 😀'
    assert f"| {escaped} | " in body
    assert "<img" not in body.replace("\\<img", "")
    assert "my\\_encoder" in body
    assert "`my" not in body
    table = [line for line in body.splitlines() if line.startswith(f"| {escaped}")]
    assert len(table) == 1
    assert table[0].replace("\\|", "").count("|") == 6


def test_the_reason_it_gives_for_the_epoch_is_true(tiny_run: Run) -> None:
    facts = Scores.load(tiny_run.folder / EXPORTED.folder).facts
    assert isinstance(facts, FinetuneFacts)
    n_rows = tiny_run.evaluation.by_split["validation"][EXPORTED.name].n
    place = kept_look([point.macro_f1 for point in facts.history], n_rows)
    assert facts.kept == facts.history[place]
    card = (tiny_run.folder / "model" / "README.md").read_text("utf-8")
    assert "The epoch was chosen on validation, by macro-F1" in card


def test_the_card_warns_of_a_model_that_has_collapsed(tiny_run: Run, collapsed_run: Run) -> None:
    _, body = halves((collapsed_run.folder / "model" / "README.md").read_text("utf-8"))
    warnings = body.partition("## Warnings\n\n")[2]
    assert re.match(
        r"- The .+ model is (better than|as good as) the fine-tuned model on ", warnings
    )
    assert "\n- The fine-tuned model has collapsed" in warnings
    assert body.index("## Warnings") < body.index("## Figures")
    good = replace(tiny_run.evaluation, warnings=[])
    assert "## Warnings" not in model_card("tiny", audit_of(tiny_run), good, about=About("minilm"))


def test_the_card_of_a_run_stands_in_its_model_folder(tiny_run: Run) -> None:
    metadata, body = halves((tiny_run.folder / "model" / "README.md").read_text("utf-8"))
    assert "emolens" in metadata["tags"]
    for part in ("## Figures", "## Checks of the data", "## Limits", "sadness", "validation"):
        assert part in body


def test_the_card_says_when_to_believe_an_answer(tiny_run: Run) -> None:
    evaluation = tiny_run.evaluation
    best = evaluation.by_split["test"][EXPORTED.name]
    assert best.before

    def section(promise: PromiseKept | None) -> str:
        test = evaluation.by_split["test"] | {EXPORTED.name: replace(best, promise=promise)}
        changed = replace(evaluation, by_split=evaluation.by_split | {"test": test})
        card = model_card("tiny", audit_of(tiny_run), changed, about=About("minilm"))
        return card.split("## When to believe an answer")[1].split("## ")[0]

    kept = section(PromiseKept(0.97, 200, answered=150, right=147, low=0.94, high=0.99))
    assert "at least 97 % are answered right, with 90 % confidence" in kept
    assert "sure of 150 of the 200 texts of test, and 98.0 % of these answers are right" in kept
    assert "So the promise of 97 % was kept on test." in kept
    for text in (kept, section(None)):
        assert f"{best.before.expected} to {best.calibration.expected}" in text
        assert "- texts of another kind" in text
    assert "Nothing is promised" in section(None)
    assert "with 90 % confidence" not in section(None)


def data_of(card: str) -> ModelCardData:
    return ModelCard(card).data


def test_what_is_known_stands_in_the_metadata_and_what_is_not_is_said(tiny_run: Run) -> None:
    audit, evaluation = audit_of(tiny_run), tiny_run.evaluation
    about = About(
        base="owner/base@v1",
        base_model="owner/base",
        base_license="apache-2.0",
        license="Apache 2.0",
        data_license="education and research",
        languages=("en", "fr"),
        hub_data=HubData("owner/data", "split", "0123abc"),
    )
    card = model_card("tiny", replace(audit, name="owner/data:split"), evaluation, about=about)
    data = data_of(card)
    assert (data.license, data.base_model, data.language) == (
        *("apache-2.0", "owner/base", ["en", "fr"]),
    )
    assert (data.datasets, data.metrics) == (["owner/data"], ["accuracy", "f1"])
    assert data.eval_results is not None
    for result in data.eval_results:
        assert (result.dataset_type, result.dataset_config) == ("owner/data", "split")
        assert (result.dataset_split, result.dataset_revision) == ("test", "0123abc")
    assert "fine-tuned from owner/base@v1 on owner/data:split with emolens" in card
    assert "They were loaded from the Hub at revision 0123abc." in card
    assert "License of the weights: Apache 2.0.\n" in card
    assert "License of the data (owner/data:split): education and research.\n" in card
    nothing = model_card("tiny", audit, evaluation, about=About("my-encoder"))
    for key in ("license", "base_model", "language", "datasets"):
        assert data_of(nothing).get(key) is None
        assert f"\n{key}:" not in nothing
    assert "revision" not in nothing
    assert "License of the weights: not stated." in nothing
    assert "License of the base model (my-encoder): not stated" in nothing
    assert "with `card.data_license` in the study" in nothing


def test_the_figures_are_those_of_the_evaluation_with_their_rows(tiny_run: Run) -> None:
    evaluation = tiny_run.evaluation
    card = model_card("tiny", audit_of(tiny_run), evaluation, about=About("minilm"))
    for split, models in evaluation.by_split.items():
        for figures in models.values():
            assert f"| {figures.n} | {figures.figure('accuracy')} | " in card
        assert f"| {split} | fine-tuned | {figures.n} |" in card
    best = evaluation.by_split["test"][EXPORTED.name].per_class
    weakest = min(best, key=lambda name: best[name]["f1"])
    assert f"on {weakest}: the F1 of this class on test is {best[weakest]['f1']:.3f}" in card
    assert "66 texts in train, 24 in validation and 25 in test" in card


def test_sentences_of_the_audit_stay_out_because_they_may_quote_the_data(tiny_run: Run) -> None:
    audit = audit_of(tiny_run)
    card = model_card("tiny", audit, tiny_run.evaluation, about=About("minilm"))
    findings = [check for check in audit.checks if check.is_finding]
    assert len(findings) > 4
    for check in findings:
        assert f"- {check.code}, {check.title} ({check.status})" in card
        assert check.reason not in card


def test_examples_are_escaped_and_cut(tiny_run: Run) -> None:
    examples = (
        Example(HARD, "joy", 0.515, label="sadness"),
        Example("very " * 99, HARD, 1.0, label="joy"),
    )
    about = About("minilm", examples=examples)
    card = model_card("tiny", audit_of(tiny_run), tiny_run.evaluation, about=about)
    assert '(f)\\#" --- 😀 | sadness | joy | 0.52 |' in card
    assert "<img" not in card.replace("\\<img", "")
    (line,) = [line for line in card.splitlines() if line.startswith("| very very")]
    assert len(line) < 300
    assert "…" in line


def test_a_short_card_has_no_figures_and_says_so() -> None:
    card = short_card("m*del", ["joy", HARD], function="sigmoid", max_length=99)
    assert "# m\\*del\n" in card
    assert "None: this card was written without a measurement" in card
    assert "License of the weights: not stated." in card
    assert "enable_truncation(99)" in card
    assert "probabilities = 1 / (1 + np.exp(-logits))" in card
    assert data_of(card).eval_results is None
    assert data_of(short_card("m", ["joy"], license="Ours")).to_dict()["license_name"] == "Ours"
