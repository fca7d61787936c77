"""How long a step takes with the oracle on: the median of the keys, in every lesson's scenario.

    python benchmarks/oracle.py [LESSON…]

Two figures a scenario: asking the oracle about every move, and the whole key until the compositor
has made the lines that changed. The graph is made before the clock starts, as beside the screen.
"""

import asyncio
import platform
import statistics
import sys
import time

from uffdviz.course.shelf import CourseShelf, shipped_lessons
from uffdviz.run.setting import Setting
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.screens.asking import AskingScreen

STEPS = 60


async def measure(name: str) -> tuple[list[float], list[float], bool]:
    """Step through a lesson's scenario. Returns: milliseconds asking and in all, is there a graph."""
    shelf = CourseShelf()
    lesson = shelf.open_lesson(name)
    assert isinstance(lesson.setting, Setting)
    session = shelf.open_scenario(lesson.setting.name, lesson.era)
    app = UffdvizApp(shelf, session)
    asking: list[float] = []
    keys: list[float] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("o")
        screen = app.screen
        assert isinstance(screen, AskingScreen)
        assert screen.oracle is not None
        while not screen.oracle.over:  # noqa: ASYNC110  it is told to the screen alone
            await asyncio.sleep(0.01)
        await pilot.pause()
        oracle = screen.oracle.answer
        assert oracle is not None
        painted = asyncio.Event()
        paint = app._display

        def display(shown: object, renderable: object) -> None:
            paint(shown, renderable)  # type: ignore[arg-type]
            painted.set()

        app._display = display  # type: ignore[method-assign, assignment]
        for _ in range(STEPS):
            if not session.upcoming():
                break
            painted.clear()
            start = time.perf_counter()
            app.simulate_key("n")
            await painted.wait()
            keys.append((time.perf_counter() - start) * 1000)
            await asyncio.sleep(0.005)
            start = time.perf_counter()
            _ = oracle.of_moves(session.events, session.n, session.choices())
            _ = oracle.now(session.events, session.n)
            _ = oracle.point_of_no_return(session.events)
            asking.append((time.perf_counter() - start) * 1000)
    return asking, keys, oracle.ready


def main() -> None:
    """Print a line a scenario and the worst."""
    print(f"{platform.machine()}, CPython {platform.python_version()}")
    worst = 0.0
    for name in sys.argv[1:] or [lesson.name for lesson in shipped_lessons()]:
        asking, keys, ready = asyncio.run(measure(name))
        median = statistics.median(keys)
        worst = max(worst, median)
        word = "" if ready else "  (too large: the oracle says so)"
        print(f"{name}: asking {statistics.median(asking):.3f} ms, key {median:.1f} ms{word}")
    print(f"worst median: {worst:.1f} ms a key (target: under 16)")


if __name__ == "__main__":
    main()
