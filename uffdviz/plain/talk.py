"""Talking about one run: each line that is typed is a key of the screen, or a question."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from uffdviz.course.schema import Goal, Hint, Play, Predict
from uffdviz.course.shelf import AFTER, BEFORE, CourseShelf
from uffdviz.course.words import explain
from uffdviz.errors import UffdvizError
from uffdviz.plain.page import answer_lines, block_lines
from uffdviz.plain.places import Wanted, changes_task, has_words, nearest, takes_lock
from uffdviz.run.session import RunSession
from uffdviz.trace.landmark import where_it_is
from uffdviz.trace.profile_words import race_sentences, sweep_sentences
from uffdviz.trace.recording import write_recording
from uffdviz.trace.schedule import read_step
from uffdviz.trace.snapshot import Snapshot
from uffdviz.trace.speak import joined, lock_sentences, stand, standing, told
from uffdviz.trace.standstill import cycle_text, standstill

LEAVE: Final = frozenset({"q", "quit", "menu"})
MOVES: Final = frozenset({"kill", "fail", "deadline", "spin"})


class Talk:
    """One run, and how much of its lesson was said."""

    def __init__(self, shelf: CourseShelf, session: RunSession) -> None:
        self.shelf = shelf
        self.session = session
        self.tools = shelf.tools(session)
        self.read = 0
        self.hints = 0
        self.open: Predict | None = None

    def begin(self) -> Iterator[str]:
        """Say what this is, and how everything stands."""
        session = self.session
        yield f"{session.title}. Kernel {session.era}. help says what can be typed."
        names = session.tasks
        yield f"Tasks: {', '.join(f'{number} {name}' for number, name in enumerate(names, 1))}."
        yield from self.where()
        yield from self.page()
        yield self.next()

    def hear(self, line: str) -> Iterator[str]:
        """Answer a line."""
        word, _, rest = line.partition(" ")
        try:
            if line in self.session.tasks or line.isdecimal():
                yield from self.task(line)
            elif word in COMMANDS:
                yield from COMMANDS[word][0](self, rest.strip())
            elif word in MOVES:
                yield from self.take(line)
            else:
                yield f"I do not know {line[:40]!r}. ? says what can be typed."
        except (UffdvizError, OSError) as error:
            yield f"That cannot be: {error}."

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
        yield from self.page()
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
        yield from self.page()
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
        self.read = 0
        yield from self.begin()

    # asking

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

    def why(self, _: str) -> Iterator[str]:
        """Why those who wait must wait."""
        tasks = self.now.tasks
        waiting = [name for name, view in tasks.items() if view.state in {"blocked", "asleep"}]
        for name in waiting:
            yield f"{stand(self.now, name)}."
            for other in tasks[name].behind:
                yield f"  {self.doing(other)}"
        if not waiting:
            yield "Nobody waits."
        yield self.next()

    def doing(self, name: str) -> str:
        """What a task does, where, and what it holds."""
        view = self.now.tasks[name]
        place = f", in {view.function} {view.step}".rstrip() if view.function else ""
        call = f", in the call {view.call}" if view.call else ""
        held = [f"{lock} for {mode}" for lock, mode in view.holds]
        holds = f"; it holds {joined(held)}" if held else ""
        results = f"; it returned {', '.join(view.results)}" if view.results else ""
        return f"{stand(self.now, name)}{call}{place}{holds}{results}."

    def tasks(self, _: str) -> Iterator[str]:
        """What every task does, and what it holds."""
        yield from (self.doing(name) for name in self.session.tasks)

    def locks(self, _: str) -> Iterator[str]:
        """Who holds and who queues, lock by lock."""
        said = [f"{sentence}." for sentence in lock_sentences(self.now)]
        yield from said or ["Every lock is free."]

    def oracle(self, _: str) -> Iterator[str]:
        """What can come of each move."""
        if self.tools is None:
            yield "This run cannot be searched."
            return
        oracle = self.tools.oracle(lambda *_: True)
        if not oracle.ready:
            yield "There are too many states to see all of them."
            return
        session = self.session
        fates = oracle.of_moves(session.events, session.n, session.choices())
        for name, fate in fates.items():
            harm = f": {fate.what} in {fate.steps} steps at the nearest" if fate.what else ""
            yield f"A step of {name} is {fate.word}{harm}."
        if fates:
            return
        yield self.next()

    def find(self, words: str) -> Iterator[str]:
        """Show one order, from here on, in which a task comes to a landmark."""
        if self.tools is None:
            yield "This run cannot be searched."
            return
        found = self.tools.find(words, lambda *_: True)
        for way in found.ahead:
            yield f"{len(way.choices)} steps: {'; '.join(way.schedule)}."
        if not found.ahead:
            none = "No order leads there from here." if found.finished else "None was found."
            yield found.why or none

    def compare(self, era: str) -> Iterator[str]:
        """A race against another kernel: the same calls by time alone; ^C stops it."""
        if self.tools is None:
            yield "This run cannot be compared."
            return
        workload = self.tools.rivals(era or (BEFORE if self.session.era != BEFORE else AFTER))
        yield f"{' and '.join(workload.eras)} race from the beginning, by time alone. ^C stops them."
        try:
            pair = workload.race(lambda *_: True)
        except KeyboardInterrupt:
            if workload.so_far is None:
                yield "Stopped before anything is known."
                return
            pair = workload.so_far
        yield from race_sentences(pair)

    def vary(self, text: str) -> Iterator[str]:
        """Vary a cost or a count under the kernel before the series and this one."""
        if self.tools is None:
            yield "This run cannot be compared."
            return
        own = self.session.era
        series = self.tools.rivals(BEFORE if own != BEFORE else AFTER).sweep(text)
        with suppress(KeyboardInterrupt):
            series.run(lambda *_: True)
        yield from sweep_sentences(series.so_far)
        if series.done < series.runs:
            yield f"Stopped after {series.done} of {series.runs} runs."

    def explain(self, word: str) -> Iterator[str]:
        """What a lock, errno, function or step is."""
        for one in explain(word, self.session.era):
            yield f"{one.word}: {' '.join(one.text.split())} Source: {one.source}."

    # keeping

    def save(self, file: str) -> Iterator[str]:
        """Write a recording."""
        path = Path(file) if file else self.session.save()
        if file:
            path.write_bytes(write_recording(self.session.header(), self.session.events))
        yield f"Recording saved as {path}."

    def token(self, _: str) -> Iterator[str]:
        """The run as a short token."""
        yield self.session.token()

    def branches(self, number: str) -> Iterator[str]:
        """Runs that were left, or one of them again."""
        branches = self.session.branches
        if number.isdecimal() and 1 <= int(number) <= len(branches):
            asyncio.run(self.session.switch(int(number) - 1))
            yield from self.where()
            yield self.next()
            return
        for at, (words, steps) in enumerate(branches, 1):
            yield f"v {at}: {words}, {steps} steps."
        if not branches:
            yield "No other run yet: go back with p, then step another task."

    # the lesson

    def page(self) -> Iterator[str]:
        """Say the blocks of the lesson that have not been said, up to the next one that is played."""
        lesson = self.session.lesson
        reached = self.session.reached
        if lesson is None or self.read > reached:
            return
        blocks = lesson.blocks
        for block in blocks[self.read : reached + 1]:
            if self.open is not None and not isinstance(block, Play):
                yield from answer_lines(self.open)
                self.open = None
            yield from block_lines(block)
            if isinstance(block, Predict):
                self.open = block
            if isinstance(block, Goal):
                self.hints = 0
        self.read = reached + 1
        if reached >= len(blocks):
            self.shelf.finish(lesson.name)
            yield "The end of the lesson. What you can say now:"
            yield from lesson.front.say

    def answer(self, number: str) -> Iterator[str]:
        """Answer the open question."""
        block, self.open = self.open, None
        if block is None:
            yield "There is no open question."
        else:
            yield from answer_lines(block, int(number) if number.isdecimal() else 0)

    def hint(self, _: str) -> Iterator[str]:
        """Another hint for the last goal."""
        lesson = self.session.lesson
        blocks = lesson.blocks[: self.read] if lesson else ()
        goal = next((block for block in reversed(blocks) if isinstance(block, Goal)), None)
        if goal is None or self.hints >= len(goal.hints):
            yield "There is no further hint."
            return
        hint = goal.hints[self.hints]
        self.hints += 1
        yield f"Hint: {hint.text if isinstance(hint, Hint) else hint}"

    def help(self, _: str) -> Iterator[str]:
        """This help."""
        yield "An empty line, or n: One step on."
        yield "A task's number or name: One step of that task."
        for word, (method, takes) in COMMANDS.items():
            if word not in {"", "n", "help"}:
                yield f"{f'{word} {takes}'.strip()}: {method.__doc__}"
        yield "kill TASK, fail TASK, deadline LOCK: A move of the environment."
        yield "menu: Back to the list. q: Quit."


COMMANDS: Final[dict[str, tuple[Callable[[Talk, str], Iterator[str]], str]]] = {
    "": (Talk.step, ""),
    "n": (Talk.step, ""),
    "p": (Talk.back, ""),
    "b": (Talk.block, ""),
    "home": (Talk.home, ""),
    "end": (Talk.end, ""),
    "[": (Talk.lock_before, ""),
    "]": (Talk.lock_after, ""),
    "{": (Talk.turn_before, ""),
    "}": (Talk.turn_after, ""),
    "g": (Talk.go, "NUMBER"),
    "/": (Talk.search, "WORDS"),
    "r": (Talk.restart, ""),
    "v": (Talk.branches, "[NUMBER]"),
    "why": (Talk.why, ""),
    "tasks": (Talk.tasks, ""),
    "locks": (Talk.locks, ""),
    "o": (Talk.oracle, ""),
    "where": (Talk.find, "TASK LANDMARK"),
    "c": (Talk.compare, "[KERNEL]"),
    "vary": (Talk.vary, "NAME=A..B"),
    "explain": (Talk.explain, "WORD"),
    "a": (Talk.answer, "NUMBER"),
    "h": (Talk.hint, ""),
    "s": (Talk.save, "[FILE]"),
    "y": (Talk.token, ""),
    "?": (Talk.help, ""),
    "help": (Talk.help, ""),
}
"""What can be typed: the method that answers, and what it takes."""
