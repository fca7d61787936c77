"""A lecture that goes on from the last time: one sees that it is on, and how to end it."""

import asyncio

from tests.tui.screen import LARGE, SMALL, Shown, screen_after, show
from tests.tui.settings import lesson, session
from uffdviz.course.schema import Goal
from uffdviz.course.shelf import CourseShelf, find_lesson
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.remember import remember
from uffdviz.tui.screens.goal import Attempt, GoalScreen


def test_a_lesson_says_that_a_lecture_is_on_and_how_to_end_it() -> None:
    remember("lecture", value=True)
    for size in (SMALL, LARGE):
        text = screen_after([], lesson(), size)
        assert "a lecture is on: l ends it" in text
        assert "l end lecture" in text
        assert "l end lecture" in screen_after(["b"], lesson(), size)


def test_without_a_lecture_nothing_is_said_of_one() -> None:
    assert "lecture" not in screen_after([], lesson())


def test_the_line_of_keys_offers_only_what_works_in_a_lecture() -> None:
    text = screen_after(["H", "l"], session())
    assert "t panel" not in text
    assert "show all" not in text
    assert "t panel" in screen_after(["l"], session())


def test_a_key_for_a_hint_says_where_hints_are() -> None:
    remember("lecture", value=True)
    assert "hints: they are among its notes" in screen_after(
        ["b", "b", "2", "b", "b", "h"], lesson()
    )


def test_the_goal_and_its_hints_are_in_sight_in_a_lecture() -> None:
    remember("lecture", value=True)
    remember("small", "front", value="memory")
    shelf = CourseShelf()
    found = [
        (entry.name, at)
        for entry in shelf.lessons()
        for at, block in enumerate(find_lesson(entry.name).blocks)
        if isinstance(block, Goal) and block.kind == "break"
    ]
    name, at = found[0]
    app = UffdvizApp(shelf)

    async def main() -> None:
        async with app.run_test(size=SMALL) as pilot:
            shown = Shown(app, pilot)
            guide = shelf.guide(name)
            assert guide is not None
            goal = Attempt(shelf.open_goal(find_lesson(name).path, at))
            _ = app.push_screen(GoalScreen(goal, shelf, app.one_run, guide, at))
            await shown.settle()
            assert "Break it: " in shown.text
            assert "hint 1: " in await shown.press("h")
            assert "Break it: " in await shown.press("l")

    asyncio.run(main())


def test_a_step_that_is_not_there_is_refused_and_asked_for_again() -> None:
    async def act(shown: Shown) -> None:
        await shown.press("1", "1")
        for wrong in ("abc", "99999", "-5"):
            text = await shown.press("g", *wrong, "enter")
            assert f"no step {wrong!r}; steps are 0 to 2" in text
            await shown.press("escape")
        await shown.press("g", "9", "enter", "1", "enter")
        assert "step 1/2" in shown.text

    show(act, session(), SMALL)
