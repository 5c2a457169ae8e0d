"""The encoding of a file is found by all its bytes; what can't be decoded is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolens.data.readers.options import ReadOptions
from emolens.data.readers.table import Table
from emolens.errors import DataError, UsageError
from tests.tables import open_table

AS_FOUND = ReadOptions()
# By language, its usual code pages, and texts that people could write.
TEXTS = {
    "French": ("cp1252 mac_roman cp850", ["très déjà vu à la café", "C'est très bien, je suis là"]),
    "Western": (
        "cp1252",
        ["I felt – “déjà vu” über café", "It’s so sad…", "£50 wasted", "très", "1½ cups, ½ off"],
    ),
    "German": ("cp1252", ["Ich fühle mich großartig, wirklich schön", "Müller"]),
    "Spanish": ("cp1252", ["¿Por qué? El niño está feliz mañana", "señor"]),
    "Portuguese": ("cp1252", ["Não sei o que fazer, São Paulo é lindo"]),
    "Nordic": (
        "cp1252",
        ["Där är så många människor, jag är rädd", "Jeg er så glad, det er så fint"],
    ),
    "Polish": (
        "cp1250 iso8859_2",
        ["Cieszę się, że mogę tu być", "Nie wiem, dlaczego jesteś wściekły"],
    ),
    "Czech": ("cp1250 iso8859_2", ["Jsem velmi šťastný, že tě vidím, žádný strach"]),
    "Hungarian": ("cp1250", ["örülök, hogy eljöttél hozzánk, félek a jövőtől"]),
    "Russian": ("cp1251 koi8_r cp866", ["Сегодня было очень весело", "Ненавижу понедельники!"]),
    "Ukrainian": ("cp1251", ["Я дуже радий тебе бачити сьогодні, їхати сумно"]),
    "Greek": ("cp1253 iso8859_7", ["Είμαι πολύ χαρούμενος σήμερα"]),
    "Turkish": (
        "cp1254",
        ["Bugün çok mutluyum, seni gördüğüme sevindim", "Seni seviyorum, varsın"],
    ),
    "Hebrew": ("cp1255", ["אני שמח מאוד היום"]),
    "Arabic": ("cp1256", ["أنا سعيد جدا اليوم"]),
    "Lithuanian": ("cp1257", ["Kodėl tu pyksti ant manęs, aš liūdnas"]),
    "Thai": ("cp874", ["วันนี้ฉันมีความสุขมาก"]),
    "Japanese": ("cp932 euc_jp", ["今日はとても嬉しいです", "昨日のコンサートは最高だった！"]),
    "Chinese": ("gb18030", ["我今天非常高兴见到你", "这太可怕了"]),
    "Taiwanese": ("big5", ["今天天氣真好，我很開心"]),
    "Korean": ("cp949", ["오늘 정말 기뻐요", "나는 슬프고 무서워요"]),
}
CASES = [
    (page, text) for pages, texts in TEXTS.values() for page in pages.split() for text in texts
]
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")


def opened(path: Path, content: str | bytes, options: ReadOptions = AS_FOUND) -> Table:
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return open_table(path, labelled=True, options=options)


def texts(table: Table) -> list[str]:
    return [row["text"] for chunk in table.chunks() for row in chunk.rows]


def errors(table: Table) -> dict[int, str]:
    return {chunk.numbers[i]: why for chunk in table.chunks() for i, why in chunk.errors.items()}


@pytest.mark.parametrize(("page", "text"), CASES)
@pytest.mark.parametrize("n", [1, 200])
def test_a_code_page_is_recognised_by_few_letters(
    tmp_path: Path, page: str, text: str, n: int
) -> None:
    table = opened(tmp_path / "a.csv", ("text,label\r\n" + f'"{text}",joy\r\n' * n).encode(page))
    assert texts(table) == [text] * n
    (note,) = table.notes
    assert note.code == "R02"
    assert "is not UTF-8" in note.text
    assert "--encoding" in note.hint


def test_letters_far_behind_the_start_decide(tmp_path: Path) -> None:
    rows = "so glad,joy\n" * 20_000 + "très déjà vu,joy\n" + "so glad,joy\n" * 20_000
    table = opened(tmp_path / "a.csv", f"text,label\n{rows}".encode("cp1252"))
    assert texts(table)[20_000] == "très déjà vu"


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("ending", [".csv", ".txt", ".jsonl"])
@pytest.mark.parametrize("text", ["plain", "café 😀", "今日は", "Привет"])
def test_unicode_is_read_with_a_mark_and_without(
    tmp_path: Path, encoding: str, ending: str, text: str
) -> None:
    line = {".csv": f"{text},joy", ".txt": f"{text};joy"}.get(
        ending, f'{{"text": "{text}", "label": "joy"}}'
    )
    header = "text,label\n" if ending == ".csv" else ""
    table = opened(tmp_path / f"a{ending}", f"{header}{line}\n{line}\n".encode(encoding))
    assert texts(table) == [text, text]
    notes = [note.text for note in table.notes if note.code == "R02"]
    assert len(notes) == (0 if encoding.startswith("utf-8") else 1)
    assert table.needs_mark == (encoding != "utf-8")


def test_a_byte_of_another_encoding_is_named_and_spoils_no_other_row(tmp_path: Path) -> None:
    rows = [f"“déjà vu” {i},joy\n".encode() for i in range(60)]
    rows[31] = b"d\xe9j\xe0 vu 31,joy\n"
    table = opened(tmp_path / "a.csv", b"text,label\n" + b"".join(rows))
    wanted = [f"“déjà vu” {i}" for i in range(60)]
    wanted[31] = "d\ufffdj\ufffd vu 31"
    assert texts(table) == wanted
    assert errors(table) == {33: "line 33: byte 0xe9 is not UTF-8"}


def test_rows_pasted_from_a_table_of_another_encoding_are_named(tmp_path: Path) -> None:
    rows = [f"déjà vu {i},joy\n" for i in range(60)]
    pasted = range(0, 60, 4)
    raw = [row.encode("cp1252" if i in pasted else "utf-8") for i, row in enumerate(rows)]
    table = opened(tmp_path / "a.csv", b"text,label\n" + b"".join(raw))
    assert list(errors(table)) == [i + 2 for i in pasted]
    assert [t for t in texts(table) if "\ufffd" not in t] == [
        f"déjà vu {i}" for i in range(60) if i not in pasted
    ]


def test_a_damaged_line_inside_a_long_record_belongs_to_the_record(tmp_path: Path) -> None:
    content = 'text,label\n"first\nsécond é é é é é é é é é é\nthird",joy\nlast,joy\n'.encode()
    table = opened(tmp_path / "a.csv", content.replace(b"s\xc3\xa9c", b"s\xffc"))
    assert errors(table) == {2: "line 3: byte 0xff is not UTF-8"}
    assert texts(table)[1] == "last"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"text,label\nfine and well,joy\na\x00b and more,joy\nfine,joy\n"),
        ("a.txt", b"\nfine and well;joy\na\x00b and more;joy\nfine;joy\n"),
        ("a.jsonl", b'\n{"text": "fine and well"}\n{"text": "a\x00b and more"}\n{"text": "fine"}'),
    ],
)
def test_a_nul_byte_damages_its_row_only(tmp_path: Path, name: str, content: bytes) -> None:
    table = opened(tmp_path / name, content)
    assert texts(table) == ["fine and well", "a\ufffdb and more", "fine"]
    assert list(errors(table)) == [3]
    assert "NUL" in errors(table)[3]


def test_strict_refuses_a_damaged_row(tmp_path: Path) -> None:
    content = "text,label\né é é é é é é é é é é é,joy\n".encode() + b"caf\xe9,joy\n"
    with pytest.raises(DataError, match=r"a\.csv, line 3: byte 0xe9 is not UTF-8") as caught:
        texts(opened(tmp_path / "a.csv", content, ReadOptions(strict=True)))
    assert "--encoding" in caught.value.hint


def test_a_named_encoding_is_used_without_a_look_at_the_file(tmp_path: Path) -> None:
    content = "text,label\nkávé,joy\n".encode("cp1250")
    table = opened(tmp_path / "a.csv", content, ReadOptions(encoding="mac_roman"))
    assert texts(table) == [content.splitlines()[1].decode("mac_roman").removesuffix(",joy")]
    assert not table.notes
    table = opened(tmp_path / "a.csv", content, ReadOptions(encoding="UTF8"))
    assert texts(table) == ["k\ufffdv\ufffd"]
    assert errors(table) == {2: "line 2: byte 0xe1 is not UTF-8"}
    with_mark = "\ufefftext,label\nkávé,joy\n".encode("utf-16-le")
    table = opened(tmp_path / "a.csv", with_mark, ReadOptions(encoding="utf-16-le"))
    assert (texts(table), table.needs_mark) == (["kávé"], True)


@pytest.mark.parametrize("encoding", ["cp1253x", "windows1252", "hex", "rot13", "", "a\0b"])
def test_an_unknown_encoding_is_refused_with_the_next_name(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(UsageError, match="no encoding") as caught:
        opened(tmp_path / "a.csv", "text,label\na,joy\n", ReadOptions(encoding=encoding))
    assert "cp1252" in caught.value.hint


def test_line_ends_that_were_written_twice_make_no_blank_rows(tmp_path: Path) -> None:
    table = opened(tmp_path / "a.csv", b"text\r\r\na\r\r\n\r\r\nb\r\r\n")
    assert texts(table) == ["a", "", "b"]
    (tmp_path / "a.txt").write_bytes(b"a\r\r\n\r\r\nb\r\r\n")
    assert texts(open_table(tmp_path / "a.txt", labelled=False)) == ["a", "", "b"]


LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(LETTERS, min_size=2, max_size=20), encoding=st.sampled_from(UNICODE[:-1]))
def test_any_text_in_unicode_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], encoding: str
) -> None:
    lines = [line.strip("\ufeff") for line in lines]
    path = tmp_path_factory.getbasetemp() / "any.txt"
    # A few Latin letters: without a mark, UTF-16 is recognised by them.
    path.write_bytes("".join(f"{line}\n" for line in ["latin letters", *lines]).encode(encoding))
    assert texts(open_table(path, labelled=False)) == ["latin letters", *lines]


def test_the_encoding_of_japanese_mails(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\n嬉しい、とても,joy\n悲しい,sadness\n".encode("iso2022_jp"))
    table = open_table(path, labelled=True)
    assert [row["text"] for chunk in table.chunks() for row in chunk.rows] == [
        "嬉しい、とても", "悲しい",
    ]  # fmt: skip
    assert "ISO-2022-JP" in table.notes[0].text


def test_the_other_encoding_has_the_same_letters(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\na café in town,joy\nso low,sadness\n".encode("cp1252"))
    hint = open_table(path, labelled=True).notes[0].hint
    assert not any(page in hint for page in ("cp874", "cp1251", "cp1253", "cp1255", "cp1256"))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("It costs 5 € a day", "iso8859_15"), ("so glad\xa0today", "cp1252")],
)
def test_one_sign_between_many_letters(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"text,label\n{text},joy\nso low and sad,fear\n".encode(encoding))
    first = next(iter(open_table(path, labelled=True).chunks())).rows[0]["text"]
    assert first.replace("¤", "€") == text
