"""The report in a real browser: it is complete, fetches nothing, and runs no text of the data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import asdict, replace
from html import escape
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
from emolens.evaluation.evaluate import Evaluation, rival_of
from emolens.evaluation.gaps import Measured
from emolens.evaluation.metrics import Comparison
from emolens.evaluation.verdict import comparison_sentence, sentence_case
from emolens.explore.project import Projection
from emolens.labels import LabelSet
from emolens.learn.finetune.loop import kept_look
from emolens.scores import (
    EXPORTED,
    ROLES,
    FinetuneFacts,
    LinearFacts,
    MajorityFacts,
    Role,
    Scores,
    SeedPoint,
    role_of,
)
from emolens.show.card import About, model_card
from emolens.show.report import (
    SECTIONS,
    ReportContents,
    _lengths,
    _reliability,
    render_report,
)
from emolens.show.report.points import Points, Texts
from emolens.shown import isolated, visible, visible_lines
from emolens.store import load_arrays, load_json
from emolens.study import Run
from emolens.study.context import projection_file
from tests.conftest import HOSTILE
from tests.show.conftest import CSP, Browse, Page

HARD_CLASS = "</td><script>document.title='pwned'</script><img src=x onerror=alert(1)> {{7*7}} שמחה"


def unpacked(packed: str) -> bytes:
    return zlib.decompress(base64.b64decode(packed), -15)


def scores_of(run: Run) -> list[Scores]:
    folders = [run.folder / role.folder for role in ROLES.values()]
    return [Scores.load(folder, ("validation", "test")) for folder in folders]


def contents(run: Run, *, joy: str = "joy", texts: Texts = "all") -> ReportContents:
    """The contents of a run's report, with another name for the class joy."""

    def renamed(value: object) -> object:
        if isinstance(value, dict):
            return {joy if k == "joy" else k: renamed(v) for k, v in value.items()}
        if isinstance(value, list):
            return [renamed(v) for v in value]
        return joy if value == "joy" else value

    audit: Any = renamed(load_json(run.folder / "audit.json"))
    evaluation: Any = renamed(load_json(run.folder / "evaluation.json"))
    data = load_dataset(run.study.data.dataset)
    names = tuple(joy if name == "joy" else name for name in data.labels.names)
    tokens = {s: load_arrays(run.folder / "tokens" / f"{s}.safetensors") for s in data.splits}
    scores = [
        replace(of, facts=MajorityFacts(joy)) if isinstance(of.facts, MajorityFacts) else of
        for of in scores_of(run)
    ]
    return ReportContents(
        study=run.study.model_dump(),
        study_toml=run.study.to_toml(),
        audit=Audit.from_dict(audit),
        dataset=replace(data, labels=LabelSet(names)),
        scores=scores,
        projections={s: Projection.load(run.folder / projection_file(s)) for s in data.splits},
        n_tokens={split: arrays["n_whole"] for split, arrays in tokens.items()},
        example=padded_batch(Tokenizer.from_folder(run.folder / "model"), data[TRAIN].texts[:2]),
        shapes={TRAIN: (66, 16)},
        embed_runtime="cpu",
        evaluation=Evaluation.from_dict(evaluation),
        picture=run.folder / "figures" / "map.svg",
        stages={name: asdict(record) for name, record in run.records.items()},
        run="runs/tiny",
        behavior=Behavior.from_dict(load_json(run.folder / "behavior.json")),
        texts=texts,
    )


@pytest.fixture(scope="module")
def report(tiny_run: Run) -> str:
    return tiny_run.report.read_text("utf-8")


def test_every_section_and_picture_is_there(report: str) -> None:
    page = Page(report)
    assert [h["id"] for h in page.all("h2") if h.get("class") != "title"] == [*SECTIONS]
    inside = [a["href"] for a in page.all("a") if str(a["href"]).startswith("#")]
    assert inside == ["#next", *(f"#{section}" for section in SECTIONS), "#figures"]
    [picture] = page.all("img")
    assert str(picture["src"]).startswith("data:image/svg+xml;base64,")
    assert picture["alt"]
    charts = page.all("svg")
    assert len(charts) == 3 + 3  # lengths have one for each split
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)


