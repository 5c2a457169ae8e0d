"""emolens: from a table of texts to a measured, explained and deployable emotion classifier.

    import emolens as el

    dataset = el.load_dataset("starter")
    encoder = el.Encoder("minilm", pooling="mean")
    run = el.run_study(el.load_study("starter"), "runs/starter")

Names are loaded when they are first used, so that importing emolens costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from emolens.version import __version__ as __version__

_HOMES = {
    "Audit": "emolens.data.audit",
    "ClassFrequencyDisplay": "emolens.show.displays",
    "Classifier": "emolens.predict.classifier",
    "ConfusionDisplay": "emolens.show.displays",
    "Dataset": "emolens.data.dataset",
    "DensityDisplay": "emolens.show.displays",
    "Embeddings": "emolens.encode.embed",
    "EmolensError": "emolens.errors",
    "Encoder": "emolens.encode.embed",
    "Evaluation": "emolens.evaluation.evaluate",
    "LearningCurveDisplay": "emolens.show.displays",
    "Probe": "emolens.learn.probe",
    "Projection": "emolens.explore.project",
    "Recipe": "emolens.scores",
    "ScoreDisplay": "emolens.show.displays",
    "Scores": "emolens.scores",
    "Study": "emolens.study",
    "TokenLengthDisplay": "emolens.show.displays",
    "audit": "emolens.data.audit",
    "balance": "emolens.data.balance",
    "evaluate": "emolens.evaluation.evaluate",
    "export_openvino": "emolens.export.openvino",
    "find_encoder": "emolens.encode.backbone",
    "finetune": "emolens.learn.finetune",
    "load_dataset": "emolens.data.sources",
    "load_study": "emolens.study",
    "majority": "emolens.learn.baselines",
    "predict_table": "emolens.predict.tables",
    "project": "emolens.explore.project",
    "run_study": "emolens.study",
    "save_figure": "emolens.show.canvas",
    "tfidf": "emolens.learn.baselines",
    "tokenizer_of": "emolens.encode.backbone",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'emolens' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])


if TYPE_CHECKING:
    from emolens.data.audit import Audit as Audit
    from emolens.data.audit import audit as audit
    from emolens.data.balance import balance as balance
    from emolens.data.dataset import Dataset as Dataset
    from emolens.data.sources import load_dataset as load_dataset
    from emolens.encode.backbone import find_encoder as find_encoder
    from emolens.encode.backbone import tokenizer_of as tokenizer_of
    from emolens.encode.embed import Embeddings as Embeddings
    from emolens.encode.embed import Encoder as Encoder
    from emolens.errors import EmolensError as EmolensError
    from emolens.evaluation.evaluate import Evaluation as Evaluation
    from emolens.evaluation.evaluate import evaluate as evaluate
    from emolens.explore.project import Projection as Projection
    from emolens.explore.project import project as project
    from emolens.export.openvino import export_openvino as export_openvino
    from emolens.learn.baselines import majority as majority
    from emolens.learn.baselines import tfidf as tfidf
    from emolens.learn.finetune import finetune as finetune
    from emolens.learn.probe import Probe as Probe
    from emolens.predict.classifier import Classifier as Classifier
    from emolens.predict.tables import predict_table as predict_table
    from emolens.scores import Recipe as Recipe
    from emolens.scores import Scores as Scores
    from emolens.show.canvas import save_figure as save_figure
    from emolens.show.displays import ClassFrequencyDisplay as ClassFrequencyDisplay
    from emolens.show.displays import ConfusionDisplay as ConfusionDisplay
    from emolens.show.displays import DensityDisplay as DensityDisplay
    from emolens.show.displays import LearningCurveDisplay as LearningCurveDisplay
    from emolens.show.displays import ScoreDisplay as ScoreDisplay
    from emolens.show.displays import TokenLengthDisplay as TokenLengthDisplay
    from emolens.study import Study as Study
    from emolens.study import load_study as load_study
    from emolens.study import run_study as run_study
