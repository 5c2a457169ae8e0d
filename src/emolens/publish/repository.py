"""A model repository on the Hub: its files, and which of them an earlier push wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emolens.errors import HubError
from emolens.hub import client
from emolens.modelfolder import EMOLENS_JSON
from emolens.owned import Owned
from emolens.publish.outgoing import PUSHED_CARD, WORDS_HERE, File
from emolens.show.cardtext import CARD
from emolens.store import load_object

# The Hub itself makes these when a repository is created.
_OF_THE_HUB = {".gitattributes", CARD}


@dataclass(frozen=True)
class Repository:
    """The files of a repository at one commit.

    digests: by path, as the Hub has them: the SHA-256 of a large file, git's SHA-1 of a small one.
    """

    name: str
    private: bool
    commit: str
    digests: Mapping[str, str]

    @classmethod
    def at(cls, name: str) -> Repository | None:
        """The repository as it is now; None if there is none that this user can see."""
        hub = client()
        try:
            info = hub.HfApi().model_info(name, files_metadata=True, timeout=30)
        except hub.errors.RepositoryNotFoundError:
            return None
        digests = {
            file.rfilename: file.lfs.sha256 if file.lfs else file.blob_id for file in info.siblings
        }
        return cls(name, bool(info.private), info.sha, digests)

    def has(self, path: str, file: File) -> bool:
        """Whether it has this file, with these bytes."""
        digest = self.digests.get(path)
        if digest is None or len(digest) == len(file.sha256):
            return digest == file.sha256
        return digest == _git_sha1(file.read())

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What emolens.json holds. HubError if the files are those of others."""
        if EMOLENS_JSON not in self.digests:
            if others := sorted(self.digests.keys() - _OF_THE_HUB):
                raise self._of_others(f"it has no {EMOLENS_JSON}, but {others[0]}")
            return {}
        try:
            facts = load_object(self.download(EMOLENS_JSON))
            if not Owned.from_json(facts).files:
                raise ValueError("it lists no files")
        except ValueError as error:
            raise self._of_others(f"its {EMOLENS_JSON} is not as emolens writes it") from error
        return facts

    @property
    def words_here(self) -> str:
        """The digest of the user's words in the folder's card at the last push."""
        return str(self.facts.get(WORDS_HERE))

    @cached_property
    def pushed(self) -> Mapping[str, str]:
        """The SHA-256 of what the last push wrote."""
        return {**Owned.from_json(self.facts).files, CARD: str(self.facts.get(PUSHED_CARD))}

    def changed_since(self, path: str) -> bool:
        """Whether a file that is there is not as the last push wrote it."""
        there, pushed = self.digests[path], self.pushed.get(path)
        if pushed is None or len(there) == len(pushed):
            return there != pushed
        return hashlib.sha256(self.download(path).read_bytes()).hexdigest() != pushed

    def download(self, path: str) -> Path:
        """A file at this commit, in the cache of the Hub's client."""
        return Path(client().hf_hub_download(self.name, path, revision=self.commit))

    def _of_others(self, why: str) -> HubError:
        return HubError(
            f"{self.name} on the Hub holds files that emolens did not write: {why}.",
            hint=f"Choose a name that is not in use, for example {self.name}-2",
        )


def _git_sha1(content: bytes) -> str:
    # The name of a file's content in git; nothing relies on it being hard to forge.
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
