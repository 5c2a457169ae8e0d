"""Kills a write to a run or model folder at each change of a file, and writes again.

python -m tests.hostile.kills run|model SECOND FOLDER prints the number of kills. SECOND: kill the
next write, too, at this change; 0 for no.
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

from emolens.modelfolder import renew
from emolens.output import staged
from emolens.store import save_text
from emolens.study.folder import RunFolder
from tests.hostile.test_folders import DATA, contents, do
from tests.killed import killed_at

OLD = {"a.txt": "old", "deep/b.txt": "old", "gone.txt": "old"}
NEW = {"a.txt": "new", "deep/b.txt": "new", "more.txt": "new"}


def run_stage(folder: Path, files: dict[str, str]) -> None:
    run_folder = RunFolder(folder, DATA)
    with run_folder.opened():
        do(run_folder, files)


def renew_model(folder: Path, files: dict[str, str]) -> None:
    with staged(folder) as fresh:
        for name, text in files.items():
            save_text(fresh / name, text)
        renew(fresh, folder, facts={"base_sha256": "0"})


def main(written: str, second: int, place: Path) -> int:
    write = {"run": run_stage, "model": renew_model}[written]
    undisturbed = place / "undisturbed"
    write(undisturbed, OLD)
    start = Path(shutil.copytree(undisturbed, place / "start"))
    write(undisturbed, NEW)
    n = 0
    while True:
        n += 1
        folder = Path(shutil.copytree(start, place / f"killed-{n}"))
        if not killed_at(n, partial(write, folder, NEW)):
            return n
        if second:  # killed again, with other files
            killed_at(second, partial(write, folder, {**NEW, "a.txt": "other"}))
        write(folder, NEW)
        assert contents(folder) == contents(undisturbed), n


if __name__ == "__main__":
    sys.stdout.write(str(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
