"""`emolens compare`: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import pytest

from emolens.study import Run
from emolens.study.compare import compare
from tests.conftest import Emolens


def test_the_better_run_is_named_and_figures_are_printed(
    emolens: Emolens, tiny_run: Run, collapsed_run: Run
) -> None:
    ended = emolens("compare", tiny_run.folder, collapsed_run.folder)
    assert ended.code == 0, ended.err
    found = compare([tiny_run.folder, collapsed_run.folder])
    assert found.findings[0] in ended.out.splitlines()
    assert f"A: {tiny_run.folder}, " in ended.out
    for part in ("largest class", "F1 of B minus A (95 %)", "finetune.learning_rate"):
        assert part in ended.out
    n = len(found.rows)
    assert f"{n} of 25 rows get different answers; 10 of them" in ended.out
    assert all(f"Note: {note}" in ended.err for note in found.notes)
    assert "chosen on validation" in emolens(
        "compare", tiny_run.folder, collapsed_run.folder, "--split", "validation"
    ).err  # fmt: skip


def test_json_is_the_whole_comparison(emolens: Emolens, tiny_run: Run, collapsed_run: Run) -> None:
    ended = emolens("compare", tiny_run.folder, collapsed_run.folder, "--json")
    found = compare([tiny_run.folder, collapsed_run.folder])
    assert json.loads(ended.out) == json.loads(json.dumps(found.to_dict()))
    assert json.loads(ended.out)["findings"] == found.findings


def test_what_the_notes_at_the_end_say_can_be_typed(
    emolens: Emolens,
    tiny_run: Run,
    collapsed_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = ("compare", tiny_run.folder, collapsed_run.folder)
    first = emolens(*runs).err
    page = re.search("For a page with all of this: (.*)", first)
    rows = re.search(r"For a table of the (\d+) rows with different answers: (.*)", first)
    assert page
    assert rows
    ended = emolens(*runs, *shlex.split(page[1]), *shlex.split(rows[2]))
    assert ended.code == 0
    assert ended.out.splitlines()[-2:] == ["rows.csv", "comparison.html"]
    assert "For a " not in ended.err
    assert "<h1>Which run is better?</h1>" in Path("comparison.html").read_text("utf-8")
    with Path("rows.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == int(rows[1])
    again = emolens(*runs, "--out", "rows.csv")
    assert (again.code, again.out) == (2, "")
    assert "rows.csv exists already" in again.err
    assert emolens(*runs, "--out", "rows.csv", "--overwrite").code == 0


def test_the_command_for_one_run_can_be_typed(
    emolens: Emolens, tiny_run: Run, collapsed_run: Run
) -> None:
    ended = emolens("compare", tiny_run.folder)
    assert ended.code == 2
    typed = re.search("emolens (compare .*)", ended.err)
    assert typed
    words = shlex.split(typed[1].replace("runs/OTHER", shlex.quote(str(collapsed_run.folder))))
    assert emolens(*words).code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--split", "tset"], "There is no split 'tset' to compare on"),
        (["--out", "rows.txt"], "its ending is not known here"),
        (["--page", "page.csv"], "its ending is not known here"),
    ],
)
def test_misuse_is_a_sentence_and_a_hint(
    emolens: Emolens, tiny_run: Run, collapsed_run: Run, arguments: list[str], says: str
) -> None:
    ended = emolens("compare", tiny_run.folder, collapsed_run.folder, *arguments)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 2)
    assert says in ended.err
