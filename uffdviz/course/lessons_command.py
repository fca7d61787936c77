"""`lessons list`, `lint`, `new` and `reset`. Each gives an exit status and the lines to print."""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec
from cyclopts import App

from uffdviz.course import catalog
from uffdviz.course.catalog import files_of, pages, row
from uffdviz.course.lint import faults_of
from uffdviz.course.new import TEMPLATE
from uffdviz.course.progress import finished, reset
from uffdviz.course.shelf import chapter_title
from uffdviz.errors import UsageError

Answer = tuple[int, Iterable[str]]
STEM: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
lessons = App(name="lessons", help="The course, and lessons of your own.")


@lessons.command(name="list")
def list_lessons(*, json: bool = False) -> Answer:
    """Say which lessons there are.

    Parameters
    ----------
    json
        Print one JSON document.
    """
    found = catalog.lessons()
    if json:
        encoded = msgspec.json.encode([row(lesson) for lesson in found])
        return 0, [msgspec.json.format(encoded, indent=2).decode()]
    done = finished()
    wide = max((len(lesson.name) for lesson in found), default=0)
    lines: list[str] = []
    for chapter, group in groupby(found, key=lambda lesson: lesson.chapter):
        lines += ["", chapter_title(chapter)] if lines else [chapter_title(chapter)]
        for lesson in group:
            mark = "x" if lesson.name in done else " "
            lines.append(f"  [{mark}] {lesson.name:<{wide}}  {lesson.title}")
    return 0, lines


@lessons.command
def lint(*paths: str) -> Answer:
    """Prove lessons right: goals, hints, solutions, facts; without paths, the whole course.

    Parameters
    ----------
    paths
        Files, folders, or names of lessons.
    """
    files = [file for path in paths for file in files_of(path)] or pages()
    faults = {file: found for file in files if (found := faults_of(file))}
    count = f"{len(files)} lesson{'s' if len(files) != 1 else ''}"
    if faults:
        lines = [fault for found in faults.values() for fault in found]
        return 1, [*lines, f"{count}, {len(faults)} with a fault"]
    return 0, [f"{count}, no fault"]


@lessons.command
def new(name: str) -> Answer:
    """Write a small lesson to begin from.

    Parameters
    ----------
    name
        The file is NAME.md here; an existing file is never overwritten.
    """
    stem = name.removesuffix(".md")
    if not STEM.fullmatch(stem):
        msg = f"{name!r} is no name for a lesson: small letters, digits and '-', such as 20-a-copy-waits"
        raise UsageError(msg)
    path = Path(f"{stem}.md")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        msg = f"{path}: there already"
        raise UsageError(msg) from None
    except OSError as error:
        msg = f"{path}: {(error.strerror or str(error)).lower()}"
        raise UsageError(msg) from None
    return 0, [
        f"{path} written: play it with 'uffdviz play {path}', prove it with 'uffdviz lessons lint {path}'"
    ]


@lessons.command(name="reset")
def forget() -> Answer:
    """Forget which lessons were finished."""
    count = reset()
    return 0, [f"{count} lesson{'s' if count != 1 else ''} forgotten"]
