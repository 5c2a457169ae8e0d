"""Data sets of the Hub, through the library `datasets`.

The only module that loads this library. It gives each table the split name of the source.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from emolens.data.readers.table import CHUNK, Chunk, Table
from emolens.errors import DataError, first_line, require
from emolens.hub import client, hub_errors


def hub_tables(repo: str, *, config: str | None, revision: str | None) -> dict[str, Table]:
    """Every split of a repository, from the Hub or the cache. Raises HubError."""
    datasets = require("datasets", "train")
    what = f"the data set {repo}" + (f" at {revision}" if revision else "")
    with hub_errors(what), _quiet(datasets):
        if _hub_answers(datasets, repo):
            loaded = datasets.load_dataset(repo, config, revision=revision)
        else:
            loaded = _from_cache(datasets, repo, config, revision)
    return _tables(loaded, Path(repo))


@contextlib.contextmanager
def _folder_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder} is not readable ({first_line(error)}).",
            hint="Delete its folder from the cache of the Hub, and run the same command again.",
        ) from error


def _hub_answers(datasets: ModuleType, repo: str) -> bool:
    """Ask the Hub once, and wait ten seconds at most.

    Without this, `datasets` asks again and again for 25 seconds before it looks into its cache.
    A refusal counts as an answer; an error of the server does not.
    """
    if datasets.config.HF_HUB_OFFLINE:
        return False
    try:
        client().HfApi().dataset_info(repo, timeout=10)
    except Exception as error:
        response = getattr(error, "response", None)
        return response is not None and response.status_code < 500
    return True


def _from_cache(datasets: ModuleType, repo: str, config: str | None, revision: str | None) -> Any:
    """The copy in the cache; ConnectionError if there is none, or none of this revision."""
    offline = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = True  # the library reads it on every call
    try:
        loaded = datasets.load_dataset(repo, config)
    except ValueError as error:  # the cache has other configurations, or several
        raise ConnectionError(str(error)) from error
    finally:
        datasets.config.HF_HUB_OFFLINE = offline
    # Offline, `datasets` gives the copy that was cached last, whatever its revision. The name of
    # its folder is the commit.
    if revision and not _commits(repo, revision) & _folders_of(loaded):
        raise ConnectionError(f"{repo} is cached at another revision")
    return loaded


def _commits(repo: str, revision: str) -> set[str]:
    """The cached commits of a branch, a tag or a commit hash."""
    return {
        commit.commit_hash
        for cached in client().scan_cache_dir().repos
        if cached.repo_type == "dataset" and cached.repo_id == repo
        for commit in cached.revisions
        if revision in commit.refs or revision == commit.commit_hash
    }


def _folders_of(loaded: Any) -> set[str]:
    files = [file["filename"] for split in loaded.values() for file in split.cache_files]
    return {Path(file).parent.name for file in files}


@contextlib.contextmanager
def _quiet(datasets: ModuleType) -> Iterator[None]:
    """Hide the warnings of `datasets`, and its progress bars if stderr is not a terminal."""
    verbosity = datasets.logging.get_verbosity()
    # If the environment variable is set, calls have no effect and only warn.
    unset = datasets.config.HF_DATASETS_DISABLE_PROGRESS_BARS is None
    hide = unset and not datasets.are_progress_bars_disabled() and not sys.stderr.isatty()
    datasets.logging.set_verbosity_error()
    if hide:
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.logging.set_verbosity(verbosity)
        if hide:
            datasets.enable_progress_bars()


def _tables(loaded: Any, origin: Path) -> dict[str, Table]:
    return {name: _table(loaded[name], origin / name) for name in loaded}


def _table(dataset: Any, origin: Path) -> Table:
    # A column of lists has the feature of their values inside.
    inner = {name: getattr(kind, "feature", kind) for name, kind in dataset.features.items()}
    names = {
        column: tuple(feature.names)
        for column, feature in inner.items()
        if type(feature).__name__ == "ClassLabel"
    }
    dataset.data.validate(full=True)  # otherwise, damaged offsets crash the process later
    plain = dataset.with_format(None)

    def read(columns: Sequence[str]) -> Iterator[Chunk]:
        # Other columns may hold pictures or sounds, which the library would decode.
        wanted = plain.select_columns(list(columns))
        for start in range(0, len(wanted), CHUNK):
            with _folder_errors(origin):
                values = wanted[start : start + CHUNK]
            rows = [
                dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)
            ]
            yield Chunk(range(start + 1, start + 1 + len(rows)), rows)

    return Table(origin, tuple(plain.column_names), read, class_names=names)
