"""Models of the Hugging Face Hub: gets their files, and says in one sentence what went wrong.

The only module that loads huggingface_hub to read models. Knows nothing of what the files hold.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from emolens.errors import EmolensError, HubError, StorageError, first_line
from emolens.stopped import check_not_stopped

# Git allows no '..' in the name of a branch or a tag.
_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(@(?!.*\.\.)[^@\s]+)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
# https://huggingface.co/owner/name/tree/revision; a path holds no '//'.
_ADDRESS = re.compile(r"(?:https?:/+[^/]+|hf:)/+([^/]+/[^/@]+)(?:(?:/tree/|@)([^/]+))?")
_COPY = re.compile(r"models--([^/]+?)--([^/]+)/snapshots/([0-9a-f]{40})$")  # in the Hub's cache
_PART = 2**17  # bytes; the client's own parts have 10 MB
_LOG_IN = "run: hf auth login"
_WITHOUT_THE_HUB = (
    "Give a folder of this machine in place of that name, set HF_HOME to a cache that has it,"
    " or run the bundled study: emolens run starter"
)
_AGAIN = "Run the same command again: what has arrived there is not sent again."
# By name: the library `datasets`, which raises some of them, is optional.
_UNREACHABLE = {
    "CacheNotFound",
    "LocalEntryNotFoundError",
    "OfflineModeIsEnabled",
    "TransportError",
}
_ABSENT = {
    "DatasetNotFoundError",
    "GatedRepoError",
    "HFValidationError",
    "RepositoryNotFoundError",
    "RevisionNotFoundError",
}
_OTHER = {"DatasetsError", "HfHubHTTPError", "OSError", "RuntimeError", "ValueError"}


def client() -> ModuleType:
    """huggingface_hub, with Xet switched off unless the user has set HF_HUB_DISABLE_XET.

    emolens is tested with the Hub's plain protocol only.
    """
    import huggingface_hub
    from huggingface_hub import constants, errors, utils  # noqa: F401 - the library has them only then

    if "HF_HUB_DISABLE_XET" not in os.environ:
        # The library reads the variable when it is imported, which others may have done before.
        constants.HF_HUB_DISABLE_XET = True
    return huggingface_hub


def is_hub_name(name: str | Path) -> bool:
    """Whether a name that is no folder may be on the Hub: owner/name or owner/name@revision.

    If there is a folder `owner` here, owner/name is a wrong path to a folder in it. With a revision
    it can't be one.
    """
    text = name.as_posix() if isinstance(name, Path) else name
    match = _NAME.fullmatch(text)
    return match is not None and (match[1] is not None or not Path(text).parent.is_dir())


def on_the_hub(name: str | Path) -> str:
    """The end of a hint about a folder that is not there: how to name a model of the Hub instead.

    Empty if the Hub can't have this name.
    """
    text = name.as_posix() if isinstance(name, Path) else name
    if address := _ADDRESS.match(text):
        text = f"{address[1]}@{address[2] or 'main'}"
    else:
        text = f"{text}@main"
    return f" If you mean a model of the Hub, write {text}" if is_hub_name(text) else ""


def name_of(folder: Path) -> str | None:
    """owner/name@commit, if this folder is a copy in the Hub's cache."""
    match = _COPY.search(folder.as_posix())
    return f"{match[1]}/{match[2]}@{match[3]}" if match else None


def fetch(name: str | Path, patterns: Sequence[str], *, kind: str = "model") -> Path:
    """The folder in the Hub's cache with the files of a model. Downloads those that are not there.

    name: owner/name or owner/name@revision: a branch, a tag or a commit. patterns: which files.
    kind: what an error calls it. If the Hub does not answer, the copy in the cache is used, with a
    warning unless HF_HUB_OFFLINE is set. The name of the folder is the commit. Raises HubError.
    """
    text = name.as_posix() if isinstance(name, Path) else name
    repo, _, revision = text.partition("@")
    what = f"the {kind} {repo}" + (f" at {revision}" if revision else "")
    hub = client()
    options = {"revision": revision or None, "allow_patterns": list(patterns)}
    with hub_errors(what), quiet_client():
        failure = None if _COMMIT.fullmatch(revision) else _failure(hub, repo, revision or None)
        if failure is None:
            with _small_parts(hub):
                return Path(hub.snapshot_download(repo, tqdm_class=_bar(hub), **options))
        try:
            folder = Path(hub.snapshot_download(repo, local_files_only=True, **options))
        except hub.errors.LocalEntryNotFoundError:
            raise failure from None
    if not isinstance(failure, hub.errors.OfflineModeIsEnabled):
        warnings.warn(
            f"The Hub did not give {what}, so the copy in the cache is used, commit"
            f" {folder.name[:12]}.",
            UserWarning,
            stacklevel=3,
        )
    return folder


def _failure(hub: ModuleType, repo: str, revision: str | None) -> Exception | None:
    """The error if the Hub does not answer for this model, or refuses it. Waits ten seconds."""
    try:
        hub.HfApi().model_info(repo, revision=revision, timeout=10)
    except hub.errors.RevisionNotFoundError:
        raise  # the copy in the cache would be of a revision that is no more
    except (hub.errors.HfHubHTTPError, ConnectionError, TimeoutError) as error:
        return error
    except Exception as error:
        if "TransportError" in _kinds(error):  # of the library that the client sends with
            return error
        raise
    return None


