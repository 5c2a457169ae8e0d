"""Runs emolens commands under faults: an operation on files that fails, or a signal.

`Warm` runs a command with a `Fault`. A `Scenario` is a command, and the folder in which it runs.
`problems` compares the folder after a fault with the folders before and after a run without one.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What a full or failing disk, or a folder without rights, answers to each kind of operation.
ERRNO = {
    "c": errno.ENOSPC,
    "w": errno.ENOSPC,
    "t": errno.ENOSPC,
    "s": errno.EIO,
    "r": errno.EACCES,
    "u": errno.EACCES,
    "d": errno.ENOSPC,
    "m": errno.EPERM,
    "l": errno.ENOLCK,
}
ALL = "".join(ERRNO)
NEEDS_SPACE = "cwtd"
SHORT = -1000
_TEMPORARY = re.compile(r"(^|/)\.[^/]*\.emolens-")
LOOKS_LIKE_OURS = ".emolens-12ab34cd12ab34cd"
_TIMES = re.compile(rb'("(?:seconds|texts_per_second)": )[0-9.e+-]+')
_XML = "model/openvino/openvino_model.xml"
# They hold times, or names that OpenVINO counts through all that it has converted before.
_NEVER_ALIKE = {"report.html", "finetune/scores.json", "model/emolens.json", _XML}
_STOPPED = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

Entry = tuple[int, bytes]  # the mode and the content of a file; of a link or a folder, its target
Snapshot = dict[str, Entry]


@dataclass(frozen=True)
class Fault:
    """What happens at the nth operation (from 1) that is counted; action as in faults.c.

    onwards: at each later one, too. failing: the kinds that it happens to.
    """

    nth: int = 0
    action: int = 0
    failing: str = ALL
    onwards: bool = False


@dataclass(frozen=True)
class Ended:
    """How a command ended. calls: the operations on files, as faults.c logs them."""

    code: int | None
    out: str
    err: str
    calls: list[str]

    @property
    def struck(self) -> bool:
        """Whether the fault happened."""
        return any(call.startswith("!") for call in self.calls)


def compiled(folder: Path) -> Path:
    """faults.c as a library."""
    library = folder / "faults.so"
    source = Path(__file__).with_name("faults.c")
    flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", str(library), str(source), "-ldl"], check=True)
    return library


class Warm:
    """A process that runs commands under faults, each in a fork of itself."""

    def __init__(self, folder: Path) -> None:
        """folder: for what the commands print, and for the log of their operations."""
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.warm"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "LD_PRELOAD": str(compiled(folder))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read() == "ready\n"

    def run(
        self,
        work: Path,
        *arguments: str,
        fault: Fault | None = None,
        stop: tuple[int, float] | None = None,
    ) -> Ended:
        """Run a command in the folder `work`. stop: a signal, and after how many seconds."""
        fault = fault or Fault()
        out, err, log = (self._folder / name for name in ("out", "err", "log"))
        log.write_bytes(b"")
        numbers = [fault.nth, fault.action, int(fault.onwards)]
        job = {
            "folder": str(work),
            "environment": {"EMOLENS_CACHE": str(work / "cache")},
            "arguments": arguments,
            "out": str(out),
            "err": str(err),
            "faults": [str(work), str(log), ALL, fault.failing, *numbers],
            "stop": stop,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        code = json.loads(self._read())
        texts = (path.read_text("utf-8", errors="replace") for path in (out, err, log))
        out_text, err_text, calls = texts
        return Ended(code, out_text, err_text, calls.splitlines())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@dataclass(frozen=True)
class Scenario:
    """A command, and the folder in which it runs: a copy of `start` at `work`.

    renews: the command may be run again when its target is already there. deletes: the folder
    whose files of an earlier run are deleted before the new ones are written.
    """

    name: str
    arguments: tuple[str, ...]
    start: Path
    work: Path
    renews: bool = True
    deletes: str = ""

    def reset(self) -> None:
        """Make the folder as it was before the command."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.start, self.work, symlinks=True)


def snapshot(folder: Path) -> Snapshot:
    """Everything in the folder, by path: modes, bytes, and the targets of links."""
    return dict(_entries(folder))


