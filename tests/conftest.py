"""Shared fixtures: a tiny real encoder, small data sets, and where the real data may be found."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hub.standin import StandIn

# Some tests import OpenVINO by themselves, and its telemetry would start processes that report it.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from emolens.study import Run

ROOT = Path(__file__).parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"

WORDS = (  # noqa: SIM905
    "i you we they she he it the a an is am are was so very not today now this that and my your "
    "happy glad great sad alone tears angry furious hate afraid scared dark love dear kiss wow "
    "sudden what never feel felt feeling cat dog train ticket home work rain sun ! ? . , '"
).split()
FEELINGS = {
    "sadness": ("sad", "alone", "tears"),
    "joy": ("happy", "glad", "great"),
    "anger": ("angry", "furious", "hate"),
}
# What people paste into text fields, and what must come out as text everywhere.
HOSTILE = (
    "<script>document.title='pwned'</script>",
    '"><img src=x onerror="document.title=\'pwned\'">',
    "{{7*7}} {% for x in y %} ${7*7} `id`",
    "</pre></td></main><style>body{display:none}</style>",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "=HYPERLINK(1) 😀👍🏽 我很高兴 \ufffd &amp; &lt;b&gt;",
)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache for these tests alone."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOLENS_CACHE", str(folder))
        yield folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for one test alone, with the limit that it has by default. It has no folder yet."""
    monkeypatch.setenv("EMOLENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EMOLENS_CACHE_LIMIT", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in for the Hugging Face Hub. It answers after `hub.start()`."""
    stand_in = StandIn(tmp_path)
    yield stand_in
    stand_in.stop()


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """As in a terminal: main() leaves signals ignored, and so does a start in the background."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if hasattr(signal, "SIGHUP"):
        usual[signal.SIGHUP] = signal.SIG_DFL
    for number, handler in usual.items():
        signal.signal(number, handler)
    yield
    for number, handler in usual.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer, 16-wide BERT with random weights and a small real WordPiece vocabulary."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("tiny-encoder")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *WORDS, *(c for c in letters if c not in WORDS)]
    vocabulary += [f"##{c}" for c in letters]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(
        vocab=str(folder / "vocab.txt"), do_lower_case=True, model_max_length=32
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def feeling_rows(n: int, *, start: int = 0) -> list[tuple[str, str]]:
    """n different texts with a learnable label, in turn over three classes."""
    rows = []
    for i in range(start, start + n):
        label = list(FEELINGS)[i % 3]
        word = FEELINGS[label][(i // 3) % 3]
        filler = " ".join(WORDS[(i * 7 + j * 3) % len(WORDS[:20])] for j in range(1 + i % 5))
        rows.append((f"i am {word} {filler} {WORDS[i % 50]}", label))
    return rows


def write_csv(
    path: Path, rows: Iterable[tuple[object, ...]], header: tuple[str, ...] = ("text", "label")
) -> Path:
    """A UTF-8 CSV with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture
def feelings_folder(tmp_path: Path) -> Path:
    """train.csv, validation.csv and test.csv: 60, 18 and 18 rows of three classes."""
    folder = tmp_path / "feelings"
    for name, n, start in (("train", 60, 0), ("validation", 18, 60), ("test", 18, 78)):
        write_csv(folder / f"{name}.csv", feeling_rows(n, start=start))
    return folder


@pytest.fixture
def emotion_folder() -> Path:
    """The real `emotion` data, where it is."""
    folder = REAL_DATA / "emotion"
    if not folder.is_dir():
        pytest.skip(f"the real data is not at {folder}")
    return folder


@pytest.fixture
def study_file(tmp_path: Path, tiny_encoder: Path, feelings_folder: Path) -> Callable[..., Path]:
    """Write a study over the tiny encoder and data; further TOML may be appended."""

    def write(extra: str = "") -> Path:
        path = tmp_path / "tiny.toml"
        path.write_text(
            f'name = "tiny"\nseed = 7\n[data]\ndataset = "{feelings_folder}"\n'
            f'[encoder]\nname = "{tiny_encoder}"\npooling = "mean"\nprecision = "fp32"\n'
            '[finetune]\nepochs = 2\nlearning_rate = 1e-2\nbatch_size = 8\nprecision = "fp32"\n'
            + extra,
            encoding="utf-8",
        )
        return path

    return write


def beside(encoder: Path, folder: Path, model: PreTrainedModel) -> Path:
    """Another model with the tokenizer of `encoder`."""
    shutil.copytree(encoder, folder, ignore=shutil.ignore_patterns("config.json", "*.safetensors"))
    model.save_pretrained(folder)
    return folder


def small(encoder: Path) -> dict[str, int]:
    """The sizes of another model that goes with `encoder`."""
    from transformers import BertConfig

    bert = BertConfig.from_pretrained(encoder)
    names = ("vocab_size", "hidden_size", "num_attention_heads", "intermediate_size")
    return {"num_hidden_layers": 1, **{name: getattr(bert, name) for name in names}}


@pytest.fixture
def untraceable(tiny_encoder: Path, tmp_path: Path) -> Path:
    """A BigBird: it looks at random tokens, so that no two traces of it are the same."""
    from transformers import BigBirdConfig, BigBirdModel

    config = BigBirdConfig(**small(tiny_encoder), max_position_embeddings=32)
    return beside(tiny_encoder, tmp_path / "bigbird", BigBirdModel(config))


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Run:
    """A study that has been run whole, over three classes with HOSTILE texts in every split.

    Shared by all tests: read it, and copy its folder before changing anything.
    """
    from emolens.study import Study, run_study

    root = tmp_path_factory.mktemp("tiny-run")
    hostile = [(text, list(FEELINGS)[i % 3]) for i, text in enumerate(HOSTILE)]
    contradicting = [(text, list(FEELINGS)[(i + 1) % 3]) for i, text in enumerate(HOSTILE)]
    rows = {
        "train": hostile + feeling_rows(60),
        "validation": contradicting + feeling_rows(18, start=60) + [("", "joy")],
        "test": hostile + feeling_rows(18, start=78) + [("very " * 100, "anger")],
    }
    for split, lines in rows.items():
        write_csv(root / "data" / f"{split}.csv", lines)
    study = Study.model_validate(
        {
            "name": "tiny",
            "seed": 7,
            "data": {"dataset": str(root / "data")},
            "encoder": {"name": str(tiny_encoder), "pooling": "mean", "precision": "fp32"},
            "finetune": {
                "epochs": 2,
                "learning_rate": 1e-2,
                "batch_size": 8,
                "precision": "fp32",
            },
        }
    )
    return run_study(study, root / "run")


@pytest.fixture(scope="session")
def collapsed_run(tmp_path_factory: pytest.TempPathFactory, tiny_run: Run) -> Run:
    """The study of tiny_run with a learning rate so high that one answer is all that is left."""
    from emolens.study import load_study, run_study

    overrides = {"finetune.learning_rate": 1.0, "finetune.epochs": 1}
    study = load_study(tiny_run.folder / "study.toml", overrides)
    return run_study(study, tmp_path_factory.mktemp("collapsed") / "run")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Emolens = Callable[..., Ended]


@pytest.fixture
def emolens(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Emolens:
    """Run a command through the program's own entry point; what it wrote, and its exit code."""

    from emolens.cli import main

    def call(*arguments: object, stdin: io.TextIOBase | None = None) -> Ended:
        monkeypatch.setattr(sys, "argv", ["emolens", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", stdin or io.StringIO())
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return call


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
