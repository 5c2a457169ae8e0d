"""Tables that change, that never end, that come out of pipes, and whose fields are giant."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from emolens.cli import main
from emolens.data.readers import source as source_module
from emolens.data.readers.columns import choose_column
from emolens.data.readers.options import ReadOptions
from emolens.data.readers.table import CHUNK, MOST_BYTES
from emolens.errors import DataError
from emolens.predict.classifier import Classifier
from emolens.predict.tables import predict_table
from emolens.study import Run
from tests.tables import open_table

ROWS = 3 * CHUNK
_LINES = dict.fromkeys((".jsonl", ".ndjson"), '{{"text": "{}"}}\n')


@pytest.fixture(scope="module")
def classifier(tiny_run: Run) -> Classifier:
    return Classifier(tiny_run.folder / "model", precision="fp32")


def write(path: Path, start: int, stop: int) -> Path:
    """Rows of a text, in the format of the ending."""
    texts = [f"i am happy {i}" for i in range(start, stop)]
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"text": texts}), path, row_group_size=CHUNK)
    elif path.suffix in (".arrow", ".feather"):
        pyarrow.feather.write_feather(
            pa.table({"text": texts}), path, compression="uncompressed", chunksize=CHUNK
        )
    else:
        line = _LINES.get(path.suffix, "{}\n").format
        header = "text\n" if path.suffix in (".csv", ".tsv") else ""
        path.write_text(header + "".join(map(line, texts)), "utf-8")
    return path


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"text": "new", "more": 1}\n' if path.suffix == ".jsonl" else b"new, or not\n")


def replaced(path: Path) -> None:
    write(path.with_name(f"other{path.suffix}"), 7, 7 + ROWS).replace(path)


def deleted(path: Path) -> None:
    path.unlink()


def touched(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(path.read_bytes()[:100])
    os.utime(path, ns=(1, 1))


CHANGES = (truncated, emptied, grown, replaced, deleted, touched)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt", ".jsonl", ".parquet", ".arrow"])
def test_a_table_that_changes_while_it_is_read_is_an_error(
    classifier: Classifier, tmp_path: Path, ending: str, change: Callable[[Path], None]
) -> None:
    path = write(tmp_path / f"in{ending}", 0, ROWS)
    target = tmp_path / "out.parquet"
    seen: list[int] = []

    def progress(done: int, total: int | None) -> None:
        seen.append(done)
        if len(seen) == 1:
            change(path)

    with pytest.raises(DataError, match=r"in\.\w+ changed while it was read\.") as caught:
        predict_table(classifier, path, target, progress=progress)
    assert caught.value.hint
    assert not target.exists()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet", ".feather"])
def test_a_second_pass_reads_what_the_first_did(
    tmp_path: Path, ending: str, change: Callable[[Path], None]
) -> None:
    path = write(tmp_path / f"in{ending}", 0, ROWS)
    table = open_table(path, labelled=False)
    assert sum(map(len, table.chunks())) == sum(map(len, table.chunks())) == ROWS
    change(path)
    with pytest.raises(DataError, match="changed while it was read"):
        list(table.chunks())


def test_a_table_that_grows_while_it_is_written_to_is_no_traceback(tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", 0, ROWS)
    stop = threading.Event()

    def append() -> None:
        while not stop.is_set():
            grown(path)

    writer = threading.Thread(target=append)
    writer.start()
    try:
        with pytest.raises(DataError, match="changed"):
            for _ in range(1_000):  # on a busy machine the writer may pause
                list(open_table(path, labelled=False).chunks())
    finally:
        stop.set()
        writer.join()


# --- giant fields ---


def giant(path: Path, size: int) -> Path:
    """A table whose third row has a text of `size` bytes."""
    text = "a" * size
    if path.suffix in (".parquet", ".arrow"):
        table = pa.table({"text": pa.array(["x", "y", text, "z"], pa.large_string())})
        write_one = pq.write_table if path.suffix == ".parquet" else pyarrow.feather.write_feather
        write_one(table, path)
    else:
        line = _LINES.get(path.suffix, "{}\n").format
        path.write_text(("" if path.suffix in (".jsonl", ".txt") else "text\n") + line("x"))
        with path.open("a") as file:
            file.writelines(map(line, ("y", text, "z")))
    return path


@pytest.mark.parametrize(
    ("ending", "place"),
    [
        *((".csv", "line 4"), (".tsv", "line 4"), (".txt", "line 3"), (".jsonl", "line 3")),
        *((".parquet", "row 3"), (".arrow", "row 3")),
    ],
)
def test_a_field_over_100_megabytes_is_refused_with_its_place(
    tmp_path: Path, ending: str, place: str
) -> None:
    path = giant(tmp_path / f"in{ending}", MOST_BYTES + 1)
    with pytest.raises(DataError, match=rf"{place}: .* more than 100 MB"):
        list(open_table(path, labelled=False).chunks())
    path = giant(tmp_path / f"in{ending}", MOST_BYTES // 2)
    assert [len(r["text"]) for c in open_table(path, labelled=False).chunks() for r in c.rows] == [
        *(1, 1, MOST_BYTES // 2, 1)
    ]


@pytest.mark.parametrize("start", ["text\nfine\n", 'text\nfine\n"never closed\n'])
@pytest.mark.parametrize("ending", [".csv", ".txt", ".jsonl"])
def test_a_line_without_an_end_is_not_read_to_its_end(
    tmp_path: Path, ending: str, start: str
) -> None:
    path = tmp_path / f"in{ending}"
    path.write_text('{"text": "fine"}\n' * 3 if ending == ".jsonl" else start)
    os.truncate(path, 3_000_000_000)
    limits = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000,) * 2)\n"
    code = (
        f"{limits}from emolens.data.readers.open import open_table, source_of\n"
        f"with source_of({str(path)!r}) as source:\n"
        "    list(open_table(source, labelled=False).chunks())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert f"in{ending} is not a text file" in last


def test_a_quote_that_is_never_closed_ends_at_100_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    many = ("many words " * 90 + "\n") * 110_000
    path.write_text("text\n" + "fine\n" * 2_000 + '"never closed\n' + many)
    with pytest.raises(DataError, match=r"line 2002: a field has more than 100 MB") as caught:
        list(open_table(path, labelled=False).chunks())
    assert "quote" in caught.value.hint


def test_a_quote_among_the_first_rows_that_is_never_closed_is_a_sign(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text('text\nfine\n"never closed\n' + "many words\n" * 50_000)
    table = open_table(path, labelled=False)
    assert sum(map(len, table.chunks())) == 50_002
    assert any("plain signs" in note.text for note in table.notes)


def test_rows_of_many_megabytes_are_read_one_at_a_time(tmp_path: Path) -> None:
    for ending in (".csv", ".jsonl", ".parquet", ".arrow"):
        path = giant(tmp_path / f"in{ending}", 20_000_000)
        sizes = [len(chunk) for chunk in open_table(path, labelled=False).chunks()]
        assert sum(sizes) == 4
        assert max(sizes) <= 3


# --- pipes, stdout, and a table in the place of a text ---

Emolens = Callable[..., tuple[int, bytes, str]]


@pytest.fixture
def emolens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Emolens]:
    """Run a command with its own folder for temporary files, which is empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    def call(*arguments: object, stdin: bytes | None = b"") -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "argv", ["emolens", *map(str, arguments)])
        stream = None if stdin is None else io.TextIOWrapper(io.BytesIO(stdin))
        monkeypatch.setattr(sys, "stdin", stream)
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfdbinary.readouterr()
        return int(ended.value.code or 0), out, err.decode()

    yield call
    assert list(folder.iterdir()) == []


