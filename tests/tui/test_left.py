"""A run that is left goes on where it was when it is opened again."""

from tests.tui.screen import Shown, show
from tests.tui.settings import lesson, session


async def to(shown: Shown, row: int) -> str:
    """Open a row of the start screen."""
    return await shown.press("escape", "home", *["down"] * row, "enter")


def test_a_lesson_goes_on_with_its_answers() -> None:
    async def act(shown: Shown) -> None:
        before = await shown.press("b", "b", "1")
        assert "✗ 1 It copies." in before
        assert "step 2/2" in before
        text = await to(shown, 2)
        assert "step 2/2" in text
        assert "✗ 1 It copies." in text
        assert "goes on where you left it: r begins again" in text
        assert "step 5/5" in await shown.press("b")
        assert "step 0/0" in await shown.press("r")

    show(act, lesson())


def test_a_scenario_goes_on_where_one_was_in_its_past_with_the_other_run() -> None:
    async def act(shown: Shown) -> None:
        assert "step 0/0" in await to(shown, 3)
        await shown.press("1", "1", "left", "2", "left")
        text = await to(shown, 3)
        assert "step 1/2" in text
        assert "2 runs" in text
        assert "step 2/2" in await shown.press("right")

    show(act)


def test_one_that_was_not_begun_is_not_said_to_go_on() -> None:
    async def act(shown: Shown) -> None:
        await to(shown, 3)
        assert "goes on where" not in await to(shown, 3)

    show(act, session())
