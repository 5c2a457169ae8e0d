"""Line charts as SVG, drawn with the colors of the page. Knows nothing of what they show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from emolens.errors import require
from emolens.shown import isolated, visible

_LEFT, _TOP, _WIDTH = 46, 24, 400  # of the field, in units of the picture
_LARGEST, _SMALLEST, _USUAL = 10.0, 1.8, 3.2  # radius of a sign
_SIGNS = ("circle", "square", "diamond", "triangle")
Place = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """low and high end, and what stands at the ticks; percent: the numbers are shares."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    percent: bool = False

    def label(self, value: float) -> str:
        """What stands at a tick."""
        return f"{100 * value:g} %" if self.percent else f"{value:,g}"

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high end."""
        return min(max((value - self.low) / ((self.high - self.low) or 1), 0), 1)


@dataclass(frozen=True)
class Line:
    """One curve: its name, its places, and a low and a high end for each x of `band`.

    sizes: for each place, what the area of its sign stands for; without it, all signs are alike.
    """

    title: str
    places: Sequence[Place]
    band: Sequence[tuple[float, float, float]] = ()
    whiskers: bool = False  # the band as a vertical line at each place
    joined: bool = True
    signs: bool = True
    sizes: Sequence[int] = ()


@dataclass(frozen=True)
class Chart:
    """A picture of lines. message: what it shows, in words, for people who can't see it.

    guides: lines between two places. marks: places with a text. counted: what the sizes of signs
    count, for their legend. height: of the field.
    """

    x: Axis
    y: Axis
    lines: Sequence[Line]
    message: str
    guides: Sequence[tuple[Place, Place]] = ()
    marks: Sequence[tuple[Place, str]] = ()
    counted: str = ""
    height: int = 220

    def svg(self) -> Any:
        """The picture as markup."""
        parts = [*self._frame(), *self._curves(), *self._marks(), *self._sizes()]
        return require("markupsafe", "train").Markup(
            f'<svg class="chart" viewBox="0 0 {_LEFT + _WIDTH + 26} {self._bottom}"'
            f' role="img" aria-label="{_safe(self.message)}">{"".join(parts)}</svg>'
        )

    def at(self, place: Place) -> str:
        """`x,y` in units of the picture."""
        x, y = self.x.share(place[0]), self.y.share(place[1])
        return f"{_LEFT + _WIDTH * x:.1f},{_TOP + self.height * (1 - y):.1f}"

    @property
    def _bottom(self) -> int:
        return _TOP + self.height + (42 if self.x.title else 22)

    def _frame(self) -> Iterable[str]:
        bottom = _TOP + self.height
        for tick in self.y.ticks:
            y = _TOP + self.height * (1 - self.y.share(tick))
            yield f'<path class="grid" d="M{_LEFT},{y:.1f}h{_WIDTH}"/>'
            yield _text(_LEFT - 6, y + 4, self.y.label(tick), "end")
        for tick in self.x.ticks:
            x = _LEFT + _WIDTH * self.x.share(tick)
            yield _text(x, bottom + 16, self.x.label(tick), "middle")
        if self.x.title:
            yield _text(_LEFT + _WIDTH / 2, bottom + 34, self.x.title, "middle")
        yield _text(2, 12, self.y.title, "start")
        for start, end in self.guides:
            yield f'<path class="guide" d="M{self.at(start)}L{self.at(end)}"/>'

    def _curves(self) -> Iterable[str]:
        for number, line in enumerate(self.lines):
            yield f'<g class="series s{number % 4}"><title>{_safe(line.title)}</title>'
            if line.band and line.whiskers:
                for x, low, high in line.band:
                    yield f'<path class="whisker" d="M{self.at((x, low))}L{self.at((x, high))}"/>'
            elif line.band:
                there = [self.at((x, high)) for x, _, high in line.band]
                back = [self.at((x, low)) for x, low, _ in reversed(line.band)]
                yield f'<path class="band" d="M{"L".join(there + back)}Z"/>'
            if line.joined and line.places:
                yield f'<path class="line" d="M{"L".join(map(self.at, line.places))}"/>'
            if line.signs:
                radii = [self._radius(n) for n in line.sizes] or [_USUAL] * len(line.places)
                for place, radius in zip(line.places, radii, strict=True):
                    yield _sign(self.at(place), number, radius)
            yield "</g>"

    def _radius(self, n: int) -> float:
        """Areas are as the counts are; what could not be seen any more gets the smallest size."""
        most = max(size for line in self.lines for size in line.sizes)
        return max(_SMALLEST, _LARGEST * math.sqrt(n / most))

    def _sizes(self) -> Iterable[str]:
        """Signs of round counts above the field, at its right end, with what they stand for."""
        most = max((size for line in self.lines for size in line.sizes), default=0)
        steps = [10**power for power in range(1, 7) if 10**power <= most][-3:]
        x = _LEFT + _WIDTH - 20 - 58.0 * len(steps)
        if steps:
            yield _text(x - 12, 12, f"{self.counted}:", "end")
        for n in steps:
            yield f'<circle class="size" cx="{x:.1f}" cy="11" r="{self._radius(n):.1f}"/>'
            yield _text(x + 12, 15, f"{n:,}", "start")
            x += 58

    def _marks(self) -> Iterable[str]:
        for place, text in self.marks:
            x, y = (float(value) for value in self.at(place).split(","))
            side = "end" if x > _LEFT + 0.8 * _WIDTH else "start"
            yield f'<circle class="mark" cx="{x}" cy="{y}" r="4.5"/>'
            yield _text(x, max(y - 10, 14), text, side, "note")


def _sign(place: str, number: int, radius: float) -> str:
    """A sign with about the area of a circle of this radius."""
    x, y = (float(value) for value in place.split(","))
    kind = _SIGNS[number % 4]
    if kind == "circle":
        return f'<circle class="sign" cx="{x}" cy="{y}" r="{radius:.1f}"/>'
    half, side, point, high = (f"{k * radius:.1f}" for k in (0.9, 1.8, 1.3, 2.2))
    start = f"M{x},{y}m"
    shapes = {
        "square": f"{start}-{half},-{half}h{side}v{side}h-{side}Z",
        "diamond": f"{start}0,-{point}l{point},{point}l-{point},{point}l-{point},-{point}Z",
        "triangle": f"{start}0,-{point}l{point},{high}h-{point}h-{point}Z",
    }
    return f'<path class="sign" d="{shapes[kind]}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "label") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_safe(text)}</text>'
    )


def _safe(text: str) -> str:
    return escape(isolated(visible(text)))


def ticks(high: float, *, most: int = 6) -> tuple[float, ...]:
    """Round numbers from 0 to `high`, at most `most` of them."""
    if high <= 0:
        return (0.0,)
    steps = (m * 10.0**e for e in range(-6, 12) for m in (1, 2, 5))
    step = next(step for step in steps if high / step <= most - 1)
    return tuple(round(i * step, 9) for i in range(int(high / step + 1e-9) + 1))
