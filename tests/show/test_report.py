"""The report in a real browser: it is complete, fetches nothing, and runs no text of the data."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from emolens.data.audit import Audit
from emolens.data.dataset import TRAIN
from emolens.data.sources import load_dataset
from emolens.encode.batches import padded_batch
from emolens.encode.tokenize import Tokenizer
from emolens.evaluation.behavior import Behavior
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.metrics import Comparison
from emolens.evaluation.verdict import comparison_sentence
from emolens.explore.project import Projection
from emolens.learn.finetune.loop import kept_look
from emolens.scores import (
    EXPORTED,
    ROLES,
    FinetuneFacts,
    LinearFacts,
    MajorityFacts,
    Role,
    Scores,
    role_of,
)
from emolens.show.card import About, model_card
from emolens.show.report import ReportContents, render_report
from emolens.shown import visible, visible_lines
from emolens.store import load_json
from emolens.study import Run
from tests.conftest import HOSTILE
from tests.show.conftest import CSP, Browse, Page

SECTIONS = [
    *("data", "classes", "audit", "tokens", "embeddings", "map", *ROLES),
    *("validation", "test", "believe", "errors", "behavior", "made"),
]
FIGURES = [
    *("classes", "lengths", "map", "confusion-probe", "learning-curve"),
    *("scores-validation", "confusion-validation", "scores-test", "confusion-test"),
    *("reliability-test", "coverage-test"),
]
HARD_CLASS = "</td><script>document.title='pwned'</script><img src=x onerror=alert(1)> {{7*7}} שמחה"


def scores_of(run: Run) -> list[Scores]:
    folders = [run.folder / role.folder for role in ROLES.values()]
    return [Scores.load(folder, ("validation", "test")) for folder in folders]


def contents(run: Run, *, joy: str = "joy") -> ReportContents:
    """The contents of a run's report, with another name for the class joy."""

    def renamed(value: object) -> object:
        if isinstance(value, dict):
            return {joy if k == "joy" else k: renamed(v) for k, v in value.items()}
        if isinstance(value, list):
            return [renamed(v) for v in value]
        return joy if value == "joy" else value

    audit: Any = renamed(load_json(run.folder / "audit.json"))
    evaluation: Any = renamed(load_json(run.folder / "evaluation.json"))
    scores = scores_of(run)
    texts = load_dataset(run.study.data.dataset)[TRAIN].texts
    return ReportContents(
        study=run.study.model_dump(),
        study_toml=run.study.to_toml(),
        audit=Audit.from_dict(audit),
        example=padded_batch(Tokenizer.from_folder(run.folder / "model"), texts[:2]),
        shapes={TRAIN: (66, 16)},
        embed_runtime="cpu",
        projection=Projection.load(run.folder / "projection.parquet"),
        facts={s.model: s.facts for s in scores if s.facts} | {"majority": MajorityFacts(joy)},
        evaluation=Evaluation.from_dict(evaluation),
        figures={name: run.folder / "figures" / f"{name}.svg" for name in FIGURES},
        stages={name: asdict(record) for name, record in run.records.items()},
        behavior=Behavior.from_dict(load_json(run.folder / "behavior.json")),
    )


@pytest.fixture(scope="module")
def report(tiny_run: Run) -> str:
    return tiny_run.report.read_text("utf-8")


def test_every_section_and_figure_is_there(report: str, tiny_run: Run) -> None:
    page = Page(report)
    assert [h["id"] for h in page.all("h2")] == SECTIONS
    assert [a["href"] for a in page.all("a")] == [f"#{section}" for section in SECTIONS]
    assert len(page.all("img")) == len(FIGURES)
    for name in FIGURES:
        for suffix in (".png", ".svg"):
            assert (tiny_run.folder / "figures" / f"{name}{suffix}").stat().st_size > 1000
    assert all(image["alt"] for image in page.all("img"))


