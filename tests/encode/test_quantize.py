"""int8 stays near the exact vectors, and a text's vector does not depend on its neighbors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emolens.encode.embed import Encoder
from tests.conftest import feeling_rows

TEXTS = [text for text, _ in feeling_rows(40)]


@pytest.fixture(scope="module")
def int8(tiny_encoder: Path) -> Encoder:
    return Encoder(str(tiny_encoder), pooling="mean", precision="int8")


def test_int8_vectors_are_near_the_exact_ones(tiny_encoder: Path, int8: Encoder) -> None:
    exact = Encoder(str(tiny_encoder), pooling="mean", precision="fp32").encode(TEXTS)
    found = int8.encode(TEXTS)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(found, axis=1)
    assert ((exact * found).sum(1) / lengths).min() > 0.98
    assert np.abs(exact - found).max() > 1e-4  # it is another computation


def test_an_int8_vector_does_not_depend_on_its_neighbors(int8: Encoder) -> None:
    together = int8.encode([*TEXTS, "very " * 30, "wow"] * 3)[: len(TEXTS)]
    alone = np.concatenate([int8.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=0.02)
    assert np.median(np.abs(together - alone)) < 1e-3


def test_the_quantized_model_is_kept(
    tiny_encoder: Path, int8: Encoder, capfd: pytest.CaptureFixture[str]
) -> None:
    wanted = int8.encode(TEXTS)
    again = Encoder(str(tiny_encoder), pooling="mean", precision="int8")
    np.testing.assert_array_equal(again.encode(TEXTS), wanted)
    assert capfd.readouterr().out == ""  # NNCF would write its bars there


def test_nncf_gets_the_core_of_the_process(
    tiny_encoder: Path, int8: Encoder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """See engines/openvino.py: of two that end in another order, Ctrl-C would be a crash."""
    monkeypatch.setattr("openvino.Core", lambda: pytest.fail("a second Core"))
    Encoder(str(tiny_encoder), pooling="mean", precision="int8").encode(TEXTS)
    assert list(cache.glob("models/*"))
