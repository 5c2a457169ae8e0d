"""`emolens cache`, and the commands that use one, as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emolens.encode import cache as entries
from tests.encode.test_cache_size import VECTORS, key
from tests.hostile.test_cache import build, load

pytestmark = pytest.mark.usefixtures("cache")


CLI = [sys.executable, "-c", "from emolens.cli import main; main()"]


@pytest.fixture
def filled(cache: Path) -> Path:
    for i in range(3):
        entries.keep_vectors(key(i), VECTORS)
        os.utime(cache / "embeddings" / f"{key(i)}.safetensors", (i, i))
    entries.cached_model(key(3), build, load)
    entries.keep_refusal(key(4), "a cause")
    entries.keep_compiled(key(5), b"what OpenVINO made")
    (cache / "notes.txt").write_text("mine", "utf-8")
    return cache


def emolens(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLI, *words], capture_output=True, text=True, check=False)


def test_it_shows_the_folder_and_the_entries_by_kind(filled: Path) -> None:
    done = emolens("cache")
    head, _, *rows = done.stdout.splitlines()
    total = sum(path.stat().st_size for path in filled.glob("*/**/*") if path.is_file())
    assert head == f"{filled}: {total / 1000:.1f} KB of 10 GB"
    counts = {row.split()[0]: int(row.split()[1]) for row in rows}
    assert counts == {"vectors": 3, "models": 1, "compiled": 1, "refusals": 1, "all": 6}
    assert done.stderr == "not written by emolens, and left alone: 1\n"


def test_a_limit_removes_the_oldest_and_json_says_what_is_left(filled: Path) -> None:
    done = emolens("cache", "--limit", "9KB", "--json")
    facts = json.loads(done.stdout)
    assert facts["folder"] == str(filled)
    assert facts["limit"] == 10**10
    assert facts["kinds"]["vectors"]["entries"] == 2
    assert facts["removed"]["entries"] == facts["foreign"] == 1
    assert facts["bytes"] == sum(kind["bytes"] for kind in facts["kinds"].values()) <= 9000
    assert not (filled / "embeddings" / f"{key(0)}.safetensors").exists()
    assert done.stderr == ""


def test_clear_removes_all_entries_and_no_other_file(filled: Path) -> None:
    done = emolens("cache", "--clear")
    assert done.stdout.startswith(f"{filled}: 0 B of 10 GB")
    assert done.stderr.startswith("removed: 6 entries, 12.")
    assert [path for path in filled.rglob("*") if path.is_file()] == [filled / "notes.txt"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--clear", "--limit", "0"], "--clear and --limit can't be used together."),
        (["--limit", "lots"], "--limit is 'lots', which is not a size."),
    ],
)
def test_misuse_removes_nothing(filled: Path, words: list[str], message: str) -> None:
    before = list(filled.rglob("*"))
    done = emolens("cache", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert list(filled.rglob("*")) == before


@pytest.mark.skipif(os.name != "posix", reason="Windows has rights of another kind")
def test_a_cache_that_others_can_write_to_is_not_cleared(filled: Path) -> None:
    filled.chmod(0o777)
    before = list(filled.rglob("*"))
    done = emolens("cache", "--clear")
    assert done.returncode == 1
    message = f"Error: The cache {filled} is not used, because other users can write to it.\n"
    assert done.stderr.startswith(message)
    assert list(filled.rglob("*")) == before


def test_encode_without_a_cache_leaves_no_trace_of_one(
    tiny_encoder: Path, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("happy\nsad\n", "utf-8")
    words = ["encode", str(tmp_path / "in.txt"), "--encoder", str(tiny_encoder)]
    assert emolens(*words, "--no-cache").returncode == 0
    assert not cache.exists()
