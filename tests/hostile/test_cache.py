"""A cache that somebody else owns, damages, fills, locks away or empties: results stay right."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from emolens.encode import cache as entries
from emolens.encode.cache.size import listed, shrink
from emolens.errors import EncoderError
from emolens.temporary import is_scratch, scratch_folder
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("cache")

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4)
XML, BIN = "openvino_model.xml", "openvino_model.bin"
SOMEBODY = 54321

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has rights of another kind")
as_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can give files to another user"
)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def build(folder: Path) -> None:
    (folder / XML).write_text("a model", "utf-8")
    (folder / BIN).write_bytes(b"weights")


def load(folder: Path) -> str:
    """Fails as OpenVINO does if a file is missing."""
    try:
        return (folder / XML).read_text("utf-8") + (folder / BIN).read_text("utf-8")
    except FileNotFoundError as error:
        raise EncoderError("There is no exported model.", hint="") from error


MODEL = "a modelweights"


def kept() -> bool:
    """Whether vectors come back from the cache; the right ones, if any do."""
    found = entries.read_vectors(KEY, len(VECTORS))
    if found is not None:
        np.testing.assert_array_equal(found, VECTORS)
    return found is not None


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Rights and owners


@posix
@pytest.mark.parametrize("umask", [0o022, 0o002, 0o000, 0o077])
def test_nobody_else_can_look_into_the_cache(cache: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        entries.keep_vectors(KEY, VECTORS)
        entries.keep_refusal(KEY, "a cause")
        entries.cached_model(KEY, build, load)
    finally:
        os.umask(before)
    for path in [cache, *cache.rglob("*")]:
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


@posix
def test_a_cache_of_an_earlier_version_is_closed_to_others_and_used(cache: Path) -> None:
    entries.keep_vectors(KEY, VECTORS)
    (entry,) = cache.glob("embeddings/*")
    entry.chmod(0o644)
    for folder in (cache, entry.parent):
        folder.chmod(0o755)
    assert kept()
    assert (mode(cache), mode(entry.parent)) == (0o700, 0o700)


@posix
def test_a_folder_with_other_things_in_it_keeps_its_rights(cache: Path) -> None:
    cache.mkdir()
    (cache / "page.html").touch()
    cache.chmod(0o755)
    entries.keep_vectors(KEY, VECTORS)
    assert kept()
    assert mode(cache) == 0o755
    assert mode(cache / "embeddings") == 0o700


@posix
@pytest.mark.parametrize("rights", [0o777, 0o770, 0o1777, 0o722])
@pytest.mark.parametrize("which", [["."], ["embeddings"], [".", "embeddings", "refused"]])
def test_what_others_can_write_to_is_left_alone_until_the_hint_is_followed(
    cache: Path, rights: int, which: list[str]
) -> None:
    entries.keep_vectors(KEY, VECTORS)
    entries.keep_refusal(KEY, "a cause")
    for name in which:
        (cache / name).chmod(rights)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    with pytest.warns(UserWarning, match="is not used, because other users can write") as caught:
        assert not kept()
        assert not kept()
        entries.keep_vectors(KEY, VECTORS)
        entries.keep_vectors(OTHER, VECTORS)
        if "." in which:
            assert entries.read_refusal(KEY) is None
    assert before == {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    (message,) = [str(warning.message) for warning in caught]
    command = message.split("used it: ")[1].split(". Otherwise")[0]
    subprocess.run(command, shell=True, check=True)
    assert kept()
    assert entries.read_refusal(KEY) == "a cause"


@as_root
@pytest.mark.parametrize("which", [".", "embeddings"])
def test_a_cache_of_another_user_is_neither_read_nor_written(cache: Path, which: str) -> None:
    entries.keep_vectors(KEY, VECTORS)
    os.chown(cache / which, SOMEBODY, SOMEBODY)
    with pytest.warns(UserWarning, match="belongs to another user. Set EMOLENS_CACHE") as caught:
        assert not kept()
        entries.keep_vectors(OTHER, VECTORS)
    assert len(caught) == 1
    assert not (cache / "embeddings" / f"{OTHER}.safetensors").exists()


@as_root
def test_a_link_of_another_user_is_not_followed(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o755)
    cache.symlink_to(tmp_path / "private")
    os.lchown(cache, SOMEBODY, SOMEBODY)
    with pytest.warns(UserWarning, match="belongs to another user"):
        entries.keep_vectors(KEY, VECTORS)
    assert list((tmp_path / "private").iterdir()) == []
    assert mode(tmp_path / "private") == 0o755


@posix
def test_a_link_of_the_user_is_followed(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    cache.symlink_to("disk")
    entries.keep_vectors(KEY, VECTORS)
    assert kept()
    assert list((tmp_path / "disk").glob("embeddings/*"))
    assert cache.is_symlink()


@as_root
def test_an_entry_of_another_user_is_computed_again(cache: Path) -> None:
    entries.keep_vectors(KEY, VECTORS)
    entries.cached_model(KEY, build, load)
    os.chown(cache / "embeddings" / f"{KEY}.safetensors", SOMEBODY, SOMEBODY)
    os.chown(cache / "models" / KEY / BIN, SOMEBODY, SOMEBODY)
    with pytest.warns(UserWarning, match="is damaged") as caught:
        assert not kept()
        assert entries.cached_model(KEY, build, load) == MODEL
    assert len(caught) == 2


AS_NOBODY = """
import os, sys, warnings
import numpy as np
import safetensors.numpy
from emolens.encode import cache
warnings.simplefilter("always")
os.setegid(65534), os.seteuid(65534)
vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
for key in ("0123456789abcdef", "fedcba9876543210", "00000000000000ff"):
    found = cache.read_vectors(key, 3)
    if found is None:
        cache.keep_vectors(key, vectors)
    print("kept" if found is not None and (found == vectors).all() else "missing")
