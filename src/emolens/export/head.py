"""The head in a model folder's config.json: the class names, and the meaning of the outputs.

Knows nothing of weights or engines.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from emolens.calibration import Calibration
from emolens.decide import Decision, Function
from emolens.encode.config import model_config
from emolens.errors import EncoderError, nearest
from emolens.hub import on_the_hub
from emolens.labels import LabelSet
from emolens.modelfolder import CALIBRATION, not_as_written, read_emolens_json
from emolens.names import user_path

_SEVERAL = "multi_label_classification"
_PROBLEMS = ("single_label_classification", _SEVERAL, "regression")


@dataclass(frozen=True)
class Head:
    """The classes in the order of the outputs, and how the outputs become answers.

    calibration: how far they can be trusted; None if emolens has not measured it.
    """

    labels: LabelSet
    decision: Decision
    calibration: Calibration | None = None


def read_head(folder: Path) -> Head:
    """The head that transformers' text-classification pipeline would see, or an EncoderError.

    A regression head is refused: it gives a number, not a class. A `function_to_apply` in
    config.json is used; the pipeline itself takes it only as an argument of its call.
    """
    if not (user_path(folder) / "config.json").is_file():
        meant = on_the_hub(folder)
        raise EncoderError(
            f"{folder} is no model folder.",
            hint="To train one: emolens run. To use the one that comes with emolens:"
            " --model general" + (f".{meant}" if meant else ""),
        )
    config = model_config(folder)
    names = _names(folder, config)
    decision = _decision(folder, config, n=len(names))
    return Head(LabelSet(_distinct(names)), decision, _calibration(folder, n=len(names)))


def _calibration(folder: Path, *, n: int) -> Calibration | None:
    """n: the number of classes."""
    try:
        calibration = Calibration.optional(read_emolens_json(folder).get(CALIBRATION))
        if calibration and calibration.confusion and len(calibration.confusion) != n:
            raise ValueError(f"its calibration is about {len(calibration.confusion)} classes")
        return calibration
    except ValueError as error:
        raise not_as_written(folder, error) from error


def _names(folder: Path, config: dict[str, Any]) -> list[str]:
    """The class of each output."""
    by_key = config.get("id2label")
    if by_key is None and "SequenceClassification" in str(config.get("architectures")):
        # transformers leaves out the names that it gives to two classes itself.
        return [f"LABEL_{i}" for i in range(int(config.get("num_labels") or 2))]
    if not isinstance(by_key, dict) or not by_key:
        raise EncoderError(
            f"{folder} holds a model without classes.",
            hint="Give a model folder, as emolens run writes it, not a bare encoder.",
        )
    wanted = [str(i) for i in range(len(by_key))]
    if set(by_key) != set(wanted):
        raise EncoderError(
            f"{folder / 'config.json'} does not number its classes from 0 to {len(by_key) - 1}.",
            hint='Write one entry for each output into "id2label": {"0": "joy", "1": "anger"}.',
        )
    if other := [key for key in wanted if not isinstance(by_key[key], str)]:
        raise EncoderError(
            f"{folder / 'config.json'} has a name for class {other[0]} that is no text.",
            hint='Write a text for each class into "id2label": {"0": "joy", "1": "anger"}.',
        )
    return [by_key[key] or f"LABEL_{key}" for key in wanted]


def _distinct(names: list[str]) -> tuple[str, ...]:
    """If several classes have one name, their numbers are added: each needs its own column."""
    count = Counter(names)
    if shared := [name for name in count if count[name] > 1]:
        warnings.warn(
            f"Several classes are named '{shared[0]}'; they are shown with their numbers.",
            UserWarning,
            stacklevel=4,
        )
    numbered = [f"{name} ({i})" if count[name] > 1 else name for i, name in enumerate(names)]
    # A class may be named like another one with its number.
    return tuple(numbered) if len(set(numbered)) == len(names) else _distinct(numbered)


def _decision(folder: Path, config: dict[str, Any], *, n: int) -> Decision:
    problem = config.get("problem_type")
    if problem not in (None, *_PROBLEMS):
        raise EncoderError(
            f"{folder / 'config.json'} has an unknown problem_type {str(problem)[:60]!r}.",
            hint=f"Known: {', '.join(_PROBLEMS)}.",
        )
    function = _function(folder, config) or ("sigmoid" if problem == _SEVERAL else "softmax")
    if problem == "regression" or (n == 1 and function != "sigmoid"):
        raise EncoderError(
            f"{folder} holds a regression head: it gives a number, not a class.",
            hint="Give a classifier. If its one output is a class: set"
            f' "problem_type": "{_SEVERAL}" in its config.json.',
        )
    return Decision(
        function, several=problem == _SEVERAL or (problem is None and function == "sigmoid")
    )


def _function(folder: Path, config: dict[str, Any]) -> Function | None:
    """The `function_to_apply` of config.json, if it has one."""
    name = str(config.get("function_to_apply") or "").lower()
    if name and name not in get_args(Function):
        raise EncoderError(
            f"{folder / 'config.json'} names an unknown function '{name}'.",
            hint=nearest(name, get_args(Function)),
        )
    return cast(Function, name) if name else None
