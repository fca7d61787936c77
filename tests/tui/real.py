"""The application with what was shipped: real scenarios, the oracle, the search, another era."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from textual.events import Paste

from tests.tui.screen import LARGE, Shown, Size
from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.beside import Beside

MOST = 4000
"""How often a screen is looked at before it is given up: a busy machine may be slow."""


async def wait_for(shown: Shown, words: str) -> str:
    """Let the application run until some words are on its screen. Returns: the screen."""
    for _ in range(MOST):
        if words in shown.text:
            break
        await shown.pilot.pause(0.01)
    assert words in shown.text, shown.text
    return shown.text


def hold_beside(monkeypatch: pytest.MonkeyPatch, ticks: int = 1) -> None:
    """Let what is asked beside the screen come that far, and then wait until it is stopped."""
    tick = Beside.tick
    seen = count(1)

    def held(self: Beside[Any], states: int, moves: int) -> bool:
        on = tick(self, states, moves)
        if next(seen) >= ticks:
            self._tell()
            _ = self._stop.wait()
            return False
        return on

    monkeypatch.setattr(Beside, "tick", held)


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
