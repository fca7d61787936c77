"""`lessons list`, `lint`, `new` and `reset`. Each gives an exit status and the lines to print."""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

from cyclopts import App

from uffdviz.course import catalog
from uffdviz.course.catalog import files_of, pages, row
from uffdviz.course.lint import faults_of
from uffdviz.course.new import TEMPLATE, facts_of, from_run
from uffdviz.course.progress import finished, reset
from uffdviz.course.shelf import chapter_title
from uffdviz.errors import UsageError
from uffdviz.light import msgspec
from uffdviz.run.commands import recorded_setting, recording_path
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.read_scenario import shipped
from uffdviz.trace.recording import load_recording
from uffdviz.trace.token import is_token, read_token

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
def new(name: str, *, run: str = "") -> Answer:
    """Write a small lesson to begin from.

    Parameters
    ----------
    name
        The file is NAME.md here; an existing file is never overwritten.
    run
        A recording or a token: the lesson plays that run.
    """
    stem = name.removesuffix(".md")
    if not STEM.fullmatch(stem):
        msg = f"{name!r} is no name for a lesson: small letters, digits and '-', such as 20-a-copy-waits"
        raise UsageError(msg)
    text, tables = of_run(run, stem) if run else (TEMPLATE, "")
    written = [write(Path(f"{stem}.toml"), tables)] if tables else []
    written.append(write(Path(f"{stem}.md"), text))
    path = written[-1]
    return 0, [
        *(f"{file} written" for file in written),
        f"play it with 'uffdviz play {path} --headless', prove it with 'uffdviz lessons lint {path}'",
    ]


def of_run(run: str, stem: str) -> tuple[str, str]:
    """Give the page that plays a run, and its scenario's text if that was not shipped.

    Raises: RecordingError.
    """
    import tomlkit

    head = read_token(run) if is_token(run) else load_recording(recording_path(run)).header
    played = Interleaving(recorded_setting(head, "token" if is_token(run) else run))
    played.follow(list(head.schedule))
    own = head.name not in shipped()
    scenario = f"{stem}.toml" if own else head.name
    return from_run(head, scenario, facts_of(played)), tomlkit.dumps(head.scenario) if own else ""


def write(path: Path, text: str) -> Path:
    """Write a file that is not there yet.

    Raises: UsageError.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        msg = f"{path}: there already"
        raise UsageError(msg) from None
    except OSError as error:
        msg = f"{path}: {(error.strerror or str(error)).lower()}"
        raise UsageError(msg) from None
    return path


@lessons.command(name="reset")
def forget() -> Answer:
    """Forget which lessons were finished."""
    count = reset()
    return 0, [f"{count} lesson{'s' if count != 1 else ''} forgotten"]
