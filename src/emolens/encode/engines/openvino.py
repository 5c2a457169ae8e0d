"""OpenVINO: converts torch models, and runs them on the CPU in fp32, bf16 or int8.

The only module that knows OpenVINO. It loads torch only to convert a model.
"""

from __future__ import annotations

import errno
import importlib
import mmap
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from emolens.encode.engines.base import Batch, Engine
from emolens.errors import EncoderError, require
from emolens.modelfolder import damage_hint, export_hint
from emolens.runtime import Runtime, cpu_has_bf16
from emolens.stopped import check_not_stopped
from emolens.store import fingerprint

_CONVERTER = "openvino.tools.ovc"
# From this many tokens on, OpenVINO's own attention kernel is faster (benchmarks/RESULTS.md).
_LONG = 100
# The largest difference between two engines in fp32, as a share of the largest number.
_ROUNDING = 0.01
_LARGEST_XML = 256 * 2**20
INPUTS = ("input_ids", "attention_mask")
_one_at_a_time = threading.Lock()
EMBEDDING = "embedding"  # the second output of a model that emolens exported
# Where an exported model says what it was made from: an .xml, and an .onnx.
_MADE_FROM = ["emolens", "weights_sha256"]
_MADE_FROM_ONNX = ["framework", "emolens.weights_sha256"]
MODEL, INT8_MODEL = "openvino_model.xml", "openvino_model_qint8_quantized.xml"
ONNX_MODEL, ONNX_INT8_MODEL = "model.onnx", "model_int8.onnx"


