"""docs/glossary.md explains every word that the report and the console use in a sense of its own.

The words are gathered from real pages and real output. A word that has no entry and is not one of
EVERYDAY fails the test: explain it, or say it in a plainer word.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

import pytest

from emolens.judge.model import score_model
from emolens.judge.sentences import FIGURES
from emolens.show.compared import write_comparison
from emolens.show.scored import write_report
from emolens.store import load_json
from emolens.study import Run
from emolens.study.compare import compare
from tests.conftest import FEELINGS, ROOT, feeling_rows, write_csv
from tests.stages import STAGES

GLOSSARY = ROOT / "docs" / "glossary.md"
VOID = {"meta", "br", "img", "input", "path", "circle"}
# Where a page says what a figure, a column, a curve or a part of the page is.
NAMING = {"h2", "h3", "th", "caption", "option", "summary"}
NAMING_CLASSES = {"series-legend", "rung"}
# Words that mean in emolens what they mean everywhere.
EVERYDAY = frozenset(
    (  # noqa: SIM905
        "a alike all among an and answer answers are as asked b be believe by can columns"
        " data differ differs do each emolens entries example fewer figure figures finds folder for"
        " frequent from get good how html if in is it its kind lacks language left lengths lie line"
        " longest made many mean median mistakes model models more most much next no not numbers of"
        " often on one or out outcome over page part per phase pictures placed png predict read"
        " result row rows same say seconds short size status svg taken text texts that the their"
        " them these they this those time times to together trusted use value was were what when"
        " where why with without word wrong you"
    ).split()
)


def text_of() -> str:
    return GLOSSARY.read_text(encoding="utf-8")


def terms() -> list[str]:
    """All words that have an entry, the longest first; behind "Also:" stand other words for it."""
    titles = re.findall(r"(?m)^### (.+)$", text_of())
    others = re.findall(r"(?m)^Also: (.+)\.$", text_of())
    words = {word.strip().lower() for line in (*titles, *others) for word in line.split(",")}
    return sorted(words, key=len, reverse=True)


class Naming(HTMLParser):
    """The phrases in headings, heads of tables, legends and choices of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.phrases: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        classes = {*(dict(attrs).get("class") or "").split()}
        naming = tag in NAMING or bool(classes & NAMING_CLASSES)
        if naming and not self._inside:
            self.phrases.append("")
        self._open.append((tag, naming))

    def handle_endtag(self, tag: str) -> None:
        if tag in {name for name, _ in self._open}:
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.phrases[-1] += f" {data}"

    @property
    def _inside(self) -> bool:
        return any(naming for _, naming in self._open)


def heads_of_console_tables() -> Iterator[str]:
    """The first argument of `console.table(…)`, wherever it stands, and titles of tables."""
    for path in sorted((ROOT / "src" / "emolens").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "table":
                for part in (*node.args[:1], *(k.value for k in node.keywords if k.arg == "title")):
                    for leaf in ast.walk(part):
                        if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                            yield leaf.value


def unexplained(phrases: Iterable[str], known: Iterable[str] = ()) -> set[str]:
    """The words without an entry. known: names of the data, such as classes and files."""
    plain, entries = EVERYDAY | {word.lower() for word in known}, terms()
    left = set()
    for phrase in phrases:
        rest = " ".join(phrase.lower().split())
        for term in entries:
            rest = re.sub(rf"(?<![\w-]){re.escape(term)}(?![\w-])", " ", rest)
        words = re.findall(r"[^\W\d_][\w-]*", rest)
        left |= {f"{word} (in: {phrase.strip()})" for word in words if word not in plain}
    return left


@pytest.fixture(scope="module")
def pages(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The report of a run, the page of a model on other rows, and the page of a comparison."""
    folder = tmp_path_factory.mktemp("pages")
    rows = write_csv(folder / "rows.csv", feeling_rows(40))
    write_report(score_model(tiny_run.folder / "model", rows), folder / "scored.html")
    other = shutil.copytree(tiny_run.folder, folder / "other")
    write_comparison(compare([tiny_run.folder, other]), folder / "compared.html")
    found = {"report": tiny_run.folder / "report.html"}
    found |= {name: folder / f"{name}.html" for name in ("scored", "compared")}
    return {name: path.read_text(encoding="utf-8") for name, path in found.items()}


def of_data(run: Run) -> set[str]:
    """Names that come from the data, and those of behavioral tests, which docs/behavior.md has."""
    tests = load_json(run.folder / "behavior.json")["tests"]
    return {*FEELINGS, *re.findall(r"\w+", " ".join(test["about"] for test in tests))}


@pytest.mark.parametrize("name", ["report", "scored", "compared"])
def test_the_words_of_a_page_are_explained(name: str, pages: dict[str, str], tiny_run: Run) -> None:
    phrases = Naming(pages[name]).phrases
    assert len(phrases) >= 10
    assert unexplained(phrases, of_data(tiny_run)) == set()


def test_the_words_that_a_study_prints_are_explained(tiny_run: Run) -> None:
    assert set(tiny_run.records) == set(STAGES)
    printed = [f"{stage} {record.summary}" for stage, record in tiny_run.records.items()]
    assert unexplained(printed, of_data(tiny_run)) == set()


def test_the_words_in_tables_of_the_console_are_explained() -> None:
    heads = [*heads_of_console_tables(), *FIGURES.values()]
    assert len(heads) > 40
    assert "calibration error" in terms()
    assert unexplained(heads, {"label_name"}) == set()  # a column of `emotion`


def test_each_entry_explains_and_its_links_lead_on() -> None:
    entries = re.split(r"(?m)^### ", text_of())[1:]
    assert len(entries) > 60
    for entry in entries:
        title, *lines = entry.split("\n## ")[0].strip().split("\n")
        text = " ".join(line for line in lines if line and not line.startswith("Also: "))
        assert len(text.split()) >= 8, title
    anchors = {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in terms_with_entry()}
    assert set(re.findall(r"\]\(#([^)]+)\)", text_of())) <= anchors


def terms_with_entry() -> list[str]:
    return [title.lower() for title in re.findall(r"(?m)^### (.+)$", text_of())]


def test_a_new_word_is_found() -> None:
    assert unexplained(["macro-F1 of the answers"]) == set()
    assert unexplained(["perplexity of the answers"]) == {
        "perplexity (in: perplexity of the answers)"
    }
    assert Naming("<p>so</p><th>accuracy <small>95 %</small></th>").phrases == [" accuracy  95 %"]
