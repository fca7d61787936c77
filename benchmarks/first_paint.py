"""How long until the first frame, against an empty Textual application: whole processes, by turns.

python benchmarks/first_paint.py [REPEATS]
"""

import platform
import statistics
import subprocess
import sys
import time

EMPTY = """
from textual.app import App
class Empty(App[None]):
    def on_mount(self) -> None:
        self.call_after_refresh(self.exit)
Empty().run(headless=True)
"""
OURS = """
from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp
class Ours(UffdvizApp):
    def on_mount(self) -> None:
        super().on_mount()
        self.call_after_refresh(self.exit)
Ours(CourseShelf()).run(headless=True)
"""


def once(code: str) -> float:
    """Run a program to its end. Returns: milliseconds."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - start) * 1000


def main() -> None:
    """Print both medians and their ratio."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    pairs = [(once(EMPTY), once(OURS)) for _ in range(repeats)]
    empty, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{platform.machine()}, CPython {platform.python_version()}, {repeats} of each")
    print(f"empty {empty:.0f} ms, uffdviz {ours:.0f} ms: {ours / empty:.2f} times")


if __name__ == "__main__":
    main()
