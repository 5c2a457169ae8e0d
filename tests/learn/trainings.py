"""Trains in processes that are stopped again and again, and compares what they write in the end.

python -m tests.learn.trainings reads a `Job` from stdin, as JSON, and prints the number of stops.
Each training is a fork of a process that has imported all libraries, so it begins at once.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from emolens.data.dataset import Dataset
from emolens.data.sources import load_dataset
from emolens.errors import StorageError
from emolens.learn.finetune import finetune, loop, passes
from emolens.output import sha256
from emolens.scores import Recipe, Scores
from tests.learn.conftest import the_feelings

LIBRARIES = ("sklearn.linear_model", "sklearn.metrics", "mapie", "safetensors.torch", "tokenizers",
             "torch", "torch.utils.data", "transformers.models.bert.modeling_bert")  # fmt: skip
STOPPED, FULL = 130, 28  # exit codes
LAST = b"!"
LATE = 0.2  # of the stops
_TIMES = {"seconds", "texts_per_second"}


@dataclass(frozen=True)
class Job:
    """What is trained, and how it is stopped.

    data: "feelings", or "starter" for 600 of its rows. stop: "kill", "interrupt" or "full disk".
    n: the number of stops. most_steps: between two stops. rows: the word embeddings get their
    gradients by row, as large ones do.
    """

    encoder: str
    place: str
    recipe: dict[str, Any]
    data: str = "feelings"
    stop: str = "kill"
    n: int = 10
    most_steps: int = 5
    rows: bool = False
    seed: int = 1

    def dataset(self) -> Dataset:
        """The data; loaded in a fork, because threads of a library do not survive one."""
        if self.data == "feelings":
            return the_feelings()
        whole = load_dataset(self.data)
        sizes = {"train": 600, "validation": 200, "test": 200}
        chance = np.random.default_rng(0)
        rows = {name: chance.permutation(len(whole[name]))[:n] for name, n in sizes.items()}
        splits = {name: whole[name].take(np.sort(kept)) for name, kept in rows.items()}
        return dataclasses.replace(whole, splits=splits)


@dataclass(frozen=True)
class Training:
    """A process that trains. steps: where it writes a byte for each step, and another for the last.

    full_after: after so many steps the disk is full.
    """

    process: int
    steps: int

    @classmethod
    def of(cls, job: Job, folder: Path, *, full_after: float = math.inf) -> Training:
        """Begin, or continue, a training into a folder."""
        reader, writer = os.pipe()
        process = os.fork()
        if process == 0:
            os._exit(_train(job, folder, writer, full_after))
        os.close(writer)
        return cls(process, reader)

    def wait(self, n: float) -> bool:
        """Wait for so many steps, or for the last one; False if the process has ended before."""
        while n > 0:
            byte = os.read(self.steps, 1)
            if not byte:
                return False
            n -= math.inf if byte == LAST else 1
        return True

    def end(self, number: int = 0) -> int:
        """Send a signal, and wait for the end; the exit code, or minus the signal."""
        os.kill(self.process, number)  # also if it has ended: nobody has waited for it yet
        code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        os.close(self.steps)
        return code


def _train(job: Job, folder: Path, writer: int, full_after: float) -> int:
    # Each step is saved, so that many stops come while a state is being written.
    loop._EVERY, loop._SHARE = 0.0, math.inf
    if job.rows:
        passes._LARGE = 0
    n_steps = 0

    def progress(done: int, total: int) -> None:
        nonlocal n_steps
        n_steps += 1
        os.write(writer, LAST if done == total else b".")
        if n_steps >= full_after:  # a limit on the size of files is an error of the real system
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    try:
        recipe = Recipe(**job.recipe)
        scores = finetune(job.encoder, job.dataset(), folder, recipe=recipe, progress=progress)
        scores.save(f"{folder}-scores")
    except KeyboardInterrupt:
        return STOPPED
    except StorageError as error:
        return FULL if "The disk is full" in str(error) else _shown()
    except BaseException:
        return _shown()
    return 0


def _shown() -> int:
    traceback.print_exc()
    return 1


def result(folder: Path) -> dict[str, Any]:
    """All that a training has written, without the times."""
    files = (path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    about = json.loads((folder / "emolens.json").read_text())
    scores = Scores.load(f"{folder}-scores")
    probabilities = {name: values.tobytes() for name, values in scores.probabilities.items()}
    assert scores.facts is not None
    facts = _without_times(dataclasses.asdict(scores.facts))
    return {**digests, "emolens.json": about, "scores": probabilities, "facts": facts}


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(v) for name, v in value.items() if name not in _TIMES}
    if isinstance(value, (list, tuple)):
        return [_without_times(v) for v in value]
    return value


def names_in(folder: Path) -> set[str]:
    """The names in a folder; none if there is no folder."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def check_clean(folder: Path) -> None:
    """After an error or Ctrl-C, nothing half-written is left."""
    for place in (folder, Path(f"{folder}.checkpoints")):
        assert not [name for name in names_in(place) if ".emolens-" in name], place


