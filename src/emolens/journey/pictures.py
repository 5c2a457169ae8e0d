"""The folder with the pictures of the walkthrough, and `learn.json`, the list of those in it.

Files of others are never replaced: see place(). Knows nothing of what the pictures show.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from emolens.errors import StorageError, first_line
from emolens.output import digests, place, remove_owned, staged
from emolens.owned import Owned
from emolens.store import load_object, save_json

LIST = "learn.json"


class Pictures:
    """The pictures of sections in `folder`, which is made with the first one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, stem: str, pictures: Sequence[bytes], *, before: int = 0) -> list[Path]:
        """Write pictures as `stem.png`, `stem-2.png`, …; their paths.

        before: how many the section has so far. StorageError if the folder
        can't be written to, or if its list was changed.
        """
        if not pictures:
            return []
        with staged(self.folder) as fresh:
            for number, picture in enumerate(pictures, before + 1):
                (fresh / _name(stem, number)).write_bytes(picture)
            new = digests(fresh)
            owned = self._owned().expecting(new, self.folder)
            save_json(self.folder / LIST, owned.to_json())
            paths = place(fresh, self.folder, new=new, owned=owned.files)
            save_json(self.folder / LIST, owned.placed().to_json())
            return paths

    def forget(self, stem: str, kept: int) -> None:
        """Delete the pictures of this section that earlier runs wrote, except the last `kept`.

        Those of a section are all that begin with its number, also under another title.
        """
        owned = self._owned()
        beginning = stem.partition("-")[0] + "-"
        now = {_name(stem, number) for number in range(1, kept + 1)}
        gone = {name for name in owned.files if f"{name[:-4]}-".startswith(beginning)} - now
        if gone:
            left = remove_owned(self.folder, sorted(gone), owned.files)
            save_json(self.folder / LIST, owned.placed(without=gone - left).to_json())

    def _owned(self) -> Owned:
        path = self.folder / LIST
        if not os.path.lexists(path):
            return Owned()
        try:
            return Owned.from_json(load_object(path))
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{path} is not as emolens writes it: {first_line(error)}.",
                hint="Give it another name, or choose another folder with --out.",
            ) from error


def _name(stem: str, number: int) -> str:
    return f"{stem}.png" if number == 1 else f"{stem}-{number}.png"
