from __future__ import annotations

from pathlib import Path

import pytest

from emolens.encode.engines.openvino import MODEL, save_traced
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