def _bar(hub: ModuleType) -> Any:
    class Bar(hub.utils.tqdm):  # type: ignore[misc, name-defined]
        """The client's progress bar. It stops a download between two parts of a file.

        The client itself would end a download only after the whole file.
        """

        def update(self, *args: Any) -> Any:
            check_not_stopped()
            return super().update(*args)

    return Bar


@contextlib.contextmanager
def _small_parts(hub: ModuleType) -> Iterator[None]:
    """Let files come in small parts, so that a signal can stop a slow download soon."""
    part = hub.constants.DOWNLOAD_CHUNK_SIZE
    hub.constants.DOWNLOAD_CHUNK_SIZE = _PART
    try:
        yield
    finally:
        hub.constants.DOWNLOAD_CHUNK_SIZE = part


@contextlib.contextmanager
def quiet_client() -> Iterator[None]:
    """Hide the client's warnings, and its progress bars where stderr is no terminal.

    An error says the same as the warnings in one sentence.
    """
    hub = client()
    verbosity, unset = (
        hub.logging.get_verbosity(),
        hub.constants.HF_HUB_DISABLE_PROGRESS_BARS is None,
    )
    hide = unset and not hub.utils.are_progress_bars_disabled() and not sys.stderr.isatty()
    hub.logging.set_verbosity_error()
    if hide:
        hub.utils.disable_progress_bars()
    try:
        yield
    finally:
        hub.logging.set_verbosity(verbosity)
        if hide:
            hub.utils.enable_progress_bars()


@contextlib.contextmanager
def hub_errors(what: str, *, sending: bool = False) -> Iterator[None]:
    """Say in one sentence why the Hub did not give `what` ('the data set owner/name').

    sending: the Hub did not take it.
    """
    try:
        yield
    except EmolensError:
        raise
    except Exception as error:
        # An upload that failed is a RuntimeError, whose cause says why.
        upload = sending and type(error) is RuntimeError
        cause = error.__cause__ if upload and isinstance(error.__cause__, Exception) else error
        explained = (
            _unanswered(cause, what, sending)
            or _refused(cause, what, sending)
            or _other(cause, what, sending)
        )
        if explained is None:
            raise
        raise explained from error


def _unanswered(error: Exception, what: str, sending: bool) -> HubError | None:
    """The error if no answer came."""
    kinds = _kinds(error)
    lost = isinstance(error, (ConnectionError, TimeoutError)) or kinds & _UNREACHABLE
    if not lost and _status(error) < 500:
        return None
    if sending and "OfflineModeIsEnabled" in kinds:
        return HubError(
            f"HF_HUB_OFFLINE is set, so {what} is not sent.", hint="Set HF_HUB_OFFLINE to 0."
        )
    if sending:
        return HubError(f"The Hugging Face Hub does not answer; {what} is not sent.", hint=_AGAIN)
    return HubError(
        f"The Hugging Face Hub does not answer, and the cache does not have {what}.",
        hint=_WITHOUT_THE_HUB,
    )


def _refused(error: Exception, what: str, sending: bool) -> HubError | None:
    """The error if the Hub does not have it, or this user may not read or write it."""
    status, kinds, may = _status(error), _kinds(error), "write" if sending else "read"
    if status == 401 and not kinds & _ABSENT and client().get_token():
        return HubError(
            "The Hub refuses your token.", hint=f"Set HF_TOKEN to a valid one, or {_LOG_IN}"
        )
    if sending and (status == 401 or "LocalTokenNotFoundError" in kinds):
        return HubError(
            f"The Hub takes {what} only with a token, and there is none.",
            hint=f"Set HF_TOKEN to a token that may write, or {_LOG_IN}",
        )
    if status == 401 or kinds & _ABSENT:
        return HubError(
            f"The Hub does not have {what}, or it is private or gated.",
            hint=f"Check the name; for a private one, set HF_TOKEN or {_LOG_IN}",
        )
    by_status = {
        403: (
            f"Your token of the Hub may not {may} {what}.",
            f"Check the name of the owner, or use a token that may {may} there:"
            " https://huggingface.co/settings/tokens",
        ),
        409: (f"The Hub has {what} already.", "Choose another name."),
        412: (f"Somebody has changed {what} in the meantime.", _AGAIN),
        429: (
            "The Hub got too many requests from here.",
            f"Wait some minutes and run the same command again, or {_LOG_IN}",
        ),
    }
    if status not in by_status:
        return None
    sentence, hint = by_status[status]
    return HubError(sentence, hint=hint)


def _other(error: Exception, what: str, sending: bool) -> EmolensError | None:
    """The error if this machine failed, or the Hub for a reason of its own."""
    if isinstance(error, OSError) and error.errno is not None:
        return StorageError(
            f"The Hub's cache can't be used: {first_line(error)}.",
            hint="Check the folder and the room on its disk, or set HF_HOME to another folder.",
        )
    if not _kinds(error) & _OTHER:
        return None
    text, verb = " ".join(str(error).split())[:200], "take" if sending else "give"
    return HubError(
        f"The Hub did not {verb} {what}: {text}",
        hint="Run the same command again later." if sending else _WITHOUT_THE_HUB,
    )


def _kinds(error: Exception) -> set[str]:
    """The names of the classes of an error."""
    return {kind.__name__ for kind in type(error).__mro__}


def _status(error: Exception) -> int:
    """The number with which the Hub answered; 0 if it did not."""
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)