"""


def run_code(code: str, *words: str, **environment: str) -> tuple[str, list[str]]:
    """What a process prints on stdout, and its warnings."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "UserWarning" in line]


@as_root
def test_a_cache_that_root_has_filled_can_be_read_by_all(
    public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLENS_CACHE", str(public / "shared"))
    entries.keep_vectors(KEY, VECTORS)
    subprocess.run(["chmod", "-R", "a+rX", str(public)], check=True)
    before = (public / "shared/embeddings").stat().st_mtime_ns
    out, said = run_code(AS_NOBODY)
    assert out.split() == ["kept", "missing", "missing"]
    (line,) = said
    assert "Results are not kept in the cache: " in line
    assert "Permission denied" in line
    assert (public / "shared/embeddings").stat().st_mtime_ns == before


PLANTED = """
import os, shutil, sys
from pathlib import Path
from emolens.encode import cache
from tests.hostile.test_cache import KEY, MODEL, build, load
os.setegid(65534), os.seteuid(65534)
assert cache.cached_model(KEY, build, load) == MODEL
os.seteuid(0)
folder = Path(os.environ["EMOLENS_CACHE"]) / "models" / KEY
(folder / "openvino_model.xml").write_text("planted")
for path in (folder, *folder.iterdir()):
    os.chown(path, 54321, 54321)
    path.chmod(0o755)
os.seteuid(65534)
assert cache.cached_model(KEY, build, load) == MODEL
"""


@as_root
def test_a_planted_model_that_cannot_be_removed_is_not_loaded(
    public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public.chmod(0o777)
    monkeypatch.setenv("EMOLENS_CACHE", str(public / "own"))
    monkeypatch.setenv("TMPDIR", str(public))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "src")]))
    _, said = run_code(PLANTED)
    assert "is damaged" in said[0]


# Places that can't be used


def test_a_tilde_in_the_setting_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("EMOLENS_CACHE", "~/here")
    entries.keep_vectors(KEY, VECTORS)
    assert kept()
    assert list(tmp_path.glob("here/embeddings/*"))


