"""What a user says about labels: names of classes, words for a missing label, classes to leave out.

Knows nothing of tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from emolens.data.targets.spelling import folded
from emolens.errors import UsageError, first_line
from emolens.names import user_path

_T = TypeVar("_T")
Words = str | Sequence[str]
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "none": ""}
_NAMED = r"\s*(\S.*?)\s*[\t,;:=]\s*(\d+)\s*"
_NUMBERED = r"\s*(-?\d+)\s*[\t,;:=]?\s*(.*\S)\s*"
# A list in YAML: its name, and its lines, which stand deeper or begin with a dash.
_LISTS = "names|class_names|classes|labels|id2label|label2id"
_LIST = rf"(?m)^( *)(?:- )?({_LISTS}): *(.*)((?:\n(?:\1 +| *- ).*)*)"
_QUOTED = r"""(['"])(.*?)\1"""
_NOT_TYPED = set('"$`\\%!\n')
_LARGEST = 1_000_000  # bytes of a file of class names


@dataclass(frozen=True)
class LabelOptions:
    """What the user says about labels; None means that the column decides.

    class_names: the names of classes that the column gives as numbers: names with commas between
    them, or a file with one name per line. missing: the words that stand for a missing label, in
    place of the usual ones; an empty label is always missing. drop_classes: classes whose rows are
    left out. label_separator: what stands between the labels of a row, or 'none'. strict: whether a
    row without a label is an error; otherwise it is left out and counted.
    """

    class_names: Words | None = None
    missing: Words | None = None
    drop_classes: Words = ""
    label_separator: str | None = None
    strict: bool = False

    @cached_property
    def names_by_id(self) -> dict[int, str]:
        """The class names by the numbers that the column has for them."""
        given = self.class_names
        if isinstance(given, str):
            path = user_path(given)
            if path.is_file():
                return _names_in(path)
            if "," not in given:
                raise UsageError(
                    f"There is no file '{given}' with class names.",
                    hint='Give a file, or two or more names: --class-names "anger,fear,joy"',
                )
        return dict(enumerate(_words(given or ())))

    @cached_property
    def missing_words(self) -> frozenset[str] | None:
        """The folded words for a missing label, or None for the usual ones."""
        return None if self.missing is None else frozenset(map(folded, _words(self.missing)))

    @cached_property
    def dropped(self) -> frozenset[str]:
        """The folded names of the classes to leave out."""
        # A name may hold a comma itself.
        whole = [self.drop_classes] if isinstance(self.drop_classes, str) else []
        return frozenset(filter(None, map(folded, [*whole, *_words(self.drop_classes)])))

    @property
    def separator(self) -> str | None:
        """What stands between the labels of a row; '' for nothing, None to find it out."""
        given = self.label_separator
        if given is None or given in SEPARATORS:
            return None if given is None else SEPARATORS[given]
        return f" {given} " if given.isalpha() else given  # 'and' stands inside of words, too


AS_WRITTEN = LabelOptions()


def typed(names: Sequence[str]) -> str:
    """Labels as the value of an option; '' if a shell or a comma would change one of them."""
    given = ",".join(names)
    if set(given) & _NOT_TYPED or (len(names) > 1 and given.count(",") >= len(names)):
        return ""
    return given if re.fullmatch(r"\w+", given) else f'"{given}"'


def _words(given: Words) -> list[str]:
    if isinstance(given, str):
        return [word.strip() for word in given.split(",")] if given.strip() else []
    return [word.strip() for word in given]


def _names_in(path: Path) -> dict[int, str]:
    """The class names in a file: a list or an object in JSON or YAML, or lines."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"it has more than {_LARGEST:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() in (".yaml", ".yml", ".md"):
            text = _list_in_yaml(_front(text) if path.suffix.lower() == ".md" else text)
        names = _from_json(json.loads(text)) if path.suffix == ".json" else _from_lines(text)
        if len(names) < 2:
            raise ValueError("it holds no two names")
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"The class names in {path} can't be read: {first_line(error)}.",
            hint="Write one name per line, in the order of the numbers, which begin at 0.",
        ) from error
    return names


def _from_json(content: object) -> dict[int, str]:
    """A list of names, or an object that is written {"0": "joy"} or {"joy": 0}, also in the file
    config.json of a model, and in dataset_infos.json.
    """
    if isinstance(content, dict):
        content = content.get("id2label") or content.get("label2id") or content
        lists = {tuple(names) for names in _features(content)}
        content = _only(lists) if lists else content
    if isinstance(content, (list, tuple)):
        return {place: str(name) for place, name in enumerate(content)}
    if not isinstance(content, dict):
        raise ValueError("it is neither a list nor an object")
    if all(isinstance(value, int) for value in content.values()):
        return {value: name for name, value in content.items()}
    return {int(number): str(name) for number, name in content.items()}


def _features(content: object) -> Iterator[list[str]]:
    """The class names in the features of a data set of the Hub, of each of its columns."""
    if isinstance(content, dict):
        if content.get("_type") == "ClassLabel" and isinstance(content.get("names"), list):
            yield list(map(str, content["names"]))
        for inner in content.values():
            yield from _features(inner)


def _list_in_yaml(text: str) -> str:
    """The lines of the list of names in YAML; without such a list, all lines."""
    lists: dict[str, set[str]] = {}
    for _, name, value, lines in re.findall(_LIST, text):
        lists.setdefault(name, set()).add(value.strip() or lines)
    # Beside features with 'names', 'labels' may be one of the features.
    inner = _only(lists.get("names") or set().union(*lists.values()) or {text}).strip()
    if inner.startswith(("[", "{")):
        inner = inner.strip("[]{}").replace(",", "\n")
    kept = (line.strip().removeprefix("- ") for line in inner.splitlines())
    kept = (line for line in kept if line and not line.startswith(("#", "---")))
    return "\n".join(re.sub(_QUOTED, r"\2", line) for line in kept)


def _front(text: str) -> str:
    """The YAML at the start of a README of the Hub. ValueError if it names no classes."""
    front = text.split("\n---", maxsplit=1)[0] if text.startswith("---") else ""
    if "class_label:" not in front:
        raise ValueError("it names no classes")
    return front


def _only(lists: set[_T]) -> _T:
    """The only list. ValueError if there are others."""
    if len(lists) > 1:
        raise ValueError("it holds several lists of names")
    return lists.pop()


def _from_lines(text: str) -> dict[int, str]:
    lines = [line for line in text.splitlines() if line.strip()]
    for some in (lines, lines[1:]):  # the first line may be a header
        numbered = [re.fullmatch(_NUMBERED, line) for line in some]
        if some and all(numbered):
            return {int(match[1]): match[2] for match in numbered if match}
        named = [re.fullmatch(_NAMED, line) for line in some]
        if some and all(named):
            return {int(match[2]): match[1] for match in named if match}
    return {place: line.strip() for place, line in enumerate(lines)}