def test_the_first_words_say_how_good_it_is(report: str, tiny_run: Run) -> None:
    of_test = tiny_run.evaluation.by_split["test"]
    page = Page(report)
    assert page.texts["h1"] == [f"{Path(tiny_run.study.data.dataset).name}: how good is the model?"]
    right = f"right on {100 * of_test[EXPORTED.name].accuracy:.0f} of 100 texts"
    assert right in report
    rungs = re.findall(r'class="bar" style="--v:([0-9.]+);--l:([0-9.]+);--h:([0-9.]+)"', report)
    wanted = [(e.accuracy, *e.intervals["accuracy"]) for e in of_test.values()]
    found = [tuple(map(float, rung)) for rung in rungs[: len(wanted)]]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_page_fetches_nothing(report: str) -> None:
    page = Page(report)
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        for name in ("src", "srcset", "action", "data", "poster", "background"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
        assert not re.match(r"[a-z]+:|//", str(attributes.get("href") or ""), re.IGNORECASE)
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import", "".join(page.texts["style"]))


def test_its_policy_lets_only_its_own_script_run(report: str) -> None:
    policy = CSP.search(report)
    assert policy is not None
    assert "default-src 'none'" in policy[0]
    assert "unsafe-eval" not in policy[0]
    [script] = re.findall(r"<script>(.*?)</script>", report, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy[0]
    assert not re.search(
        r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", script
    )


def test_the_files_and_commands_that_it_names_are_there(report: str, tiny_run: Run) -> None:
    page = Page(report)
    files = [str(a["href"]) for a in page.all("a") if not str(a["href"]).startswith("#")]
    assert "predictions.parquet" in files
    assert all((tiny_run.folder / file).is_file() for file in files)
    commands = [code for code in page.texts["code"] if code.startswith("emolens ")]
    assert {command.split()[1] for command in commands} == {
        *("predict", "check", "evaluate", "report", "run")
    }


@pytest.mark.parametrize("texts", ["all", "errors", "none"])
def test_it_holds_the_texts_that_it_may_and_says_so(tiny_run: Run, texts: Texts) -> None:
    shown = contents(tiny_run, texts=texts)
    html = render_report(shown)
    packed = json.loads(Page(html).texts["script"][0])
    held = json.loads(unpacked(packed["texts"]))
    rows = np.frombuffer(unpacked(packed["shown"]), "<u4")
    everything = [text for split in shown.dataset.splits.values() for text in split.texts]
    answers = np.frombuffer(unpacked(packed["answer"]), "<u2")
    labels = np.frombuffer(unpacked(packed["label"]), "<u2")
    wrong = np.flatnonzero((answers != 65535) & (answers != labels))
    assert len(everything) == packed["n"]
    assert len(wrong) > 0
    wanted = {"all": np.arange(packed["n"]), "errors": wrong, "none": wrong[:0]}[texts]
    assert rows.tolist() == wanted.tolist()
    assert held == [visible_lines(everything[row]) for row in wanted]
    says = {"all": "holds all", "errors": "texts that the model gets wrong", "none": "no text of"}
    assert says[texts] in html
    # Elsewhere on the page, too; short texts may stand in other sentences.
    may = {everything[row] for row in wanted}
    elsewhere = html.split('<script type="application/json"')[0]
    long = {text for text in everything if len(text) > 12} - may
    assert not [text for text in long if escape(visible_lines(text), quote=False) in elsewhere]
    if texts == "errors":
        assert shown.audit.leaked_rows
        assert shown.audit.contradictions


def test_the_points_are_those_of_the_map_and_the_predictions(tiny_run: Run) -> None:
    shown = contents(tiny_run)
    packed = json.loads(Page(render_report(shown)).texts["script"][0])
    places = np.stack([np.frombuffer(unpacked(packed[axis]), "<u2") for axis in "xy"], axis=1)
    xy = np.concatenate([projection.xy for projection in shown.projections.values()])
    scale = 65_535 / np.ptp(xy, axis=0).max()
    np.testing.assert_allclose(places, (xy - xy.min(axis=0)) * scale, atol=1)
    answers = np.frombuffer(unpacked(packed["answer"]), "<u2").tolist()
    predicted = [shown.exported.predictions(split).tolist() for split in ("validation", "test")]
    n_train = len(shown.dataset["train"].texts)
    assert answers == [65535] * n_train + predicted[0] + predicted[1]


def test_of_very_many_texts_the_page_holds_a_sample_with_all_errors(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emolens.show.report.points.MOST_TEXTS", 40)
    shown = contents(tiny_run)
    points = Points.of(shown.dataset, shown.exported, shown.projections)
    wrong = set(np.flatnonzero((points.answer >= 0) & (points.answer != points.label)).tolist())
    held = set(points.shown.tolist())
    assert len(points.texts) == 40
    assert (wrong <= held) if len(wrong) <= 40 else (held <= wrong)
    assert f"40 of the {len(points):,} texts" in render_report(shown)


def test_the_figures_are_those_of_the_evaluation(report: str, tiny_run: Run) -> None:
    for models in tiny_run.evaluation.by_split.values():
        for figures in models.values():
            assert f"<td>{figures.accuracy:.4f} <small>" in report


def test_it_says_what_calibration_changes_and_who_decides_what_is_right(report: str) -> None:
    """Figures before and after calibration stand side by side, and classes are names only."""
    of_pictures, _, rest = report.partition("Calibration and promises as numbers")
    assert "no answer changes by it. Before: as the training left the probabilities." in of_pictures
    assert "was decided by whoever labelled these texts" in rest


def test_the_reasons_it_gives_for_each_choice_are_true(report: str, tiny_run: Run) -> None:
    chosen_by_loss = 0
    for scores in scores_of(tiny_run):
        title = sentence_case(role_of(scores.model).title)
        models = report.split('id="models"')[1].split("<h2", maxsplit=1)[0]
        section = models.split(f"<h3>{title}</h3>")[1].split("<h3>", maxsplit=1)[0]
        facts = scores.facts
        if isinstance(facts, LinearFacts):
            losses = facts.log_loss_by_C
            best = min(losses, key=losses.__getitem__)
            assert f"C = {best} is chosen, because it has the lowest log-loss (" in section
            assert float(best) == facts.C
            chosen_by_loss += 1
        if isinstance(facts, FinetuneFacts):
            n_rows = len(scores.predictions("validation"))
            place = kept_look([point.macro_f1 for point in facts.history], n_rows)
            kept = f"{facts.history[place].epoch:g}"
            assert f"Epoch {kept} is kept" in section
            assert (
                "emolens keeps the last epoch whose macro-F1 is within one standard error"
                in section
            )
    assert chosen_by_loss == 2
    validation = tiny_run.evaluation.by_split["validation"]
    best = role_of(max(validation, key=lambda model: validation[model].macro_f1)).title
    assert f"Wrong answers of the {best} model on validation" in report


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
    assert role.title in page.texts["h3"]
    assert role.title in page.texts["span"]
    assert page.texts["td"].count(role.title) == 4
    assert "The probe once more." in report
    card = model_card("tiny", shown.audit, shown.evaluation, about=About("minilm"))
    assert card.count("Twin \\<1\\>") == 2


def test_it_says_which_model_is_better(tiny_run: Run) -> None:
    shown = contents(tiny_run)
    tests = shown.evaluation.comparisons["test"]
    assert {(c.first, c.second) for c in tests} == {
        *(("tfidf", "probe"), ("probe", "finetune"), ("tfidf", "finetune"))
    }
    rival = rival_of(shown.evaluation, "test")
    assert rival
    best, place = rival.first, tests.index(rival)
    by = Measured(-0.31, -0.4, -0.2)
    tests[place] = Comparison(best, "finetune", 40, 9, p_value=0.00001, difference=by)
    page = render_report(shown).replace("&#39;", "'")
    first_screen = page.split("<nav")[0]
    assert f"The {role_of(best).title} model is better than the fine-tuned model" in first_screen
    assert "gets 31.0 more right (95 % interval 20.0 to 40.0)" in first_screen
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
    assert json.loads(Page(page).texts["script"][0])["labels"].count(visible(evil)) == 1


# Without its policy, only the escaping protects the page, and that must be enough.
@pytest.mark.parametrize("policy", ["with its policy", "without its policy"])
def test_texts_and_class_names_show_as_text_and_never_run(
    chromium: Browse, tiny_run: Run, tmp_path: Path, policy: str
) -> None:
    shown = contents(tiny_run, joy=HARD_CLASS)
    html = render_report(shown)
    if policy == "without its policy":
        html = CSP.sub("", html)
    (tmp_path / "report.html").write_text(html, "utf-8")
    page = Page(chromium(tmp_path / "report.html", "--virtual-time-budget=3000", "--dump-dom"))
    assert page.texts["title"][0] == f"{shown.audit.name} · tiny · emolens"
    assert len(page.all("script")) == 2
    assert len(page.all("img")) == 1
    assert [h["id"] for h in page.all("h2") if h.get("class") != "title"] == [*SECTIONS]
    assert set(map(visible, HOSTILE)) <= set(page.texts["td"])
    assert isolated(HARD_CLASS) in page.texts["th"]


def test_the_first_screen_says_that_a_model_has_collapsed(
    chromium: Browse, collapsed_run: Run, report: str, tmp_path: Path
) -> None:
    page = Page(collapsed_run.report.read_text("utf-8"))
    assert set(collapsed_run.evaluation.warnings) <= set(page.texts["li"])
    measure = (
        "<script>onload = () => { document.title = "
        "document.querySelector('.beware').getBoundingClientRect().bottom }</script>"
    )
    html = CSP.sub("", collapsed_run.report.read_text("utf-8")) + measure
    (tmp_path / "report.html").write_text(html, "utf-8")
    options = ("--window-size=1280,720", "--virtual-time-budget=3000", "--dump-dom")
    dom = Page(chromium(tmp_path / "report.html", *options))
    assert 0 < float(dom.texts["title"][0]) < 720


def test_the_page_is_drawn(chromium: Browse, tiny_run: Run, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    chromium(tiny_run.report, f"--screenshot={shot}", "--window-size=1200,4000")
    pixels = np.asarray(imread(shot))[..., :3]
    assert pixels.shape == (4000, 1200, 3)
    drawn = (pixels < 0.9).any(axis=2)
    # Each of eight bands of the page has content, and the bars have color.
    assert drawn.reshape(8, 500, 1200).any(axis=(1, 2)).all()
    assert (np.ptp(pixels, axis=2) > 0.3).sum() > 5000


@pytest.mark.parametrize(
    ("counts", "said"),
    [((20, 20, 21), "about the same size"), ((60, 20, 40), "For each text of 'joy' there are 3.0")],
)
def test_the_class_sentence_says_how_unequal_they_are(
    tiny_run: Run, counts: tuple[int, int, int], said: str
) -> None:
    shown = contents(tiny_run)
    shown.audit.splits[TRAIN].by_class.update(zip(("sadness", "joy", "anger"), counts, strict=True))
    assert said in render_report(shown).replace("&#39;", "'")


def test_a_number_behind_a_hebrew_name_stays_behind_it(tiny_run: Run) -> None:
    shown = contents(tiny_run, joy="\u05e9\u05de\u05d7\u05d4")
    assert "\u2068\u05e9\u05de\u05d7\u05d4\u2069" in render_report(shown)


def test_texts_without_a_place_are_counted_and_break_nothing(tiny_run: Run) -> None:
    shown = contents(tiny_run)
    xy = shown.projections[TRAIN].xy.copy()
    xy[1] = np.nan
    lost = {**shown.projections, TRAIN: replace(shown.projections[TRAIN], xy=xy)}
    page = render_report(replace(shown, projections=lost))
    assert "1 text has no place, because the map found nothing like it" in page
    assert "has no place" not in render_report(shown)


def test_the_learning_curve_shows_the_spread_over_seeds(tiny_run: Run) -> None:
    shown = contents(tiny_run)
    facts = shown.exported.facts
    assert isinstance(facts, FinetuneFacts)
    lower = tuple(
        replace(p, accuracy=p.accuracy / 2, macro_f1=p.macro_f1 / 2) for p in facts.history
    )
    points = [
        SeedPoint(seed=seed, best_epoch=1, seconds=1, validation=(0.9, 0.9), test=None, history=of)
        for seed, of in ((7, facts.history), (8, lower))
    ]
    several = replace(facts, seeds=tuple(points))
    scores = [replace(of, facts=several) if of is shown.exported else of for of in shown.scores]
    assert render_report(replace(shown, scores=scores)).count('class="band"') == 2 + render_report(
        shown
    ).count('class="band"')


def test_a_long_text_is_cut_on_the_page_and_whole_in_the_download(tiny_run: Run) -> None:
    shown, long = contents(tiny_run), "so sad " * 100
    first = replace(shown.evaluation.confidently_wrong[0], text=long)
    evaluation = replace(shown.evaluation, confidently_wrong=[first])
    page = render_report(replace(shown, evaluation=evaluation))
    assert f'data-whole="{long}">{long[:600]} …</td>' in page
    assert "data-whole" not in render_report(shown)


@pytest.mark.parametrize("longest", [7, 60, 87, 3000])
def test_each_step_of_the_lengths_holds_the_same_number_of_lengths(longest: int) -> None:
    random = np.random.default_rng(3)
    train = np.append(random.integers(3, min(longest, 90), 900), longest)
    charts = _lengths({"train": train, "test": train[:50]})
    for chart, counts in zip(charts, (train, train[:50]), strict=True):
        [line] = chart.lines
        starts, ends = [x for x, _ in line.places[::2]], [x for x, _ in line.places[1::2]]
        steps = {end - start for start, end in zip(starts, ends, strict=True)}
        assert len(starts) <= 41
        [step] = steps
        assert step == int(step)
        not_drawn = int((counts >= ends[-1]).sum())
        shares = [share for _, share in line.places[::2]]
        assert round(sum(shares) * len(counts)) + not_drawn == len(counts)
        assert ("not drawn: 1 longer text" in chart.y.title) == (not_drawn == 1)
    assert (longest < charts[0].x.high) == (longest < 3000)
    assert [chart.x.title for chart in charts] == ["", "tokens in a text"]


def test_the_area_of_a_sign_is_its_number_of_texts(tiny_run: Run) -> None:
    chart = _reliability(contents(tiny_run))
    sizes = [n for line in chart.lines for n in line.sizes]
    radii = [
        float(r) for r in re.findall(r'class="sign" cx="[^"]*" cy="[^"]*" r="([^"]*)"', chart.svg())
    ]
    first = chart.lines[0].sizes
    for n, radius in zip(first, radii, strict=True):
        assert abs(radius - max(1.8, 10 * (n / max(sizes)) ** 0.5)) < 0.06
    assert 'class="size"' in chart.svg()
    assert ">texts:<" in chart.svg().replace("\u2068", "").replace("\u2069", "")


def test_the_picture_of_the_map_says_which_texts_it_counts(report: str) -> None:
    [caption] = Page(report).texts["figcaption"]
    assert "of train" in caption
    assert "of all splits" in caption
