"""Values of a cell as text. Knows no file format beside JSON."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any

# With these a spreadsheet takes a cell for a formula; some also drop the tab or the line end before
# one (OWASP, "CSV Injection"). The last four are the wide forms of Chinese and Japanese.
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?[.,]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?")


def safe(value: Any) -> Any:
    """A text that a spreadsheet would run gets a ' in front of it; a number stays as it is."""
    if isinstance(value, str) and value.startswith(_RUN) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def plain(value: Any) -> Any:
    """The value of one cell: lists and objects become JSON, and bytes become Base64."""
    if isinstance(value, (list, tuple, dict)):
        return as_json(value)
    return _text(value) if isinstance(value, bytes) else value


def as_text(value: Any) -> str | None:
    """The value as a string; a missing one stays None."""
    value = plain(value)
    return value if value is None or isinstance(value, str) else str(value)


def as_json(value: Any) -> str:
    """The value as JSON, in one line. JSON has no NaN and no infinity: they become null."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_text, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=_text, allow_nan=False)


def _text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
