"""emolens push: the real client of the Hub against a real server on this machine."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from emolens.export.onnx import export_onnx
from emolens.output import digests
from emolens.study import Run
from tests.hub.standin import StandIn

REPO = "someone/feelings"
Push = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, tiny_run: Run) -> Path:
    """A model folder with all that emolens writes into one."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    shutil.copytree(tiny_run.folder / "model", folder)
    export_onnx(folder, ["so glad", "so low and sad", "why"] * 10)
    return folder


@pytest.fixture
def folder(tmp_path: Path, exported: Path) -> Path:
    """A model folder of its own, with a file of the user."""
    shutil.copytree(exported, tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("mine", "utf-8")
    return tmp_path / "model"


@pytest.fixture
def push(hub: StandIn, folder: Path) -> Push:
    hub.start()

    def run(
        *options: str, repo: str = REPO, token: str = "hf_write", **environment: str
    ) -> CompletedProcess[str]:
        before = digests(folder)
        if token:
            environment["HF_TOKEN"] = token
        ended = hub.python("-m", "emolens", "push", str(folder), repo, *options, **environment)
        assert digests(folder) == before  # a push changes nothing here
        return ended

    return run


def sent(hub: StandIn, method: str, path: str) -> int:
    """How many bytes the requests of this kind have sent."""
    return sum(r["bytes"] for r in hub.requests() if r["method"] == method and path in r["path"])


def two_lines(ended: CompletedProcess[str]) -> tuple[str, str]:
    """The error and its hint."""
    assert ended.returncode != 0, ended.stderr
    *_, error, hint = ended.stderr.splitlines()
    assert error.startswith("Error: "), ended.stderr
    assert hint.startswith("Hint:  ")
    return error, hint


def test_the_files_are_listed_and_sent_to_a_private_repository(
    hub: StandIn, folder: Path, push: Push
) -> None:
    ended = push()
    assert ended.returncode == 0, ended
    assert ended.stdout == f"http://127.0.0.1:{hub.port}/{REPO}\n"
    assert "for the private repository" in ended.stderr
    assert "Left out, because emolens.json does not list them: notes.txt." in ended.stderr
    there = hub.files("models", REPO)
    pushed = digests(there)
    assert set(pushed) == {*digests(folder), ".gitattributes"} - {"notes.txt"}
    for name in pushed:
        assert f"  {name}\n" in ended.stderr or name == ".gitattributes"
    same = {"model.safetensors", "tokenizer.json", "openvino/openvino_model.xml", "onnx/model.onnx"}
    assert {name: pushed[name] for name in same} == {name: digests(folder)[name] for name in same}
    facts = json.loads((there / "emolens.json").read_text("utf-8"))
    assert "pending" not in facts
    assert set(facts["exported_from"]) == {"sha256"}
    assert facts["files"].items() <= pushed.items()


def set_file(folder: Path, name: str, content: str) -> None:
    """Change a file, and its SHA-256 in emolens.json."""
    (folder / name).write_text(content, "utf-8")
    facts = json.loads((folder / "emolens.json").read_text("utf-8"))
    facts["files"][name] = digests(folder)[name]
    (folder / "emolens.json").write_text(json.dumps(facts), "utf-8")


def test_nothing_private_goes_along(hub: StandIn, folder: Path, push: Push) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["_name_or_path"] = config["text_config"] = {"_name_or_path": "/home/anna/encoders/mine"}
    set_file(folder, "config.json", json.dumps(config))
    facts = json.loads((folder / "emolens.json").read_text("utf-8"))
    facts["scratch"] = facts["training_data"]["folder"] = "/home/anna/data"
    (folder / "emolens.json").write_text(json.dumps(facts), "utf-8")
    ended = push()
    assert ended.returncode == 0, ended.stderr
    private = {
        *("/home/anna", str(folder), str(folder.parent), str(Path.home()) + "/", "notes.txt"),
        *(name for name in (getpass.getuser(), socket.gethostname()) if len(name) > 5),
    }
    for file in hub.files("models", REPO).rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert [name for name in private if name.encode() in content] == [], file


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("openvino/openvino_model.xml", "{folder}/x"),
        ("openvino/openvino_model.xml", "{home}"),
        ("README.md", "My data is in {home}/reviews."),
        ("README.md", "My data is in /scratch/janedoe/reviews."),
    ],
)
def test_a_file_that_tells_of_this_machine_is_not_sent(
    hub: StandIn, folder: Path, push: Push, name: str, path: str
) -> None:
    path = path.format(folder=folder.resolve(), home="/somewhere/janedoe-at-home")
    text = (folder / name).read_text("utf-8")
    set_file(folder, name, f"{text}\n<!-- {path} -->\n")
    error, hint = two_lines(push(HOME="/somewhere/janedoe-at-home", LOGNAME="janedoe"))
    assert f"{name} holds the path" in error
    assert "would be seen on the Hub" in error
    assert "Delete the path from the file" in hint
    assert not hub.files("models", REPO).exists()


