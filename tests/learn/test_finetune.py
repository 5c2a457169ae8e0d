"""Fine-tuning the tiny encoder: it learns, keeps the best epoch, and writes a complete folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from transformers import pipeline

from emolens.data.dataset import Dataset, Split
from emolens.encode.backbone import find_encoder, tokenizer_of
from emolens.errors import DataError, EncoderError
from emolens.export.head import read_head
from emolens.learn.finetune import finetune
from emolens.learn.finetune.loop import kept_look
from emolens.learn.finetune.passes import loss_of
from emolens.learn.finetune.plan import planned
from emolens.output import sha256
from emolens.scores import FinetuneFacts, Recipe, Scores

RECIPE = Recipe(epochs=8, learning_rate=3e-3, batch_size=8, warmup=0.1, precision="fp32", seed=7)
ONE_EPOCH = Recipe(epochs=1, learning_rate=1e-2, batch_size=16, precision="fp32", seed=7)


@pytest.fixture(scope="module")
def trained(
    feelings: Dataset,
    tiny_encoder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Scores]:
    folder = tmp_path_factory.mktemp("model")
    return folder, finetune(tiny_encoder, feelings, folder, recipe=RECIPE)


def by_pipeline(folder: Path, dataset: Dataset, **options: bool) -> np.ndarray:
    """The probabilities of the test texts, (n, k), by transformers' own pipeline."""
    classify = pipeline("text-classification", str(folder), top_k=None, device="cpu")
    answers = classify(list(dataset["test"].texts), **options)
    by_name = [{answer["label"]: answer["score"] for answer in row} for row in answers]
    return np.array([[row[name] for name in dataset.labels.names] for row in by_name])


def test_it_learns_far_above_chance(trained: tuple[Path, Scores], feelings: Dataset) -> None:
    _, scores = trained
    assert list(scores.probabilities) == ["validation", "test"]
    assert (scores.predictions("test") == feelings["test"].labels).mean() > 0.6


def test_the_kept_epoch_is_the_last_good_one_of_the_history(
    trained: tuple[Path, Scores], feelings: Dataset
) -> None:
    _, scores = trained
    facts = scores.facts
    assert isinstance(facts, FinetuneFacts)
    assert [point.epoch for point in facts.history] == list(range(1, 9))
    place = kept_look([point.macro_f1 for point in facts.history], len(feelings["validation"]))
    kept = facts.history[place]
    assert facts.kept == kept
    guess, labels = scores.predictions("validation"), feelings["validation"].labels
    assert f1_score(labels, guess, average="macro") == pytest.approx(kept.macro_f1)
    assert facts.training
    assert facts.recipe == RECIPE
    assert set(facts.prediction) == {"validation", "test"}
    assert facts.prediction["validation"].loss == scores.log_loss("validation", labels)


