"""The second run reads; a changed byte misses; damage is noticed; two processes do no harm."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from emolens.encode.backbone import tokenizer_of
from emolens.encode.cache.size import listed, shrink
from emolens.encode.embed import Encoder
from tests.conftest import feeling_rows

pytestmark = pytest.mark.usefixtures("cache")

CUDA = torch.cuda.is_available()
TEXTS = [text for text, _ in feeling_rows(12)]


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "embeddings").glob("*"))


def counted(encoder: Encoder, texts: list[str] = TEXTS) -> tuple[np.ndarray, int]:
    """The vectors, and how many texts were computed for them."""
    seen = [0]
    vectors = encoder.encode(texts, progress=lambda done, n: seen.append(done))
    return vectors, seen[-1]


def test_a_second_run_reads_what_the_first_computed(tiny_encoder: Path, cache: Path) -> None:
    first, computed = counted(Encoder(str(tiny_encoder), precision="fp32"))
    second, again = counted(Encoder(str(tiny_encoder), precision="fp32"))
    assert (computed, again) == (len(TEXTS), 0)
    np.testing.assert_array_equal(first, second)
    assert len(entries(cache)) == 1


def test_who_reads_vectors_loads_no_torch(tiny_encoder: Path) -> None:
    code = """
import sys
from emolens.encode.embed import Encoder
Encoder(sys.argv[1], precision="fp32").encode(sys.argv[2:])
print("torch" in sys.modules)
"""
    command = [sys.executable, "-c", code, str(tiny_encoder), *TEXTS]
    said = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2)]
    assert [run.stdout for run in said] == ["True\n", "False\n"]


@pytest.mark.parametrize("way", ["argument", "limit"])
def test_without_a_cache_nothing_is_read_or_written(
    tiny_encoder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    wanted, _ = counted(Encoder(tiny_encoder))
    (vectors,) = entries(cache)
    vectors.write_bytes(b"not read")
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    if way == "limit":
        monkeypatch.setenv("EMOLENS_CACHE_LIMIT", "0")
    found, computed = counted(Encoder(tiny_encoder, cache=way == "limit"))
    assert computed == len(TEXTS)
    np.testing.assert_array_equal(found, wanted)
    assert kept == {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    shutil.rmtree(cache)
    Encoder(tiny_encoder, cache=way == "limit").encode(TEXTS)
    assert not cache.exists()


def test_without_a_cache_no_refusal_is_read_or_written(untraceable: Path, cache: Path) -> None:
    for _ in range(2):
        encoder = Encoder(untraceable, precision="fp32", cache=False)
        assert encoder.runtime.engine == ("torch" if CUDA else "openvino")
        with contextlib.nullcontext() if CUDA else pytest.warns(UserWarning, match="on torch"):
            encoder.encode(TEXTS)
    assert not cache.exists()


@pytest.mark.filterwarnings("ignore:Texts cut at")
@pytest.mark.parametrize(
    "change",
    [
        {"pooling": "mean"},
        {"precision": "bf16"},
        {"layer": 1},
        {"normalize": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_way_of_encoding_misses(
    tiny_encoder: Path, cache: Path, change: dict[str, object]
) -> None:
    plainly = {"pooling": "cls", "precision": "fp32", "layer": -1}
    counted(Encoder(str(tiny_encoder), **plainly))  # type: ignore[arg-type]
    _, computed = counted(Encoder(str(tiny_encoder), **plainly | change))  # type: ignore[arg-type]
    assert computed == len(TEXTS)
    assert len(entries(cache)) == 2


def test_another_limit_misses(tiny_encoder: Path) -> None:
    counted(Encoder(tiny_encoder))
    short = tokenizer_of(tiny_encoder, max_length=4)
    with pytest.warns(UserWarning, match="Texts cut at 4 tokens: 12"):
        assert counted(Encoder(tiny_encoder, tokenizer=short))[1] == len(TEXTS)


def test_vectors_are_named_by_the_tokens(tiny_encoder: Path) -> None:
    encoder = Encoder(tiny_encoder)
    wanted, _ = counted(encoder)
    found = encoder.encode(encoder.tokenizer.encode(TEXTS), progress=lambda done, n: pytest.fail())
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("row", [0, -1])
def test_a_changed_byte_of_a_text_misses(tiny_encoder: Path, row: int) -> None:
    encoder = Encoder(str(tiny_encoder))
    counted(encoder)
    changed = TEXTS.copy()
    changed[row] = changed[row].replace("i", "o", 1)
    assert counted(encoder, changed)[1] == len(TEXTS)
    assert counted(encoder, TEXTS[:-1])[1] == len(TEXTS) - 1
    assert counted(encoder, TEXTS[::-1])[1] == len(TEXTS)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_changed_byte_of_the_encoder_misses(
    tiny_encoder: Path, tmp_path: Path, file: str
) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    before, _ = counted(Encoder(str(folder), precision="fp32"))
    if file == "model.safetensors":
        weights = load_file(folder / file)
        weights["encoder.layer.1.output.dense.weight"][0, 0] += 1
        save_file(weights, folder / file, metadata={"format": "pt"})
    else:
        (folder / file).write_text((folder / file).read_text("utf-8") + " ", "utf-8")
    after, computed = counted(Encoder(str(folder), precision="fp32"))
    assert computed == len(TEXTS)
    assert np.array_equal(before, after) == (file != "model.safetensors")


@pytest.mark.parametrize("place", [0.02, 0.5, 0.99])
def test_a_damaged_entry_is_noticed_and_computed_again(
    tiny_encoder: Path, cache: Path, place: float
) -> None:
    encoder = Encoder(str(tiny_encoder), precision="fp32")
    wanted, _ = counted(encoder)
    (entry,) = entries(cache)
    content = bytearray(entry.read_bytes())
    content[int(place * len(content))] ^= 1
    entry.write_bytes(content)
    with pytest.warns(UserWarning, match="in the cache is damaged; emolens computes it again"):
        found, computed = counted(encoder)
    assert computed == len(TEXTS)
    np.testing.assert_array_equal(found, wanted)
    assert counted(encoder)[1] == 0


def test_an_entry_that_was_cut_off_is_computed_again(tiny_encoder: Path, cache: Path) -> None:
    encoder = Encoder(str(tiny_encoder))
    counted(encoder)
    (entry,) = entries(cache)
    entry.write_bytes(entry.read_bytes()[:100])
    with pytest.warns(UserWarning, match="is damaged"):
        assert counted(encoder)[1] == len(TEXTS)


def test_a_damaged_model_in_the_cache_is_made_again(tiny_encoder: Path, cache: Path) -> None:
    wanted = Encoder(str(tiny_encoder), precision="fp32").encode(TEXTS)
    (weights,) = cache.glob("models/*/*.bin")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 64
    weights.write_bytes(content)
    (vectors,) = entries(cache)
    vectors.unlink()
    with pytest.warns(UserWarning, match="is damaged"):
        found = Encoder(str(tiny_encoder), precision="fp32").encode(TEXTS)
    np.testing.assert_array_equal(found, wanted)


def test_a_cache_that_cannot_be_written_costs_a_warning_only(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Encoder(str(tiny_encoder), precision="fp32").encode(TEXTS)
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMOLENS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="Results are not kept in the cache: "):
        found, _ = counted(Encoder(str(tiny_encoder), precision="fp32"))
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.skipif(os.name != "posix" or CUDA, reason="needs a limit for files, and OpenVINO")
def test_without_room_for_the_model_torch_runs_it_this_time(
    tiny_encoder: Path, cache: Path
) -> None:
    code = """
