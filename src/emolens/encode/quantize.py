"""Traced models in 8-bit integers, calibrated on texts. The only module that knows `nncf`."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np

from emolens.encode.batches import pad
from emolens.encode.engines.openvino import INPUTS, one_core, silent_openvino
from emolens.encode.tokenize import Tokens
from emolens.errors import EncoderError, require

CALIBRATION_ROWS = 300


def quantized(model: Any, calibration: Tokens, pad_id: int) -> Any:
    """A traced model with its matrix products in int8; the other operations stay as they are.

    calibration: rows like those that the model will get. The first 300 are run to find the ranges
    of values, which are then fixed in the model: with ranges for each batch, a vector would depend
    on the other texts in its batch. Raises EncoderError if NNCF fails.
    """
    silent_openvino()  # before NNCF imports it with its telemetry
    samples = [
        dict(zip(INPUTS, pad(calibration, np.array([row]), pad_id=pad_id), strict=True))
        for row in range(min(len(calibration), CALIBRATION_ROWS))
    ]
    # NNCF prints to stdout; its warnings are for its own developers.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nncf = require("nncf", "train")
        try:
            with one_core():
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
