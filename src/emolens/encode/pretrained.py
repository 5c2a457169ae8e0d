"""Puts the weights of a folder into a model of transformers, and refuses weights that don't fit.

No code of the folder is run. Only config.json and the weights are read: transformers gets a checked
configuration and tensors, never a path. Knows no single model.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from emolens.encode.config import model_config
from emolens.encode.weights import Weights
from emolens.errors import EmolensError, EncoderError, require

_HINT = "Give a folder or a name on the Hub that holds a BERT, RoBERTa, ModernBERT or the like."
_DAMAGED = "The weights are damaged, or belong to another config.json. Download both again."
# transformers makes an attribute of every key. These would load files, libraries or code.
_REFUSED = (
    *("quantization_config", "compression_config", "fusion_config", "per_layer_config"),
    *("transformers_weights", "kernel_config"),
)
# emolens decides these itself. The name of an attention may be that of code on the Hub.
_DROPPED = {
    *("auto_map", "attn_implementation", "experts_implementation", "dtype", "torch_dtype"),
    *("name_or_path", "architectures", "output_attentions", "output_hidden_states", "return_dict"),
}
_HEAD = ("id2label", "label2id", "num_labels", "problem_type")
# How many numbers a new head and a pooler may have in addition to those in the files.
_ROOM = 100_000_000


@dataclass(frozen=True)
class Checkpoint:
    """A folder with weights and config.json.

    changes: what replaces entries of config.json; None removes one.
    """

    name: str
    folder: Path
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Any:
        """The configuration as an object of transformers' own class for this kind of model."""
        content = {**model_config(self.folder), **self.changes}
        removed = {key for key, value in self.changes.items() if value is None}
        path = self.folder / "config.json"
        kinds = require("transformers", "train").CONFIG_MAPPING
        kind = content.pop("model_type", None)
        if not isinstance(kind, str) or kind not in kinds:
            raise _unknown(path, kind, own_code="auto_map" in content)
        if refused := [key for key in _REFUSED if content.get(key) is not None]:
            raise EncoderError(
                f"{path} sets {refused[0]}, which emolens does not support.",
                hint="Give the plain model in float32, float16 or bfloat16.",
            )
        with library_errors(self.name):
            plain = {key for key in content.keys() - removed if _is_plain(kinds[kind], key)}
            return kinds[kind](**{key: content[key] for key in content if key in plain})


def bare_model(auto: Any, checkpoint: Checkpoint) -> Any:
    """The encoder without a head. auto: the class of transformers that chooses the model's class.

    Raises EncoderError if weights are missing, have another shape, or have no place in the model.
    The weights of the pooler may be missing. Those of another task's head are left out, with a
    warning.
    """
    checkpoint = replace(checkpoint, changes=dict.fromkeys(_HEAD))
    model, report = _loaded(auto, checkpoint)
    report["missing_keys"] = [n for n in report["missing_keys"] if not _of_pooler(n)]
    _check(model, report, checkpoint)
    return model


def model_with_new_head(auto: Any, checkpoint: Checkpoint) -> Any:
    """The encoder with a head for training. Weights of the head that don't fit are made anew."""
    model, report = _loaded(auto, checkpoint)
    inside, missing = f"{model.base_model_prefix}.", report["missing_keys"]
    report["missing_keys"] = [n for n in missing if n.startswith(inside) and not _of_pooler(n)]
    report["mismatched_keys"] = [m for m in report["mismatched_keys"] if m[0].startswith(inside)]
    _check(model, report, checkpoint)
    return model


def whole_model(auto: Any, checkpoint: Checkpoint) -> Any:
    """A trained model with its head: no weight may be missing."""
    model, report = _loaded(auto, checkpoint)
    if missing := report["missing_keys"]:
        _check_type(min(missing), checkpoint)
        raise EncoderError(
            f"{checkpoint.folder} is not a text classifier: its weights lack {min(missing)}.",
            hint="Fine-tune it first: emolens finetune --encoder FOLDER",
        )
    _check(model, report, checkpoint)
    return model


def _loaded(auto: Any, checkpoint: Checkpoint) -> tuple[Any, dict[str, Any]]:
    """The model in fp32, and transformers' report about the weights that don't fit."""
    torch = require("torch", "train")
    weights, config = Weights.of(checkpoint.folder), checkpoint.config
    most = 2 * weights.n_values + _ROOM
    with library_errors(checkpoint.name):
        kind = type(_skeleton(auto, config, most=most, checkpoint=checkpoint))
        model, report = kind.from_pretrained(
            None,
            config=config,
            state_dict=weights.tensors(),
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # the report names them
        )
    return model, report


