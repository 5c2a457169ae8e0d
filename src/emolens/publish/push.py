"""Pushes a model folder to the Hub: plans what changes there, and sends it as one commit.

What broke off is continued: the Hub keeps the large files that have arrived.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from emolens.encode.tokenize import Tokenizer
from emolens.errors import HubError, StorageError, UsageError, first_line, some_of
from emolens.export.head import read_head
from emolens.hub import client, hub_errors, quiet_client
from emolens.modelfolder import EMOLENS_JSON
from emolens.publish.outgoing import File, outgoing
from emolens.publish.repository import Repository
from emolens.show.card import short_card
from emolens.show.cardtext import (
    CARD,
    body_of,
    has_own_words,
    merged,
    stated_license,
    with_address,
    with_license,
    words_digest,
)
from emolens.version import __version__

Side = Literal["here", "hub"]
Change = Literal["new", "changed", "unchanged", "deleted"]


@dataclass(frozen=True)
class Plan:
    """What a push would do. Nothing was sent yet.

    files: what the repository will hold, by path. changes: for each of these paths, and for those
    that are deleted, what happens to it. left_out: files of the folder that stay here. notes: which
    files stay here, what is left out of a file, and what others have changed on the Hub.
    """

    repo: str
    public: bool
    repository: Repository | None
    files: Mapping[str, File]
    changes: Mapping[str, Change]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    license: str | None

    @property
    def address(self) -> str:
        """The page of the repository."""
        return f"{client().constants.ENDPOINT}/{self.repo}"


@dataclass(frozen=True)
class Pushed:
    """The address of the repository, and the commit that holds the files."""

    address: str
    commit: str


def plan_push(
    folder: str | Path,
    repo: str,
    *,
    public: bool = False,
    card: Side | None = None,
    license: str | None = None,
    ask_license: Callable[[], str | None] = lambda: None,
) -> Plan:
    """Look at a model folder and at the repository `owner/name`, and plan the push.

    public: everybody may see a new repository. card: whose words stay if the card was changed here
    and on the Hub. license: of the model, for the card. ask_license: is called if neither this nor
    the card gives one. Raises EncoderError if emolens can't have made the model, UsageError for a
    name that no repository can have, or for a public model without a license, HubError if the Hub
    refuses, or if the repository holds files of others.
    """
    folder = Path(folder)
    going, local = outgoing(folder), _local_card(folder, repo)
    repository = check_push(repo, public=public)
    with _sending(repo):
        text = _card(local, repository, side=card)
    if wanted := license or (None if stated_license(text) else ask_license()):
        text = _licensed(text, wanted)
    if public and not stated_license(text):
        raise UsageError(
            "The card states no license, so nobody would know what they may do with the model.",
            hint="State it: --license apache-2.0 (in a study: card.license), or mit, other, …",
        )
    with contextlib.suppress(ValueError):  # not a card of emolens: it stays as it is
        text = with_address(text, repo)
    files = going.with_card(text, words_here=words_digest(local))
    with _sending(repo):
        changes, notes = _changes(files, repository)
    return Plan(
        repo,
        public,
        repository,
        files,
        changes,
        left_out=going.left_out,
        notes=(*going.notes, *notes),
        license=stated_license(text),
    )


def check_push(repo: str | None, *, public: bool = False) -> Repository | None:
    """The repository, if there is one; raises what plan_push raises about it."""
    if repo is None:
        raise UsageError(
            "The study names no repository to push to.", hint="Name it: --set push.repo=owner/name"
        )
    _check_name(repo)
    token = client().get_token() or ""
    if not token or not token.isascii():
        problem = "has a sign that no token has" if token else "is missing"
        raise HubError(
            f"Your token of the Hugging Face Hub {problem}; without it, nothing can be pushed.",
            hint="Run: hf auth login. Or set HF_TOKEN to a token that may write.",
        )
    with _sending(repo):
        _check_rights(repo)
        repository = Repository.at(repo)
        if repository is None:
            return None
        if not repository.private and not public:
            raise HubError(
                f"{repo} is public: everybody would see this model.",
                hint="To publish it, add --public (in a study: push.public = true), or take another"
                " name.",
            )
        repository.facts  # noqa: B018 - raises if the files are those of others
    return repository


def _check_rights(repo: str) -> None:
    """Raise HubError if the token may only read, or belongs to another owner."""
    who = client().HfApi().whoami()
    owners = [who["name"], *(org["name"] for org in who.get("orgs", ()))]
    role = who.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read" or repo.split("/", maxsplit=1)[0].lower() not in map(str.lower, owners):
        raise HubError(
            f"Your token of the Hub may not write to {repo}.",
            hint=f"Check the name of the owner ({some_of(owners)}), or use a token that may write:"
            " https://huggingface.co/settings/tokens",
        )


def push(plan: Plan) -> Pushed:
    """Create the repository if there is none, and send what changes. Raises HubError.

    If others change the repository in between, nothing is committed.
    """
    hub, repository = client(), plan.repository
    api = hub.HfApi()
    with _sending(plan.repo):
        _check_card(plan)
        if repository is None:
            api.create_repo(plan.repo, private=not plan.public)
            repository = Repository.at(plan.repo)
        if repository is None:
            raise HubError(
                f"The Hub has made the repository {plan.repo}, but does not show it.",
                hint="Run the same command again.",
            )
        commit = repository.commit
        if operations := _operations(plan):
            _upload(plan, operations)
            commit = api.create_commit(
                plan.repo,
                operations,
                commit_message=f"Push with emolens {__version__}",
                parent_commit=repository.commit,
            ).oid
        if plan.public and repository.private:
            api.update_repo_settings(plan.repo, private=False)
    return Pushed(plan.address, commit)


def _check_card(plan: Plan) -> None:
    """Raise UsageError if the Hub refuses the metadata of the card."""
    import yaml  # of huggingface_hub

    hub = client()
    try:
        hub.ModelCard(plan.files[CARD].read().decode()).validate()
    except hub.errors.HfHubHTTPError:
        raise
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(
            f"The Hub can't read the top of the card {CARD}: {first_line(error)}.",
            hint="Mend the lines between the first two --- of the card, and push again.",
        ) from error


def _upload(plan: Plan, operations: Sequence[Any]) -> None:
    """Send the large files. StorageError if one is not as it was when the push was planned.

    Otherwise, the repository would hold a model that its emolens.json calls damaged.
    """
    hub = client()
    added = [op for op in operations if isinstance(op, hub.CommitOperationAdd)]
    hub.HfApi().preupload_lfs_files(plan.repo, added, free_memory=False)
    for operation in added:
        name = operation.path_in_repo
        file = plan.files[name]
        if operation.upload_info.sha256.hex() != file.sha256:
            raise StorageError(
                f"{file.source!s} was changed while it was sent; nothing is published.",
                hint="Run the same command again.",
            )


def _operations(plan: Plan) -> list[Any]:
    hub, operations = client(), list[Any]()
    for name, change in plan.changes.items():
        if change == "deleted":
            operations.append(hub.CommitOperationDelete(name))
        elif change != "unchanged":
            source = plan.files[name].source
            if isinstance(source, Path) and not source.is_file():
                raise StorageError(f"{source} is gone.", hint="Make it again, and push then.")
            operations.append(hub.CommitOperationAdd(name, source))
    return operations


def _changes(
    files: Mapping[str, File], repository: Repository | None
) -> tuple[dict[str, Change], tuple[str, ...]]:
    """What happens to each path, and notes about files that others have changed."""
    changes: dict[str, Change] = dict.fromkeys(sorted(files), "new")
    if repository is None:
        return changes, ()
    for name in files.keys() & repository.digests.keys():
        changes[name] = "unchanged" if repository.has(name, files[name]) else "changed"
    notes = []
    for name in sorted(repository.digests.keys() - {CARD, EMOLENS_JSON}):
        gone = name not in files and name in repository.pushed
        if not gone and changes.get(name) != "changed":
            continue
        foreign = repository.changed_since(name)
        if foreign and gone:
            notes.append(f"{name} was changed on the Hub, so it stays there.")
        elif foreign:
            before = f"the commit {repository.commit[:8]} still has the other one"
            notes.append(f"{name} was changed on the Hub; it is replaced, and {before}.")
        elif gone:
            changes[name] = "deleted"
    return changes, tuple(notes)


def _local_card(folder: Path, repo: str) -> str:
    """The card in the folder, or a short one without figures. StorageError if it is not UTF-8."""
    path = folder / CARD
    if path.is_file():
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(
                f"{path} can't be read: {first_line(error)}.", hint="Save it as UTF-8 text."
            ) from error
    head, limit = read_head(folder), Tokenizer.from_folder(folder).max_length
    name = repo.rpartition("/")[2]
    return short_card(name, head.labels.names, function=head.decision.function, max_length=limit)


def _card(local: str, repository: Repository | None, *, side: Side | None) -> str:
    """The card to send: that of the folder, with the words that were written on the Hub.

    Words that have changed since the last push go before those that have not.
    """
    if repository is None or CARD not in repository.digests:
        return local
    there = repository.download(CARD).read_text("utf-8")
    stated = None if stated_license(local) else stated_license(there)
    fresh = _licensed(local, stated) if stated else local
    # A card without words, of a new run for example, deletes none.
    changed_here = has_own_words(local) and words_digest(local) != repository.words_here
    changed_there = repository.changed_since(CARD)
    if side == "here" or (changed_here and not changed_there):
        return fresh
    try:
        taken = merged(fresh, there)
    except ValueError:  # not a card of emolens: all of its words are somebody's
        taken, changed_here = (there if body_of(there).strip() else fresh), True
    if changed_here and side is None and taken != fresh:
        why = "was changed in the folder and on the Hub"
        raise UsageError(
            f"The card {why if repository.facts else 'on the Hub was not written by emolens'}.",
            hint="Say whose words stay: --card here or --card hub.",
        )
    return taken


def _licensed(card: str, license: str) -> str:
    """The card with this license; UsageError if its metadata can't be read."""
    try:
        return with_license(card, license)
    except ValueError as error:
        raise UsageError(
            f"The card can't state the license {license}: {error}.",
            hint=f"Correct the lines between the two --- at the top of {CARD}.",
        ) from error


@contextlib.contextmanager
def _sending(repo: str) -> Iterator[None]:
    with hub_errors(f"the repository {repo}", sending=True), quiet_client():
        yield


def _check_name(repo: str) -> None:
    """Raise UsageError unless this is owner/name, as the Hub allows it."""
    hub = client()
    with contextlib.suppress(hub.errors.HFValidationError):
        hub.utils.validate_repo_id(repo)
        if repo.count("/") == 1:
            return
    example = "/".join(urlsplit(repo).path.split("/")[1:3]) if "://" in repo else "anna/feelings"
    raise UsageError(
        f"'{repo}' is not the name of a repository on the Hub, which is owner/name.",
        hint=f"Give owner/name, such as {example}. Your own name: hf auth whoami",
    )
