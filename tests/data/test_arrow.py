"""Arrow and Parquet files give every column, whatever its name and type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emolens.data.readers import arrow as arrow_module
from emolens.data.readers.columns import choose_column, texts_of
from emolens.data.readers.table import CELL_ROOM, ROOM, Table
from emolens.errors import DataError
from tests.tables import open_table

ENDINGS = (".parquet", ".arrow", ".arrows", ".feather")


def written(path: Path, table: pa.Table) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".feather":
        # The library's own function refuses columns of one name.
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table)
    else:
        with pa.ipc.new_stream(str(path), table.schema) as writer:
            writer.write_table(table)
    return path


def rows_of(table: Table, *columns: str) -> list[dict[str, Any]]:
    return [dict(row) for chunk in table.chunks(*columns) for row in chunk.rows]


@pytest.mark.parametrize("ending", ENDINGS)
def test_columns_of_one_name_are_all_kept(tmp_path: Path, ending: str) -> None:
    names = ["score", "text", "score", "label", ""]
    table = pa.table([[1, 2], ["a", "b"], [3, 4], ["joy", "fear"], [5, 6]], names=names)
    read = open_table(written(tmp_path / f"a{ending}", table), labelled=True)
    assert read.titles == tuple(names)
    score, text, second, label, unnamed = read.columns
    assert (text, label) == ("text", "label")
    (chunk,) = read.chunks()
    assert list(chunk.rows[1].values()) == [2, "b", 4, "fear", 6]
    assert chunk.batch.schema.names == list(read.columns)
    assert rows_of(read, second, label)[0] == {second: 3, label: "joy"}
    assert rows_of(read, unnamed)[1] == {unnamed: 6}
    assert choose_column(read, "label", score) == score
    with pytest.raises(DataError, match="2 columns 'score'"):
        choose_column(read, "label", "score")


@pytest.mark.parametrize("ending", ENDINGS)
def test_two_columns_of_texts_are_an_error_only_when_a_text_is_wanted(
    tmp_path: Path, ending: str
) -> None:
    table = pa.table([["a"], ["b"]], names=["text", "text"])
    read = open_table(written(tmp_path / f"a{ending}", table), labelled=False)
    with pytest.raises(DataError, match="2 columns 'text'") as caught:
        choose_column(read, "text")
    assert read.columns[0] in caught.value.hint


@pytest.mark.parametrize("ending", ENDINGS)
def test_values_inside_of_a_struct_have_names_with_dots(tmp_path: Path, ending: str) -> None:
    table = pa.table(
        {
            "id": [1, 2],
            "data": [{"text": "so glad", "lang": "en"}, None],
            "answers": [[{"mood": "joy"}, {"mood": "fear"}], []],
        }
    )
    read = open_table(written(tmp_path / f"a{ending}", table), labelled=True)
    assert read.nested == ("data.text", "data.lang", "answers.mood")
    (chunk,) = read.chunks("data.text")
    assert texts_of(read, chunk, choose_column(read, "text")) == ["so glad", ""]
    assert list(chunk.rows[0]) == ["data"]
    moods = [row.get("answers.mood") for chunk in read.chunks() for row in chunk.rows]
    assert moods == [["joy", "fear"], []]


@pytest.mark.parametrize("ending", ENDINGS)
def test_lists_of_labels_stay_lists(tmp_path: Path, ending: str) -> None:
    table = pa.table({"text": ["a", "b"], "labels": [[1], [2, 5]]})
    read = open_table(written(tmp_path / f"a{ending}", table), labelled=True)
    assert [row["labels"] for row in rows_of(read)] == [[1], [2, 5]]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("wrong", [".csv", ".jsonl", "", ".bin"])
def test_the_content_decides_before_the_ending(tmp_path: Path, ending: str, wrong: str) -> None:
    path = written(tmp_path / f"a{ending}", pa.table({"text": ["a"], "label": ["joy"]}))
    read = open_table(path.rename(tmp_path / f"b{wrong}"), labelled=True)
    assert rows_of(read) == [{"text": "a", "label": "joy"}]
    kind = "parquet" if ending == ".parquet" else "arrow"
    assert f"is read as {kind}, because of its content" in read.notes[0].text


def test_a_value_of_a_dictionary_counts_as_often_as_it_is_used(tmp_path: Path) -> None:
    column = pa.DictionaryArray.from_arrays([0, 1, None, 0] * 500, ["x" * 1_000_000, "short"])
    table = pa.table({"text": column})
    read = open_table(written(tmp_path / "a.arrow", table), labelled=False)
    sizes = []
    for chunk in read.chunks():
        sizes.append(len(chunk))
        texts = [row["text"] for row in chunk.rows]
        assert {len(text) if text else text for text in texts} <= {1_000_000, 5, None}
        long = {id(text) for text in texts if text and len(text) > 5}
        assert len(long) <= 1  # one object, however often it is used
    assert sum(sizes) == 2000
    assert max(sizes) <= arrow_module.ROOM // 500_000 + 1


def test_a_giant_value_of_a_dictionary_is_a_sentence(tmp_path: Path) -> None:
    column = pa.DictionaryArray.from_arrays([0, 1], ["fine", "x" * 100_000_001])
    path = written(tmp_path / "a.arrow", pa.table({"text": column}))
    with pytest.raises(DataError, match="a field has more than 100 MB"):
        rows_of(open_table(path, labelled=False))


def most_allocated(path: Path) -> int:
    """The most bytes that Arrow holds while all rows are read."""
    pa.default_memory_pool().release_unused()
    before, most, n_rows = pa.total_allocated_bytes(), 0, 0
    for chunk in open_table(path, labelled=False).chunks():
        most = max(most, pa.total_allocated_bytes() - before)
        n_rows += len(chunk)
    assert n_rows == pq.read_metadata(path).num_rows
    return most


def test_a_long_text_that_stands_in_many_rows_takes_little_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", pa.table({"text": ["x" * 1_000_000] * 300}))
    assert most_allocated(path) < 100_000_000


@pytest.mark.parametrize("distinct", [3, 10**9])
def test_a_large_group_of_rows_takes_the_memory_of_a_small_one(
    tmp_path: Path, distinct: int
) -> None:
    most = []
    for n_rows in (100_000, 400_000):
        texts = [f"i am happy today, for the time number {i % distinct}" for i in range(n_rows)]
        path = written(tmp_path / f"{n_rows}.parquet", pa.table({"text": texts}))
        assert pq.read_metadata(path).num_row_groups == 1
        most.append(most_allocated(path))
    assert most[1] < 1.2 * most[0]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_chunk_of_many_columns_has_few_rows(tmp_path: Path, ending: str) -> None:
    columns = {f"c{i}": ["a"] * 3_000 for i in range(300)}
    read = open_table(written(tmp_path / f"a{ending}", pa.table(columns)), labelled=False)
    sizes = [len(chunk) for chunk in read.chunks()]
    assert sum(sizes) == 3_000
    assert max(sizes) * 300 * CELL_ROOM <= ROOM
