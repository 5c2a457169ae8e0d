"""What every Display does, with many classes and with names that are hard to draw too."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from emolens.calibration import Promise
from emolens.decide import ONE_CLASS
from emolens.errors import UsageError
from emolens.evaluation.calibration import (
    accuracy_by_share,
    calibration_figures,
    promise_kept,
    reliability,
)
from emolens.evaluation.model import ModelEvaluation
from emolens.explore.project import Projection
from emolens.labels import LabelSet
from emolens.scores import EpochPoint, LossPoint
from emolens.show import displays
from emolens.show.canvas import Display, save_figure
from emolens.show.reliability import CoverageDisplay, ReliabilityDisplay
from emolens.shown import visible_lines

HARD = (
    "$x_1$ 100%",
    "_hidden",
    "<b>&amp;",
    "😀 joy",
    "愤怒",
    "שמחה",
    "a--b ]]>\\alpha\n",
    "bell \x07",
    "\x9b2J \u202egnp \u2066x \x85",
)


TRUE = np.random.default_rng(0).integers(0, 3, 200)
PROBABILITIES = ONE_CLASS.probabilities(
    np.eye(3)[TRUE] + np.random.default_rng(1).standard_normal((200, 3))
)


def display(kind: type[Display], labels: LabelSet) -> Display:
    """A display of each kind, with made-up numbers."""
    rng = np.random.default_rng(0)
    k = len(labels)
    matrix = rng.integers(0, 30, size=(k, k))
    evaluation = ModelEvaluation(
        n=9,
        accuracy=0.5,
        macro_f1=0.4,
        weighted_f1=0.5,
        intervals=dict.fromkeys(("accuracy", "macro_f1", "weighted_f1"), (0.3, 0.6)),
        loss=1.0,
        per_class={},
        confusion=[],
        calibration=calibration_figures(TRUE, PROBABILITIES),
    )
    training = [LossPoint(0.5, 1.2)]
    history = [EpochPoint(e, 1 / e, accuracy=0.5, macro_f1=0.4, weighted_f1=0.5) for e in (1, 2)]
    projection = Projection(rng.normal(size=(60, 2)).astype(np.float32), np.arange(60) % k)
    made: dict[type[Display], Display] = {
        displays.ClassFrequencyDisplay: displays.ClassFrequencyDisplay(labels, np.arange(k) + 1),
        displays.TokenLengthDisplay: displays.TokenLengthDisplay(
            {s: rng.integers(2, 40, size=50) for s in ("train", "validation", "test")}, 32
        ),
        displays.DensityDisplay: displays.DensityDisplay(labels, projection),
        displays.ConfusionDisplay: displays.ConfusionDisplay(labels, matrix),
        displays.ConfusionPairDisplay: displays.ConfusionPairDisplay(
            labels, {"probe": matrix, "fine-tuned": matrix.T}
        ),
        displays.LearningCurveDisplay: displays.LearningCurveDisplay(training, history, 2),
        displays.ScoreDisplay: displays.ScoreDisplay(
            {"majority": evaluation, "finetune": evaluation}, "test"
        ),
        ReliabilityDisplay: ReliabilityDisplay(
            {name: reliability(TRUE, PROBABILITIES) for name in ("before", "after")}
        ),
        CoverageDisplay: CoverageDisplay(
            {name: accuracy_by_share(TRUE, PROBABILITIES) for name in ("probe", "fine-tuned")},
            promise_kept(TRUE, PROBABILITIES, Promise(0.8, 0.6, 0.5)),
        ),
    }
    return made[kind]


# A new Display without an entry above fails here with its name.
KINDS = sorted(Display.__subclasses__(), key=lambda kind: kind.__name__)
OF_CLASSES = [kind for kind in KINDS if "labels" in kind.__dataclass_fields__]
THREE = LabelSet(("sadness", "joy", "other"))


@pytest.mark.parametrize("kind", KINDS)
class TestEveryDisplay:
    def test_plot_returns_itself_with_a_figure_and_axes(self, kind: type[Display]) -> None:
        shown = display(kind, THREE)
        assert shown.plot() is shown
        assert isinstance(shown.figure_, Figure)
        assert shown.ax_.figure is shown.figure_
        assert tuple(shown.figure_.get_size_inches()) == pytest.approx(shown.size)

    def test_it_draws_into_the_axes_it_is_given(self, kind: type[Display]) -> None:
        figure = Figure()
        left, right = figure.subplots(1, 2)
        shown = display(kind, THREE).plot(right)
        assert shown.ax_ is right
        assert shown.figure_ is figure
        assert not left.has_data()
        assert any(ax.has_data() for ax in figure.axes)
        figure.draw_without_rendering()

    def test_it_prints_as_one_short_line_and_shows_in_a_notebook(self, kind: type[Display]) -> None:
        shown = display(kind, THREE)
        line = repr(shown)
        assert line.startswith(f"{kind.__name__}(")
        assert len(line) <= 100
        assert len(line.splitlines()) == 1
        assert shown._repr_png_().startswith(b"\x89PNG")

    def test_png_and_svg_are_saved_and_the_same_numbers_give_the_same_bytes(
        self, kind: type[Display], tmp_path: Path
    ) -> None:
        first = save_figure(display(kind, THREE), tmp_path / "a" / "figure.png")
        second = save_figure(display(kind, THREE), tmp_path / "b" / "figure.png")
        assert [path.name for path in first] == ["figure.png", "figure.svg"]
        assert first[0].read_bytes().startswith(b"\x89PNG")
        assert ET.parse(first[1]).getroot().tag.endswith("svg")
        for one, other in zip(first, second, strict=True):
            assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_hard_class_names_are_drawn_as_they_are(kind: type[Display], tmp_path: Path) -> None:
    png, svg = save_figure(display(kind, LabelSet(HARD)), tmp_path / "figure.png")
    assert png.stat().st_size > 1000
    ET.parse(svg)
    text = svg.read_text("utf-8")
    assert visible_lines(text) == text


@pytest.mark.parametrize("k", [2, 3, 6, 7, 28, 150])
@pytest.mark.parametrize("kind", OF_CLASSES)
def test_any_number_of_classes_is_drawn(kind: type[Display], k: int) -> None:
    shown = display(kind, LabelSet(tuple(f"class {i}" for i in range(k)))).plot()
    shown.figure_.draw_without_rendering()
    of_one = 15 if kind is not displays.ConfusionPairDisplay else 30
    assert max(shown.size) < of_one
    assert min(shown.size) < 15


@pytest.mark.parametrize(
    ("k", "numbers", "names"),
    [
        (12, 144, 12),
        (13, 13, 13),
        (40, 40, 40),
        (41, 0, 41),
        (60, 0, 60),
        (61, 0, 31),
        (150, 0, 50),
    ],
)
def test_a_large_confusion_matrix_has_shades_for_numbers_and_fewer_names(
    k: int, numbers: int, names: int
) -> None:
    labels = LabelSet(tuple(f"class {i}" for i in range(k)))
    shown = displays.ConfusionDisplay(labels, np.eye(k, dtype=int)).plot()
    assert len(shown.ax_.texts) == numbers
    scale = [ax for ax in shown.figure_.axes if ax is not shown.ax_]
    assert len(scale) == (numbers == 0)
    named = [tick.get_text() for tick in shown.ax_.get_xticklabels()]
    step = math.ceil(k / names)
    assert named == [f"class {i}" for i in range(0, k, step)]
    assert ("classes is named" in shown.ax_.get_ylabel()) == (names < k)


def test_a_long_name_leaves_room_for_the_picture() -> None:
    labels = LabelSet(("joy", "word " * 100))
    shown = displays.ConfusionDisplay(labels, np.eye(2, dtype=int)).plot()
    shown.figure_.draw_without_rendering()
    assert shown.ax_.get_position().width > 0.3


class TestFromPredictions:
    def test_a_confusion_matrix_is_counted_and_drawn(self) -> None:
        true, predicted = ["joy", "joy", "sadness"], ["joy", "sadness", "sadness"]
        shown = displays.ConfusionDisplay.from_predictions(true, predicted)
        assert shown.labels.names == ("sadness", "joy")
        assert shown.matrix.tolist() == [[1, 0], [1, 1]]
        assert shown.ax_.has_data()

    def test_it_takes_ids_the_classes_and_a_place(self) -> None:
        ax = Figure().subplots()
        y = np.array([0, 2, 2])
        shown = displays.ConfusionDisplay.from_predictions(y, y, labels=THREE, title="mine", ax=ax)
        assert shown.ax_ is ax
        assert ax.get_title(loc="left") == "mine"
        assert shown.matrix.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 2]]

    def test_the_answers_of_several_models_are_drawn_side_by_side(self) -> None:
        by_model = {"one": ["joy", "sadness"], "two": ["joy", "joy"]}
        shown = displays.ConfusionPairDisplay.from_predictions(["joy", "sadness"], by_model)
        assert {name: m.tolist() for name, m in shown.matrices.items()} == {
            "one": [[1, 0], [0, 1]],
            "two": [[0, 1], [0, 1]],
        }
        names = [ax.get_title(loc="left") for ax in shown.figure_.axes]
        assert [name for name in names if name] == ["one", "two"]
        with pytest.raises(UsageError, match="shapes"):
            displays.ConfusionPairDisplay.from_predictions(["joy"], by_model)

    def test_the_matrix_is_scikit_learns(self) -> None:
        from sklearn.metrics import confusion_matrix

        rng = np.random.default_rng(0)
        true, predicted = rng.choice(THREE.names, size=(2, 50))
        shown = displays.ConfusionDisplay.from_predictions(true, predicted, labels=THREE)
        wanted = confusion_matrix(true, predicted, labels=THREE.names)
        np.testing.assert_array_equal(shown.matrix, wanted)

    def test_answers_are_counted_by_class(self) -> None:
        shown = displays.ClassFrequencyDisplay.from_predictions(["joy", "joy"], labels=THREE)
        assert shown.counts.tolist() == [0, 2, 0]
        assert shown.ax_.get_title(loc="left") == "Frequency of classes"

    def test_places_are_drawn_by_class(self) -> None:
        xy = np.random.default_rng(0).normal(size=(3, 2))
        shown = displays.DensityDisplay.from_predictions(xy, ["joy", "joy", "sadness"])
        assert shown.projection.labels.tolist() == [1, 1, 0]
        with pytest.raises(UsageError, match=r"xy has the shape \(3, 2\), for 2 answers"):
            displays.DensityDisplay.from_predictions(xy, ["joy", "joy"])


class TestWhenToBelieve:
    def test_answers_are_compared_with_their_probabilities(self) -> None:
        names = np.array(THREE.names)[TRUE]
        shown = ReliabilityDisplay.from_predictions(names, PROBABILITIES, labels=THREE, name="mine")
        assert shown.bins == {"mine": reliability(TRUE, PROBABILITIES)}
        upper, lower = (ax for ax in shown.figure_.axes if ax.has_data())
        assert upper.get_title(loc="left") == "mine"
        # Each bin has its number of rows, which sum to all rows.
        assert sum(int(text.get_text()) for text in lower.texts) == 200

    def test_ids_need_no_names(self) -> None:
        shown = CoverageDisplay.from_predictions(TRUE, PROBABILITIES)
        assert shown.curves == {"answers": accuracy_by_share(TRUE, PROBABILITIES)}
        (line,) = shown.ax_.get_lines()
        assert line.get_ydata()[-1] == pytest.approx(
            100 * (PROBABILITIES.argmax(axis=1) == TRUE).mean()
        )

    def test_a_promise_can_be_drawn_on_one_curve(self) -> None:
        kept = promise_kept(TRUE, PROBABILITIES, Promise(0.8, 0.5, 0.5))
        alone = CoverageDisplay.from_predictions(TRUE, PROBABILITIES)
        shown = CoverageDisplay.from_predictions(TRUE, PROBABILITIES, promise=kept)
        assert len(alone.ax_.get_lines()) == 1
        assert alone.ax_.get_legend() is None  # nothing to tell apart
        *_, mark = shown.ax_.get_lines()
        assert mark.get_xdata() == pytest.approx([100 * kept.share])
        assert shown.ax_.get_legend()

    def test_the_promise_is_drawn_where_it_was_kept(self) -> None:
        shown = display(CoverageDisplay, THREE)
        assert isinstance(shown, CoverageDisplay)
        assert shown.promise
        assert shown.promise.accuracy
        *_, promised, kept = shown.plot().ax_.get_lines()
        assert promised.get_ydata() == pytest.approx([80, 80])
        assert kept.get_xdata() == pytest.approx([100 * shown.promise.share])
        assert kept.get_ydata() == pytest.approx([100 * shown.promise.accuracy])

    def test_a_promise_without_answers_and_one_row_are_drawn(self, tmp_path: Path) -> None:
        one = TRUE[:1], PROBABILITIES[:1]
        nothing = promise_kept(*one, Promise(0.8, 1.0, 0.5))
        assert nothing.accuracy is None
        assert save_figure(CoverageDisplay({"a": accuracy_by_share(*one)}, nothing), tmp_path / "a")
        assert save_figure(ReliabilityDisplay({"a": reliability(*one)}), tmp_path / "b")

    def test_probabilities_of_another_shape_are_refused(self) -> None:
        with pytest.raises(
            UsageError, match=r"has the shape \(200, 3\), for 200 rows of 2 classes"
        ):
            ReliabilityDisplay.from_predictions(
                TRUE % 2, PROBABILITIES, labels=LabelSet(("joy", "fear"))
            )


def test_saving_leaves_the_layout_of_the_callers_figure(tmp_path: Path) -> None:
    figure = Figure(layout="constrained")
    engine = figure.get_layout_engine()
    shown = displays.ClassFrequencyDisplay(THREE, np.array([5, 20, 10])).plot(figure.subplots())
    save_figure(shown, tmp_path / "figure")
    assert figure.get_layout_engine() is engine


@pytest.mark.parametrize(
    ("k", "grid"), [(2, (1, 2)), (3, (1, 3)), (6, (2, 3)), (7, None), (28, None)]
)
def test_the_map_has_a_panel_for_each_class(k: int, grid: tuple[int, int] | None) -> None:
    labels = LabelSet(tuple(f"class {i}" for i in range(k)))
    shown = display(displays.DensityDisplay, labels)
    assert isinstance(shown, displays.DensityDisplay)
    rows, columns = shown.grid
    assert (rows, columns) == grid or (grid is None and k <= rows * columns < k + columns)
    shown.plot()
    titles = [ax.get_title() for ax in shown.figure_.axes if ax.get_title()]
    assert [title.rsplit(" (", 1)[0] for title in titles] == list(labels.names)


def test_a_class_without_rows_has_an_empty_panel(tmp_path: Path) -> None:
    xy = np.array([[0, 0], [1, 1], [2, 2]], dtype=np.float32)
    shown = displays.DensityDisplay(THREE, Projection(xy, np.array([0, 0, 1])))
    assert save_figure(shown, tmp_path / "map.png")
    assert "other (0)" in [ax.get_title() for ax in shown.figure_.axes]


def test_a_shade_means_the_same_number_of_texts_in_each_panel() -> None:
    rng = np.random.default_rng(0)
    xy = np.concatenate([np.zeros((30, 2)), rng.normal(size=(9, 2))]).astype(np.float32)
    labels = np.array([0] * 30 + [1] * 9)
    shown = displays.DensityDisplay(THREE, Projection(xy, labels))
    shown.plot()
    drawn = [hexagons for ax in shown.figure_.axes for hexagons in ax.collections]
    assert [hexagons.get_clim() for hexagons in drawn] == [(0, 30)] * 3


def test_rows_on_one_spot_can_be_drawn(tmp_path: Path) -> None:
    xy = np.full((9, 2), 3, dtype=np.float32)
    assert save_figure(
        displays.DensityDisplay(THREE, Projection(xy, np.arange(9) % 3)), tmp_path / "m"
    )


def test_a_confusion_matrix_is_normalized_over_the_true_class() -> None:
    matrix = np.array([[3, 1, 0], [0, 0, 0], [1, 1, 2]])
    shown = displays.ConfusionDisplay(THREE, matrix).plot()
    numbers = [float(text.get_text()) for text in shown.ax_.texts]
    assert numbers == [0.75, 0.25, 0, 0, 0, 0, 0.25, 0.25, 0.5]
    ticks = [tick.get_text() for tick in shown.ax_.get_yticklabels()]
    assert ticks == list(THREE.names)


def test_bars_are_ordered_with_the_largest_on_top() -> None:
    shown = displays.ClassFrequencyDisplay(THREE, np.array([5, 20, 10])).plot()
    ticks = [tick.get_text() for tick in shown.ax_.get_yticklabels()]
    assert ticks == ["sadness", "other", "joy"]
    assert [bar.get_width() for bar in shown.ax_.patches] == [5, 10, 20]
