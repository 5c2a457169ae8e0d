"""Several trainings that differ in their seed alone: one after the other, and the best one stays.

Knows nothing of how one training goes, or of studies.
"""

from __future__ import annotations

import contextlib
import shutil
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from emolens.data.dataset import TEST, VALIDATION, Dataset
from emolens.encode.backbone import EncoderFolder, find_encoder, tokenizer_of
from emolens.encode.engines.base import Progress
from emolens.encode.tokenize import Tokenizer
from emolens.errors import UsageError
from emolens.learn.finetune import f1_of, finetune, key_of
from emolens.learn.finetune.checkpoint import Checkpoints
from emolens.learn.finetune.plan import plan_recipe
from emolens.learn.finetune.tracker import TensorBoard
from emolens.modelfolder import EMOLENS_JSON, check_writable, owned_in, read_emolens_json, renew
from emolens.names import user_path
from emolens.output import is_file_with, remove_owned, sha256, staged, writing
from emolens.owned import checked_list
from emolens.scores import FinetuneFacts, Recipe, Scores, SeedPoint
from emolens.store import fingerprint, load_object, save_json

_RECORD, _MODEL = "seed.json", "model"
MANY_SEEDS = 2**32  # NumPy takes lower ones only


def finetune_seeds(  # noqa: PLR0913 - the arguments of `finetune`, and two more
    encoder: str | Path | EncoderFolder,
    dataset: Dataset,
    folder: str | Path,
    *,
    seeds: Iterable[int],
    tokenizer: Tokenizer | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
    tensorboard: Path | None = None,
) -> Scores:
    """Fine-tune once for each seed, all on the same splits, and keep the best model in `folder`.

    The best one has the highest macro-F1 on validation; accuracy there decides between equal ones,
    then the order of the seeds. The test split decides nothing. seeds: such as range(42, 47). The
    other arguments are those of `finetune`; the seed of `recipe` is not used. progress: counts the
    steps of all trainings. tensorboard: a folder for the figures of each training, which
    TensorBoard shows while it runs.

    Each training has a folder in `folder`.checkpoints. If the process is killed, the next call with
    the same arguments continues with the training that had not ended. A model that is not the best
    one is deleted at once, and the folder of checkpoints at the end.

    Returns the scores of the kept model; `seeds` of its facts has the figures of each training.
    """
    seeds = _checked(seeds)
    folder = user_path(folder)
    check_writable(folder)
    if not isinstance(encoder, EncoderFolder):
        encoder = find_encoder(str(encoder))
    recipe = recipe or plan_recipe(encoder, dataset)
    limit = (tokenizer or tokenizer_of(encoder)).max_length
    root = Path(f"{folder}.checkpoints")
    place = Checkpoints(root, "")
    trainings = [
        _Training(root / f"seed-{seed}", key_of(encoder, dataset, one, limit=limit), one)
        for seed in seeds
        for one in [replace(recipe, seed=seed)]
    ]

    def train(one: _Training, target: Path) -> Scores:
        whole = progress and _part(progress, one, trainings)
        options: dict[str, Any] = {"tokenizer": tokenizer, "recipe": one.recipe, "progress": whole}
        if tensorboard is None:
            return finetune(encoder, dataset, target, **options)
        place = tensorboard / f"seed-{one.recipe.seed}"
        with contextlib.closing(TensorBoard(place, one.key)) as tracker:
            return finetune(encoder, dataset, target, tracker=tracker, **options)

    if len(trainings) == 1:
        with place.alone():
            _say_removed(_remove_all_but([], root))
        return train(trainings[0], folder)
    with place.alone():
        _say_removed(_remove_all_but(trainings, root))
        while (one := _next(trainings)) is not None:
            scores = train(one, one.model)
            one.finish(scores, _point(one.recipe.seed, scores, dataset))
            _drop_lost(trainings)
        return _kept(trainings, folder, place)


@dataclass
class _Training:
    """The folder of one training: its model, its scores, and a record once it has ended.

    key: all that decides the result. A record with another key is that of another training.
    """

    folder: Path
    key: str
    recipe: Recipe

    @property
    def model(self) -> Path:
        """The model folder of this training."""
        return self.folder / _MODEL

    @property
    def point(self) -> SeedPoint | None:
        """The figures; None if the training has not ended."""
        record = _record(self.folder)
        return _as_point(record["point"]) if record.get("key") == self.key else None

    @property
    def is_whole(self) -> bool:
        """Whether all files are as they were written."""
        files = _record(self.folder).get("files", {})
        return bool(files) and all(is_file_with(self.folder / n, d) for n, d in files.items())

    def finish(self, scores: Scores, point: SeedPoint) -> None:
        """Write the scores, and then the record."""
        with writing(self.folder):
            names = [path.name for path in scores.save(self.folder)]
        names += [f"{_MODEL}/{name}" for name in (*owned_in(self.model).files, EMOLENS_JSON)]
        files = {name: sha256(self.folder / name) for name in names}
        content = {"written_by": "emolens", "key": self.key, "point": asdict(point), "files": files}
        save_json(self.folder / _RECORD, {**content, "check": fingerprint(content)})