@posix
@pytest.mark.parametrize("home", [None, "/nonexistent"])
def test_without_a_home_folder_there_is_no_cache_and_this_is_said_once(home: str | None) -> None:
    code = AS_NOBODY.replace("os.seteuid(65534)", "os.setuid(54321)")
    if os.geteuid() != 0:
        code = AS_NOBODY.replace("os.setegid(65534), os.seteuid(65534)", "pass")
        if home is None:
            pytest.skip("only root can become a user that the system does not know")
    code = "import os; os.environ.pop('HOME', None)\n" + code if home is None else code
    out, said = run_code(code, EMOLENS_CACHE="", XDG_CACHE_HOME="", HOME=home or "")
    assert out.split() == ["missing"] * 3
    (line,) = said
    assert "No cache is used, because there is no home folder. Set EMOLENS_CACHE" in line
    assert not Path("/nonexistent").exists()


def test_a_file_in_the_place_of_the_folder_is_said_once(cache: Path) -> None:
    cache.write_text("mine")
    with pytest.warns(UserWarning, match="cache is not used, because .* is not a folder") as caught:
        for key in (KEY, OTHER):
            assert entries.read_vectors(key, 3) is None
            entries.keep_vectors(key, VECTORS)
            assert entries.cached_model(key, build, load) == MODEL
            entries.keep_refusal(key, "a cause")
    assert len(caught) == 1
    assert cache.read_text() == "mine"


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="a full disk is tried with /dev/full")
def test_a_full_disk_is_said_once(cache: Path) -> None:
    def full(folder: Path) -> None:
        if folder.is_relative_to(cache):
            with Path("/dev/full").open("wb") as file:
                file.write(b"0" * 100_000)
        build(folder)

    with pytest.warns(UserWarning, match="not kept in the cache: The disk is full") as caught:
        for key in (KEY, OTHER):
            assert entries.cached_model(key, full, load) == MODEL
    assert len(caught) == 1
    assert [path for path in cache.iterdir() if path.name != "models"] == []


# Entries that are not what they seem


def entry(cache: Path) -> Path:
    path = cache / "embeddings" / f"{KEY}.safetensors"
    path.parent.mkdir(parents=True, mode=0o700)
    return path


def forged(vectors: np.ndarray) -> bytes:
    """An entry whose SHA-256 is right, as whoever can write to the cache can make it."""
    return save({"embeddings": vectors, "sha256": entries._digest(KEY, vectors)})


@pytest.mark.parametrize(
    "content",
    [
        forged(VECTORS[:2]),
        forged(VECTORS[:0]),
        forged(VECTORS.ravel()),
        forged(VECTORS[None]),
        forged(VECTORS.astype(np.float64)),
        forged(VECTORS.astype(np.int32)),
        forged(np.where(VECTORS == 5, np.nan, VECTORS).astype(np.float32)),
        forged(np.where(VECTORS == 5, np.inf, VECTORS).astype(np.float32)),
        forged(VECTORS).replace(b'"F32"', b'"I32"'),
        forged(VECTORS).replace(b'"U8"', b'"I8"'),
        save({"embeddings": VECTORS}),
        save({"embeddings": VECTORS, "sha256": np.zeros(32, np.uint8)}),
        save({"sha256": VECTORS}),
        b"",
        b"\xff" * 8,
        b"\xff" * 100,
        (10**15).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"{}",
        (4).to_bytes(8, "little") + b"null",
        (30_000).to_bytes(8, "little") + b'{"":' * 7_500,
    ],
    ids=range(20),
)
def test_an_entry_with_the_wrong_content_is_computed_again(cache: Path, content: bytes) -> None:
    entry(cache).write_bytes(content)
    with pytest.warns(UserWarning, match=f"{KEY}.safetensors in the cache is damaged"):
        assert not kept()
    entries.keep_vectors(KEY, VECTORS)
    assert kept()


