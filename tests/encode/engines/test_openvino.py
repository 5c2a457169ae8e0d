from __future__ import annotations

import subprocess
import sys
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


CTRL_C = """
import signal, sys
from pathlib import Path
from emolens.encode.engines.openvino import OpenVinoEngine
from emolens.runtime import Runtime

runtime = Runtime("openvino", "cpu", "fp32", 1, "a test")
engines = [OpenVinoEngine(Path(sys.argv[1]), runtime) for _ in range(3)]
while engines:
    engines.pop(0)
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("stopped")
"""


def test_ctrl_c_after_several_engines_are_gone_is_no_crash(tmp_path: Path) -> None:
    class Sums(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return (input_ids * attention_mask).sum(1, keepdim=True).float()

    save_traced(traced(Sums(), "embeddings"), tmp_path / MODEL)
    command = [sys.executable, "-c", CTRL_C, str(tmp_path / MODEL)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "stopped\n"), ended.stderr
