"""Writes the figures of a training into files for TensorBoard, which draws them while it runs.

Nothing is sent anywhere. Knows nothing of what the figures mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emolens.errors import require
from emolens.output import writing
from emolens.store import load_object, save_json

_LIST = "emolens.json"  # the names of the files that emolens wrote into the folder


class TensorBoard:
    """A tracker of a training: writes what it gets into a folder.

    key: all that decides the training. Files of another training in the same folder are replaced,
    if emolens wrote them. A training that continues hides the figures that it gives again.
    """

    def __init__(self, folder: Path, key: str) -> None:
        """Writes nothing yet. Raises MissingExtra if tensorboard is not installed."""
        require("tensorboard", "tensorboard")
        self._folder, self._key = folder, key
        self._writer: Any = None

    def log(self, step: int, values: dict[str, float]) -> None:
        """Figures after a step, by name."""
        with writing(self._folder):
            if self._writer is None:
                self._writer = self._opened(step)
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)
            self._writer.flush()

    def close(self) -> None:
        """No more figures come."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _opened(self, step: int) -> Any:
        """A writer whose figures replace those from this step on."""
        names = self._written()
        self._folder.mkdir(parents=True, exist_ok=True)
        before = {path.name for path in self._folder.iterdir()}
        module = require("torch.utils.tensorboard", "tensorboard")
        writer = module.SummaryWriter(str(self._folder), purge_step=step)
        names += sorted({path.name for path in self._folder.iterdir()} - before)
        save_json(self._folder / _LIST, {"written_by": "emolens", "key": self._key, "files": names})
        return writer

    def _written(self) -> list[str]:
        """The files of this training so far. Those of another one are deleted."""
        try:
            content = load_object(self._folder / _LIST)
            names = [name for name in content["files"] if Path(name).name == name]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        if content.get("key") == self._key:
            return names
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
        return []
