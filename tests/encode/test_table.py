"""A table's vectors are those of its texts, in order, however many chunks it takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from emolens.data.readers.options import ReadOptions
from emolens.encode import table
from emolens.encode.embed import Encoder
from emolens.encode.table import encode_table
from emolens.errors import DataError, UsageError
from tests.conftest import HOSTILE, feeling_rows, write_csv

TEXTS = [*HOSTILE, "", "very " * 60, *(text for text, _ in feeling_rows(40))]


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> Encoder:
    return Encoder(str(tiny_encoder), pooling="mean", precision="fp32", cache=False)


def vectors(path: Path) -> np.ndarray:
    rows = pq.read_table(path)
    assert rows["row"].to_pylist() == list(range(len(rows)))
    return np.array(rows["embedding"].to_pylist(), dtype=np.float32)


@pytest.mark.parametrize(("rows", "characters"), [(8192, 8_000_000), (7, 8_000_000), (8192, 50)])
def test_every_row_gets_its_vector(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, characters: int
) -> None:
    monkeypatch.setattr(table, "_CHUNK_TEXTS", rows)
    monkeypatch.setattr(table, "_CHUNK_CHARACTERS", characters)
    source = write_csv(tmp_path / "in.csv", [(i, t) for i, t in enumerate(TEXTS)], ("id", "text"))
    calls: list[int] = []
    target = tmp_path / "out.parquet"
    done = encode_table(encoder, source, target, progress=lambda done, _: calls.append(done))
    assert (done.rows, done.truncated, done.width) == (len(TEXTS), 5, 16)
    assert calls == sorted(calls)
    assert calls[-1] == len(TEXTS)
    with pytest.warns(UserWarning, match="Texts cut at 32 tokens: 5"):
        wanted = encoder.encode(TEXTS)
    np.testing.assert_allclose(vectors(target), wanted, atol=1e-5)


def test_the_call_after_an_interrupted_one_goes_on_from_there(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_CACHE", str(tmp_path / "cache"))
    encoder = Encoder(str(tiny_encoder), pooling="mean", precision="fp32")
    monkeypatch.setattr(table, "_CHUNK_TEXTS", 7)
    source, target = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    rows = [json.dumps({"text": "a" * (n + 1)}) for n in range(20)]
    source.write_text("\n".join(rows), "utf-8")

    def stop(done: int, total: int | None) -> None:
        if done > 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_table(encoder, source, target, progress=stop)
    kept = {path: path.stat().st_ino for path in tmp_path.glob("cache/embeddings/*")}
    assert len(kept) == 2
    encode_table(encoder, source, target)
    after = {path: path.stat().st_ino for path in tmp_path.glob("cache/embeddings/*")}
    assert len(after) == 3
    assert after.items() > kept.items()
    wanted = encoder.encode(["a" * (n + 1) for n in range(20)])
    np.testing.assert_allclose(vectors(target), wanted, atol=1e-5)


def test_a_missing_text_is_the_empty_one(encoder: Encoder, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    rows = [{"body": "happy"}, {"body": None}, {"other": 1}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    encode_table(encoder, source, tmp_path / "out.parquet")
    wanted = encoder.encode(["happy", "", ""])
    with pytest.raises(UsageError, match="exists already"):
        encode_table(encoder, source, tmp_path / "out.parquet")
    done = encode_table(encoder, str(source), str(tmp_path / "out.parquet"), overwrite=True)
    assert done.rows == 3
    np.testing.assert_allclose(vectors(tmp_path / "out.parquet"), wanted, atol=1e-5)


def test_a_file_that_cannot_be_read_or_written_is_named_and_leaves_no_output(
    encoder: Encoder, tmp_path: Path
) -> None:
    target = tmp_path / "out.parquet"
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"text": "happy"}\n{"text": \n', "utf-8")
    with pytest.raises(DataError, match="line 2: this is not JSON"):
        encode_table(encoder, broken, target)
    empty = write_csv(tmp_path / "empty.csv", [])
    with pytest.raises(DataError, match="holds no rows"):
        encode_table(encoder, empty, target)
    with pytest.raises(DataError, match="no text column 'mood'"):
        encode_table(
            encoder, write_csv(tmp_path / "a.csv", [("x", "y")]), target, text_column="mood"
        )
    with pytest.raises(UsageError, match="emolens can't write"):
        encode_table(encoder, broken, tmp_path / "out.npy")
    assert not list(tmp_path.glob("*out*"))


def test_every_line_of_a_txt_gets_a_vector(encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("happy\n\n  \nsad\n", "utf-8")
    encode_table(encoder, tmp_path / "in.txt", tmp_path / "out.parquet")
    wanted = encoder.encode(["happy", "", "  ", "sad"])
    np.testing.assert_allclose(vectors(tmp_path / "out.parquet"), wanted, atol=1e-5)


def test_a_row_that_cannot_be_read_keeps_its_place_without_a_vector(
    encoder: Encoder, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "happy"}\n{"text": {"a": 1}}\n{"text": "sad"}\n', "utf-8")
    done = encode_table(encoder, source, tmp_path / "out.parquet")
    assert (done.rows, done.errors) == (3, 1)
    (note,) = done.notes
    assert (note.n_rows, note.rows) == (1, (2,))
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["row"] for row in rows] == [0, 1, 2]
    assert rows[1]["embedding"] is None
    wanted = encoder.encode(["happy", "sad"])
    np.testing.assert_allclose([rows[0]["embedding"], rows[2]["embedding"]], wanted, atol=1e-5)
    with pytest.raises(DataError, match="line 2: the text is"):
        encode_table(encoder, source, tmp_path / "b.parquet", read=ReadOptions(strict=True))
    source.write_text('{"text": {"a": 1}}\n', "utf-8")
    with pytest.raises(DataError, match="line 1: the text is"):
        encode_table(encoder, source, tmp_path / "c.parquet")
