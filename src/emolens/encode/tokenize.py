"""Texts to token ids and back; counts the texts that are cut. Loads no torch or transformers."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from emolens.decide import mostly_unknown
from emolens.encode.config import AGAIN, model_config, read_config, stated_limit
from emolens.encode.giant import GIANT, Shortened, shortened
from emolens.encode.tokenizer_file import open_tokenizer, tokenizer_errors
from emolens.errors import DataError, EncoderError
from emolens.shown import html_table, one_line

_Text = TypeVar("_Text", str, str | None)
_CHUNK_TEXTS, _CHUNK_CHARACTERS = 4096, 1_000_000
_FAILURE = "The tokenizer of this model failed"
_MOST_IDS = 2**31  # ids are kept as int32


@dataclass(frozen=True)
class Tokens:
    """Token ids of many texts, without padding.

    ids: (total,) int32, row after row. offsets: (n + 1,) int64, where each row starts in `ids`.
    n_whole: (n,) int64, the tokens of each text before it was cut, special tokens included. For a
    text of more than 200,000 characters it is a lower bound: such a text is not read to its end.
    """

    ids: np.ndarray
    offsets: np.ndarray
    n_whole: np.ndarray

    def __repr__(self) -> str:
        counts = f"{len(self):,} texts, {len(self.ids):,} tokens"
        return one_line(self, counts, f"{self.n_truncated:,} texts cut")

    def _repr_html_(self) -> str:
        rows = zip(self.lengths.tolist(), self.n_whole.tolist(), strict=True)
        return html_table(self, ("tokens", "tokens before it was cut"), rows)

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | np.ndarray], n_whole: np.ndarray) -> Tokens:
        """Put rows of token ids end to end."""
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(ids) for ids in rows], out=offsets[1:])
        ids = np.fromiter((i for row in rows for i in row), dtype=np.int32, count=int(offsets[-1]))
        return cls(ids, offsets, n_whole)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))

    @property
    def lengths(self) -> np.ndarray:
        """(n,) int64, tokens per row, as the model gets them."""
        return np.diff(self.offsets)

    @property
    def truncated(self) -> np.ndarray:
        """(n,) bool, which texts were longer than the limit."""
        longer: np.ndarray = self.n_whole > self.lengths
        return longer

    def take(self, rows: np.ndarray) -> Tokens:
        """The rows at these indices, in this order."""
        return Tokens.of([self[row] for row in rows], self.n_whole[rows])

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows without repeats (d,), and for each row the index of its equal in them (n,)."""
        places: dict[bytes, int] = {}
        first: list[int] = []
        place = np.empty(len(self), dtype=np.int64)
        for row, ids in enumerate(self):
            place[row] = places.setdefault(ids.tobytes(), len(first))
            if place[row] == len(first):
                first.append(row)
        return np.array(first, dtype=np.int64), place

    @property
    def n_truncated(self) -> int:
        """How many texts were longer than the limit."""
        return int(self.truncated.sum())


