"""One room says which engine runs what, and why; torch takes over what OpenVINO can't run."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    BigBirdConfig,
    BigBirdForSequenceClassification,
    LongformerConfig,
    LongformerModel,
)

from emolens import runtime
from emolens.cli.stops import Stops, stoppable
from emolens.encode.embed import Encoder
from emolens.encode.engines.base import Engine
from emolens.encode.engines.choose import Use, choose, start
from emolens.encode.engines.openvino import OpenVinoEngine
from emolens.encode.engines.torch import TorchEngine
from emolens.errors import EncoderError, UsageError
from emolens.export.openvino import export_openvino
from emolens.study import Study, run_study
from tests.conftest import beside, feeling_rows, small

pytestmark = pytest.mark.usefixtures("cache")


TEXTS = [text for text, _ in feeling_rows(12)]
CUDA = torch.cuda.is_available()


@pytest.fixture
def fixed_in_shape(tiny_encoder: Path, tmp_path: Path) -> Path:
    """A Longformer: what it computes from the shape is a number in the trace."""
    config = LongformerConfig(**small(tiny_encoder), max_position_embeddings=40, attention_window=8)
    return beside(tiny_encoder, tmp_path / "longformer", LongformerModel(config))


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_the_precision_that_was_asked_for_is_taken(precision: str) -> None:
    chosen = choose(precision)
    assert chosen.precision == precision
    assert f"{precision} as asked" in chosen.reason


@pytest.mark.parametrize("precision", [None, "auto"])
def test_the_device_and_precision_follow_the_machine(precision: str | None) -> None:
    chosen = choose(precision)
    assert chosen.device == ("cuda" if CUDA else "cpu")
    assert chosen.precision == ("bf16" if CUDA or runtime.cpu_has_bf16() else "fp32")
    assert chosen == choose()


@pytest.mark.parametrize(
    ("use", "engine"),
    [
        ("encode", "torch" if CUDA else "openvino"),
        ("serve", "openvino"),
        ("score", "torch"),
        ("train", "torch"),
    ],
)
def test_the_engine_follows_the_use(use: Use, engine: str) -> None:
    assert choose("fp32", use=use).engine == engine
    assert choose("fp32", use="serve").device == "cpu"


def test_an_unknown_precision_is_misuse() -> None:
    with pytest.raises(UsageError, match="no precision 'fp23' here") as caught:
        choose("fp23")
    assert "Did you mean 'fp32'?" in caught.value.hint


def test_nothing_is_trained_in_int8() -> None:
    assert choose("int8").device == "cpu"
    with pytest.raises(UsageError, match="no precision 'int8' here"):
        choose("int8", use="train")


@pytest.mark.skipif(CUDA, reason="torch runs everything on CUDA")
class TestWhatOpenVinoCannotRun:
    """torch runs it: told with the cause, kept for the next time, and in the name of vectors."""

    def test_torch_runs_it_and_a_warning_gives_the_cause(self, untraceable: Path) -> None:
        encoder = Encoder(untraceable, pooling="mean", precision="fp32")
        assert encoder.runtime.engine == "openvino"
        with pytest.warns(UserWarning, match="runs on torch: .*OpenVINO can't run the model: Coul"):
            vectors = encoder.encode(TEXTS)
        assert isinstance(encoder._engine, TorchEngine)
        assert encoder.runtime.engine == "torch"
        assert "OpenVINO can't run the model" in str(encoder.runtime)
        model = AutoModel.from_pretrained(untraceable).eval()
        row = torch.tensor(encoder.tokenizer.encode(TEXTS[:1])[0][None].astype(np.int64))
        with torch.inference_mode():
            wanted = model(row)[0][0].mean(0).numpy()
        np.testing.assert_allclose(vectors[0], wanted, atol=1e-5)

    def test_the_next_start_reads_the_vectors_and_knows_the_cause(self, untraceable: Path) -> None:
        with pytest.warns(UserWarning, match="runs on torch"):
            vectors = Encoder(untraceable, precision="fp32").encode(TEXTS)
        again = Encoder(untraceable, precision="fp32")
        assert again.runtime.engine == "torch"
        assert "OpenVINO can't run the model" in again.runtime.reason
        read = again.encode(TEXTS, progress=lambda done, n: pytest.fail("computed again"))
        np.testing.assert_array_equal(read, vectors)

    def test_vectors_of_another_engine_are_not_taken(self, untraceable: Path, cache: Path) -> None:
        with pytest.warns(UserWarning, match="runs on torch"):
            Encoder(untraceable, precision="fp32").encode(TEXTS)
        shutil.rmtree(cache / "refused")
        computed: list[int] = []
        with pytest.warns(UserWarning, match="runs on torch"):
            Encoder(untraceable, precision="fp32").encode(
                TEXTS, progress=lambda done, n: computed.append(done)
            )
        assert computed

    def test_a_model_that_runs_in_one_shape_only_goes_to_torch(self, fixed_in_shape: Path) -> None:
        encoder = Encoder(fixed_in_shape, precision="fp32")
        with pytest.warns(UserWarning, match="runs on torch: .*Reshape"):
            vectors = encoder.encode(["i am happy", "so sad and very alone today", "never"])
        assert np.isfinite(vectors).all()

    def test_a_study_says_it_in_its_line_and_its_files(
        self, untraceable: Path, feelings_folder: Path, tmp_path: Path
    ) -> None:
        plain = {"data": {"dataset": str(feelings_folder)}, "encoder": {"name": str(untraceable)}}
        study = Study.model_validate({"name": "bird", **plain})
        with pytest.warns(UserWarning, match="runs on torch"):
            first = run_study(study, tmp_path / "first", until="embed")
        again = run_study(study, tmp_path / "again", until="embed")
        for run in (first, again):
            assert "OpenVINO can't run the model: Couldn't get" in run.records["embed"].summary
            told = (run.folder / "embeddings" / "embeddings.json").read_text("utf-8")
            assert "OpenVINO can't run the model" in told
        assert "read from the cache" in again.records["embed"].summary

    def test_int8_has_no_other_engine(self, untraceable: Path) -> None:
        with pytest.raises(EncoderError, match="which int8 needs") as caught:
            Encoder(untraceable, precision="int8").encode(TEXTS)
        assert "fp32" in caught.value.hint

    def test_it_is_not_exported(self, tiny_encoder: Path, tmp_path: Path) -> None:
        config = BigBirdConfig(**small(tiny_encoder), max_position_embeddings=32)
        model = BigBirdForSequenceClassification(config)
        folder = beside(tiny_encoder, tmp_path / "classifier", model)
        with pytest.raises(EncoderError, match="OpenVINO can't run the model in") as caught:
            export_openvino(folder)
        assert caught.value.hint
        assert not (folder / "openvino").exists()


@pytest.mark.skipif(CUDA, reason="torch runs everything on CUDA")
def test_what_openvino_runs_stays_there(tiny_encoder: Path, cache: Path) -> None:
    encoder = Encoder(tiny_encoder, precision="fp32")
    encoder.encode(TEXTS)
    assert isinstance(encoder._engine, OpenVinoEngine)
    assert {path.name for path in cache.iterdir()} == {"embeddings", "models"}
    assert repr(encoder).endswith("fp32, openvino on cpu)")


def test_a_signal_that_a_library_swallows_is_no_answer_about_the_model(cache: Path) -> None:
    """OpenVINO turns the exception of a signal into a RuntimeError."""

    def converts(_load: object) -> Engine:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt as stop:
            raise RuntimeError("the frontend failed") from stop
        raise AssertionError

    with stoppable(Stops()), pytest.raises(KeyboardInterrupt):
        start(choose("fp32"), object, traced=converts, model="a" * 16)
    assert not (cache / "refused").exists()
