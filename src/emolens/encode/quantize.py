"""Traced models in 8-bit integers, calibrated on texts. The only module that knows `nncf`."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np

from emolens.encode.batches import pad
from emolens.encode.engines.openvino import INPUTS, silent_openvino
from emolens.encode.tokenize import Tokens
from emolens.errors import EncoderError, require

CALIBRATION_ROWS = 300


def quantized(model: Any, calibration: Tokens, pad_id: int) -> Any:
    """The matrix products of a traced model in int8; the rest as it was.

    model: what traced() gave, or an exported one that was read. calibration: rows like those to
    come, of which the first 300 are run. Their ranges are fixed in the model, so that a vector does
    not depend on the other texts of its batch, as it would with ranges computed for each batch.
    Raises EncoderError where the model can't be quantized.
    """
    silent_openvino()  # before NNCF imports it with its telemetry
    rows = range(min(len(calibration), CALIBRATION_ROWS))
    samples = [
        dict(zip(INPUTS, pad(calibration, np.array([row]), pad_id=pad_id), strict=True))
        for row in rows
    ]
    # NNCF writes its log and its bars to stdout; its warnings are for its own developers.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nncf = require("nncf", "train")
        try:
            return nncf.quantize(
                model,
                nncf.Dataset(samples),
                model_type=nncf.ModelType.TRANSFORMER,
                subset_size=len(samples),
            )
        except (RuntimeError, nncf.ValidationError) as error:
            raise EncoderError(
                f"The model can't be quantized: {' '.join(str(error).split())[:200]}",
                hint="Choose bf16 or fp32.",
            ) from error
