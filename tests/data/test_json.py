"""JSON gives the rows that a user sees in it, in whatever form they are written."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from emolens.data.readers import text as text_module
from emolens.data.readers.columns import choose_column, texts_of
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.table import CHUNK, Table
from emolens.data.sources import load_dataset
from emolens.errors import DataError
from tests.conftest import feeling_rows
from tests.tables import open_table

ROWS = [{"text": "so glad", "label": "joy"}, {"text": "so low", "label": "sadness"}]


def opened(path: Path, content: Any, **options: Any) -> Table:
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return open_table(path, labelled=True, options=ReadOptions(**options))


def rows_of(table: Table) -> list[dict[str, Any]]:
    return [dict(row) for chunk in table.chunks() for row in chunk.rows]


FORMS: dict[str, tuple[Any, str]] = {
    "an array": (ROWS, ""),
    "an array of many lines": (json.dumps(ROWS, indent=2), ""),
    "one object after another": ("\n".join(json.dumps(row, indent=1) for row in ROWS), ""),
    "JSON lines": ("\n".join(map(json.dumps, ROWS)), "read as jsonl"),
    "a list per column": ({"text": ["so glad", "so low"], "label": ["joy", "sadness"]}, "column"),
    "a list inside": ({"version": 1, "data": ROWS}, "the list 'data'"),
    "a list further inside": ({"result": {"n": 2, "items": ROWS}}, "the list 'items'"),
    "pandas columns": (
        {"text": {"0": "so glad", "1": "so low"}, "label": {"0": "joy", "1": "sadness"}},
        "an object per column",
    ),
    "pandas split": (
        {
            "columns": ["text", "label"],
            "index": [0, 1],
            "data": [["so glad", "joy"], ["so low", "sadness"]],
        },
        "a table",
    ),
    "pandas table": ({"schema": {"fields": [{"name": "text"}]}, "data": ROWS}, "'data'"),
    "the viewer of the Hub": (
        {
            "features": [
                {"name": "text", "type": {"dtype": "string", "_type": "Value"}},
                {"name": "label", "type": {"names": ["joy", "sadness"], "_type": "ClassLabel"}},
            ],
            "rows": [
                {"row_idx": 0, "row": {"text": "so glad", "label": 0}, "truncated_cells": ["text"]},
                {"row_idx": 1, "row": {"text": "so low", "label": 1}, "truncated_cells": []},
            ],
        },
        "the viewer of the Hub, which has cut texts in 1 row",
    ),
    "lists with a header": ([["text", "label"], ["so glad", "joy"], ["so low", "sadness"]], ""),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rows(tmp_path: Path, form: str) -> None:
    content, note = FORMS[form]
    table = opened(tmp_path / "a.json", content)
    assert rows_of(table) == ROWS
    assert rows_of(table) == ROWS  # a table can be read again
    assert table.columns == ("text", "label")
    assert note in " ".join(map(str, table.notes))
    assert bool(table.notes) is bool(note)


def test_objects_by_row_keep_their_names(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.json", {"a7": ROWS[0], "b9": ROWS[1]})
    assert rows_of(table) == [{"id": "a7"} | ROWS[0], {"id": "b9"} | ROWS[1]]


def test_texts_alone_are_rows(tmp_path: Path) -> None:
    for content in (["so glad", "so low"], {"texts": ["so glad", "so low"]}):
        table = opened(tmp_path / "a.json", content)
        assert rows_of(table) == [{"text": "so glad"}, {"text": "so low"}]


def test_one_object_is_a_row(tmp_path: Path) -> None:
    assert rows_of(opened(tmp_path / "a.json", ROWS[0])) == ROWS[:1]
    words = {"text": ["so", "glad"], "label": "joy"}
    assert rows_of(opened(tmp_path / "a.json", words)) == [words]


@pytest.mark.parametrize(
    "name", ["a.json", "a.jsonl", "a.csv", "a.txt", "a.parquet", "a", "a.data"]
)
@pytest.mark.parametrize("form", ["an array", "an array of many lines", "JSON lines"])
def test_the_content_decides_before_the_ending(tmp_path: Path, name: str, form: str) -> None:
    table = opened(tmp_path / name, FORMS[form][0])
    assert rows_of(table) == ROWS
    as_named = name == "a.jsonl" if form == "JSON lines" else name == "a.json"
    assert ("because of its content" in " ".join(map(str, table.notes))) is not as_named


def test_a_text_in_brackets_is_no_json(tmp_path: Path) -> None:
    for name in ("a.csv", "a.txt"):
        (tmp_path / name).write_text("[laughs] so glad\n{sic} so low\n")
    table = open_table(tmp_path / "a.txt", labelled=False)
    assert [row["text"] for row in rows_of(table)] == ["[laughs] so glad", "{sic} so low"]
    table = open_table(tmp_path / "a.csv", labelled=False)
    assert [row["1"] for row in rows_of(table)] == ["[laughs] so glad", "{sic} so low"]


def test_the_format_of_the_user_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"text": "a"}\n')
    options = ReadOptions(file_format="txt")
    table = open_table(path, labelled=False, options=options)
    assert rows_of(table) == [{"text": '{"text": "a"}'}]


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_inner_values_have_names_with_dots(tmp_path: Path, ending: str) -> None:
    rows = [
        {"data": {"text": "so glad", "lang": "en"}, "meta": {"emotion": "joy", "by": [{"n": 1}]}},
        {"data": {"text": "so low"}, "meta": {"emotion": "fear", "by": [{"n": 2}, {"n": 3}]}},
        {"data": None},
    ]
    content = json.dumps(rows) if ending == ".json" else "\n".join(map(json.dumps, rows))
    table = opened(tmp_path / f"a{ending}", content)
    assert table.columns == ("data", "meta")
    assert set(table.nested) == {"data.text", "data.lang", "meta.emotion", "meta.by.n"}
    assert rows_of(table) == rows  # as they stand in the file
    for wanted in (None, "data.text"):
        column = choose_column(table, "text", wanted)
        texts = [text for chunk in table.chunks() for text in texts_of(table, chunk, column)]
        assert texts == ["so glad", "so low", ""]
    assert choose_column(table, "label") == "meta.emotion"
    numbers = [row.get("meta.by.n") for chunk in table.chunks() for row in chunk.rows]
    assert numbers == [[1], [2, 3], None]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_a_number_asks_for_one_value_of_a_list(tmp_path: Path, name: str) -> None:
    pairs = feeling_rows(30)
    rows = [{"turns": [{"text": t}, {"by": "you"}], "answer": [label]} for t, label in pairs]
    if name == "a.parquet":
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    else:
        (tmp_path / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    data = load_dataset(tmp_path / name, text="turns.0.text", label="answer.0")
    assert {text for of in data.splits.values() for text in of.texts} == {text for text, _ in pairs}
    assert set(data.labels.names) == {"sadness", "joy", "anger"}
    with pytest.raises(DataError, match=r"no text column 'turns\.0\.texts'"):
        load_dataset(tmp_path / name, text="turns.0.texts", label="answer.0")
    table = open_table(tmp_path / name, labelled=True)
    rows = [row for chunk in table.chunks("turns.1.text", "turns.2.by") for row in chunk.rows]
    assert {row.get(key) for row in rows for key in ("turns.1.text", "turns.2.by")} == {None}


def test_dialogs_are_a_row_for_each_turn(tmp_path: Path) -> None:
    turns = [{"speaker": "A", "utterance": text, "emotion": k} for text, k in feeling_rows(30)]
    dialogs = [turns[:4], turns[4:5], turns[5:]]
    table = opened(tmp_path / "a.json", dialogs)
    assert rows_of(table) == turns
    assert [n for chunk in table.chunks() for n in chunk.numbers] == list(range(1, 31))
    assert "Each object is a row" in table.notes[-1].text
    data = load_dataset(tmp_path / "a.json")
    assert data.columns[:2] == ("utterance", "emotion")
    lines = [json.dumps(dialog) for dialog in dialogs]
    lines[1] = lines[1].replace('"speaker"', '"emotion"')  # now a name stands there twice
    table = opened(tmp_path / "a.jsonl", "\n".join(lines))
    wrong = {chunk.numbers[i]: why for chunk in table.chunks() for i, why in chunk.errors.items()}
    assert list(wrong) == [5]
    assert "'emotion' stands twice" in wrong[5]


def test_chats_have_texts_and_labels_by_who_speaks(tmp_path: Path) -> None:
    def chat(who: str, what: str, names: tuple[str, ...], said: tuple[str, ...]) -> list[Any]:
        return [{who: by, what: text} for by, text in zip(names, said, strict=True)]

    for name, who, what, names in (
        ("messages", "role", "content", ("system", "user", "assistant")),
        ("conversations", "from", "value", ("human", "gpt")),
    ):
        rows = [
            {name: chat(who, what, names, ("Classify.", text, label)[-len(names) :])}
            for text, label in feeling_rows(30)
        ]
        opened(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
        data = load_dataset(tmp_path / "a.jsonl")
        assert set(data.labels.names) == {"sadness", "joy", "anger"}
        assert {t for of in data.splits.values() for t in of.texts} == {
            t for t, _ in feeling_rows(30)
        }
        assert any("holds chats: the texts are in" in note.text for note in data.notes)


def test_training_data_of_spacy(tmp_path: Path) -> None:
    names = ("sadness", "joy", "anger")
    rows = [[text, {"cats": {n: float(n == own) for n in names}}] for text, own in feeling_rows(30)]
    opened(tmp_path / "a.json", rows)
    data = load_dataset(tmp_path / "a.json")
    assert data.columns[:2] == ("1", "2.cats")
    assert set(data.labels.names) == set(names)


def test_a_guessed_column_inside_of_others_is_said(tmp_path: Path) -> None:
    rows = [{"text": text, "entities": [{"label": label}]} for text, label in feeling_rows(30)]
    opened(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    data = load_dataset(tmp_path / "a.jsonl")
    assert any("taken from the column 'entities.label'" in note.text for note in data.notes)


def test_the_hint_about_lists_of_texts_names_the_first(tmp_path: Path) -> None:
    rows = [{"parts": [text, "and more"], "label": label} for text, label in feeling_rows(30)]
    opened(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    data = load_dataset(tmp_path / "a.jsonl", text="parts")
    assert all(text.endswith(" and more") for of in data.splits.values() for text in of.texts)
    (hint,) = [note.hint for note in data.notes if "joined with spaces" in note.text]
    _, _, column = hint.partition("--text ")
    one = load_dataset(tmp_path / "a.jsonl", text=column)
    assert {t for of in one.splits.values() for t in of.texts} == {t for t, _ in feeling_rows(30)}


def test_lines_as_python_prints_them_are_refused(tmp_path: Path) -> None:
    for name in ("a.txt", "a.jsonl"):
        with pytest.raises(DataError, match="line 1: this is not JSON"):
            opened(tmp_path / name, "".join(f"{row}\n" for row in ROWS))


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"tag": "joy", "patterns": ["so very glad", "so happy"]}, "patterns"),
        ({"row": {"id": "1", "words": "so very glad"}, "by": "me"}, "row.words"),
    ],
)
def test_the_hint_names_the_longest_texts_inside_of_others(
    tmp_path: Path, row: dict[str, Any], column: str
) -> None:
    table = opened(tmp_path / "a.json", [row, row])
    with pytest.raises(DataError) as caught:
        choose_column(table, "text")
    assert f"--text {column}, for example" in caught.value.hint


def test_nested_rows_give_a_data_set(tmp_path: Path) -> None:
    rows = [
        {"data": {"text": f"so {w} {i}"}, "meta": {"emotion": w}}
        for i in range(20)
        for w in ("joy", "fear")
    ]
    opened(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    data = load_dataset(tmp_path / "a.jsonl", text="data.text", label="meta.emotion")
    assert set(data.labels.names) == {"joy", "fear"}
    assert load_dataset(tmp_path / "a.jsonl").fingerprint == data.fingerprint


def test_a_name_with_a_dot_is_a_name(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.json", [{"data.text": "a"}, {"x": {"y.z": 1}}])
    assert choose_column(table, "text", "data.text") == "data.text"
    assert [r.get("x.y.z") for chunk in table.chunks() for r in chunk.rows] == [None, 1]


def test_a_late_name_is_known_before_the_rows_are_used(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"text": f"t{i}"} for i in range(CHUNK + 5)]
    rows.append({"text": "last", "late": 1})
    for name, content in (("a.json", rows), ("a.jsonl", "\n".join(map(json.dumps, rows)))):
        assert opened(tmp_path / name, content).columns == ("text", "late")


def test_numbers_stay_as_they_are(tmp_path: Path) -> None:
    content = '[{"a": 123456789012345678901234567890, "b": NaN, "c": -1.5e3, "d": true, "e": null}]'
    (row,) = rows_of(opened(tmp_path / "a.json", content))
    assert (row["a"], row["c"], row["d"], row["e"]) == (int("1234567890" * 3), -1500.0, True, None)
    assert row["b"] != row["b"]


BROKEN = [
    ('[{"text": "a"}', "line 1: this is not JSON"),
    ('[{"text": "a"}, {"text": ', "line 1: this is not JSON"),
    ('[{"text": "a"},\n {"text": }]', "line 2: this is not JSON"),
    ('[{"text": "a"}\n {"text": "b"}]', "line 2: this is not JSON \\(Expecting ','\\)"),
    ('[{"text": "a"}] x', "there is more after the end"),
    ('[{"text": "a"},]', "this is not JSON"),
    ('[{"text": "a"}, 7]', "row 2: this is JSON, but not an object"),
    ("[]", "holds no rows"),
    ("{}", "holds no rows"),
    ("[" * 100_000, "not JSON"),
    ('{"a": ' * 50_000, "not JSON"),
    ('[{"a": ' + "9" * 5_000 + "}]", "more than 4,300 digits"),
    ('{"users": [{"text": "a"}], "posts": [{"text": "b"}]}', "several lists of rows: users, posts"),
    ("null", "this is JSON, but not an object"),
]


@pytest.mark.parametrize(("content", "says"), BROKEN)
def test_a_broken_document_is_a_sentence(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        rows_of(opened(tmp_path / "a.json", content))
    assert str(tmp_path / "a.json") in str(caught.value)
    assert caught.value.hint


def test_a_damaged_text_spoils_no_other_row(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    rows = [{"text": f"é {i} è à"} for i in range(60)]
    content = json.dumps(rows, ensure_ascii=False, indent=1).encode()
    path.write_bytes(content.replace("é 7 ".encode(), b"\xe9 7 "))
    table = open_table(path, labelled=False)
    (chunk,) = table.chunks()
    assert list(chunk.errors) == [7]
    assert "line 24: byte 0xe9 is not UTF-8" in chunk.errors[7]
    assert chunk.rows[7]["text"] == "\ufffd 7 è à"
    with pytest.raises(DataError, match="line 24: byte 0xe9"):
        open_table(path, labelled=False, options=ReadOptions(strict=True))


def test_half_of_a_character_spoils_no_other_row(tmp_path: Path) -> None:
    rows = [r'{"text": "cut \ud83d", "id": 1}', '{"text": "fine", "id": 2}', '{"text": "b"}']
    contents = {"a.json": f"[{', '.join(rows)}]", "a.jsonl": "\n".join(rows)}
    for name, unit in (("a.json", "row"), ("a.jsonl", "line")):
        table = opened(tmp_path / name, contents[name])
        (chunk,) = table.chunks()
        assert list(chunk.errors.items()) == [(0, f"{unit} 1: \\ud83d is only half of a character")]
        assert list(chunk.rows)[:2] == [{"text": "cut ?", "id": 1}, {"text": "fine", "id": 2}]
        with pytest.raises(DataError, match="half of a character"):
            rows_of(opened(tmp_path / name, contents[name], strict=True))


def test_a_broken_line_spoils_no_other_row(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"t{i}"}) for i in range(9)]
    lines[4] = '{"text": "cut off'
    table = opened(tmp_path / "a.jsonl", "\n".join(lines))
    (chunk,) = table.chunks()
    assert list(chunk.errors) == [4]
    assert "line 5: this is not JSON" in chunk.errors[4]
    assert [row.get("text") for row in chunk.rows] == [
        f"t{i}" if i != 4 else None for i in range(9)
    ]


def test_other_encodings(tmp_path: Path) -> None:
    rows = [{"text": "très heureux, même"}]
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        path = tmp_path / f"{encoding}.json"
        path.write_bytes(json.dumps(rows, ensure_ascii=False, indent=1).encode(encoding))
        assert rows_of(open_table(path, labelled=False)) == rows, encoding


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), min_size=1)


@settings(max_examples=150, deadline=None)
@given(rows=OBJECTS, size=st.integers(1, 40), indent=st.sampled_from([None, 0, 3]))
def test_an_array_in_small_pieces_is_what_json_says(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    size: int,
    indent: int | None,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_PIECE", size)
        try:
            table = opened(path, json.dumps(rows, indent=indent, ensure_ascii=False))
            assert rows_of(table) == rows
        except UnicodeEncodeError:
            pass  # a half of a character can't be written
        except DataError as error:
            assert "NUL" in str(error) or "half of a character" in str(error)


@pytest.mark.parametrize("indent", [None, 1])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, indent: int | None) -> None:
    peaks = []
    for n in (6_000, 60_000):
        rows = [{"text": f"row {i}", "label": "joy"} for i in range(n)]
        table = opened(tmp_path / "a.json", json.dumps(rows, indent=indent))
        del rows
        tracemalloc.start()
        assert sum(len(chunk) for chunk in table.chunks()) == n
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def task(text: str, *choices: str, question: str = "mood", cancelled: bool = False) -> Any:
    result = [
        {
            "from_name": question,
            "to_name": "text",
            "type": "choices",
            "value": {"choices": list(choices)},
        }
    ]
    annotation = {"id": 1, "result": result if choices else [], "was_cancelled": cancelled}
    return {"id": 1, "data": {"text": text}, "annotations": [annotation], "predictions": []}


def chosen(table: Table) -> list[tuple[str, Any]]:
    text, label = choose_column(table, "text"), choose_column(table, "label")
    return [(row.get(text), row.get(label)) for chunk in table.chunks() for row in chunk.rows]


def test_an_export_of_label_studio(tmp_path: Path) -> None:
    rows = [task("a", "joy"), task("b", "joy", "fear"), task("c"), task("d", "x", cancelled=True)]
    table = opened(tmp_path / "a.json", rows)
    assert chosen(table) == [("a", ["joy"]), ("b", ["joy", "fear"]), ("c", None), ("d", None)]
    (note,) = table.notes
    assert "an export of Label Studio: the texts are in data.text" in note.text
    assert "the labels are in mood" in note.text
    assert rows_of(table) == rows


def test_annotators_who_differ_are_counted(tmp_path: Path) -> None:
    both = task("a", "joy")
    both["annotations"] += task("a", "fear")["annotations"]
    same = task("b", "joy")
    same["annotations"] += task("b", "joy")["annotations"]
    table = opened(tmp_path / "a.json", [both, same])
    assert chosen(table) == [("a", ["joy", "fear"]), ("b", ["joy"])]
    assert "1 text has different answers of several annotators" in table.notes[1].text


def test_several_questions_of_label_studio_have_their_names(tmp_path: Path) -> None:
    row = task("a", "joy")
    row["annotations"][0]["result"] += task("a", "high", question="strength")["annotations"][0][
        "result"
    ]
    table = opened(tmp_path / "a.json", [row])
    with pytest.raises(DataError, match="no column with a usual name for labels"):
        choose_column(table, "label")
    (read,) = [row for chunk in table.chunks() for row in chunk.rows]
    assert choose_column(table, "label", "strength") == "strength"
    assert (read.get("mood"), read.get("strength")) == (["joy"], ["high"])


def test_the_small_export_of_label_studio(tmp_path: Path) -> None:
    extra = {"id": 1, "annotator": 1, "annotation_id": 1, "created_at": "x", "lead_time": 1.5}
    table = opened(tmp_path / "a.json", [{"text": "a", "mood": "joy"} | extra])
    assert chosen(table) == [("a", "joy")]
    assert "Label Studio" in table.notes[0].text


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ({"joy": ["so glad", "well"], "fear": ["so low"]}, "classes with their texts"),
        ({"joy": ["so glad", "well"], "mine": ["so low", "no"]}, "classes with their texts"),
        ({"so glad": "joy", "well": "joy", "so low": "fear"}, "texts with their labels"),
    ],
)
def test_an_object_of_classes_has_texts_and_labels(tmp_path: Path, content: Any, form: str) -> None:
    table = opened(tmp_path / "a.json", content)
    assert table.columns == ("text", "label")
    assert rows_of(table)[0] == {"text": "so glad", "label": "joy"}
    assert [note.text for note in table.notes] == [
        f"{tmp_path / 'a.json'} is read as an object of {form}."
    ]


def test_lists_of_one_length_are_columns_unless_they_are_called_as_emotions(
    tmp_path: Path,
) -> None:
    table = opened(tmp_path / "a.json", {"question": ["so glad"], "answer": ["so low"]})
    assert table.columns == ("question", "answer")


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_texts_and_labels_of_lists_without_names_are_guessed(tmp_path: Path, ending: str) -> None:
    pairs = [["I feel so glad today", "joy"], ["I feel so low again", "fear"]] * 9
    lines = "\n".join(map(json.dumps, pairs))
    table = opened(tmp_path / f"a{ending}", pairs if ending == ".json" else lines)
    assert table.usual == {"text": "1", "label": "2"}
    assert "the texts are in column 1 and the labels are in column 2" in str(table.notes[-1])


@pytest.mark.parametrize("labels", [{"accept": ["joy"], "options": []}, {"label": "joy"}])
def test_only_accepted_answers_of_prodigy_are_labels(
    tmp_path: Path, labels: dict[str, Any]
) -> None:
    answers = ["accept", "accept", "reject", "ignore"]
    given = [{"text": "so glad", **labels, "answer": answer} for answer in answers]
    table = opened(tmp_path / "a.jsonl", "\n".join(map(json.dumps, given)))
    assert table.usual == {"text": "text", "label": "accepted"}
    assert rows_of(table) == given
    accepted = [row.get("accepted") for chunk in table.chunks() for row in chunk.rows]
    assert accepted == [*[labels.get("accept", "joy")] * 2, None, None]
    assert "2 rows have another 'answer' than 'accept', and so no label." in str(table.notes[-1])


@pytest.mark.parametrize("text", ["text", "data"])
@pytest.mark.parametrize("label", ["label", "labels"])
def test_an_export_of_doccano(tmp_path: Path, text: str, label: str) -> None:
    rows = [{"id": i, text: f"t{i}", label: ["joy"], "Comments": []} for i in range(3)]
    table = opened(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert chosen(table) == [("t0", ["joy"]), ("t1", ["joy"]), ("t2", ["joy"])]
    assert "an export of doccano" in table.notes[0].text


def test_lists_with_names_of_splits(tmp_path: Path) -> None:
    content = {"train": [{"text": "a"}, {"text": "b"}], "test": [{"text": "c"}]}
    table = opened(tmp_path / "a.json", content)
    assert [(row["split"], row["text"]) for row in rows_of(table)] == [
        ("train", "a"), ("train", "b"), ("test", "c"),
    ]  # fmt: skip
    assert "column 'split'" in table.notes[0].text


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_rows_that_are_wrong_stop_nothing(tmp_path: Path, name: str) -> None:
    lines = ['{"text": "a"}', '{"text": "b", "n": 1, "n": 2}', "[1, 2]", '{"text": "d"}']
    lines += ['{"text": "e"}']
    content = "\n".join(lines) if name == "a.jsonl" else f"[{', '.join(lines)}]"
    table = opened(tmp_path / name, content)
    (chunk,) = table.chunks()
    assert [row.get("text") for row in chunk.rows] == ["a", "b", None, "d", "e"]
    assert chunk.rows[1]["n"] == 2
    assert "stands twice" in chunk.errors[1]
    assert "not an object: [1, 2]" in chunk.errors[2]
    for wrong in ("stands twice", "not an object"):
        kept = [line for line in lines if wrong != "not an object" or '"n"' not in line]
        content = "\n".join(kept) if name == "a.jsonl" else f"[{', '.join(kept)}]"
        with pytest.raises(DataError, match=wrong):
            opened(tmp_path / name, content, strict=True)


def test_what_stands_in_a_broken_line_is_kept(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.jsonl", '{"text": "a"}\nso it goes\n{"text": "b"}\n')
    (chunk,) = table.chunks()
    assert chunk.errors[1].endswith("so it goes")


def test_lines_that_end_with_a_comma(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.jsonl", '{"text": "a"},\n{"text": "b"},\n{"text": "c"}\n')
    assert [row["text"] for row in rows_of(table)] == ["a", "b", "c"]
