"""The size of the cache: what is counted, what is removed first, and what stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolens.encode import cache as entries
from emolens.encode.cache import size
from emolens.encode.cache.folder import KINDS
from emolens.errors import UsageError
from tests.hostile.test_cache import MODEL, build, load

pytestmark = pytest.mark.usefixtures("cache")


VECTORS = np.zeros((10, 100), np.float32)  # 4,000 bytes, and a header


def key(i: int) -> str:
    return f"{i:016x}"


def keep(i: int, *, age: float = 0) -> Path:
    """An entry that was last used `age` seconds ago."""
    entries.keep_vectors(key(i), VECTORS)
    path = size.cache_folder() / "embeddings" / f"{key(i)}.safetensors"
    os.utime(path, (time.time() - age,) * 2)
    return path


def there() -> set[str]:
    return {Path(entry.path).stem for entry in size.listed().entries}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0", 0),
        ("123", 123),
        ("500MB", 500_000_000),
        ("500 mb", 500_000_000),
        ("1.5GB", 1_500_000_000),
        ("2g", 2_000_000_000),
        ("1KiB", 1024),
        ("2GiB", 2 * 1024**3),
        (" 7 B ", 7),
        ("1TB", 10**12),
    ],
)
def test_a_size_is_read(text: str, wanted: int) -> None:
    assert size.parse_size(text, "--limit") == wanted


@pytest.mark.parametrize("text", ["", "GB", "-1", "1e9", "1,5GB", "2XB", "1 2", "٣", "9" * 5000])
def test_what_is_no_size_is_misuse_and_named(text: str) -> None:
    with pytest.raises(UsageError, match="which is not a size"):
        size.parse_size(text, "--limit")


@given(n=st.integers(0, 10**16))
def test_a_size_that_is_shown_can_be_read(n: int) -> None:
    assert size.parse_size(size.size_text(n), "") == pytest.approx(n, rel=0.06)


def test_only_what_emolens_wrote_is_counted_and_removed(cache: Path) -> None:
    keep(1)
    entries.keep_refusal(key(2), "a cause")
    entries.keep_compiled(key(5), b"what OpenVINO made")
    assert entries.cached_model(key(3), build, load) == MODEL
    assert entries.cached_model(key(4), build, load) == MODEL
    mine = [
        cache / "notes.txt",
        cache / "embeddings" / "mine.safetensors",
        cache / "embeddings" / f"{key(9)}.safetensors.bak",
        cache / "embeddings" / key(9),
        cache / "models" / key(4) / "notes.txt",
        cache / "models" / "mine" / "openvino_model.xml",
        cache / "models" / key(8) / "notes.txt",
        cache / "refused" / f"{key(2)}.txt",
        cache / "compiled" / f"{key(5)}.bin",
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine", "utf-8")
    (cache / "embeddings" / f"{key(7)}.safetensors").symlink_to(cache / "notes.txt")
    listing = size.listed()
    counts = {kind: len(listing.of(kind)) for kind in KINDS}
    assert counts == {"embeddings": 1, "models": 2, "compiled": 1, "refused": 1}
    assert listing.foreign == 10
    removed = size.shrink(listing, 0)
    assert len(removed.entries) == 5
    assert all(path.read_text("utf-8") == "mine" for path in mine)
    after = size.listed()
    assert (after.entries, after.foreign) == ([], 10)
    files = {path for path in cache.rglob("*") if path.is_file() and not path.is_symlink()}
    assert files == set(mine)


def test_the_entries_not_used_for_longest_go_first(cache: Path) -> None:
    for i in range(5):
        keep(i, age=100 - i)
    assert entries.read_vectors(key(1), len(VECTORS)) is not None  # used just now
    one = size.bytes_in(size.listed().entries) // 5
    removed = size.shrink(size.listed(), 3 * one)
    assert [Path(entry.path).stem for entry in removed.entries] == [key(0), key(2)]
    assert there() == {key(1), key(3), key(4)}


def test_reading_a_model_or_a_refusal_is_use(cache: Path) -> None:
    entries.keep_refusal(key(1), "a cause")
    entries.cached_model(key(1), build, load)
    for entry in size.listed().entries:
        os.utime(entry.path, (1, 1))
    entries.read_refusal(key(1))
    entries.cached_model(key(1), build, load)
    assert all(entry.used > 10**9 for entry in size.listed().entries)


def test_a_write_over_the_limit_makes_room_and_its_entry_stays(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_CACHE_LIMIT", "50KB")
    for i in range(40):
        keep(i, age=1000 - i)
        assert key(i) in there()
        assert size.bytes_in(size.listed().entries) <= 50_000
    assert len(there()) >= 10
    # Also if, by its time, the new entry is the oldest.
    monkeypatch.setenv("EMOLENS_CACHE_LIMIT", "9KB")
    for entry in size.listed().entries:
        os.utime(entry.path, (2e9, 2e9))
    keep(99)
    assert there() >= {key(99)}
    assert size.bytes_in(size.listed().entries) <= 9_000


def test_what_other_processes_write_counts_too(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_CACHE_LIMIT", "200KB")
    keep(0)
    for i in range(100, 140):  # past the count of this process
        (cache / "embeddings" / f"{key(i)}.safetensors").write_bytes(bytes(4_000))
    for i in range(1, 20):
        keep(i)
    assert size.bytes_in(size.listed().entries) <= 200_000


def test_what_is_larger_than_the_limit_is_not_kept_and_used_all_the_same(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_CACHE_LIMIT", "5B")
    builds: list[Path] = []

    def counted(folder: Path) -> None:
        builds.append(folder)
        build(folder)

    with pytest.warns(UserWarning, match="larger than the cache's limit of 5 B") as caught:
        for i in range(2):
            entries.keep_vectors(key(i), VECTORS)
        assert entries.cached_model(key(3), counted, load) == MODEL
    assert len(caught) == len(builds) == 1
    assert there() == set()
    assert not [path for path in cache.iterdir() if path.name not in ("embeddings", "models")]


def test_a_limit_of_0_neither_reads_nor_writes(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(1)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    monkeypatch.setenv("EMOLENS_CACHE_LIMIT", "0")
    assert entries.read_vectors(key(1), len(VECTORS)) is None
    entries.keep_vectors(key(2), VECTORS)
    entries.keep_refusal(key(2), "a cause")
    assert entries.read_refusal(key(2)) is None
    assert entries.cached_model(key(2), build, load) == MODEL
    assert before == {path: path.stat().st_mtime_ns for path in cache.rglob("*")}


def test_a_limit_that_is_no_size_is_misuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_CACHE_LIMIT", "much")
    with pytest.raises(UsageError, match="EMOLENS_CACHE_LIMIT is 'much'"):
        entries.read_vectors(key(1), 1)


def test_most_writes_do_not_look_at_all_entries(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(0)
    looks: list[int] = []
    listed = size.listed
    monkeypatch.setattr(size, "listed", lambda: looks.append(1) or listed())
    for i in range(1, 200):
        entries.keep_vectors(key(i), VECTORS)
    assert looks == []


def test_a_cache_that_is_not_there_is_empty(cache: Path) -> None:
    assert size.listed().entries == size.shrink(size.listed(), 0).entries == []
    assert not cache.exists()
