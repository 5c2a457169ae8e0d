"""The endings of tables and of files that hold one. Looks at names only, and opens no file."""

from __future__ import annotations

from pathlib import Path

# The endings of tables, and their formats.
ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "txt",
    ".vw": "txt",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".pqt": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
    ".xlsb": "xlsb",
    ".ods": "ods",
}
# The endings of files that hold another file.
PACKED = {".gz": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst", ".zip": "zip"}


def is_table(path: Path) -> bool:
    """Whether the ending says that this is a table, perhaps a compressed one."""
    ending = path.suffix.lower()
    if ending in PACKED:
        return not path.stem.lower().endswith(".tar")
    return ending in ENDINGS


def stem_of(path: Path) -> str:
    """The name of a table without its endings: 'train' of train.csv.gz."""
    if path.suffix.lower() in PACKED:
        path = path.with_suffix("")
    return path.stem if path.suffix.lower() in ENDINGS else path.name