class Tokenizer:
    """A fast tokenizer with a limit.

    max_length: the most tokens per text, special tokens included; longer texts are cut and counted.
    """

    def __init__(self, backend: Any, *, max_length: int, pad_id: int) -> None:
        self.backend = backend
        self.backend.no_padding()
        self.max_length = max_length
        self.pad_id = pad_id

    def __repr__(self) -> str:
        size = self.backend.get_vocab_size()
        return one_line(self, f"vocabulary of {size:,}", f"texts up to {self.max_length:,} tokens")

    @classmethod
    def from_folder(cls, folder: str | Path, *, max_length: int | None = None) -> Tokenizer:
        """Read `tokenizer.json`, and the limit from the folder's configuration."""
        folder = Path(folder)
        file = folder / "tokenizer.json"
        if not file.is_file():
            raise EncoderError(
                f"{folder} has no tokenizer.json.",
                hint="Save the tokenizer in it with tokenizer.save_pretrained(folder).",
            )
        backend, largest_id = open_tokenizer(file)
        if getattr(backend.model, "dropout", None):
            backend.model.dropout = None
            message = f"The dropout in {file} is turned off: equal texts get equal tokens."
            warnings.warn(message, UserWarning, stacklevel=2)
        stated = read_config(folder / "tokenizer_config.json").get("model_max_length")
        pad_id = model_config(folder).get("pad_token_id") or 0
        limit = token_limit(folder, backend, stated=stated, largest_id=max(largest_id, pad_id))
        return cls(backend, max_length=min(max_length or limit, limit), pad_id=pad_id)

    def encode(self, texts: Sequence[str], *, first: int = 0) -> Tokens:
        """Token ids of each text, with the special tokens, cut at max_length.

        first: the number of the first text, for messages. Raises DataError, which names the text,
        if one is not a string or can't be encoded.
        """
        rows: list[list[int]] = []
        n_whole: list[int] = []
        for chunk in in_chunks(texts, most=_CHUNK_TEXTS, characters=_CHUNK_CHARACTERS):
            start = first + len(rows)
            self.backend.no_truncation()
            parts = [self._part(text, start + i) for i, text in enumerate(chunk)]
            ids_of = self._ids([part.text for part in parts], start)
            for ids, part in zip(ids_of, parts, strict=True):
                n_whole.append(len(ids) if part.whole else len(ids) + 1)
            if long := [i for i, ids in enumerate(ids_of) if len(ids) > self.max_length]:
                self.backend.enable_truncation(self.max_length)
                cut = self._ids([parts[i].text for i in long], start)
                for i, ids in zip(long, cut, strict=True):
                    ids_of[i] = ids
            rows += ids_of
        return Tokens.of(rows, np.array(n_whole, dtype=np.int64))

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The token behind each id."""
        return [self.backend.id_to_token(int(i)) or "" for i in ids]

    def unknown_shares(self, tokens: Tokens) -> np.ndarray:
        """(n,) float64, the share of the tokens of each text that are the sign for 'unknown'.

        Special tokens do not count. 1 means that the model sees nothing of the text. Tokenizers
        that write every sign as bytes know everything: their shares are 0.
        """
        special = np.array(self.backend.encode("").ids, dtype=tokens.ids.dtype)
        own = ~np.isin(tokens.ids, special)
        unknown = own & (tokens.ids == self._unknown_id)
        n_own, n_unknown = (_sums(flags, tokens.offsets) for flags in (own, unknown))
        return np.asarray(n_unknown / np.maximum(n_own, 1))

    def answerable(self, tokens: Tokens) -> np.ndarray:
        """(n,) bool, texts that were not cut and are not mostly unknown to the model.

        The answers to all others are unsure, whatever their probabilities are.
        """
        return np.asarray(~tokens.truncated & ~mostly_unknown(self.unknown_shares(tokens)))

    @property
    def _unknown_id(self) -> int:
        """The id of the token for what the vocabulary does not hold; -1 if there is none."""
        names = (getattr(self.backend.model, "unk_token", None), "[UNK]", "<unk>")
        ids = (self.backend.token_to_id(name) for name in names if name)
        return next((i for i in ids if i is not None), -1)

    def _part(self, text: str, number: int) -> Shortened:
        """The part of a text that decides its ids."""
        if not isinstance(text, str) or len(text) <= GIANT:
            return Shortened(text, whole=True)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _not_a_text(number) from error
        with tokenizer_errors(_FAILURE):
            return shortened(self.backend, text, limit=self.max_length)

    def _ids(self, texts: Sequence[str], start: int) -> list[list[int]]:
        with tokenizer_errors(_FAILURE):
            try:
                return [encoding.ids for encoding in self.backend.encode_batch_fast(list(texts))]
            except (UnicodeEncodeError, TypeError) as error:
                for row, text in enumerate(texts, start=start):
                    if not isinstance(text, str) or any("\ud800" <= c <= "\udfff" for c in text):
                        raise _not_a_text(row) from error
                raise


def _sums(flags: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(n,) int64, how many flags are set between each offset and the next."""
    totals = np.concatenate([[0], np.cumsum(flags, dtype=np.int64)])
    return np.asarray(totals[offsets[1:]] - totals[offsets[:-1]])


def token_limit(folder: Path, backend: Any, *, stated: Any, largest_id: int) -> int:
    """The most tokens per text for the model in a folder.

    stated: `model_max_length` of the tokenizer. largest_id: the largest token id that it can give.
    Raises EncoderError if the model does not have this id, or if the limit leaves room for special
    tokens only.
    """
    config = model_config(folder)
    vocabulary = config.get("vocab_size")
    if largest_id >= (vocabulary or _MOST_IDS):
        raise EncoderError(
            f"The tokenizer in {folder} gives token ids up to {largest_id:,}, but the model has"
            f" only {vocabulary or _MOST_IDS:,} tokens (vocab_size).",
            hint="Take the tokenizer and config.json of the same model.",
        )
    limit = stated_limit(folder, config, tokenizer_limit=stated)
    if limit <= (special := backend.num_special_tokens_to_add(is_pair=False)):
        raise EncoderError(
            f"The model in {folder} takes {limit} tokens per text, and {special} of them are"
            " special tokens.",
            hint=AGAIN,
        )
    return limit


def _not_a_text(number: int) -> DataError:
    return DataError(
        f"Text {number} is not a string, or holds half a surrogate pair (half of a character).",
        hint="Decode it again with errors='replace', or leave the row out.",
    )


def in_chunks(texts: Iterable[_Text], *, most: int, characters: int) -> Iterator[list[_Text]]:
    """The texts in lists of `most` texts, or of fewer if they have more characters than that."""
    chunk: list[_Text] = []
    room = characters
    for text in texts:
        chunk.append(text)
        room -= len(text) if isinstance(text, str) else 0
        if len(chunk) == most or room <= 0:
            yield chunk
            chunk, room = [], characters
    if chunk:
        yield chunk
