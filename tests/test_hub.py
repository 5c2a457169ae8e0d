"""Names of models on the Hub, and one sentence for each error of its client."""

from __future__ import annotations

import errno
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import errors as raised_by_the_client
from huggingface_hub.utils._runtime import is_xet_available

from emolens.errors import HubError, StorageError, UsageError
from emolens.hub import client, hub_errors, is_hub_name, name_of, on_the_hub


def answered(status: int, kind: str = "HfHubHTTPError") -> Exception:
    """The client's error for an answer of the Hub."""
    response = httpx2.Response(status, request=httpx2.Request("POST", "https://hub.test/api"))
    error: Exception = getattr(raised_by_the_client, kind)("one\n  two", response=response)
    return error


@pytest.mark.parametrize(
    "name",
    [
        "owner/name",
        "Owner-1/na.me_2",
        "owner/name@v1.0",
        "owner/name@refs/pr/4",
        Path("owner/name"),
    ],
)
def test_names_on_the_hub(name: str | Path) -> None:
    assert is_hub_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("name", "./name", "../name", "~/name", "/owner/name", "owner/", "a/b/c", "a b/c"),
        *("C:/model", "C:\\model", "owner\\name", "owner/name@", "owner/name@../../x"),
        *("owner/name@a b", ".hidden/name", "owner/.name", "тест/модель"),
    ],
)
def test_names_that_the_hub_can_not_have(name: str) -> None:
    assert not is_hub_name(name)


def test_a_path_into_a_folder_is_no_name_on_the_hub_but_with_a_revision_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    assert not is_hub_name("runs/modle")
    assert is_hub_name("runs/modle@main")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("https://huggingface.co/owner/name", "owner/name@main"),
        ("https://huggingface.co/owner/name/tree/v1.0", "owner/name@v1.0"),
        (Path("https://huggingface.co/owner/name"), "owner/name@main"),
        ("hf://owner/name@v1.0", "owner/name@v1.0"),
        ("runs/modle", "runs/modle@main"),
        ("runs/starter/modle", ""),
        ("modle", ""),
        ("owner/name@v1.0@v2.0", ""),
    ],
)
def test_a_folder_that_is_not_there_may_be_meant_for_the_hub(name: str | Path, meant: str) -> None:
    assert on_the_hub(name) == (f" If you mean a model of the Hub, write {meant}" if meant else "")


def test_the_folder_of_a_copy_in_the_cache_of_the_hub_tells_its_name() -> None:
    commit = "0123456789" * 4
    folder = Path("/home/anna/.cache/huggingface/hub")
    copy = folder / "models--own-er--na-me.v2" / "snapshots" / commit
    assert name_of(copy) == f"own-er/na-me.v2@{commit}"
    assert name_of(copy / "openvino") is None
    assert name_of(Path("runs/starter/model")) is None


def test_xet_is_off_unless_the_user_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    constants = client().constants
    monkeypatch.delenv("HF_HUB_DISABLE_XET", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    client()
    assert not is_xet_available()
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "0")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    client()
    assert not constants.HF_HUB_DISABLE_XET


UNANSWERED = "The Hugging Face Hub does not answer, and the cache does not have the thing."
UNSENT = "The Hugging Face Hub does not answer; the thing is not sent."
ABSENT = "The Hub does not have the thing, or it is private or gated."


@pytest.mark.parametrize(
    ("error", "reading", "sending"),
    [
        (ConnectionRefusedError("no"), UNANSWERED, UNSENT),
        (TimeoutError("slow"), UNANSWERED, UNSENT),
        (httpx2.ReadError("broke off"), UNANSWERED, UNSENT),
        (answered(503), UNANSWERED, UNSENT),
        (answered(404, "RepositoryNotFoundError"), ABSENT, ABSENT),
        (answered(401, "RepositoryNotFoundError"), ABSENT, "only with a token, and there is none"),
        (answered(403, "GatedRepoError"), ABSENT, ABSENT),
        (answered(401), ABSENT, "only with a token, and there is none"),
        (answered(403), "may not read the thing", "may not write the thing"),
        (answered(409), "has the thing already", "has the thing already"),
        (answered(412), "has changed the thing", "has changed the thing"),
        (answered(429), "too many requests", "too many requests"),
        (answered(418), "did not give the thing: one two", "did not take the thing: one two"),
        (OSError("first\n  second"), "did not give the thing: first second", "did not take"),
    ],
)
def test_each_error_of_the_client_is_one_sentence(
    error: Exception, reading: str, sending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client(), "get_token", lambda: None)
    for flag, sentence in ((False, reading), (True, sending)):
        with pytest.raises(HubError) as caught, hub_errors("the thing", sending=flag):
            raise error
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.hint


def test_a_token_that_is_refused_is_not_a_name_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client(), "get_token", lambda: "hf_x")
    for sending in (False, True):
        with pytest.raises(HubError, match="refuses your token") as caught:  # noqa: SIM117
            with hub_errors("the thing", sending=sending):
                raise answered(401)
        assert "hf auth login" in caught.value.hint
    with pytest.raises(HubError, match="does not have the thing"), hub_errors("the thing"):
        raise answered(401, "RepositoryNotFoundError")


def test_a_full_disk_is_not_a_fault_of_the_hub() -> None:
    with pytest.raises(StorageError, match="No space left") as caught, hub_errors("the thing"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "HF_HOME" in caught.value.hint


@pytest.mark.parametrize("raised", [UsageError("mine", hint="h"), KeyError("a mistake of ours")])
def test_other_errors_are_not_the_hubs(raised: Exception) -> None:
    with pytest.raises(type(raised)) as caught, hub_errors("the thing"):
        raise raised
    assert caught.value is raised
