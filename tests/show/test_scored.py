"""The page about a model on labelled rows: complete, fetches nothing, runs no text of the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emolens.data.labelled import Labelled
from emolens.errors import UsageError
from emolens.evaluation.calibration import PromiseKept
from emolens.judge.model import score_model
from emolens.judge.report import ModelReport
from emolens.judge.sentences import findings, warnings
from emolens.show.scored import render_scored, write_report
from emolens.shown import visible
from emolens.study import Run
from tests.conftest import HOSTILE, feeling_rows
from tests.show.conftest import CSP, Browse, Page

SECTIONS = ["short", "classes", "by-class", "confusion", "trust", "share", "errors", "behavior"]
SECTIONS += ["notes"]
HARD_CLASS = "</td><script>document.title='pwned'</script><img src=x onerror=alert(1)> {{7*7}}"


@pytest.fixture(scope="module")
def report(tiny_run: Run) -> ModelReport:
    """Of rows whose labels are wrong, so that the hostile texts are among the errors."""
    texts, labels = zip(*feeling_rows(24), strict=True)
    wrong = [(text, "joy" if i % 2 else HARD_CLASS) for i, text in enumerate(HOSTILE)]
    rows = Labelled.from_texts(
        [*texts, *(text for text, _ in wrong), ""],
        [*labels, *(label for _, label in wrong), "joy"],
        label_separator="none",
    )
    report = score_model(tiny_run.folder / "model", rows, mapping={"sadness": HARD_CLASS})
    errors = [replace(report.confidently_wrong[0], text=text) for text in HOSTILE]
    kept = PromiseKept(0.9, report.rows.scored, 20, 19, 0.75, 0.99)
    return replace(report, confidently_wrong=errors, promises=[kept], promised=0.9)


def test_every_section_is_there_and_nothing_is_fetched(report: ModelReport) -> None:
    page = Page(render_scored(report))
    assert [h["id"] for h in page.all("h2")] == SECTIONS
    assert [a["href"] for a in page.all("a")] == [f"#{section}" for section in SECTIONS]
    assert len(page.all("svg")) == 2
    for tag, attributes in page.elements:
        assert tag not in {"link", "script", "iframe", "object", "embed", "base", "form", "img"}
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
    policy = CSP.search(render_scored(report))
    assert policy is not None
    assert "default-src 'none'" in policy[0]


def test_it_says_what_the_text_says(report: ModelReport) -> None:
    page = render_scored(report).replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">")
    for sentence in (*findings(report), *warnings(report)):
        assert visible(sentence) in page
    assert "95 % interval 95 %" not in page


@pytest.mark.parametrize("policy", ["with its policy", "without its policy"])
def test_texts_and_class_names_show_as_text_and_never_run(
    chromium: Browse, report: ModelReport, tmp_path: Path, policy: str
) -> None:
    html = render_scored(report)
    if policy == "without its policy":
        html = CSP.sub("", html)
    (tmp_path / "page.html").write_text(html, "utf-8")
    page = Page(chromium(tmp_path / "page.html", "--virtual-time-budget=3000", "--dump-dom"))
    assert page.texts["title"] == ["texts · emolens"]
    assert not page.all("script")
    assert not page.all("img")
    assert set(map(visible, HOSTILE)) <= set(page.texts["td"])
    assert HARD_CLASS in page.texts["td"]


def test_a_model_of_several_classes_has_a_page_too(report: ModelReport) -> None:
    several = replace(
        report,
        several=True,
        confusion=None,
        confused=[],
        confidently_wrong=[],
        promises=[],
        promised=None,
        figures={"exact_match": report.figures["accuracy"], **report.figures},
    )
    page = Page(render_scored(several))
    assert [h["id"] for h in page.all("h2")] == [
        section for section in SECTIONS if section not in ("confusion", "errors")
    ]


def test_a_file_is_written_once_and_never_over_another(report: ModelReport, tmp_path: Path) -> None:
    path = write_report(report, tmp_path / "page.html")
    with pytest.raises(UsageError, match="exists"):
        write_report(report, path)
    assert write_report(report, str(path), overwrite=True) == path
    assert ModelReport.load(write_report(report, tmp_path / "r.json")) == report
