"""The commands as a user types them: what they print where, and how they end."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emolens.cli.options import STUDY_OPTIONS
from emolens.evaluation.evaluate import Evaluation, rival_of
from emolens.evaluation.verdict import comparison_sentence
from emolens.study import Run
from emolens.study.folder import Identity, RunFolder
from emolens.study.keys import settings_of
from emolens.study.stages import STAGES
from emolens.version import __version__
from tests.conftest import Emolens, Ended, feeling_rows, write_csv

CLI = [sys.executable, "-c", "from emolens.cli import main; main()"]
COMMANDS = [
    "run",
    "inspect",
    "tokenize",
    "embed",
    "encode",
    "map",
    "baselines",
    "probe",
    "finetune",
    "evaluate",
    "compare",
    "report",
    "export",
    "predict",
    "check",
    "learn",
    "push",
    "cache",
]
# Commands that bear the name of a stage and take no study.
APART = {"tokenize", "export", "push", "report"}
HEAVY = [
    "numpy",
    "torch",
    "transformers",
    "datasets",
    "sklearn",
    "umap",
    "matplotlib",
    "openvino",
    "pandas",
    "pyarrow",
    "scipy",
]
FOR_TABLES = [
    "emolens.data.readers.open",
    "emolens.data.readers.table",
    "emolens.data.targets.read",
    "emolens.data.sources",
    "emolens.predict.tables",
    "emolens.predict.writers",
]
TEXTS = ["i am sad", "i am happy"]
SAMPLE = "Tokenizing text is a core task of NLP"
SAMPLE_IDS = [101, 19204, 6026, 3793, 2003, 1037, 4563, 4708, 1997, 17953, 2361, 102]


def assert_two_lines(ended: Ended, *, code: int, says: str) -> None:
    lines = ended.err.splitlines()
    assert (ended.code, ended.out, len(lines)) == (code, "", 2), ended
    assert lines[0].startswith("Error: ")
    assert lines[1].startswith("Hint:  ")
    assert len(lines[1]) > len("Hint:  ")
    assert says in ended.err


# --- help, version, misuse ---


def loaded_by(code: str, *arguments: str) -> set[str]:
    """The modules that a process has loaded when it ends."""
    at_exit = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: sys.stderr.write(json.dumps(sorted(sys.modules))))\n"
    )
    command = [sys.executable, "-c", at_exit + code, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(ended.stderr.splitlines()[-1]))


@pytest.mark.parametrize("code", ["from emolens.cli import main; main()", "import emolens"])
def test_help_and_import_load_nothing_heavy(code: str) -> None:
    loaded = loaded_by(code, "--help")
    assert "emolens" in loaded
    assert loaded.isdisjoint(HEAVY)
    assert loaded.isdisjoint(FOR_TABLES)


def test_a_text_is_predicted_without_what_tables_need(tiny_run: Run) -> None:
    model = str(tiny_run.folder / "model")
    loaded = loaded_by("from emolens.cli import main; main()", "predict", "a b", "--model", model)
    assert "emolens.predict.classifier" in loaded
    assert loaded.isdisjoint({*FOR_TABLES, "torch", "pyarrow", "scipy", "pandas"})


def test_help_names_every_command(emolens: Emolens) -> None:
    ended = emolens("--help")
    assert ended.code == 0
    for command in COMMANDS:
        assert f" {command} " in ended.out


def test_help_says_what_each_command_does_in_a_whole_sentence(emolens: Emolens) -> None:
    listed = emolens("--help").out.partition("Commands:")[2].partition("Start with:")[0]
    lines = [line for line in listed.splitlines() if line.strip()]
    assert len(lines) == len(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


@pytest.mark.parametrize("command", ["inspect", "run", "predict", "encode"])
def test_the_options_about_reading_have_a_title_of_their_own(
    emolens: Emolens, command: str
) -> None:
    own, _, rest = emolens(command, "--help").out.partition("\nReading the table:\n")
    reading = re.findall(r"^  (--[a-z-]+)", rest.partition("\n\n")[0], re.M)
    assert reading == [
        "--format", "--encoding", "--delimiter", "--header", "--skip-rows", "--sheet", "--strict",
    ]  # fmt: skip
    assert " --text COLUMN " in own


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(emolens: Emolens, command: str, flag: str) -> None:
    ended = emolens(command, flag)
    assert (ended.code, ended.err) == (0, "")
    assert f"Usage: emolens {command} " in ended.out
    lines = [line.strip() for line in ended.out.splitlines() if line.strip()]
    sentence = lines[1]  # the line under the usage
    assert sentence[0].isupper()
    assert len(sentence.split()) > 5
    # No option and no argument is left without a word of its own.
    assert "--help" in ended.out


@pytest.mark.parametrize("command", sorted({"run", *COMMANDS} & {"run", *STAGES} - APART))
def test_an_option_for_all_stages_is_in_all_of_them(emolens: Emolens, command: str) -> None:
    shown = emolens(command, "--help").out
    for flag in ("dataset", "text", "label", "encoder", "pooling", "layer", "normalize"):
        assert f" --{flag} " in shown


def test_an_option_of_a_study_gives_a_setting(tiny_run: Run) -> None:
    assert set(STUDY_OPTIONS) <= set(settings_of(tiny_run.study))


def test_version(emolens: Emolens) -> None:
    assert emolens("--version") == Ended(0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["ron"],
        ["run", "--epochs", "3"],
        ["--color"],
        ["tokenize"],
        ["inspect"],
        ["run", "starter", "starter"],
        ["predict", "x", "--unsure-below", "much"],
    ],
)
def test_misuse_ends_with_code_2(emolens: Emolens, arguments: list[str]) -> None:
    assert_two_lines(emolens(*arguments), code=2, says=" --help")


def test_a_pattern_that_the_shell_replaced_gets_a_hint_about_quotes(
    emolens: Emolens, feelings_folder: Path
) -> None:
    ended = emolens("run", "--dataset", *sorted(feelings_folder.glob("t*.csv")), "more.csv")
    assert_two_lines(ended, code=2, says='--dataset "part_*.csv"')


def test_the_option_split_is_a_setting_of_a_study(emolens: Emolens, feelings_folder: Path) -> None:
    run = ("run", "starter", "--dataset", feelings_folder, "--split")
    says = f"{feelings_folder} has no '2024' for the validation split"
    assert_two_lines(emolens(*run, "dev=2024"), code=1, says=says)
    assert_two_lines(emolens(*run, "tset=a.csv"), code=2, says="Did you mean 'test'?")


# --- errors ---


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "nothing.toml"], 2, "nothing.toml"),
        (["run", "startr"], 2, "Did you mean 'starter'?"),
        (["run", "--set", "finetune.epochs"], 2, "no '='"),
        (["run", "--set", "finetune.epohcs=3"], 2, "Did you mean 'epochs'?"),
        (["run", "--set", "finetune.epochs=many"], 2, "finetune.epochs"),
        (["run", "--dataset", "nothing.csv"], 1, "nothing.csv"),
        (["run", "--dataset", "no/such/folder/here"], 1, "no/such/folder/here"),
        (["run", "--dataset", "startr"], 1, "'starter'"),
        (["run", "--encoder", "minilmm"], 1, "'minilm'"),
        (["run", "--encoder", "./nowhere"], 1, "./nowhere"),
        (["run", "--set", "encoder.sha256=abc123"], 1, "SHA-256"),
        (["inspect", "nothing.csv"], 1, "nothing.csv"),
        (["inspect", "starter", "--text", "txt"], 1, "'text'"),
        (["tokenize", "x", "--encoder", "nowhere"], 1, "nowhere"),
        (["predict", "x", "--model", "nowhere"], 1, "nowhere"),
        (["predict"], 2, "--input"),
        (["predict", "x", "--input", "table.csv"], 2, "--input"),
        (["export", "nowhere"], 1, "nowhere"),
        (["tokenize", "\udcff"], 1, "surrogate"),
    ],
)
def test_an_error_is_a_sentence_and_a_hint(
    emolens: Emolens,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_two_lines(emolens(*arguments), code=code, says=says)
    assert list(tmp_path.iterdir()) == [], "a run that can't begin leaves no folder"


def test_a_broken_study_file_is_an_error(emolens: Emolens, tmp_path: Path) -> None:
    study = tmp_path / "broken.toml"
    study.write_text("[data\n")
    assert_two_lines(emolens("run", study), code=2, says="broken.toml is not valid TOML")


def test_an_unknown_key_in_a_file_names_the_nearest(
    emolens: Emolens, study_file: Callable[..., Path]
) -> None:
    study = study_file("epohcs = 3\n")
    assert_two_lines(emolens("run", study), code=2, says="tiny.toml: there is no setting")
    assert_two_lines(emolens("run", study), code=2, says="Did you mean 'epochs'?")


def test_an_encoder_folder_without_weights_is_an_error(
    emolens: Emolens, study_file: Callable[..., Path], tiny_encoder: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "no-weights"
    empty.mkdir()
    shutil.copy(tiny_encoder / "config.json", empty)
    ended = emolens("run", study_file(), "--encoder", empty, "--out", tmp_path / "run")
    assert_two_lines(ended, code=1, says="model.safetensors")
    assert not (tmp_path / "run").exists()


def test_bad_rows_are_named_and_leave_no_run(
    emolens: Emolens, study_file: Callable[..., Path], feelings_folder: Path, tmp_path: Path
) -> None:
    study = study_file()
    write_csv(feelings_folder / "validation.csv", [("i am glad", "joy"), ("i am well", "")])
    ended = emolens("run", study, "--out", tmp_path / "run", "--strict")
    assert_two_lines(ended, code=1, says="validation.csv, line 3")
    assert not (tmp_path / "run").exists()


def test_debug_shows_the_traceback(emolens: Emolens, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--debug", "run", "startr"]
    ended = subprocess.run([*CLI, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "Traceback" in ended.stderr
    assert "There is no study 'startr'" in ended.stderr


def test_without_the_hub_a_run_says_the_way_out_and_leaves_nothing(tmp_path: Path) -> None:
    # Port 9 of this machine: nobody answers there, and no name has to be looked up.
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    environment.pop("HF_HUB_OFFLINE", None)
    out = tmp_path / "run"
    for extra in ([], ["--dataset", "starter"]):
        ended = subprocess.run(
            [*CLI, "run", "emotion", "--out", str(out), *extra],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        result = Ended(ended.returncode, ended.stdout, ended.stderr)
        assert_two_lines(result, code=1, says="Hub does not answer")
        assert "emolens run starter" in result.err
        assert "HF_HOME" in result.err
    assert not out.exists()


def test_a_folder_that_another_run_holds_is_an_error(
    emolens: Emolens, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    from emolens.study import load_study

    study = study_file()
    with RunFolder(tmp_path / "run", Identity.of(load_study(study))).opened():
        ended = emolens("run", study, "--out", tmp_path / "run")
    assert_two_lines(ended, code=1, says="Another emolens run")


class Interrupted(io.StringIO):
    """What the interpreter does to whoever waits for input when Ctrl-C is pressed."""

    def readline(self, size: int | None = -1, /) -> str:
        raise KeyboardInterrupt


def test_ctrl_c_while_lines_are_awaited(emolens: Emolens, tiny_run: Run) -> None:
    ended = emolens("predict", "-", "--model", tiny_run.folder / "model", stdin=Interrupted())
    assert ended == Ended(130, "", "Stopped.\n")


# --- run and its stages ---


@pytest.fixture
def again(tiny_run: Run, tmp_path: Path) -> list[object]:
    """The arguments that resume a finished run in a folder of its own."""
    folder = Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))
    return [folder / "study.toml", "--out", folder]


def test_run_json_is_evaluation_json_and_nothing_else(emolens: Emolens, again: list) -> None:
    folder = Path(again[-1])
    ended = emolens("run", *again, "--json")
    assert ended == Ended(0, (folder / "evaluation.json").read_text("utf-8"), "")


def test_run_prints_scores_and_the_report_on_stdout_the_rest_on_stderr(
    emolens: Emolens, again: list
) -> None:
    ended = emolens("run", *again)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[-1] == str(Path(again[-1]) / "report.html")
    scores, calibration = 1 + 2 * 4, 2 + 3  # with their titles
    assert len(lines) == scores + 1 + calibration + 1
    assert "as before" in ended.err
    rival = rival_of(Evaluation.load(Path(again[-1]) / "evaluation.json"), "test")
    assert rival
    assert comparison_sentence(rival) in ended.err.replace("\n", " ")
    for stage in ("tokenize", "audit", "embed", "map", "probe", "finetune", "evaluate", "report"):
        assert f"  {stage} " in ended.err


def test_a_run_says_first_that_a_simpler_model_is_better_and_then_what_else_is_wrong(
    emolens: Emolens, collapsed_run: Run, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(collapsed_run.folder, tmp_path / "run"))
    arguments = ("run", folder / "study.toml", "--out", folder)
    warned = [f"Warning: {text}" for text in collapsed_run.evaluation.warnings]
    ended = emolens(*arguments)
    assert ended.code == 0
    lines = ended.err.splitlines()
    start = lines.index(warned[0])
    assert lines[start : start + len(warned)] == warned
    assert re.match("Warning: The .+ model is (better than|as good as) the fine-", warned[0])
    assert "Warning: The fine-tuned model has collapsed" in warned[-1]
    assert emolens(*arguments, "--quiet").err == ""
    assert json.loads(emolens(*arguments, "--json").out)["warnings"] == [
        text.removeprefix("Warning: ") for text in warned
    ]


def test_quiet_leaves_stderr_empty(emolens: Emolens, again: list) -> None:
    ended = emolens("run", *again, "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out


def test_quiet_answers_without_a_word_beside(emolens: Emolens, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", [("so good",), ("where is it?",)], ("text",))
    for arguments in (["predict", "so good"], ["predict", "--input", table], ["check", table]):
        ended = emolens(*arguments, "--quiet")
        assert (ended.code, ended.err) == (0, ""), arguments
        assert ended.out


def test_quiet_says_which_file_of_the_user_was_renamed(emolens: Emolens, again: list) -> None:
    page = Path(again[-1]) / "report.html"
    page.write_text("mine", "utf-8")
    ended = emolens("run", *again, "--quiet")
    assert ended.code == 0
    note = f"Note: {page} is not as emolens wrote it; it is now called report.html.yours.\n"
    assert ended.err == note


def test_a_whole_run_for_machines_leaves_stderr_empty(
    emolens: Emolens, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    ended = emolens("run", study_file(), "--out", tmp_path / "run", "--json")
    assert ended == Ended(0, (tmp_path / "run" / "evaluation.json").read_text("utf-8"), "")


@pytest.mark.parametrize("stage", ["embed", "map", "baselines", "probe", "finetune"])
def test_a_stage_prints_what_it_wrote(emolens: Emolens, again: list, stage: str) -> None:
    ended = emolens(stage, *again, "--quiet")
    assert (ended.code, ended.err) == (0, "")
    summary, *paths = ended.out.splitlines()
    assert summary
    assert paths
    for path in paths:
        assert Path(path).is_file()
    printed = json.loads(emolens(stage, *again, "--json").out)
    assert (printed["stage"], printed["summary"]) == (stage, summary)
    names = [*printed["outputs"], *printed["figures"]]
    assert [str(Path(printed["folder"]) / name) for name in names] == paths
    pictures = [Path(path) for path in paths if path.endswith(".png")]
    assert bool(pictures) is (stage in ("map", "probe", "finetune"))


def test_evaluate_prints_the_figures(emolens: Emolens, again: list) -> None:
    ended = emolens("evaluate", *again, "--json")
    assert ended.out == (Path(again[-1]) / "evaluation.json").read_text("utf-8")
    *_, last = emolens("evaluate", *again).out.splitlines()
    assert Path(last).parent == Path(again[-1]) / "figures"
    assert Path(last).is_file()


def test_set_dataset_encoder_and_columns_override_the_study(
    emolens: Emolens, study_file: Callable[..., Path], tiny_encoder: Path, tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "posts.csv", feeling_rows(60), header=("post body", "mood"))
    settings = ["--set", "seed=3", "--set", 'encoder.pooling="cls"', "--set", "data.limit=20"]
    columns = ["--text", "post body", "--label", "mood"]
    where = ["--dataset", data, "--encoder", tiny_encoder, "--out", tmp_path / "run"]
    ended = emolens("baselines", study_file(), *where, *columns, *settings)
    assert ended.code == 0, ended.err
    from emolens.study import load_study

    study = load_study(tmp_path / "run" / "study.toml")
    assert (study.seed, study.encoder.pooling, study.data.limit) == (3, "cls", 20)
    assert (study.data.dataset, study.data.text) == (str(data), "post body")


# --- inspect and tokenize ---


def test_inspect_json_is_the_audit(
    emolens: Emolens, feelings_folder: Path, tiny_encoder: Path
) -> None:
    ended = emolens("inspect", feelings_folder, "--encoder", tiny_encoder, "--json")
    assert (ended.code, ended.err) == (0, "")
    audit = json.loads(ended.out)
    assert {name: split["n"] for name, split in audit["splits"].items()} == {
        "train": 60,
        "validation": 18,
        "test": 18,
    }
    assert audit["splits"]["train"]["by_class"] == {"sadness": 20, "joy": 20, "anger": 20}
    assert audit["splits"]["train"]["n_tokens"]["maximum"] <= audit["max_length"] == 32


def test_inspect_shows_splits_columns_rows_and_classes(
    emolens: Emolens, feelings_folder: Path
) -> None:
    ended = emolens("inspect", feelings_folder)
    assert (ended.code, ended.err) == (0, "")
    for words in ("columns: text, label", "First rows of train", "i am sad", "label_name", "60"):
        assert words in ended.out


def test_inspect_lists_the_checks_and_those_that_are_ignored(
    emolens: Emolens, feelings_folder: Path, tiny_encoder: Path
) -> None:
    given = ("inspect", feelings_folder, "--encoder", tiny_encoder)
    ended = emolens(*given, "--ignore", "t03,T05", "--ignore", "L05")
    assert (ended.code, ended.err) == (0, "")
    status = {
        words[0]: words[1] for line in ended.out.splitlines() if len(words := line.split()) > 1
    }
    assert [status[code] for code in ("T03", "T05", "L05", "R01")] == ["ignored"] * 3 + ["passed"]
    ended = emolens(*given, "--ignore", "T3")
    assert_two_lines(ended, code=2, says="Did you mean 'T03'?")


def test_inspect_shows_a_table_without_labels_and_says_why(
    emolens: Emolens, tiny_encoder: Path, tmp_path: Path
) -> None:
    source = write_csv(
        tmp_path / "in.csv", [(1, "so happy"), (2, ""), (3, "so sad")], ("id", "text")
    )
    ended = emolens("inspect", source, "--encoder", tiny_encoder)
    assert ended.code == 0, ended
    assert "has no column with a usual name for labels" in ended.err
    assert "So only the texts are looked at." in ended.err
    for words in ("the texts are in 'text'", "so happy", "T01  noted", "T07  passed"):
        assert words in ended.out
    assert "L01" not in ended.out
    ended = emolens("inspect", source, "--encoder", tiny_encoder, "--json")
    assert json.loads(ended.out)["splits"]["table"]["n"] == 2


def test_inspect_still_refuses_labels_that_are_wrong(emolens: Emolens, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [("so happy", "joy")] * 9, ("text", "label"))
    assert_two_lines(emolens("inspect", source), code=1, says="only 1 different text")
    missing = emolens("inspect", source, "--label", "mood")
    assert_two_lines(missing, code=1, says="no label column 'mood'")


def test_inspect_takes_what_the_user_says_about_labels(emolens: Emolens, tmp_path: Path) -> None:
    labels = ["0", "1", "2", "0|1", "unclear"] * 10
    rows = [(f"text {i}", label) for i, label in enumerate(labels)]
    path = str(write_csv(tmp_path / "a.csv", rows))
    options = ["--class-names", "joy,fear,awe", "--missing", "unclear", "--drop-classes", "awe"]
    ended = emolens("inspect", path, "--json", *options)
    assert ended.code == 0
    splits = json.loads(ended.out)["splits"]
    assert list(splits["train"]["by_class"]) == ["joy", "fear"]
    assert sum(split["n"] for split in splits.values()) == 30
    whole = emolens("inspect", path, "--json", "--label-separator", "none")
    assert "0|1" in json.loads(whole.out)["splits"]["train"]["by_class"]
    learned = emolens("baselines", "--dataset", path, *options, "--out", str(tmp_path / "run"))
    assert_two_lines(learned, code=1, says="several labels in 10 of 30 rows")


def test_inspect_says_what_the_bundled_corpus_is_and_shows_every_class(emolens: Emolens) -> None:
    ended = emolens("inspect", "starter")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].startswith("starter: ")
    assert "CC0-1.0" in ended.out.splitlines()[0]
    shown = ended.out.split("One text of each class")[1].split("Splits")[0]
    classes = ("sadness", "joy", "love", "anger", "fear", "surprise", "neutral")
    assert [name for name in classes if f" {name} " in shown] == list(classes)
    assert "Nothing was found that harms" in ended.out


def test_tokenize_shows_the_ids_of_the_sample_sentence(emolens: Emolens) -> None:
    ended = emolens("tokenize", SAMPLE)
    assert (ended.code, ended.err) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines()}
    assert list(map(int, lines["input_ids"])) == SAMPLE_IDS
    assert lines["attention_mask"] == ["1"] * 12
    assert " ".join(lines["tokens"]) == ("[CLS] token ##izing text is a core task of nl ##p [SEP]")


def test_tokenize_pads_several_texts_together(emolens: Emolens) -> None:
    ended = emolens("tokenize", "text", SAMPLE, "--json")
    short, long = json.loads(ended.out)
    assert long["input_ids"] == SAMPLE_IDS
    assert short["input_ids"] == [101, 3793, 102, *[0] * 9]
    assert short["attention_mask"] == [1, 1, 1, *[0] * 9]
    assert short["tokens"][3:] == ["[PAD]"] * 9
    assert not short["truncated"]


def test_tokenize_says_what_was_cut(emolens: Emolens, tiny_encoder: Path) -> None:
    ended = emolens("tokenize", "very " * 100, "--encoder", tiny_encoder)
    assert ended.out.splitlines()[-1] == "cut at 32 tokens"


# --- predict and export ---


def test_encode_writes_vectors_beside_the_table(
    emolens: Emolens, tiny_encoder: Path, tmp_path: Path
) -> None:
    source = write_csv(tmp_path / "in.csv", [(1, "so happy"), (2, "very " * 60)], ("id", "text"))
    how = ["--encoder", tiny_encoder, "--pooling", "mean", "--layer", "1", "--normalize"]
    ended = emolens("encode", source, *how, "--precision", "fp32")
    assert ended.code == 0, ended
    assert ended.out == f"{tmp_path / 'in-embeddings.parquet'}\n"
    assert "2 rows, a vector of 16 numbers for each, on cpu, fp32" in ended.err
    assert "cut at the encoder's 32 tokens: 1" in ended.err
    rows = pq.read_table(tmp_path / "in-embeddings.parquet").to_pylist()
    assert [sum(x * x for x in row["embedding"]) for row in rows] == pytest.approx([1, 1])


def test_encode_names_what_it_does_not_know(
    emolens: Emolens, tiny_encoder: Path, tmp_path: Path
) -> None:
    source = write_csv(tmp_path / "in.csv", [("so happy",)], ("text",))
    for option, value, says in (
        ("--pooling", "men", "Did you mean 'mean'?"),
        ("--layer", "9", "no layer 9"),
        ("--precision", "int4", "Did you mean 'int8'?"),
    ):
        ended = emolens("encode", source, "--encoder", tiny_encoder, option, value)
        assert_two_lines(ended, code=2, says=says)


def test_the_options_of_encoding_reach_the_study(
    emolens: Emolens, tiny_run: Run, tmp_path: Path
) -> None:
    study = tiny_run.folder / "study.toml"
    options = ["--layer", "1", "--pooling", "cls", "--normalize", "--precision", "bf16"]
    ended = emolens("embed", study, "--out", tmp_path / "run", *options)
    assert ended.code == 0, ended
    facts = json.loads((tmp_path / "run" / "embeddings" / "embeddings.json").read_text("utf-8"))
    asked = {"layer": 1, "pooling": "cls", "normalize": True, "precision": "bf16"}
    assert asked.items() <= facts.items()


def test_predict_answers_each_text(emolens: Emolens, tiny_run: Run) -> None:
    model = tiny_run.folder / "model"
    ended = emolens("predict", *TEXTS, "--model", model)
    assert ended.code == 0
    head, *rows = ended.out.splitlines()
    assert head.split()[-1] == "text"
    for row, text in zip(rows, TEXTS, strict=True):
        assert row.rstrip().endswith(f"  {text}")
    answers = json.loads(emolens("predict", *TEXTS, "--model", model, "--json").out)
    assert [answer["text"] for answer in answers] == TEXTS
    for answer, row in zip(answers, rows, strict=True):
        assert (answer["label"] or answer["best_guess"]) in row
        assert set(answer["probabilities"]) == {"sadness", "joy", "anger"}
        assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_predict_reads_lines_of_stdin(emolens: Emolens, tiny_run: Run) -> None:
    model = tiny_run.folder / "model"
    lines = io.StringIO("i am sad\r\n\n  \ni am happy\n", newline="\n")
    piped = emolens("predict", "-", "--model", model, "--json", stdin=lines)
    given = emolens("predict", "i am sad", "", "  ", "i am happy", "--model", model, "--json")
    assert piped == given
    answers = json.loads(piped.out)
    assert [answer["text"] for answer in answers] == ["i am sad", "", "  ", "i am happy"]
    assert [answer["reason"] == "blank" for answer in answers] == [False, True, True, False]
    assert answers[1]["probabilities"] == {"sadness": None, "joy": None, "anger": None}


def test_predict_gives_a_blank_text_no_emotion(emolens: Emolens, tiny_run: Run) -> None:
    ended = emolens("predict", "i am sad", "", "\u200b", "--model", tiny_run.folder / "model")
    assert ended.code == 0
    _, sad, *blank = ended.out.splitlines()
    assert "sad" in sad
    assert [row.split() for row in blank] == [["–", "blank"], ["–", "blank", "·"]]


def test_predict_names_bytes_of_stdin_that_are_no_text(emolens: Emolens, tiny_run: Run) -> None:
    lines = io.TextIOWrapper(io.BytesIO(b"so na\xefve"), encoding="utf-8")
    ended = emolens("predict", "-", "--model", tiny_run.folder / "model", stdin=lines)
    assert_two_lines(ended, code=1, says="not UTF-8 (byte 0xef)")


def test_predict_flags_what_is_unsure(emolens: Emolens, tiny_run: Run) -> None:
    model = tiny_run.folder / "model"
    for threshold, flagged in ((0, False), (1, True)):
        ended = emolens("predict", "i am sad", "--model", model, "--unsure-below", threshold)
        assert ("low probability" in ended.out) is flagged


def test_predict_writes_a_table_beside_the_input(
    emolens: Emolens, tiny_run: Run, tmp_path: Path
) -> None:
    source = write_csv(tmp_path / "posts.csv", [("1", "i am sad"), ("2", "")], ("id", "text"))
    model = ("--model", tiny_run.folder / "model", "--unsure-below", 1)
    ended = emolens("predict", "--input", source, *model)
    target = tmp_path / "posts-emotions.csv"
    assert (ended.code, ended.out) == (0, f"{target}\n")
    model_line, count, threshold, *found = ended.err.splitlines()
    assert model_line.startswith(f"Note: The model is {tiny_run.folder / 'model'}. Its classes: ")
    assert found[0].rstrip() == "What was found in 1 text"
    assert count == "Note: 2 rows: 0 answered, 2 unsure (1 low probability, 1 blank)."
    assert "An answer is unsure if its probability is below 1." in threshold
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["1", "2"]
    assert {"emotion", "probability", "unsure", "p_joy"} <= set(rows[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["posts-emotions.csv", "posts.csv"]


def test_warnings_are_notes_and_equal_names_keep_their_columns(
    emolens: Emolens, tiny_run: Run, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_run.folder / "model", model)
    config = json.loads((model / "config.json").read_text("utf-8"))
    config["id2label"] = {"0": "sad", "1": "fine", "2": "sad"}
    (model / "config.json").write_text(json.dumps(config), "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        ended = emolens("predict", "i am sad", "--model", model, "--json")
    changed = f"{model / 'config.json'} is not as emolens wrote it; it is used as it is now."
    several = "Several classes are named 'sad'; they are shown with their numbers."
    assert ended.code == 0
    assert ended.err.startswith(f"Note: {several}\nNote: {changed}\n")
    (answer,) = json.loads(ended.out)
    assert list(answer["probabilities"]) == ["sad (0)", "fine", "sad (2)"]


def test_predict_shows_no_control_characters(emolens: Emolens, tiny_run: Run) -> None:
    text = "i am \x1b[31msad\x1b]0;title\x07 \u202egnp"
    ended = emolens("predict", text, "--model", tiny_run.folder / "model")
    assert ended.code == 0
    assert "\x1b" not in ended.out
    assert all(sign.isprintable() for sign in ended.out.replace("\n", ""))


def test_export_makes_a_bare_model_folder_ready_to_predict(
    emolens: Emolens, tiny_run: Run, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_run.folder / "model", model, ignore=shutil.ignore_patterns("openvino"))
    refused = emolens("predict", "i am sad", "--model", model)
    assert_two_lines(refused, code=1, says="emolens export")
    ended = emolens("export", model)
    assert (ended.code, "0 labels differ" in ended.err) == (0, True)
    for written in ("openvino/openvino_model.xml", "onnx/model.onnx"):
        assert str(model / written) in ended.out.splitlines()
    exported = emolens("predict", "i am sad", "--model", model, "--json")
    before = emolens("predict", "i am sad", "--model", tiny_run.folder / "model", "--json")
    assert (exported.code, exported.out) == (before.code, before.out)
    # The first line of each names the folder of its model.
    assert exported.err.splitlines()[1:] == before.err.splitlines()[1:]
