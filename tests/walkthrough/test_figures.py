"""Each figure in the text of the walkthrough stands in an output of it or in a named document."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conftest import ROOT

nbformat = pytest.importorskip("nbformat", reason="the extra docs is not installed")

DOCS = ROOT / "docs"
SOURCES = ("results-emotion-minilm.md", "reference.md", "studies.md")
# Figures of neither: what each of them is.
OTHERS = {
    "20000": "the rows of dair-ai/emotion in all, said in the README",
    "95": "the level of all intervals",
    "90": "an example of a probability",
    "0.9": "an example of a probability",
    "0.92": "an example of an accuracy",
    "0.5": "the share in the first cell, before it is published",
    "100": "all texts, in percent",
}
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e-\d+)?(?![\w])")


def numbers(text: str) -> list[str]:
    """Its numbers, without separators; those of one or two digits only if they are shares."""
    found = []
    for match in NUMBER.finditer(text):
        number = match.group().rstrip(",").replace(",", "")
        after = text[match.end() : match.end() + 8]
        is_share = re.match(r" ?%| of 100", after)
        if len(number) > 2 or is_share:
            found.append(number)
    return found


def outputs(book: Any) -> str:
    """All that the cells have printed and shown, as text."""
    lines = []
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            lines.append(output.get("text", ""))
            lines += [v for k, v in output.get("data", {}).items() if k.startswith("text/")]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def book() -> Any:
    return nbformat.read(DOCS / "walkthrough.ipynb", as_version=4)


@pytest.fixture(scope="module")
def known(book: Any) -> set[str]:
    """All numbers of the outputs, the code and the documents."""
    texts = [outputs(book), *(c.source for c in book.cells if c.cell_type == "code")]
    texts += [(DOCS / name).read_text(encoding="utf-8") for name in SOURCES]
    return {
        n.replace(",", "") for text in texts for n in re.findall(r"\d[\d,]*\.?\d*(?:e-\d+)?", text)
    }


def prose(book: Any) -> list[str]:
    """The text cells without their code blocks."""
    cells = [c.source for c in book.cells if c.cell_type == "markdown"]
    return [re.sub(r"```.*?```", "", source, flags=re.DOTALL) for source in cells]


def test_every_figure_of_the_text_has_a_source(book: Any, known: set[str]) -> None:
    found = [(n, source) for source in prose(book) for n in numbers(source)]
    assert len(found) > 60
    unknown = [f"{n} in: {source[:60]}" for n, source in found if n not in known | OTHERS.keys()]
    assert unknown == []


def test_every_count_of_the_text_was_printed(book: Any) -> None:
    """`26 of 30`: such small numbers stand everywhere, so the pair is looked for."""
    printed = re.sub(r"\s+", " ", outputs(book))
    found = [pair for text in prose(book) for pair in re.findall(r"\b\d+ of \d+\b", text)]
    assert len(found) >= 4
    assert [pair for pair in found if pair not in printed] == []


def test_a_figure_without_a_source_is_found(known: set[str]) -> None:
    assert numbers("It is right in 0.7123 of 2,345 cases, and 3 of 12 are wrong; 17 %.") == [
        "0.7123",
        "2345",
        "17",
    ]
    assert "0.7123" not in known


def cell_with(book: Any, code: str) -> str:
    """What the one cell with this code has printed."""
    (cell,) = [c for c in book.cells if c.cell_type == "code" and code in c.source]
    return outputs(type(book)(cells=[cell]))


def document(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def first(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, pattern
    return match.group(1)


def test_the_baselines_are_those_of_the_results(book: Any) -> None:
    results = document("results-emotion-minilm.md")
    wanted = re.search(r"\| validation \| largest class \| ([\d.]+) \S+ \| ([\d.]+)", results)
    assert wanted
    printed = cell_with(book, "of_lazy = el.evaluate")
    assert f"accuracy {wanted[1]}, macro-F1 {wanted[2]}" in printed


def test_probe_and_model_are_near_those_of_the_results(book: Any) -> None:
    """Another processor rounds in another way, and the recipe is the fast one."""
    results = document("results-emotion-minilm.md")
    probe = float(first(r"\| validation \| probe \| ([\d.]+)", results))
    printed = cell_with(book, "right on validation")
    assert float(first(r"validation: ([\d.]+)", printed)) == pytest.approx(probe, abs=0.004)
    tuned = float(first(r"\| validation \| fine-tuned \| ([\d.]+)", results))
    printed = cell_with(book, "scores.accuracy")
    assert float(first(r"accuracy ([\d.]+)", printed)) == pytest.approx(tuned, abs=0.025)


def test_shapes_and_rows_are_those_of_the_data(book: Any) -> None:
    table = document("reference.md")
    assert "(16000, 384), (2000, 384)" in table
    assert "(16000, 768), (2000, 768)" in table
    assert "(16000, 384) (16000,)" in cell_with(book, "encoder.embed(dataset)\nX_train")
    results = document("results-emotion-minilm.md")
    rows = re.findall(r"rows: train ([\d,]+), validation ([\d,]+), test ([\d,]+)", results)[0]
    printed = cell_with(book, "dataset.sizes.items()")
    assert re.findall(r"([\d,]+) texts\n", printed) == list(rows)
    leaked = first(r"of validation, (\d+) of test", results)
    assert f"also in train: {leaked}\n" in printed


def test_the_ids_that_the_text_names_are_the_tokenizers(book: Any) -> None:
    shown = cell_with(book, "Tokenizing text is")
    assert re.search(r"(?m)^\d+ +text +3793$", shown)
    assert re.search(r"(?m)^\d+ +\[CLS\] +101$", shown)
    named = {n for source in prose(book) for n in re.findall(r"number (\d+)", source)}
    assert named == {"3793", "101"}


def test_no_text_of_emotion_is_quoted_but_those_of_the_reference(book: Any) -> None:
    folder = ROOT.parent / "shared" / "data" / "emotion"
    if not folder.is_dir():
        pytest.skip("the data set is not here")
    import emolens as el

    dataset = el.load_dataset(folder)
    allowed = set(dataset["train"].texts[:5])
    everything = outputs(book) + "\n".join(prose(book))
    for split in dataset.splits.values():
        for text in split.texts:
            # A few words may stand anywhere; a whole text of six words or more can't by chance.
            if len(text.split()) >= 6 and text not in allowed:
                assert text not in everything
