"""The card of a run: its examples are the model's own answers, and the user's words stay."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from emolens.data.sources import load_dataset
from emolens.encode.backbone import EncoderFolder, find_encoder
from emolens.errors import UsageError
from emolens.export.onnx import export_onnx
from emolens.output import SetAside
from emolens.predict.classifier import Classifier
from emolens.show.cardtext import has_own_words
from emolens.study import Run, Study, load_study, run_study
from emolens.study.about import about, base_license
from emolens.study.context import Context
from tests.conftest import HOSTILE, feeling_rows


@pytest.fixture
def copied(tiny_run: Run, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    return Path(shutil.copytree(tiny_run.folder, tmp_path / "run"))


def card_of(run: Path) -> str:
    return (run / "model" / "README.md").read_bytes().decode("utf-8")


def with_card(study: Study, **settings: str) -> Study:
    return Study.model_validate({**study.model_dump(), "card": settings})


def context_of(run: Run, **changes: Any) -> Context:
    return Context(
        **{
            "study": run.study,
            "dataset": load_dataset(run.study.data.dataset),
            "encoder": find_encoder(run.study.encoder.name),
            "folder": run.folder,
            "records": run.records,
            "progress": lambda done, total: None,
            "note": lambda text: None,
            **changes,
        }
    )


@contextlib.contextmanager
def output() -> Iterator[io.StringIO]:
    with contextlib.redirect_stdout(io.StringIO()) as written:
        yield written


def test_each_way_to_load_the_model_runs_and_gives_the_answer_of_the_card(copied: Path) -> None:
    card, model = card_of(copied), copied / "model"
    export_onnx(model, [text for text, _ in feeling_rows(20)])
    blocks = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(blocks) == 3
    (row,) = re.findall(
        r"^\| I am so happy to see you \| (\w+) \(unsure\) \| ([\d.]+) \|$", card, re.MULTILINE
    )
    for block in blocks:
        code = block.replace("THIS_FOLDER", model.as_posix())
        with output() as written:
            exec(compile(code, "README.md", "exec"), {})
        numbers = [float(number) for number in re.findall(r"\d\.\d+", written.getvalue())]
        assert row[0] in written.getvalue()
        assert max(numbers) == pytest.approx(float(row[1]), abs=0.006)


def test_the_examples_are_the_answers_of_this_model(tiny_run: Run) -> None:
    rows = re.findall(r"^\| (.*) \| (.*) \| (0\.\d\d) \|$", card_of(tiny_run.folder), re.MULTILINE)
    assert len(rows) == 6
    classifier = Classifier(tiny_run.folder / "model", precision="fp32", answer_all=True)
    answers = classifier.predict([row[0] for row in rows])
    shown = [(f"{p.label}{' (unsure)' * p.unsure}", f"{p.probability:.2f}") for p in answers]
    assert shown == [row[1:] for row in rows]
    texts = {text for split in context_of(tiny_run).dataset.splits.values() for text in split.texts}
    assert not texts & {row[0] for row in rows}


def test_a_card_tells_nothing_of_this_machine_and_no_text_of_the_data(tiny_run: Run) -> None:
    card, dataset = card_of(tiny_run.folder), context_of(tiny_run).dataset
    for split in dataset.splits.values():
        assert [text for text in split.texts if text in card] == []
    for private in (Path.home(), tiny_run.folder.parent, tiny_run.study.encoder.name, "/tmp"):
        assert str(private) not in card
    assert "_name_or_path" not in card


def test_settings_of_the_card_stand_in_it(tiny_run: Run, copied: Path) -> None:
    settings = {"license": "MIT", "data_license": "ours, all of it", "language": "en, fr"}
    run = run_study(with_card(tiny_run.study, **settings, examples="test"), copied)
    card = card_of(copied)
    data = ModelCard(card).data
    assert (data.license, data.language) == ("mit", ["en", "fr"])
    assert "License of the data (data): ours, all of it." in card
    assert not has_own_words(card)
    assert "Rows of the test split, with the answers of this very model:" in card
    dataset = context_of(tiny_run).dataset
    for example in about(context_of(run)).examples:
        split = dataset["test"]
        row = split.texts.index(example.text)
        assert example.label == dataset.labels.names[split.labels[row]]
    assert "\\<script\\>" in card
    assert HOSTILE[0] not in card
    other = with_card(tiny_run.study, language="fr")
    assert about(context_of(run, study=other)).examples == ()  # the sentences are English


def test_a_sentence_that_is_in_the_data_is_not_shown(tiny_run: Run) -> None:
    dataset = context_of(tiny_run).dataset
    train = dataset["train"]
    texts = ("I am so HAPPY to see you", *train.texts[1:])
    splits = {**dataset.splits, "train": replace(train, texts=texts)}
    context = context_of(tiny_run, dataset=replace(dataset, splits=splits))
    assert len(about(context).examples) == 5


def test_without_an_export_the_card_has_no_examples(tiny_run: Run) -> None:
    records = {name: r for name, r in tiny_run.records.items() if name != "export"}
    assert about(context_of(tiny_run, records=records)).examples == ()


def test_words_and_keys_of_the_user_stay_when_the_card_is_written_again(
    tiny_run: Run, copied: Path
) -> None:
    path = copied / "model" / "README.md"
    mine = card_of(copied).replace("\ntags:", "\nlicense: gpl-3.0\ntags:", 1)
    mine = mine.replace("\n<!-- emolens: begin", "\n# By Zoë\n\n<!-- emolens: begin", 1)
    path.write_bytes(f"{mine}\nThanks to all 😀".replace("\n", "\r\n").encode())
    run_study(with_card(tiny_run.study, data_license="cc0-1.0"), copied)
    card = card_of(copied)
    assert "License of the data (data): cc0-1.0." in card
    assert ModelCard(card).data.license == "gpl-3.0"
    assert "License of the weights: gpl-3.0.\r\n" in card
    assert "---\r\n\r\n# By Zoë\r\n\r\n<!-- emolens: begin" in card
    assert card.endswith("-->\r\n\r\nThanks to all 😀")
    assert list(copied.rglob("*.yours*")) == []
    again = run_study(with_card(tiny_run.study, data_license="cc0-1.0"), copied)
    assert card_of(copied) == card
    assert again.records["report"].outputs["model/README.md"]
    run_study(tiny_run.study, copied)
    assert "License of the data (data): not stated" in card_of(copied)
    assert "Thanks to all 😀" in card_of(copied)
    with pytest.warns(UserWarning, match=r"keeps the license that you wrote there \(gpl-3\.0\)"):
        run = run_study(with_card(tiny_run.study, license="mit"), copied)
    assert run.records["report"].summary.endswith("and a model card with your words")
    assert ModelCard(card_of(copied)).data.license == "gpl-3.0"


def test_figures_that_the_user_changed_are_said_to_stay(tiny_run: Run, copied: Path) -> None:
    path = copied / "model" / "README.md"
    path.write_bytes(path.read_bytes().replace(b"value: 0.", b"value: 1.", 1))
    with pytest.warns(UserWarning, match="keeps the model-index that you changed"):
        run_study(tiny_run.study, copied)
    assert "value: 1." in card_of(copied)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card: card.replace(b"accuracy", b"ACCURACY"), "the part that emolens writes was"),
        (lambda card: b"# My own\n", "are not there once each"),
        (lambda card: card + b"\xff", "it is not UTF-8"),
    ],
)
def test_a_card_that_can_not_be_renewed_is_kept_beside_the_new_one(
    tiny_run: Run, copied: Path, change: Any, reason: str
) -> None:
    path = copied / "model" / "README.md"
    fresh = path.read_bytes()
    path.write_bytes(changed := change(fresh))
    with pytest.warns(SetAside) as caught:
        run_study(tiny_run.study, copied)
    messages = [str(warning.message) for warning in caught]
    assert any(reason in message for message in messages)
    assert any("is now called README.md.yours" in message for message in messages)
    assert path.read_bytes() == fresh
    assert path.with_name("README.md.yours").read_bytes() == changed


def test_a_license_is_read_from_the_card_of_the_base_model(
    tiny_run: Run, tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "base"))
    context = context_of(tiny_run, encoder=replace(find_encoder(folder), folder=folder))
    assert base_license(context) is None
    for content, license in (
        (b"---\nlicense: cc-by-4.0\n---\n", "cc-by-4.0"),
        (b"---\nlicense: [\n---\n", None),
        (b"---\nlicense: other\n---\n", "other"),
        (b"\xff\xfe", None),
    ):
        (folder / "README.md").write_bytes(content)
        assert base_license(context) == license
        assert about(context).license == (None if license == "other" else license)
        stated = with_card(tiny_run.study, license="mit")
        assert about(replace(context, study=stated)).license == "mit"
        assert about(replace(context, study=stated)).base_license == license


@pytest.mark.parametrize(
    ("name", "license"),
    [
        ("starter", "CC0-1.0"),
        ("dair-ai/emotion:split@main", "education and research"),
        ("owner/other", None),
        ("emotion-of-mine", None),
    ],
)
def test_licenses_of_known_data_are_known(tiny_run: Run, name: str, license: str | None) -> None:
    dataset = replace(context_of(tiny_run).dataset, name=name)
    assert about(context_of(tiny_run, dataset=dataset)).data_license == license


def test_data_of_the_hub_is_named_with_its_commit(tiny_run: Run) -> None:
    dataset = replace(context_of(tiny_run).dataset, name="owner/data:part@v2", commit="0123abc")
    found = about(context_of(tiny_run, dataset=dataset)).hub_data
    assert found == ("owner/data", "part", "0123abc")
    assert about(context_of(tiny_run)).hub_data is None


@pytest.mark.parametrize(
    ("name", "hub_id"),
    [
        ("minilm", "sentence-transformers/all-MiniLM-L6-v2"),
        ("distilbert", "distilbert/distilbert-base-uncased"),
        ("owner/name@v2", "owner/name"),
    ],
)
def test_the_base_model_is_named_as_on_the_hub(name: str, hub_id: str) -> None:
    assert EncoderFolder(name, Path("anywhere"), "0" * 64).hub_id == hub_id


def test_a_base_model_in_a_folder_is_named_without_its_path(
    tiny_run: Run, tiny_encoder: Path
) -> None:
    context = context_of(tiny_run)
    shown = about(context)
    assert (shown.base_model, shown.base) == (None, tiny_encoder.name)
    for name, base in (
        ("minilm", "sentence-transformers/all-MiniLM-L6-v2"),
        ("owner/name@v2", "owner/name@v2"),
    ):
        encoder = EncoderFolder(name, context.encoder.folder, context.encoder.weights_sha256)
        assert about(replace(context, encoder=encoder)).base == base


@pytest.mark.parametrize("language", ["English", "e", "en fr", "EN"])
def test_a_language_is_a_code(language: str) -> None:
    with pytest.raises(UsageError, match="a code such as en"):
        load_study("starter", {"card.language": language})
    study = load_study("starter", {"card.language": "no", "card.license": "2.0"})
    assert study.card.languages == ("no",)
    assert study.card.license == "2.0"
