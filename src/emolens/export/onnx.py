"""Exports a fine-tuned model folder to ONNX, which ONNX Runtime and many other programs run.

The only module that knows `onnx` and `onnxruntime`. emolens itself answers with OpenVINO.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emolens.blank import is_blank
from emolens.encode.backbone import logits_of, traceable, trained_classifier
from emolens.encode.engines.base import Engine, run_batches
from emolens.encode.engines.openvino import INPUTS, ONNX_INT8_MODEL, ONNX_MODEL
from emolens.encode.engines.torch import TorchEngine
from emolens.encode.pretrained import quiet_transformers
from emolens.encode.quantize import quantized
from emolens.encode.tokenize import Tokenizer
from emolens.encode.weights import Weights
from emolens.errors import EncoderError, first_line, require
from emolens.export.head import read_head
from emolens.export.verify import Drift, between
from emolens.modelfolder import ONNX, check_weights, check_writable, renew
from emolens.output import staged
from emolens.runtime import Runtime, n_threads
from emolens.shown import quoted

# The largest difference of a probability between torch and the exported model, both in fp32.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class OnnxExport:
    """The files that were written, and how far the answers of each model are from torch's."""

    paths: list[Path]
    drifts: list[Drift]


def export_onnx(
    folder: str | Path, texts: Sequence[str], *, calibration: Sequence[str] = ()
) -> OnnxExport:
    """Write `onnx/model.onnx` (fp32) into a model folder, if its answers are those of torch.

    The model takes input_ids and attention_mask, (rows, tokens) int64 of any size, and gives
    logits. texts: on which both are compared. calibration: 300 or more texts like those that the
    model will get; with them `onnx/model_int8.onnx` is written, too. Files of others in `onnx/`
    stay. EncoderError if torch can't export the model, if a label differs, or a probability by more
    than 1e-4; then the ONNX files of an earlier export are removed.
    """
    folder = Path(folder)
    judge = _Judge(folder, [text for text in texts if not is_blank(text)])
    check_writable(folder)
    check_weights(folder)
    with staged(folder) as fresh:
        try:
            _write(folder, fresh / ONNX, judge, calibration)
        except RuntimeError as error:
            for path in (fresh / ONNX).iterdir():
                path.unlink()
            renew(fresh, folder, part=ONNX)
            raise EncoderError(
                f"There is no ONNX model of {folder}: {first_line(error)}.",
                hint=f"emolens predict needs none: emolens export {quoted(folder)} --no-onnx",
            ) from error
        return OnnxExport(renew(fresh, folder, part=ONNX), judge.drifts)


def _write(folder: Path, exported: Path, judge: _Judge, calibration: Sequence[str]) -> None:
    """Write the models. RuntimeError if one can't be made, or is not exact."""
    exported.mkdir()
    with quiet_transformers(), _quiet_exporter():
        module = logits_of(traceable(trained_classifier(folder)))
        runtime = Runtime("torch", "cpu", "fp32", n_threads(), "to compare")
        exact = judge.probabilities(TorchEngine(module, runtime))
        model = _converted(module, weights_sha256=Weights.of(folder).sha256)
        require("onnx", "train").save(model, exported / ONNX_MODEL)
        drift = judge.drift("ONNX", exact, exported / ONNX_MODEL)
        if drift.flips or drift.max_dp > _ROUNDING:
            raise RuntimeError(f"its answers are not those of torch; {drift}")
        if calibration:
            rows = judge.tokenizer.encode(calibration)
            int8 = quantized(model, rows, judge.tokenizer.pad_id)
            require("onnx", "train").save(int8, exported / ONNX_INT8_MODEL)
            judge.drift("ONNX int8", exact, exported / ONNX_INT8_MODEL)


class _Judge:
    """Compares models by their answers for the same texts, and keeps what it has seen."""

    def __init__(self, folder: Path, texts: Sequence[str]) -> None:
        self.decision = read_head(folder).decision
        self.tokenizer = Tokenizer.from_folder(folder)
        self._rows = self.tokenizer.encode(texts)
        self.drifts: list[Drift] = []

    def probabilities(self, engine: Engine) -> np.ndarray:
        """(n, k) of all texts."""
        logits = run_batches(engine, self._rows, self.tokenizer.pad_id)
        return self.decision.probabilities(logits)

    def drift(self, title: str, exact: np.ndarray, model: Path) -> Drift:
        """How far the answers of an ONNX file are from the exact probabilities."""
        answers = self.probabilities(_OnnxRuntime(model))
        self.drifts.append(between(title, exact, answers, decision=self.decision))
        return self.drifts[-1]


class _OnnxRuntime(Engine):
    """Runs an ONNX file on the CPU."""

    def __init__(self, model: Path) -> None:
        ort = require("onnxruntime", "train")
        options = ort.SessionOptions()
        options.intra_op_num_threads = n_threads()
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """(rows, tokens) to (rows, k) float32."""
        arrays = dict(zip(INPUTS, (input_ids, attention_mask), strict=True))
        return np.asarray(self._session.run(None, arrays)[0])


def _converted(module: Any, *, weights_sha256: str) -> Any:
    """The torch module as an ONNX model. RuntimeError if torch can't export it."""
    torch, dim = require("torch", "train"), require("torch", "train").export.Dim
    require("onnxscript", "train")
    example = torch.ones((2, 8), dtype=torch.int64), torch.ones((2, 8), dtype=torch.int64)
    example[1][1, 6:] = 0  # tracing may drop a mask that holds only ones
    try:
        program = torch.onnx.export(
            module,
            example,
            dynamo=True,
            verbose=False,
            input_names=list(INPUTS),
            output_names=["logits"],
            dynamic_shapes=({0: dim("rows"), 1: dim("tokens")},) * 2,
        )
    except Exception as error:  # the exporter has many kinds of errors, one of them for each step
        raise RuntimeError(f"torch can't export it ({first_line(error)})") from error
    model = program.model_proto
    _forget_sources(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = "emolens.weights_sha256", weights_sha256
    return model


def _forget_sources(message: Any) -> None:
    """Remove the lines of Python behind each operation: they hold paths of this machine."""
    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in value if field.is_repeated else (value,):
                _forget_sources(part)


@contextlib.contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Hide what the exporter says to authors of models."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
