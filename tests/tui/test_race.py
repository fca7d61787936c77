"""Two eras of a workload race: keys are pressed, the mouse is moved, the screen is read."""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion
from textual.events import MouseScrollDown
from textual.widget import Widget
from textual.widgets import OptionList

from tests.run.small import small_scenario
from tests.tui.real import hold_beside, real_screen, wait_for
from tests.tui.screen import LARGE, MEDIUM, SMALL, Shown, Size
from tests.tui.settings import SmallShelf
from uffdviz.course.shelf import CourseShelf
from uffdviz.run.measure import Plan
from uffdviz.run.workload import Workload
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.screens.race import RaceScreen
from uffdviz.tui.screens.sweep import SweepScreen
from uffdviz.tui.session import Shelf

SIZES = pytest.mark.parametrize(
    "size", [SMALL, MEDIUM, LARGE], ids=lambda size: f"{size[0]}x{size[1]}"
)
OVER = "…finished first"


def small() -> Workload:
    tables = msgspec.to_builtins(small_scenario())
    return Workload(*(Plan("small", era, tables=tables) for era in ("v6.8", "v6.9")))


def shown_after(
    act: Callable[[Shown], Awaitable[None]], size: Size = LARGE, shelf: Shelf | None = None
) -> None:
    """Start the application on its start screen, and act."""
    app = UffdvizApp(shelf or SmallShelf())

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            shown = Shown(app, pilot)
            await wait_for(shown, "1 Faults" if shelf else "1 Waiting")
            await act(shown)

    asyncio.run(main())
    assert not [t for t in threading.enumerate() if "Beside" in t.name]


async def press_all(shown: Shown, keys: Sequence[str]) -> None:
    for key in keys:
        if key.startswith("…"):
            await wait_for(shown, key[1:])
            await shown.settle()
        else:
            await shown.press(key)


def race_after(
    keys: Sequence[str], size: Size = LARGE, workload: Callable[[], Workload] = small
) -> str:
    """What is on the screen of a race after keys; `…words` waits until the words are there."""
    found: list[str] = []

    async def act(shown: Shown) -> None:
        _ = shown.app.push_screen(RaceScreen(workload()))
        await press_all(shown, keys)
        found.append(shown.text)

    shown_after(act, size)
    return found[0]


def compaction() -> Workload:
    return CourseShelf().workload("compaction")


PLACES = {
    "start": [OVER, "home"],
    "middle": [OVER, "home", *["right"] * 8],
    "end": [OVER],
    "zoomed": [OVER, "home", "right", "right", "z", "z", "z"],
    "wait": [OVER, "home", "]", "]", "enter", *["z"] * 7],
}


@SIZES
@pytest.mark.parametrize("place", PLACES)
def test_the_race(place: str, size: Size, snapshot: SnapshotAssertion) -> None:
    assert race_after(PLACES[place], size) == snapshot


def test_the_left_fills_with_d_state_and_the_right_does_not() -> None:
    lines = race_after([OVER], SMALL).splitlines()
    left = "".join(one[:40] for one in lines[2:12])
    right = "".join(one[40:] for one in lines[2:12])
    assert left.count("█") > 20
    assert "█" not in right


def test_the_picture_fills_as_time_goes_by() -> None:
    fill: list[int] = []

    async def act(shown: Shown) -> None:
        _ = shown.app.push_screen(RaceScreen(small()))
        await press_all(shown, [OVER, "home"])
        for _ in range(4):
            fill.append(shown.text.count("█"))
            await shown.press(*["right"] * 5)

    shown_after(act, SMALL)
    assert fill[0] == 2, "the signs of the rows below"
    assert fill == sorted(fill)
    assert fill[-1] > fill[1]


def test_who_finished_first_is_said() -> None:
    text = race_after([OVER])
    assert re.search(r"v6\.9 finished first, at .* v6\.8 took .* times as long", text)


def test_both_ways_lead_back() -> None:
    there = race_after([OVER, "home", *["right"] * 5], SMALL)
    assert race_after([OVER, "home", *["right"] * 7, "left", "left"], SMALL) == there


def test_playing_goes_to_the_end_and_stops() -> None:
    text = race_after([OVER, "home", "plus", "plus", "space", OVER, "…times as long"])
    assert "▷" not in text


