"""Fine-tuning the tiny encoder: it learns, keeps the best epoch, and writes a whole folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from transformers import pipeline

from emolens.data.balance import Balance, balance
from emolens.data.dataset import Dataset
from emolens.encode.backbone import find_encoder
from emolens.encode.tokenize import Tokens
from emolens.errors import EncoderError
from emolens.learn.finetune import Recipe, _weighted_loss, finetune
from emolens.scores import Scores
from emolens.store import sha256

RECIPE = Recipe(epochs=8, learning_rate=3e-3, batch_size=8, warmup=0.1, precision="fp32", seed=7)
ONE_EPOCH = Recipe(epochs=1, learning_rate=1e-2, batch_size=16, precision="fp32", seed=7)


@pytest.fixture(scope="module")
def trained(
    feelings: Dataset,
    tokens: dict[str, Tokens],
    tiny_encoder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Scores]:
    folder = tmp_path_factory.mktemp("model")
    encoder = find_encoder(str(tiny_encoder))
    return folder, finetune(encoder, feelings, folder, tokens=tokens, recipe=RECIPE)


def test_it_learns_well_over_chance(trained: tuple[Path, Scores], feelings: Dataset) -> None:
    _, scores = trained
    assert list(scores.probabilities) == ["validation", "test"]
    assert (scores.predictions("test") == feelings["test"].labels).mean() > 0.6


def test_the_kept_epoch_is_the_best_of_the_history(
    trained: tuple[Path, Scores], feelings: Dataset
) -> None:
    _, scores = trained
    after = [p for p in scores.facts["history"] if "eval_macro_f1" in p]
    assert [p["epoch"] for p in after] == list(range(1, 9))
    best = max(after, key=lambda p: p["eval_macro_f1"])
    assert scores.facts["best_epoch"] == best["epoch"]
    guess, labels = scores.predictions("validation"), feelings["validation"].labels
    assert f1_score(labels, guess, average="macro") == pytest.approx(best["eval_macro_f1"])
    assert [p for p in scores.facts["history"] if "loss" in p]


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
    pickled = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt"}
    assert not [path for path in folder.rglob("*") if path.suffix in pickled]


def test_transformers_pipeline_gives_the_same_probabilities(
    trained: tuple[Path, Scores], feelings: Dataset
) -> None:
    folder, scores = trained
    classify = pipeline("text-classification", str(folder), top_k=None, device="cpu")
    texts = list(feelings["test"].texts)
    for answer, row in zip(classify(texts), scores.probabilities["test"], strict=True):
        by_name = {a["label"]: a["score"] for a in answer}
        found = [by_name[name] for name in feelings.labels.names]
        np.testing.assert_allclose(found, row, atol=1e-5)


def test_the_same_seed_gives_the_same_model(
    feelings: Dataset, tokens: dict[str, Tokens], tiny_encoder: Path, tmp_path: Path
) -> None:
    encoder = find_encoder(str(tiny_encoder))
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(finetune(encoder, feelings, tmp_path / name, tokens=tokens, recipe=ONE_EPOCH))
    first, second = (run.probabilities["test"] for run in runs)
    assert np.array_equal(first, second)


@pytest.mark.parametrize("method", ["class-weights", "oversample"])
def test_a_small_class_is_helped_by_a_remedy(
    feelings: Dataset, tokens: dict[str, Tokens], tiny_encoder: Path, tmp_path: Path, method: str
) -> None:
    labels = feelings["train"].labels
    few = np.concatenate([np.flatnonzero(labels != 2), np.flatnonzero(labels == 2)[:4]])
    if method == "oversample":
        found = balance(labels[few], 3, method="oversample", seed=0)
        remedy = Balance(few[found.rows], found.class_weights)
    else:
        found = balance(labels[few], 3, method="class-weights", seed=0)
        remedy = Balance(few, found.class_weights)
    encoder = find_encoder(str(tiny_encoder))
    given = []
    for name, balanced in (("none", Balance(few, np.ones(3))), ("remedy", remedy)):
        (tmp_path / name).mkdir()
        scores = finetune(
            encoder, feelings, tmp_path / name, tokens=tokens, recipe=ONE_EPOCH, balance=balanced
        )
        given.append(scores.probabilities["test"][:, 2].mean())
    assert given[1] > given[0] + 0.02


def test_the_weighted_loss_is_the_mean_of_weighted_cross_entropies() -> None:
    logits = torch.tensor([[1.0, 0.0, -1.0], [0.5, 0.5, 2.0], [0.0, 3.0, 0.0]])
    labels, weights = torch.tensor([0, 1, 1]), np.array([0.5, 2.0, 1.0])
    log_p = torch.log_softmax(logits, dim=1)
    by_hand = -(0.5 * log_p[0, 0] + 2 * log_p[1, 1] + 2 * log_p[2, 1])
    loss = _weighted_loss(weights)
    assert loss({"logits": logits}, labels).item() == pytest.approx(by_hand.item() / 3)
    # Over gradient accumulation the Trainer says how many rows there are in all.
    assert loss({"logits": logits}, labels, 6).item() == pytest.approx(by_hand.item() / 6)
    assert _weighted_loss(np.ones(3)) is None


def test_a_loss_that_is_no_number_is_an_encoder_error(
    feelings: Dataset, tokens: dict[str, Tokens], tiny_encoder: Path, tmp_path: Path
) -> None:
    wild = Recipe(epochs=1, learning_rate=1e30, batch_size=16, precision="fp32")
    with pytest.raises(EncoderError, match="loss is no number") as caught:
        finetune(find_encoder(str(tiny_encoder)), feelings, tmp_path, tokens=tokens, recipe=wild)
    assert "learning_rate" in caught.value.hint


def test_progress_ends_at_the_last_step(
    feelings: Dataset, tokens: dict[str, Tokens], tiny_encoder: Path, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    encoder = find_encoder(str(tiny_encoder))
    finetune(
        encoder,
        feelings,
        tmp_path,
        tokens=tokens,
        recipe=ONE_EPOCH,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(step, 6) for step in range(1, 7)]