class OpenVinoEngine(Engine):
    """Runs a traced model on the CPU and returns its first output, (rows, d), and its embedding.

    path: the .xml, with its .bin beside it, or an .onnx. cache: gives the compiled model of an
    earlier process, and gets that of this one, by keep_compiled(). Each batch runs on one thread:
    on two cores, two batches at once are faster than one after the other (benchmarks/RESULTS.md).
    Raises EncoderError if the file is missing or damaged, RuntimeError if OpenVINO can't run the
    model.
    """

    def __init__(self, path: Path, runtime: Runtime, *, cache: CompiledCache | None = None) -> None:
        # In an int8 model, the operations that are not in int8 run in bf16 if the CPU has it.
        half = runtime.precision == "bf16" or (runtime.precision == "int8" and cpu_has_bf16())
        self._options = {
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "INFERENCE_NUM_THREADS": runtime.threads,
            "NUM_STREAMS": runtime.threads,
        }
        self._cache = cache
        self._new: list[tuple[dict[str, Any], Any]] = []  # what is not kept yet
        # Twice the streams, so that none waits while results are taken in order.
        self._in_flight = 2 * runtime.threads
        # Short texts are faster without OpenVINO's fused attention kernel.
        short = {"SNIPPETS_MODE": "DISABLE"}
        _core()  # in this thread, as long as nothing runs beside it
        with ThreadPoolExecutor(1) as beside:
            loaded = beside.submit(self._loaded, short)
            self._model = read_traced(path)
            self._short = loaded.result() or self._compiled(short)
        for place in (_MADE_FROM, _MADE_FROM_ONNX):
            if self._model.has_rt_info(place):
                self.weights_sha256 = str(self._model.get_rt_info(place).value)
        self.width = _width(self._model.outputs[0])
        embeddings = [port for port in self._model.outputs[1:] if EMBEDDING in port.get_names()]
        if self.width and embeddings:
            self.n_more = _width(embeddings[0]) or 0
        self._outputs = [0, self._model.outputs.index(embeddings[0])] if self.n_more else [0]

    def __call__(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """(rows, tokens) to (rows, d) float32."""
        compiled = self._for(input_ids)
        outputs = compiled(dict(zip(INPUTS, (input_ids, attention_mask), strict=True)))
        parts = [np.asarray(outputs[place], dtype=np.float32) for place in self._outputs]
        return np.concatenate(parts, axis=1)

    def stream(self, batches: Iterable[Batch]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Run several batches at once; yields their results in the order of the batches."""
        free: dict[int, list[Any]] = {}
        running: deque[tuple[np.ndarray, Any, list[Any]]] = deque()
        for rows, *arrays in batches:
            if len(running) == self._in_flight:
                yield self._finished(*running.popleft())
            compiled = self._for(arrays[0])
            pool = free.setdefault(id(compiled), [])
            request = pool.pop() if pool else compiled.create_infer_request()
            request.start_async(dict(zip(INPUTS, arrays, strict=True)))
            running.append((rows, request, pool))
        while running:
            yield self._finished(*running.popleft())

    def _finished(
        self, rows: np.ndarray, request: Any, pool: list[Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        request.wait()
        parts = [request.get_output_tensor(place).data for place in self._outputs]
        # A copy, because the next batch overwrites the outputs of the request.
        vectors = np.concatenate(parts, axis=1, dtype=np.float32)
        pool.append(request)
        return rows, vectors

    def _for(self, input_ids: np.ndarray) -> Any:
        return self._short if input_ids.shape[1] < _LONG else self._long

    @cached_property
    def _long(self) -> Any:
        compiled = self._loaded({}) or self._compiled({})
        self.keep_compiled()
        return compiled

    def _with(self, switches: dict[str, str]) -> dict[str, Any]:
        # OpenVINO keeps its preparations for each shape: without a limit up to 6 GB in int8.
        return {**self._options, **switches, "CPU_RUNTIME_CACHE_CAPACITY": "200"}

    def _loaded(self, switches: dict[str, str]) -> Any | None:
        """The model with these switches, if an earlier process has compiled it."""
        return self._cache and self._cache.load(self._with(switches))

    def _compiled(self, switches: dict[str, str]) -> Any:
        options = self._with(switches)
        try:
            compiled = _core().compile_model(self._model, "CPU", options)
        except RuntimeError:  # another version of OpenVINO may not have these switches
            check_not_stopped()
            return _core().compile_model(self._model, "CPU", self._options)
        self._new.append((options, compiled))
        return compiled

    def keep_compiled(self) -> None:
        """Keep what was compiled since the start. Call it when the files are known to be whole."""
        while self._cache and self._new:
            self._cache.keep(*self._new.pop())


@dataclass(frozen=True)
class CompiledCache:
    """Compiled models on disk: to compile one takes longer than all else at the start.

    key: decides the content of the model. read, write: get the key of the compiled one; it changes
    with the model, the options, the processor and the version of OpenVINO. read: fills a memory
    that it asks for, and returns whether it did.
    """

    key: str
    read: Callable[[str, Callable[[int], memoryview]], bool]
    write: Callable[[str, memoryview], None]

    def load(self, options: dict[str, Any]) -> Any | None:
        """The compiled model; None if there is none that this OpenVINO takes."""
        tensors = []

        def room(size: int) -> memoryview:
            # In memory that OpenVINO owns, it can use the weights where they are.
            tensors.append(silent_openvino().Tensor(np.dtype(np.uint8), [size]))
            return memoryview(tensors[0].data)

        try:
            if not self.read(self._key(options), room):
                return None
            return _core().import_model(tensors[0], "CPU", options)
        except RuntimeError:
            check_not_stopped()
            return None

    def keep(self, options: dict[str, Any], compiled: Any) -> None:
        """Write down a compiled model."""
        try:
            content = compiled.export_model().getbuffer()
            self.write(self._key(options), content)
        except RuntimeError:  # not every device can
            check_not_stopped()

    def _key(self, options: dict[str, Any]) -> str:
        core = _core()
        processor = core.get_property("CPU", "FULL_DEVICE_NAME")
        features = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        version = silent_openvino().get_version()
        return fingerprint(self.key, sorted(options.items()), processor, sorted(features), version)


def traced(model: Any, *outputs: str) -> Any:
    """A torch module of (input_ids, attention_mask) as an OpenVINO model with named outputs.

    Raises RuntimeError if OpenVINO lacks an operation, or if the traced model does not give the
    answers of the torch module.
    """
    torch = require("torch", "train")
    silent_openvino()
    example = {name: torch.ones((2, 8), dtype=torch.int64) for name in INPUTS}
    example["attention_mask"][1, 6:] = 0  # tracing may drop a mask that holds only ones
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's warnings are for authors of models
        try:
            convert_model = importlib.import_module(_CONVERTER).convert_model
            converted = convert_model(model, example_input=example)
        except Exception as error:  # an operation that OpenVINO lacks is no RuntimeError
            raise RuntimeError(str(error)) from error
    for port, name in zip(converted.inputs, INPUTS, strict=True):
        port.get_tensor().set_names({name})
    for port, name in zip(converted.outputs, outputs, strict=True):
        port.get_tensor().set_names({name})
    _check_answers(converted, model)
    return converted


def _check_answers(converted: Any, model: Any) -> None:
    """Raise RuntimeError if a traced model answers otherwise than torch, on another shape.

    Some traced models work for one shape only, and some give wrong numbers for all others.
    """
    torch = require("torch", "train")
    mask = (np.arange(5) < [[5], [3], [1]]).astype(np.int64)
    ids = np.arange(15, dtype=np.int64).reshape(3, 5) % 2
    with torch.no_grad():
        outputs = model(torch.from_numpy(ids), torch.from_numpy(mask))
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = _core().compile_model(converted, "CPU", options)
    answers = compiled(dict(zip(INPUTS, (ids, mask), strict=True)))
    for place, output in enumerate(outputs if isinstance(outputs, tuple) else (outputs,)):
        wanted = np.asarray(output.float())
        far = np.abs(answers[place] - wanted).max() > _ROUNDING * np.abs(wanted).max()
        if np.isfinite(wanted).all() and far:
            raise RuntimeError("its answers differ from those of torch")


def save_traced(model: Any, path: Path, *, weights_sha256: str | None = None) -> None:
    """Write the .xml, and beside it the .bin with fp32 weights. OSError if they can't be opened.

    weights_sha256: of the weights that the model was made from; the .xml keeps it.
    """
    if weights_sha256 is not None:
        model.set_rt_info(weights_sha256, _MADE_FROM)
    try:
        silent_openvino().save_model(model, path, compress_to_fp16=False)
    except RuntimeError as error:
        if "Can't open" in str(error):  # OpenVINO does not say why
            raise OSError(errno.EIO, "OpenVINO can't open it", str(path)) from error
        raise


def names_weights(path: Path) -> bool:
    """Whether an exported model says which weights it was made from."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.rfind(_MADE_FROM[-1].encode()) >= 0  # it stands near the end


def read_traced(path: Path) -> Any:
    """Read what save_traced wrote, or an .onnx; EncoderError if it is missing or damaged."""
    if not path.is_file():
        raise EncoderError(f"There is no exported model {path}.", hint=_export_again(path))
    model = _read_onnx(path) if path.suffix == ".onnx" else _read_xml(path)
    _fill_token_types(model)
    _check_ports(path, model)
    return model


def _read_xml(path: Path) -> Any:
    # OpenVINO writes no document type. A document type could name other files.
    if path.stat().st_size > _LARGEST_XML or b"<!DOCTYPE" in path.read_bytes():
        raise damaged(path)
    try:
        return _core().read_model(path)
    except RuntimeError as error:
        raise damaged(path) from error


def _read_onnx(path: Path) -> Any:
    """Core().read_model would try every reader on a damaged file, and some of them print."""
    silent_openvino()
    reader = importlib.import_module("openvino.frontend").FrontEndManager()
    onnx = reader.load_by_framework("onnx")
    try:
        return onnx.convert(onnx.load(path))
    except Exception as error:  # errors of a reader are no RuntimeErrors
        check_not_stopped()
        raise damaged(path) from error


def _fill_token_types(model: Any) -> None:
    """Put zeros in place of an input token_type_ids, which most exports of BERT by others have.

    They say which of two texts a token belongs to; here there is one text.
    """
    ports = {name: port for port in model.inputs for name in port.get_names()}
    if "token_type_ids" not in ports or INPUTS[0] not in ports:
        return
    ops = importlib.import_module("openvino.opset13")
    types, ids = ports["token_type_ids"].get_node(), ports[INPUTS[0]].get_node()
    if types.get_element_type() == ids.get_element_type():
        zero = ops.constant(0, types.get_element_type())
        zeros = ops.multiply(ids, zero).output(0)
        for target in types.output(0).get_target_inputs():
            target.replace_source_output(zeros)
        model.remove_parameter(types)


def _check_ports(path: Path, model: Any) -> None:
    """Raise EncoderError if the model takes other inputs, or its first output is not (rows, d)."""
    named = all(any(name in port.get_names() for port in model.inputs) for name in INPUTS)
    whole = all(port.get_element_type().get_type_name() == "i64" for port in model.inputs)
    ranks = [port.get_partial_shape().rank for port in (*model.inputs, *model.outputs[:1])]
    tables = len(ranks) == 3 and all(rank.is_static and rank.get_length() == 2 for rank in ranks)
    if not (named and whole and tables):
        raise EncoderError(
            f"{path} does not take {' and '.join(INPUTS)} (rows, tokens) to give (rows, numbers).",
            hint=_export_again(path),
        )


def damaged(path: Path) -> EncoderError:
    """The error for an exported model that can't be loaded."""
    parts = "it" if path.suffix == ".onnx" else "this file or the .bin beside it"
    return EncoderError(
        f"{path} can't be loaded: {parts} is damaged.",
        hint=damage_hint(path.parent.parent, int8=path.name in (INT8_MODEL, ONNX_INT8_MODEL)),
    )


def _export_again(path: Path) -> str:
    return export_hint(path.parent.parent, int8=path.name in (INT8_MODEL, ONNX_INT8_MODEL))


def _width(port: Any) -> int | None:
    """Of the rows of an output, if the model says so."""
    shape = port.get_partial_shape()
    known = shape.rank.is_static and len(shape) and shape[-1].is_static
    return int(shape[-1].get_length()) if known else None


@cache
def _made_core() -> Any:
    """OpenVINO's Core: one, which lives as long as the process.

    A Core gives its thread a stack for signal handlers, and when it ends, the stack that was there
    before. When several end in another order, that one is freed, and the next Ctrl-C is a crash.
    """
    return silent_openvino().Core()


def _core() -> Any:
    with _one_at_a_time:  # two threads could both find none, and make one each
        return _made_core()


@contextmanager
def one_core() -> Iterator[None]:
    """Let a library that would make Cores of its own get the one of the process."""
    openvino, core = vars(silent_openvino()), _core()
    theirs, openvino["Core"] = openvino["Core"], lambda: core
    try:
        yield
    finally:
        openvino["Core"] = theirs


def silent_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which would report the import to a server.

    With None in sys.modules, Python treats the telemetry module as missing; OpenVINO then uses a
    stub that sends nothing. Its converter is left out in the same way, which saves half of the time
    of the import; `openvino.convert_model` loads it when it is called.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if "openvino" in sys.modules or _CONVERTER in sys.modules:
        return importlib.import_module("openvino")
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        openvino = importlib.import_module("openvino")
    finally:
        sys.modules.pop(_CONVERTER, None)
    if not hasattr(openvino, "convert_model"):
        vars(openvino)["convert_model"] = _convert_model
    return openvino


def _convert_model(*args: Any, **options: Any) -> Any:
    return importlib.import_module(_CONVERTER).convert_model(*args, **options)
