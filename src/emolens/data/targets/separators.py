"""Whether texts such as 'joy,anger' are several labels, by looking at all labels of a column.

Knows nothing of tables. A class name may hold a comma or a slash itself, so a label is cut only
where its parts are classes on their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from emolens.data.targets.cells import number_of
from emolens.data.targets.spelling import folded

# The first three hardly ever stand in a name. The last ones often do.
_SURE, _LIKELY, _RARE = ("#", "|", ";"), (",", "\t", "\n"), ("/", "+", "&", " and ", " ")
SEPARATORS = _SURE + _LIKELY + _RARE
_LONGEST = 1_000  # characters of a cell that may hold several labels
_ENOUGH = 0.8  # of the compounds must be explained by parts that are classes

Parts = tuple[str, ...]


def cut_at(separator: str, text: str) -> Parts:
    """The parts of a text, without empty ones and without spaces around them."""
    return tuple(part for part in map(str.strip, text.split(separator)) if part)


def separated(counts: Mapping[str, int]) -> tuple[str, dict[str, Parts]]:
    """The separator of a column, and the parts of each label that it cuts; '' and {} for none.

    counts: rows by label. Of several separators the one that explains most rows is taken.
    """
    best, cuts = "", dict[str, Parts]()
    counts = {text: rows for text, rows in counts.items() if len(text) <= _LONGEST}
    for separator in SEPARATORS:
        cut = _cuts(counts, separator)
        if sum(counts[text] for text in cut) > sum(counts[text] for text in cuts):
            best, cuts = separator, cut
    if best and best != " and ":  # 'joy and anger' beside 'joy, anger, and fear'
        rest = {text: rows for text, rows in counts.items() if text not in cuts}
        cuts |= _cuts(rest, " and ")
    return best, cuts


def _cuts(counts: Mapping[str, int], separator: str) -> dict[str, Parts]:
    """The labels that this separator joins, and their parts."""
    texts = [text.strip() for text in counts]
    joined = {text: cut_at(separator, text) for text in counts if separator in text.strip()}
    singles = {folded(text) for text in texts if separator not in text}
    compounds = {
        text: tuple(name for part in parts for name in _cut_at_and(part, singles))
        for text, parts in joined.items()
        if parts
    }
    if not compounds:
        return {}
    if all(isinstance(number_of(part), int) for text in texts for part in cut_at(separator, text)):
        return {} if _are_decimals(compounds.values(), texts) else compounds
    if separator == " ":  # it stands in names such as 'strongly agree', so it joins all or none
        alone = all(singles.issuperset(map(folded, parts)) for parts in compounds.values())
        return compounds if alone and len(compounds) > 1 else {}
    # A separator at the end of single labels, as in 'joy;', joins nothing. But ':/' is a label.
    ended = [parts[0] for parts in compounds.values() if len(parts) == 1]
    if len(ended) > 1:
        singles |= {folded(part) for part in ended if any(map(str.isalnum, part))}
    known = _explained(compounds, singles)
    explained = {text: parts for text, parts in compounds.items() if all(map(known, parts))}
    if separator in _RARE:
        return explained
    if separator in _LIKELY and len(explained) < max(2, _ENOUGH * len(compounds)):
        return explained
    return {
        text: parts
        for text, parts in compounds.items()
        if text in explained or any(map(known, parts))
    }


def _cut_at_and(part: str, singles: set[str]) -> Parts:
    """The two classes of 'anger and fear', and the class of 'and fear' behind a comma."""
    finer = cut_at(" and ", f" {part} ")
    return finer if singles.issuperset(map(folded, finer)) else (part,)


def _explained(compounds: Mapping[str, Parts], singles: set[str]) -> Callable[[str], bool]:
    """A function that says whether a part is a class.

    It is one if it is a label on its own, or if it stands in two compounds beside such a label. In
    a column without any single label, it stands in two compounds, and some part stands once as the
    first and once behind another: otherwise names such as 'love, romantic' would be cut.
    """
    sets = {frozenset(map(folded, parts)) for parts in compounds.values()}
    times = Counter(part for parts in sets for part in parts)
    beside = {part for parts in sets if parts & singles for part in parts}
    firsts = {folded(parts[0]) for parts in compounds.values() if parts}
    others = {folded(part) for parts in compounds.values() for part in parts[1:]}
    alone = not singles and bool(firsts & others)

    def is_class(part: str) -> bool:
        name = folded(part)
        return name in singles or (times[name] > 1 and (alone or name in beside))

    return is_class


def _are_decimals(compounds: Iterable[Parts], texts: list[str]) -> bool:
    """Whether numbers such as '2,5' are decimals: each has one comma, and no space behind it."""
    cut = list(compounds)
    return len(cut) == len(texts) and all(
        len(parts) == 2 and f"{parts[0]},{parts[1]}" in texts for parts in cut
    )
