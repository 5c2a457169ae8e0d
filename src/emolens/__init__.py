"""emolens: from a table of texts to a measured, explained and deployable emotion classifier.

    import emolens as el

    dataset = el.load_dataset("starter")
    encoder = el.Encoder("minilm", pooling="mean")
    embeddings = encoder.embed(dataset)
    run = el.run_study(el.load_study("starter"), "runs/starter")

A name is loaded when it is first used, so importing emolens costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from emolens.version import __version__ as __version__

# Public names by the module that they are loaded from.
_NAMES = {
    "data.audit": "Audit audit",
    "data.audit.check": "Check",
    "data.audit.contents": "Contents audit_texts",
    "data.balance": "Balance balance",
    "data.dataset": "Dataset Split",
    "data.labelled": "Labelled",
    "data.sources": "load_dataset load_rows load_texts",
    "data.unlabelled": "Texts",
    "encode.backbone": "EncoderFolder find_encoder tokenizer_of",
    "encode.batches": "padded_batch",
    "encode.embed": "Embeddings Encoder",
    "encode.tokenize": "Tokenizer Tokens",
    "errors": "EmolensError",
    "evaluation.behavior": "Behavior BehaviorTest behavior",
    "evaluation.calibration": "PromiseKept",
    "evaluation.compared": "OtherAnswer RunComparison RunPair",
    "evaluation.evaluate": "Evaluation evaluate",
    "evaluation.model": "ModelEvaluation",
    "evaluation.seeds": "Seeds",
    "explore.project": "Projection project",
    "export.openvino": "export_openvino",
    "export.verify": "Drift drift",
    "judge.check": "Checked score_sheet",
    "judge.model": "score_model",
    "judge.report": "ModelReport",
    "judge.sheet": "DrawOptions Drawn draw_sheet",
    "labels": "LabelSet",
    "learn.baselines": "majority tfidf",
    "learn.finetune": "finetune",
    "learn.finetune.plan": "plan_recipe",
    "learn.finetune.seeds": "finetune_seeds",
    "learn.probe": "Probe",
    "predict.classifier": "Classifier Prediction",
    "predict.tables": "WriteOptions predict_table",
    "predict.tally": "Tally",
    "scores": (
        "EpochPoint FinetuneFacts LinearFacts LossPoint MajorityFacts Recipe Scores SeedPoint"
    ),
    "show.canvas": "save_figure",
    "show.compared": "write_comparison",
    "show.displays": (
        "ClassFrequencyDisplay ConfusionDisplay ConfusionPairDisplay DensityDisplay "
        "LearningCurveDisplay ScoreDisplay TokenLengthDisplay"
    ),
    "show.reliability": "CoverageDisplay ReliabilityDisplay",
    "show.scored": "write_report",
    "study.compare": "compare",
    "study": "Run Study load_study run_study",
}
_HOMES = {name: f"emolens.{home}" for home, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'emolens' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])


if TYPE_CHECKING:
    from emolens.data.audit import Audit as Audit
    from emolens.data.audit import audit as audit
    from emolens.data.audit.check import Check as Check
    from emolens.data.audit.contents import Contents as Contents
    from emolens.data.audit.contents import audit_texts as audit_texts
    from emolens.data.balance import Balance as Balance
    from emolens.data.balance import balance as balance
    from emolens.data.dataset import Dataset as Dataset
    from emolens.data.dataset import Split as Split
    from emolens.data.labelled import Labelled as Labelled
    from emolens.data.sources import load_dataset as load_dataset
    from emolens.data.sources import load_rows as load_rows
    from emolens.data.sources import load_texts as load_texts
    from emolens.data.unlabelled import Texts as Texts
    from emolens.encode.backbone import EncoderFolder as EncoderFolder
    from emolens.encode.backbone import find_encoder as find_encoder
    from emolens.encode.backbone import tokenizer_of as tokenizer_of
    from emolens.encode.batches import padded_batch as padded_batch
    from emolens.encode.embed import Embeddings as Embeddings
    from emolens.encode.embed import Encoder as Encoder
    from emolens.encode.tokenize import Tokenizer as Tokenizer
    from emolens.encode.tokenize import Tokens as Tokens
    from emolens.errors import EmolensError as EmolensError
    from emolens.evaluation.behavior import Behavior as Behavior
    from emolens.evaluation.behavior import BehaviorTest as BehaviorTest
    from emolens.evaluation.behavior import behavior as behavior
    from emolens.evaluation.calibration import PromiseKept as PromiseKept
    from emolens.evaluation.compared import OtherAnswer as OtherAnswer
    from emolens.evaluation.compared import RunComparison as RunComparison
    from emolens.evaluation.compared import RunPair as RunPair
    from emolens.evaluation.evaluate import Evaluation as Evaluation
    from emolens.evaluation.evaluate import evaluate as evaluate
    from emolens.evaluation.model import ModelEvaluation as ModelEvaluation
    from emolens.evaluation.seeds import Seeds as Seeds
    from emolens.explore.project import Projection as Projection
    from emolens.explore.project import project as project
    from emolens.export.openvino import export_openvino as export_openvino
    from emolens.export.verify import Drift as Drift
    from emolens.export.verify import drift as drift
    from emolens.judge.check import Checked as Checked
    from emolens.judge.check import score_sheet as score_sheet
    from emolens.judge.model import score_model as score_model
    from emolens.judge.report import ModelReport as ModelReport
    from emolens.judge.sheet import Drawn as Drawn
    from emolens.judge.sheet import DrawOptions as DrawOptions
    from emolens.judge.sheet import draw_sheet as draw_sheet
    from emolens.labels import LabelSet as LabelSet
    from emolens.learn.baselines import majority as majority
    from emolens.learn.baselines import tfidf as tfidf
    from emolens.learn.finetune import finetune as finetune
    from emolens.learn.finetune.plan import plan_recipe as plan_recipe
    from emolens.learn.finetune.seeds import finetune_seeds as finetune_seeds
    from emolens.learn.probe import Probe as Probe
    from emolens.predict.classifier import Classifier as Classifier
    from emolens.predict.classifier import Prediction as Prediction
    from emolens.predict.tables import WriteOptions as WriteOptions
    from emolens.predict.tables import predict_table as predict_table
    from emolens.predict.tally import Tally as Tally
    from emolens.scores import EpochPoint as EpochPoint
    from emolens.scores import FinetuneFacts as FinetuneFacts
    from emolens.scores import LinearFacts as LinearFacts
    from emolens.scores import LossPoint as LossPoint
    from emolens.scores import MajorityFacts as MajorityFacts
    from emolens.scores import Recipe as Recipe
    from emolens.scores import Scores as Scores
    from emolens.scores import SeedPoint as SeedPoint
    from emolens.show.canvas import save_figure as save_figure
    from emolens.show.compared import write_comparison as write_comparison
    from emolens.show.displays import ClassFrequencyDisplay as ClassFrequencyDisplay
    from emolens.show.displays import ConfusionDisplay as ConfusionDisplay
    from emolens.show.displays import ConfusionPairDisplay as ConfusionPairDisplay
    from emolens.show.displays import DensityDisplay as DensityDisplay
    from emolens.show.displays import LearningCurveDisplay as LearningCurveDisplay
    from emolens.show.displays import ScoreDisplay as ScoreDisplay
    from emolens.show.displays import TokenLengthDisplay as TokenLengthDisplay
    from emolens.show.reliability import CoverageDisplay as CoverageDisplay
    from emolens.show.reliability import ReliabilityDisplay as ReliabilityDisplay
    from emolens.show.scored import write_report as write_report
    from emolens.study import Run as Run
    from emolens.study import Study as Study
    from emolens.study import load_study as load_study
    from emolens.study import run_study as run_study
    from emolens.study.compare import compare as compare
