"""The application without a screen: what one types is a line, what it says are sentences.

Nothing here prints: lines are given to whoever prints them, and `ask` gives what was typed.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import groupby
from typing import Final

from uffdviz.course.shelf import CourseShelf, Entry
from uffdviz.errors import UffdvizError, UsageError, near_miss
from uffdviz.plain.talk import Talk
from uffdviz.run.session import RunSession
from uffdviz.trace.token import is_token

Ask = Callable[[], str | None]
"""Gives the next line, or None at the end of what is typed."""

WELCOME: Final = (
    "uffdviz: schedule the locking of userfaultfd yourself. Type the number or the name of a lesson, "
    "a scenario or a recording; 1 is the first lesson. help says what else can be typed; q quits."
)
HELP: Final = (
    "A number or a name: Open it. A scenario's name may be followed by a kernel, such as v6.8.",
    "A token, uv1. and so on: Open the run that somebody has passed on.",
    "list: Say every lesson, scenario and recording. list WORD: Those with a word in them.",
    "menu, or an empty line: Say the chapters again.",
    "q: Quit.",
)
QUIT: Final = frozenset({"q", "quit"})
TITLES: Final = {"scenario": "Scenarios to play with", "recording": "Recordings"}
Row = tuple[str, Entry]
"""A lesson, scenario or recording: which of them, and its entry."""


def conversation(shelf: CourseShelf, ask: Ask, lesson: str = "") -> Iterator[str]:
    """Say what there is, open what is asked for, and talk about it, until there is nothing more.

    With a `lesson` that one is open at once.
    Raises: UffdvizError at once if the course, or that lesson, cannot be read.
    """
    first = Talk(shelf, shelf.open_lesson(lesson)) if lesson else None
    return Conversation(shelf, ask, everything(shelf)).lines(first)


class Conversation:
    """What can be opened, and the runs that were left: they go on when they are opened again."""

    def __init__(self, shelf: CourseShelf, ask: Ask, rows: Sequence[Row]) -> None:
        self.shelf = shelf
        self.ask = ask
        self.rows = rows
        self.left: dict[str, Talk] = {}

    def lines(self, first: Talk | None) -> Iterator[str]:
        """Talk about what is chosen from the list, again and again."""
        if first is not None:
            self.left[first_key(first)] = first
            if not (yield from self.talk(first)):
                return
        yield from menu(self.rows)
        while (line := self.ask()) is not None and line not in QUIT:
            if line in {"?", "help"}:
                yield from HELP
            elif line.partition(" ")[0] == "list":
                yield from listed(self.rows, line.partition(" ")[2])
            elif line in {"", "menu"}:
                yield from menu(self.rows)
            elif not (yield from self.open(line)):
                return

    def open(self, line: str) -> Generator[str, None, bool]:
        """Open what a line asks for and talk about it. Returns: whether to go on with another."""
        try:
            kind, name, era = asked_for(self.rows, line)
            talk = self.talk_of(kind, name, era)
        except UffdvizError as error:
            yield f"Cannot open it: {error}."
            return True
        if not (yield from self.talk(talk)):
            return False
        self.rows = everything(self.shelf)
        yield from menu(self.rows)
        return True

    def talk_of(self, kind: str, name: str, era: str = "") -> Talk:
        """The talk about something: the one that was left, or one that begins.

        Raises: UffdvizError if it cannot be opened.
        """
        key = f"{kind} {name} {era}".strip()
        if key not in self.left:
            self.left[key] = Talk(self.shelf, opened(self.shelf, kind, name, era))
        return self.left[key]

    def talk(self, talk: Talk) -> Generator[str, None, bool]:
        """Talk about one run, and about the lessons after it. Returns: whether to go on."""
        yield from self.greeting(talk)
        while (line := self.ask()) is not None:
            if line in QUIT:
                return False
            if line == "menu" or (line == "esc" and talk.above is None):
                return True
            yield from talk.hear(line)
            if talk.opens:
                try:
                    after = self.talk_of("lesson", talk.opens)
                except UffdvizError as error:
                    yield f"Cannot open it: {error}."
                    continue
                finally:
                    talk.opens = ""
                talk = after
                yield from self.greeting(talk)
        return False

    def greeting(self, talk: Talk) -> Iterator[str]:
        """Begin, or go on where a run was left."""
        if not talk.begun:
            yield from talk.begin()
            return
        yield f"{talk.session.title}. This run goes on where you left it: r begins it again."
        yield from talk.again()


def first_key(talk: Talk) -> str:
    """Under which key the talk about a lesson is kept."""
    lesson = talk.session.lesson
    return f"lesson {lesson.name}" if lesson is not None else ""


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


def asked_for(rows: Sequence[Row], line: str) -> tuple[str, str, str]:
    """What a line asks for: which kind of thing, its name, under which kernel.

    Raises: UsageError if there is no such thing.
    """
    if is_token(line):
        return "recording", line, ""
    name, _, era = line.partition(" ")
    if name.isdecimal() and 1 <= int(name) <= len(rows):
        kind, entry = rows[int(name) - 1]
    else:
        named = {entry.name: (kind, entry) for kind, entry in reversed(rows)}
        if name not in named:
            msg = f"nothing is called {name[:60]!r}{near_miss(name, named)}"
            raise UsageError(msg)
        kind, entry = named[name]
    if era and kind != "scenario":
        msg = f"a {kind} has its own kernel; only a scenario can be opened under another"
        raise UsageError(msg)
    return kind, entry.name, era.strip()


def opened(shelf: CourseShelf, kind: str, name: str, era: str) -> RunSession:
    """Open it.

    Raises: UffdvizError if it cannot be opened.
    """
    match kind:
        case "lesson":
            return shelf.open_lesson(name)
        case "scenario":
            return shelf.open_scenario(name, era)
        case _:
            return shelf.open_recording(name)
