"""The model card: metadata that YAML can read, and names that Markdown does not change."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml
from huggingface_hub import ModelCard

from emolens.data.audit import Audit
from emolens.evaluation.evaluate import Evaluation
from emolens.scores import EXPORTED, FinetuneFacts, Scores
from emolens.show.card import model_card
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


def halves(card: str) -> tuple[dict[str, object], str]:
    _, head, body = re.split("^---\n", card, maxsplit=2, flags=re.MULTILINE)
    return yaml.safe_load(head), body


@pytest.mark.parametrize(
    "name", ["feelings", 'my "data": 😀 我 #1', "a\u2028b\x7f\x85'%&*!{[- \\u", HARD, "null", "1.0"]
)
def test_the_metadata_is_yaml_and_holds_the_names_as_they_are(tiny_run: Run, name: str) -> None:
    audit = replace(audit_of(tiny_run), name=name)
    card = model_card("tiny", audit, "minilm", tiny_run.evaluation)
    metadata, body = halves(card)
    assert body.startswith("\n# tiny\n")
    assert ModelCard(card).data.to_dict()["model-index"] == metadata["model-index"]
    assert metadata["library_name"] == "transformers"
    assert metadata["pipeline_tag"] == "text-classification"
    (model,) = metadata["model-index"]  # type: ignore[misc]
    (result,) = model["results"]
    assert result["dataset"] == {"type": name, "name": name, "split": "test"}
    best = tiny_run.evaluation.by_split["test"][EXPORTED.name]
    assert result["metrics"][0] == {"type": "accuracy", "value": round(best.accuracy, 4)}


def test_weird_class_names_stand_as_text_on_one_line(tiny_run: Run) -> None:
    evaluation = renamed(tiny_run.evaluation, "joy", HARD)
    _, body = halves(model_card("tiny", audit_of(tiny_run), "my_encoder", evaluation))
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
    assert facts.kept == max(facts.history, key=lambda point: point.macro_f1)
    card = (tiny_run.folder / "model" / "README.md").read_text("utf-8")
    assert "The epoch was chosen on validation, by macro-F1" in card


def test_the_card_warns_of_a_model_that_has_collapsed(tiny_run: Run, collapsed_run: Run) -> None:
    _, body = halves((collapsed_run.folder / "model" / "README.md").read_text("utf-8"))
    assert "## Warnings\n\n- The fine-tuned model has collapsed" in body
    assert body.index("## Warnings") < body.index("## Figures")
    good = replace(tiny_run.evaluation, warnings=[])
    assert "## Warnings" not in model_card("tiny", audit_of(tiny_run), "minilm", good)


def test_the_card_of_a_run_stands_in_its_model_folder(tiny_run: Run) -> None:
    metadata, body = halves((tiny_run.folder / "model" / "README.md").read_text("utf-8"))
    assert "emolens" in metadata["tags"]  # type: ignore[operator]
    for part in ("## Figures", "## Checks of the data", "## Limits", "sadness", "validation"):
        assert part in body
