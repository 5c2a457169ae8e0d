from __future__ import annotations

from pathlib import Path

import pytest
import torch

from emolens.encode.engines.openvino import MODEL, save_traced, traced
from emolens.errors import StorageError
from emolens.output import writing


def test_a_model_that_can_not_be_written_is_an_error_of_the_disk(tmp_path: Path) -> None:
    # As any other error, it would be remembered: OpenVINO can't run this model.
    from openvino import Model, opset13

    value = opset13.parameter([1])
    model = Model([opset13.relu(value)], [value])
    (tmp_path / MODEL).with_suffix(".bin").mkdir()
    with pytest.raises(StorageError, match="can't be written"), writing(tmp_path):
        save_traced(model, tmp_path / MODEL)


def test_a_trace_that_answers_otherwise_than_torch_is_refused() -> None:
    class ForOneShape(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            # int() makes the width of the example a constant of the traced model.
            return attention_mask.sum(1, keepdim=True).float() / int(input_ids.shape[1])

    with pytest.raises(RuntimeError, match="differ from those of torch"):
        traced(ForOneShape(), "embeddings")


def test_an_operation_that_openvino_lacks_is_a_runtime_error() -> None:
    class Bessel(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return torch.special.bessel_j0(input_ids.float() + attention_mask)

    with pytest.raises(RuntimeError):
        traced(Bessel(), "embeddings")