def test_a_class_without_validation_rows_is_not_averaged(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    rows = feelings["validation"]
    kept = rows.take(np.flatnonzero(rows.labels < 2))
    dataset = replace(feelings, splits={**feelings.splits, "validation": kept})
    scores = finetune(tiny_encoder, dataset, tmp_path, recipe=ONE_EPOCH)
    assert isinstance(scores.facts, FinetuneFacts)
    guess = scores.predictions("validation")
    wanted = f1_score(kept.labels, guess, labels=[0, 1], average="macro")
    assert wanted > 0
    assert scores.facts.kept.macro_f1 == pytest.approx(wanted)


def test_the_folder_is_what_the_ecosystem_expects(
    trained: tuple[Path, Scores], tiny_encoder: Path
) -> None:
    folder, _ = trained
    config = json.loads((folder / "config.json").read_text())
    assert config["id2label"] == {"0": "sadness", "1": "joy", "2": "anger"}
    assert config["label2id"] == {"sadness": 0, "joy": 1, "anger": 2}
    assert config["problem_type"] == "single_label_classification"
    ours = json.loads((folder / "emolens.json").read_text())
    assert ours["weights_sha256"] == sha256(folder / "model.safetensors")
    assert ours["base_sha256"] == sha256(tiny_encoder / "model.safetensors")
    assert ours["training_data"]["name"] == "feelings"
    assert ours["training_texts"]["language"] == "en"
    pickled = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt"}
    assert not [path for path in folder.rglob("*") if path.suffix in pickled]


def test_transformers_pipeline_gives_the_same_probabilities(
    trained: tuple[Path, Scores], feelings: Dataset
) -> None:
    folder, scores = trained
    theirs = by_pipeline(folder, feelings)
    np.testing.assert_allclose(theirs, scores.probabilities["test"], atol=1e-5)


def test_the_folder_says_how_far_its_answers_can_be_trusted(
    trained: tuple[Path, Scores], feelings: Dataset
) -> None:
    folder, scores = trained
    calibration = scores.calibration
    assert calibration is not None
    assert read_head(folder).calibration == calibration
    assert (calibration.rows, calibration.folds) == (24, 5)


def test_the_same_seed_gives_the_same_model(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    first, second = (
        finetune(tiny_encoder, feelings, tmp_path / name, recipe=ONE_EPOCH).probabilities["test"]
        for name in ("one", "two")
    )
    assert np.array_equal(first, second)


@pytest.mark.parametrize("method", ["class-weights", "oversample"])
def test_a_small_class_is_helped_by_a_remedy(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path, method: str
) -> None:
    labels = feelings["train"].labels
    few = np.concatenate([np.flatnonzero(labels != 2), np.flatnonzero(labels == 2)[:4]])
    uneven = replace(feelings, splits={**feelings.splits, "train": feelings["train"].take(few)})
    share = []
    for remedy in ("none", method):
        recipe = replace(ONE_EPOCH, balance=remedy)
        scores = finetune(tiny_encoder, uneven, tmp_path / remedy, recipe=recipe)
        share.append(scores.probabilities["test"][:, 2].mean())
    assert share[1] > share[0] + 0.02


def test_the_loss_is_the_sum_of_weighted_cross_entropies() -> None:
    logits = torch.tensor([[1.0, 0.0, -1.0], [0.5, 0.5, 2.0], [0.0, 3.0, 0.0]])
    labels, weights = torch.tensor([0, 1, 1]), torch.tensor([0.5, 2.0, 1.0])
    log_p = torch.log_softmax(logits, dim=1)
    by_hand = -(0.5 * log_p[0, 0] + 2 * log_p[1, 1] + 2 * log_p[2, 1])
    assert loss_of(logits, labels, weights, rdrop=0).item() == pytest.approx(by_hand.item())


def test_r_drop_adds_how_far_two_answers_are_apart() -> None:
    first, second = torch.tensor([[1.0, 0.0, -1.0]]), torch.tensor([[0.5, 0.5, 2.0]])
    p, q = (torch.softmax(logits, dim=1) for logits in (first, second))
    labels, weights = torch.tensor([1, 1]), torch.ones(3)
    loss = loss_of(torch.cat([first, second]), labels, weights, rdrop=3)
    apart = (p * (p / q).log()).sum() + (q * (q / p).log()).sum()
    by_hand = -(p[0, 1].log() + q[0, 1].log()) / 2 + 3 * apart / 2
    assert loss.item() == pytest.approx(by_hand.item())


def test_a_loss_that_is_not_a_number_is_an_encoder_error(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    wild = Recipe(epochs=1, learning_rate=1e9, batch_size=16, precision="fp32")
    with pytest.raises(EncoderError, match="loss is not a number") as caught:
        finetune(tiny_encoder, feelings, tmp_path, recipe=wild)
    assert "learning_rate" in caught.value.hint


def test_progress_ends_at_the_last_step(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    finetune(
        tiny_encoder,
        feelings,
        tmp_path,
        recipe=ONE_EPOCH,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(step, 6) for step in range(1, 7)]


def test_without_a_recipe_one_is_planned(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    few = {**feelings.splits, "train": feelings["train"].take(np.arange(8))}
    scores = finetune(tiny_encoder, replace(feelings, splits=few), tmp_path / "m")
    assert isinstance(scores.facts, FinetuneFacts)
    assert scores.facts.recipe == planned(width=16, n_rows=8)


def test_the_limit_of_the_given_tokenizer_is_saved_with_the_model(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    encoder = find_encoder(str(tiny_encoder))
    short = tokenizer_of(encoder, max_length=6)
    assert short.encode(feelings["test"].texts).n_truncated > 0
    scores = finetune(encoder, feelings, tmp_path / "m", tokenizer=short, recipe=ONE_EPOCH)
    assert json.loads((tmp_path / "m/tokenizer_config.json").read_text())["model_max_length"] == 6
    theirs = by_pipeline(tmp_path / "m", feelings, truncation=True)
    np.testing.assert_allclose(theirs, scores.probabilities["test"], atol=1e-5)


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("missing", [False, True])
def test_a_split_without_rows_is_refused_before_anything_is_loaded(
    feelings: Dataset, tmp_path: Path, split: str, missing: bool
) -> None:
    splits = {**feelings.splits, split: Split((), np.array([], dtype=np.int64))}
    if missing:
        del splits[split]
    with pytest.raises(DataError, match=f"feelings has no rows in {split}") as caught:
        finetune("no such encoder", replace(feelings, splits=splits), tmp_path / "m")
    assert caught.value.hint
    assert not (tmp_path / "m").exists()


def test_texts_that_the_encoders_own_limit_cuts_are_counted(
    feelings: Dataset, tiny_encoder: Path, tmp_path: Path
) -> None:
    rows = feelings["train"]
    texts = ("i am sad " * 30, *rows.texts[1:])
    longer = {**feelings.splits, "train": replace(rows, texts=texts)}
    with pytest.warns(UserWarning, match="Texts cut at 32 tokens: 1"):
        finetune(tiny_encoder, replace(feelings, splits=longer), tmp_path / "m", recipe=ONE_EPOCH)
