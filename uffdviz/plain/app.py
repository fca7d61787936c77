"""The application without a screen: what one types is a line, what it says are sentences.

Nothing here prints: lines are given to whoever prints them, and `ask` gives what was typed.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import groupby
from typing import Final

from uffdviz.course.shelf import CourseShelf, Entry
from uffdviz.errors import UffdvizError, UsageError, near_miss
from uffdviz.plain.talk import LEAVE, Talk
from uffdviz.run.session import RunSession

Ask = Callable[[], str | None]
"""Gives the next line, or None at the end of what is typed."""

WELCOME: Final = (
    "uffdviz: schedule the locking of userfaultfd yourself. Type the number or the name of a lesson, "
    "a scenario or a recording; 1 is the first lesson. help says what else can be typed; q quits."
)
HELP: Final = (
    "A number or a name: Open it. A scenario's name may be followed by a kernel, such as v6.8.",
    "list: Say every lesson, scenario and recording. list WORD: Those with a word in them.",
    "menu, or an empty line: Say the chapters again.",
    "q: Quit.",
)
TITLES: Final = {"scenario": "Scenarios to play with", "recording": "Recordings"}
Row = tuple[str, Entry]
"""A lesson, scenario or recording: which of them, and its entry."""


def conversation(shelf: CourseShelf, ask: Ask) -> Iterator[str]:
    """Say what there is, open what is asked for, and talk about it, until there is nothing more.

    Raises: UffdvizError at once if the course cannot be read.
    """
    return lines_of(shelf, ask, everything(shelf))


def lines_of(shelf: CourseShelf, ask: Ask, rows: Sequence[Row]) -> Iterator[str]:
    """Talk about what is chosen from the list, again and again."""
    yield from menu(rows)
    while (line := ask()) is not None and line not in {"q", "quit"}:
        if line in {"?", "help"}:
            yield from HELP
            continue
        word, _, wanted = line.partition(" ")
        if word == "list":
            yield from listed(rows, wanted)
            continue
        try:
            session = opened(shelf, rows, line) if line not in {"", "menu"} else None
        except UffdvizError as error:
            yield f"Cannot open it: {error}."
            continue
        if session is not None:
            if not (yield from run_talk(Talk(shelf, session), ask)):
                return
            rows = everything(shelf)
        yield from menu(rows)


def run_talk(talk: Talk, ask: Ask) -> Generator[str, None, bool]:
    """Talk about one run. Returns: whether to go on with another."""
    yield from talk.begin()
    while (line := ask()) is not None:
        if line in LEAVE:
            return line == "menu"
        yield from talk.hear(line)
    return False


def everything(shelf: CourseShelf) -> list[Row]:
    """All that can be opened, in the order of the list."""
    rows = [("lesson", entry) for entry in shelf.lessons()]
    rows += [("scenario", entry) for entry in shelf.scenarios()]
    return rows + [("recording", entry) for entry in shelf.recordings()]


def menu(rows: Sequence[Row]) -> Iterator[str]:
    """Say what there is, by chapter."""
    yield WELCOME
    numbered = enumerate(rows, 1)
    for title, group in groupby(numbered, lambda row: TITLES.get(row[1][0], row[1][1].chapter)):
        numbers = [number for number, _ in group]
        span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"
        yield f"{title}: {span}."


def listed(rows: Sequence[Row], wanted: str) -> Iterator[str]:
    """Say all that can be opened, or what has some words in it."""
    found = [
        (number, kind, entry)
        for number, (kind, entry) in enumerate(rows, 1)
        if wanted.casefold() in f"{kind} {entry.name} {entry.title} {entry.chapter}".casefold()
    ]
    if not found:
        yield f"Nothing here has {wanted[:60]!r} in it."
    for number, kind, entry in found:
        done = ", done" if entry.done else ""
        yield f"{number}: {kind} {entry.name}: {entry.title}{done}."


def opened(shelf: CourseShelf, rows: Sequence[Row], line: str) -> RunSession:
    """Open what a line asks for.

    Raises: UffdvizError if there is no such thing, or if it cannot be opened.
    """
    name, _, era = line.partition(" ")
    if name.isdecimal() and 1 <= int(name) <= len(rows):
        kind, entry = rows[int(name) - 1]
    else:
        named = {entry.name: (kind, entry) for kind, entry in reversed(rows)}
        if name not in named:
            msg = f"nothing is called {name[:60]!r}{near_miss(name, named)}"
            raise UsageError(msg)
        kind, entry = named[name]
    match kind:
        case "lesson":
            return shelf.open_lesson(entry.name)
        case "scenario":
            return shelf.open_scenario(entry.name, era.strip())
        case _:
            return shelf.open_recording(entry.name)
