"""Talking about one run: each line that is typed is a key of the screen, or a question."""

import asyncio
from collections.abc import Iterator
from typing import ClassVar, Final

from uffdviz.course.shelf import CourseShelf
from uffdviz.plain import asking, keeping, reading
from uffdviz.plain.hearing import Command, Commands, Hearing
from uffdviz.plain.reading import Reading
from uffdviz.run.session import RunSession
from uffdviz.trace.landmark import where_it_is
from uffdviz.trace.places import Wanted, changes_task, has_words, nearest, takes_lock
from uffdviz.trace.schedule import read_step
from uffdviz.trace.snapshot import Snapshot
from uffdviz.trace.speak import standing, told
from uffdviz.trace.standstill import cycle_text, standstill

LEAVE: Final = frozenset({"q", "quit", "menu"})
MOVES: Final = frozenset({"kill", "fail", "deadline", "spin"})


class Talk(Hearing):
    """One run, and how much of its lesson was said."""

    before: ClassVar[tuple[str, ...]] = (
        "An empty line, or n: One step on.",
        "A task's number or name: One step of that task.",
    )
    after: ClassVar[tuple[str, ...]] = (
        "kill TASK, fail TASK, deadline LOCK: A move of the environment.",
        "menu: Back to the list. q: Quit.",
    )

    def __init__(self, shelf: CourseShelf, session: RunSession) -> None:
        self.shelf = shelf
        self.session = session
        self.tools = shelf.tools(session)
        self.reading = Reading(shelf, session)

    def begin(self) -> Iterator[str]:
        """Say what this is, and how everything stands."""
        session = self.session
        yield f"{session.title}. Kernel {session.era}. help says what can be typed."
        names = session.tasks
        yield f"Tasks: {', '.join(f'{number} {name}' for number, name in enumerate(names, 1))}."
        yield from self.where()
        yield from self.reading.page()
        yield self.next()

    def answer(self, line: str) -> Iterator[str]:
        """Answer a line; a task's name or number is one, and a move of the environment."""
        if line in self.session.tasks or line.isdecimal():
            yield from self.task(line)
        elif line.partition(" ")[0] in MOVES:
            yield from self.take(line)
        else:
            yield from super().answer(line)

    # moving

    def step(self, _: str = "") -> Iterator[str]:
        """One step on."""
        if choice := self.session.upcoming():
            yield from self.take(choice)
        else:
            yield self.next()

    def task(self, word: str) -> Iterator[str]:
        """One step of a task, by its number or its name."""
        names = self.session.tasks
        if word.isdecimal() and not 1 <= int(word) <= len(names):
            yield f"There is no task {word}."
            return
        name = names[int(word) - 1] if word.isdecimal() else word
        if name in self.session.choices():
            yield from self.take(name)
        else:
            yield f"{name} cannot take a step: {where_it_is(self.now.tasks[name])}."

    def take(self, choice: str) -> Iterator[str]:
        """Take a choice and say what it changed."""
        before = len(self.session.branches)
        asyncio.run(self.session.step(choice))
        yield self.said(self.session.n)
        if len(self.session.branches) > before:
            yield "This is a new run from here on; the one you left is kept (v)."
        yield from self.reading.page()
        yield self.next()

    def said(self, n: int) -> str:
        """Say all about one event."""
        before, after = self.session.snapshot(n - 1), self.session.snapshot(n)
        return f"Step {n}. {' '.join(told(before, self.session.events[n - 1], after))}"

    def block(self, _: str = "") -> Iterator[str]:
        """On to the end of the lesson's next block, step by step."""
        before = self.session.n
        why = asyncio.run(self.session.next_block())
        yield from (self.said(n) for n in range(before + 1, self.session.n + 1))
        yield from [f"{why[:1].upper()}{why[1:]}."] if why else []
        yield from self.reading.page()
        yield self.next()

    def seek(self, n: int) -> Iterator[str]:
        """Go to another place in what has happened, and say how everything stands there."""
        asyncio.run(self.session.seek(n))
        yield from self.where()
        yield self.next()

    def back(self, _: str) -> Iterator[str]:
        """One step back."""
        yield from self.seek(self.session.n - 1)

    def home(self, _: str) -> Iterator[str]:
        """To the beginning."""
        yield from self.seek(0)

    def end(self, _: str) -> Iterator[str]:
        """To the end of what has happened."""
        yield from self.seek(self.session.length)

    def go(self, number: str) -> Iterator[str]:
        """To a step by its number."""
        yield from self.seek(read_step(number, self.session.length))

    def lock_before(self, _: str) -> Iterator[str]:
        """To the previous lock event."""
        yield from self.nearest(takes_lock(self.session.events), "lock event", -1)

    def lock_after(self, _: str) -> Iterator[str]:
        """To the next lock event."""
        yield from self.nearest(takes_lock(self.session.events), "lock event", 1)

    def turn_before(self, _: str) -> Iterator[str]:
        """To the previous change of task."""
        yield from self.nearest(changes_task(self.session.events), "change of task", -1)

    def turn_after(self, _: str) -> Iterator[str]:
        """To the next change of task."""
        yield from self.nearest(changes_task(self.session.events), "change of task", 1)

    def nearest(self, wanted: Wanted, what: str, by: int) -> Iterator[str]:
        found = nearest(wanted, self.session.n, self.session.length, by)
        if found is None:
            yield f"There is no {what} that way in what has happened."
        else:
            yield from self.seek(found)

    def search(self, words: str) -> Iterator[str]:
        """To the next event with some words in it; after the last comes the first."""
        found = has_words(self.session.events, words, self.session.n) if words else None
        if found is None:
            yield f"Nothing that happened has {words!r} in it." if words else "Say which words."
        else:
            yield from self.seek(found)

    def restart(self, _: str) -> Iterator[str]:
        """Begin again."""
        asyncio.run(self.session.restart())
        self.reading = Reading(self.shelf, self.session)
        yield from self.begin()

    # how it stands

    @property
    def now(self) -> Snapshot:
        """How everything stands where one is."""
        return self.session.snapshot(self.session.n)

    def where(self) -> Iterator[str]:
        """Where one is, and all that is not as usual there."""
        session = self.session
        last = f" {session.events[session.n - 1].sentence}." if session.n else ""
        yield f"Step {session.n} of {session.length}.{last}"
        yield from standing(self.now)

    def next(self) -> str:
        """Say who may go on, or why nobody can."""
        choices, upcoming = self.session.choices(), self.session.upcoming()
        if choices:
            names = [f"{name} (next)" if name == upcoming else name for name in choices]
            return f"May go on: {', '.join(names)}."
        stuck = standstill(self.now, sorted(getattr(self.session.setting, "background", ())))
        if stuck is None:
            return "The run is over."
        return f"Nobody can move: {cycle_text(stuck)}."


MOVING: Final[Commands] = {
    "": Command(Talk.step),
    "n": Command(Talk.step),
    "p": Command(Talk.back),
    "b": Command(Talk.block),
    "home": Command(Talk.home),
    "end": Command(Talk.end),
    "[": Command(Talk.lock_before),
    "]": Command(Talk.lock_after),
    "{": Command(Talk.turn_before),
    "}": Command(Talk.turn_after),
    "g": Command(Talk.go, "NUMBER"),
    "/": Command(Talk.search, "WORDS"),
    "r": Command(Talk.restart),
}
HELP: Final[Commands] = {"?": Command(Talk.help), "help": Command(Talk.help)}
COMMANDS: Final[Commands] = {
    **MOVING,
    **asking.COMMANDS,
    **reading.COMMANDS,
    **keeping.COMMANDS,
    **HELP,
}
"""What can be typed."""
Talk.commands = COMMANDS
