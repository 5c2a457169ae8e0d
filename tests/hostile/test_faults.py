"""Each operation on files fails in turn, and signals come between any two of them.

Afterwards every file of the user is as before. The target is the whole old or the whole new one.
The same command ends, without the fault, as if there had been none.
"""

from __future__ import annotations

import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from emolens.study import Run
from tests.conftest import feeling_rows, write_csv
from tests.hostile.faults import Fault, Scenario, Undisturbed, Warm, spread

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="needs Linux and a C compiler"
)
Prepared = Callable[[str], Undisturbed]
Capture = pytest.CaptureFixture[str]
Case = tuple[str, Fault | None, tuple[int, float] | None]
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL)
# The commands; {…} are places outside of the folder in which they run.
COMMANDS = {
    "predict-csv": "predict --model model --input in.csv --out out.csv",
    "predict-jsonl": "predict --model model --input in.csv --out out.jsonl --overwrite",
    "predict-parquet": "predict --model model --input in.csv --out link.parquet --overwrite",
    "encode": "encode in.csv --encoder {encoder} --precision fp32 --out o.parquet --overwrite",
    "encode-first": "encode in.csv --encoder {encoder} --precision fp32 --out new.parquet",
    "cache": "cache --clear",
    "export": "export model --no-onnx",
    "export-again": "export model --no-onnx",
    "export-int8": "export model --no-onnx --int8 --dataset {data}",
    "export-onnx": "export model --dataset {data}",
    "run": "run {study} --out run --quiet",
    "run-again": "run {study} --out run --quiet --set finetune.epochs=1",
    "run-changed": "run {study} --out run --quiet --set finetune.epochs=1",
}
# These take seconds: only two modes strike all of their operations, the others some of each kind.
SLOW = ("export-int8", "export-onnx", "run", "run-again", "run-changed")
# A command that was run before, and the folder of its results.
EARLIER = {
    "encode": (COMMANDS["encode-first"], "cache"),
    "cache": (COMMANDS["encode-first"], "cache"),
    "export-again": (COMMANDS["export"], "model"),
    "run-again": (COMMANDS["run"], "run"),
    "run-changed": (COMMANDS["run"], "run"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults").resolve()


@pytest.fixture(scope="module")
def warm(place: Path) -> Iterator[Warm]:
    process = Warm(place)
    yield process
    process.close()


@pytest.fixture(scope="module")
def prepared(place: Path, warm: Warm, tiny_run: Run, tiny_encoder: Path) -> Prepared:
    """Build the folder of a scenario, and run it once without a fault."""
    done: dict[str, Undisturbed] = {}
    study = place / "study.toml"
    study.write_text(
        f'name = "tiny"\nseed = 7\n[data]\ndataset = "{write_splits(place / "data")}"\n'
        f'[encoder]\nname = "{tiny_encoder}"\npooling = "mean"\nprecision = "fp32"\n'
        '[finetune]\nepochs = 2\nlearning_rate = 1e-2\nbatch_size = 8\nprecision = "fp32"\n',
        encoding="utf-8",
    )

    def words(command: str) -> tuple[str, ...]:
        places = {"encoder": tiny_encoder, "data": place / "data", "study": study}
        return tuple(command.format(**places).split())

    def prepare(name: str) -> Undisturbed:
        if name not in done:
            renews = name not in ("predict-csv", "encode-first")
            # An export of older weights goes when the new weights come.
            deletes = "run/model/openvino/" if name.startswith("run-") else ""
            start, work = place / f"start-{name}", place / "work"
            scenario = Scenario(name, words(COMMANDS[name]), start, work, renews, deletes)
            write_start(start, scenario.arguments[0], tiny_run.folder / "model")
            if name in EARLIER:
                command, left = EARLIER[name]
                add_earlier(scenario, warm, words(command), left)
            done[name] = Undisturbed.of(scenario, warm)
        return done[name]

    return prepare


def write_splits(folder: Path) -> Path:
    for name, n, start in (("train", 60, 0), ("validation", 18, 60), ("test", 18, 78)):
        write_csv(folder / f"{name}.csv", feeling_rows(n, start=start))
    return folder


def write_start(folder: Path, command: str, model: Path) -> None:
    """What the command reads, an older output, and files of the user beside them."""
    write_csv(folder / "in.csv", feeling_rows(400))
    (folder / "elsewhere").mkdir()
    for name in ("out.jsonl", "o.parquet", "elsewhere/real.parquet"):
        (folder / name).write_text("older", encoding="utf-8")
        (folder / name).chmod(0o640)
    (folder / "link.parquet").symlink_to("elsewhere/real.parquet")
    if command in ("predict", "export"):
        shutil.copytree(model, folder / "model")
    if command == "export":
        shutil.rmtree(folder / "model" / "openvino")
    for name in (".in.csv.emolens-mine", ".out.csv.emolens-mine", "mine.txt"):
        (folder / name).write_text("of the user", encoding="utf-8")
    (folder / "mine.txt").chmod(0o600)
    (folder / "link-to-mine").symlink_to("mine.txt")


def add_earlier(scenario: Scenario, warm: Warm, words: tuple[str, ...], left: str) -> None:
    """What an earlier command left, and files that the user has put beside it."""
    scenario.reset()
    ended = warm.run(scenario.work, *words)
    assert ended.code == 0, ended
    shutil.copytree(scenario.work / left, scenario.start / left, dirs_exist_ok=True)
    for folder in ("run", "run/model", "run/model/openvino", "model", "model/openvino", "cache"):
        if (scenario.start / folder).is_dir():
            for name in (
                "mine",
                ".report.html.emolens-mine",
                ".config.json.emolens-12ab34cd12ab34cd",
            ):
                (scenario.start / folder / name).write_text("of the user", encoding="utf-8")
    if scenario.name == "run-changed":
        for name in ("report.html", "model/config.json", "evaluation.json"):
            (scenario.start / "run" / name).write_text("changed by the user", encoding="utf-8")


def sweep(undisturbed: Undisturbed, warm: Warm, cases: Iterable[Case], capfd: Capture) -> None:
    """Run every case. Prints how many there were, and fails with what is wrong."""
    n, struck, failed, wrong = 0, 0, 0, []
    for name, fault, stop in cases:
        judged = undisturbed.under(warm, fault, stop)
        n += 1
        struck += judged.struck
        failed += bool(judged.wrong)
        wrong += [f"{name}: {line}" for line in judged.wrong]
    with capfd.disabled():
        sys.stdout.write(
            f"\n{undisturbed.scenario.name}: {n} cases, {struck} faults, {failed} failures\n"
        )
    assert not wrong, "\n".join(wrong)
    if not n:
        pytest.skip("the command has no such operation")
    assert struck, "no fault happened"


def at(undisturbed: Undisturbed, modes: str, per_kind: int | None = None) -> Iterator[Case]:
    """Faults of these modes, at all operations or at so many of each kind."""
    chosen = per_kind and spread(undisturbed.calls, per_kind)
    for name, fault in undisturbed.faults(modes):
        if not chosen or fault.nth in chosen:
            yield name, fault, None


@pytest.mark.parametrize(
    ("name", "modes", "per_kind"),
    [
        ("predict-csv", "okt", 2),
        ("predict-parquet", "o", 1),
        ("encode-first", "t", 1),
        ("cache", "ot", 1),
        ("export-again", "k", 1),
        ("run-again", "o", 1),
    ],
)
def test_a_few_operations_fail_in_turn(
    name: str, modes: str, per_kind: int, prepared: Prepared, warm: Warm, capfd: Capture
) -> None:
    undisturbed = prepared(name)
    sweep(undisturbed, warm, at(undisturbed, modes, per_kind), capfd)


@pytest.mark.soak
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("mode", "ofdpkthi")
def test_operations_fail_in_turn(
    name: str, mode: str, prepared: Prepared, warm: Warm, capfd: Capture
) -> None:
    undisturbed = prepared(name)
    # A study has some 400 operations and takes seconds: some of each kind stand for all of them.
    per_kind = (6 if mode in "ok" else 2) if name in SLOW else None
    sweep(undisturbed, warm, at(undisturbed, mode, per_kind), capfd)


def at_random(undisturbed: Undisturbed, warm: Warm, n: int, seed: int) -> Iterator[Case]:
    """Signals at random moments of the command."""
    scenario, chance = undisturbed.scenario, random.Random(seed)
    scenario.reset()
    started = time.monotonic()
    warm.run(scenario.work, *scenario.arguments)
    lasts = time.monotonic() - started
    for _ in range(n):
        stop = chance.choice(SIGNALS), chance.uniform(0, lasts)
        yield f"{scenario.name} {stop[0].name} after {stop[1]:.3f} s", None, stop


@pytest.mark.soak
@pytest.mark.parametrize("name", ["predict-parquet", "encode-first", "export", "run", "run-again"])
def test_signals_at_random_moments(
    name: str, prepared: Prepared, warm: Warm, capfd: Capture
) -> None:
    undisturbed = prepared(name)
    n = 60 if name in SLOW else 200
    sweep(undisturbed, warm, at_random(undisturbed, warm, n, seed=11), capfd)
