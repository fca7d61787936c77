"""The timeline: zoomed around the cursor, at both ends, with the mouse, and scrubbed."""

import asyncio

import pytest
from textual.events import MouseScrollDown, MouseScrollUp

from tests.tui.screen import Shown, show
from tests.tui.settings import session
from uffdviz.tui.render.lanes import Lanes
from uffdviz.tui.render.line import plain
from uffdviz.tui.render.timeline import (
    event_at,
    lane_room,
    most_zoom,
    now_at,
    timeline_lines,
    window,
)
from uffdviz.tui.screens.run import RunScreen
from uffdviz.tui.widgets.panels import Timeline

STEPS = ["1", "1", "1", "1", "1", "1", "1", "1", "2", "2", "2", "2", "2", "2", "2", "2"]


def lanes() -> Lanes:
    """A run of both tasks, one after the other."""
    run = session()

    async def step() -> None:
        for number in STEPS:
            await run.step(["gc", "app"][int(number) - 1])

    asyncio.run(step())
    made = Lanes(run.tasks)
    made.extend(run.events)
    return made


LANES = lanes()


@pytest.mark.parametrize("zoom", range(4))
def test_the_cursor_is_in_the_middle_except_near_an_end(zoom: int) -> None:
    for n in range(len(LANES.events) + 1):
        now = now_at(LANES, n)
        seen = window(LANES, now, zoom)
        assert seen.end - seen.start == LANES.end >> zoom
        assert 0 <= seen.start <= now <= seen.end <= LANES.end
        if seen.start > 0 and seen.end < LANES.end:
            assert abs((seen.start + seen.end) // 2 - now) <= 1


def test_nobody_zooms_in_further_than_can_be_seen() -> None:
    most = most_zoom(LANES)
    assert 1 <= most < 10
    assert LANES.end >> most >= 32
    assert most_zoom(Lanes(("gc",))) == 0


def test_a_click_means_a_moment_of_what_is_shown() -> None:
    left, width = lane_room(LANES), 80
    for zoom in range(3):
        seen = window(LANES, LANES.end // 2, zoom)
        firsts = [e.n for e in LANES.events if e.start <= seen.start + 3]
        assert event_at(LANES, left, width, seen) >= max(firsts) - 1
        assert event_at(LANES, 0, width, seen) == event_at(LANES, left, width, seen)
        last = max(e.n for e in LANES.events if e.start < seen.end)
        assert event_at(LANES, width + 50, width, seen) == last


def test_the_ruler_says_which_stretch_is_shown() -> None:
    seen = window(LANES, now_at(LANES, 4), 2)
    ruler = plain(timeline_lines(LANES, 4, 80, seen)[:1])
    assert ruler.startswith("-/+")
    assert f"{seen.end} ns" in ruler


def zoomed(shown: Shown) -> tuple[int, int]:
    assert isinstance(shown.app.screen, RunScreen)
    seen = shown.app.screen.query_one(Timeline)._window
    return seen.end - seen.start, shown.app.screen.lanes.end


def test_keys_signs_and_the_wheel_zoom() -> None:
    async def act(shown: Shown) -> None:
        await shown.press(*STEPS, *["left"] * 8, "z")
        part, whole = zoomed(shown)
        assert part == whole >> 1
        await shown.pilot.click("#timeline", offset=(3, 1))
        await shown.settle()
        assert zoomed(shown)[0] == whole >> 2
        timeline = shown.app.screen.query_one(Timeline)
        args = (timeline, 20, 2, 0, 0, 0, False, False)
        for kind, zoom in ((MouseScrollUp, 3), (MouseScrollDown, 2)):
            timeline.post_message(kind(*args, True))  # noqa: FBT003
            await shown.settle()
            assert zoomed(shown)[0] == whole >> zoom
        await shown.pilot.click("#timeline", offset=(1, 1))
        await shown.press("Z", "Z")
        assert zoomed(shown)[0] == whole
        assert "the timeline shows all of it" in shown.text

    show(act, session())


def test_a_scrub_in_a_part_of_it_does_not_run_away() -> None:
    async def act(shown: Shown) -> None:
        await shown.press(*STEPS, *["left"] * 8, "z")
        before = shown.app.screen.query_one(Timeline)._window
        for _ in range(3):
            await shown.pilot.click("#timeline", offset=(90, 2))
            await shown.settle()
        assert shown.app.screen.query_one(Timeline)._window == before
        await shown.press("home")
        assert shown.app.screen.query_one(Timeline)._window.start == 0
        await shown.press("end")
        whole = shown.app.screen.query_one(Timeline)._window.end
        assert whole == LANES.end

    show(act, session())