@given(data=st.data())
def test_no_change_of_an_entry_gives_other_vectors(data: st.DataObject) -> None:
    content = bytearray(forged(VECTORS))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)) | st.none())
    end = data.draw(st.binary(max_size=9))
    found = entries._vectors_in(bytes(content[:cut]) + end, KEY, len(VECTORS))
    assert found is None or np.array_equal(found, VECTORS)


@posix
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder", "full folder"])
def test_an_entry_that_is_no_file_is_computed_again(cache: Path, tmp_path: Path, kind: str) -> None:
    path, target = entry(cache), tmp_path / "target"
    if "link" in kind:
        path.symlink_to(target)
    if kind == "link":
        target.write_bytes(forged(VECTORS))
    if kind == "pipe":
        os.mkfifo(path)
    if "folder" in kind:
        path.mkdir()
    if kind == "full folder":
        (path / "x").touch()
    with pytest.warns(UserWarning, match="in the cache is damaged"):
        assert not kept()
    entries.keep_vectors(KEY, VECTORS)
    assert kept()
    assert not path.is_symlink()
    assert target.exists() == (kind == "link")


@posix
@pytest.mark.parametrize("kind", ["link", "file", "link inside", "pipe inside", "pipe as digests"])
def test_a_model_that_is_no_plain_folder_is_made_again(
    cache: Path, tmp_path: Path, kind: str
) -> None:
    assert entries.cached_model(KEY, build, load) == MODEL
    folder, target = cache / "models" / KEY, tmp_path / "target"
    if kind == "link":
        folder.replace(target)
        folder.symlink_to(target)
    elif kind == "file":
        shutil.rmtree(folder)
        folder.touch()
    elif kind == "link inside":
        (folder / BIN).replace(target)
        (folder / BIN).symlink_to(target)
    else:
        name = BIN if kind == "pipe inside" else "sha256.json"
        (folder / name).unlink()
        os.mkfifo(folder / name)
    with pytest.warns(UserWarning, match="in the cache is damaged"):
        assert entries.cached_model(KEY, build, load) == MODEL
    assert entries.cached_model(KEY, lambda folder: pytest.fail("made again"), load) == MODEL
    assert target.exists() == ("link" in kind)


@pytest.mark.parametrize(
    "digests",
    [
        "",
        "[]",
        "{}",
        "null",
        "[" * 100_000,
        '{"../../../target": "x"}',
        json.dumps({XML: 1, BIN: None}),
        json.dumps({"key": KEY, XML: "0" * 64, BIN: "0" * 64}),
    ],
    ids=range(8),
)
def test_a_model_with_the_wrong_digests_is_made_again(cache: Path, digests: str) -> None:
    entries.cached_model(KEY, build, load)
    (cache / "models" / KEY / "sha256.json").write_text(digests, "utf-8")
    with pytest.warns(UserWarning, match="in the cache is damaged"):
        assert entries.cached_model(KEY, build, load) == MODEL


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        '{"cause": 1}',
        "\x00",
        '{"key": "0123456789abcdef", "cause": 1}',
    ],
)
def test_a_damaged_refusal_is_none(cache: Path, content: str) -> None:
    entries.keep_refusal(KEY, "a cause")
    assert entries.read_refusal(KEY) == "a cause"
    (cache / "refused" / f"{KEY}.json").write_text(content, "utf-8")
    assert entries.read_refusal(KEY) is None


def test_an_entry_under_the_name_of_another_is_not_taken_for_it(cache: Path) -> None:
    entries.keep_vectors(OTHER, VECTORS + 1)
    entries.cached_model(OTHER, build, load)
    entries.keep_refusal(OTHER, "a cause")
    for kind in ("embeddings", "models", "refused"):
        (path,) = (cache / kind).iterdir()
        path.rename(path.with_name(path.name.replace(OTHER, KEY)))
    with pytest.warns(UserWarning, match="is damaged") as caught:
        assert not kept()
        assert entries.cached_model(KEY, build, load) == MODEL
    assert len(caught) == 2
    assert entries.read_refusal(KEY) is None


