"""A whole run: what it leaves, what it does again, and what it leaves alone."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from emolens.data.dataset import Dataset
from emolens.data.sources import load_dataset
from emolens.encode.backbone import EncoderFolder
from emolens.encode.tokenize import Tokenizer
from emolens.errors import EncoderError, UsageError
from emolens.scores import FinetuneFacts, Scores
from emolens.store import load_arrays
from emolens.study import Run, Study, load_study, run_study
from emolens.study.folder import StageRecord
from tests.conftest import feeling_rows, write_csv
from tests.stages import STAGES

MODELS = {"majority", "tfidf", "probe", "finetune"}


class StoppedError(Exception):
    """The observer has seen enough."""


class Log:
    """Which stages were done and which were skipped; stops the run before some."""

    def __init__(self, stop_before: Iterable[str] = ()) -> None:
        self.stop_before = stop_before
        self.started_first = ""
        self.reasons: dict[str, str] = {}
        self.ran: list[str] = []
        self.resumed: list[str] = []
        self.notes: list[str] = []

    def opened(self, study: Study, dataset: Dataset, encoder: EncoderFolder, folder: Path) -> None:
        """Not of interest."""

    def started(self, stage: str, reason: str) -> None:
        self.reasons[stage] = reason
        self.started_first = self.started_first or stage
        if stage in self.stop_before:
            raise StoppedError

    def progress(self, done: int, total: int) -> None:
        assert 0 < done <= total

    def noted(self, text: str) -> None:
        self.notes.append(text)

    def finished(self, stage: str, record: StageRecord, *, resumed: bool) -> None:
        (self.resumed if resumed else self.ran).append(stage)


@pytest.fixture
def copied(tiny_run: Run, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    return Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))


def changed(study: Study, dotted: str, value: object) -> Study:
    """The study with one setting replaced."""
    values: dict[str, Any] = study.model_dump()
    *table, key = dotted.split(".")
    (values[table[0]] if table else values)[key] = value
    return Study.model_validate(values)


@contextlib.contextmanager
def says_what_is_set_aside(file: Path) -> Iterator[None]:
    """The run says that it keeps the changed file under another name, and it does."""
    changed = file.read_bytes()
    with pytest.warns(UserWarning, match=f"{file.name} is not as emolens wrote it"):
        yield
    assert file.with_name(f"{file.name}.yours").read_bytes() == changed


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in _files(folder)}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_run_leaves_every_file_of_the_design(tiny_run: Run) -> None:
    names = {path.relative_to(tiny_run.folder).as_posix() for path in _files(tiny_run.folder)}
    assert {
        "study.toml",
        "manifest.json",
        "audit.json",
        "embeddings/train.safetensors",
        "embeddings/validation.safetensors",
        "embeddings/test.safetensors",
        "projection.parquet",
        "projection-validation.parquet",
        "projection-test.parquet",
        "probe/probe.safetensors",
        "probe/probe.json",
        "model/config.json",
        "model/model.safetensors",
        "model/tokenizer.json",
        "model/README.md",
        "model/emolens.json",
        "model/openvino/openvino_model.xml",
        "evaluation.json",
        "predictions.parquet",
        "report.html",
    } <= names
    figures = {name for name in names if name.startswith("figures/")}
    pictures = {name.removesuffix(".png") for name in figures if name.endswith(".png")}
    assert pictures == {name.removesuffix(".svg") for name in figures if name.endswith(".svg")}
    assert len(figures) == 2 * len(pictures) > 0
    assert tiny_run.report == tiny_run.folder / "report.html"


def test_no_pickle_and_nothing_half_written_is_left(tiny_run: Run) -> None:
    names = [path.name for path in _files(tiny_run.folder)]
    assert not [n for n in names if n.endswith((".pkl", ".pt", ".pth", ".joblib", ".npy"))]
    assert not [n for n in names if ".emolens-" in n]
    # The embeddings' folder also holds how they were made; all arrays are safetensors.
    for path in tiny_run.folder.rglob("embeddings/*.safetensors"):
        assert load_arrays(path)["embeddings"].dtype == np.float32


def test_the_manifest_names_each_stage_its_outputs_and_what_it_took(tiny_run: Run) -> None:
    manifest = json.loads((tiny_run.folder / "manifest.json").read_text("utf-8"))
    assert list(manifest["stages"]) == list(STAGES)
    assert manifest["dataset"] == tiny_run.study.data.dataset
    for stage in manifest["stages"].values():
        assert stage["outputs"]
        assert stage["seconds"] > 0
        assert stage["peak_memory_mb"] > 0
        for name in stage["outputs"]:
            assert (tiny_run.folder / name).is_file()


def test_evaluation_and_predictions_hold_every_model_on_both_splits(tiny_run: Run) -> None:
    evaluation = tiny_run.evaluation
    assert set(evaluation.by_split) == {"validation", "test"}
    table = pq.read_table(tiny_run.folder / "predictions.parquet").to_pydict()
    classes = {"sadness", "joy", "anger"}
    wanted = {"split", "row", "text", "label"} | {f"{m}_label" for m in MODELS}
    assert set(table) == wanted | {f"{m}_p_{c}" for m in MODELS for c in classes}
    for split, models in evaluation.by_split.items():
        assert set(models) == MODELS
        rows = [i for i, name in enumerate(table["split"]) if name == split]
        for model, figures in models.items():
            right = [table[f"{model}_label"][i] == table["label"][i] for i in rows]
            assert figures.n == len(rows)
            assert figures.accuracy == pytest.approx(np.mean(right))


def test_the_study_that_is_left_is_the_one_that_was_run(tiny_run: Run) -> None:
    assert load_study(tiny_run.folder / "study.toml") == tiny_run.study


def test_a_second_run_skips_every_stage(tiny_run: Run, copied: Path) -> None:
    before = contents(copied)
    log = Log()
    run = run_study(tiny_run.study, copied, observer=log)
    assert log.resumed == list(STAGES)
    assert log.ran == []
    assert contents(copied) == before
    assert run.records == tiny_run.records


# They follow from all others, and take the longest.
LAST = {"figures", "report", "export", "behavior"}
LEARNED = {"map", "baselines", "probe", "finetune", "evaluate"}


@pytest.mark.parametrize(
    ("dotted", "value", "again"),
    [
        ("name", "renamed", set()),
        ("map.n_neighbors", 5, {"map"}),
        ("audit.ignore", ("T03",), {"audit"}),
        ("probe.strengths", (0.5,), {"probe", "evaluate"}),
        ("finetune.epochs", 1, {"finetune", "evaluate"}),
        ("encoder.pooling", "cls", {"embed", "map", "probe", "evaluate"}),
        ("encoder.max_length", 8, {"tokenize", "audit", "embed", *LEARNED} - {"baselines"}),
        ("balance.method", "oversample", LEARNED - {"map"}),
        ("seed", 8, LEARNED),
    ],
)
def test_a_changed_setting_runs_again_what_depends_on_it(
    tiny_run: Run, copied: Path, dotted: str, value: object, again: set[str]
) -> None:
    log = Log(stop_before=LAST)
    with pytest.raises(StoppedError):
        run_study(changed(tiny_run.study, dotted, value), copied, observer=log)
    assert set(log.ran) == again
    assert set(log.resumed) - LAST == set(STAGES) - LAST - again


def test_changed_rows_run_everything_again(tiny_run: Run, copied: Path) -> None:
    log = Log(stop_before=["audit"])
    with pytest.raises(StoppedError):
        run_study(changed(tiny_run.study, "data.limit", 30), copied, observer=log)
    assert log.ran == ["tokenize"]
    assert log.reasons["tokenize"] == "the data changed"
    assert log.reasons["audit"] == "the data changed, tokenize gave new results"


class Opened(Log):
    """Stops as soon as the data is loaded, and keeps its fingerprint."""

    fingerprint = ""

    def opened(self, study: Study, dataset: Dataset, encoder: EncoderFolder, folder: Path) -> None:
        self.fingerprint = dataset.fingerprint
        raise StoppedError


@pytest.mark.parametrize("settings", [{}, {"limit": 30}])
def test_the_seed_of_the_data_alone_decides_splits_and_limit(
    study_file: Callable[..., Path], tmp_path: Path, settings: dict[str, Any]
) -> None:
    write_csv(tmp_path / "all.csv", feeling_rows(90))
    study = load_study(study_file(), {"data.dataset": str(tmp_path / "all.csv")})
    study = changed(study, "data", {**study.data.model_dump(), **settings})

    def fingerprint(dotted: str, value: int) -> str:
        log = Opened()
        with pytest.raises(StoppedError):
            run_study(changed(study, dotted, value), tmp_path / "run", observer=log)
        return log.fingerprint

    assert study.seed == 7
    cut = load_dataset(tmp_path / "all.csv", seed=42, **settings).fingerprint
    assert fingerprint("seed", 7) == fingerprint("seed", 42) == fingerprint("data.seed", 42) == cut
    assert fingerprint("data.seed", 7) != cut


def test_every_changed_setting_makes_the_report_again_and_it_shows_it(
    tiny_run: Run, copied: Path
) -> None:
    for dotted, value, again in (
        ("name", "renamed", ["report"]),
        ("export.int8", True, ["export", "behavior", "report"]),
    ):
        log = Log()
        run_study(changed(tiny_run.study, dotted, value), copied, observer=log)
        assert log.ran == again
        assert f"{dotted} " in log.reasons["report"]
        assert f"→ {str(value).lower()}" in log.reasons["report"]
    page = (copied / "report.html").read_text("utf-8")
    assert "int8 = true" in page
    assert "int8 compared with fp32 on" in page


@pytest.mark.parametrize(
    ("stage", "part", "name", "before", "reason"),
    [
        ("map", "libraries", "umap-learn", "0.4", "umap-learn 0.4 → {now}"),
        ("probe", "libraries", "scikit-learn", None, "scikit-learn none → {now}"),
        ("embed", "inputs", "runtime", "tpu, fp8", "runtime tpu, fp8 → {now}"),
        ("finetune", "inputs", "encoder", "0123", "the encoder's files changed"),
        ("finetune", "settings", "finetune.epochs", 3.0, "finetune.epochs 3 → 2"),
        ("evaluate", "stages", "probe", "0123", "probe gave new results"),
    ],
)
def test_a_stage_is_done_again_for_what_differs_from_its_last_time_and_says_it(
    tiny_run: Run, copied: Path, stage: str, part: str, name: str, before: object, reason: str
) -> None:
    # As if another machine, or other libraries, had done it before.
    manifest = json.loads((copied / "manifest.json").read_text("utf-8"))
    values = manifest["stages"][stage]["key"][part]
    reason = reason.format(now=values[name])
    values[name] = before
    (copied / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    log = Log(stop_before=STAGES)
    with pytest.raises(StoppedError):
        run_study(tiny_run.study, copied, observer=log)
    assert log.reasons == {stage: reason}


def test_a_stage_that_gives_the_same_again_costs_no_other_stage(
    tiny_run: Run, copied: Path
) -> None:
    manifest = json.loads((copied / "manifest.json").read_text("utf-8"))
    manifest["stages"]["embed"]["key"]["libraries"]["openvino"] = "2025.0"
    (copied / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    log = Log()
    run_study(tiny_run.study, copied, observer=log)
    assert log.ran == ["embed"]


@pytest.mark.parametrize(
    ("harmed", "again"),
    [
        ("audit.json", ["audit"]),
        ("embeddings/train.safetensors", ["embed"]),
        ("probe/probe.safetensors", ["probe"]),
        ("predictions.parquet", ["evaluate"]),
        ("evaluation.json", ["evaluate"]),
    ],
)
@pytest.mark.parametrize("harm", ["deleted", "damaged"])
def test_a_harmed_file_is_made_again_and_alike(
    tiny_run: Run, copied: Path, harmed: str, again: list[str], harm: str
) -> None:
    file = copied / harmed
    whole = file.read_bytes()
    file.unlink()
    if harm == "damaged":
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    log = Log()
    with says_what_is_set_aside(file) if harm == "damaged" else contextlib.nullcontext():
        run_study(tiny_run.study, copied, observer=log)
    # What is made anew is the same to the byte, so that what was made from it still holds.
    assert log.ran == again
    assert log.reasons == {
        again[0]: f"{harmed} {'is missing' if harm == 'deleted' else 'was changed'}"
    }
    assert file.read_bytes() == whole


def test_a_harmed_model_is_trained_again_and_judged_again(tiny_run: Run, copied: Path) -> None:
    (copied / "model" / "model.safetensors").write_bytes(b"damaged")
    log = Log(stop_before=LAST)
    with (
        says_what_is_set_aside(copied / "model" / "model.safetensors"),
        pytest.raises(StoppedError),
    ):
        run_study(tiny_run.study, copied, observer=log)
    assert log.ran == ["finetune", "evaluate"]
    for name in ("model/model.safetensors", "evaluation.json"):
        assert (copied / name).read_bytes() == (tiny_run.folder / name).read_bytes()


def test_lost_pictures_are_drawn_again_and_nothing_is_computed(tiny_run: Run, copied: Path) -> None:
    for name in ("map.png", "learning-curve.svg"):
        (copied / "figures" / name).unlink()
    log = Log()
    run_study(tiny_run.study, copied, observer=log)
    assert log.ran == ["figures"]
    assert contents(copied / "figures") == contents(tiny_run.folder / "figures")


@pytest.mark.parametrize("stage", [s for s in STAGES if s not in ("figures", "finetune")])
def test_each_file_of_a_stage_costs_that_stage_and_no_other(
    tiny_run: Run, copied: Path, stage: str
) -> None:
    for name in tiny_run.records[stage].outputs:
        log = Log()
        (copied / name).unlink()
        run_study(tiny_run.study, copied, observer=log)
        # OpenVINO writes other bytes each time. The model that they hold is tried again, and the
        # report shows what the export says.
        after = ["behavior", "report"] if stage == "export" else []
        assert log.ran == [stage, *after], name


def test_each_file_of_the_model_costs_a_training(tiny_run: Run, copied: Path) -> None:
    for name in tiny_run.records["finetune"].outputs:
        whole = (copied / name).read_bytes()
        (copied / name).unlink()
        log = Log(stop_before=STAGES)
        with pytest.raises(StoppedError):
            run_study(tiny_run.study, copied, observer=log)
        assert log.started_first == "finetune", name
        (copied / name).write_bytes(whole)


def test_until_draws_the_pictures_of_that_stage(tiny_run: Run, copied: Path) -> None:
    drawn = {
        "embed": [],
        "map": ["map"],
        "probe": ["confusion-probe"],
        "finetune": ["learning-curve"],
        "evaluate": [
            *(f"{what}-{s}" for s in ("validation", "test") for what in ("scores", "confusion")),
            *("reliability-test", "coverage-test"),
        ],
    }
    shutil.rmtree(copied / "figures")
    for stage, names in drawn.items():
        log = Log()
        run = run_study(tiny_run.study, copied, until=stage, observer=log)
        assert log.ran == []
        wanted = [copied / "figures" / f"{n}.{kind}" for n in names for kind in ("png", "svg")]
        assert list(run.drawn) == wanted
        for path in run.drawn:
            assert path.read_bytes() == (tiny_run.folder / "figures" / path.name).read_bytes()


def test_until_runs_only_what_that_stage_needs(tiny_run: Run, tmp_path: Path) -> None:
    log = Log()
    run = run_study(tiny_run.study, tmp_path / "run", until="probe", observer=log)
    assert log.ran == list(run.records) == ["tokenize", "embed", "probe"]
    assert not (run.folder / "projection.parquet").exists()
    assert not (run.folder / "model").exists()
    assert not (run.folder / "evaluation.json").exists()


def test_another_folder_reads_the_vectors_that_a_run_computed(
    tiny_run: Run, tmp_path: Path
) -> None:
    again = run_study(tiny_run.study, tmp_path / "run", until="embed")
    assert again.records["embed"].summary.endswith(", read from the cache")
    assert not tiny_run.records["embed"].summary.endswith("cache")
    mine, theirs = (run.records["embed"].outputs for run in (again, tiny_run))
    assert mine == theirs


def test_where_a_model_cannot_be_exported_the_report_is_there_all_the_same(
    tiny_run: Run, untraceable: Path, tmp_path: Path
) -> None:
    study = changed(tiny_run.study, "encoder.name", str(untraceable))
    log = Log()
    with (
        pytest.warns(UserWarning, match="runs on torch"),
        pytest.raises(EncoderError, match="OpenVINO can't run the model"),
    ):
        run_study(study, tmp_path / "run", observer=log)
    assert log.ran == [stage for stage in STAGES if stage not in ("export", "behavior")]
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "The model was not exported" in page
    about = json.loads((tmp_path / "run" / "embeddings" / "embeddings.json").read_text("utf-8"))
    assert "OpenVINO can't run the model" in about["runtime"]
    again = Log()
    with pytest.raises(EncoderError):
        run_study(study, tmp_path / "run", observer=again)
    assert again.ran == []


def test_a_run_loads_the_tokenizer_once(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    load = Tokenizer.from_folder

    def counted(folder: Path, **options: Any) -> Tokenizer:
        loaded.append(folder)
        return load(folder, **options)

    monkeypatch.setattr(Tokenizer, "from_folder", counted)
    run_study(tiny_run.study, tmp_path / "run", until="evaluate")
    assert len(loaded) == 1


def test_until_an_unknown_stage_is_a_usage_error(tiny_run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no stage 'prob'") as raised:
        run_study(tiny_run.study, tmp_path / "run", until="prob")
    assert "'probe'" in raised.value.hint
    assert not (tmp_path / "run").exists()


def test_other_data_in_the_same_folder_is_refused(
    tiny_run: Run, copied: Path, feelings_folder: Path
) -> None:
    before = contents(copied)
    other = changed(tiny_run.study, "data.dataset", str(feelings_folder))
    with pytest.raises(UsageError, match="other data"):
        run_study(other, copied)
    assert contents(copied) == before


def imbalanced(folder: Path) -> Path:
    """48 rows of train: 28 of sadness, 14 of joy, 6 of anger."""
    rows = feeling_rows(84)
    keep = {"sadness": 28, "joy": 14, "anger": 6}
    train = [row for name, n in keep.items() for row in [r for r in rows if r[1] == name][:n]]
    write_csv(folder / "train.csv", train)
    write_csv(folder / "validation.csv", feeling_rows(18, start=84))
    write_csv(folder / "test.csv", feeling_rows(18, start=102))
    return folder


def test_a_remedy_for_imbalance_changes_training_rows_only(tiny_run: Run, tmp_path: Path) -> None:
    study = changed(tiny_run.study, "data.dataset", str(imbalanced(tmp_path / "data")))
    folder = tmp_path / "run"
    rows = {"none": 48, "class-weights": 48, "oversample": 3 * 28, "undersample": 3 * 6}
    seen: dict[str, np.ndarray] = {}
    table: list[Any] = []
    for method, n_rows in rows.items():
        log = Log()
        run_study(changed(study, "balance.method", method), folder, until="evaluate", observer=log)
        assert log.ran[-4:] == ["baselines", "probe", "finetune", "evaluate"]
        scores = Scores.load(folder / "finetune", ("validation", "test"))
        facts = scores.facts
        assert isinstance(facts, FinetuneFacts)
        assert facts.texts_per_second * facts.seconds / study.finetune.epochs == pytest.approx(
            n_rows
        )
        columns = pq.read_table(folder / "predictions.parquet")
        table.append(columns.select(["split", "row", "text", "label"]))
        assert table[-1].equals(table[0])
        seen[method] = scores.probabilities["test"]
    assert not any(np.array_equal(seen[a], seen[b]) for a in seen for b in seen if a < b), (
        "each remedy learns something else"
    )


def test_rows_without_a_text_are_left_out_and_counted(tiny_run: Run) -> None:
    assert ", 1 without a text left out; " in tiny_run.records["audit"].summary
    sentence = "1 row of validation has no text and is left out."
    assert sentence in tiny_run.report.read_text("utf-8")
    card = (tiny_run.folder / "model" / "README.md").read_text("utf-8")
    assert "- T01, rows with a text (noted): 1 row\n" in card
    texts = pq.read_table(tiny_run.folder / "predictions.parquet")["text"].to_pylist()
    assert all(text.strip() for text in texts)
