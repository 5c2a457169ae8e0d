"""Giant texts: the ids are those of the whole text, in little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import models, normalizers, pre_tokenizers, trainers

from emolens.encode.giant import GIANT
from emolens.encode.tokenize import Tokenizer
from emolens.errors import DataError
from tests.conftest import WORDS

LIMIT = 64
# What people, and programs, repeat without an end.
BLOCKS = (
    " ", "\n", " \t\n", "\u00a0", "\u3000", "a", "ab", "happy", "happy ", "so sad, ", "...", "1",
    "\U0001f600", "\U0001f468\u200d\U0001f469", "\u6211", "\u0301", "e\u0301", "\u200d", "\u00ad",
    "\x01", "\ufffd", "\u05e9", "[SEP]", "\u0130", "\ufb01", "\uac00", "_", "\u2581", "x" * 100, "",
)  # fmt: skip


def bert(folder: Path) -> Any:
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))


def byte_level(_: Path) -> Any:
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return _trained(backend, trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet))


def bpe_with_unknown(_: Path) -> Any:
    backend = tokenizers.Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=True))
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    return _trained(backend, trainers.BpeTrainer(vocab_size=200, special_tokens=["[UNK]"]))


def sentence_piece(_: Path) -> Any:
    backend = tokenizers.Tokenizer(models.Unigram())
    parts = [normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
    backend.normalizer = normalizers.Sequence(parts)
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=["[UNK]"], unk_token="[UNK]", show_progress=False
    )
    return _trained(backend, trainer)


def words_only(_: Path) -> Any:
    ids = {"[UNK]": 0, "happy": 1, "sad": 2, ",": 3}
    backend = tokenizers.Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    backend.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return backend


def _trained(backend: Any, trainer: Any) -> Any:
    backend.train_from_iterator([" ".join(WORDS)] * 20, trainer)
    return backend


MAKERS = (bert, byte_level, bpe_with_unknown, sentence_piece, words_only)


@pytest.fixture(scope="module", params=MAKERS, ids=lambda maker: maker.__name__)
def tokenizer(request: pytest.FixtureRequest, tiny_encoder: Path) -> Tokenizer:
    return Tokenizer(request.param(tiny_encoder), max_length=LIMIT, pad_id=0)


def whole(tokenizer: Tokenizer, text: str) -> tuple[list[int], bool]:
    """The slow way: all of the text; the ids that are kept, and whether others are not."""
    tokenizer.backend.no_truncation()
    n = len(tokenizer.backend.encode(text).ids)
    tokenizer.backend.enable_truncation(LIMIT)
    ids: list[int] = tokenizer.backend.encode(text).ids
    return ids, n > LIMIT


blocks = st.tuples(st.sampled_from(BLOCKS), st.sampled_from((1, 40, 3_000, 30_000)))


@settings(deadline=None, max_examples=4, suppress_health_check=list(HealthCheck))
@given(st.lists(blocks, min_size=1, max_size=4), st.sampled_from(BLOCKS))
def test_the_ids_are_those_of_the_whole_text(
    tokenizer: Tokenizer, parts: list[tuple[str, int]], last: str
) -> None:
    text = "".join(block * (times // max(len(block), 1) + 1) for block, times in parts)
    text += (last or " ") * (GIANT // max(len(last), 1)) + " happy sad"
    assert len(text) > GIANT
    tokens = tokenizer.encode(["sad", text, "happy"])
    ids, cut = whole(tokenizer, text)
    assert tokens[1].tolist() == ids
    assert tokens.truncated.tolist() == [False, cut, False]


@pytest.mark.soak
@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.lists(blocks, min_size=1, max_size=12))
def test_many_giant_texts_have_the_ids_of_the_whole_text(
    tokenizer: Tokenizer, parts: list[tuple[str, int]]
) -> None:
    text = "".join(block * times for block, times in parts) + " " * GIANT + "happy sad"
    ids, cut = whole(tokenizer, text)
    tokens = tokenizer.encode([text])
    assert (tokens[0].tolist(), bool(tokens.truncated[0])) == (ids, cut)


def test_a_text_that_is_not_giant_has_all_its_tokens_counted(tokenizer: Tokenizer) -> None:
    text = ("i am happy, " * GIANT)[:GIANT]
    n = tokenizer.encode([text]).n_whole[0]
    tokenizer.backend.no_truncation()
    assert n == len(tokenizer.backend.encode(text).ids)


def test_half_a_surrogate_pair_at_the_end_of_a_giant_text_is_named(tokenizer: Tokenizer) -> None:
    with pytest.raises(DataError, match="Text 1 "):
        tokenizer.encode(["sad", "happy " * GIANT + "\ud83d"])


# Not ru_maxrss: on Linux, a new process begins with the peak of the one that started it.
MEASURED = """
import sys
from emolens.encode.tokenize import Tokenizer
from emolens.study.meter import Meter
tokenizer = Tokenizer.from_folder(sys.argv[1])
start, block, end = sys.argv[2:5]
text = start + block * int(sys.argv[5]) + end
meter = Meter()
before = meter.peak_memory_mb
tokens = tokenizer.encode([text, text])
print(int(meter.peak_memory_mb - before), *tokens[0])
"""


def megabytes(folder: Path, *text: object) -> tuple[int, int]:
    """The memory that tokenizing takes, and the number of tokens.

    text: its start, a block, its end, and how often the block stands there.
    """
    command = [sys.executable, "-c", MEASURED, str(folder), *map(str, text)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, *ids = map(int, done.stdout.split())
    return peak, len(ids)


@pytest.mark.parametrize(
    ("start", "block", "end", "times", "n"),
    [
        ("", "i am happy, ", "", 5_000_000, 32),
        ("", "\u6211", "", 20_000_000, 32),
        ("sad ", "\u0301\u200d", " happy", 400_000, 4),
        ("sad ", "\U0001f600", " happy", 400_000, 5),
    ],
)
def test_a_giant_text_takes_little_memory(
    tiny_encoder: Path, start: str, block: str, end: str, times: int, n: int
) -> None:
    peak, length = megabytes(tiny_encoder, start, block, end, times)
    assert length == n
    assert peak < 150 + 2 * 60  # two copies as UTF-8


@pytest.mark.soak
@pytest.mark.parametrize(
    ("block", "times"),
    [
        *((" ", 60_000_000), ("a", 60_000_000), ("\U0001f600", 15_000_000)),
        *(("\u0301", 30_000_000), ("\u200d", 20_000_000), (". ", 30_000_000)),
    ],
)
def test_60_megabytes_of_anything_take_little_memory(
    tiny_encoder: Path, block: str, times: int
) -> None:
    assert megabytes(tiny_encoder, "sad ", block, " happy", times)[0] < 600


def test_a_tokenizer_that_leaves_out_merges_at_random_is_told_not_to(tmp_path: Path) -> None:
    backend = tokenizers.Tokenizer(models.BPE(dropout=0.9))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.train_from_iterator(
        ["happy sad angry afraid happy sad"] * 9, trainers.BpeTrainer(vocab_size=300)
    )
    backend.save(str(tmp_path / "tokenizer.json"))
    with pytest.warns(UserWarning, match="equal texts get equal tokens"):
        tokenizer = Tokenizer.from_folder(tmp_path)
    tokens = tokenizer.encode(["happy sad angry afraid"] * 50)
    assert len({ids.tobytes() for ids in tokens}) == 1