def test_play_and_pause() -> None:
    text = race_after([OVER, "home", "space", "…▷", "space"], workload=compaction)
    assert "▷" not in text


def test_a_wait_is_said_in_words_and_the_totals_come_back() -> None:
    text = race_after([OVER, "home", "]", "enter"], workload=compaction)
    assert "v6.8: gc waits for mmap_lock to read" in text
    assert "When it began writer.2 had the lock" in text
    assert any(sign in text for sign in "├┼")
    again = race_after([OVER, "home", "]", "enter", "enter"], workload=compaction)
    assert "wall clock" in again


def test_brackets_go_from_wait_to_wait() -> None:
    keys = [OVER, "home", "enter"]
    first = race_after([*keys, "home", "]"], workload=compaction)
    assert race_after([*keys, "home", "]", "]", "["], workload=compaction) == first
    assert "is known further on" in race_after([OVER, "]"], workload=compaction)


def test_enter_alone_finds_the_longest_wait() -> None:
    text = race_after([OVER, "enter"], workload=compaction)
    pair = compaction().race(lambda *_: True)
    longest = max(pair.left.waits, key=lambda wait: wait.end - wait.start)
    assert f"{longest.task} waits for {longest.lock}" in text


def test_closer_is_run_again_until_a_wait_fills_the_window() -> None:
    async def act(shown: Shown) -> None:
        screen = RaceScreen(small())
        _ = shown.app.push_screen(screen)
        await press_all(shown, [OVER, "home", "right", "]", "enter"])
        for _ in range(9):
            await shown.press("z")
            for _ in range(4000):
                if not screen.progress():
                    break
                await shown.pilot.pause(0.01)
        best, whole = screen.best(), screen.pair
        assert best is not None
        assert whole is not None
        assert best.left.width * screen.width_of_side() <= screen.length < whole.left.width * 57
        assert screen.chosen in list(best.waits())
        assert "├" in shown.text or "┼" in shown.text

    shown_after(act)


def test_there_is_a_closest() -> None:
    text = race_after([OVER, *["z"] * 20], workload=compaction)
    assert "as close as one can come" in text


def test_a_click_goes_to_its_moment_and_the_wheel_moves_it() -> None:
    found: list[str] = []

    async def act(shown: Shown) -> None:
        _ = shown.app.push_screen(RaceScreen(small()))
        await press_all(shown, [OVER, "home", "right", "right"])
        by_keys = shown.text
        await shown.press("end")
        await shown.pilot.click("#right", offset=(2, 3))
        await shown.settle()
        found.extend([by_keys, shown.text])
        await shown.press("home")
        picture = shown.app.screen.query_one("#left")
        for _ in range(2):
            picture.post_message(wheel(picture))
            await shown.settle()
        found.append(shown.text)

    shown_after(act, SMALL)
    assert found[0] == found[1] == found[2]


def wheel(widget: Widget) -> MouseScrollDown:
    no = False
    return MouseScrollDown(widget, 3, 3, 0, 1, 0, shift=no, meta=no, ctrl=no)


def test_another_size_loses_nothing() -> None:
    found: list[str] = []

    async def act(shown: Shown) -> None:
        _ = shown.app.push_screen(RaceScreen(compaction()))
        await press_all(shown, [OVER, "home", "]", "]", "z", "z", "enter"])
        found.append(shown.text)
        for size in ((20, 8), (200, 60), SMALL):
            await shown.pilot.resize_terminal(*size)
            await shown.settle()
        found.append(shown.text)

    shown_after(act, SMALL)
    assert found[0] == found[1]


def test_a_race_that_is_stopped_keeps_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uffdviz.run.workload.OFTEN", 1)
    hold_beside(monkeypatch, 4)
    found: list[str] = []

    async def act(shown: Shown) -> None:
        screen = RaceScreen(CourseShelf().workload("android-compaction"))
        _ = shown.app.push_screen(screen)
        await wait_for(shown, "is known until")
        await shown.press("s")
        for _ in range(4000):
            if screen.is_known:
                break
            await shown.pilot.pause(0.01)
        await shown.press("end")
        found.append(shown.text)
        assert screen.pair is not None
        assert not any(side.over for side in screen.pair)

    shown_after(act)
    assert "is known until" in found[0]
    assert "s stops" not in found[0]


