"""Names of files, folders and models as a user gives them. Knows nothing of what they hold."""

from __future__ import annotations

import errno
from pathlib import Path

from emolens.errors import UsageError

BUNDLED = "general"  # the model that comes with emolens


def user_path(name: str | Path) -> Path:
    """The path, with `~` for the home folder. UsageError for a name that no file can have."""
    if isinstance(name, str) and not name.strip():
        raise UsageError(
            "A name is empty.", hint="Give the name of a file, a folder or a data set."
        )
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~user, and there is no such user
        path = Path(name)
    try:
        path.lstat()
    except ValueError as error:
        raise _impossible(path, "it holds a character that names can't have") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise _impossible(path, "it is too long") from error
    return path


def _impossible(path: Path, why: str) -> UsageError:
    return UsageError(
        f"No file has the name '{str(path)[:60]}…': {why}.",
        hint="Check the name: perhaps a text stands where a name belongs.",
    )
