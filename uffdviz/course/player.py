"""Playing a lesson: prose and blocks in order, one run, and what does not hold on the way."""

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

from uffdviz.course import goals
from uffdviz.course.facts import circle, holds, instead, read_fact
from uffdviz.course.figures import figure_fault, figure_words
from uffdviz.course.goals import Setup
from uffdviz.course.narrate import sentences, where
from uffdviz.course.schema import (
    AnyBlock,
    Check,
    Expect,
    Goal,
    Lesson,
    Play,
    Predict,
    Prose,
    Shown,
    Totals,
)
from uffdviz.errors import LandmarkError, LessonError, ScheduleError, UffdvizError
from uffdviz.light import msgspec
from uffdviz.run.interleaving import Interleaving, function_names
from uffdviz.run.setting import Setting
from uffdviz.trace import speak
from uffdviz.trace.events import Event
from uffdviz.trace.schedule import parse_schedule

AT_LINE: Final = re.compile(r"^line (\d+): ")


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something the player says; `line` is where in the file it comes from."""

    kind: str
    text: str
    line: int = 0
    ok: bool = True


class Playback:
    """One playing of a lesson: what was told so far, what failed, and the run."""

    def __init__(self, lesson: Lesson, era: str = "", *, judge: bool = True) -> None:
        self.lesson = lesson
        self.setup = Setup(lesson, era)
        self.judge = judge
        self.failures: list[Told] = []
        self.asked: list[Predict] = []
        self.stopped = False
        self.setting: Setting = set_up(lesson, self.setup)
        self.run = Interleaving(self.setting)
        self.told_events: list[Event] = []
        self._tells: dict[type[AnyBlock], Callable[[Any], Iterator[Told]]] = {
            Prose: self._prose,
            Shown: self._shown,
            Play: self._play,
            Expect: self._expect,
            Predict: self._predict,
            Goal: self._goal,
            Check: self._check,
            Totals: self._totals,
        }

    def __iter__(self) -> Iterator[Told]:
        """Play the lesson to its end, or to where its run cannot go on."""
        for block in self.lesson.blocks:
            if self.stopped and not isinstance(block, Prose | Shown):
                continue
            for one in self._tells[type(block)](block):
                if not one.ok:
                    self.failures.append(one)
                yield one

    def _prose(self, block: Prose) -> Iterator[Told]:
        yield Told("prose", block.text, block.line)

    def _shown(self, block: Shown) -> Iterator[Told]:
        yield Told("shown", block.text, block.line)

    def _play(self, block: Play) -> Iterator[Told]:
        before = len(self.run.events)
        yield Told("schedule", block.schedule.strip(), block.line)
        try:
            self.run.play(block.schedule)
        except LandmarkError as error:
            self.stopped = True
            failed = shifted(str(error), block.line)
            yield from self._happened(before)
            yield Told("failure", f"play: {failed[1]}", failed[0], ok=False)
            return
        except ScheduleError as error:
            raise at(self.lesson, *shifted(str(error), block.line)) from None
        yield from self._happened(before)
        yield from self._answers()

    def _happened(self, before: int) -> Iterator[Told]:
        events = self.run.events[before:]
        behind = {
            event.n: self.run.history.at(event.n).tasks[event.task].behind
            for event in events
            if event.fact == "LockContended"
        }
        self.told_events = events
        for sentence in sentences(events, behind):
            yield Told("event", sentence)
        now = self.run.history.at(before)
        for event in events:
            was, now = now, now.after(event)
            yield Told("step", " ".join(speak.told(was, event, now)), event.n)
        for sentence in where(self.run.now):
            yield Told("state", sentence)
        if why := circle(self.run):
            yield Told("state", f"Nobody can move: {why}.")

    def _answers(self) -> Iterator[Told]:
        for block in self.asked:
            yield Told(
                "answer", f"{block.answer}. {block.choices[block.answer - 1]}\n{block.why.strip()}"
            )
            if fault := self._fact_fault(block.fact, block.line):
                yield Told("failure", f"predict: {fault}", block.line, ok=False)
        self.asked.clear()

    def _fact_fault(self, text: str, line: int) -> str:
        """Say why a stated fact is not so; nothing if it is."""
        try:
            fact = read_fact(text, self.setting)
            if holds(fact, self.run):
                return ""
        except ScheduleError as error:
            raise at(self.lesson, line, str(error)) from None
        return f"{text!r} does not hold: {instead(fact, self.run)}"

    def _expect(self, block: Expect) -> Iterator[Told]:
        for line, text in zip(block.lines or count(block.line + 1), block.facts, strict=False):
            fault = self._fact_fault(text, line)
            if fault:
                yield Told("failure", f"expect: {fault}", line, ok=False)
            else:
                yield Told("expect", text, line)

    def _predict(self, block: Predict) -> Iterator[Told]:
        if not 1 <= block.answer <= len(block.choices):
            msg = f"predict: answer = {block.answer}, and there are {len(block.choices)} choices"
            raise at(self.lesson, block.line, msg)
        read_or_refuse(self.lesson, block.line, block.fact, self.setting)
        self.asked.append(block)
        choices = "\n".join(f"  {n}. {text}" for n, text in enumerate(block.choices, 1))
        yield Told("predict", f"{block.ask.strip()}\n{choices}", block.line)

    def _goal(self, block: Goal) -> Iterator[Told]:
        yield Told("goal", goals.asks(block), block.line)
        if self.judge:
            for kind, text in goals.solved(self.setup, block):
                yield Told(kind, text, block.line, ok=kind != "failure")

    def _check(self, block: Check) -> Iterator[Told]:
        if self.judge:
            kind, text = goals.checked(self.setup, block)
            yield Told(kind, text, block.line, ok=kind != "failure")

    def _totals(self, block: Totals) -> Iterator[Told]:
        for figure in block.figures:
            try:
                fault = figure_fault(figure, block.era, self.run, self.setup)
            except UffdvizError as error:
                raise at(self.lesson, block.line, f"totals: {error}") from None
            if fault:
                yield Told("failure", f"totals: {fault}", block.line, ok=False)
            else:
                yield Told("totals", figure_words(figure), block.line)


def check_words(lesson: Lesson, setting: Setting) -> None:
    """Refuse schedules that cannot be read, before anything is played.

    Raises: LessonError with the line in the file.
    """
    machine = setting.machine()
    functions = function_names(machine)
    for block in lesson.blocks:
        if isinstance(block, Play):
            try:
                _ = parse_schedule(block.schedule, tuple(machine.tasks), functions)
            except ScheduleError as error:
                raise at(lesson, *shifted(str(error), block.line)) from None
        if isinstance(block, Expect):
            for line, text in zip(block.lines or count(block.line + 1), block.facts, strict=False):
                read_or_refuse(lesson, line, text, setting)


def read_or_refuse(lesson: Lesson, line: int, text: str, setting: Setting) -> None:
    """Refuse a fact that cannot be read.

    Raises: LessonError with the line in the file.
    """
    try:
        _ = read_fact(text, setting)
    except ScheduleError as error:
        raise at(lesson, line, str(error)) from None


def shifted(message: str, line: int) -> tuple[int, str]:
    """Turn `line 2: …` of a block into the line of the file."""
    match = AT_LINE.match(message)
    if match is None:
        return line, message
    return line + int(match[1]), message[match.end() :]


def at(lesson: Lesson, line: int, what: str) -> LessonError:
    """Make the error that names file and line."""
    return LessonError(f"{Path(lesson.path).name}: line {line}: {what}")


def set_up(lesson: Lesson, setup: Setup) -> Setting:
    """Set up what a lesson plays.

    Raises: LessonError.
    """
    try:
        return setup.setting()
    except UffdvizError as error:
        raise at(lesson, 1, str(error)) from None
