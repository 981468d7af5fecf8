from __future__ import annotations

import pytest
from rich.progress import Progress

from sluicegate import progress_lines, runtime
from sluicegate.progress_lines import ProgressLines, clock


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress_lines, "time", found)
    return found


def show(time: Clock, said: list[str], steps: int, seconds: float, total: int | None) -> None:
    with ProgressLines(said.append) as display:
        display._get_time = display.get_time = lambda: time.now
        task = display.add_task("count", total=total)
        for _ in range(steps):
            time.now += seconds
            display.advance(task)


def test_a_line_now_and_then_says_how_far_it_is_and_how_long_it_takes(time: Clock) -> None:
    said: list[str] = []
    show(time, said, steps=70, seconds=1.0, total=4_000)
    assert said == [
        "  count: 30 of 4,000, 0:30 passed, 1:06:10 left",
        "  count: 60 of 4,000, 1:00 passed, 1:05:40 left",
    ]


def test_what_is_short_says_nothing(time: Clock) -> None:
    said: list[str] = []
    show(time, said, steps=29, seconds=1.0, total=29)
    assert said == []


def test_without_a_total_it_counts(time: Clock) -> None:
    said: list[str] = []
    show(time, said, steps=3, seconds=31.0, total=None)
    assert said[0].startswith("  count: 1, 0:31 passed")


def test_off_a_terminal_the_display_is_lines_and_no_empty_one(capsys: pytest.CaptureFixture[str]) -> None:
    runtime.console.cache_clear()
    with runtime.progress() as display:
        assert isinstance(display, ProgressLines)
        display.update(display.add_task("count", total=1), completed=1)
    assert isinstance(display, Progress)
    assert capsys.readouterr() == ("", "")


def test_hours_are_told_only_where_there_are_some() -> None:
    assert [clock(s) for s in (0.4, 59.6, 61, 3600)] == ["0:00", "1:00", "1:01", "1:00:00"]
