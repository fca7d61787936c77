"""How long a key takes to be on the screen: the median and p95 of 200 steps.

    python benchmarks/key_to_repaint.py [TASKS LOCKS]

The key goes through the application's own queue; the clock stops when the compositor has made the
lines that changed.
"""

import asyncio
import platform
import statistics
import sys
import time

from tests.tui.settings import SmallShelf, session
from uffdviz.tui.app import UffdvizApp


async def measure(tasks: int, mappings: int, steps: int = 200) -> list[float]:
    """Press → so often and take the time until each repaint."""
    app = UffdvizApp(SmallShelf(), session(tasks, mappings, calls=50))
    times: list[float] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        painted = asyncio.Event()
        paint = app._display

        def display(screen: object, renderable: object) -> None:
            paint(screen, renderable)  # type: ignore[arg-type]
            painted.set()

        app._display = display  # type: ignore[method-assign]
        for number in range(steps):
            painted.clear()
            start = time.perf_counter()
            app.simulate_key(str(number % min(tasks, 9) + 1))
            await painted.wait()
            times.append((time.perf_counter() - start) * 1000)
            await asyncio.sleep(0.02)
    return times


def main() -> None:
    """Print the figures for 8 × 12 and 32 × 16, or for the sizes given."""
    given = [int(word) for word in sys.argv[1:3]]
    print(f"{platform.machine()}, CPython {platform.python_version()}")
    for tasks, locks in [tuple(given)] if len(given) == 2 else [(8, 12), (32, 16)]:
        mappings = locks - 4  # beside mmap_lock, map_changing_lock and the page-table locks
        times = sorted(asyncio.run(measure(tasks, max(1, mappings))))
        p95 = times[int(len(times) * 0.95)]
        print(
            f"{tasks} tasks × {locks} locks: median {statistics.median(times):.1f} ms, p95 {p95:.1f} ms"
        )


if __name__ == "__main__":
    main()
