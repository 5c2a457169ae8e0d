"""`emolens inspect`: shows what is in a data set, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from emolens.cli.options import (
    IgnoreOption,
    JsonOption,
    LabelOption,
    SplitOption,
    TextOption,
    labelling,
    reading,
)
from emolens.console import Console, show_batch
from emolens.data.readers.options import ReadOptions
from emolens.data.targets.options import LabelOptions
from emolens.errors import DataError, EmolensError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emolens.data.unlabelled import Texts
    from emolens.encode.tokenize import Tokenizer


@reading
@labelling
def inspect(
    dataset: Annotated[
        list[str],
        typer.Argument(help="A file, several files, a folder, owner/name on the Hub, or starter."),
    ],
    text: TextOption = None,
    label: LabelOption = None,
    split: SplitOption = None,
    encoder: Annotated[
        str, typer.Option("--encoder", metavar="NAME", help="Count tokens as this encoder does.")
    ] = "minilm",
    ignore: IgnoreOption = None,
    as_json: JsonOption = False,
    *,
    read: ReadOptions,
    labels: LabelOptions,
) -> None:
    """Show what is in a data set, and what is wrong with it.

    Prints a list of numbered checks. A table without labels can be inspected, too.
    """
    from emolens.console.audit import show_audit
    from emolens.data.audit import audit
    from emolens.data.checks import chosen_codes
    from emolens.data.sources import load_dataset
    from emolens.data.splitnames import wanted_splits
    from emolens.encode.batches import padded_batch

    ignored = chosen_codes(ignore or [])
    console = Console(as_json=as_json)
    source = dataset[0] if len(dataset) == 1 else dataset
    options = {"text": text, "splits": wanted_splits(split or []), "read": read}
    try:
        data = load_dataset(source, label=label, labels=labels, **options)
    except DataError as error:
        texts = None if label else _without_labels(source, options)
        if texts is None:
            raise
        console.note(f"Note: {error} So only the texts are looked at. {error.hint}")
        _inspect_texts(console, texts, encoder, ignored)
        return
    tokenizer = _tokenizer(encoder, console)
    by_split = {name: part.texts for name, part in data.splits.items()}
    report = audit(data, ignore=ignored, **_token_counts(tokenizer, by_split))
    if as_json:
        console.data(report.to_dict())
        return
    show_audit(console, report)
    if tokenizer is not None:
        console.line()
        console.line("The first two texts of train as one batch")
        show_batch(console, padded_batch(tokenizer, data["train"].texts[:2]))


def _without_labels(source: str | list[str], options: dict[str, Any]) -> Texts | None:
    """The texts of a source that has no label column; None if it has one, or can't be read.

    Raises NoTextError for a column of texts that are all empty.
    """
    from emolens.data.readers.columns import any_usual
    from emolens.data.sources import load_texts
    from emolens.data.targets.causes import NoTextError

    try:
        texts = load_texts(source, **options)
    except NoTextError:
        raise
    except EmolensError:
        return None
    return None if any_usual(texts.columns, "label") else texts


def _inspect_texts(console: Console, texts: Texts, encoder: str, ignored: frozenset[str]) -> None:
    from emolens.console.audit import show_contents
    from emolens.data.audit.contents import audit_texts

    contents = audit_texts(
        texts, ignore=ignored, **_token_counts(_tokenizer(encoder, console), texts.splits)
    )
    if console.as_json:
        console.data(contents.to_dict())
    else:
        show_contents(console, contents)


def _tokenizer(encoder: str, console: Console) -> Tokenizer | None:
    """The encoder's tokenizer; None if the bundled encoder isn't installed."""
    from emolens.encode.backbone import tokenizer_of

    try:
        return tokenizer_of(encoder)
    except MissingExtra as error:
        console.note(f"Lengths in tokens are left out: {error} {error.hint}")
        return None


def _token_counts(
    tokenizer: Tokenizer | None, texts: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """What an audit wants to know of the tokens, by split."""
    if tokenizer is None:
        return {}
    tokens = {name: tokenizer.encode(part) for name, part in texts.items()}
    return {
        "n_tokens": {name: part.n_whole for name, part in tokens.items()},
        "unknown": {name: tokenizer.unknown_shares(part) for name, part in tokens.items()},
        "max_length": tokenizer.max_length,
    }