def _entries(folder: Path) -> Iterator[tuple[str, Entry]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            yield name, (0, os.fsencode(path.readlink()))
        elif path.is_dir():
            yield name + "/", (path.stat().st_mode, b"")
        else:
            yield name, (path.stat().st_mode, _without_times(name, path.read_bytes()))


def _without_times(name: str, content: bytes) -> bytes:
    """The content of a file, without what differs from run to run."""
    if name.endswith("manifest.json"):
        manifest = json.loads(content)
        for record in manifest["stages"].values():
            for key in ("seconds", "peak_memory_mb", "summary"):
                del record[key]
            del record["key"]["stages"]
        for files in (manifest, *manifest["stages"].values()):
            for listed in ("files", "pending", "outputs"):
                for output in _NEVER_ALIKE & files.get(listed, {}).keys():
                    files[listed][output] = ""
        return json.dumps(manifest, sort_keys=True).encode()
    if name == f"run/{_XML}":
        assert content.rstrip().endswith(b"</net>"), "half a model"
        return b"a whole model"
    if name.endswith("emolens.json") and content.startswith(b"{"):
        facts = json.loads(content)
        facts.get("exported_from", {}).pop("stamp", None)
        # In a run it is that of the fine-tuned model, and later that of its export.
        return b"whole" if name.startswith("run/") else json.dumps(facts, sort_keys=True).encode()
    if name.endswith("finetune/scores.json"):
        json.loads(content)
        return _TIMES.sub(rb"\1", content)
    if name.endswith("report.html") and b"<html" in content:
        assert content.endswith(b"</html>\n"), "half a report"
        return b"a whole report"
    return content


_CHECKPOINTS = ("run/model.checkpoints/", "model.checkpoints/")


@dataclass(frozen=True)
class Judged:
    """What became of one case. struck: whether its fault or signal happened."""

    struck: bool
    wrong: list[str]


@dataclass(frozen=True)
class Undisturbed:
    """A run of a scenario without a fault: the folder before and after it, and its operations."""

    scenario: Scenario
    before: Snapshot
    after: Snapshot
    calls: list[str]

    @classmethod
    def of(cls, scenario: Scenario, warm: Warm) -> Undisturbed:
        """Run it twice, because only a command that writes the same each time can be judged."""
        seen = []
        for _ in range(2):
            scenario.reset()
            before = snapshot(scenario.work)
            ended = warm.run(scenario.work, *scenario.arguments)
            assert ended.code == 0, ended.err
            seen.append(snapshot(scenario.work))
            changed = different(before, seen[-1])
            assert [name for name in changed if is_of_user(name)] == [], "files of the user"
        unlike = different(*seen)
        assert not unlike, unlike
        assert ended.calls, "no operation on files was counted"
        return cls(scenario, before, seen[0], ended.calls)

    def faults(self, modes: str) -> Iterator[tuple[str, Fault]]:
        """A fault of each mode at each operation, with a name.

        Modes: o this one fails; f the disk is full from there on; d the disk is dead from there
        on; p a write takes only a part; k SIGKILL; t SIGTERM; h SIGHUP; i SIGINT.
        """
        for nth in turns(self.calls):
            kind, path = self.calls[nth - 1].split(" ", 1)
            made = {
                "o": Fault(nth, ERRNO[kind]),
                "f": Fault(nth, errno.ENOSPC, NEEDS_SPACE, onwards=True),
                "d": Fault(nth, errno.EIO, onwards=True),
                "p": Fault(nth, SHORT),
                "k": Fault(nth, -signal.SIGKILL),
                "t": Fault(nth, -signal.SIGTERM),
                "h": Fault(nth, -signal.SIGHUP),
                "i": Fault(nth, -signal.SIGINT),
            }
            for mode in modes:
                if mode != "p" or kind == "w":
                    yield f"{self.scenario.name} {mode} at {nth}: {kind} {path}", made[mode]

    def under(self, warm: Warm, fault: Fault | None, stop: tuple[int, float] | None) -> Judged:
        """Run it with a fault or a signal, then again without one."""
        scenario = self.scenario
        scenario.reset()
        ended = warm.run(scenario.work, *scenario.arguments, fault=fault, stop=stop)
        wrong = self._wrong_end(ended, fault, stop) + self._wrong_files(ended, fault)
        whole = self._not_whole() == []
        if ended.code == 0 and not whole and "not removed" not in ended.err:
            wrong.append("exit code 0, but the result is not whole")
        if scenario.renews or not whole:
            again = warm.run(scenario.work, *scenario.arguments)
            if again.code != 0:
                wrong.append(f"again: {again.code} {again.err[-400:]}")
            else:
                # Only a command that writes to the cache looks for rests there.
                cached = any(" cache/" in call for call in again.calls)
                left = (
                    line for line in self._not_whole(rests=True) if cached or "cache/." not in line
                )
                wrong += [f"after running it again: {line}" for line in left]
        return Judged(ended.struck or bool(stop), wrong)

    def _not_whole(self, *, rests: bool = False) -> list[str]:
        """What differs from a run without a fault. rests: temporary files count, too.

        An entry of the cache may be missing: not to write one is no error.
        """
        now = snapshot(self.scenario.work)
        return [
            line
            for name, line in different(now, self.after).items()
            if (rests or not _is_temporary(name)) and (name in now or "cache/" not in name)
        ]

    def _wrong_end(
        self, ended: Ended, fault: Fault | None, stop: tuple[int, float] | None
    ) -> list[str]:
        """The exit code, and what stderr holds."""
        sent = stop[0] if stop else -fault.action if fault and SHORT < fault.action < 0 else 0
        lines = ended.err.splitlines()
        if "Traceback" in ended.err or "fault of emolens" in ended.err:
            return [f"stderr: {ended.err[-1500:]}"]
        if sent:
            expected = (0, -sent, _STOPPED.get(signal.Signals(sent)))
            return [] if ended.code in expected else [f"exit code {ended.code} {ended.err[-400:]}"]
        if ended.code == 0:
            return []
        titles = [line.split(":")[0] for line in lines[-2:]]
        titled = sum(line.startswith(("Error:", "Hint:")) for line in lines)
        if (ended.code, titles, titled) != (1, ["Error", "Hint"], 2):
            return [f"exit code {ended.code}, stderr: {ended.err[-400:]}"]
        return []

    def _wrong_files(self, ended: Ended, fault: Fault | None) -> list[str]:
        """Files that are neither as before nor as a run without a fault leaves them."""
        now, wrong = snapshot(self.scenario.work), []
        unlinks_fail = fault and fault.action > 0 and any(c.startswith("!u") for c in ended.calls)
        may_leave = ended.code == -signal.SIGKILL or unlinks_fail
        for name in {*now, *self.before, *self.after}:
            old, new = self.before.get(name), self.after.get(name)
            there = now.get(name)
            if there in (old, new) or self._changes_on_the_way(name, there):
                continue
            if old is None and ended.code and name.startswith(_CHECKPOINTS):
                continue  # the same command continues the training from there
            if there is None and (self._deletes(name) or now.get(f"{name}.yours") == old):
                continue
            if old is None and new is None and _is_temporary(name):
                if not may_leave:
                    wrong.append(f"a temporary file is left: {name}")
            else:
                wrong.append(f"{_state(there)} (before: {_state(old)}): {name}")
        return wrong

    def _deletes(self, name: str) -> bool:
        """Whether an earlier run wrote it, so that it is missing until the new one is written."""
        folder = self.scenario.deletes
        return bool(folder) and name.startswith(folder) and not is_of_user(name)

    def _changes_on_the_way(self, name: str, there: Entry | None) -> bool:
        """The lists of files and stages may be those of a command that is at work."""
        if there is None or not name.endswith(("manifest.json", "emolens.json")):
            return False
        old, new = self.before.get(name), self.after.get(name)
        return _without_lists(there) in [_without_lists(entry) for entry in (old, new) if entry]


def _without_lists(entry: Entry) -> tuple[int, Any]:
    plain = json.loads(entry[1])
    return entry[0], {key: plain[key] for key in plain.keys() - {"files", "pending", "stages"}}


def is_of_user(name: str) -> bool:
    """The files of the user have such names in every scenario."""
    return name.endswith(("mine", "mine.txt", LOOKS_LIKE_OURS))


def _is_temporary(name: str) -> bool:
    return bool(_TEMPORARY.search(name))


def _state(entry: Entry | None) -> str:
    return f"{entry[0]:o} {len(entry[1])} bytes" if entry else "missing"


def different(one: Snapshot, other: Snapshot) -> dict[str, str]:
    """The paths at which two folders differ, and how."""
    return {
        name: f"{_state(one.get(name))}, not {_state(other.get(name))}: {name}"
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    }


def turns(calls: list[str]) -> list[int]:
    """The operations (numbers from 1), without many like ones.

    Of one kind in one folder, the first, the last, and one between. All those of the manifest.
    """
    alike: dict[str, list[int]] = {}
    for nth, call in enumerate(calls, start=1):
        folder = call.rpartition("/")[0] or call[0]
        alike.setdefault(call if "manifest" in call else folder, []).append(nth)
    return sorted({nth for n in alike.values() for nth in (n[0], n[len(n) // 2], n[-1])})


def spread(calls: list[str], per_kind: int) -> set[int]:
    """So many operations of each kind (numbers from 1): the first, the last, and between."""
    chosen: set[int] = set()
    for kind in ALL:
        of_kind = [nth for nth in turns(calls) if calls[nth - 1][0] == kind]
        last, steps = len(of_kind) - 1, min(per_kind, len(of_kind))
        chosen |= {of_kind[round((i + 0.5) / steps * last)] for i in range(steps)}
    return chosen
