"""A schedule in words: one instruction a line, or between `;`.

app until holds mmap_lock for write
gc x3                       # three steps
kill app                    # a move of the environment: kill, fail, deadline or spin
everyone until done         # timed order
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal

from uffdviz.errors import ScheduleError, near_miss
from uffdviz.light import msgspec
from uffdviz.trace.landmark import Landmark, parse_landmark, some

EVERYONE: Final = "everyone"
MOVES: Final = ("kill", "fail", "deadline", "spin")
MAX_SIZE: Final = 4 << 20
STEPS: Final = re.compile(r"(?:x\s*([0-9]{1,7}))?")


class Instruction(msgspec.Struct, frozen=True):
    """Let `who` take `count` steps, or go until a landmark of task `whose`; or a move in `text`."""

    line: int
    text: str
    kind: Literal["steps", "until", "move"]
    who: str = ""
    count: int = 0
    landmark: Landmark | None = None
    whose: str = ""


def parse_schedule(
    text: str, tasks: Sequence[str], functions: Collection[str] = ()
) -> tuple[Instruction, ...]:
    """Read a schedule for these tasks.

    Raises: ScheduleError with the line and what is wrong in it.
    """
    if len(text) > MAX_SIZE:
        msg = f"a schedule of {len(text)} characters; at most {MAX_SIZE}"
        raise ScheduleError(msg)
    found = []
    for line, words in instructions(text):
        try:
            found.append(_instruction(line, words, tasks, functions))
        except ScheduleError as error:
            msg = f"line {line}: {error}"
            raise ScheduleError(msg) from None
    if not found:
        msg = "no instruction; write one a line, such as 'everyone until done'"
        raise ScheduleError(msg)
    return tuple(found)


def instructions(text: str) -> Iterator[tuple[int, str]]:
    """Give each instruction with the number of its line, without comments."""
    for number, line in enumerate(text.splitlines(), 1):
        for part in line.partition("#")[0].split(";"):
            if words := " ".join(part.split()):
                yield number, words


def _instruction(
    line: int, words: str, tasks: Sequence[str], functions: Collection[str]
) -> Instruction:
    who, _, rest = words.partition(" ")
    if who in MOVES:
        return _move(line, words, rest, tasks)
    _check_task(who, (*tasks, EVERYONE))
    if match := STEPS.fullmatch(rest):
        count = int(match[1] or 1)
        if not count:
            msg = f"{words!r} takes no step; write x1 or more"
            raise ScheduleError(msg)
        return Instruction(line, words, "steps", who, count)
    verb, _, place = rest.partition(" ")
    if verb != "until":
        msg = f"{rest!r} after {who!r} is not 'x3' and not 'until LANDMARK'{near_miss(verb, ['until'])}"
        raise ScheduleError(msg)
    whose = who
    if who == EVERYONE and place != "done":
        whose, _, place = place.partition(" ")
        _check_task(whose, tasks)
    landmark = parse_landmark(place, functions)
    return Instruction(line, words, "until", who, 0, landmark, whose)


def _move(line: int, words: str, whom: str, tasks: Sequence[str]) -> Instruction:
    verb = words.partition(" ")[0]
    if not whom:
        msg = f"{verb!r} needs {'a lock' if verb == 'deadline' else 'a task'}: '{verb} {'LOCK' if verb == 'deadline' else 'TASK'}'"
        raise ScheduleError(msg)
    if verb != "deadline":
        _check_task(whom, tasks)
    return Instruction(line, words, "move")


def _check_task(name: str, known: Sequence[str]) -> None:
    if name not in known:
        tasks = [task for task in known if task != EVERYONE]
        short = name if len(name) <= 64 else f"{name[:60]}…"
        msg = f"no task {short!r}; tasks are {some(tasks)}{near_miss(name, known)}"
        raise ScheduleError(msg)


def read_step(text: str, last: int) -> int:
    """Read the number of a step to go to.

    Raises: ScheduleError with the steps that there are.
    """
    number = int(text) if text.isdecimal() and len(text) < 19 else last + 1
    if number > last:
        msg = f"no step {text[:40]!r}; steps are 0 to {last}"
        raise ScheduleError(msg)
    return number