@pytest.mark.parametrize(
    ("card", "error"),
    [(b"\xff\xfe", "can't be read"), (b"---\na: [\n---\n# Mine\n", "can't state the license")],
)
def test_a_card_that_can_not_be_read_is_named(
    folder: Path, push: Push, card: bytes, error: str
) -> None:
    (folder / "README.md").write_bytes(card)
    stated = two_lines(push("--license", "mit"))
    assert error in stated[0]
    assert "README.md" in " ".join(stated)


def test_a_file_that_changes_after_the_plan_is_not_published(
    hub: StandIn, folder: Path, tmp_path: Path
) -> None:
    hub.start()
    code = """
import sys
from pathlib import Path
from emolens.errors import StorageError
from emolens.publish import outgoing
from emolens.publish.push import plan_push, push
outgoing._MOST_IN_MEMORY = 10_000
folder = Path(sys.argv[1])
plan = plan_push(folder, "someone/feelings")
with (folder / "model.safetensors").open("r+b") as file:
    file.seek(-4, 2)
    file.write(b"1234")
try:
    push(plan)
except StorageError as error:
    print(error)
"""
    ended = hub.python("-c", code, str(folder), HF_TOKEN="hf_write")
    assert "was changed while it was sent" in ended.stdout, ended.stderr
    assert not (hub.files("models", REPO) / "model.safetensors").exists()


def test_a_second_push_sends_what_has_changed(hub: StandIn, folder: Path, push: Push) -> None:
    push()
    n, large = len(hub.requests()), sent(hub, "PUT", "/lfs/")
    ended = push()
    assert ended.returncode == 0, ended
    assert "unchanged" in ended.stderr
    assert not any("/commit/" in r["path"] for r in hub.requests()[n:])
    shutil.rmtree(folder / "onnx")
    facts = json.loads((folder / "emolens.json").read_text("utf-8"))
    facts["files"] = {k: v for k, v in facts["files"].items() if not k.startswith("onnx/")}
    (folder / "emolens.json").write_text(json.dumps(facts), "utf-8")
    ended = push()
    assert ended.returncode == 0, ended
    assert "  deleted" in ended.stderr
    assert not (hub.files("models", REPO) / "onnx").exists()
    assert sent(hub, "PUT", "/lfs/") == large


def test_files_of_others_stay_and_their_changes_are_named(
    hub: StandIn, folder: Path, push: Push
) -> None:
    push()
    there = hub.files("models", REPO)
    (there / "theirs.txt").write_text("theirs", "utf-8")
    config = there / "config.json"
    config.write_text(config.read_text("utf-8") + "\n", "utf-8")
    ended = push()
    assert ended.returncode == 0, ended
    assert "config.json was changed on the Hub; it is replaced" in ended.stderr
    assert config.read_bytes() == (folder / "config.json").read_bytes()
    assert (there / "theirs.txt").exists()


