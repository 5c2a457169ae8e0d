"""Saves states in processes that are killed, and looks at what is there after each kill.

python -m tests.learn.saves each FOLDER kills a save at each of its changes of a file; ... random
FOLDER N kills a loop of saves at N random moments. Both print the number of kills.
"""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from emolens.learn.finetune.checkpoint import Checkpoints, State
from tests.killed import killed_at

KEY = "a training"
FIRST_KILL, LAST_KILL = 0.0, 0.15  # seconds after the first save


def arrays_of(step: int) -> dict[str, np.ndarray]:
    """Some 2 MB that depend on the step."""
    numbers = np.random.default_rng(step)
    return {
        "weights": numbers.standard_normal((500, 1000)).astype(np.float32),
        "order": numbers.integers(0, 2**60, size=10 + step),
    }


def best_of(step: int) -> int:
    """The best epoch at this step. Two steps are an epoch, and two of three epochs are better."""
    epoch = step // 2
    return epoch - (epoch % 3 == 2)


def save(checkpoints: Checkpoints, step: int) -> None:
    """Save the state of a step, and before it the best arrays where they have changed."""
    best = best_of(step)
    if step == 1 or best != best_of(step - 1):
        checkpoints.keep_best(best, arrays_of(1000 + best))
    checkpoints.save(State(step, arrays_of(step), {"share": step / 7}, best))


def step_in(folder: Path) -> int:
    """The step of the newest state; it and its best arrays must be those of save()."""
    checkpoints = Checkpoints(folder, KEY)
    state = checkpoints.newest()
    if state is None:
        return 0
    assert state.facts == {"share": state.step / 7}
    assert state.best == best_of(state.step)
    for arrays, saved in (
        (state.arrays, arrays_of(state.step)),
        (checkpoints.best(state.best), arrays_of(1000 + state.best)),
    ):
        assert arrays.keys() == saved.keys()
        assert all(np.array_equal(arrays[name], saved[name]) for name in saved)
    return state.step


def names_after(step: int) -> list[str]:
    """What must be in the folder after a save."""
    steps = [s for s in (step - 1, step) if s > 0]
    best = {f"best-{best_of(s)}" for s in steps}
    return sorted([*best, *(f"step-{s:08d}" for s in steps)])


def killed_at_each_change(place: Path) -> int:
    """Kill the save of each of some steps at each change of a file, and save again."""
    n_kills = 0
    for step in (1, 2, 3):  # the second one has new best arrays, the third one deletes old ones
        start = place / f"start-{step}"
        if step > 1:
            save(Checkpoints(start, KEY), step - 1)
        n = 0
        while True:
            n += 1
            folder = place / f"killed-{step}-{n}"
            if start.exists():
                shutil.copytree(start, folder)
            if not killed_at(n, lambda: save(Checkpoints(folder, KEY), step)):  # noqa: B023
                break
            n_kills += 1
            assert step_in(folder) in (step - 1, step), (step, n)
            save(Checkpoints(folder, KEY), step)
            assert sorted(p.name for p in folder.iterdir()) == names_after(step), (step, n)
        assert step_in(folder) == step
        folder.replace(place / f"start-{step + 1}")
    return n_kills


def killed_at_random(folder: Path, n: int, seed: int = 5) -> int:
    """Kill a loop of saves n times; each goes on where the last one was killed."""
    chance = random.Random(seed)
    for _ in range(n):
        before = step_in(folder)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            checkpoints = Checkpoints(folder, KEY)
            for step in range(before + 1, 10**6):
                save(checkpoints, step)
                os.write(writer, step.to_bytes(4, "big"))
        select.select([reader], [], [])
        time.sleep(chance.uniform(FIRST_KILL, LAST_KILL))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            last = int.from_bytes(pipe.read()[-4:], "big")
        assert last > before
        assert step_in(folder) in (last, last + 1)
    return n


def main(how: str, folder: Path, *n: str) -> int:
    warnings.simplefilter("error")
    return killed_at_random(folder, int(n[0])) if n else killed_at_each_change(folder)


if __name__ == "__main__":
    sys.stdout.write(str(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])))