@dataclass(frozen=True)
class Undisturbed:
    """A training without a stop. The seconds of a step, and before and after all steps."""

    result: dict[str, Any]
    before: float
    step: float
    after: float

    @classmethod
    def of(cls, job: Job, folder: Path) -> Undisturbed:
        """Train, and measure."""
        started = time.monotonic()
        training = Training.of(job, folder)
        moments = []
        while training.wait(1):
            moments.append(time.monotonic())
        assert training.end() == 0
        step = (moments[-1] - moments[0]) / len(moments)
        after = time.monotonic() - moments[-1]
        return cls(result(folder), moments[0] - started, step, after)


def stopped(
    job: Job, folder: Path, undisturbed: Undisturbed, *, chance: random.Random, late: bool
) -> bool:
    """Train, and stop at a random moment. False if the training had ended before.

    late: after the last step, while the model is calibrated and written.
    """
    steps = chance.randint(1, job.most_steps)
    if job.stop == "full disk":
        code = Training.of(job, folder, full_after=steps).end()
        assert code in (0, FULL)
    else:
        training = Training.of(job, folder)
        number = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT}[job.stop]
        if late:
            training.wait(math.inf)
            seconds = undisturbed.after
        elif number == signal.SIGKILL and chance.random() < 0.1:
            seconds = undisturbed.before  # Ctrl-C during an import is another matter
        else:
            training.wait(steps)
            seconds = undisturbed.step
        time.sleep(chance.uniform(0, seconds))
        code = training.end(number)
        assert code in (0, STOPPED, -signal.SIGKILL)
    if code > 0:
        check_clean(folder)
    return code != 0


def main(job: Job) -> int:
    """Stop trainings at random moments, continue each to its end, and compare; how many stops."""
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "Training continues at step")
    for library in LIBRARIES:
        import_module(library)
    place, chance = Path(job.place), random.Random(job.seed)
    undisturbed = Undisturbed.of(job, place / "undisturbed")
    stops = trainings = 0
    while stops < job.n:  # a training may end before it is stopped; then another one begins
        trainings += 1
        folder = place / f"stopped-{trainings}"
        while stops < job.n:
            late = stops >= (1 - LATE) * job.n
            if not stopped(job, folder, undisturbed, chance=chance, late=late):
                break
            stops += 1
        if not Path(f"{folder}-scores/scores.json").exists():  # it is written last
            assert Training.of(job, folder).end() == 0
        there, wanted = result(folder), undisturbed.result
        assert there.keys() == wanted.keys()
        apart = [name for name in wanted if there[name] != wanted[name]]
        assert not apart, (folder, apart)
        assert names_in(place) == {n for n in names_in(place) if ".checkpoints" not in n}
    return stops


if __name__ == "__main__":
    sys.stdout.write(str(main(Job(**json.load(sys.stdin)))))
