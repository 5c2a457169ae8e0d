"""Tables in every way that people and programs write them: delimiters, quotes, headers, .txt."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.readers.columns import choose_column
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.table import Table
from emolens.errors import DataError, UsageError
from tests.tables import open_table

WORDS = ("parcel", "meeting", "garden", "train", "ticket", "bridge", "notebook", "ladder")
FEELINGS = {"joy": "I am so glad about the {} today", "anger": "I am furious about the {} again"}
ROWS = [(text.format(word), label) for word in WORDS for label, text in FEELINGS.items()]


def opened(path: Path, content: str, *, labelled: bool = True, **options: Any) -> Table:
    path.write_bytes(content.encode("utf-8"))
    return open_table(path, labelled=labelled, options=ReadOptions(**options))


def rows(table: Table) -> list[list[Any]]:
    return [[row[name] for name in table.columns] for chunk in table.chunks() for row in chunk.rows]


def numbers(table: Table) -> list[int]:
    return [number for chunk in table.chunks() for number in chunk.numbers]


def errors(table: Table) -> dict[int, str]:
    return {chunk.numbers[i]: why for chunk in table.chunks() for i, why in chunk.errors.items()}


def notes(table: Table, code: str = "R03") -> list[str]:
    return [str(note) for note in table.notes if note.code == code]


def written(given: Sequence[Sequence[str]], **dialect: Any) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, **dialect).writerows(given)
    return file.getvalue()


# --- delimiters ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", ":", "\x01"])
@pytest.mark.parametrize("header", [("text", "label"), ("What, in your words?", "One; only")])
def test_the_delimiter_is_the_sign_that_all_rows_have(
    tmp_path: Path, delimiter: str, header: tuple[str, str]
) -> None:
    content = (
        written([header, *ROWS], delimiter=delimiter, quoting=csv.QUOTE_NONE, quotechar=None)
        if delimiter not in "".join(header)
        else written([header, *ROWS], delimiter=delimiter)
    )
    table = opened(tmp_path / "a.csv", content)
    assert (table.titles, table.delimiter) == (header, delimiter)
    assert rows(table) == list(map(list, ROWS))
    assert bool(notes(table)) == (delimiter not in ",;\t|")  # a rare sign is a guess, and said


def test_delimiters_inside_texts_and_headers_are_none(tmp_path: Path) -> None:
    table = opened(
        tmp_path / "a.csv",
        "Time;Tell us, in your own words, how you feel\n" + "x;I am glad\nx;I am sad, so sad\n" * 5,
    )
    assert table.titles == ("Time", "Tell us, in your own words, how you feel")
    one = opened(tmp_path / "b.csv", "text\nfine, and you\nfine\nso, so, so\nwell; fine\n")
    assert rows(one) == [["fine, and you"], ["fine"], ["so, so, so"], ["well; fine"]]
    assert one.delimiter == ","  # to write it again


def test_a_sign_that_all_texts_hold_is_no_delimiter(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.csv", "text\nwell, yes\nno, no\nso, so\noh, no\n")
    assert rows(table) == [["well, yes"], ["no, no"], ["so, so"], ["oh, no"]]
    times = "".join(f"2019-01-0{i} 10:30:00 I am glad\n" for i in range(1, 5))
    assert rows(opened(tmp_path / "b.csv", times)) == [[line] for line in times.splitlines()]


def test_a_tsv_may_hold_commas_and_may_be_none(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.tsv", "text\tlabel\na, b, c\tjoy\nd, e, f\tjoy\n")
    assert rows(table) == [["a, b, c", "joy"], ["d, e, f", "joy"]]
    table = opened(tmp_path / "b.tsv", "text,label\na,joy\nb,joy\n")
    assert rows(table) == [["a", "joy"], ["b", "joy"]]


def test_a_named_delimiter_is_used(tmp_path: Path) -> None:
    content = "text;a,label;b\nx;y,joy;fear\nx;y,joy;fear\n"
    for name, sign in (("semicolon", ";"), ("comma", ","), (",", ",")):
        table = opened(tmp_path / "a.csv", content, delimiter=name)
        assert table.titles == tuple(content.splitlines()[0].split(sign))
    tabs = opened(tmp_path / "b.csv", "text\tlabel,x\na\tb,c\n", delimiter="tab")
    assert tabs.titles == ("text", "label,x")
    with pytest.raises(UsageError, match="'and' is not a delimiter") as caught:
        opened(tmp_path / "a.csv", content, delimiter="and")
    assert "tab" in caught.value.hint


def test_a_line_for_excel_names_the_delimiter(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.csv", "sep=;\r\ntext;label\r\na,b;joy\r\n")
    assert table.titles == ("text", "label")
    assert (rows(table), numbers(table)) == ([["a,b", "joy"]], [3])


def test_two_delimiters_that_fit_are_said(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.csv", "text;a,label\n" + "fine, x;b\n" * 9)
    (note,) = notes(table)
    assert "--delimiter comma" in note or "--delimiter semicolon" in note


# --- quotes ---


def test_a_quote_that_opens_no_field_swallows_no_rows(tmp_path: Path) -> None:
    lines = [f"{text}\t{label}\n" for text, label in ROWS]
    lines[3] = '"' + lines[3]
    lines[9] = lines[9].replace("\t", ' she said"\t')
    table = opened(tmp_path / "a.tsv", "text\tlabel\n" + "".join(lines))
    assert len(rows(table)) == len(ROWS)
    assert rows(table)[3] == ['"' + ROWS[3][0], ROWS[3][1]]
    assert any("plain signs" in note for note in notes(table))


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_such_a_quote_far_behind_the_first_rows(tmp_path: Path, delimiter: str) -> None:
    lines = [f"{text}{delimiter}{label}\n" for text, label in ROWS * 100]
    lines[1_400] = '"' + lines[1_400]
    lines[1_409] = lines[1_409].replace(delimiter, '"' + delimiter)
    lines[1_500] = '"' + lines[1_500]  # and one that is never closed
    table = opened(tmp_path / "a.csv", f"text{delimiter}label\n" + "".join(lines))
    got = rows(table)
    assert len(got) == len(lines)
    assert [len(text.split()) for text, _ in got] == [len(t.split()) for t, _ in ROWS * 100]
    assert not errors(table)


def test_fields_of_several_lines_stay_whole(tmp_path: Path) -> None:
    given = [("two\nlines, here", "joy"), ("a", "joy"), ("b, c\nd, e", "anger"), ("x\n\ny", "joy")]
    table = opened(tmp_path / "a.csv", written([("text", "label"), *given]))
    assert rows(table) == list(map(list, given))
    assert numbers(table) == [2, 4, 5, 7]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('"a" b,joy', ['"a" b', "joy"]),
        ('she said "no",joy', ['she said "no"', "joy"]),
        ('"she said "no" to me, again",joy', ['she said "no" to me, again', "joy"]),
        (r'"she said \"no, no\" to me",joy', ['she said "no, no" to me', "joy"]),
        ('"a, b" ,joy', ["a, b", "joy"]),
        ('joy, "a, b"', ["joy", "a, b"]),
        ('"never closed,joy', ['"never closed', "joy"]),
        ('"a "" b",joy', ['a " b', "joy"]),
        (r"C:\new\table,joy", [r"C:\new\table", "joy"]),
    ],
)
def test_a_row_with_wrong_quotes_is_repaired(tmp_path: Path, line: str, wanted: list[str]) -> None:
    good = [f"{text},{label}" for text, label in ROWS]
    table = opened(tmp_path / "a.csv", "\n".join(["text,label", *good, line, *good]))
    got = rows(table)
    assert len(got) == 2 * len(ROWS) + 1
    assert got[len(ROWS)] == wanted
    assert got[-1] == list(ROWS[-1])
    assert not errors(table)


def test_backslashes_and_spaces_around_quotes_are_ways_of_writing(tmp_path: Path) -> None:
    lines = [
        rf'"she said \"{text}\", or {i}\\2 C:\new",{label}' for i, (text, label) in enumerate(ROWS)
    ]
    table = opened(tmp_path / "a.csv", "\n".join(["text,label", *lines]))
    assert rows(table)[1][0] == rf'she said "{ROWS[1][0]}", or 1\2 C:\new'
    assert len(rows(table)) == len(ROWS)
    lines = [f'{label}, "{text}, or so" , 1' for text, label in ROWS]
    table = opened(tmp_path / "b.csv", "\n".join(["label, text, n", *lines]))
    assert rows(table) == [[label, f"{text}, or so", "1"] for text, label in ROWS]
    assert choose_column(table, "text") == "text"


# --- rows of another length ---


def test_a_ragged_row_keeps_what_fits_and_names_the_rest(tmp_path: Path) -> None:
    content = "id,text\n1,a\n2,well, that was unexpected\n3\n4,b,,\n\n   \n,\n5,c\n"
    table = opened(tmp_path / "a.csv", content)
    assert rows(table) == [["1", "a"], ["2", "well"], ["3", ""], ["4", "b"], ["", ""], ["5", "c"]]
    assert errors(table) == {
        3: "line 3: 3 fields where the header has 2; left out: that was unexpected",
        4: "line 4: 1 field where the header has 2",
    }
    with pytest.raises(DataError, match=r"a\.csv, line 3: 3 fields where the header has 2"):
        rows(opened(tmp_path / "a.csv", content, strict=True))


def test_columns_of_one_name_are_all_kept(tmp_path: Path) -> None:
    content = "text,label,label,,\nI am glad,joy,fear,x,y\n"
    table = opened(tmp_path / "a.csv", content)
    assert table.titles == ("text", "label", "label", "", "")
    assert table.columns == ("text", "label_1", "label_2", "column_4", "column_5")
    assert rows(table) == [["I am glad", "joy", "fear", "x", "y"]]
    assert choose_column(table, "text") == "text"
    assert choose_column(table, "label", "label_2") == "label_2"
    for wanted in (None, "label"):
        with pytest.raises(DataError, match="2 columns 'label'") as caught:
            choose_column(table, "label", wanted)
        assert "--label label_1" in caught.value.hint


# --- headers ---

HEADERLESS = {
    "two columns": [[text, label] for text, label in ROWS],
    "ids": [[f"ed{i:05}", text, label] for i, (text, label) in enumerate(ROWS)],
    "numbers": [[str(i), text, label, f"0.{i}"] for i, (text, label) in enumerate(ROWS)],
    "label sets": [[text, f"{i % 3},{7 + i % 2}"] for i, (text, _) in enumerate(ROWS)],
    "texts": [[text] for text, _ in ROWS],
}


@pytest.mark.parametrize("kind", HEADERLESS)
def test_a_first_row_of_data_is_no_header(tmp_path: Path, kind: str) -> None:
    given = HEADERLESS[kind]
    for options in ({}, {"header": False}):
        table = opened(tmp_path / "a.csv", written(given), **options)
        assert table.columns == tuple(str(i + 1) for i in range(len(given[0])))
        assert rows(table) == given
        assert "no header" in notes(table)[0]
        assert ("--header" in notes(table)[0]) == (not options)
        assert rows(table)[0][int(choose_column(table, "text")) - 1] == ROWS[0][0]
        if kind != "texts":
            assert choose_column(table, "label") in ("2", "3")
    forced = opened(tmp_path / "a.csv", written(given), header=True)
    assert forced.titles == tuple(given[0])


@pytest.mark.parametrize(
    "header",
    [
        ["text", "label"],
        ["SIT", "Field1"],
        ["What did you feel, in your own words?", "Which emotion?"],
        ["utterance", "feeling"],
    ],
)
def test_names_of_columns_are_a_header(tmp_path: Path, header: list[str]) -> None:
    table = opened(tmp_path / "a.csv", written([header, *ROWS]))
    assert table.titles == tuple(header)
    assert not notes(table)


def test_rows_that_are_no_data_are_skipped_after_the_header_or_before_it(tmp_path: Path) -> None:
    after = [["ResponseId", "Q1", "Q2"], ["Response ID", "How?", "Which?"], ["{1}", "{2}", "{3}"]]
    data = [[f"R_{i}", text, label] for i, (text, label) in enumerate(ROWS)]
    table = opened(tmp_path / "a.csv", written([*after, *data]), skip_rows=2)
    assert (table.titles, rows(table)) == (("ResponseId", "Q1", "Q2"), data)
    before = [["Survey of today", "", ""], ["made by", "us", "2024"], ["id", "text", "label"]]
    table = opened(tmp_path / "b.csv", written([*before, *data]), skip_rows=2)
    assert (table.titles, rows(table)) == (("id", "text", "label"), data)
    table = opened(tmp_path / "c.csv", written([["x", "y", "z"], *data]), skip_rows=1, header=False)
    assert (table.titles, rows(table)) == (("1", "2", "3"), data)
    with pytest.raises(DataError, match="has only"):
        opened(tmp_path / "a.csv", written([*after, *data]), skip_rows=99)


def test_titles_before_the_header_are_left_out_and_said(tmp_path: Path) -> None:
    data = written([["id", "text", "label"], *([i, *row] for i, row in enumerate(ROWS))])
    table = opened(tmp_path / "a.csv", "Survey of today\r\n\r\n" + data)
    assert table.titles == ("id", "text", "label")
    assert len(rows(table)) == len(ROWS)
    assert "line 3" in notes(table)[-1]
    table = opened(tmp_path / "b.csv", "# made by us\n# today\ntext,label\na b,joy\nc d,fear\n")
    assert rows(table) == [["a b", "joy"], ["c d", "fear"]]


def test_row_names_of_r_have_a_column_without_a_title(tmp_path: Path) -> None:
    given = [[str(i), text, label] for i, (text, label) in enumerate(ROWS)]
    table = opened(tmp_path / "a.csv", "text,label\n" + written(given))
    assert table.titles == ("", "text", "label")
    assert rows(table) == given
    assert notes(table) == [
        f"The rows of {tmp_path / 'a.csv'} have one field more than its header."
        " The first field is taken for the name of the row."
    ]


def test_a_text_with_a_comma_is_no_name_of_a_row(tmp_path: Path) -> None:
    lines = [f"{text}, yes,{label}" for text, label in ROWS]
    table = opened(tmp_path / "a.csv", "\n".join(["text,label", *lines]))
    assert table.titles == ("text", "label")
    assert errors(table)[2] == "line 2: 3 fields where the header has 2; left out: joy"
    assert len(errors(table)) == len(ROWS)


# --- .txt ---


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("delimiter", ["\t", ",", "|", ";"])
def test_a_txt_with_a_header_is_a_table_for_both_uses(
    tmp_path: Path, labelled: bool, delimiter: str
) -> None:
    lines = [f"{text}{delimiter}{label}" for text, label in ROWS]
    content = "\n".join([f"text{delimiter}label", *lines])
    table = opened(tmp_path / "a.txt", content, labelled=labelled)
    assert table.titles == ("text", "label")
    assert rows(table) == list(map(list, ROWS))


@pytest.mark.parametrize("labelled", [True, False])
def test_a_txt_with_tabs_is_a_table(tmp_path: Path, labelled: bool) -> None:
    given = [[str(i), text, label, f"0.{i}"] for i, (text, label) in enumerate(ROWS)]
    table = opened(tmp_path / "a.txt", written(given, delimiter="\t"), labelled=labelled)
    assert rows(table) == given
    assert choose_column(table, "text") == "2"
    assert choose_column(table, "label") == "3"


def test_lines_of_texts_and_labels(tmp_path: Path) -> None:
    content = "one; two;joy\n\nno label here\n;\nthree;fear\n"
    table = opened(tmp_path / "a.txt", content)
    assert rows(table) == [["one; two", "joy"], ["no label here", ""], ["", ""], ["three", "fear"]]
    assert errors(table) == {3: "line 3: there is no ';' between a text and its label"}
    with pytest.raises(DataError, match="line 3: there is no ';'"):
        rows(opened(tmp_path / "a.txt", content, strict=True))
    commas = "".join(f"{text},{label}\n" for text, label in ROWS)
    assert rows(opened(tmp_path / "b.txt", commas)) == list(map(list, ROWS))


def test_each_line_of_a_txt_without_labels_is_a_row(tmp_path: Path) -> None:
    content = "I am glad\n\n\nI am sad\n   \nI am cross\n"
    table = opened(tmp_path / "a.txt", content, labelled=False)
    assert [row[0] for row in rows(table)] == content.splitlines()
    table = opened(tmp_path / "a.txt", "a\tb\nc\td\n", labelled=False, delimiter="none")
    assert rows(table) == [["a\tb"], ["c\td"]]
    table = opened(tmp_path / "a.txt", "text\na\nb\n", labelled=False, header=True)
    assert rows(table) == [["a"], ["b"]]


# --- what is written is read ---

CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"), max_size=12
) | st.text('ab ,;\t|"\n', max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    table=st.integers(2, 4).flatmap(
        lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=3, max_size=8)
    ),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_any_cells_that_python_writes_are_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[list[str]],
    delimiter: str,
    quoting: Any,
    end: str,
    encoding: str,
) -> None:
    header = ["text", "label", "id", "n"][: len(table[0])]
    content = written([header, *table], delimiter=delimiter, quoting=quoting, lineterminator=end)
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content.encode(encoding))
    read = open_table(path, labelled=True, options=ReadOptions(delimiter=delimiter))
    assert rows(read) == table
    assert not errors(read)


@pytest.mark.parametrize(
    "row",
    [[",,\n", "", "\n,,"], ["a", "b,\n,,\n,", "c"]],
    ids=["two fields", "one field"],
)
def test_a_field_may_have_as_many_delimiters_in_each_line_as_rows_have(
    tmp_path: Path, row: list[str]
) -> None:
    content = written([["text", "label", "id"], ["so", "joy", "1"], row])
    assert rows(opened(tmp_path / "a.csv", content))[1] == row


@pytest.mark.parametrize("sign", ["||", "::", "\t\t", "|||", "~~"])
def test_a_delimiter_of_several_signs(tmp_path: Path, sign: str) -> None:
    rows = [["text", "label"], ["so glad", "joy"], ["low: so | low", "sadness"], ["well", "joy"]]
    content = "".join(f"{sign.join(row)}\n" for row in rows)
    content += f'"both {sign} here"{sign}joy\n'
    wanted = [*rows[1:], [f"both {sign} here", "joy"]]
    for option in (None, sign, sign.replace("\t", "\\t")):
        table = opened(tmp_path / "a.csv", content, delimiter=option)
        assert [list(row.values()) for chunk in table.chunks() for row in chunk.rows] == wanted
        assert table.delimiter == ","


def test_a_column_that_is_always_empty_is_no_delimiter_of_several_signs(tmp_path: Path) -> None:
    content = "id|text||label\n1|so glad||joy\n2|so low||sadness\n3|well||joy\n"
    table = opened(tmp_path / "a.csv", content)
    assert table.titles == ("id", "text", "", "label")


def test_fields_in_single_quotes(tmp_path: Path) -> None:
    content = "'text','label'\n'well, I am','joy'\n'it''s low','sadness'\n'one','joy'\n"
    table = opened(tmp_path / "a.csv", content)
    assert [note.text for note in table.notes if "Single quotes" in note.text]
    assert [row["text"] for chunk in table.chunks() for row in chunk.rows] == [
        "well, I am", "it's low", "one",
    ]  # fmt: skip


def test_apostrophes_are_no_quotes_around_fields(tmp_path: Path) -> None:
    rows = ["'tis fine,joy", "the dogs',joy", "it's 'so' low,sadness", "'one' and 'two',joy"]
    table = opened(tmp_path / "a.csv", "text,label\n" + "".join(f"{row}\n" for row in rows))
    assert [row["text"] for chunk in table.chunks() for row in chunk.rows] == [
        row.rpartition(",")[0] for row in rows
    ]


def test_a_quote_in_a_table_with_two_columns_and_tabs_swallows_no_rows(tmp_path: Path) -> None:
    content = 'id\ttext\n1\t"so it goes\n2\tb\n3\tc"\n4\td\n5\te\n'
    table = opened(tmp_path / "a.tsv", content)
    assert [row["id"] for row in rows_of(table)] == ["1", "2", "3", "4", "5"]


def test_equal_fields_of_two_lines_stay_whole(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.csv", "text,label\n" + ",\n" * 4 + '"so,\nwell",\n' * 2)
    assert rows(table)[4:] == [["so,\nwell", ""]] * 2


def test_a_field_of_more_lines_than_are_looked_at(tmp_path: Path) -> None:
    text = "x\n" * 2_000
    table = opened(tmp_path / "a.csv", f'id,text\n1,"{text}"\n2,b\n')
    assert [row["text"] for row in rows_of(table)] == [text, "b"]


def test_a_table_that_r_writes(tmp_path: Path) -> None:
    rows = (f'"{i}" "I am, well" "joy" 3\n"{i + 1}" "so low" "fear" NA\n' for i in (1, 3, 5))
    content = '"text" "label" "n"\n' + "".join(rows)
    for name, labelled in (("a.txt", True), ("b.txt", False), ("c.csv", True)):
        (tmp_path / name).write_text(content)
        table = open_table(tmp_path / name, labelled=labelled)
        assert table.titles == ("", "text", "label", "n")
        assert rows_of(table)[0]["text"] == "I am, well"


def test_a_sign_in_the_header_comes_before_one_that_only_texts_have(tmp_path: Path) -> None:
    content = "id~text~label\n" + "1~I am glad, yes~joy\n2~well, no~fear\n" * 5
    assert opened(tmp_path / "a.csv", content).titles == ("id", "text", "label")


def test_a_text_file_is_the_same_table_with_and_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text^label\n" + "I am glad^joy\nso low^fear\n" * 5)
    for labelled in (True, False):
        assert open_table(path, labelled=labelled).titles == ("text", "label")


def test_texts_that_look_like_a_table_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"{n} |text so glad\n" for n in range(5)))
    table = open_table(path, labelled=False)
    assert table.columns == ("text",)
    assert "pipe stands in each" in table.notes[0].text
    assert "--delimiter pipe" in table.notes[0].hint


def test_lines_of_fasttext(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("__label__joy so glad\n__label__joy __label__love so, so glad\n")
    for labelled in (True, False):
        table = open_table(path, labelled=labelled)
        assert rows_of(table) == [
            {"text": "so glad", "label": "joy"},
            {"text": "so, so glad", "label": ["joy", "love"]},
        ]
        assert "fastText" in table.notes[0].text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.txt", "so {} __label__{}"),
        ("a.csv", "__label__{1} , so {0}"),
        ("a.csv", "__label__{1}, so {0}"),
    ],
)
def test_labels_of_fasttext_may_stand_behind_the_text(tmp_path: Path, name: str, line: str) -> None:
    pairs = [("glad, at last", "joy"), ("low", "sadness")]
    (tmp_path / name).write_text("".join(f"{line.format(*pair)}\n" for pair in pairs))
    table = open_table(tmp_path / name, labelled=True)
    assert rows_of(table) == [{"text": f"so {words}", "label": label} for words, label in pairs]


@pytest.mark.parametrize("line", ["{} | so {}", "{} |text so {}", "{} 0.5 'a1|w so {} |n len:2.0"])
def test_lines_of_vowpal_wabbit(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.vw"
    words = ["glad", "low", "glad today"]
    path.write_text("".join(f"{line.format(i % 2 - 1, w)}\n" for i, w in enumerate(words)))
    for labelled in (True, False):
        table = open_table(path, labelled=labelled)
        expected = [{"text": f"so {w}", "label": str(i % 2 - 1)} for i, w in enumerate(words)]
        assert rows_of(table) == expected
        assert "Vowpal Wabbit" in table.notes[0].text
        assert ("not read" in table.notes[0].text) == ("len" in line)


@pytest.mark.parametrize(
    "content",
    [
        "1|so glad\n2|very low\n1|so angry\n",  # no space behind the sign
        "1 | so glad\n2 | very low\n3 | so angry\n",  # each row has another number
        "label | text\n1 | so glad\n" + "2 | very low\n" * 20,
        "1 | so glad | a\n2 | very low | b\n1 | so angry | c\n",
    ],
)
def test_a_table_with_pipes_is_not_one_of_vowpal_wabbit(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.txt").write_text(content)
    table = open_table(tmp_path / "a.txt", labelled=True)
    assert table.delimiter == "|"


@pytest.mark.parametrize("header", ["in,out\ntext,label\n", ",in,out\n,text,label\n"])
def test_the_header_of_pandas_may_have_groups(tmp_path: Path, header: str) -> None:
    index = header.startswith(",")
    rows = [(f"I am so and so {i}", ("joy", "fear")[i % 2]) for i in range(8)]
    lines = [
        f"{i},{text},{label}" if index else f"{text},{label}"
        for i, (text, label) in enumerate(rows)
    ]
    table = opened(tmp_path / "a.csv", header + "\n".join(lines) + "\n")
    assert [(row["text"], row["label"]) for row in rows_of(table)] == rows
    assert "named in" in table.notes[0].text


def test_the_second_header_of_surveymonkey_is_said(tmp_path: Path) -> None:
    header = "ID,Your day?,Which?,,\n,Open-Ended Response,joy,fear,anger\n"
    rows = [f"{i},I am so and so {i},{('joy,,', ',fear,', ',,anger')[i % 3]}\n" for i in range(9)]
    table = opened(tmp_path / "a.csv", header + "".join(rows))
    assert "line 2 looks like a second header" in table.notes[0].text


def test_a_column_whose_name_has_signs_around_it(tmp_path: Path) -> None:
    for name in ("#text", "Text\u200b", "\ufefftext", "\xa0text "):
        table = opened(tmp_path / "a.csv", f"{name},label\nso glad,joy\nso low,fear\n")
        assert choose_column(table, "text") == table.columns[0]


def test_no_doubt_about_a_delimiter_that_the_user_named(tmp_path: Path) -> None:
    content = "text^label\n" + "I am glad^joy\nso low^fear\n" * 5
    assert opened(tmp_path / "a.csv", content).notes
    assert not opened(tmp_path / "a.csv", content, delimiter="^").notes


def rows_of(table: Table) -> list[dict[str, Any]]:
    return [row for chunk in table.chunks() for row in chunk.rows]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ('"text,label"', '"{},{}"'),
        ('"text,""label"""', '"{},""{}"""'),
        ("text,label;;;", "{},{};;;"),
        ("text;label,,", "{};{},,"),
        ("text,label", '"{},{}"'),
    ],
)
def test_whole_lines_in_single_cells_are_cut_again(tmp_path: Path, header: str, row: str) -> None:
    lines = [header, *(row.format(*each) for each in ROWS)]
    table = opened(tmp_path / "a.csv", "\n".join(lines))
    assert table.columns == ("text", "label")
    assert rows(table) == list(map(list, ROWS))
    assert notes(table) == [
        f"{tmp_path / 'a.csv'} holds whole lines in single cells. Each of them is cut again."
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_with_all_fields_in_quotes_is_cut_once(tmp_path: Path, sign: str) -> None:
    given = [["text", "label"], *map(list, ROWS)]
    content = written(given, delimiter=sign, quoting=csv.QUOTE_ALL)
    table = opened(tmp_path / "a.csv", content)
    assert rows(table) == given[1:]
    assert not notes(table)
    empty = [["text", "label"], *([text, ""] for text, _ in ROWS)]
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL):
        content = written(empty, delimiter=sign, quoting=quoting)
        assert rows(opened(tmp_path / "b.csv", content)) == empty[1:]


