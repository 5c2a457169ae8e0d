"""The stand-in for the Hub answers the real client as the Hub does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hub.standin import StandIn

WEIGHTS = bytes(range(256)) * 400
# Runs the lines of a test with the real client, and prints `value`, or which error it raised.
CLIENT = """
import json, sys
from pathlib import Path
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import disable_progress_bars
disable_progress_bars()
api, value = HfApi(), None
try:
    exec(sys.argv[1])
except (HfHubHTTPError, ValueError) as error:
    response = getattr(error, "response", None)
    value = [type(error).__name__, response.status_code if response is not None else None]
print(json.dumps(value))
"""


def client(
    hub: StandIn, lines: str, *, token: str = "hf_write", problem: str = "", **environment: str
) -> Any:
    tokens = {"HF_TOKEN": token} if token else {}
    usual = {"HF_HUB_DISABLE_XET": "1", **tokens, **environment}
    done = hub.python("-c", CLIENT, lines, **usual)
    assert done.returncode == 0, done.stderr
    assert problem in done.stderr
    assert problem or not done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder like one of a model."""
    folder = tmp_path / "model"
    (folder / "onnx").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "onnx" / "model.onnx").write_bytes(WEIGHTS[::-1])
    (folder / "config.json").write_bytes(b"hello\n")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "README.md").write_bytes(b"---\nlicense: mit\n---\n# A card\n")
    return folder


def create(hub: StandIn) -> None:
    client(hub, "api.create_repo('someone/tiny', private=True)")


def upload(hub: StandIn, folder: Path, more: str = "") -> Any:
    lines = f"value = api.upload_folder(repo_id='someone/tiny', folder_path={str(folder)!r}{more})"
    return client(hub, f"{lines}; value = value.oid")


def sent(hub: StandIn) -> int:
    """The bytes of large files that were sent."""
    return sum(line["bytes"] for line in hub.requests() if line["method"] == "PUT")


def test_a_folder_comes_back_as_it_was_uploaded(hub: StandIn, folder: Path) -> None:
    hub.start()
    create(hub)
    commit = upload(hub, folder)
    names = ["README.md", "config.json", "empty.txt", "model.safetensors", "onnx/model.onnx"]
    assert client(hub, "value = api.list_repo_files('someone/tiny')") == [".gitattributes", *names]
    got = Path(client(hub, "value = api.snapshot_download('someone/tiny')"))
    assert got.name == commit
    assert {name: (got / name).read_bytes() for name in names} == {
        name: (folder / name).read_bytes() for name in names
    }
    hub.stop()
    again = client(hub, "value = api.snapshot_download('someone/tiny')", HF_HUB_OFFLINE="1")
    assert Path(again) == got


