"""Folders of data as no one should have them: odd names, links, pipes, and any mixture of files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.sources import load_dataset
from emolens.errors import DataError, EmolensError
from tests.conftest import feeling_rows, write_csv

NAMES = st.lists(
    st.sampled_from(["train", "Dev", "eval", "test", "holdout", "part", "1", "2", "old", "labels"]),
    min_size=1,
    max_size=3,
    unique=True,
).map("_".join)
PLACES = st.sampled_from(["", "", "", "train/", "test/", "data/", "joy/", "more/"])
FILES = st.lists(
    st.tuples(PLACES, NAMES, st.sampled_from([".csv", ".csv", ".tsv", ".jsonl"])).map("".join),
    min_size=1,
    max_size=6,
    unique_by=str.lower,
)


def write_rows(path: Path, rows: list[tuple[str, str]]) -> None:
    write_csv(path, rows)
    if path.suffix == ".tsv":
        path.write_text("\n".join(f"{t}\t{k}" for t, k in [("text", "label"), *rows]), "utf-8")
    if path.suffix == ".jsonl":
        lines = (f'{{"text": "{text}", "label": "{label}"}}' for text, label in rows)
        path.write_text("\n".join(lines), "utf-8")


@settings(max_examples=150, deadline=None)
@given(names=FILES)
def test_each_file_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    """Whatever lies in a folder: an error says why, or no file is left out without a word."""
    folder = tmp_path_factory.getbasetemp() / "any-layout"
    shutil.rmtree(folder, ignore_errors=True)
    for i, name in enumerate(names):
        write_rows(folder / name, [(f"{i} {t}", k) for t, k in feeling_rows(30)])
    try:
        dataset = load_dataset(folder)
    except EmolensError as error:
        assert "\n" not in str(error)
        assert error.hint
        return
    read = {text.partition(" ")[0] for split in dataset.splits.values() for text in split.texts}
    said = " ".join(map(str, dataset.notes))
    for i, name in enumerate(names):
        place, _, file = name.rpartition("/")
        assert str(i) in read or file in said or f"{place}/" in said, (name, said)
    assert len(dataset) == 30 * len(read)


def test_pipes_dangling_links_and_loops_are_no_data(feelings_folder: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes in folders here")
    whole = load_dataset(feelings_folder)
    os.mkfifo(feelings_folder / "train-2.csv")
    (feelings_folder / "test2.csv").symlink_to("nowhere.csv")
    (feelings_folder / "loop").symlink_to(feelings_folder, target_is_directory=True)
    (feelings_folder / "test-self").symlink_to("test-self")
    dataset = load_dataset(feelings_folder)
    assert dataset.sizes == whole.sizes
    assert str(dataset.notes[0]) == "Not used: loop/, test-self, test2.csv, train-2.csv."


def test_a_folder_that_holds_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "again").symlink_to(tmp_path / "train", target_is_directory=True)
    with pytest.raises(DataError):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    "name", ["a[1].csv", "a*.csv" if os.name != "nt" else "a.csv", "-x.csv", "sp ace.csv", "ü.csv"]
)
def test_a_file_with_signs_of_a_pattern_in_its_name_is_that_file(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "a1.csv", feeling_rows(9))
    write_csv(tmp_path / name, feeling_rows(60))
    assert len(load_dataset(tmp_path / name)) == 60
    assert load_dataset(tmp_path, splits={"train": name, "test": "a1.csv"}).sizes["test"] == 9


def test_folders_called_like_files_are_read_as_folders(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv" / "rows.csv", feeling_rows(60))
    assert len(load_dataset(tmp_path)) == 60


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(DataError, match=r"closed can't be read"):
        load_dataset(tmp_path / "closed")
    path = write_csv(tmp_path / "half" / "rows.csv", feeling_rows(60))
    path.parent.chmod(0o300)
    try:
        assert len(load_dataset(path)) == 60
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "~nobody-here/x"])
def test_an_impossible_name_of_a_split_is_an_error(feelings_folder: Path, name: str) -> None:
    with pytest.raises(EmolensError) as caught:
        load_dataset(feelings_folder, splits={"test": name})
    assert "\n" not in str(caught.value)
