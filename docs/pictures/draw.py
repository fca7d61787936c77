"""Draws the pictures of the README: `python docs/pictures/draw.py [FOLDER]`. The same run, so the same picture."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from uffdviz.cli import main
from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.session import Session

LESSON = "50-two-mappings-and-one-helper"
TO_THE_STANDSTILL = ("b", "b", "2", "b", "b", "1", "b")
SCHEDULE = (
    "gc until leaves lock_vma; "
    "app until waits for vma src to write; "
    "gc until waits for mmap_lock to read"
)


def drawn(session: Session | None, keys: tuple[str, ...]) -> str:
    """Press keys in the application, and take a picture of its screen."""

    async def press() -> str:
        app = UffdvizApp(CourseShelf(), session)
        async with app.run_test(size=(120, 40)) as pilot:
            for key in ("", *keys):
                await pilot.press(*filter(None, [key]))
                await pilot.pause()
                await pilot.pause()
            return app.export_screenshot(title="uffdviz")

    return f"{asyncio.run(press()).rstrip()}\n"


def draw(folder: Path) -> None:
    """Draw every picture into a folder."""
    shelf = CourseShelf()
    pictures = {
        "start": drawn(None, ()),
        "standstill": drawn(shelf.open_lesson(LESSON), TO_THE_STANDSTILL),
    }
    for name, picture in pictures.items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        recording = str(Path(place) / "standstill.jsonl")
        scenario = ("move-meets-mprotect", "--era", "series-v4", "--schedule", SCHEDULE)
        main(["run", *scenario, "--record", recording, "--json"])
        main(["export", recording, "--to", "cast", "-o", str(folder / "standstill.cast")])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as nobody:  # no finished lessons, no recordings, no settings
        os.environ.update({f"XDG_{kind}_HOME": nobody for kind in ("CONFIG", "DATA", "STATE")})
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.environ.pop("NO_COLOR", None)
        draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
