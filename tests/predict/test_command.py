"""The command `emolens predict` on tables, as users type it."""

from __future__ import annotations

import csv
import gzip
import io
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from emolens.cli import main
from emolens.study import Run
from tests.conftest import ROOT

Command = Callable[..., tuple[int, bytes, str]]


@pytest.fixture
def predict(
    tiny_run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
) -> Command:
    """Run the command in tmp_path; its exit code, its stdout, and its stderr as text."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        model = ["--model", str(tiny_run.folder / "model")]
        monkeypatch.setattr(sys, "argv", ["emolens", "predict", *arguments, *model])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfdbinary.readouterr()
        return int(ended.value.code or 0), out, err.decode()

    return call


def rows_of(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def test_a_hint_about_taken_names_works_as_it_stands(predict: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,emotion\nso sad,joy\n")
    code, _, err = predict("--input", "t.csv")
    assert (code, "already has a column 'emotion'" in err) == (1, True)
    hint = err.split("--prefix ")[1].split()[0]
    assert predict("--input", "t.csv", *shlex.split(f"--prefix {hint}"))[:2] == (
        0,
        b"t-emotions.csv\n",
    )
    (row,) = rows_of(tmp_path / "t-emotions.csv")
    assert list(row)[:3] == ["text", "emotion", f"{hint}emotion"]
    assert row["emotion"] == "joy"


def test_the_command_that_checks_the_answers_can_be_typed(
    predict: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "my table.csv").write_text("my text,id\nso sad,1\nso glad,2\n")
    err = predict("--input", "my table.csv", "--text", "my text")[2]
    assert "What was found in 2 texts" in err
    words = shlex.split(err.split("by hand: ")[1])
    assert words[:5] == ["emolens", "check", "my table.csv", "--text", "my text"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert (tmp_path / "my table-check.xlsx").is_file()


def test_a_table_can_be_predicted_again_and_this_is_said(predict: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text\nso sad\n")
    assert "predicted before" not in predict("--input", "t.csv")[2]
    code, out, err = predict("--input", "t-emotions.csv")
    assert (code, out) == (0, b"t-emotions-emotions.csv\n")
    assert "Note: The table has been predicted before" in err
    again = (tmp_path / "t-emotions-emotions.csv").read_bytes()
    assert again == (tmp_path / "t-emotions.csv").read_bytes()


def test_rows_that_cannot_be_read_are_kept_counted_and_refused_if_strict(
    predict: Command, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_bytes(
        "\n".join(["text", *["happy café"] * 300, "bad "]).encode() + b"\xe9\n"
    )
    code, _, err = predict("--input", "t.csv")
    assert code == 0
    assert "Note: 1 row could not be read as written, and gets no answer" in err
    last = rows_of(tmp_path / "t-emotions.csv", "utf-8-sig")[-1]
    assert "0xe9" in last["error"]
    assert last["emotion"] == ""
    code, _, err = predict("--input", "t.csv", "--strict", "--out", "other.csv")
    assert (code, "0xe9" in err) == (1, True)
    assert not (tmp_path / "other.csv").exists()


def test_the_encoding_is_said_and_excel_can_read_the_answers(
    predict: Command, tmp_path: Path
) -> None:
    text = "text;n\r\nIch hätte gern größere Räume;1\r\n"
    (tmp_path / "t.csv").write_bytes(text.encode("utf-16"))
    code, _, err = predict("--input", "t.csv")
    assert code == 0
    assert "Note: t.csv has the encoding UTF-16." in err
    written = (tmp_path / "t-emotions.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbftext;n;emotion;")
    assert "größere" in written.decode("utf-8")


def test_a_compressed_table_gives_a_compressed_one_and_stdout_plain_text(
    predict: Command, tmp_path: Path
) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"text\nso sad\n"))
    assert predict("--input", "t.csv.gz")[:2] == (0, b"t-emotions.csv.gz\n")
    plain = gzip.decompress((tmp_path / "t-emotions.csv.gz").read_bytes())
    assert plain.startswith(b"text,emotion,")
    assert predict("--input", "t.csv.gz", "--out", "-")[:2] == (0, plain)


@pytest.mark.parametrize(
    ("arguments", "sentence", "hint"),
    [
        (("--input", "t.csv", "--safe-csv", "--out", "o.json"), "is neither", "Leave it out"),
        (("--input", "t.csv", "--out", "o.xls"), "ending is not known", ".xlsx"),
        (("so sad", "--prefix", "new_"), "need --input", "Leave them out"),
        (("so sad", "--safe-csv"), "need --input", "Leave them out"),
    ],
)
def test_misuse_is_a_sentence_and_a_hint(
    predict: Command, tmp_path: Path, arguments: tuple[str, ...], sentence: str, hint: str
) -> None:
    (tmp_path / "t.csv").write_text("text\nso sad\n")
    code, out, err = predict(*arguments)
    assert (code, out) == (2, b"")
    assert sentence in err.splitlines()[0]
    assert hint in err.splitlines()[1]


def test_the_help_explains_safe_csv(predict: Command) -> None:
    help_text = " ".join(predict("--help")[1].decode().split())
    assert "Excel would run it as a formula" in help_text


README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    re.findall(r"^emolens predict --input (\S+\.(?:csv|xlsx)\b.*?)(?:  +#.*)?$", README, re.M),
)
def test_the_commands_of_the_readme_run(predict: Command, tmp_path: Path, line: str) -> None:
    words = shlex.split(line)
    column = words[words.index("--text") + 1] if "--text" in words else "comment"
    name = tmp_path / words[0]
    if name.suffix == ".xlsx":
        book = xlsxwriter.Workbook(name)
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", column])
        sheet.write_row(1, 0, [1, "so sad"])
        book.close()
    else:
        name.write_text(f"id;{column};worst\n1;so sad;nothing\n", encoding="utf-8")
    code, out, err = predict("--input", *words)
    assert code == 0, err
    assert out.decode().strip() == f"{name.stem}-emotions{name.suffix}"
    assert "Note: 1 row: " in err


def test_typed_texts_are_compared_with_those_of_the_training_too(predict: Command) -> None:
    code, _, err = predict(*["so happy " * 200] * 12)
    assert code == 0, err
    assert "12 of 12 texts are unlike those that the model was trained on (12 longer)" in err