import resource, sys
from emolens.encode.embed import Encoder
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, -1))
for _ in range(2):
    encoder = Encoder(sys.argv[1], precision="fp32")
    print(encoder.encode(sys.argv[2:]).tobytes().hex())
    print(encoder.runtime.engine, file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
"""
    command = [sys.executable, "-c", code, str(tiny_encoder), *TEXTS]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    full, room = (np.frombuffer(bytes.fromhex(row), np.float32) for row in run.stdout.split())
    np.testing.assert_allclose(full, room, atol=1e-5)
    said = [line for line in run.stderr.splitlines() if "Warning: " in line]
    assert ["The disk is full: " in line for line in said] == [True, True]
    assert "Results are not kept in the cache: " in said[0]
    assert "The encoder runs on torch: " in said[1]
    assert [line for line in run.stderr.splitlines() if line in ("torch", "openvino")] == [
        "torch",
        "openvino",
    ]
    assert not list(cache.glob("refused/*"))


def test_processes_at_once_leave_sound_entries(tiny_encoder: Path, cache: Path) -> None:
    code = """
import sys
from emolens.encode.embed import Encoder
encoder = Encoder(sys.argv[1], precision="fp32")
for n in range(30):
    print(float(encoder.encode([*sys.argv[2:], 'a' * (n + 1)]).sum()))
"""
    command = [sys.executable, "-W", "error", "-c", code, str(tiny_encoder), *TEXTS]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate()[0].split() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert said[0] == said[1] == said[2]
    assert len(entries(cache)) == len(said[0]) == 30
    encoder = Encoder(str(tiny_encoder), precision="fp32")
    assert all(counted(encoder, [*TEXTS, "a" * (n + 1)])[1] == 0 for n in range(30))


def test_a_cache_that_is_cleared_all_the_time_changes_no_vectors(
    tiny_encoder: Path, cache: Path
) -> None:
    code = """
import sys
from emolens.encode.embed import Encoder


for n in range(3):
    print(Encoder(sys.argv[1], precision="fp32").encode(sys.argv[2:]).tobytes().hex())
"""
    wanted = Encoder(tiny_encoder, precision="fp32").encode(TEXTS).tobytes().hex()
    command = [sys.executable, "-W", "error", "-c", code, str(tiny_encoder), *TEXTS]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while run.poll() is None:
        shrink(listed(), 0)
        time.sleep(0.01)
    out, err = run.communicate()
    assert err == ""
    assert set(out.split()) == {wanted}
