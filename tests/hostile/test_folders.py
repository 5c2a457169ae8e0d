"""Run folders and model folders that hold files of the user, foreign manifests, links and kills."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolens.data.sources import load_dataset
from emolens.encode.backbone import find_encoder
from emolens.encode.engines.openvino import INT8_MODEL, MODEL
from emolens.errors import EmolensError, EncoderError, StorageError
from emolens.export.model import ExportedModel
from emolens.export.openvino import export_openvino
from emolens.learn.finetune import finetune
from emolens.modelfolder import renew
from emolens.output import atomic_file, sha256, staged
from emolens.scores import Recipe
from emolens.store import save_text
from emolens.study import Run, Study, load_study, run_study
from emolens.study.folder import FORMAT, Identity, RunFolder, StageRecord
from emolens.study.keys import StageKey
from emolens.temporary import temporary_name
from emolens.version import __version__
from tests.conftest import ROOT, feeling_rows
from tests.stages import STAGES

DATA = Identity("some data", "some encoder")
TEXTS = [text for text, _ in feeling_rows(30)]
ONE_EPOCH = Recipe(epochs=1, learning_rate=1e-2, batch_size=16, precision="fp32", seed=7)
STEMS = (Path(MODEL).stem, Path(INT8_MODEL).stem)
# Names that look like those of emolens' own files, and others.
FOREIGN = (
    "notes.txt",
    "manifest.json.bak",
    ".study.toml.emolens-x",
    ".manifest.json.emolens-0123456789abcdef",
    ".staged.emolens-0123456789abcdef/half",
    "tokens/mine.safetensors",
    "figures/mine.png",
    "figures/.map.png.emolens-old",
    "model/mine",
    "model/vocab.txt",
    "model/.emolens-",
    "model/openvino/mine.bin",
    "model/openvino/.openvino_model.xml.emolens-y",
    "model/onnx/model.onnx",
)


@pytest.fixture
def copied(tiny_run: Run, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    return Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))


@pytest.fixture
def model(tiny_run: Run, tmp_path: Path) -> Path:
    """A trained and exported model that a test may change."""
    return Path(shutil.copytree(tiny_run.folder / "model", tmp_path / "model"))


def add(folder: Path, names: tuple[str, ...] = FOREIGN) -> dict[Path, bytes]:
    """Files of the user."""
    files = {folder / name: f"mine: {name}".encode() for name in names}
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return files


def state(folder: Path) -> dict[str, tuple[int, int, bytes | str]]:
    """The mode, the time and the content of all that is in a folder, and of the folder itself."""
    states = {}
    for path in (folder, *folder.rglob("*")):
        about = path.lstat()
        content: bytes | str = b""
        if path.is_symlink():
            content = str(path.readlink())
        elif stat.S_ISREG(about.st_mode):
            content = path.read_bytes()
        states[str(path.relative_to(folder))] = (about.st_mode, about.st_mtime_ns, content)
    return states


def aside(folder: Path) -> list[str]:
    """The files that were renamed because they were in the way."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if ".yours" in p.name)