FORMATS_READ = ("csv", "tsv", "txt", "jsonl", "ndjson", "parquet", "arrow", "feather")


def bytes_of(folder: Path, name: str) -> bytes:
    return write(folder / f"given.{name}", 0, 5).read_bytes()


@pytest.mark.parametrize("name", FORMATS_READ)
def test_a_table_from_stdin_goes_to_stdout(
    emolens: Emolens, tiny_run: Run, tmp_path: Path, name: str
) -> None:
    model = ("--model", tiny_run.folder / "model")
    content = bytes_of(tmp_path, name)
    code, out, err = emolens("predict", "--input", "-", "--format", name, *model, stdin=content)
    assert (code, "5 rows" in err) == (0, True), err
    written = tmp_path / "written"
    assert emolens("predict", tmp_path / f"given.{name}", *model)[0] == 0
    beside = next(path for path in tmp_path.glob("given-emotions.*"))
    if beside.suffix == ".parquet":
        written.write_bytes(out)
        assert pq.read_table(written) == pq.read_table(beside)
    elif beside.suffix in (".arrow", ".feather"):
        written.write_bytes(out)
        assert pyarrow.feather.read_table(written) == pyarrow.feather.read_table(beside)
    else:
        assert out == beside.read_bytes()


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet", "arrow"])
def test_a_pipe_with_a_name_is_read(
    emolens: Emolens, tiny_run: Run, tmp_path: Path, name: str
) -> None:
    content = bytes_of(tmp_path, name)
    pipe = tmp_path / f"pipe.{name}"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[content])
    writer.start()
    target = tmp_path / "out.jsonl"
    code, out, err = emolens(
        *("predict", "--input", pipe, "--out", target, "--model", tiny_run.folder / "model")
    )
    writer.join()
    assert (code, out.decode()) == (0, f"{target}\n"), err
    assert target.read_text().count("\n") == 5


