"""What OpenVINO prepares is kept for the next start, and never in place of checked files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emolens.encode.cache import keep_compiled, read_compiled
from emolens.encode.engines.openvino import OpenVinoEngine
from emolens.errors import EmolensError
from emolens.predict.classifier import Classifier
from emolens.study import Run
from tests.conftest import feeling_rows

TEXTS = [text for text, _ in feeling_rows(12)]


@pytest.fixture
def model(tiny_run: Run, tmp_path: Path, cache: Path) -> Path:
    return shutil.copytree(tiny_run.folder / "model", tmp_path / "model")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[OpenVinoEngine]:
    """Grows with each model that OpenVINO has to prepare."""
    grown: list[OpenVinoEngine] = []
    prepare = OpenVinoEngine._compiled

    def note(engine: OpenVinoEngine, switches: dict[str, str]) -> object:
        grown.append(engine)
        return prepare(engine, switches)

    monkeypatch.setattr(OpenVinoEngine, "_compiled", note)
    return grown


def kept(cache: Path) -> list[Path]:
    return sorted(cache.glob("compiled/*"))


def test_the_second_start_prepares_nothing_and_answers_the_same(
    model: Path, cache: Path, compiled: list[OpenVinoEngine]
) -> None:
    first = Classifier(model, precision="fp32").predict(TEXTS)
    assert (len(compiled), len(kept(cache))) == (1, 1)
    assert Classifier(model, precision="fp32").predict(TEXTS) == first
    assert len(compiled) == 1


def test_another_precision_or_model_has_an_entry_of_its_own(
    model: Path, cache: Path, compiled: list[OpenVinoEngine], tiny_run: Run
) -> None:
    Classifier(model, precision="fp32")
    Classifier(model, precision="bf16")
    Classifier(tiny_run.folder / "model", precision="fp32")  # the same files elsewhere
    assert (len(compiled), len(kept(cache))) == (2, 2)


def test_a_damaged_entry_is_noticed_and_made_again(
    model: Path, cache: Path, compiled: list[OpenVinoEngine]
) -> None:
    first = Classifier(model, precision="fp32").predict(TEXTS)
    [entry] = kept(cache)
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    with pytest.warns(UserWarning, match="is damaged; emolens computes it again"):
        assert Classifier(model, precision="fp32").predict(TEXTS) == first
    assert Classifier(model, precision="fp32").predict(TEXTS) == first
    assert len(compiled) == 2


def test_long_texts_have_a_compiled_model_of_their_own(
    model: Path, cache: Path, compiled: list[OpenVinoEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emolens.encode.engines.openvino._LONG", 6)
    first = Classifier(model, precision="fp32").predict(TEXTS)
    assert (len(compiled), len(kept(cache))) == (2, 2)
    assert Classifier(model, precision="fp32").predict(TEXTS) == first
    assert len(compiled) == 2


def test_one_that_openvino_refuses_is_compiled_again(
    model: Path, cache: Path, compiled: list[OpenVinoEngine]
) -> None:
    first = Classifier(model, precision="fp32").predict(TEXTS)
    [entry] = kept(cache)
    keep_compiled(entry.stem, b"no model")
    assert Classifier(model, precision="fp32").predict(TEXTS) == first
    assert len(compiled) == 2


def test_if_an_export_replaces_the_files_nothing_is_kept_under_the_old_key(
    model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = iter(["the old files", "the new files"])
    monkeypatch.setattr("emolens.export.model._content_key", lambda *_: next(keys))
    Classifier(model, precision="fp32").predict(TEXTS)
    assert not kept(cache)


def test_of_a_damaged_model_nothing_is_kept(model: Path, cache: Path) -> None:
    weights = model / "openvino" / "openvino_model.bin"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(EmolensError, match="it is damaged"):
        Classifier(model, precision="fp32")
    assert not kept(cache)


def test_a_model_whose_files_nobody_lists_is_prepared_each_time(
    model: Path, cache: Path, compiled: list[OpenVinoEngine]
) -> None:
    (model / "emolens.json").unlink()
    for _ in range(2):
        Classifier(model, precision="fp32").predict(TEXTS)
    assert (len(compiled), kept(cache)) == (2, [])


@pytest.mark.parametrize("way", ["limit", "no folder"])
def test_without_a_cache_it_answers_and_says_nothing(
    model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "limit":
        monkeypatch.setenv("EMOLENS_CACHE_LIMIT", "0")
    else:
        cache.write_text("in the way")
    assert Classifier(model, precision="fp32").predict(TEXTS[:1])[0].text == TEXTS[0]
    assert not kept(cache)


def read_back(key: str) -> bytes | None:
    memory = bytearray()

    def room(size: int) -> memoryview:
        memory.extend(bytes(size))
        return memoryview(memory)

    return bytes(memory) if read_compiled(key, room) else None


def test_an_entry_under_another_name_is_not_taken(cache: Path) -> None:
    keep_compiled("0" * 16, b"content")
    assert read_back("0" * 16) == b"content"
    (cache / "compiled" / f"{'0' * 16}.blob").rename(cache / "compiled" / f"{'1' * 16}.blob")
    with pytest.warns(UserWarning, match="is damaged"):
        assert read_back("1" * 16) is None
    assert read_back("0" * 16) is None
