"""The application with what was shipped: real scenarios, the oracle, the search, another era."""

import asyncio
from collections.abc import Sequence

from textual.events import Paste

from tests.tui.screen import LARGE, Shown, Size
from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp

MOST = 400
"""How often a screen is looked at before it is given up."""


async def wait_for(shown: Shown, words: str) -> str:
    """Let the application run until some words are on its screen. Returns: the screen."""
    for _ in range(MOST):
        if words in shown.text:
            break
        await shown.pilot.pause(0.01)
    assert words in shown.text, shown.text
    return shown.text


def real_screen(
    keys: Sequence[str],
    scenario: str = "move-meets-mprotect",
    era: str = "series-v4",
    size: Size = LARGE,
) -> str:
    """What is on the screen after keys; `…words` waits until they are there, `=words` pastes them."""
    shelf = CourseShelf()
    app = UffdvizApp(shelf, shelf.open_scenario(scenario, era))
    found: list[str] = []

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            shown = Shown(app, pilot)
            await shown.settle()
            for key in keys:
                if key.startswith("…"):
                    await wait_for(shown, key[1:])
                    await shown.settle()
                elif key.startswith("="):
                    assert shown.app.screen.focused is not None
                    shown.app.screen.focused.post_message(Paste(key[1:]))
                    await shown.settle()
                else:
                    await shown.press(key)
            found.append(shown.text)

    asyncio.run(main())
    return found[0]