def test_an_open_descriptor_is_read(emolens: Emolens, tiny_run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "in.csv", 0, 5)
    with path.open("rb") as file:
        given = ("--input", f"/dev/fd/{file.fileno()}", "--format", "csv")
        code, out, _ = emolens("predict", *given, "--model", tiny_run.folder / "model")
    assert (code, out.count(b"\n")) == (0, 6)


def test_encode_reads_and_writes_pipes(
    emolens: Emolens, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = ("--format", "csv", "--encoder", tiny_encoder)
    code, out, err = emolens("encode", "-", *options, stdin=bytes_of(tmp_path, "csv"))
    assert code == 0, err
    assert pq.read_table(pa.BufferReader(out)).num_rows == 5


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["predict", "--input", "-", "--format", "cvs"], b"text\na\n", "Did you mean 'csv'?"),
        (["predict", "--input", "-", "--format", "csv"], b"", "stdin is empty"),
        (["predict", "--input", "-", "--format", "csv"], None, "stdin can't be read: it is closed"),
        (
            ["predict", "--input", "-", "--encoding", "utf-8", "--strict"],
            b"text\n\xff\n",
            "stdin, line 2: byte",
        ),
        (["predict", "--input", "-", "--format", "parquet"], b"text\na\n", "stdin is not a read"),
        (["predict", "--input", "/dev/null", "--format", "csv"], b"", "/dev/null is empty"),
        (["predict", "-", "--format", "csv"], b"text\na\n", "--input - --format csv"),
        (["inspect", "-"], b"text\na\n", "a pipe"),
        (["inspect", "/dev/stdin"], b"text\na\n", "a pipe"),
        (["run", "--dataset", "-"], b"text\na\n", "a pipe"),
    ],
)
def test_a_pipe_that_can_not_be_read_is_a_sentence(
    emolens: Emolens, tiny_run: Run, arguments: list[str], stdin: bytes | None, says: str
) -> None:
    model = ["--model", str(tiny_run.folder / "model")] if arguments[0] == "predict" else []
    code, out, err = emolens(*arguments, *model, stdin=stdin)
    assert code
    assert out == b""
    assert says in err
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize("name", ["in.csv", "My Comments.TSV", "in.jsonl", "in.txt", "in.parquet"])
def test_a_table_in_the_place_of_a_text_is_read_and_said(
    emolens: Emolens, tiny_run: Run, tmp_path: Path, name: str
) -> None:
    path = write(tmp_path / Path(name).with_suffix(Path(name).suffix.lower()), 0, 5)
    path = path.rename(tmp_path / name)
    model = ("--model", tiny_run.folder / "model")
    code, out, err = emolens("predict", path, *model)
    assert code == 0, err
    assert err.startswith(f"{path} is read as a table.")
    assert Path(out.decode().strip()).stem == f"{path.stem}-emotions"
    for others in (["so happy"], [path], ["-"]):
        code, out, err = emolens("predict", path, *others, *model)
        assert (code, out) == (2, b"")
        assert f"{path} is a table" in err


