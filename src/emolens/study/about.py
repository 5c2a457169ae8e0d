"""What the model card says beside figures: where weights and data come from, with their licenses,
the language, and answers of the model to a few texts; and what page and card do not say.

Licenses are read, never guessed: from the settings, the catalogue, or the card of the base model.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Sequence
from html import escape

from emolens.data.catalogue import CATALOGUE
from emolens.data.dataset import TEST, TRAIN
from emolens.data.languages import main_language
from emolens.data.origins import hub_data
from emolens.names import user_path
from emolens.output import SetAside
from emolens.predict.classifier import Classifier
from emolens.scores import EXPORTED, FinetuneFacts
from emolens.show.card import SENTENCE, About, Example
from emolens.show.cardtext import CARD, merged, own_keys, stated_license
from emolens.study.context import Context
from emolens.study.folder import MODEL
from emolens.study.settings import Study

_SENTENCES = (
    SENTENCE,
    "I miss my old friends so much tonight",
    "They lied to us again and nobody says sorry",
    "I heard steps behind me in the dark",
    "I did not expect this at all",
    "The meeting starts at nine in the large room",
)
_ROWS = 6  # of the test split


def about(context: Context) -> About:
    """All that the card says beside figures."""
    settings, encoder, dataset = context.study.card, context.encoder, context.dataset
    license, on_the_hub = base_license(context), hub_data(dataset.name)
    if on_the_hub and dataset.commit:
        on_the_hub = on_the_hub._replace(revision=dataset.commit)
    # The name with a revision says more than the id.
    base = encoder.short_name if "@" in encoder.name else encoder.hub_id or encoder.short_name
    languages = settings.languages or tuple(filter(None, [main_language(_texts(context))]))
    return About(
        base=base,
        base_model=encoder.hub_id,
        base_license=license,
        # What the base model calls 'other' is a license of its own, which nobody else can name.
        license=settings.license or (None if license == "other" else license),
        data_license=settings.data_license or _data_license(dataset.name),
        languages=languages,
        hub_data=on_the_hub,
        training=_training(context),
        examples=_examples(context, languages),
    )


def _training(context: Context) -> FinetuneFacts | None:
    facts = context.scores_of(EXPORTED).facts
    return facts if isinstance(facts, FinetuneFacts) else None


def base_license(context: Context) -> str | None:
    """The license that the base model's own card states."""
    card = context.encoder.folder / CARD
    try:
        return stated_license(card.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # there is none, or it is not text
        return None


def renewed_card(context: Context, fresh: str) -> str:
    """The new card, with the user's words from the card that stands in the model folder.

    If they can't be taken over, a warning says why: then the old card will be kept beside the new
    one, as every file that a user has changed.
    """
    path, name = context.folder / MODEL / CARD, f"{MODEL}/{CARD}"
    try:
        content = path.read_bytes()
        card = merged(fresh, content.decode("utf-8"))
    except OSError:  # there is none yet, or it can't be replaced, which is found out later
        return fresh
    except ValueError as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        message = f"The new {name} has none of your words: {reason}."
        warnings.warn(message, SetAside, stacklevel=2)
        return fresh
    context.renewed[name] = hashlib.sha256(content).hexdigest()
    if context.study.card.license and (kept := stated_license(card)) != stated_license(fresh):
        message = f"{name} keeps the license that you wrote there ({kept}), not card.license."
        warnings.warn(message, UserWarning, stacklevel=2)
    if "model-index" in own_keys(card):
        message = f"{name} keeps the model-index that you changed: it may be of another run."
        warnings.warn(message, UserWarning, stacklevel=2)
    return card


def _data_license(name: str) -> str | None:
    """The license of a data set that the catalogue knows, by its name or its place on the Hub."""
    data = hub_data(name)
    for known, entry in CATALOGUE.items():
        if name == known or (data and data.repo == entry.location):
            return entry.licence
    return None


def _texts(context: Context) -> Sequence[str]:
    return context.dataset[TRAIN].texts


def _examples(context: Context, languages: Sequence[str]) -> tuple[Example, ...]:
    """Answers of the exported model; none if there is no export.

    Without leave, no text of the data is shown: then the texts are sentences of emolens, which are
    English, so that a model of another language answers none.
    """
    if "export" not in context.records:
        return ()
    labels: list[str | None]
    if context.study.card.examples == "test":
        rows, names = context.dataset[TEST], context.dataset.labels.names
        chosen = range(0, len(rows), max(len(rows) // _ROWS, 1))[:_ROWS]
        texts, labels = [rows.texts[i] for i in chosen], [names[rows.labels[i]] for i in chosen]
    elif languages in ((), ("en",)):
        known = {text.casefold() for part in context.dataset.splits.values() for text in part.texts}
        texts = [text for text in _SENTENCES if text.casefold() not in known]
        labels = [None] * len(texts)
    else:
        return ()
    predictions = Classifier(context.folder / MODEL, precision="fp32", answer_all=True).predict(
        texts
    )
    return tuple(
        Example(p.text, p.label, p.probability, p.unsure, label)
        for p, label in zip(predictions, labels, strict=True)
        if p.label is not None and p.probability is not None
    )


def to_send(document: str, study: Study) -> str:
    """A page or card without the folders of this machine: `…/reviews.csv`."""
    for path in map(user_path, (study.data.dataset, study.encoder.name)):
        if path.is_absolute():
            plain, end = str(path), f"…/{escape(path.name)}"
            for written in (plain, escape(plain), escape(json.dumps(plain)[1:-1])):
                whole = rf"(?<![\w./…]){re.escape(written)}(?![\w-])"
                document = re.sub(whole, end.replace("\\", r"\\"), document)
    return document
