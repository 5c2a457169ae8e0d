"""What the page warns of, and what to do about it: the same things in the same order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emolens.data.audit import Audit
from emolens.data.audit.check import Check
from emolens.evaluation.behavior import Behavior, BehaviorTest
from emolens.evaluation.behavior.cases import TESTS
from emolens.evaluation.calibration import PromiseKept
from emolens.evaluation.evaluate import Evaluation
from emolens.evaluation.intervals import wilson
from emolens.evaluation.metrics import Comparison
from emolens.scores import EXPORTED
from emolens.show.report import render_report
from emolens.show.report.advice import Finding, findings
from emolens.show.report.older import completed
from emolens.show.report.reading import tried_sentence
from emolens.study import Run
from tests.show.conftest import Page
from tests.show.test_report import contents


def tried(**failed: tuple[int, int]) -> Behavior:
    """What came of tests: by name, the cases that failed, and all cases."""
    tests = []
    for name, (n_failed, n) in failed.items():
        kind, about = TESTS[name]
        ends = wilson(n_failed / n, n) if n else (0.0, 1.0)
        tests.append(BehaviorTest(name, kind, about, n, n_failed, *ends, left_out=0, examples=()))
    return Behavior(tuple(tests))


@pytest.fixture(scope="module")
def sound(tiny_run: Run) -> tuple[Evaluation, Audit]:
    """An evaluation and an audit that give no reason to beware, but for few texts in test."""
    shown = contents(tiny_run)
    evaluation = replace(shown.evaluation, warnings=[], comparisons={"validation": [], "test": []})
    of_test = evaluation.by_split["test"]
    model = replace(of_test[EXPORTED.name], promise=None)
    for figures in model.per_class.values():
        figures["support"] = 90
    by_split = {"validation": {EXPORTED.name: model}, "test": {EXPORTED.name: model}}
    return replace(evaluation, by_split=by_split), replace(shown.audit, checks=())


def of(sound: tuple[Evaluation, Audit], behavior: Behavior | None) -> list[Finding]:
    return findings(*sound, behavior)


def problems(found: list[Finding]) -> list[str]:
    return [one.problem for one in found if one.problem]


WORST = ("irony", "negated_joy", "very_short", "before_and_now", "emoji_feeling")


def test_weak_spots_are_named_by_their_share_of_failures_and_in_the_same_order(
    sound: tuple[Evaluation, Audit],
) -> None:
    # More cases fail in the first test than in the second, but a smaller share of them.
    behavior = tried(
        emoji_feeling=(30, 100), irony=(19, 20), before_and_now=(4, 10), negated_joy=(9, 10),
        very_short=(25, 50), typing_errors=(2, 100),
    )  # fmt: skip
    weak = of(sound, behavior)[0]
    about = [TESTS[name][1] for name in WORST]
    for sentence in (weak.problem, weak.step):
        places = [sentence.index(name) for name in about[:4]]
        assert places == sorted(places)
        assert about[4] not in sentence
        assert "and 1 more" in sentence
    assert f"{about[0]} (19 of 20 wrong)" in weak.problem
    assert about[0] in weak.short
    assert TESTS["typing_errors"][1] not in weak.problem


@pytest.mark.parametrize(
    ("failed", "n", "named"), [(5, 40, True), (3, 30, True), (1, 24, False), (0, 30, False)]
)
@pytest.mark.parametrize("name", ["names", "people", "pronouns"])
def test_an_answer_that_changes_with_a_name_is_always_named(
    sound: tuple[Evaluation, Audit], name: str, failed: int, n: int, named: bool
) -> None:
    found = of(sound, tried(**{name: (failed, n), "irony": (9, 10)}))
    unfair = [one for one in found if "only the people in a text" in one.problem]
    assert bool(unfair) == named
    assert bool([one for one in found if "groups of people" in one.step]) == named
    if named:
        assert f"in {failed} of {n} sentences" in unfair[0].problem
        assert found.index(unfair[0]) == 1  # behind the weak spots, which fail more often


def test_an_unfair_model_is_named_where_it_has_collapsed_too(
    sound: tuple[Evaluation, Audit],
) -> None:
    evaluation = replace(sound[0], warnings=["It has collapsed.", "It is never right."])
    first, second, *rest = findings(evaluation, sound[1], tried(names=(9, 40), irony=(9, 10)))
    assert (first.problem, second.problem) == ("It has collapsed.", "It is never right.")
    assert "Train again" in first.step
    assert not second.step
    assert [one.problem[:40] for one in rest if one.problem] == [
        "The answer can change when only the peop"
    ]


def test_what_speaks_against_a_model_has_a_step_each(sound: tuple[Evaluation, Audit]) -> None:
    evaluation, audit = sound
    model = evaluation.by_split["test"][EXPORTED.name]
    assert problems(of(sound, None)) == []
    few = {n: f | {"support": 9} for n, f in model.per_class.items()}
    broken = PromiseKept(0.8, model.n, answered=20, right=10, low=0.3, high=0.7)
    bad = replace(
        model, per_class=few, promise=broken, intervals={**model.intervals, "accuracy": (0.1, 0.2)}
    )
    apart = {**model.intervals, "accuracy": (0.8, 0.9)}
    other = {EXPORTED.name: replace(model, intervals=apart)}
    worse = replace(evaluation, by_split={"validation": other, "test": {EXPORTED.name: bad}})
    check = Check("T05", "leaks", "failed", reason="1 row is.", action="Take it out.")
    found = findings(worse, replace(audit, checks=(check,)), tried(irony=(9, 10), names=(20, 40)))
    assert len(problems(found)) == 6
    assert all(one.step and one.short for one in found if one.problem)
    order = (
        "was broken on test",
        "T05",
        "of different kinds",
        "Few texts of",
        "fails sent",
        "only the people",
    )
    places = [next(i for i, p in enumerate(problems(found)) if word in p) for word in order]
    assert places == sorted(places)
    hidden = findings(worse, replace(audit, checks=(check,)), None, reasons=False)
    assert not [one for one in hidden if "1 row is." in one.problem]


def test_a_rival_that_may_be_as_good_is_a_problem(sound: tuple[Evaluation, Audit]) -> None:
    evaluation, audit = sound
    model = evaluation.by_split["test"][EXPORTED.name]
    both = {"tfidf": replace(model, accuracy=0.7), "probe": replace(model, accuracy=0.5)}
    models = {**both, EXPORTED.name: model}
    near = Comparison("tfidf", EXPORTED.name, 9, 12, p_value=0.6)
    far = Comparison("probe", EXPORTED.name, 1, 50, p_value=1e-9)
    for tests in ([far, near], [near, far]):
        made = replace(
            evaluation,
            by_split={"validation": models, "test": models},
            comparisons={"validation": [], "test": tests},
        )
        assert problems(findings(made, audit, None))[0].startswith(
            "The difference between the TF-IDF model and the fine-tuned model may be chance"
        )


def test_the_first_screen_and_the_list_hold_the_same_steps(tiny_run: Run) -> None:
    shown = contents(tiny_run)
    html = render_report(replace(shown, behavior=tried(irony=(19, 20), names=(9, 40))))
    page = html.replace("&#39;", "'").replace("&#34;", '"')
    found = findings(shown.evaluation, shown.audit, tried(irony=(19, 20), names=(9, 40)))
    steps = [one.step for one in found if one.step]
    listed = page.split('id="next"')[1].split("<ol>")[1].split("</ol>")[0]
    assert [step for step in steps if f"<li>{step}</li>" in listed] == steps
    first = page.split("What to do first")[1].split("<nav")[0]
    shorts = [one.short for one in found if one.short]
    assert f"<li>{shorts[0]}</li>" in first
    assert f"<li>{shorts[1]}</li>" in first
    assert f"All {len(steps)} steps" in first
    wrong = "it gets 19 of 20 sentences wrong and it fails 9 of 40 tests in which a text changes."
    assert wrong in first.join([page.split("What to do first")[0], ""])


def test_how_many_sentences_fail_is_said_near_the_headline() -> None:
    assert tried_sentence(tried(irony=(9, 10))).endswith("it gets 9 of 10 sentences wrong.")
    changed = "models, it fails 1 of 1 test in which a text changes."
    assert tried_sentence(tried(names=(1, 1))).endswith(changed)
    assert tried_sentence(tried(irony=(0, 10))).startswith("It fails none of the 10 cases")
    assert tried_sentence(tried(irony=(0, 0))) == tried_sentence(None) == ""


def test_a_run_of_an_earlier_emolens_gets_what_its_file_lacks(tiny_run: Run) -> None:
    shown = contents(tiny_run)
    now = shown.evaluation
    assert completed(now, shown.dataset, shown.scores) == now
    model = now.by_split["test"][EXPORTED.name]
    promise = model.promise and replace(model.promise, threshold=None)
    of_test = now.by_split["test"] | {EXPORTED.name: replace(model, promise=promise)}
    before = replace(
        now,
        by_split={**now.by_split, "test": of_test},
        comparisons={
            split: [replace(test, difference=None) for test in tests[:2]]
            for split, tests in now.comparisons.items()
        },
    )
    assert before != now
    assert completed(before, shown.dataset, shown.scores) == now
    assert (
        Page(render_report(replace(shown, evaluation=before))).texts["li"]
        == (Page(render_report(shown)).texts["li"])
    )
