"""Which lessons there are: those that were shipped, and packs of others."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from uffdviz.course.load import load_lesson
from uffdviz.course.schema import Lesson
from uffdviz.errors import LessonError
from uffdviz.places import data_dir, lessons_dir

PACKS: Final = "uffdviz.lessons"
"""The group of entry points that name packs: each loads to the path of a folder of chapters."""
PAGES: Final = "*/*.md"


def folders() -> Iterator[Path]:
    """The folders of chapters: the course, packs that are installed, the person's own."""
    yield lessons_dir()
    for point in entry_points(group=PACKS):
        yield Path(str(point.load()))
    own = data_dir() / "lessons"
    if own.is_dir():
        yield own


def pages() -> list[Path]:
    """Every lesson's file, in the order of the course."""
    return [path for folder in folders() for path in sorted(folder.glob(PAGES))]


def files_of(word: str) -> list[Path]:
    """The lesson files that a word on the command line means.

    Raises: LessonError.
    """
    path = Path(word)
    if path.is_dir():
        found = [*sorted(path.glob(PAGES)), *sorted(path.glob("*.md"))]
        if not found:
            msg = f"{word}: no *.md in this folder"
            raise LessonError(msg)
        return found
    if path.suffix == ".md" or "/" in word:
        if not path.exists():
            msg = f"{word}: no such file"
            raise LessonError(msg)
        return [path]
    from uffdviz.course.shelf import find_lesson

    return [Path(find_lesson(word).path)]


def row(lesson: Lesson) -> dict[str, object]:
    """What there is to say of one lesson, by the keys of `lessons list --json`."""
    return {
        "name": lesson.name,
        "title": lesson.title,
        "chapter": lesson.chapter,
        "path": lesson.path,
        "scenario": lesson.front.scenario,
        "era": lesson.front.era,
        "minutes": lesson.front.minutes,
    }


def lessons() -> list[Lesson]:
    """Every lesson, in the order of the course.

    Raises: LessonError.
    """
    return [load_lesson(path) for path in pages()]
