"""In which form a label column holds classes: names, numbers, lists, or texts that join several.

Looks at all cells of a column, from every split, before it reads one. Knows nothing of tables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emolens.data.targets.cells import (
    Atom,
    Cell,
    cell_of,
    is_marked,
    mark_word,
    number_of,
    written_object,
)
from emolens.data.targets.separators import cut_at, separated
from emolens.data.targets.spelling import folded

Atoms = tuple[Atom, ...]
_BRACKETS = re.compile(r"\s*(\[.*\]|\(.*\)|\{.*\})\s*", re.DOTALL)
_WHOLE = re.compile(r"\s*-?\d{1,15},0+\s*")  # '2,0' in a table of a German Excel
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_MARKED = re.compile(r"['\"]([^'\"]+)['\"]\s*:\s*([\w.]+)")
_TRUTHS = (("true", "false"), ("1", "0"), ("yes", "no"))
_TITLES = {"\t": "a tab", "\n": "a line end", " ": "a space", " and ": "'and'", "": "nothing"}


@dataclass(frozen=True)
class Form:
    """How a column is read.

    atoms: the names or numbers that each cell stands for. about: how the labels are written, for a
    note; '' if there is nothing to say. separator: what was found between labels.
    """

    atoms: dict[Cell, Atoms]
    about: str = ""
    separator: str = ""


def form_of(
    counts: Mapping[Cell, int], *, separator: str | None = None, names: Sequence[str] = ()
) -> Form:
    """The form of a column. counts: rows by cell, without missing ones.

    separator: what the user says about texts with several labels. names: the class names that the
    source gives. They may be numbers themselves, and a list may hold a 0 or a 1 for each of them.
    """
    lists = {cell: _listed(cell) for cell in counts}
    if all(atoms is not None for atoms in lists.values()):
        atoms = {cell: atoms for cell, atoms in lists.items() if atoms is not None}
        return _vectors(atoms, names) or Form(_numbers_in(atoms), "lists")
    known = set(map(folded, names))
    if known and all(isinstance(cell, str) and folded(cell) in known for cell in counts):
        return Form({cell: (cell,) for cell in counts if isinstance(cell, str)})
    if all(isinstance(cell, str) and _WHOLE.fullmatch(cell) for cell in counts):
        return _of_numbers({cell: int(str(cell).partition(",")[0]) for cell in counts})
    if truths := _truths(counts):
        return truths
    numbers = {cell: number_of(cell) for cell in counts}
    if all(number is not None for number in numbers.values()):
        return _of_numbers({cell: n for cell, n in numbers.items() if n is not None})
    return _of_texts(counts, separator, names)


def _listed(cell: Cell) -> Atoms | None:
    """The content of a list, or of a text that looks like one; None for anything else."""
    if isinstance(cell, tuple):
        return cell
    if not isinstance(cell, str) or not (match := _BRACKETS.fullmatch(cell)):
        return None
    inner = match[1][1:-1].strip()
    if "{" in match[1] and ":" in inner:
        return _in_object(match[1])
    if quoted := _QUOTED.findall(inner):
        return tuple(one or other for one, other in quoted)
    if "," in inner:
        return cut_at(",", inner)
    numbers = inner.split()  # as NumPy prints arrays
    return tuple(numbers) if all(number_of(n) is not None for n in numbers) else (inner,)


def _in_object(text: str) -> Atoms:
    """The labels in a text such as {"joy": 1}, {"label": "joy"} or {"choices": ["joy", "fear"]}."""
    if (content := written_object(text)) is not None:
        cell = cell_of(content)
        return cell if isinstance(cell, tuple) else () if cell is None else (cell,)
    return tuple(name for name, mark in _MARKED.findall(text) if is_marked(mark))


def _vectors(lists: Mapping[Cell, Atoms], names: Sequence[str]) -> Form | None:
    """The form where each list has a 0 or a 1 for each class; None for another form."""
    sizes = {len(atoms) for atoms in lists.values()}
    if len(sizes) > 1 or sizes < {2}:
        return None
    different = {atom for atoms in lists.values() for atom in atoms}
    if any(number_of(atom) not in (0, 1) and atom not in ("False", "True") for atom in different):
        return None
    k = sizes.pop()
    classes: Atoms = tuple(names) if len(names) == k else tuple(range(k))
    atoms = {
        cell: tuple(name for name, mark in zip(classes, row, strict=True) if is_marked(mark))
        for cell, row in lists.items()
    }
    return Form(atoms, "lists with a 0 or a 1 for each class")


def _truths(counts: Mapping[Cell, int]) -> Form | None:
    """The form where one table says true and false, and another one 1 and 0; else None."""
    rows = Counter({cell: n for cell, n in counts.items() if not isinstance(cell, tuple)})
    kinds = {kind for cell in counts for kind in _TRUTHS if mark_word(cell) in kind}
    if len(kinds) < 2 or any(mark_word(cell) not in set().union(*kinds) for cell in counts):
        return None
    names = {is_marked(cell): cell for cell, _ in reversed(rows.most_common()) if cell is not None}
    ways = " and also ".join(sorted(f"{yes} and {no}" for yes, no in kinds))
    return Form({cell: (names[is_marked(cell)],) for cell in rows}, f"written as {ways}")


def _of_numbers(numbers: Mapping[Cell, int | float]) -> Form:
    """Numbers as they are; 2.0 and '2.0' are 2."""
    atoms: dict[Cell, Atoms] = {cell: (number,) for cell, number in numbers.items()}
    changed = any(
        isinstance(number, int)
        and isinstance(cell, str)
        and cell.strip().lstrip("+") != str(number)
        for cell, number in numbers.items()
    )
    whole = all(isinstance(number, int) for number in numbers.values())
    return Form(atoms, "whole numbers written as 1.0" if changed and whole else "")


def _of_texts(counts: Mapping[Cell, int], separator: str | None, names: Sequence[str]) -> Form:
    """Names, some of which may join several."""
    texts = {cell: str(cell) for cell in counts if not isinstance(cell, tuple)}
    rows: dict[str, int] = {}
    for cell, text in texts.items():
        rows[text] = rows.get(text, 0) + counts[cell]
    if separator:
        cuts = {text: cut_at(separator, text) for text in rows if separator in text}
    else:
        separator, cuts = separated(rows) if separator is None else ("", {})
    atoms: dict[Cell, Atoms] = {cell: cuts.get(text, (text,)) for cell, text in texts.items()}
    if (
        len(cuts) == len(rows)
        and min(map(len, cuts.values())) > 2
        and (v := _vectors(atoms, names))
    ):
        return v
    lists: list[Cell] = [cell for cell in counts if isinstance(cell, tuple)]
    atoms |= {cell: cell for cell in counts if isinstance(cell, tuple)}
    singles = {folded(str(name)) for names in atoms.values() for name in names}
    for cell in texts:  # a text such as "['joy']" among names is a list if it holds such names only
        listed = _listed(cell)
        if listed is not None and all(folded(str(name)) in singles for name in listed):
            atoms[cell] = listed
            lists.append(cell)
    if not cuts:
        return Form(_numbers_in(atoms) if lists else atoms, "names and lists" if lists else "")
    about = f"texts with {_TITLES.get(separator, repr(separator))} between the labels"
    return Form(_numbers_in(atoms), about, separator)


def _numbers_in(lists: Mapping[Cell, Atoms]) -> dict[Cell, Atoms]:
    """The lists with numbers in place of texts that are numbers, if all of them are."""
    numbers = {atom: number_of(atom) for atoms in lists.values() for atom in atoms}
    if any(number is None for number in numbers.values()):
        return dict(lists)
    return {cell: tuple(numbers[atom] or 0 for atom in atoms) for cell, atoms in lists.items()}