@pytest.mark.parametrize("name", ["in.html", "in", "folder"])
def test_any_other_file_in_the_place_of_a_text_is_a_text_and_said(
    emolens: Emolens, tiny_run: Run, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.mkdir() if name == "folder" else path.write_text("text\nhappy\nsad\n")
    model = ("--model", tiny_run.folder / "model")
    code, out, err = emolens("predict", path, *model)
    assert (code, bool(out)) == (0, True)
    assert f"There is a file or folder {path}, but this is read as a text." in err
    if name != "folder":
        code, out, err = emolens("predict", path, "--format", "csv", "--out", "-", *model)
        assert (code, out.count(b"\n")) == (0, 3), err


def test_a_pipe_in_the_place_of_a_text_is_a_table(
    emolens: Emolens, tiny_run: Run, tmp_path: Path
) -> None:
    path = write(tmp_path / "in.csv", 0, 5)
    model = ("--model", tiny_run.folder / "model")
    with path.open("rb") as file:
        given = f"/dev/fd/{file.fileno()}"
        code, out, err = emolens("predict", given, *model)
    assert (code, out.count(b"\n")) == (0, 6), err


@pytest.mark.parametrize("limit", ["stated", "half of the disk"])
@pytest.mark.parametrize("given", ["/dev/zero", "-"])
def test_a_stream_without_an_end_does_not_fill_the_disk(
    emolens: Emolens, monkeypatch: pytest.MonkeyPatch, given: str, limit: str
) -> None:
    if limit == "stated":
        most = "20 MB"
        monkeypatch.setattr(source_module, "MOST_COPIED", 20_000_000)
    else:
        most = "half of the free space in "
        usage = shutil.disk_usage(".")._replace(free=40_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    stdin = b"\0" * 30_000_000
    code, out, err = emolens("encode", given, "--format", "csv", stdin=stdin)
    assert (code, out, len(err.splitlines())) == (1, b"", 2)
    assert f"{'stdin' if given == '-' else given} gives more than {most}" in err


def test_lines_without_an_end_do_not_fill_the_memory(emolens: Emolens, tiny_run: Run) -> None:
    model = ("--model", tiny_run.folder / "model")
    code, out, err = emolens("predict", "-", *model, stdin=b"y\n" * 4_000_000)
    assert (code, out, len(err.splitlines())) == (1, b"", 2)
    assert "stdin gives more than 3,0" in err


@pytest.mark.parametrize("options", [[], ["--format", "csv"]])
@pytest.mark.parametrize("name", ["folder", "folder.csv"])
def test_a_folder_in_the_place_of_a_table_names_its_tables(
    emolens: Emolens, tmp_path: Path, name: str, options: list[str]
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    for command in (["predict", "--input"], ["encode"]):
        code, _, err = emolens(*command, folder, *options)
        assert (code, len(err.splitlines())) == (1, 2)
        assert f"{folder} is a folder" in err
        assert "It holds no table." in err
    path = write(folder / "in.csv", 0, 5)
    code, _, err = emolens("encode", folder, *options)
    assert err.splitlines()[1] == f"Hint:  Give one of its tables: {path}"


def test_a_giant_line_of_stdin_is_refused_or_shown_in_time(emolens: Emolens, tiny_run: Run) -> None:
    model = ("--model", tiny_run.folder / "model")
    code, out, err = emolens("predict", "-", *model, stdin=b"ok\n" + b"x" * 100_000_001)
    assert (code, out, "stdin, line 2: the line has more than 100 MB" in err) == (1, b"", True)
    start = time.monotonic()
    code, out, err = emolens("predict", "-", *model, stdin=b"so sad " * 2_000_000)
    assert (code, len(out) < 10_000) == (0, True), err
    assert time.monotonic() - start < 10


def test_dev_stdout_is_stdout(emolens: Emolens, tiny_run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "in.csv", 0, 5)
    model = ("--model", tiny_run.folder / "model")
    whole = emolens("predict", path, "--out", "-", *model)
    assert emolens("predict", path, "--out", "/dev/stdout", *model) == whole
    assert whole[0] == 0


@pytest.mark.parametrize("text", ["commnets.csv", "no/such/place.tsv", "a" * 5000 + ".csv"])
def test_the_name_of_a_table_that_does_not_exist_is_a_text_and_said(
    emolens: Emolens, tiny_run: Run, text: str
) -> None:
    code, out, err = emolens("predict", text, "--model", tiny_run.folder / "model")
    assert (code, text[:50].encode() in out) == (0, True)
    assert "so this is read as a text" in " ".join(err.split())


def test_an_error_leaves_nothing_on_stdout(emolens: Emolens, tiny_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,text\n" + "1,happy\n" * 5_000 + "1,too,many\n")
    model = ("--model", tiny_run.folder / "model")
    code, out, err = emolens("predict", path, "--out", "-", "--strict", *model)
    assert (code, out) == (1, b"")
    assert "line 5002" in err


# --- wide tables, and rows that are not what they seem ---


def wide(path: Path, n: int) -> Path:
    """Two rows with n columns; in a CSV, half of the columns have no name."""
    if path.suffix == ".parquet":
        names = [*(f"c{i}" for i in range(n - 1)), "text"]
        pq.write_table(pa.table([pa.array(["happy", "sad"])] * n, names=names), path)
    elif path.suffix == ".jsonl":
        path.write_text((json.dumps({f"c{i}": i for i in range(n)} | {"text": "sad"}) + "\n") * 2)
    else:
        names = [f"c{i}" if i % 2 else "" for i in range(n - 1)]
        row = ",".join(["x"] * (n - 1))
        path.write_text(",".join(names) + ",text\n" + f"{row},sad\n" * 2)
    return path


@pytest.mark.parametrize(
    ("ending", "n"), [(".csv", 200_000), (".jsonl", 200_000), (".parquet", 3_000)]
)
def test_a_wide_table_takes_time_in_proportion(
    classifier: Classifier, tmp_path: Path, ending: str, n: int
) -> None:
    """With time in proportion to the square, 200,000 columns would take minutes."""
    path = wide(tmp_path / f"in{ending}", n)
    started = time.process_time()
    assert predict_table(classifier, path, tmp_path / f"out{ending}").rows == 2
    assert time.process_time() - started < 12


@pytest.mark.soak
@pytest.mark.parametrize(
    ("ending", "n"), [(".csv", 1_000_000), (".jsonl", 1_000_000), (".parquet", 100_000)]
)
def test_a_million_columns(classifier: Classifier, tmp_path: Path, ending: str, n: int) -> None:
    path = wide(tmp_path / f"in{ending}", n)
    started = time.process_time()
    assert predict_table(classifier, path, tmp_path / f"out{ending}").rows == 2
    assert time.process_time() - started < 20


def test_a_hint_about_a_wide_table_is_short(tmp_path: Path) -> None:
    table = open_table(wide(tmp_path / "in.csv", 100_000), labelled=True)
    for wanted, role in ((None, "label"), ("txet", "text"), ("c7x", "text")):
        with pytest.raises(DataError) as caught:
            choose_column(table, role, wanted)  # type: ignore[arg-type]
        assert len(caught.value.hint) < 300
        assert "and 99,988 more" in caught.value.hint
    assert "Did you mean 'c" in caught.value.hint


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"text": "a", "text": "b"}', "the name 'text' stands twice"),
        ('{"text": "a", "more": {"b": 1, "b": 2}}', "the name 'b' stands twice"),
        ('{"text": "a", "n": ' + "7" * 100_000 + "}", "more than 4,300 digits"),
        ('{"text": ' + "[" * 1_000_000 + "}", "not JSON"),
        ('{"text": "a", "n": ' + '{"x":' * 1_000_000 + "1}", "not JSON"),
        ('{"text": "a\\ud800"}', "half of a character"),
    ],
)
def test_json_that_is_ambiguous_or_hostile_is_named_by_its_line(
    tmp_path: Path, row: str, says: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "fine"}\n' + row + "\n", "utf-8")
    with pytest.raises(DataError, match="line 2: ") as caught:
        list(open_table(path, labelled=False, options=ReadOptions(strict=True)).chunks())
    assert says in str(caught.value)