def test_the_page_fetches_nothing(report: str) -> None:
    page = Page(report)
    for tag, attributes in page.elements:
        assert tag not in {"link", "script", "iframe", "object", "embed", "base", "form"}
        for name in ("src", "href", "srcset", "action", "data", "poster", "background"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import", "".join(page.texts["style"]))
    policy = CSP.search(report)
    assert policy is not None
    assert "default-src 'none'" in policy[0]


def test_the_figures_are_those_of_the_evaluation(report: str, tiny_run: Run) -> None:
    for models in tiny_run.evaluation.by_split.values():
        for figures in models.values():
            assert f"<td>{figures.accuracy:.4f} <small>" in report
    assert f"<b>{tiny_run.evaluation.by_split['test'][EXPORTED.name].accuracy:.1%}</b>" in report


def test_the_reasons_it_gives_for_each_choice_are_true(report: str, tiny_run: Run) -> None:
    chosen_by_loss = 0
    for scores in scores_of(tiny_run):
        section = report.split(f'id="{scores.model}"')[1].split("<h2", maxsplit=1)[0]
        facts = scores.facts
        if isinstance(facts, LinearFacts):
            losses = facts.log_loss_by_C
            best = min(losses, key=losses.__getitem__)
            assert f"C = {best} is chosen, because it has the lowest log-loss on val" in section
            assert float(best) == facts.C
            chosen_by_loss += 1
        if isinstance(facts, FinetuneFacts):
            n_rows = len(scores.predictions("validation"))
            place = kept_look([point.macro_f1 for point in facts.history], n_rows)
            kept = f"{facts.history[place].epoch:g}"
            assert f"Epoch {kept} is kept: the last one that is no more than a" in section
    assert chosen_by_loss == 2
    validation = tiny_run.evaluation.by_split["validation"]
    best = role_of(max(validation, key=lambda model: validation[model].macro_f1)).title
    assert f"that the {best} model gets wrong. This model is shown because it has the" in report


def test_a_role_that_is_added_is_shown_everywhere(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = contents(tiny_run)
    role = Role("twin", "Twin <1>", "the probe once more", "twin", LinearFacts)
    monkeypatch.setitem(ROLES, role.name, role)
    for models in shown.evaluation.by_split.values():
        models[role.name] = models["probe"]
    report = render_report(shown)
    page = Page(report)
    assert "twin" in [h["id"] for h in page.all("h2")]
    assert page.texts["td"].count(role.title) == 4
    assert "The probe once more." in report
    card = model_card("tiny", shown.audit, shown.evaluation, about=About("minilm"))
    assert card.count("Twin \\<1\\>") == 2


def test_it_says_which_model_is_better(tiny_run: Run) -> None:
    shown = contents(tiny_run)
    worse = Comparison("probe", "finetune", only_first=40, only_second=9, p_value=0.00001)
    shown.evaluation.comparisons["test"][-1] = worse
    page = render_report(shown).replace("&#39;", "'")
    assert "The probe model is better than the fine-tuned model" in page
    for split in ("validation", "test"):
        for comparison in shown.evaluation.comparisons[split]:
            assert comparison_sentence(comparison).replace("<", "&lt;") in page


def test_no_name_or_text_holds_a_character_that_reorders_the_page(tiny_run: Run) -> None:
    evil = "joy\x85\x9b2J\u202egnp\u2066x\u2028"
    shown = contents(tiny_run, joy=evil)
    shown.example[0]["tokens"][0] = evil
    page = render_report(replace(shown, study_toml=f"# {evil}\n# two"))
    assert visible_lines(page) == page
    assert f"# {visible(evil)}\n# two" in page
    assert page.count(visible(evil)) > 20


# Without its policy, only the escaping protects the page, and that must be enough.
@pytest.mark.parametrize("policy", ["with its policy", "without its policy"])
def test_texts_and_class_names_show_as_text_and_never_run(
    chromium: Browse, tiny_run: Run, tmp_path: Path, policy: str
) -> None:
    html = render_report(contents(tiny_run, joy=HARD_CLASS))
    if policy == "without its policy":
        html = CSP.sub("", html)
    (tmp_path / "report.html").write_text(html, "utf-8")
    page = Page(chromium(tmp_path / "report.html", "--virtual-time-budget=3000", "--dump-dom"))
    assert page.texts["title"] == ["tiny · emolens"]
    assert not page.all("script")
    assert len(page.all("img")) == len(FIGURES)
    assert len(page.all("style")) == 1
    assert [h["id"] for h in page.all("h2")] == SECTIONS
    assert set(map(visible, HOSTILE)) <= set(page.texts["td"])
    assert HARD_CLASS in page.texts["td"]


def test_the_first_screen_says_that_a_model_has_collapsed(
    chromium: Browse, collapsed_run: Run, report: str, tmp_path: Path
) -> None:
    page = Page(collapsed_run.report.read_text("utf-8"))
    assert set(collapsed_run.evaluation.warnings) <= set(page.texts["li"])
    measure = (
        "<script>onload = () => { document.title = "
        "document.querySelector('.warnings').getBoundingClientRect().bottom }</script>"
    )
    html = CSP.sub("", collapsed_run.report.read_text("utf-8")) + measure
    (tmp_path / "report.html").write_text(html, "utf-8")
    options = ("--window-size=1280,720", "--virtual-time-budget=3000", "--dump-dom")
    dom = Page(chromium(tmp_path / "report.html", *options))
    assert 0 < float(dom.texts["title"][0]) < 720


def test_every_image_loads(chromium: Browse, report: str, tmp_path: Path) -> None:
    images = [f'<img src="{image["src"]}">' for image in Page(report).all("img")]
    measure = (
        "<script>onload = () => { document.title = JSON.stringify("
        "[...document.images].map(i => [i.complete, i.naturalWidth, i.naturalHeight])) }</script>"
    )
    (tmp_path / "images.html").write_text("<title>no</title>" + "".join(images) + measure)
    dom = chromium(tmp_path / "images.html", "--virtual-time-budget=5000", "--dump-dom")
    sizes = json.loads(Page(dom).texts["title"][0])
    assert len(sizes) == len(FIGURES)
    for complete, width, height in sizes:
        assert complete
        assert min(width, height) > 50


def test_the_page_is_drawn(chromium: Browse, tiny_run: Run, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    chromium(tiny_run.report, f"--screenshot={shot}", "--window-size=1200,4000")
    pixels = np.asarray(imread(shot))[..., :3]
    assert pixels.shape == (4000, 1200, 3)
    drawn = (pixels < 0.9).any(axis=2)
    # Each of eight bands of the page has content, and the pictures have color.
    assert drawn.reshape(8, 500, 1200).any(axis=(1, 2)).all()
    assert (np.ptp(pixels, axis=2) > 0.3).sum() > 5000


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [((20, 20, 21), "about the same size"), ((60, 20, 40), "For each text of 'joy' there are 3.0")],
)
def test_the_class_sentence_says_how_unequal_they_are(
    tiny_run: Run, counts: tuple[int, int, int], sentence: str
) -> None:
    shown = contents(tiny_run)
    shown.audit.splits[TRAIN].by_class.update(zip(("sadness", "joy", "anger"), counts, strict=True))
    assert sentence in render_report(shown).replace("&#39;", "'")
