"""Shortens giant texts; the first token ids stay the same. Knows no model.

Tokenizing takes up to 450 bytes of memory per character, and only the first few hundred tokens of a
text are used. So a giant text is read in pieces, until there are enough tokens. A long stretch that
gives at most one token (spaces, accents, a word too long for the vocabulary) loses its middle, if
the ids stay the same.
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
# How many characters stay at both ends of a long stretch. WordPiece makes one token of a word of
# more than 100 characters. With accents between its letters, more characters must stay.
_ENDS = (1_000, 30_000)
# A text that ends earlier may have other last tokens: for WordPiece, those of its last word.
_MARGIN = 128
_OTHER_ENDS = (1, 2, 3, 1_000)
_LETTER = "a"


@dataclass(frozen=True)
class Shortened:
    """A text with the same first token ids. whole: the text behind it was read to its end."""

    text: str
    whole: bool


def shortened(backend: Any, text: str, *, limit: int) -> Shortened:
    """A text of about a million characters at most, with the same first `limit` token ids.

    backend: a tokenizer of the library tokenizers that does not cut texts. Two kinds of text can
    get other ids, both with far more than a million characters and no space: a word that a Unigram
    model divides by looking at its end, and letters with tens of thousands of accents between them.
    """
    short, n_tokens, read = "", 0, 0
    enough = limit + max(_MARGIN, 1 + getattr(backend.model, "max_input_chars_per_word", 0))
    for pieces in _pieces(text):
        for piece, encoding in zip(pieces, _encodings(backend, pieces), strict=True):
            short += _squeezed(backend, piece, encoding)
            n_tokens += len(encoding.ids)
            read += len(piece)
        if read == len(text) or len(short) > _MOST:
            break
        if n_tokens >= enough:
            n_tokens, fixed = _tokens_of(backend, short, limit)
            if n_tokens >= enough and fixed:
                break
    return Shortened(short, read == len(text))


def _pieces(text: str) -> Iterator[list[str]]:
    """The text in pieces: first a small one alone, then several at once, and larger ones."""
    yield [text[:_FIRST_PIECE]]
    size, start = _FIRST_PIECE, _FIRST_PIECE
    while start < len(text):
        stop = min(start + size * _AT_ONCE, len(text))
        yield [text[i : min(i + size, stop)] for i in range(start, stop, size)]
        size, start = min(size * 2, _PIECE), stop


def _encodings(backend: Any, pieces: list[str]) -> list[Any]:
    """The encoding of each piece, with a letter before and after it, so that spaces there count."""
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
    """The number of tokens, and whether the first ones stay the same if the text ends earlier."""
    texts = [text, *(text[:-shift] for shift in _OTHER_ENDS)]
    ids, *others = (e.ids for e in backend.encode_batch_fast(texts, add_special_tokens=False))
    return len(ids), all(other[:limit] == ids[:limit] for other in others)
