"""The rows in one JSON object: columns, lists inside it, classes with their texts.

Knows no file and reads no text.
"""

from __future__ import annotations

from typing import Any

from emolens.data.checks import counted
from emolens.data.readers.columns import any_usual
from emolens.data.readers.source import Source
from emolens.data.readers.table import Row
from emolens.data.splitnames import canonical
from emolens.errors import DataError, some_of
from emolens.labels import EMOTIONS


def rows_in(whole: Any, source: Source) -> tuple[list[Any], str]:
    """The rows in the one value of a document, and how they stand there. Raises DataError."""
    return _by_class(whole) or _of_viewer(whole) or _rows_of(whole, source)


def _rows_of(whole: Any, source: Source) -> tuple[list[Any], str]:
    """The rows in the one value of a document, and how they stand there."""
    if not isinstance(whole, dict):
        return [whole], ""
    lists = {name: value for name, value in whole.items() if isinstance(value, list)}
    if {"columns", "data"} <= set(lists) and all(isinstance(r, list) for r in lists["data"]):
        return [dict(zip(lists["columns"], row, strict=False)) for row in lists["data"]], "a table"
    plain = not any(isinstance(v, dict) for rows in lists.values() for v in rows)
    alike = len({len(value) for value in lists.values()}) == 1
    if plain and alike and len(lists) == len(whole) > 1:
        columns = zip(*whole.values(), strict=True)
        return [dict(zip(whole, row, strict=True)) for row in columns], "a list per column"
    rows = [name for name, value in lists.items() if value and isinstance(value[0], dict)]
    if len(rows) > 1 and all(map(canonical, rows)):
        split = [{"split": name, **row} for name in rows for row in lists[name]]
        return split, f"the lists {some_of(rows)}, whose names stand in the column 'split'"
    if len(rows) > 1:
        raise DataError(
            f"{source} holds several lists of rows: {some_of(rows)}.",
            hint="Save each one in its own file, and give a folder of these files.",
        )
    if len(whole) == 1 and lists:
        rows = list(lists)
    if rows:
        return lists[rows[0]], f"the list '{rows[0]}' inside an object"
    return _rows_of_objects(whole, source)


def _of_viewer(whole: Any) -> tuple[list[Row], str] | None:
    """The rows in an answer of the Hub's data set viewer. Classes that are numbers get names."""
    if not isinstance(whole, dict) or not {"features", "rows"} <= whole.keys():
        return None
    names, rows, n_cut = dict[str, dict[int, str]](), list[Row](), 0
    try:
        for feature in whole["features"]:
            names[feature["name"]] = dict(enumerate(feature["type"].get("names", ())))
        for entry in whole["rows"]:
            row = entry["row"].items()
            rows.append({k: names[k].get(v, v) if isinstance(v, int) else v for k, v in row})
            n_cut += bool(entry["truncated_cells"])
    except (AttributeError, KeyError, TypeError):
        return None
    cut = f", which has cut texts in {counted(n_cut, 'row')}" if n_cut else ""
    return rows, f"rows of the viewer of the Hub{cut}"


def _by_class(whole: Any) -> tuple[list[Any], str] | None:
    """The rows of an object of classes with their texts, or of texts with their classes."""
    if not isinstance(whole, dict) or len(whole) < 2 or any_usual(whole):
        return None
    values = list(whole.values())
    if all(isinstance(value, str) for value in values):
        n_texts = sum(" " in name.strip() for name in whole)
        rows = [{"text": text, "label": label} for text, label in whole.items()]
        return (rows, "an object of texts with their labels") if 2 * n_texts >= len(rows) else None
    are_texts = all(isinstance(v, list) and all(isinstance(t, str) for t in v) for v in values)
    # Lists of one length may be columns.
    if are_texts and (len(set(map(len, values))) > 1 or not set(EMOTIONS).isdisjoint(whole)):
        rows = [{"text": text, "label": name} for name, texts in whole.items() for text in texts]
        return rows, "an object of classes with their texts"
    return None


def _rows_of_objects(whole: Row, source: Source) -> tuple[list[Any], str]:
    """The rows in objects inside an object, as pandas writes them."""
    inner = list(whole.values())
    if not inner or not all(isinstance(value, dict) for value in inner):
        return [whole], ""
    if len(whole) == 1:
        return _rows_of(inner[0], source)
    flat = not any(isinstance(v, (dict, list)) for value in inner for v in value.values())
    if flat and any_usual(whole):
        keys = dict.fromkeys(key for value in inner for key in value)
        rows = [{name: whole[name].get(key) for name in whole} for key in keys]
        return rows, "an object per column"
    return [{"id": key} | value for key, value in whole.items()], "an object per row"
