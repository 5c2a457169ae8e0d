"""The page about compared runs: complete, fetches nothing, runs no text of the data."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from emolens.errors import UsageError
from emolens.evaluation.compared import OtherAnswer, RunComparison, accuracy_sentence
from emolens.show.compared import render_compared, write_comparison
from emolens.shown import visible
from emolens.study import Run
from emolens.study.compare import compare
from tests.conftest import HOSTILE
from tests.show.conftest import CSP, Browse, Page

SECTIONS = ["short", "models", "by-class", "rows", "settings", "notes"]
HARD = "</td><script>document.title='pwned'</script><img src=x onerror=alert(1)> {{7*7}}"


@pytest.fixture(scope="module")
def comparison(tiny_run: Run, collapsed_run: Run) -> RunComparison:
    """With hostile texts, names of classes, folders, settings and notes."""
    found = compare([tiny_run.folder, collapsed_run.folder])
    rows = [OtherAnswer(i, text, HARD, ("joy", HARD), (0.5, 0.7)) for i, text in enumerate(HOSTILE)]
    (pair,) = found.pairs
    return replace(
        found,
        runs=tuple(replace(run, folder=HARD) for run in found.runs),
        pairs=(replace(pair, f1={HARD: pair.macro_f1, **pair.f1}),),
        rows=tuple(rows),
        settings={HARD: (HARD, HARD)},
        notes=(HARD,),
    )


def test_every_section_is_there_and_nothing_is_fetched(comparison: RunComparison) -> None:
    page = Page(render_compared(comparison))
    assert [h["id"] for h in page.all("h2")] == SECTIONS
    assert [a["href"] for a in page.all("a")] == [f"#{section}" for section in SECTIONS]
    for tag, attributes in page.elements:
        assert tag not in {"link", "script", "iframe", "object", "embed", "base", "form", "img"}
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
    policy = CSP.search(render_compared(comparison))
    assert policy is not None
    assert "default-src 'none'" in policy[0]


def test_it_says_what_the_text_says(comparison: RunComparison) -> None:
    page = render_compared(comparison).replace("&lt;", "<")
    (finding,), (pair,) = comparison.findings, comparison.pairs
    assert finding in page
    assert accuracy_sentence(comparison, pair) in page


@pytest.mark.parametrize("policy", ["with its policy", "without its policy"])
def test_texts_and_names_show_as_text_and_never_run(
    chromium: Browse, comparison: RunComparison, tmp_path: Path, policy: str
) -> None:
    html = render_compared(comparison)
    if policy == "without its policy":
        html = CSP.sub("", html)
    (tmp_path / "page.html").write_text(html, "utf-8")
    page = Page(chromium(tmp_path / "page.html", "--virtual-time-budget=3000", "--dump-dom"))
    assert page.texts["title"] == ["A, B compared · emolens"]
    assert not page.all("script")
    assert not page.all("img")
    assert set(map(visible, HOSTILE)) <= set(page.texts["td"])
    assert HARD in page.texts["td"]
    assert HARD in page.texts["span"]


MEASURE = """<script>
const boxes = [...document.querySelectorAll('.track i')].map(e => {
  const b = e.getBoundingClientRect(), t = e.parentElement.getBoundingClientRect();
  return [e.className, (b.left - t.left) / t.width, (b.right - t.left) / t.width].join(' ');
});
const wide = document.documentElement.scrollWidth > window.innerWidth;
document.documentElement.dataset.boxes = boxes.join(';') + ';wide ' + wide + ' 0';
</script></body>"""


@pytest.mark.parametrize("width", [1280, 500])
def test_bars_and_intervals_stand_where_the_figures_are(
    chromium: Browse, tiny_run: Run, collapsed_run: Run, tmp_path: Path, width: int
) -> None:
    comparison = compare([tiny_run.folder, collapsed_run.folder])
    html = CSP.sub("", render_compared(comparison)).replace("</body>", MEASURE)
    (tmp_path / "page.html").write_text(html, "utf-8")
    size = f"--window-size={width},2000"
    page = Page(chromium(tmp_path / "page.html", size, "--virtual-time-budget=3000", "--dump-dom"))
    *boxes, wide = (box.rsplit(" ", 2) for box in str(page.all("html")[0]["data-boxes"]).split(";"))
    assert wide[1] == "false", "the page scrolls to the side"
    first = comparison.runs[0].models["majority"]["accuracy"]
    assert boxes[0][0] == "bar"
    assert float(boxes[0][2]) == pytest.approx(first.value, abs=0.02)
    assert boxes[1][0] == "reach"
    assert [float(end) for end in boxes[1][1:]] == pytest.approx([first.low, first.high], abs=0.02)
    zeros = [box for box in boxes if box[0] == "zero"]
    assert len(zeros) == len(comparison.pairs[0].f1)
    assert all(float(box[1]) == pytest.approx(0.5, abs=0.02) for box in zeros)
    for box in boxes:
        assert -0.02 <= float(box[1]) <= float(box[2]) <= 1.02, box


def test_runs_without_a_difference_have_a_page(comparison: RunComparison) -> None:
    same = replace(comparison, rows=(), settings={})
    page = Page(render_compared(same))
    assert [h["id"] for h in page.all("h2")] == ["short", "models", "by-class", "notes"]


def test_several_runs_have_a_chart_each_and_a_column_each(
    tiny_run: Run, collapsed_run: Run, comparison: RunComparison
) -> None:
    found = compare([tiny_run.folder, collapsed_run.folder])
    three = replace(
        found,
        runs=(*found.runs, replace(found.runs[1], name="C")),
        pairs=(*found.pairs, replace(found.pairs[0], second="C")),
        rows=tuple(
            replace(row, answers=(*row.answers, "joy"), probabilities=(*row.probabilities, 0.9))
            for row in found.rows
        ),
        settings={name: (*values, "x") for name, values in found.settings.items()},
    )
    page = Page(render_compared(three))
    assert {"B minus A", "C minus A"} <= set(page.texts["h3"])
    assert page.texts["th"].count("C") == 2


def test_the_table_has_every_row_with_other_answers(
    comparison: RunComparison, tmp_path: Path
) -> None:
    path = write_comparison(comparison, tmp_path / "rows.csv")
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["text"] for line in lines] == list(HOSTILE)
    assert lines[0] == {
        "row": "0", "text": HOSTILE[0], "label": HARD, "A_answer": "joy", "A_probability": "0.5",
        "B_answer": HARD, "B_probability": "0.7", "right": "B",
    }  # fmt: skip
    safe = write_comparison(comparison, tmp_path / "safe.csv", safe_csv=True)
    assert any(text.startswith("=") for text in HOSTILE)
    with safe.open(encoding="utf-8", newline="") as file:
        assert not any(cell.startswith("=") for line in csv.reader(file) for cell in line)


def test_a_file_is_written_once_and_never_over_another(
    comparison: RunComparison, tmp_path: Path
) -> None:
    path = write_comparison(comparison, tmp_path / "page.html")
    with pytest.raises(UsageError, match="exists"):
        write_comparison(comparison, path)
    assert write_comparison(comparison, str(path), overwrite=True) == path
    assert RunComparison.load(write_comparison(comparison, tmp_path / "c.json")) == comparison
    with pytest.raises(UsageError, match="ending"):
        write_comparison(comparison, tmp_path / "c.txt")
