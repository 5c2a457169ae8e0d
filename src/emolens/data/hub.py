"""Data sets of the Hub, through the library `datasets`.

The only module that loads this library. It gives each table the split name of the source.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from emolens.data.checks import Note
from emolens.data.readers.table import CHUNK, Chunk, Table
from emolens.errors import DataError, HubError, first_line, nearest, require, some_of
from emolens.hub import client, hub_errors


class HubTables(NamedTuple):
    """Every split of a repository, as it was at a commit, and the note that says so."""

    tables: dict[str, Table]
    commit: str
    note: Note


def hub_tables(repo: str, *, config: str | None, revision: str | None) -> HubTables:
    """Every split of a repository, from the Hub or the cache.

    config: None for the default one. revision: None for main. Raises HubError.
    """
    datasets = require("datasets", "train")
    name = f"{repo}:{config}" if config else repo
    what = f"the data set {name}" + (f" at {revision}" if revision else "")
    source = ""
    with hub_errors(what), _quiet(datasets):
        if _hub_answers(datasets, repo):
            loaded = _from_hub(datasets, repo, config, revision)
        else:
            loaded = _from_cache(datasets, repo, config, revision)
            asked = not datasets.config.HF_HUB_OFFLINE
            source = " It comes from the cache" + (": the Hub does not answer." if asked else ".")
    commit = _commit_of(loaded)
    text = f"{name} is used as it was at commit {commit[:12]}.{source}"
    return HubTables(_tables(loaded, Path(repo)), commit, Note("S02", text))


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


def _from_hub(datasets: ModuleType, repo: str, config: str | None, revision: str | None) -> Any:
    try:
        return datasets.load_dataset(repo, config, revision=revision)
    except ValueError:
        names = datasets.get_dataset_config_names(repo, revision=revision)
        if config not in names:
            default = datasets.get_dataset_default_config_name(repo, revision=revision)
            _check_config(repo, config or default, revision, names)
        raise


def _from_cache(datasets: ModuleType, repo: str, config: str | None, revision: str | None) -> Any:
    """The copy in the cache; ConnectionError if there is none of this revision.

    Offline, `datasets` gives the copy that was cached last, whatever its revision, and another
    configuration if the cache has no other. So this asks for one commit and one configuration.
    """
    from datasets.packaged_modules.cache.cache import Cache

    commits = [
        commit
        for cached in client().scan_cache_dir().repos
        if cached.repo_type == "dataset" and cached.repo_id == repo
        for commit in cached.revisions
        if (revision or "main") in (*commit.refs, commit.commit_hash)
    ]
    for commit in commits:
        configs = _configs(datasets, commit.snapshot_path / "README.md")
        names = list(configs) or ["default"]
        chosen = config or (configs.get_default_config_name() if configs else "default")
        _check_config(repo, chosen, revision, names)
        cache = Cache(
            repo_id=repo,
            dataset_name=repo.partition("/")[2],
            config_name=chosen,
            hash=commit.commit_hash,
        )
        if Path(cache.cache_dir).is_dir():
            return cache.as_dataset()
    raise ConnectionError(f"{repo} is not cached like this")


def _configs(datasets: ModuleType, card: Path) -> Any:
    """The configurations that the card of a data set describes, by name."""
    from huggingface_hub import DatasetCard, DatasetCardData

    data = DatasetCard.load(card).data if card.is_file() else DatasetCardData()
    return datasets.utils.metadata.MetadataConfigs.from_dataset_card_data(data)


def _check_config(
    repo: str, config: str | None, revision: str | None, names: Sequence[str]
) -> None:
    """Raise HubError unless this is one of the configurations."""
    if config is None:
        at = f"@{revision}" if revision else ""
        raise HubError(
            f"The data set {repo} has several configurations and no default: {some_of(names)}.",
            hint=f"Add one of them to the name, such as {repo}:{names[0]}{at}",
        )
    if config not in names:
        raise HubError(
            f"The data set {repo} has no configuration '{config}'.", hint=nearest(config, names)
        )


def _commit_of(loaded: Any) -> str:
    """The commit, which is the name of the folder of the prepared files."""
    files = [file["filename"] for split in loaded.values() for file in split.cache_files]
    return Path(files[0]).parent.name


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
