"""Draws the pictures of the README: `python docs/pictures/draw.py`. The same run, so the same picture."""

import asyncio
from pathlib import Path

from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp

HERE = Path(__file__).parent
WRITER_FIRST = [*["2"] * 14, *["1"] * 8]


async def draw(name: str, scenario: str, keys: list[str]) -> None:
    """Open a scenario, press keys, keep what is on the screen."""
    shelf = CourseShelf()
    app = UffdvizApp(shelf, shelf.open_scenario(scenario) if scenario else None)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        for _ in range(3):
            await pilot.pause()
        picture = app.export_screenshot(title="uffdviz")
    (HERE / f"{name}.svg").write_text(f"{picture.rstrip()}\n", encoding="utf-8")


asyncio.run(draw("run", "copy-meets-mprotect", WRITER_FIRST))
asyncio.run(draw("start", "", []))
