"""Shortens giant texts without a change of their token ids. Knows no model and no limit of its own.

To tokenize a text takes up to 450 bytes of memory per character, and only its first few hundred
tokens are used. So a giant text is read in pieces, until there are enough tokens. A long stretch
that gives at most one token (spaces, accents, a word too long for the vocabulary) is shortened in
its middle, if the ids stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

GIANT = 200_000  # characters; texts up to this length are tokenized whole
_FIRST_PIECE, _PIECE = 20_000, 160_000
_AT_ONCE = 4  # pieces that are tokenized at the same time, on all cores
_MOST = 1_000_000  # characters of a shortened text
# How much stays at both ends of a long stretch. WordPiece makes one token of a word of more than
# 100 characters. If accents stand between its letters, more must stay.
_ENDS = (1_000, 30_000)
# Another end of a beginning may change its last tokens: for WordPiece, those of the last word.
_MARGIN = 128
_OTHER_ENDS = (1, 2, 3, 1_000)
_LETTER = "a"


@dataclass(frozen=True)
class Shortened:
    """A shorter text with the same first token ids. whole: nothing after it was left out."""

    text: str
    whole: bool


def shortened(backend: Any, text: str, *, limit: int) -> Shortened:
    """A text of about a million characters at most, with the same first `limit` token ids.

    backend: a tokenizer of the library tokenizers that does not cut. Two kinds of text can get
    other ids than the whole text would. Both have far over a million characters without a space. In
    the first, a Unigram model looks at the end of the word to cut its beginning. In the second,
    letters and tens of thousands of accents alternate.
    """
    kept, n_tokens, read = "", 0, 0
    enough = limit + max(_MARGIN, 1 + getattr(backend.model, "max_input_chars_per_word", 0))
    for pieces in _pieces(text):
        for piece, encoding in zip(pieces, _encodings(backend, pieces), strict=True):
            kept += _squeezed(backend, piece, encoding)
            n_tokens += len(encoding.ids)
            read += len(piece)
        if read == len(text) or len(kept) > _MOST:
            break
        if n_tokens >= enough:
            n_tokens, fixed = _tokens_of(backend, kept, limit)
            if n_tokens >= enough and fixed:
                break
    return Shortened(kept, read == len(text))


def _pieces(text: str) -> Iterator[list[str]]:
    """The text in pieces: first a small one alone, then several at once, and larger ones."""
    yield [text[:_FIRST_PIECE]]
    size, start = _FIRST_PIECE, _FIRST_PIECE
    while start < len(text):
        stop = min(start + size * _AT_ONCE, len(text))
        yield [text[i : min(i + size, stop)] for i in range(start, stop, size)]
        size, start = min(size * 2, _PIECE), stop


def _encodings(backend: Any, pieces: list[str]) -> list[Any]:
    """Of each piece between two letters: a space at its edge separates it from its neighbors."""
    texts = [_LETTER + piece + _LETTER for piece in pieces]
    encodings: list[Any] = backend.encode_batch(texts, add_special_tokens=False)
    return encodings


def _squeezed(backend: Any, piece: str, encoding: Any) -> str:
    """The piece without the middle of its long stretches, if its ids stay the same."""
    places = {place - len(_LETTER) for offset in encoding.offsets for place in offset}
    bounds = sorted({0, *(place for place in places if 0 < place < len(piece)), len(piece)})
    stretches = list(pairwise(bounds))
    for ends, between in product(_ENDS, ("", " ")):
        if not any(stop - start > 2 * ends for start, stop in stretches):
            break
        shorter = "".join(
            piece[start:stop]
            if stop - start <= 2 * ends
            else piece[start : start + ends] + between + piece[stop - ends : stop]
            for start, stop in stretches
        )
        if _encodings(backend, [shorter])[0].ids == encoding.ids:
            return shorter
    return piece


def _tokens_of(backend: Any, text: str, limit: int) -> tuple[int, bool]:
    """The number of its tokens, and whether the first ones stay the same with an earlier end."""
    texts = [text, *(text[:-shift] for shift in _OTHER_ENDS)]
    ids, *others = (e.ids for e in backend.encode_batch_fast(texts, add_special_tokens=False))
    return len(ids), all(other[:limit] == ids[:limit] for other in others)
