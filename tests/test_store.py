from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emolens import store
from emolens.errors import StorageError
from emolens.output import sha256

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=15,
)  # fmt: skip
ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.int8, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@settings(max_examples=40, deadline=None)
@given(value=JSON)
def test_json_comes_back_as_it_was(place: Path, value: object) -> None:
    store.save_json(place / "a.json", value)
    assert store.load_json(place / "a.json") == value


def test_json_is_utf8_and_has_no_nan(tmp_path: Path) -> None:
    store.save_json(tmp_path / "a.json", {"text": "naïve 😀"})
    assert "naïve 😀" in (tmp_path / "a.json").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.save_json(tmp_path / "a.json", {"loss": float("nan")})
    assert store.load_json(tmp_path / "a.json") == {"text": "naïve 😀"}


@settings(max_examples=40, deadline=None)
@given(arrays=st.dictionaries(st.text("abc", min_size=1), ARRAYS, max_size=3))
def test_arrays_come_back_as_they_were(place: Path, arrays: dict[str, np.ndarray]) -> None:
    turned = {name: array.T for name, array in arrays.items()}  # not contiguous
    store.save_arrays(place / "a.safetensors", turned, about="a test")
    loaded = store.load_arrays(place / "a.safetensors")
    assert loaded.keys() == turned.keys()
    for name, array in turned.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array, strict=True)


def test_tables_come_back_as_they_were(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", None, "ü"], "row": [1, 2, 3]})
    store.save_table(tmp_path / "a.parquet", table)
    assert store.load_table(tmp_path / "a.parquet").equals(table)


LOADERS = [
    ("a.json", store.load_json),
    ("a.safetensors", store.load_arrays),
    ("a.parquet", store.load_table),
]


@pytest.mark.parametrize(("name", "load"), LOADERS)
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe damaged", b"PAR1" * 3])
def test_a_damaged_file_is_a_storage_error(
    tmp_path: Path, name: str, load: object, content: bytes | None
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        load(path)  # type: ignore[operator]
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_an_array_file_that_was_cut_off_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    store.save_arrays(path, {"x": np.arange(100.0)})
    whole = path.read_bytes()
    for size in (4, 40, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(StorageError, match=r"a\.safetensors can't be read"):
            store.load_arrays(path)


def test_a_place_that_can_not_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="can't be written") as caught:
        store.save_text(tmp_path / "file" / "a.txt", "x")
    assert "--out" in caught.value.hint


# A limit on the size of files is an EFBIG of the real system, and needs no privileges.
FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np, pyarrow as pa, safetensors.numpy
from emolens import output, store
from emolens.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
place, big = Path(sys.argv[1]), np.random.default_rng(0).random(20_000)
def folder():
    with output.staged(place / "model") as fresh:
        safetensors.numpy.save_file({"x": big}, fresh / "model.safetensors")
writes = [
    lambda: store.save_arrays(place / "a", {"x": big}),
    lambda: store.save_table(place / "a", pa.table({"x": big})),
    lambda: store.save_json(place / "a", big.tolist()),
    folder,
]
for write in writes:
    try:
        write()
    except StorageError as error:
        print(error)
"""


def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path: Path) -> None:
    store.save_text(tmp_path / "a", "old")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    process = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert process.stderr == ""
    file = f"The disk is full: {tmp_path / 'a'} was not written."
    folder_ = f"The disk is full: {tmp_path / 'model'} was not written."
    assert process.stdout.splitlines() == [file, file, file, folder_]
    assert names_in(tmp_path) == ["a", "model"]
    assert (tmp_path / "a").read_text() == "old"
    assert names_in(tmp_path / "model") == ["old"]


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    store.save_text(small_disk / "a", "old")
    big = np.arange(50_000.0)
    with pytest.raises(StorageError, match="The disk is full") as caught:
        store.save_arrays(small_disk / "a", {"x": big})
    assert "Free some space" in caught.value.hint
    with pytest.raises(StorageError, match="The disk is full"):
        store.save_table(small_disk / "a", pa.table({"x": np.random.default_rng(0).random(50_000)}))
    assert names_in(small_disk) == ["a"]
    assert (small_disk / "a").read_text() == "old"


@settings(max_examples=60, deadline=None)
@given(one=JSON, other=JSON)
def test_fingerprints_of_json_agree_as_its_text_does(one: object, other: object) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (store.fingerprint(one) == store.fingerprint(other)) == same


@settings(max_examples=60, deadline=None)
@given(array=ARRAYS)
def test_fingerprints_of_arrays_see_values_type_and_shape(array: np.ndarray) -> None:
    whole = store.fingerprint(array)
    assert store.fingerprint(np.array(array, order="F")) == whole
    assert store.fingerprint(array[None]) != whole
    assert store.fingerprint(array.astype(np.complex128)) != whole
    if array.size:
        changed = array.copy()
        changed.flat[-1] = not changed.flat[-1]
        assert store.fingerprint(changed) != whole


def test_fingerprints_see_order_and_where_a_value_ends() -> None:
    different = [("ab", "c"), ("a", "bc"), ("c", "ab"), ("abc",), ("ab", "c", None), (["ab", "c"],)]
    assert len({store.fingerprint(*values) for values in different}) == len(different)
    assert store.fingerprint({"a": 1, "b": 2}) == store.fingerprint({"b": 2, "a": 1})


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf8f01cfea414140de5dae2223")
