from hypothesis import given
from hypothesis import strategies as st

from tests.tui.settings import Setting
from uffdviz.run.interleaving import Interleaving
from uffdviz.trace.events import Event
from uffdviz.tui.render.lanes import Lanes
from uffdviz.tui.render.line import plain, width_of
from uffdviz.tui.render.timeline import (
    Window,
    event_at,
    nanoseconds,
    now_at,
    timeline_lines,
    window,
)


def all_of(lanes: Lanes) -> Window:
    return window(lanes, 0, 0)


def event(n: int, task: str, start: int, fact: str, mode: str = "") -> Event:
    return Event(n, task, "f", "1", start, start + 100, fact, "does", task, "L", mode)


def lanes_of(*events: Event) -> Lanes:
    lanes = Lanes(["gc", "app"])
    lanes.extend(events)
    return lanes


def test_a_lane_shows_running_holding_and_waiting() -> None:
    lanes = lanes_of(
        event(1, "app", 0, "LockAcquired", "write"),
        event(2, "gc", 0, "Worked"),
        event(3, "gc", 100, "LockContended", "read"),
        event(4, "app", 100, "Worked"),
        event(5, "app", 200, "Worked"),
        event(6, "app", 300, "LockReleased", "write"),
    )
    ruler, gc, app = plain(timeline_lines(lanes, 6, 46, all_of(lanes))).splitlines()
    assert ruler.endswith("▼")
    assert gc == "1 gc  ────────────────────┅┅L┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅"
    assert app == "2 app ━━W:L━━━━━━━━━━━━━━━━━━━━━━━━━──────────"


def test_a_lock_that_is_held_while_not_running_is_still_shown() -> None:
    lanes = lanes_of(event(1, "app", 0, "LockAcquired", "write"), event(2, "gc", 100, "Worked"))
    assert plain(timeline_lines(lanes, 2, 46, all_of(lanes))).splitlines()[2].endswith("╌")


def test_a_click_means_the_event_that_had_begun_there() -> None:
    lanes = lanes_of(*(event(n + 1, "gc", n * 100, "Worked") for n in range(4)))
    assert [event_at(lanes, 6 + x, 46, all_of(lanes)) for x in (0, 9, 10, 35, 39)] == [
        1,
        1,
        2,
        4,
        4,
    ]


@given(
    st.lists(st.integers(0, 3), max_size=60),
    st.integers(1, 140),
    st.integers(0, 16),
    st.integers(0, 60),
)
def test_every_lane_fits_at_every_width_zoom_and_place(
    picks: list[int], width: int, zoom: int, n: int
) -> None:
    run = Interleaving(Setting(4, 2))
    for pick in picks:
        if choices := run.machine.choices():
            run.machine.step(choices[pick % len(choices)])
    lanes = Lanes(run.machine.tasks)
    lanes.extend(run.events)
    at = min(n, len(run.events))
    lines = timeline_lines(lanes, at, width, window(lanes, now_at(lanes, at), zoom))
    assert len(lines) == 5
    assert all(width_of(one) <= max(width, 14) for one in lines)


def test_times_are_written_as_people_write_them() -> None:
    times = [0, 999, 1_500, 2_000_000, 3_200_000_000]
    assert [nanoseconds(t) for t in times] == ["0 ns", "999 ns", "1.5 µs", "2 ms", "3.2 s"]