def _checked(seeds: Iterable[int]) -> list[int]:
    chosen = list(seeds)
    if not chosen or len(set(chosen)) < len(chosen) or not all(0 <= s < MANY_SEEDS for s in chosen):
        raise UsageError(
            f"The seeds {chosen} can't be trained with one after the other.",
            hint=f"Give different numbers from 0 to {MANY_SEEDS - 1}, such as seeds=range(42, 47).",
        )
    return chosen


def _part(progress: Progress, one: _Training, trainings: Sequence[_Training]) -> Progress:
    """The progress of one training, as a part of all of them."""
    ended = sum(other.point is not None for other in trainings if other is not one)
    n = len(trainings)
    return lambda done, total: progress(ended * total + done, n * total)


def _point(seed: int, scores: Scores, dataset: Dataset) -> SeedPoint:
    facts = scores.facts
    assert isinstance(facts, FinetuneFacts)  # noqa: S101 - for the type checker
    figures = {
        split: (float((scores.predictions(split) == y).mean()), f1_of(p, y))
        for split, p in scores.probabilities.items()
        for y in [dataset[split].labels]
    }
    return SeedPoint(
        seed=seed,
        best_epoch=facts.best_epoch,
        seconds=facts.seconds,
        validation=figures[VALIDATION],
        test=figures.get(TEST),
        history=facts.history,
    )


def _best(trainings: Sequence[_Training]) -> _Training:
    """Of those that have ended. Of equal ones the first."""

    def merit(one: _Training) -> tuple[float, float]:
        accuracy, macro_f1 = one.point.validation if one.point else (-1.0, -1.0)
        return macro_f1, accuracy

    return max(trainings, key=merit)


def _next(trainings: Sequence[_Training]) -> _Training | None:
    """The first training that has not ended; else the best one, if its files are damaged."""
    for one in trainings:
        if one.point is None:
            return one
    best = _best(trainings)
    return None if best.is_whole else best


def _drop_lost(trainings: Sequence[_Training]) -> None:
    """Delete the models that are not the best one, so that only one takes space on the disk."""
    best = _best(trainings)
    if best.is_whole:
        for one in trainings:
            if one is not best and one.point:
                _remove(one.folder, but=_RECORD)


def _kept(trainings: Sequence[_Training], folder: Path, place: Checkpoints) -> Scores:
    """Copy the best model to its place, and delete all else.

    Returns its scores, with the figures of each training.
    """
    best = _best(trainings)
    facts = read_emolens_json(best.model)
    names = facts.pop("files")
    scores = Scores.load(best.folder)
    assert isinstance(scores.facts, FinetuneFacts)  # noqa: S101 - for the type checker
    with staged(folder) as fresh, writing(folder):
        for name in names:
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            # A copy: if the process is killed now, the training need not be done again.
            shutil.copyfile(best.model / name, fresh / name)
        renew(fresh, folder, facts=facts)
    points = tuple(one.point for one in trainings if one.point)
    _remove_all_but([], trainings[0].folder.parent)
    place.remove()  # of a training without other seeds that was stopped
    return replace(scores, facts=replace(scores.facts, seeds=points))


def _record(folder: Path) -> dict[str, Any]:
    """What finish() wrote; empty if there is nothing, or if it is damaged."""
    try:
        content = load_object(folder / _RECORD)
        checked_list(content.get("files"))
    except (OSError, ValueError):
        return {}
    check = content.pop("check", None)
    return content if check == fingerprint(content) else {}


def _as_point(plain: Any) -> SeedPoint:
    from pydantic import TypeAdapter

    point: SeedPoint = TypeAdapter(SeedPoint).validate_python(plain)
    return point


def _remove_all_but(trainings: Sequence[_Training], root: Path) -> int:
    """Delete what emolens wrote of all other trainings, and the folders that are empty then.

    Returns how many of them had ended.
    """
    keys, n = {one.folder: one.key for one in trainings}, 0
    for folder in root.glob("seed-*"):
        if (record := _record(folder)) and keys.get(folder) != record["key"]:
            _remove(folder)
            n += 1
        if folder not in keys:  # its training may have been stopped
            if (states := folder / f"{_MODEL}.checkpoints").is_dir():
                place = Checkpoints(states, "")
                with place.alone():
                    place.remove()
            _remove_empty(folder)
    with contextlib.suppress(OSError):  # only if it is empty
        root.rmdir()
    return n


def _say_removed(n: int) -> None:
    if n:
        message = f"Trainings with other seeds or settings that had ended, and are removed: {n}."
        warnings.warn(message, UserWarning, stacklevel=3)


def _remove(folder: Path, *, but: str = "") -> None:
    """Delete the files of a training that emolens wrote, and the folders that are empty then."""
    files = dict(_record(folder)["files"])
    if not but:
        files[_RECORD] = sha256(folder / _RECORD)
    remove_owned(folder, sorted(files), files)
    _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    inside = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
    for path in (*inside, folder):
        with contextlib.suppress(OSError):
            path.rmdir()
