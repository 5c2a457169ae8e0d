"""The behavioral tests of an exported model, and sentences about what came of them."""

from __future__ import annotations

from emolens.data.checks import agreeing, counted
from emolens.errors import some_of
from emolens.evaluation.behavior import Behavior, behavior
from emolens.evaluation.verdict import percent
from emolens.modelfolder import TRAINING_TEXTS, read_emolens_json
from emolens.predict.classifier import Classifier

_LANGUAGE = "en"  # of the cases
_WORST = 3


def behavior_of(classifier: Classifier) -> Behavior | None:
    """Try a model on all cases. None if it was trained on texts in another language than English.

    Of a model of others, nothing is known of its language: it is tried.
    """
    facts = read_emolens_json(classifier.folder).get(TRAINING_TEXTS)
    language = facts.get("language") if isinstance(facts, dict) else None
    if isinstance(language, str) and language != _LANGUAGE:
        return None
    return behavior(classifier.predict_proba, classifier.labels)


def behavior_sentence(found: Behavior | None) -> str:
    """How many cases fail, and where most do."""
    if found is None:
        return "The behavioral tests are English, and the model is not: it was not tried on them."
    n, failed = found.n, found.failed
    left_out = sum(test.left_out for test in found.tests)
    text = f"{failed:,} of {counted(n, 'case')} of the behavioral tests {agreeing(failed, 'fail')}"
    worst = sorted((t for t in found.tests if t.failed), key=lambda test: -test.share)[:_WORST]
    if worst:
        shares = [f"{test.about} {percent(test.share)}" for test in worst]
        text += f", most often with {some_of(shares)}"
    if left_out:
        text += f"; {left_out:,} are left out, as the model lacks their classes"
    return f"{text}."
