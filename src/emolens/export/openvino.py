"""Exports a fine-tuned model folder to OpenVINO, which runs it without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emolens.encode.backbone import logits_of, quiet_transformers, traceable, trained_classifier
from emolens.encode.engines.choose import try_out
from emolens.encode.engines.openvino import INT8_MODEL, MODEL, save_traced, traced
from emolens.encode.quantize import quantized
from emolens.encode.tokenize import Tokenizer
from emolens.errors import EncoderError, first_line
from emolens.export.head import read_head
from emolens.store import atomic_folder


def export_openvino(folder: str | Path, *, calibration: Sequence[str] = ()) -> list[Path]:
    """Write `openvino/openvino_model.xml` and `.bin` (fp32) into a model folder.

    The exported model takes input_ids and attention_mask, (rows, tokens) int64, and gives logits.
    fp32 or bf16 is chosen when the model is loaded. calibration: 300 or more texts like those that
    the model will get; with them an int8 model is written, too.
    """
    folder = Path(folder)
    read_head(folder)  # raises at once if the head is not that of a classifier
    try:
        return _export(folder, calibration)
    except RuntimeError as error:
        raise EncoderError(
            f"OpenVINO can't run the model in {folder}: {first_line(error)}.",
            hint="Choose an encoder of the BERT, RoBERTa or DistilBERT kind.",
        ) from error


def _export(folder: Path, calibration: Sequence[str]) -> list[Path]:
    tokenizer = Tokenizer.from_folder(folder)
    with quiet_transformers():
        converted = traced(logits_of(traceable(trained_classifier(folder))), "logits")
    with atomic_folder(folder / "openvino") as fresh:
        save_traced(converted, fresh / MODEL)
        try_out(fresh / MODEL)
        if calibration:
            rows = tokenizer.encode(calibration)
            save_traced(quantized(converted, rows, tokenizer.pad_id), fresh / INT8_MODEL)
    return sorted((folder / "openvino").iterdir())