def temporary(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*.emolens-*") if "emolens-0123" not in str(path)]


def with_seed(study: Study, seed: int) -> Study:
    return Study.model_validate({**study.model_dump(), "seed": seed})


@pytest.mark.parametrize(
    "names",
    [
        ("study.toml",),
        ("model/mine",),
        ("report.html", "data/train.csv"),
        (".git/config",),
        (".manifest.json.emolens-0123456789abcdef",),
        ("manifest.json.yours",),
    ],
)
def test_a_folder_of_others_is_refused_and_the_hint_leads_on(
    tiny_run: Run, tmp_path: Path, names: tuple[str, ...]
) -> None:
    folder = tmp_path / "mine"
    add(folder, names)
    before = state(tmp_path)
    with pytest.raises(
        StorageError, match="mine is not empty and not the folder of a run"
    ) as caught:
        run_study(tiny_run.study, folder)
    assert state(tmp_path) == before
    proposed = Path(caught.value.hint.split("--out ")[1].strip('"'))
    run_study(tiny_run.study, proposed, until="tokenize")
    assert state(folder).keys() == {".", *(str(p.relative_to(folder)) for p in folder.rglob("*"))}


def test_the_current_folder_is_refused_and_the_hint_leads_on(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    add(tmp_path, ("study.toml",))
    for _ in range(2):
        with pytest.raises(StorageError) as caught:
            run_study(tiny_run.study, ".")
        run_study(tiny_run.study, caught.value.hint.split("--out ")[1], until="tokenize")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-1", "run-2", "study.toml"]


@pytest.mark.parametrize("rest", ["nothing", "an empty folder", "a lock", "a killed start"])
def test_what_a_killed_start_leaves_is_no_reason_to_refuse(tmp_path: Path, rest: str) -> None:
    folder = tmp_path / "run"
    if rest != "nothing":
        folder.mkdir()
    if rest in ("a lock", "a killed start"):
        (folder / ".lock").touch()
    if rest == "a killed start":
        (folder / temporary_name("manifest.json")).write_text("half")
        (folder / temporary_name("staged") / "model").mkdir(parents=True)
    with RunFolder(folder, DATA).opened():
        assert temporary(folder) == []


@pytest.mark.parametrize("kind", ["link", "link to nothing", "not empty", "folder"])
def test_a_lock_that_is_another_file_is_refused(tmp_path: Path, kind: str) -> None:
    folder, other = tmp_path / "run", tmp_path / "other"
    folder.mkdir()
    if kind == "not empty":
        (folder / ".lock").write_text("mine")
    elif kind == "folder":
        (folder / ".lock").mkdir()
    else:
        (folder / ".lock").symlink_to(other)
        if kind == "link":
            other.write_text("mine")
    before = state(tmp_path)
    with pytest.raises(StorageError, match="is not the lock of a run"), opened(folder):
        pytest.fail("it must not open")
    assert state(tmp_path) == before


def opened(folder: Path) -> Any:
    return RunFolder(folder, DATA).opened()


PATHS = ("../x", "/etc/passwd", "a\\b", "C:/x", "a/../../x", "", ".", "a//b", "a\x00b", "a/")


def manifest(**changes: Any) -> dict[str, Any]:
    record = {
        "key": {"settings": {}, "libraries": {}, "inputs": {}, "stages": {}},
        "summary": "two files",
        "outputs": {"a.txt": "0" * 64},
        "seconds": 1.5,
        "peak_memory_mb": 10.0,
    }
    whole = {
        "emolens": __version__,
        "format": FORMAT,
        "dataset": DATA.dataset,
        "encoder": DATA.encoder,
        "stages": {"embed": record},
        "files": {"a.txt": "0" * 64},
    }
    record.update({name: changes[name] for name in changes if name in record})
    whole.update({name: changes[name] for name in changes if name in whole or name == "pending"})
    return whole


MANIFESTS = {
    "a list": [],
    "a number": 1,
    "of another tool": {"name": "my app", "start_url": "/", "icons": []},
    "of another format": manifest(format=FORMAT - 1),
    "of no format": manifest(format=None),
    "of another version": manifest(emolens="9.9"),
    "a version that is no text": manifest(emolens=["\u202e", {}]),
    "stages that are a list": manifest(stages=[]),
    "a stage that is text": manifest(stages={"embed": "x"}),
    "a key that is a list": manifest(key=[]),
    "settings that are a list": manifest(
        key={**manifest()["stages"]["embed"]["key"], "settings": []}
    ),
    "outputs that are a list": manifest(outputs=["a.txt"]),
    "seconds that are text": manifest(seconds="long"),
    "a digest that is none": manifest(files={"a.txt": "x"}),
    "a digest that is a number": manifest(files={"a.txt": 1}),
    "files that are a list": manifest(files=["a.txt"]),
    "pending that is text": manifest(pending="a.txt"),
} | {
    f"{place} with {path!r}": manifest(**{place: {path: "0" * 64}})
    for place in ("outputs", "files", "pending")
    for path in PATHS
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_foreign_manifest_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "run"
    add(folder, ("a.txt", "../x"))
    (folder / "manifest.json").write_text(json.dumps(MANIFESTS[kind]), "utf-8")
    before = state(tmp_path)
    with pytest.raises(StorageError, match=r"manifest|another version") as caught, opened(folder):
        pytest.fail("it must not open")
    assert f"--out {folder}-2" in caught.value.hint
    assert state(tmp_path) == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"emolens": NaN}',
        b'{"emolens": "\\ud800"}',
        b"9" * 9000,
    ],
    ids=lambda content: repr(content[:8]),
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "manifest.json").write_bytes(content)
    before = state(tmp_path)
    with pytest.raises(StorageError, match=r"manifest\.json is not the"), opened(folder):
        pytest.fail("it must not open")
    assert state(tmp_path) == before


