"""The time that is left, with a clock that the tests set."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from emolens.console import Console
from emolens.console.remaining import Remaining, in_words


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def course(
    n: int, seconds: Callable[[int], float], *, load: float = 5.0, before: int = 0
) -> list[tuple[float, float | None, str | None]]:
    """After each of n steps: the seconds since the start, those that are left, what is said.

    seconds: that a step takes. load: seconds before the first step. before: steps of an earlier
    run.
    """
    clock = Clock()
    remaining, start = Remaining(clock), clock.now
    clock.now += load
    seen = []
    for step in range(before, n):
        clock.now += seconds(step)
        remaining.update(step + 1, n)
        seen.append((clock.now - start, remaining.seconds, remaining.announcement()))
    return seen


def uneven(step: int) -> float:
    """Steps of one mean length, some four times as long as others; the first ones are slow."""
    return (5.0 if step < 2 else 0.0) + (0.4, 1.6, 0.8, 1.2)[step % 4] * 0.5


@pytest.mark.parametrize(("n", "before"), [(120, 0), (1000, 0), (1000, 37), (20_000, 37)])
def test_the_time_left_is_said_within_a_minute_and_is_right(n: int, before: int) -> None:
    seen = course(n, uneven, before=before)
    whole = seen[-1][0]
    lines = [(at, left, text) for at, left, text in seen if text]
    at, _, first = lines[0]
    assert at <= 60
    assert " left (" in first
    for at, left, _ in seen:
        if left and at > 30:
            assert abs(left - (whole - at)) <= 0.2 * (whole - at) + 1
    shares = [text.split(" % ")[0] for _, _, text in lines[1:]]
    assert len(lines) <= 4
    assert shares == sorted(shares)


def test_it_is_said_again_at_each_quarter() -> None:
    lines = [text for _, _, text in course(2000, lambda step: 1.0) if text]
    assert lines == [
        "about 33 min left (33 min in all)",
        "25 % done, about 25 min left",
        "50 % done, about 17 min left",
        "75 % done, about 8 min left",
    ]


def test_of_what_is_short_nothing_is_said() -> None:
    assert not any(text for *_, text in course(100, lambda step: 0.5))
    assert not any(text for *_, text in course(1, lambda step: 500.0))


@pytest.mark.parametrize("pause", [1.0, 7.0, 13.0, 17.0, 23.0])
def test_slow_steps_are_no_reason_to_be_late(pause: float) -> None:
    lines = [(at, text) for at, _, text in course(200, lambda step: pause) if text]
    assert lines[0][0] <= 60 + pause - 1e-9
    assert lines[0][0] <= 60 or pause > 15


def test_steps_of_an_earlier_run_are_not_counted_as_fast() -> None:
    seen = course(1000, lambda step: 1.0, before=900)
    at, left, _ = seen[50]
    assert left == pytest.approx(seen[-1][0] - at)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "10 s"), (42, "40 s"), (94, "90 s"), (96, "2 min"), (560, "9 min"), (3300, "55 min")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
    assert in_words(4800) == "80 min"
    assert in_words(6000) == "1 h 40 min"


def test_without_a_terminal_a_line_stands_in_for_the_bar(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    for console in (Console(), Console(quiet=True)):
        with console.progress("finetune", clock=clock) as update:
            for step in range(1, 541):
                clock.now += 1
                update(step, 540)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "  finetune: about 8 min left (9 min in all)"
    assert [line.split(" done")[0] for line in lines[1:]] == [
        f"  finetune: {part} %" for part in (25, 50, 75)
    ]


def test_what_has_no_known_number_of_steps_has_no_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    with Console().progress("encode", clock=clock) as update:
        for step in range(1, 200):
            clock.now += 1
            update(step, None)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_the_bar_shows_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console as RichConsole

    clock, out = Clock(), io.StringIO()
    console = Console()
    console._err = RichConsole(file=out, force_terminal=True, width=100)
    with console.progress("finetune", clock=clock) as update:
        for step in range(1, 101):
            clock.now += 6
            update(step, 600)
    assert "about 50 min left" in out.getvalue()