def test_oids_are_those_of_git_and_of_lfs(hub: StandIn, folder: Path) -> None:
    from emolens.output import sha256

    hub.start()
    create(hub)
    upload(hub, folder)
    lines = (
        "value = {f.path: [f.size, f.blob_id, f.lfs and f.lfs.sha256]"
        " for f in api.list_repo_tree('someone/tiny', recursive=True) if hasattr(f, 'lfs')}"
    )
    tree = client(hub, lines)
    assert tree["config.json"] == [6, "ce013625030ba8dba906f756967f9e9ca394464a", None]
    assert tree["empty.txt"] == [0, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", None]
    weights = folder / "model.safetensors"
    assert tree["model.safetensors"][::2] == [len(WEIGHTS), sha256(weights)]
    lines = (
        "info = api.model_info('someone/tiny', files_metadata=True);"
        "value = [info.private, {f.rfilename: [f.size, f.blob_id, f.lfs and f.lfs.sha256]"
        " for f in info.siblings}]"
    )
    assert client(hub, lines) == [True, tree]


def test_only_what_changed_is_sent_again(hub: StandIn, folder: Path) -> None:
    hub.start()
    create(hub)
    first = upload(hub, folder)
    assert sent(hub) == 2 * len(WEIGHTS)
    assert (
        "No files have been modified"
        in hub.python(
            *(
                "-c",
                CLIENT,
                f"api.upload_folder(repo_id='someone/tiny', folder_path={str(folder)!r})",
            ),
            **{"HF_TOKEN": "hf_write", "HF_HUB_DISABLE_XET": "1"},
        ).stderr
    )
    (folder / "README.md").write_bytes(b"---\nlicense: mit\n---\n# Another card\n")
    (folder / "onnx" / "model.onnx").unlink()
    second = upload(hub, folder, ", delete_patterns='onnx/*'")
    assert second != first
    assert sent(hub) == 2 * len(WEIGHTS)
    assert "card" in (hub.files("models", "someone/tiny", first) / "README.md").read_text()
    assert (hub.files("models", "someone/tiny", first) / "onnx" / "model.onnx").exists()
    assert not (hub.files("models", "someone/tiny") / "onnx").exists()


def test_nothing_is_asked_of_xet_when_it_is_switched_off(hub: StandIn, folder: Path) -> None:
    pytest.importorskip("hf_xet")
    hub.start()
    create(hub)
    upload(hub, folder)
    client(hub, "value = api.snapshot_download('someone/tiny')")
    assert not [line for line in hub.requests() if "xet" in line["path"]]
    client(hub, "api.create_repo('someone/other')")
    lines = f"api.upload_folder(repo_id='someone/other', folder_path={str(folder)!r})"
    hub.python("-c", CLIENT, lines, HF_TOKEN="hf_write")
    assert [line for line in hub.requests() if "xet" in line["path"]]


@pytest.mark.parametrize(
    ("lines", "token", "error"),
    [
        ("value = api.whoami()['name']", "hf_read", "someone"),
        ("api.whoami()", "hf_wrong", ["HfHubHTTPError", 401]),
        ("api.create_repo('someone/new')", "", ["HfHubHTTPError", 401]),
        ("api.create_repo('someone/new')", "hf_wrong", ["HfHubHTTPError", 401]),
        ("api.create_repo('someone/new')", "hf_read", ["HfHubHTTPError", 403]),
        ("api.create_repo('taken/new')", "hf_write", ["HfHubHTTPError", 403]),
        ("api.create_repo('team/new')", "hf_write", None),
        ("api.create_repo('someone/tiny')", "hf_write", ["HfHubHTTPError", 409]),
        ("api.create_repo('someone/tiny', exist_ok=True)", "hf_write", None),
        ("value = api.model_info('someone/tiny').private", "hf_read", True),
        ("api.model_info('someone/tiny')", "", ["RepositoryNotFoundError", 401]),
        ("api.model_info('someone/none')", "hf_read", ["RepositoryNotFoundError", 404]),
        (
            "api.model_info('someone/tiny', revision='v9')",
            "hf_read",
            ["RevisionNotFoundError", 404],
        ),
        ("value = api.model_info('taken/open').private", "", False),
        ("api.model_info('taken/closed')", "hf_write", ["RepositoryNotFoundError", 404]),
    ],
)
def test_who_may_do_what(hub: StandIn, lines: str, token: str, error: Any) -> None:
    for repo in ("someone/tiny", "taken/open", "taken/closed"):
        hub.files("models", repo).mkdir(parents=True)
        if repo != "taken/open":
            hub.files("models", repo, "private").touch()
    hub.start()
    assert client(hub, lines, token=token) == error


@pytest.mark.parametrize(
    ("repo", "token", "error"),
    [
        ("someone/tiny", "hf_read", ["HfHubHTTPError", 403]),
        ("someone/tiny", "", ["RepositoryNotFoundError", 401]),
        ("taken/open", "hf_write", ["HfHubHTTPError", 403]),
        ("someone/none", "hf_write", ["RepositoryNotFoundError", 404]),
    ],
)
def test_who_may_not_commit(
    hub: StandIn, folder: Path, repo: str, token: str, error: list[Any]
) -> None:
    for name in ("someone/tiny", "taken/open"):
        hub.files("models", name).mkdir(parents=True)
    hub.start()
    lines = f"api.upload_folder(repo_id={repo!r}, folder_path={str(folder)!r})"
    assert client(hub, lines, token=token) == error


def test_a_commit_on_another_parent_is_refused(hub: StandIn, folder: Path) -> None:
    hub.start()
    create(hub)
    first = upload(hub, folder)
    (folder / "config.json").write_text("{}")
    upload(hub, folder, f", parent_commit={first!r}")
    (folder / "config.json").write_text("[]")
    assert client(
        hub,
        f"api.upload_folder(repo_id='someone/tiny', folder_path={str(folder)!r},"
        f" parent_commit={first!r})",
    ) == ["HfHubHTTPError", 412]
    assert (hub.files("models", "someone/tiny") / "config.json").read_text() == "{}"


def test_a_card_with_wrong_metadata_is_refused(hub: StandIn, folder: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: Apache 2.0\n---\n# A card\n")
    hub.start()
    create(hub)
    lines = f"api.upload_folder(repo_id='someone/tiny', folder_path={str(folder)!r})"
    assert client(hub, lines) == ["ValueError", None]
    assert sent(hub) == 0


def test_a_connection_breaks_within_a_large_file(hub: StandIn, folder: Path) -> None:
    hub.start()
    create(hub)
    (hub.served / "break-after").write_text("1000")
    lines = (
        "from huggingface_hub import lfs; from functools import partial;"
        "lfs.http_backoff = partial(lfs.http_backoff, max_retries=0)\n"
        f"try:\n api.upload_folder(repo_id='someone/tiny', folder_path={str(folder)!r})\n"
        "except RuntimeError as error:\n value = str(error)"
    )
    broken = client(hub, lines, problem="Server disconnected")
    assert broken.startswith("Error while uploading")
    assert [line for line in hub.requests() if line["status"] == 0 and line["bytes"] == 1000]
    assert client(hub, "value = api.list_repo_files('someone/tiny')") == [".gitattributes"]
    (hub.served / "break-after").unlink()
    upload(hub, folder)
    assert len(client(hub, "value = api.list_repo_files('someone/tiny')")) == 6


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
def test_a_connection_breaks_at_the_commit(
    hub: StandIn, folder: Path, when: str, made: bool
) -> None:
    hub.start()
    create(hub)
    (hub.served / "break-commit").write_text(when)
    lines = (
        f"try:\n api.upload_folder(repo_id='someone/tiny', folder_path={str(folder)!r})\n"
        "except Exception as error:\n value = str(error)"
    )
    assert "disconnected" in client(hub, lines)
    assert (hub.files("models", "someone/tiny") / "config.json").exists() == made
    before = sent(hub)
    (hub.served / "break-commit").unlink()
    assert client(hub, lines, problem="No files have been modified" if made else "") is None
    assert (hub.files("models", "someone/tiny") / "config.json").exists()
    assert sent(hub) == before == 2 * len(WEIGHTS)
