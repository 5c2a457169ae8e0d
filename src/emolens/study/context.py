"""What a stage of a study may read: the study, the data, the encoder, and the files that earlier
stages wrote into the run folder. Runs no stage.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from emolens.data.audit import Audit
from emolens.data.balance import Balance, balance
from emolens.data.dataset import TEST, TRAIN, VALIDATION, Dataset
from emolens.encode.backbone import EncoderFolder, tokenizer_of
from emolens.encode.embed import Embeddings
from emolens.encode.engines.base import Progress
from emolens.encode.tokenize import Tokenizer, Tokens
from emolens.evaluation.behavior import Behavior
from emolens.evaluation.evaluate import Evaluation
from emolens.explore.project import Projection
from emolens.scores import ROLES, Role, Scores
from emolens.store import load_arrays, load_json
from emolens.study.folder import StageRecord
from emolens.study.settings import Study


@dataclass
class Context:
    """What a stage may read. `folder` is the run folder.

    progress: is called with the steps that are done and their number. note: is called with a
    sentence about what a stage is going to do, before it takes long. tensorboard: the folder for
    the figures of the training, if they are wanted.
    renewed: SHA-256 by path in the run folder of files that a user has changed, and whose words a
    stage has taken over into the new file, which may replace them.
    """

    study: Study
    dataset: Dataset
    encoder: EncoderFolder
    folder: Path
    records: dict[str, StageRecord]
    progress: Progress
    note: Callable[[str], None]
    tensorboard: Path | None = None
    renewed: dict[str, str] = field(default_factory=dict)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The encoder's tokenizer with the study's maximum length."""
        return tokenizer_of(self.encoder, max_length=self.study.encoder.max_length)

    @cached_property
    def balance(self) -> Balance:
        """The training rows that models learn from, and the class weights."""
        labels = self.dataset[TRAIN].labels
        method = self.study.balance.method
        return balance(labels, len(self.dataset.labels), method=method, seed=self.study.seed)

    @property
    def typed_folder(self) -> str:
        """The run folder as commands name it: the page may be sent, so no whole path."""
        here, whole = Path.cwd(), Path(os.path.abspath(self.folder))  # noqa: PTH100 - keeps links
        below = whole.is_relative_to(here) and whole != here
        return whole.relative_to(here).as_posix() if below else whole.name

    def tokens(self) -> dict[str, Tokens]:
        """What the tokenize stage wrote."""
        folder = self.folder / "tokens"
        return {s: Tokens(**load_arrays(folder / f"{s}.safetensors")) for s in self.dataset.splits}

    def audit(self) -> Audit:
        """What the audit stage wrote."""
        return Audit.from_dict(load_json(self.folder / "audit.json"))

    def embeddings(self) -> Embeddings:
        """What the embed stage wrote."""
        return Embeddings.load(self.folder / "embeddings", list(self.dataset.splits))

    def projection(self, split: str = TRAIN) -> Projection:
        """What the map stage wrote."""
        return Projection.load(self.folder / projection_file(split))

    def scores_of(self, role: Role) -> Scores:
        """The scores of a role's model on validation and test."""
        return Scores.load(self.folder / role.folder, (VALIDATION, TEST))

    def scores(self) -> list[Scores]:
        """The scores of every model, from the simplest to the strongest."""
        return [self.scores_of(role) for role in ROLES.values()]

    def evaluation(self) -> Evaluation:
        """What the evaluate stage wrote."""
        return Evaluation.load(self.folder / "evaluation.json")

    def behavior(self) -> Behavior | None:
        """What the behavior stage wrote; None if the model could not be tried."""
        if "behavior" not in self.records:
            return None
        plain = load_json(self.folder / "behavior.json")
        return None if plain is None else Behavior.from_dict(plain)


def projection_file(split: str) -> str:
    """Where the places of a split on the map stand in a run folder."""
    return "projection.parquet" if split == TRAIN else f"projection-{split}.parquet"