@pytest.mark.parametrize(
    ("token", "repo", "error", "hint"),
    [
        ("", REPO, "token of the Hugging Face Hub is missing", "hf auth login"),
        ("hf_wröng", REPO, "has a sign that no token has", "HF_TOKEN"),
        ("hf_wrong", REPO, "refuses your token", "HF_TOKEN"),
        ("hf_read", REPO, "may not write", "token"),
        ("hf_write", "taken/feelings", "may not write", "owner (someone, team)"),
        ("hf_write", "feelings", "is not the name of a repository", "owner/name"),
        ("hf_write", "some one/feelings", "is not the name of a repository", "owner/name"),
        ("hf_write", "../feelings", "is not the name of a repository", "owner/name"),
        ("hf_write", "https://huggingface.co/someone/x", "is not the name", "such as someone/x"),
    ],
)
def test_a_refusal_is_one_sentence_and_one_hint(
    push: Push, token: str, repo: str, error: str, hint: str
) -> None:
    stated = two_lines(push(repo=repo, token=token))
    assert error in stated[0]
    assert hint in stated[1]


def test_a_folder_without_a_model_of_emolens_is_refused(push: Push, folder: Path) -> None:
    (folder / "emolens.json").unlink()
    error, hint = two_lines(push())
    assert "no emolens.json" in error
    assert f"emolens export {folder}" in hint


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("model.safetensors", "Train it again"), ("openvino/openvino_model.bin", "emolens export ")],
)
def test_a_damaged_file_is_not_sent(push: Push, folder: Path, name: str, remedy: str) -> None:
    with (folder / name).open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\1\1")
    error, hint = two_lines(push())
    assert f"{name} is not as emolens wrote it" in error
    assert remedy in hint


def test_a_repository_of_others_is_refused(hub: StandIn, push: Push) -> None:
    there = hub.files("models", REPO)
    there.mkdir(parents=True)
    hub.files("models", REPO, "private").touch()
    (there / "model.safetensors").write_bytes(b"theirs")
    error, hint = two_lines(push())
    assert "holds files that emolens did not write" in error
    assert f"{REPO}-2" in hint
    assert (there / "model.safetensors").read_bytes() == b"theirs"


def test_what_broke_off_is_continued(hub: StandIn, push: Push) -> None:
    (hub.served / "break-after").write_text("1000", "utf-8")
    error, hint = two_lines(push())
    assert "does not answer" in error
    assert "same command again" in hint
    (hub.served / "break-after").unlink()
    (hub.served / "break-commit").write_text("", "utf-8")
    two_lines(push())
    large = sent(hub, "PUT", "/lfs/")
    (hub.served / "break-commit").write_text("after", "utf-8")
    two_lines(push())
    (hub.served / "break-commit").unlink()
    ended = push()
    assert ended.returncode == 0, ended
    assert sent(hub, "PUT", "/lfs/") == large
    assert (hub.files("models", REPO) / "model.safetensors").is_file()


def test_a_hub_that_is_down_is_said(hub: StandIn, push: Push) -> None:
    (hub.served / "down").touch()
    error, _ = two_lines(push())
    assert "does not answer" in error


def test_a_dry_run_lists_and_changes_nothing(hub: StandIn, push: Push) -> None:
    ended = push("--dry-run")
    assert ended.returncode == 0, ended
    assert "  new " in ended.stdout
    assert not hub.files("models", REPO).exists()
    assert {r["method"] for r in hub.requests()} == {"GET"}
    plan = json.loads(push("--dry-run", "--json").stdout)
    assert plan["repository"] == REPO
    assert {file["change"] for file in plan["files"]} == {"new"}


def test_it_is_public_only_on_request(hub: StandIn, push: Push) -> None:
    error, hint = two_lines(push("--public"))
    assert "no license" in error
    assert "--license" in hint
    push("--license", "mit")
    assert private(hub)
    ended = push("--public")
    assert ended.returncode == 0, ended
    assert not private(hub)
    error, hint = two_lines(push())
    assert "is public" in error
    assert "--public" in hint


def private(hub: StandIn) -> bool:
    code = f"import huggingface_hub as h; print(h.HfApi().model_info('{REPO}').private)"
    return hub.python("-c", code, HF_TOKEN="hf_write").stdout == "True\n"


