"""Exports a fine-tuned model folder to OpenVINO, which runs it without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emolens.encode.backbone import logits_and_embedding_of, traceable, trained_classifier
from emolens.encode.engines.openvino import EMBEDDING, INT8_MODEL, MODEL, save_traced, traced
from emolens.encode.layers import first_token_only
from emolens.encode.pretrained import quiet_transformers
from emolens.encode.quantize import quantized
from emolens.encode.tokenize import Tokenizer
from emolens.encode.weights import Weights
from emolens.errors import EncoderError, first_line
from emolens.export.head import read_head
from emolens.modelfolder import EXPORTED_FROM, OPENVINO, check_weights, check_writable, renew
from emolens.output import staged


def export_openvino(folder: str | Path, *, calibration: Sequence[str] = ()) -> list[Path]:
    """Write `openvino/openvino_model.xml` and `.bin` (fp32) into a model folder.

    The exported model takes input_ids and attention_mask, (rows, tokens) int64, and gives logits,
    and an embedding that tells which texts are unlike those of train. fp32 or bf16 is chosen when
    the model is loaded. calibration: 300 or more texts like those that the model will get; with
    them an int8 model is written, too. Files of others in `openvino/` stay: one that is in the way
    gets the name NAME.yours, with a warning.
    """
    folder = Path(folder)
    read_head(folder)  # raises at once if the head is not that of a classifier
    check_writable(folder)
    check_weights(folder)
    try:
        return _export(folder, calibration)
    except RuntimeError as error:
        raise EncoderError(
            f"OpenVINO can't run the model in {folder}: {first_line(error)}.",
            hint="Choose an encoder of the BERT, RoBERTa or DistilBERT kind.",
        ) from error


def _export(folder: Path, calibration: Sequence[str]) -> list[Path]:
    tokenizer, weights = Tokenizer.from_folder(folder), Weights.of(folder)
    facts = {EXPORTED_FROM: {"stamp": weights.stamp, "sha256": weights.sha256}}
    with quiet_transformers():
        model = traceable(trained_classifier(folder))
        if getattr(model.config, "num_hidden_layers", 0) > 1:  # the embedding is of earlier blocks
            first_token_only(model)
        converted = traced(logits_and_embedding_of(model), "logits", EMBEDDING)
    with staged(folder) as fresh:
        exported = fresh / OPENVINO
        exported.mkdir()
        save_traced(converted, exported / MODEL, weights_sha256=weights.sha256)
        if calibration:
            rows = tokenizer.encode(calibration)
            int8 = quantized(converted, rows, tokenizer.pad_id)
            save_traced(int8, exported / INT8_MODEL, weights_sha256=weights.sha256)
        return renew(fresh, folder, part=OPENVINO, facts=facts)
