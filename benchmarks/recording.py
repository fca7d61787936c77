"""Opening a recording of 100 000 events, and scrubbing in it.

    python benchmarks/recording.py [EVENTS]

Opening is measured until the first picture of the run; the rest is replayed while one looks at it.
Scrubbing jumps over the whole recording; a frame is over when the compositor has made the lines
that changed. Both are processor time of this process, so that other work does not count.
"""

import asyncio
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from uffdviz.course.shelf import CourseShelf
from uffdviz.run.interleaving import next_choice
from uffdviz.run.read_scenario import parse_scenario
from uffdviz.run.setting import Setting
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.recording import Header, write_recording
from uffdviz.tui.app import UffdvizApp

SCENARIO = """
title = "Two tasks that copy and protect, for long"
era = "v6.9"
[[uffd]]
name = "gc"
[[vma]]
name = "dst"
pages = 4
anon_vma = true
uffd = { modes = ["missing"] }
[[vma]]
name = "src"
pages = 4
anon_vma = true
present = [0, 1, 2, 3]
[[task]]
name = "gc"
calls = [
  { op = "UFFDIO_COPY", dst = "dst", src = "src", pages = 4 },
  { op = "madvise", at = "dst", pages = 4, advice = "dontneed" },
]
repeat = 100000
[[task]]
name = "app"
calls = [
  { op = "mprotect", at = "src", pages = 4, prot = "r" },
  { op = "mprotect", at = "src", pages = 4, prot = "rw" },
]
repeat = 100000
"""
FRAMES = 200


def record(path: Path, events: int) -> int:
    """Write a recording. Returns: how many bytes it has."""
    setting = Setting(parse_scenario(SCENARIO, "long"), name="long")
    machine = setting.machine()
    timed = Timed()
    while len(machine.events) < events:
        choice = next_choice(machine, timed)
        assert choice is not None
        _ = machine.step(choice)
    schedule = tuple(event.choice for event in machine.events)
    tables = msgspec.to_builtins(setting.scenario)
    header = Header(scenario=tables, era=setting.era_name, name="long", schedule=schedule)
    return path.write_bytes(write_recording(header, machine.events))


async def measure(path: Path, events: int) -> tuple[float, list[float]]:
    """Open and scrub. Returns: seconds until the first picture, milliseconds a frame."""
    start = time.process_time()
    shelf = CourseShelf()
    app = UffdvizApp(shelf, shelf.open_recording(str(path)))
    frames: list[float] = []
    async with app.run_test(size=(120, 40)) as pilot:
        opened = time.process_time() - start
        await pilot.pause()
        painted = asyncio.Event()
        paint = app._display

        def display(shown: object, renderable: object) -> None:
            paint(shown, renderable)  # type: ignore[arg-type]
            painted.set()

        app._display = display  # type: ignore[method-assign, assignment]
        screen = app.screen
        while screen.session.behind:  # type: ignore[attr-defined]  # noqa: ASYNC110  a benchmark
            await asyncio.sleep(0.05)
        for number in range(FRAMES):
            painted.clear()
            begin = time.process_time()
            at = (number * 7919 * 13) % events
            await screen.seek(at)  # type: ignore[attr-defined]
            await painted.wait()
            frames.append((time.process_time() - begin) * 1000)
            await asyncio.sleep(0)
    return opened, frames


def main() -> None:
    """Print both figures."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{platform.machine()}, CPython {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.jsonl"
        size = record(path, events)
        opened, frames = asyncio.run(measure(path, events))
    frames.sort()
    p95 = frames[int(len(frames) * 0.95)]
    print(f"{events} events, {size / 1e6:.0f} MB: opened in {opened:.2f} s (target: under 1)")
    print(f"scrubbing: median {statistics.median(frames):.1f} ms, p95 {p95:.1f} ms (target: 33)")


if __name__ == "__main__":
    main()
