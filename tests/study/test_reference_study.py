"""The study `emotion` whole, on a checkpoint of DistilBERT's real size with random weights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from emolens.encode.backbone import find_encoder
from emolens.store import load_arrays
from emolens.study import Run, load_study, run_study
from tests.conftest import REAL_DATA
from tests.stages import STAGES

EMOTIONS = {"sadness", "joy", "love", "anger", "fear", "surprise"}
REAL = REAL_DATA / "emotion"


@pytest.fixture(scope="module")
def distilbert(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """6 layers, 768 wide, random weights, and the real uncased vocabulary of 30,522 tokens."""
    import torch
    from transformers import BertTokenizer, DistilBertConfig, DistilBertModel

    folder = tmp_path_factory.mktemp("distilbert")
    vocabulary = find_encoder("minilm").folder / "vocab.txt"
    BertTokenizer(vocab=str(vocabulary), model_max_length=512).save_pretrained(folder)
    torch.manual_seed(0)
    config = DistilBertConfig()
    assert (config.n_layers, config.dim, config.vocab_size) == (6, 768, 30522)
    DistilBertModel(config).save_pretrained(folder)
    yield folder
    shutil.rmtree(folder)  # 265 MB


@pytest.fixture(scope="module")
def run(distilbert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The whole study; on a share of the real data where it is, else of the bundled corpus."""
    dataset = str(REAL) if REAL.is_dir() else "starter"
    overrides = {"data.dataset": dataset, "data.limit": 80, "encoder.name": str(distilbert)}
    folder = tmp_path_factory.mktemp("emotion")
    yield run_study(load_study("emotion", overrides), folder)
    shutil.rmtree(folder)


pytestmark = pytest.mark.slow


def test_every_stage_runs_and_the_recipe_is_the_reference(run: Run) -> None:
    assert list(run.records) == list(STAGES)
    assert run.study.finetune == load_study("emotion").finetune
    assert run.report.is_file()


def test_the_embeddings_are_768_wide(run: Run) -> None:
    table = {n: run.evaluation.by_split[n]["finetune"].n for n in ("validation", "test")}
    for split, n in {"train": 80, **table}.items():
        vectors = load_arrays(run.folder / "embeddings" / f"{split}.safetensors")["embeddings"]
        assert vectors.shape == (n, 768)


def test_the_model_folder_answers_through_a_pipeline(run: Run) -> None:
    from transformers import AutoModelForSequenceClassification, pipeline

    model, loaded = AutoModelForSequenceClassification.from_pretrained(
        run.folder / "model", output_loading_info=True
    )
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]
    assert (model.config.n_layers, model.config.dim) == (6, 768)
    assert set(model.config.id2label.values()) >= EMOTIONS
    classify = pipeline("text-classification", str(run.folder / "model"), top_k=None)
    [answers] = classify(["i feel so happy today"])
    assert {answer["label"] for answer in answers} == set(model.config.id2label.values())
    assert sum(answer["score"] for answer in answers) == pytest.approx(1, abs=1e-4)


def test_predict_answers_as_the_pipeline_does(run: Run) -> None:
    from transformers import pipeline

    from emolens.predict.classifier import Classifier

    text = "i feel so happy today"
    ours = Classifier(run.folder / "model", precision="fp32").predict([text])[0].probabilities
    classify = pipeline("text-classification", str(run.folder / "model"), top_k=None)
    [theirs] = classify([text])
    assert ours == pytest.approx({a["label"]: a["score"] for a in theirs}, abs=1e-3)


def test_the_sample_sentence_has_the_known_ids(distilbert: Path) -> None:
    from emolens.encode.backbone import tokenizer_of

    tokens = tokenizer_of(find_encoder(str(distilbert))).encode(
        ["Tokenizing text is a core task of NLP"]
    )
    assert tokens[0].tolist() == [
        *(101, 19204, 6026, 3793, 2003, 1037, 4563, 4708, 1997, 17953, 2361, 102)
    ]