@pytest.mark.parametrize("kind", ["a folder", "a link to nothing", "a link to a folder", "a pipe"])
def test_a_manifest_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    if kind == "a folder":
        (folder / "manifest.json").mkdir()
    elif kind == "a pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes in folders here")
        os.mkfifo(folder / "manifest.json")
    else:
        (folder / "manifest.json").symlink_to(tmp_path / ("" if "folder" in kind else "nothing"))
    before = state(tmp_path)
    with pytest.raises(StorageError, match=r"manifest\.json is not the"), opened(folder):
        pytest.fail("it must not open")
    assert state(tmp_path) == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(PATHS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_change_of_a_manifest_is_understood_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any") / "run"
    add(folder, ("a.txt", "../x"))
    whole = manifest()
    node: Any = whole
    while True:  # replace one value somewhere
        key = data.draw(st.sampled_from(list(node)))
        if not isinstance(node[key], dict) or not node[key] or data.draw(st.booleans()):
            node[key] = data.draw(JSON)
            break
        node = node[key]
    (folder / "manifest.json").write_text(json.dumps(whole), "utf-8")
    before = state(folder.parent)
    run_folder = RunFolder(folder, DATA)
    try:
        with run_folder.opened():
            for stage in run_folder.records:
                run_folder.to_do(stage, StageKey({}, {}, {}, {}))
    except EmolensError:
        assert state(folder.parent) == before
    else:
        (folder / ".lock").unlink()
        assert {n: s[2] for n, s in state(folder).items()} == {
            n.removeprefix("run/"): s[2] for n, s in before.items() if n.startswith("run/")
        } | {".": b""}


def test_other_files_survive_a_whole_run_and_changed_ones_are_kept(
    tiny_run: Run, copied: Path
) -> None:
    mine = add(copied)
    changed = {
        copied / name: name.encode()
        for name in ("report.html", "figures/map.png", "model/config.json", "model/README.md")
    }
    for path, content in changed.items():
        path.write_bytes(content)
    with pytest.warns(UserWarning, match="is now called|has none of your words") as caught:
        run = run_study(with_seed(tiny_run.study, 8), copied)
    assert list(run.records) == list(STAGES)
    assert len([w for w in caught if "is now called" in str(w.message)]) == len(changed)
    for path, content in changed.items():
        assert path.with_name(f"{path.name}.yours").read_bytes() == content
        assert path.read_bytes() != content
    assert len(aside(copied)) == len(changed)
    for path, content in mine.items():
        assert path.read_bytes() == content
    assert run_study(with_seed(tiny_run.study, 8), copied).records == run.records
    ExportedModel(copied / "model")


def test_a_study_with_comments_stays_as_long_as_it_is_the_one_that_is_run(
    tiny_run: Run, copied: Path
) -> None:
    file = copied / "study.toml"
    text = "# mine\n" + file.read_text("utf-8")
    file.write_text(text, "utf-8")
    run_study(load_study(file), copied, until="tokenize")
    assert file.read_text("utf-8") == text
    assert aside(copied) == []
    with pytest.warns(UserWarning, match=r"study\.toml\.yours"):
        run_study(with_seed(tiny_run.study, 9), copied, until="tokenize")
    assert (copied / "study.toml.yours").read_text("utf-8") == text
    assert load_study(file).seed == 9
    run_study(with_seed(tiny_run.study, 10), copied, until="tokenize")
    assert aside(copied) == ["study.toml.yours"]


def test_links_to_another_disk_are_followed(tiny_run: Run, tmp_path: Path, copied: Path) -> None:
    elsewhere = tmp_path / "disk"
    elsewhere.mkdir()
    (copied / "model").rename(elsewhere / "model")
    (copied / "model").symlink_to(elsewhere / "model")
    copied.rename(elsewhere / "run")
    copied.symlink_to(elsewhere / "run")
    run_study(with_seed(tiny_run.study, 8), copied)
    assert copied.is_symlink()
    assert (elsewhere / "run" / "model").is_symlink()
    assert aside(elsewhere) == []
    assert temporary(elsewhere) == []
    ExportedModel(copied / "model")


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX shell here")
def test_a_copy_made_of_hard_links_is_not_changed_through_them(
    tiny_run: Run, copied: Path, tmp_path: Path
) -> None:
    copied = copied.rename(tmp_path / "my $HOME & 'run'")
    backup = tmp_path / "backup"
    shutil.copytree(copied, backup, copy_function=os.link)
    before = state(backup)
    run_study(tiny_run.study, copied)  # all is finished, so nothing is written
    with pytest.raises(StorageError, match="hard links") as caught:
        run_study(with_seed(tiny_run.study, 8), copied, until="map")
    assert state(backup) == before
    assert contents(copied) == contents(backup)
    hint = caught.value.hint
    out = hint.removeprefix("Run with --out ").split(", after")[0]
    subprocess.run(hint.split(" without links: ")[1], shell=True, check=True)
    run = run_study(with_seed(tiny_run.study, 8), *shlex.split(out), until="embed")
    assert run.records["embed"] == tiny_run.records["embed"]
    assert state(backup) == before


def test_a_link_to_one_file_is_refused_before_a_stage_works(
    tiny_run: Run, copied: Path, tmp_path: Path
) -> None:
    os.link(copied / "report.html", tmp_path / "report.html")
    before = state(tmp_path)
    with pytest.raises(StorageError, match=r"report\.html has hard links"):
        run_study(with_seed(tiny_run.study, 8), copied)
    assert state(tmp_path) == before


def test_another_process_may_write_into_the_folder_of_a_run(tiny_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run_study(tiny_run.study, folder, until="tokenize")
    # As `predict --out RUN/x.csv` does, until after the run.
    with atomic_file(folder / "x.csv") as file:
        file.write(b"half of it, ")
        run_study(tiny_run.study, folder, until="embed")
        run_study(tiny_run.study, folder, until="embed")
        file.write(b"and the rest")
    assert (folder / "x.csv").read_bytes() == b"half of it, and the rest"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_manifest_deletes_nothing_through_a_link(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "run"
    victim = home / ".bashrc"
    add(home, (".bashrc",))
    folder.mkdir()
    (folder / "figures").symlink_to(home)
    listed = {"figures/.bashrc": sha256(victim)}
    whole = manifest(files=listed, outputs=listed)
    (folder / "manifest.json").write_text(json.dumps(whole), "utf-8")
    run_folder = RunFolder(folder, DATA)
    with run_folder.opened(), pytest.warns(UserWarning, match="its folder is a link"):
        do(run_folder, {"figures/map.png": "map"})
    assert victim.is_file()


def do(folder: RunFolder, files: dict[str, str]) -> None:
    """A stage that writes these files."""
    with folder.placing() as out:
        for name, text in files.items():
            save_text(out / name, text)
    key = StageKey({}, {}, {}, {})
    folder.record("embed", StageRecord(key, "some files", folder.outputs(), 1.0, 1.0))


def listed(folder: Path) -> dict[str, Any]:
    value = json.loads((folder / "emolens.json").read_text("utf-8"))
    assert isinstance(value, dict)
    return value


def test_an_export_lists_its_files_and_leaves_those_of_others(model: Path) -> None:
    (model / "emolens.json").unlink()  # as a folder that others made
    (model / "emolens.json").write_text('{"owner": "me", "temperature": 1.5}', "utf-8")
    shutil.rmtree(model / "openvino")
    mine = add(model, ("openvino/mine.bin", "openvino/openvino_tokenizer.xml", "onnx/model.onnx"))
    optimum = add(model, (f"openvino/{MODEL}", f"openvino/{STEMS[0]}.bin"))
    with pytest.warns(UserWarning, match="is now called") as caught:
        export_openvino(model, calibration=TEXTS)
    assert len(caught) == 2
    for path, content in optimum.items():
        assert path.with_name(f"{path.name}.yours").read_bytes() == content
    about = listed(model)
    assert (about["owner"], about["temperature"]) == ("me", 1.5)
    names = {f"{stem}.{kind}" for stem in STEMS for kind in ("xml", "bin")}
    assert set(about["files"]) == {f"openvino/{name}" for name in names}
    for name, digest in about["files"].items():
        assert sha256(model / name) == digest
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_openvino(model)
    assert len(listed(model)["files"]) == 2
    assert not (model / "openvino" / INT8_MODEL).exists()
    for path, content in mine.items():
        assert path.read_bytes() == content


def test_an_int8_model_that_the_user_changed_is_kept(model: Path) -> None:
    export_openvino(model, calibration=TEXTS)
    int8 = model / "openvino" / INT8_MODEL
    int8.write_text("mine")
    export_openvino(model)
    assert int8.read_text() == "mine"
    assert f"openvino/{INT8_MODEL}" not in listed(model)["files"]


def test_an_export_in_a_run_folder_is_not_undone_by_the_next_run(
    tiny_run: Run, copied: Path
) -> None:
    export_openvino(copied / "model", calibration=TEXTS)
    before = state(copied / "model")
    run = run_study(tiny_run.study, copied)
    assert run.records == tiny_run.records
    assert state(copied / "model") == before
    # Another training removes what was exported from the last one.
    run_study(with_seed(tiny_run.study, 8), copied)
    assert aside(copied) == []
    assert not (copied / "model" / "openvino" / INT8_MODEL).exists()


def test_a_lost_emolens_json_costs_no_file(tiny_run: Run, copied: Path) -> None:
    (copied / "model" / "emolens.json").unlink()
    run_study(tiny_run.study, copied, until="finetune")
    assert aside(copied) == []
    whole, now = listed(tiny_run.folder / "model"), listed(copied / "model")
    assert now["weights_sha256"] == whole["weights_sha256"]
    assert now["files"] == {n: d for n, d in whole["files"].items() if "openvino" not in n}


def test_a_training_keeps_files_of_others_and_the_old_model_until_its_end(
    feelings_folder: Path, tiny_encoder: Path, model: Path
) -> None:
    mine = add(model, ("mine", "openvino/mine.xml", ".model.emolens-x", "README.md"))
    changed = model / "tokenizer_config.json"
    changed.write_text("mine")
    with pytest.raises(EncoderError, match="training loss"):
        wild = replace(ONE_EPOCH, learning_rate=1e9)
        finetune(tiny_encoder, load_dataset(str(feelings_folder)), model, recipe=wild)
    assert temporary(model) == [model / ".model.emolens-x"]
    before = contents(model)
    with pytest.warns(UserWarning, match="is now called"):
        finetune(tiny_encoder, load_dataset(str(feelings_folder)), model, recipe=ONE_EPOCH)
    assert contents(model)["tokenizer_config.json.yours"] == b"mine"
    for path, content in mine.items():
        assert path.read_bytes() == content
    # What was exported from the old weights is gone: it would give old answers.
    assert not (model / "openvino" / MODEL).exists()
    assert contents(model)["model.safetensors"] != before["model.safetensors"]


def test_a_training_into_a_folder_of_others_deletes_nothing(
    feelings_folder: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    mine = add(tmp_path / "m", ("config.json", "notes.txt", "model-00001-of-00002.safetensors"))
    with pytest.warns(UserWarning, match=r"config\.json\.yours"):
        finetune(tiny_encoder, load_dataset(str(feelings_folder)), tmp_path / "m", recipe=ONE_EPOCH)
    assert contents(tmp_path / "m")["config.json.yours"] == b"mine: config.json"
    for path in list(mine)[1:]:
        assert path.read_bytes() == mine[path]


@pytest.mark.parametrize("name", ["openvino/openvino_model.bin", "tokenizer.json"])
def test_a_damaged_model_gives_no_answer(model: Path, name: str) -> None:
    file = model / name
    whole = bytearray(file.read_bytes())
    middle = len(whole) // 2
    if file.suffix == ".bin":
        whole[middle : middle + 4000] = bytes(4000)
    else:  # still JSON
        whole = bytearray(whole.replace(b"happy", b"glad?", 1))
    file.write_bytes(whole)
    with pytest.raises(EncoderError, match=f"{file.name} is not as emolens wrote it") as caught:
        ExportedModel(model, precision="fp32")
    assert caught.value.hint.startswith(f"Export it again: emolens export {model}")
    with pytest.warns(UserWarning, match=f"{file.name} is not as emolens wrote it"):
        export_openvino(model)
    ExportedModel(model, precision="fp32")


def test_a_class_that_the_user_has_renamed_is_used_and_said(model: Path) -> None:
    config = model / "config.json"
    config.write_bytes(config.read_bytes().replace(b"anger", b"Wut"))
    with pytest.warns(UserWarning, match=r"config\.json is not as emolens wrote it; it is used"):
        changed = ExportedModel(model, precision="fp32")
    assert "Wut" in changed.head.labels.names


def test_damaged_weights_are_not_exported(model: Path) -> None:
    weights = model / "model.safetensors"
    whole = bytearray(weights.read_bytes())
    whole[-4000:] = bytes(4000)
    weights.write_bytes(whole)
    before = state(model)
    with pytest.raises(
        EncoderError, match=r"model\.safetensors is not as emolens wrote it"
    ) as caught:
        export_openvino(model)
    assert state(model) == before
    assert caught.value.hint.endswith(f"delete {model / 'emolens.json'}")
    (model / "emolens.json").unlink()
    with pytest.warns(UserWarning, match="is now called"):
        export_openvino(model)
    ExportedModel(model)


def test_a_damaged_int8_model_gives_no_answer_and_the_hint_makes_it_again(model: Path) -> None:
    export_openvino(model, calibration=TEXTS)
    weights = model / "openvino" / f"{STEMS[1]}.bin"
    whole = weights.read_bytes()
    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        weights.write_bytes(damaged)
        with pytest.raises(EncoderError, match="damaged") as caught:
            ExportedModel(model, precision="int8")
        assert re.search("emolens export .*--int8", caught.value.hint)


def test_a_model_without_a_list_answers(model: Path) -> None:
    wanted = ExportedModel(model, precision="fp32").ask(TEXTS)[0]
    (model / "emolens.json").unlink()
    assert (ExportedModel(model, precision="fp32").ask(TEXTS)[0] == wanted).all()


@pytest.mark.parametrize("moved", ["nothing", "xml", "bin", "all"])
def test_an_interrupted_export_is_whole_or_gives_no_answer(model: Path, moved: str) -> None:
    """As if a kill had come while new files were moved to their places."""
    about = listed(model)
    xml, weights = f"openvino/{MODEL}", f"openvino/{STEMS[0]}.bin"
    about["pending"] = {name: about["files"][name] for name in (xml, weights)}
    is_new = {xml: moved in ("xml", "all"), weights: moved in ("bin", "all")}
    for name, new in is_new.items():
        about["files" if new else "pending"][name] = "0" * 64
    (model / "emolens.json").write_text(json.dumps(about), "utf-8")
    if moved in ("nothing", "all"):
        ExportedModel(model)
    else:
        with pytest.raises(EncoderError, match="is not as emolens wrote it"):
            ExportedModel(model)


EMOLENS_JSONS = {
    "a list": "[]",
    "weights that are a number": '{"weights_sha256": 1}',
    "weights that are nothing": '{"weights_sha256": null}',
    "files that are a list": '{"files": []}',
    "a path that leads out": json.dumps({"files": {"../x": "0" * 64}}),
    "no digest": '{"files": {"config.json": true}}',
    "deep": "[" * 100_000,
    "not a number": '{"temperature": NaN}',
    "half a surrogate pair": '{"owner": "\\ud800"}',
    "not UTF-8": "\xff",
    "not JSON": "{",
    "giant": " " * (64 * 2**20 + 1),
}


@pytest.mark.parametrize("kind", EMOLENS_JSONS)
def test_a_damaged_emolens_json_is_one_sentence(
    model: Path, tiny_encoder: Path, feelings_folder: Path, kind: str
) -> None:
    (model / "emolens.json").write_text(EMOLENS_JSONS[kind], "latin-1")
    before = state(model)
    for use in (
        ExportedModel,
        export_openvino,
        find_encoder,
        lambda folder: finetune(
            tiny_encoder, load_dataset(str(feelings_folder)), folder, recipe=ONE_EPOCH
        ),
    ):
        with pytest.raises(
            EncoderError, match=r"emolens\.json is not as emolens writes it"
        ) as raised:
            use(model)
        assert "another name" in raised.value.hint
        assert "\n" not in str(raised.value)
    assert state(model) == before


def test_another_number_of_classes_is_refused_at_the_start(model: Path) -> None:
    (model / "emolens.json").unlink()
    config = json.loads((model / "config.json").read_text("utf-8"))
    config["id2label"]["3"] = "fear"
    (model / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(EncoderError, match="gives 3 outputs for the 4 classes"):
        ExportedModel(model)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("written", ["run", "model"])
@pytest.mark.parametrize(
    "second", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in (3, 9, 15))]
)
def test_a_kill_at_any_change_leaves_nothing_and_calls_nothing_yours(
    tmp_path: Path, written: str, second: int
) -> None:
    # In a process of its own: a fork beside the threads of torch can wait for ever.
    command = [sys.executable, "-m", "tests.hostile.kills", written, str(second), str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, timeout=120, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 8


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of folders")
def test_of_two_writers_to_a_model_folder_only_one_goes_on(tmp_path: Path) -> None:
    model = tmp_path / "model"
    with staged(model) as first:
        save_text(first / "a.txt", "new")
        with (
            pytest.raises(StorageError, match="Another emolens command is writing to"),
            staged(model),
        ):
            pass
        renew(first, model)
    with staged(model):  # whoever comes later is free to write
        pass
    assert sorted(path.name for path in model.iterdir()) == ["a.txt", "emolens.json"]


@pytest.mark.parametrize(
    "name",
    [
        "tokenizer.json",
        "tokenizer_config.json",
        "openvino/openvino_model.xml",
        "openvino/openvino_model.bin",
    ],
)
def test_no_file_that_an_answer_depends_on_may_change(
    tiny_run: Run, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(tiny_run.folder / "model", tmp_path / "model"))
    ExportedModel(folder, precision="fp32")
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(EncoderError, match="is not as emolens wrote it"):
        ExportedModel(folder, precision="fp32")