def test_a_license_of_the_hub_stays(hub: StandIn, push: Push) -> None:
    push("--license", "mit")
    card = hub.files("models", REPO) / "README.md"
    assert "license: mit" in card.read_text("utf-8")
    assert "no license" not in push().stderr
    assert "license: mit" in card.read_text("utf-8")


def test_words_on_the_hub_stay(hub: StandIn, folder: Path, push: Push) -> None:
    push()
    card = hub.files("models", REPO) / "README.md"
    card.write_text(card.read_text("utf-8") + "\nWritten on the Hub.\n", "utf-8")
    assert push().returncode == 0
    assert "Written on the Hub." in card.read_text("utf-8")


@pytest.mark.parametrize("side", ["here", "hub"])
def test_if_both_cards_were_changed_the_user_decides(
    hub: StandIn, folder: Path, push: Push, side: str
) -> None:
    push()
    there, here = hub.files("models", REPO) / "README.md", folder / "README.md"
    there.write_text(there.read_text("utf-8") + "\nWords of hub.\n", "utf-8")
    here.write_text(here.read_text("utf-8") + "\nWords of here.\n", "utf-8")
    error, hint = two_lines(push())
    assert "in the folder and on the Hub" in error
    assert "--card here or --card hub" in hint
    assert push("--card", side).returncode == 0
    assert f"Words of {side}." in there.read_text("utf-8")
    assert push().returncode == 0
    assert f"Words of {side}." in there.read_text("utf-8")


def test_a_study_pushes_its_model_as_the_last_stage(
    hub: StandIn, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    study = study_file(f'[push]\nrepo = "{REPO}"\n')
    command = "-m", "emolens", "run", str(study), "--out", str(tmp_path / "run")
    ended = hub.python(*command, HF_TOKEN="hf_write")
    assert "does not answer" in two_lines(ended)[0]
    assert not (tmp_path / "run" / "model").exists()  # it is said before anything is trained
    hub.start()
    ended = hub.python(*command, HF_TOKEN="hf_write")
    assert ended.returncode == 0, ended.stderr
    assert "  push " in ended.stderr
    there = hub.files("models", REPO)
    assert (there / "model.safetensors").is_file()
    n = len(hub.requests())
    assert hub.python(*command, HF_TOKEN="hf_write").returncode == 0
    assert len(hub.requests()) == n  # nothing has changed


def test_a_new_run_without_words_deletes_none(hub: StandIn, folder: Path, push: Push) -> None:
    bare = (folder / "README.md").read_text("utf-8")
    (folder / "README.md").write_text(f"{bare}\nWords of here.\n", "utf-8")
    push()
    (folder / "README.md").write_text(bare, "utf-8")  # as another run into this folder leaves it
    assert push().returncode == 0
    there = hub.files("models", REPO) / "README.md"
    assert "Words of here." in there.read_text("utf-8")


def test_a_card_that_the_hub_refuses_makes_no_repository(
    hub: StandIn, folder: Path, push: Push
) -> None:
    (folder / "README.md").write_text("---\nlicense: [a: b\n---\nMine.\n", "utf-8")
    error, hint = two_lines(push())
    assert "can't read the top of the card" in error
    assert "first two ---" in hint
    (folder / "README.md").write_bytes(b"\xff\xfe mine")
    assert "README.md can't be read" in two_lines(push())[0]
    assert not hub.files("models", REPO).exists()


def test_a_card_that_was_written_by_hand_on_the_hub_is_not_replaced_unasked(
    hub: StandIn, folder: Path, push: Push
) -> None:
    there = hub.files("models", REPO)
    there.mkdir(parents=True)
    hub.files("models", REPO, "private").touch()
    (there / "README.md").write_text("---\nlicense: mit\n---\nBy hand.\n", "utf-8")
    error, hint = two_lines(push())
    assert "The card on the Hub was not written by emolens" in error
    assert "--card here or --card hub" in hint
    assert push("--card", "here").returncode == 0
    text = (there / "README.md").read_text("utf-8")
    assert "emolens: begin" in text
    assert "license: mit" in text
