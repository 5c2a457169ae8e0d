"""Finds texts that share most of their letters with a text of another list. Knows no data set.

Two texts are similar if the Jaccard index of their sets of character 5-grams is .8 or more. No pair
is missed, by the prefix filter of Chaudhuri, Ganti and Kaushik (2006) and Bayardo, Ma and Srikant
(2007): sort the 5-grams of each text from rare to frequent; then two similar texts share one of the
first fifth of them. Only texts that share such a rare 5-gram are compared.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

GRAM = 5
THRESHOLD = 0.8
LONGEST = 1000  # characters of a text that are compared
MOST_PAIRS = 300_000_000  # that are looked at; in tables of templates there can be more
_SAMPLE = 20_000  # rows of each list that say which 5-grams are rare; any order misses no pair
_ROWS = 1024  # that are prepared at once: what fits the cache of a CPU is faster
_PAIRS = 250_000  # that are looked at, at once
_MOST_BUCKETS = 2**22  # of the table of frequencies
_WORDS = 8  # 64-bit words of a sketch
# The symmetric difference of two similar sets is at most this share of the sum of their sizes.
_DIFFERENT = (1 - THRESHOLD) / (1 + THRESHOLD)
_MIX = np.uint64(0x9E3779B97F4A7C15)


class _Kept(dict[int, int | None]):
    """For str.translate: leaves out punctuation and invisible characters, but no space."""

    def __missing__(self, code: int) -> int | None:
        sign = chr(code)
        kept = sign.isspace() or unicodedata.category(sign)[0] not in "PC"
        self[code] = code if kept else None
        return self[code]


_KEPT = _Kept()


def words_of(text: str) -> str:
    """The text apart from case and punctuation, with one space between words.

    A text of punctuation only keeps it.
    """
    words = unicodedata.normalize("NFKC", text).casefold().translate(_KEPT).split()
    return " ".join(words or text.split())


def grams_of(words: str) -> set[str]:
    """The 5-grams of the beginning of a text, its spaces among them; a shorter one is one gram."""
    words = words[:LONGEST]
    return {words[i : i + GRAM] for i in range(max(len(words) - GRAM + 1, 1))}


def jaccard(first: set[str], second: set[str]) -> float:
    """The share of the grams of both that they have in common."""
    common = len(first & second)
    return common / (len(first) + len(second) - common)


@dataclass(frozen=True)
class Prepared:
    """A list of texts, ready to be searched.

    sizes: (n,) int64, how many different grams each has. tokens, rows: (m,), the rarest grams of
    each, as numbers, with the row of each. sketches: (8, n) uint64: a bit is set if an odd number
    of grams falls on it. So two sketches differ in at most as many bits as the sets in elements.
    """

    texts: Sequence[str]
    sizes: np.ndarray
    tokens: np.ndarray
    rows: np.ndarray
    sketches: np.ndarray


def prepared(lists: Mapping[str, Sequence[str]]) -> dict[str, Prepared]:
    """All lists, with one order of the grams for all of them: from rare to frequent."""
    samples = [texts[:: -(-len(texts) // _SAMPLE)] for texts in lists.values() if texts]
    characters = sum(len(text) for texts in samples for text in texts)
    frequencies = np.zeros(min(2 ** characters.bit_length(), _MOST_BUCKETS), dtype=np.int64)
    for texts in samples:
        for _, grams in _distinct_grams(texts):
            frequencies += np.bincount(_bucket(grams, frequencies), minlength=len(frequencies))
    return {name: _prepared(texts, frequencies) for name, texts in lists.items() if texts}


def _prepared(texts: Sequence[str], frequencies: np.ndarray) -> Prepared:
    sizes, tokens, rows, sketches = [], [], [], []
    for first, (row, grams) in zip(
        range(0, len(texts), _ROWS), _distinct_grams(texts), strict=True
    ):
        n = min(_ROWS, len(texts) - first)
        size = np.bincount(row, minlength=n)
        sizes.append(size)
        sketches.append(_sketches(row, grams, n))
        # 12 bits of the row, 18 of the frequency, 34 of the gram: one sort for all three.
        often = np.minimum(frequencies[_bucket(grams, frequencies)], 2**18 - 1).astype(np.uint64)
        ordered = (row.astype(np.uint64) << 52) | (often << 34) | (grams >> np.uint64(18))
        ordered.sort()
        starts = np.cumsum(size) - size
        place = np.arange(len(ordered)) - np.repeat(starts, size)
        # The first fifth: of the others, fewer than 80 % of the set are left.
        rare = place < np.repeat(size - np.ceil(THRESHOLD * size - 1e-9).astype(np.int64) + 1, size)
        tokens.append(ordered[rare] & np.uint64(2**52 - 1))
        rows.append((ordered[rare] >> np.uint64(52)).astype(np.int64) + first)
    return Prepared(
        texts,
        sizes=np.concatenate(sizes),
        tokens=np.concatenate(tokens),
        rows=np.concatenate(rows),
        sketches=np.ascontiguousarray(np.hstack(sketches)),
    )


def _distinct_grams(texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For some texts at a time: the different grams of each as numbers of 52 bits, and their rows
    in this part.
    """
    for first in range(0, len(texts), _ROWS):
        part = [text[:LONGEST].ljust(GRAM, "\0") for text in texts[first : first + _ROWS]]
        joined = "".join(part).encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(joined, dtype="<u4").astype(np.uint64)
        hashes = np.zeros(len(codes) - GRAM + 1, dtype=np.uint64)
        for i in range(GRAM):
            hashes = (hashes + codes[i : i + len(hashes)] + np.uint64(1)) * _MIX
            hashes ^= hashes >> np.uint64(29)
        lengths = np.array([len(text) for text in part])
        row = np.repeat(np.arange(len(part)), lengths)[: len(hashes)]
        left = np.repeat(np.cumsum(lengths), lengths)[: len(hashes)] - np.arange(len(hashes))
        inside = left >= GRAM  # the window does not reach into the next text
        packed = (row[inside].astype(np.uint64) << np.uint64(52)) | (
            hashes[inside] >> np.uint64(12)
        )
        packed.sort()
        packed = packed[np.concatenate([[True], packed[1:] != packed[:-1]])]
        grams = packed & np.uint64(2**52 - 1)
        yield (packed >> np.uint64(52)).astype(np.int64), grams