def test_leaving_in_the_middle_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_beside(monkeypatch)

    async def act(shown: Shown) -> None:
        _ = shown.app.push_screen(RaceScreen(CourseShelf().workload("android-compaction")))
        await wait_for(shown, "s stops")
        await shown.press("escape")
        assert not [t for t in threading.enumerate() if "Beside" in t.name]

    shown_after(act)


async def find(shown: Shown, name: str) -> None:
    """Light the row of a scenario."""
    rows = shown.app.screen.query_one(OptionList)
    rows.highlighted = rows.get_option_index(f"scenario {name}")
    await shown.settle()


def test_r_on_the_start_screen_lets_two_kernels_race() -> None:
    found: list[str] = []

    async def act(shown: Shown) -> None:
        await find(shown, "compaction")
        found.append(shown.text)
        await press_all(shown, ["r", OVER])
        found.append(shown.text)
        await press_all(shown, ["e", "enter", "…v6.1", OVER])
        found.append(shown.text)

    shown_after(act, shelf=CourseShelf())
    assert "r lets two kernels race" in " ".join(found[0].split())
    assert "v6.8 finished" in found[1]
    assert "v6.1 finished" in found[2]


def test_only_a_scenario_races() -> None:
    found: list[str] = []

    async def act(shown: Shown) -> None:
        await shown.press("r")
        found.append(str([n.message for n in shown.app._notifications]))

    shown_after(act)
    assert "only a scenario can be raced" in found[0]


def test_c_on_a_long_scenario_leads_to_the_race(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uffdviz.course.tools.SHORT", 1000)
    text = real_screen(["c", "enter", OVER, "e"], "compaction", "v6.9")
    assert "gc, mutator" in text
    assert "D-state by a lock" in text
    assert "c chooses another one" in text


def test_c_on_a_short_scenario_compares_event_by_event() -> None:
    text = real_screen(["c", "enter", "…They part"], "compaction", "v6.9")
    assert "D-state by a lock" not in text


def test_help_is_about_the_race() -> None:
    text = race_after([OVER, "question_mark"])
    assert "Zoom in around the cursor" in text
    assert "D-state by a lock" in text


def test_the_palette_knows_the_race() -> None:
    text = race_after([OVER, "ctrl+p", *"zoom", "…Zoom in around"])
    assert "Zoom in around the cursor" in text


# the sweep


def sweep_after(text: str, size: Size = LARGE, keys: Sequence[str] = ()) -> str:
    found: list[str] = []

    async def act(shown: Shown) -> None:
        workload = compaction()
        _ = shown.app.push_screen(SweepScreen(workload, workload.sweep(text)))
        await press_all(shown, keys)
        found.append(shown.text)

    shown_after(act, size)
    return found[0]


@SIZES
def test_a_sweep_is_plotted(size: Size, snapshot: SnapshotAssertion) -> None:
    text = sweep_after("wake_latency=5000..80000", size, ["…10 of 10 runs"])
    assert text == snapshot


def test_v_asks_what_to_vary_says_what_is_wrong_with_it_and_asks_again() -> None:
    found: list[str] = []

    async def act(shown: Shown) -> None:
        await find(shown, "compaction")
        await press_all(shown, ["r", OVER, "v", *"writer", "enter"])
        found.append(shown.text)
        await press_all(shown, [*"writer=0..1", "enter", "…4 of 4 runs"])
        found.append(shown.text)

    shown_after(act, shelf=CourseShelf())
    assert "write NAME=A..B" in found[0]
    assert "ratio" in found[1]
    assert "writer (count)" in found[1]


def test_a_sweep_that_is_stopped_plots_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_beside(monkeypatch, 8)
    found: list[str] = []

    async def act(shown: Shown) -> None:
        workload = compaction()
        series = workload.sweep("writer=0..8")
        _ = shown.app.push_screen(SweepScreen(workload, series))
        await wait_for(shown, " of 18 runs … ")
        await wait_for(shown, "*")
        await shown.press("s")
        await wait_for(shown, "stopped after")
        found.append(shown.text)

    shown_after(act)
    assert "of 18 runs" in found[0]
    assert "│" in found[0]
