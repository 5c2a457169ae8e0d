"""scripts/check-packages names each file that a package lacks or should not hold; CI runs it whole.

What a new maintainer follows, docs/releasing.md, and the workflow that publishes fit together.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.conftest import ROOT
from tests.test_scripts import script


@pytest.fixture(scope="module")
def packages() -> ModuleType:
    return script("check-packages")


def test_a_wheel_holds_the_package_and_what_goes_into_it(packages: ModuleType) -> None:
    names = {"src/emolens/__init__.py", "docs/walkthrough/01.py", "tests/x.py", "docs/a.md"}
    expected = packages.expected_in_wheel(names, {"docs/walkthrough": "emolens/walk"}, "1.0")
    about = {f"emolens-1.0.dist-info/{name}" for name in packages.ABOUT}
    assert expected == {"emolens/__init__.py", "emolens/walk/01.py"} | about


def test_what_is_lost_and_what_is_left_over_is_named(packages: ModuleType) -> None:
    assert packages.differences("The wheel", {"a", "c"}, {"a", "b"}) == [
        "The wheel lacks b.",
        "The wheel holds c, which git does not know.",
    ]
    assert packages.differences("The sdist", {"a"}, {"a"}) == []


def test_the_files_without_which_nothing_works_are_known_to_git(packages: ModuleType) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    tracked = packages.tracked()
    assert {f"src/emolens/{name}" for name in packages.NEEDED} <= tracked
    assert "LICENSE" in tracked


def test_only_files_that_git_knows_are_expected(packages: ModuleType, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in ("kept.py", "left-over.py"):
        (tmp_path / name).write_text("")
    subprocess.run(["git", "add", "kept.py"], cwd=tmp_path, check=True)
    assert packages.tracked(tmp_path) == {"kept.py"}


def test_a_program_that_fails_stops_the_check_with_its_words(packages: ModuleType) -> None:
    with pytest.raises(SystemExit, match="so wrong"):
        packages.run(["python3", "-c", "import sys; sys.exit('so wrong')"])


def test_the_page_about_releasing_names_what_is_there() -> None:
    page = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?m)^make (\w+)", page):
        assert f"\n{target}:" in makefile, target
    for path in re.findall(r"`((?:src|\.github)/[\w./-]+)`", page):
        assert (ROOT / path).is_file(), path
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    publish = workflow["jobs"]["publish"]
    assert f"the environment `{publish['environment']}`" in page
    assert publish["permissions"] == {"id-token": "write"}
    assert workflow["jobs"]["build"]["steps"][-2]["run"] == "make packages"