def test_vectors_with_gaps_are_not_kept(cache: Path) -> None:
    entries.keep_vectors(KEY, np.full((3, 4), np.nan, np.float32))
    assert not list(cache.glob("embeddings/*"))


# Processes that are killed, and several at once


WRITE = """
import sys
import numpy as np
from emolens.encode import cache
vectors = np.zeros((1000, 1000), np.float32)
print("ready", flush=True)
for i in range(10_000):
    cache.keep_vectors(f"{i % 20:016x}", vectors)
"""


@posix
def test_what_a_killed_process_leaves_is_removed_by_the_next_write(cache: Path) -> None:
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(random.uniform(0.01, 0.2))
        writer.kill()
        assert writer.communicate()[1] == b""
    killed = f"""
import os, signal
from pathlib import Path
from emolens.temporary import scratch_folder
with scratch_folder(Path({str(cache)!r})) as folder:
    (folder / "big").write_bytes(bytes(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == -signal.SIGKILL
    assert any(is_scratch(path.name) for path in cache.iterdir())
    with scratch_folder(cache) as alive:
        entries.keep_vectors(KEY, VECTORS)
        assert [path for path in cache.iterdir() if is_scratch(path.name)] == [alive]
    for written in listed().entries:
        n = 3 if KEY in written.path else 1000
        assert entries.read_vectors(Path(written.path).stem, n) is not None


@posix
def test_what_a_killed_process_leaves_in_the_systems_folder_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = tmp_path / ".scratch.emolens-mine"
    mine.mkdir()
    killed = """
import os, signal
from emolens.encode import cache
cache.cached_model("", lambda folder: os.kill(os.getpid(), signal.SIGKILL), str)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", killed], check=False, env=environment)
    assert len([path for path in tmp_path.iterdir() if is_scratch(path.name)]) == 1
    assert entries.cached_model("", build, load) == MODEL
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]


USE = """
import sys, warnings
from pathlib import Path
import numpy as np
warnings.simplefilter("error")
from emolens.encode import cache
from tests.hostile.test_cache import build, load, MODEL
for i in range(150):
    key = f"{i % 5:016x}"
    vectors = np.full((50, 40), i % 5, np.float32)
    found = cache.read_vectors(key, 50)
    assert found is None or np.array_equal(found, vectors)
    cache.keep_vectors(key, vectors)
    assert cache.cached_model(key, build, load) == MODEL
"""
CLEAR = """
import warnings
warnings.simplefilter("error")
from emolens.encode.cache.size import listed, shrink


for i in range(150):
    shrink(listed(), 0)
"""


def test_processes_that_write_read_and_clear_at_once_disturb_none(cache: Path) -> None:
    codes = (USE, USE, USE, CLEAR, CLEAR)
    running = [
        subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, cwd=ROOT)
        for code in codes
    ]
    assert [process.communicate()[1] for process in running] == [""] * len(codes)
    assert {path.name for path in cache.iterdir()} <= {"embeddings", "models"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(5):
            entries.read_vectors(f"{i:016x}", 50)
            assert entries.cached_model(f"{i:016x}", build, load) == MODEL


def test_a_model_that_is_removed_before_it_is_loaded_is_made_again(cache: Path) -> None:
    entries.cached_model(KEY, build, load)
    tries: list[Path] = []

    def late(folder: Path) -> str:
        tries.append(folder)
        if len(tries) == 1:
            shrink(listed(), 0)
        return load(folder)

    assert entries.cached_model(KEY, build, late) == MODEL
    assert len(tries) == 2


def test_a_model_that_is_whole_but_does_not_load_is_an_error(cache: Path) -> None:
    def broken(folder: Path) -> str:
        raise EncoderError("It can't be loaded.", hint="")

    with pytest.raises(EncoderError):
        entries.cached_model(KEY, build, broken)