def _bucket(grams: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    return np.asarray(grams % len(frequencies)).astype(np.int64)


def _sketches(row: np.ndarray, grams: np.ndarray, n: int) -> np.ndarray:
    bits = 64 * _WORDS
    place = row * bits + (grams % bits).astype(np.int64)
    odd = np.bincount(place, minlength=n * bits) % 2
    return np.packbits(odd.astype(np.uint8).reshape(n, bits), axis=1).view(np.uint64).T


@dataclass
class Search:
    """What `similar` has found so far: for rows of the queries, one similar row of the index.

    looked_at: pairs. complete: whether all pairs were looked at that may be similar.
    """

    matches: dict[int, int] = field(default_factory=dict)
    looked_at: int = 0
    complete: bool = True


def similar(queries: Prepared, index: Prepared) -> Search:
    """For each text of the queries that has similar ones in the index, one of these."""
    search = Search()
    rows, low, high, candidates = _lookups(queries, index)
    ends = np.cumsum(high - low)
    matched = np.zeros(len(queries.texts), dtype=bool)
    start = 0
    while start < len(rows):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + _PAIRS, side="right")), start + 1)
        part = np.arange(start, stop)[~matched[rows[start:stop]]]
        n = (high - low)[part]
        if search.looked_at + n.sum() > MOST_PAIRS:
            search.complete = False
            break
        search.looked_at += int(n.sum())
        place = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n) + np.repeat(low[part], n)
        _compare(queries, index, np.repeat(rows[part], n), candidates[place], search)
        matched[list(search.matches)] = True
        start = stop
    return search


def _lookups(
    queries: Prepared, index: Prepared
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each rare gram of a query that the index has: the row of the query, and the range of its
    candidates in the last array, which holds rows of the index. The rarest grams come first. A
    candidate can't be similar if its size is too different.
    """
    known, rank = np.unique(index.tokens, return_inverse=True)
    shift = LONGEST.bit_length()
    postings = (rank << shift) | index.sizes[index.rows]
    order = np.argsort(postings, kind="stable")
    postings, candidates = postings[order], index.rows[order]
    by_rarity = np.argsort(queries.tokens, kind="stable")
    tokens, rows = queries.tokens[by_rarity], queries.rows[by_rarity]
    place = np.minimum(np.searchsorted(known, tokens), len(known) - 1)
    is_known = known[place] == tokens
    place, rows = place[is_known] << shift, rows[is_known]
    sizes = queries.sizes[rows]
    smallest = np.ceil(THRESHOLD * sizes - 1e-9).astype(np.int64)
    largest = np.minimum(np.floor(sizes / THRESHOLD + 1e-9).astype(np.int64), LONGEST)
    low = np.searchsorted(postings, place | smallest)
    high = np.searchsorted(postings, place | largest, side="right")
    return rows, low, high, candidates


def _compare(
    queries: Prepared, index: Prepared, q: np.ndarray, i: np.ndarray, search: Search
) -> None:
    """Add the matches among the pairs of rows (q, i). Most pairs are refused by their sketches."""
    most = np.floor(_DIFFERENT * (queries.sizes[q] + index.sizes[i]) + 1e-9)
    different = np.zeros(len(q), dtype=np.int64)
    for word, (left, right) in enumerate(zip(queries.sketches, index.sketches, strict=True)):
        different += np.bitwise_count(left[q] ^ right[i])
        if word in (1, 4, _WORDS - 1):
            close = different <= most
            q, i, most, different = q[close], i[close], most[close], different[close]
    grams: dict[int, set[str]] = {}
    for row, other in zip(q.tolist(), i.tolist(), strict=True):
        if row in search.matches:
            continue
        if row not in grams:
            grams[row] = grams_of(queries.texts[row])
        if jaccard(grams[row], grams_of(index.texts[other])) >= THRESHOLD:
            search.matches[row] = other
