"""The writers of predictions, by the ending of the new file.

A new format needs a class like those of the other modules, and one line in WRITERS.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO, cast

from emolens.errors import UsageError
from emolens.predict.writers.arrow import Arrow, Feather, Parquet
from emolens.predict.writers.excel import Excel
from emolens.predict.writers.layout import Layout, Writer
from emolens.predict.writers.text import Delimited, JsonArray, JsonLines

WRITERS: dict[str, Callable[[Layout], Writer]] = {
    ".csv": Delimited,
    ".tsv": Delimited,
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".json": JsonArray,
    ".parquet": Parquet,
    ".arrow": Arrow,
    ".feather": Feather,
    ".xlsx": Excel,
}
DELIMITED = (".csv", ".tsv")
TEXTS = (*DELIMITED, ".jsonl", ".ndjson", ".json")
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_PACKED = (*COMPRESSED, ".zip")


def ending_of(target: Path) -> tuple[str, str]:
    """The ending that names the format, and that of the compression or ''.

    Raises UsageError for a format that can't be written.
    """
    name, compression = target.name.lower(), ""
    if (last := Path(name).suffix) in _PACKED:
        name, compression = name.removesuffix(last), last
    ending = Path(name).suffix
    if ending not in (TEXTS if compression else WRITERS):
        raise UsageError(
            f"emolens can't write {target}: its ending is not known here.",
            hint=f"Known endings: {', '.join(WRITERS)}; {', '.join(TEXTS)} may be followed by"
            f" {', '.join(_PACKED)}.",
        )
    return ending, compression


@contextlib.contextmanager
def compressing(file: BinaryIO, target: Path) -> Iterator[BinaryIO]:
    """What to write to instead of `file`. The compressed bytes don't depend on the time."""
    _, compression = ending_of(target)
    if not compression:
        yield file
    elif compression == ".zip":
        entry = zipfile.ZipInfo(target.stem)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive = zipfile.ZipFile(file, "w")
        with archive, archive.open(entry, "w", force_zip64=True) as compressed:
            yield cast("BinaryIO", compressed)
    else:
        with _compressor(file, compression) as compressed:
            yield cast("BinaryIO", compressed)


def _compressor(file: BinaryIO, compression: str) -> Any:
    if compression == ".gz":
        import gzip

        return gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0)
    if compression == ".bz2":
        import bz2

        return bz2.BZ2File(file, "wb")
    if compression == ".xz":
        import lzma

        return lzma.LZMAFile(file, "wb")
    import pyarrow as pa

    # Arrow closes what it writes to; `file` must stay open.
    kept_open = SimpleNamespace(
        write=file.write, flush=file.flush, close=lambda: None, closed=False
    )
    return pa.CompressedOutputStream(pa.PythonFile(kept_open, "w"), "zstd")
