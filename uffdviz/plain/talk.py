"""Talking about one run: each line that is typed is a key of the screen, or a question."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from uffdviz.course.shelf import CourseShelf
from uffdviz.errors import UsageError
from uffdviz.plain import asking, keeping, looking, reading
from uffdviz.plain.asking import Findings
from uffdviz.plain.hearing import Command, Commands, Hearing
from uffdviz.plain.reading import Reading
from uffdviz.run.session import RunSession
from uffdviz.trace.circle import circle_words, find_circle
from uffdviz.trace.landmark import where_it_is
from uffdviz.trace.places import (
    Wanted,
    changes_task,
    has_to_wait,
    has_words,
    nearest,
    takes_lock,
)
from uffdviz.trace.schedule import read_step
from uffdviz.trace.snapshot import Snapshot
from uffdviz.trace.speak import standing, told
from uffdviz.trace.standstill import cycle_text, standstill

FAR: Final = 10_000
"""Steps that a run takes at most by itself."""
MOVES: Final = frozenset({"kill", "fail", "deadline", "spin"})


class Talk(Hearing):
    """One run, and how much of its lesson was said."""

    before: ClassVar[tuple[str, ...]] = (
        "An empty line, or n: One step on.",
        "A task's number or name: One step of that task.",
    )
    after: ClassVar[tuple[str, ...]] = (
        "kill TASK, fail TASK, deadline LOCK: A move of the environment.",
        "menu, or esc: Back to the list. q: Quit.",
    )

    def __init__(self, shelf: CourseShelf, session: RunSession) -> None:
        self.shelf = shelf
        self.opens = ""
        self.begun = False
        self.take_up(session)

    def take_up(self, session: RunSession) -> None:
        """Talk about a run from now on."""
        self.session = session
        self.tools = self.shelf.tools(session)
        self.reading = Reading(self.shelf, session)
        self.findings = Findings()
        self.searched = ""

    def begin(self) -> Iterator[str]:
        """Say what this is, and how everything stands."""
        session = self.session
        self.begun = True
        yield f"{session.title}. Kernel {session.era}. help says what can be typed."
        names = session.tasks
        yield f"Tasks: {', '.join(f'{number} {name}' for number, name in enumerate(names, 1))}."
        if session.behind:
            yield f"Reading {session.behind:,} steps."
            session.read_on(session.behind)
        yield from self.again()

    def again(self) -> Iterator[str]:
        """Say where one is, what is new on the page, and who may go on."""
        yield from self.where()
        yield from self.noticed()
        yield from self.onward()

    def take_away(self) -> Iterator[str]:
        """Go on with the page, or the run, below what was on top."""
        self.above = None
        yield "Back to the page." if self.session.lesson is not None else "Back to the run."
        yield from self.again()
        if self.reading.over:
            yield from self.reading.end()

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
            yield from self.onward()

    def play(self, number: str) -> Iterator[str]:
        """Play by itself, to a question or the end, or so many steps.

        Raises: UsageError if that is no number.
        """
        if number and not number.isdecimal():
            msg = f"{number!r} is no number of steps"
            raise UsageError(msg)
        for _ in range(int(number or FAR)):
            choice = self.session.upcoming()
            if not choice:
                break
            yield from self.take_all([choice])
            yield from self.noticed()
            if self.waits:
                break
        yield from self.onward()

    @property
    def waits(self) -> bool:
        """Whether a run that goes on by itself is to stop: a question is open."""
        return self.reading.open is not None

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
        yield from self.take_all([choice])
        yield from self.noticed()
        yield from self.onward()

    def take_all(self, choices: Sequence[str]) -> Iterator[str]:
        """Take choices and say each; if they differ from what came next, that this is a new run."""
        before = len(self.session.branches)
        for choice in choices:
            asyncio.run(self.session.step(choice))
            yield self.said(self.session.n)
        if len(self.session.branches) > before:
            yield "This is a new run from here on; the one you left is kept (v)."

    def taken(self) -> tuple[str, ...]:
        """The choices of the run as far as it is shown."""
        return tuple(event.choice for event in self.session.events[: self.session.n])

    def noticed(self) -> Iterator[str]:
        """What is to be said because one is where one is: the page."""
        yield from self.reading.page()

    def said(self, n: int) -> str:
        """Say all about one event."""
        before, after = self.session.snapshot(n - 1), self.session.snapshot(n)
        return f"Step {n}. {' '.join(told(before, self.session.events[n - 1], after))}"

    def block(self, _: str = "") -> Iterator[str]:
        """On to the end of the lesson's next block."""
        if self.reading.over:
            open_goal = bool(self.reading.trail().left)
            what = "tries its goal" if open_goal else "goes on to the next lesson"
            yield f"The page is played to its end: goal {what}."
            return
        before = self.session.n
        why = asyncio.run(self.session.next_block())
        yield from (self.said(n) for n in range(before + 1, self.session.n + 1))
        yield from [f"{why[:1].upper()}{why[1:]}."] if why else []
        yield from self.noticed()
        yield from self.onward()

    def block_before(self, _: str) -> Iterator[str]:
        """Back to the end of the block before it."""
        behind = [place for place in (0, *self.session.bounds) if place < self.session.n]
        if behind:
            yield from self.seek(behind[-1])
        else:
            yield "There is none further back."

    def wait_after(self, _: str) -> Iterator[str]:
        """On to where a task has to wait the next time."""
        before = self.session.n
        found = asyncio.run(self.session.next_wait())
        yield from (self.said(n) for n in range(before + 1, self.session.n + 1))
        if not found:
            yield "Nobody has to wait any more: E goes back to where one had to."
        yield from self.noticed()
        yield from self.onward()

    def wait_before(self, _: str) -> Iterator[str]:
        """Back to where a task had to wait before."""
        yield from self.nearest(has_to_wait(self.session.events), "wait", -1)

    def seek(self, n: int) -> Iterator[str]:
        """Go to another place in what has happened, and say how everything stands there."""
        asyncio.run(self.session.seek(n))
        yield from self.again()

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
        """Search in what happened."""
        self.searched = words
        yield from self.search_on("")

    def search_on(self, _: str) -> Iterator[str]:
        """Go to the next place that the search found; after the last comes the first."""
        words = self.searched
        found = has_words(self.session.events, words, self.session.n) if words else None
        if found is not None:
            yield from self.seek(found)
        else:
            yield (
                f"Nothing that happened has {words!r} in it."
                if words
                else "Say which words: / WORDS."
            )

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

    def onward(self) -> Iterator[str]:
        """Say who may go on, or why nobody can, and what the oracle says if it is asked."""
        choices, upcoming = self.session.choices(), self.session.upcoming()
        stuck = standstill(self.now, sorted(getattr(self.session.setting, "background", ())))
        if choices:
            if circle := find_circle(self.now.tasks):
                yield circle_words(circle, self.now.tasks)
            names = [f"{name} (next)" if name == upcoming else name for name in choices]
            yield f"May go on: {', '.join(names)}."
        elif stuck is None:
            yield "The run is over."
        else:
            yield f"Nobody can move: {cycle_text(stuck)}."
        yield from asking.fates(self)


MOVING: Final[Commands] = {
    "": Command(Talk.step),
    "n": Command(Talk.step),
    "p": Command(Talk.back),
    "play": Command(Talk.play, "[NUMBER]"),
    "b": Command(Talk.block),
    "B": Command(Talk.block_before),
    "W": Command(Talk.wait_after),
    "E": Command(Talk.wait_before),
    "home": Command(Talk.home),
    "end": Command(Talk.end),
    "[": Command(Talk.lock_before),
    "]": Command(Talk.lock_after),
    "{": Command(Talk.turn_before),
    "}": Command(Talk.turn_after),
    "g": Command(Talk.go, "NUMBER"),
    "/": Command(Talk.search, "WORDS"),
    "N": Command(Talk.search_on),
    "r": Command(Talk.restart),
}
HELP: Final[Commands] = {"?": Command(Talk.help), "help": Command(Talk.help)}
COMMANDS: Final[Commands] = {
    **MOVING,
    **looking.COMMANDS,
    **asking.COMMANDS,
    **reading.COMMANDS,
    **keeping.COMMANDS,
    **HELP,
}
"""What can be typed."""
Talk.commands = COMMANDS
