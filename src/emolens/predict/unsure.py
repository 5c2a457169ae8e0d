"""Why an answer is unsure: the words that stand in the column `reason`.

Of several reasons for a text, the one that stands first here is given. Knows no model and no table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

UNREADABLE = "unreadable"  # the column `error` says why
BLANK = "blank"
UNKNOWN = "unknown words"  # the model knows less than half of the tokens
_LANGUAGE = "in {}"
_CUT = "cut at {} tokens"
NO_CLASS = "no class"  # with several classes per text, none reaches its threshold
LOW = "low probability"


def reasons(
    low: np.ndarray,
    unanswered: np.ndarray,
    *,
    blank: np.ndarray,
    unknown: np.ndarray,
    cut: tuple[np.ndarray, int],
    languages: Sequence[str | None],
) -> list[str | None]:
    """The reason for each text; None if its answer is not unsure.

    All arrays are (n,) bool. low: the probability is too low. unanswered: no class is the answer.
    cut: which texts were cut, and at how many tokens. languages: the name of the language of each
    text, if it is not that of the model.
    """
    truncated, limit = cut
    # From the last to the first: a later line replaces what an earlier one has said.
    why = np.full(len(low), None, dtype=object)
    why[low] = LOW
    why[unanswered] = NO_CLASS
    why[truncated] = _CUT.format(limit)
    for row, language in enumerate(languages):
        if language:
            why[row] = _LANGUAGE.format(language)
    why[unknown] = UNKNOWN
    why[blank] = BLANK
    return why.tolist()
