"""A fine-tuned model folder made ready for serving without torch."""

from __future__ import annotations

import warnings
from pathlib import Path

from emolens.encode.backbone import quiet_transformers, trained_classifier
from emolens.encode.engines import silent_openvino
from emolens.errors import require
from emolens.store import atomic_folder


def export_openvino(folder: Path) -> list[Path]:
    """Write `openvino/openvino_model.xml` and `.bin` (fp32) into a model folder.

    The exported model takes input_ids and attention_mask, (rows, tokens) int64, and gives logits.
    OpenVINO computes it in fp32 or bf16, as it is asked when it is loaded.
    """
    torch = require("torch", "train")
    ov = silent_openvino()
    model = trained_classifier(folder)
    # Without these, transformers builds masks and caches in ways that can't be traced.
    model.config.use_cache = False
    model.set_attn_implementation("eager")
    example = {
        name: torch.ones((2, 8), dtype=torch.int64) for name in ("input_ids", "attention_mask")
    }
    with warnings.catch_warnings(), torch.no_grad(), quiet_transformers():
        warnings.simplefilter("ignore")  # the tracer's advice is for those who write models
        converted = ov.convert_model(model, example_input=example)
    for port, name in zip(converted.inputs, example, strict=True):
        port.get_tensor().set_names({name})
    converted.outputs[0].get_tensor().set_names({"logits"})
    with atomic_folder(folder / "openvino") as fresh:
        ov.save_model(converted, fresh / "openvino_model.xml", compress_to_fp16=False)
    return sorted((folder / "openvino").iterdir())