@pytest.mark.parametrize(
    ("border", "header", "row"),
    [
        ("+----+-------+", "| text | label |", "| {} | {} |"),  # MySQL
        ("|---|:--|", "| text | label |", "| {} | {} |"),  # Markdown
        ("------+-------", " text | label", " {} | {}"),  # psql
    ],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_the_borders_of_a_drawn_table_are_left_out(
    tmp_path: Path, border: str, header: str, row: str, labelled: bool
) -> None:
    lines = [header, border, *(row.format(*each) for each in ROWS)]
    lines = [border, *lines, border] if border.startswith("+") else lines
    table = opened(tmp_path / "a.txt", "\n".join(lines), labelled=labelled)
    assert table.columns == ("text", "label")
    assert rows(table) == list(map(list, ROWS))
    assert notes(table) == [f"{tmp_path / 'a.txt'} is a drawn table. Its borders are left out."]


@pytest.mark.parametrize("header", ["id,text,,,", "text,,,"])
def test_empty_names_behind_the_header(tmp_path: Path, header: str) -> None:
    n = header.rstrip(",").count(",") + 1
    given = [[str(place), text][-n:] for place, (text, _) in enumerate(ROWS)]
    table = opened(tmp_path / "a.csv", header + "\n" + written(given), labelled=False)
    assert table.columns == ("id", "text")[-n:]
    assert rows(table) == given
    assert not errors(table)
    (left,) = notes(table, "R05")
    assert left.endswith("ends with 3 empty names. No row has such columns.")


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("filled", [0, 3])
def test_a_last_column_that_is_hardly_filled(tmp_path: Path, sign: str, filled: int) -> None:
    full = [[*row, "so"] for row in ROWS[:filled]]
    content = written([["text", "label", "note"], *full, *ROWS[filled:]], delimiter=sign)
    table = opened(tmp_path / "a.csv", content)
    assert rows(table) == [*full, *([*row, ""] for row in ROWS[filled:])]
    assert not errors(table)
    assert notes(table, "R05") == [
        f"Most rows of {tmp_path / 'a.csv'} have 2 fields, and its header has 3 names. The columns"
        " behind are empty in these rows."
    ]


@pytest.mark.parametrize("first", ["", "id"])
def test_a_header_of_numbers_that_pandas_writes(tmp_path: Path, first: str) -> None:
    header = ",0,1" if first else "0,1"
    given = [[*([str(place)] if first else []), *row] for place, row in enumerate(ROWS)]
    table = opened(tmp_path / "a.csv", header + "\n" + written(given))
    assert table.usual == {"text": "0", "label": "1"}
    assert rows(table) == given
    assert "the texts are in column 0 and the labels are in column 1" in notes(table)[-1]


def test_spaces_between_a_quote_and_the_delimiter(tmp_path: Path) -> None:
    lines = ["text , label", *(f'"{text}, so" , {label}' for text, label in ROWS)]
    table = opened(tmp_path / "a.csv", "\n".join(lines))
    assert rows(table) == [[f"{text}, so", label] for text, label in ROWS]


def test_the_hint_of_a_short_row_is_not_about_quotes(tmp_path: Path) -> None:
    lines = ["text,label", *(f"{text},{label}" for text, label in ROWS)]
    for row, hint in (("so glad", "Correct this line"), ("so, glad, joy", "Put a text")):
        table = opened(tmp_path / "a.csv", "\n".join([*lines, row]), strict=True)
        with pytest.raises(DataError) as stopped:
            rows(table)
        assert stopped.value.hint.startswith(hint)


def test_a_damaged_header_is_said(tmp_path: Path) -> None:
    lines = [b"text,label,caf\xe9", *[f"{text},{label},\u00e9".encode() for text, label in ROWS]]
    (tmp_path / "a.csv").write_bytes(b"\n".join(lines))
    table = open_table(tmp_path / "a.csv", labelled=True)
    assert "line 1: byte 0xe9 is not UTF-8." in notes(table, "R02")[0]
    assert not errors(table)


def test_the_mark_of_dos_at_the_end_is_no_row(tmp_path: Path) -> None:
    assert len(rows(opened(tmp_path / "a.csv", "text,label\r\nso glad,joy\r\n\x1a"))) == 1


def test_fields_that_excel_shall_leave_as_they_are(tmp_path: Path) -> None:
    content = '="text",="label"\n="so glad, yes",="joy"\n="so low",="fear"\n'
    table = opened(tmp_path / "a.csv", content)
    assert rows_of(table) == [
        {"text": "so glad, yes", "label": "joy"}, {"text": "so low", "label": "fear"},
    ]  # fmt: skip
    assert any('="…"' in note.text for note in table.notes)


def test_titles_with_the_commas_of_the_table(tmp_path: Path) -> None:
    content = "Survey 2024,,\nExported by,Bob,\n,,\nid,text,label\n1,so glad,joy\n2,so low,fear\n"
    table = opened(tmp_path / "a.csv", content)
    assert table.titles == ("id", "text", "label")
    assert "line 4" in table.notes[0].text


def test_a_second_header_is_named(tmp_path: Path) -> None:
    import_ids = ",".join(f'"{{""ImportId"":""Q{n}""}}"' for n in (1, 2))
    rows = "".join(f"I am so glad about day {n},joy\nso low,fear\n" for n in range(5))
    table = opened(tmp_path / "a.csv", f"text,label\n{import_ids}\n{rows}")
    (note,) = table.notes
    assert "line 2 looks like a second header" in note.text
    assert not opened(tmp_path / "a.csv", f"text,label\n{rows}").notes