def _skeleton(auto: Any, config: Any, *, most: int, checkpoint: Checkpoint) -> Any:
    """The model without memory for its weights; EncoderError if it would have more than `most`."""
    torch = require("torch", "train")
    n_values = n_weights = 0

    def count(_module: Any, _name: str, weight: Any) -> None:
        nonlocal n_values, n_weights
        n_values, n_weights = n_values + (0 if weight is None else weight.numel()), n_weights + 1
        if n_values > most or n_weights > 100_000:
            raise EncoderError(
                f"{checkpoint.folder / 'config.json'} describes a much larger model than"
                " the weights beside it.",
                hint=_DAMAGED,
            )

    hook = torch.nn.modules.module.register_module_parameter_registration_hook(count)
    try:
        with torch.device("meta"):
            return auto.from_config(config, trust_remote_code=False)
    finally:
        hook.remove()


def _check(model: Any, report: dict[str, Any], checkpoint: Checkpoint) -> None:
    """Refuse weights that are missing or surplus, have another shape, or are not finite."""
    # transformers would fill missing weights with random numbers.
    if names := report["missing_keys"]:
        _check_type(min(names), checkpoint)
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        lacking = f"The weights of {checkpoint.name} lack {min(names)}{more}."
        raise EncoderError(lacking, hint=_DAMAGED)
    if mismatched := report["mismatched_keys"]:
        name, stored, wanted = min(mismatched, key=str)
        raise EncoderError(
            f"The weights of {checkpoint.name} hold {name} with the shape {tuple(stored)};"
            f" config.json asks for {tuple(wanted)}.",
            hint=_DAMAGED,
        )
    surplus = _surplus(model.base_model, report["unexpected_keys"], checkpoint)
    for name, weight in model.named_parameters():
        # On a busy machine, torch's threads wait for each other here; numpy has one.
        if not np.isfinite(weight.detach().numpy()).all():
            raise EncoderError(
                f"The weights of {checkpoint.name} hold a value in {name} that is not finite.",
                hint="Download the folder again.",
            )
    if surplus:
        warnings.warn(
            f"The weights of {checkpoint.name} hold {len(surplus)} tensors of another task"
            f" ({surplus[0]}, …). They are not used.",
            UserWarning,
            stacklevel=4,
        )


def _check_type(missing: str, checkpoint: Checkpoint) -> None:
    """Raise EncoderError if a missing weight is stored in a type that is not read."""
    if kind := Weights.of(checkpoint.folder).type_of(missing):
        raise EncoderError(
            f"The weights of {checkpoint.name} hold {missing} as {kind}, not as float32,"
            " float16 or bfloat16.",
            hint="Save the model again, before it is quantized:"
            " model.float().save_pretrained(NEW_FOLDER)",
        )


def _surplus(encoder: Any, unexpected: Iterable[str], checkpoint: Checkpoint) -> list[str]:
    """The weights of another task's head. EncoderError if the encoder has no place for a weight."""
    inside = {name.split(".")[0] for name, _ in encoder.named_parameters()}
    prefix = f"{encoder.base_model_prefix}."
    harmless = {name.split(".")[-1] for name, _ in encoder.named_buffers()}
    surplus = []
    for name in sorted(unexpected):
        if _of_pooler(name) or name.split(".")[-1] in harmless:
            continue
        if name.startswith(prefix) or name.split(".")[0] in inside:
            raise EncoderError(
                f"The weights of {checkpoint.name} hold {name}, which has no place in the"
                " model of config.json.",
                hint=_DAMAGED,
            )
        surplus.append(name)
    return surplus


def _of_pooler(name: str) -> bool:
    # Vectors are made without the pooler, and fine-tuning trains a new one.
    return "pooler" in name.split(".")


def _is_plain(kind: Any, key: str) -> bool:
    """Whether a key of config.json is a setting of the model, and replaces no part of the class."""
    if key in _DROPPED or key.startswith("_"):
        return False
    settings = {item.name for item in fields(kind)} | set(kind.attribute_map) | {"num_labels"}
    return key in settings or "rope" in key or not hasattr(kind, key)


def _unknown(path: Path, kind: Any, *, own_code: bool) -> EncoderError:
    if own_code:
        return EncoderError(
            f"{path} asks for Python code of its own (auto_map), which emolens never runs.",
            hint=_HINT,
        )
    if kind is None:
        return EncoderError(
            f"{path} has no model_type.", hint='Add one, for example: "model_type": "bert"'
        )
    return EncoderError(f"{path} names an unknown model_type {str(kind)[:60]!r}.", hint=_HINT)


@contextlib.contextmanager
def library_errors(name: str) -> Iterator[None]:
    """Turn every error of a library into an EncoderError, and hide transformers' own messages."""
    try:
        with quiet_transformers():
            yield
    except EmolensError:
        raise
    except Exception as error:
        raise EncoderError(
            f"{name} can't be loaded: {' '.join(str(error).split())[:200]}", hint=_HINT
        ) from error


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Hide the progress bars and the messages of transformers; emolens prints its own."""
    logging = require("transformers.utils.logging", "train")
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
