"""`emolens report`: the page of a finished run is made again, and nothing else happens."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from html import unescape
from pathlib import Path

import pytest
from filelock import FileLock

from emolens.output import sha256
from emolens.study import Run, load_study, report_again, run_study
from emolens.study.folder import LOCK
from tests.conftest import Emolens, feeling_rows, write_csv


@pytest.fixture
def folder(tiny_run: Run, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_run.folder, tmp_path / "run")


def others(folder: Path) -> dict[str, str]:
    """SHA-256 of all files but those that a report writes, and the list of them."""
    own = {"report.html", "manifest.json", "study.toml", "model/README.md", "model/emolens.json"}
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: sha256(path) for name, path in files.items() if path.is_file() and name not in own
    }


def test_a_lost_page_comes_back_and_no_other_file_changes(emolens: Emolens, folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    before = others(folder)
    (folder / "report.html").unlink()
    ended = emolens("report", folder)
    assert (ended.code, ended.out) == (0, f"{folder / 'report.html'}\n"), ended.err
    assert "all texts of the data" in ended.err
    again = (folder / "report.html").read_text("utf-8")
    assert "All figures" in again
    assert re.sub(r"<tr><td>report</td>.*", "", again).count("<tr") >= page.count("<tr") - 1
    assert others(folder) == before


def test_a_choice_of_texts_is_kept_and_a_run_has_nothing_to_do(
    emolens: Emolens, folder: Path, tiny_run: Run
) -> None:
    texts = [row["text"] for row in tiny_run.evaluation.to_dict()["confidently_wrong"]]
    ended = emolens("report", folder, "--texts", "none", "--json")
    assert ended.code == 0
    page = (folder / "report.html").read_text("utf-8")
    assert "This page holds no text of the data." in page
    assert not [text for text in texts if len(text) > 12 and text in page]
    assert load_study(folder / "study.toml").report.texts == "none"
    resumed = emolens("run", folder / "study.toml", "--out", folder)
    assert resumed.code == 0
    assert "0 of" not in resumed.out
    assert (folder / "report.html").read_text("utf-8") == page


def test_the_commands_on_the_page_can_be_typed(
    emolens: Emolens, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert emolens("report", "run").code == 0
    page = (folder / "report.html").read_text("utf-8")
    commands = [unescape(line) for line in re.findall(r"<dd><code>emolens (.*?)</code>", page)]
    assert len(commands) == 5
    write_csv(tmp_path / "rows.csv", [("i am so sad", "sadness"), ("i am happy", "joy")] * 6)
    for command in commands:
        ended = emolens(*shlex.split(command.replace("FILE", "rows.csv")))
        assert ended.code == 0, (command, ended.err)


def test_what_is_no_choice_of_texts_is_refused(emolens: Emolens, folder: Path) -> None:
    ended = emolens("report", folder, "--texts", "errors!")
    assert ended.code == 2
    assert "no texts 'errors!'" in ended.err
    assert "errors" in ended.err.splitlines()[1]


def test_a_folder_that_is_no_run_is_refused(emolens: Emolens, tmp_path: Path) -> None:
    ended = emolens("report", tmp_path)
    assert ended.code == 2
    assert f"{tmp_path} is not the folder of a run." in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_not_finished_is_refused_and_the_hint_finishes_it(
    emolens: Emolens, tiny_run: Run, tmp_path: Path
) -> None:
    study = load_study(tiny_run.folder / "study.toml")
    run_study(study, tmp_path / "run", until="embed")
    ended = emolens("report", tmp_path / "run")
    assert ended.code == 2
    assert "is not finished: it has no '" in ended.err
    hint = re.search("emolens (run .*)", ended.err)
    assert hint
    assert emolens(*shlex.split(hint[1])).code == 0
    assert emolens("report", tmp_path / "run").code == 0


def test_another_machine_may_make_the_page(emolens: Emolens, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for stage in manifest["stages"].values():
        stage["key"]["libraries"] = dict.fromkeys(stage["key"]["libraries"], "0.1")
        if "runtime of training" in stage["key"]["inputs"]:
            stage["key"]["inputs"]["runtime of training"] = "torch on cuda, bf16"
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    ended = emolens("report", folder)
    assert ended.code == 0, ended.err


def test_data_that_changed_are_not_shown_beside_old_figures(tiny_run: Run, tmp_path: Path) -> None:
    from emolens.errors import UsageError

    data = shutil.copytree(tiny_run.study.data.dataset, tmp_path / "data")
    study = load_study(tiny_run.folder / "study.toml", {"data.dataset": str(data)})
    run_study(study, tmp_path / "run")
    write_csv(data / "test.csv", [("i am sad", "sadness"), ("i am happy", "joy")])
    with pytest.raises(UsageError, match="is not as it was run: the data changed") as refused:
        report_again(tmp_path / "run")
    assert "emolens run" in str(refused.value.hint)


def test_the_page_and_the_card_name_no_folder_of_this_machine(
    tiny_run: Run, tmp_path: Path
) -> None:
    table = write_csv(tmp_path / "private" / "rows & more.csv", [*feeling_rows(90), ("", "joy")])
    study = load_study(tiny_run.folder / "study.toml", {"data.dataset": str(table)})
    folder = run_study(study, tmp_path / "run").folder
    page, card = ((folder / name).read_text("utf-8") for name in ("report.html", "model/README.md"))
    assert "…/rows & more.csv" in unescape(page)
    assert str(tmp_path) not in unescape(page) + card
    assert load_study(folder / "study.toml").data.dataset == str(table)


def test_no_hint_names_an_option_that_the_command_lacks(emolens: Emolens, folder: Path) -> None:
    with FileLock(folder / LOCK):
        busy = emolens("report", folder)
    assert "Another emolens run" in busy.err
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "emolens": "0.0.1"}))
    older = emolens("report", folder)
    assert "another version" in older.err
    for ended in (busy, older):
        assert ended.code == 1
        hint = ended.err.split("Hint:")[1]
        assert "--out" not in hint or "emolens run " in hint
