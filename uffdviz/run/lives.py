"""The life of a task: its calls, again and again, as one coroutine."""

from collections.abc import Callable
from typing import Final

from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.queues import Entry
from uffdviz.kernel.steps import Obj, Outcome, Step, Work
from uffdviz.light import msgspec
from uffdviz.run.calls import Bound, Handed, perform
from uffdviz.trace.events import Fact

NOTHING_LEFT: Final = -1


class Cursor(msgspec.Struct, frozen=True, tag="cursor", omit_defaults=True):
    """How many of its page numbers were taken."""

    taken: int = 0


def take(s: Cursor, task: str, name: str, pages: int) -> Outcome:
    """Take the next number; the answer is its place in the order, or -1 when all are taken."""
    if s.taken >= pages:
        return s, NOTHING_LEFT, Fact("Saw", detail="at its end")
    return Cursor(s.taken + 1), s.taken, Fact("Changed", detail=f"takes {s.taken} of {name}")


class Course:
    """What a task does over its life. Shared by all runs of a setting.

    `numbers` are what `step` and `{rep}` use, in turn; `calls` gives the calls for a number.
    A task with a `cursor` draws the place in `numbers`; one that goes on `forever` begins again.
    """

    __slots__ = ("calls", "cursor", "every_ns", "forever", "numbers", "repeat")

    def __init__(  # noqa: PLR0913
        self,
        calls: Callable[[int], tuple[Bound, ...]],
        numbers: tuple[int, ...],
        *,
        repeat: int,
        forever: bool,
        cursor: Obj | None,
        every_ns: int,
    ) -> None:
        self.calls = calls
        self.numbers = numbers
        self.repeat = repeat
        self.forever = forever
        self.cursor = cursor
        self.every_ns = every_ns


async def life(course: Course, k: Kernel) -> None:
    """Live: until the repetitions or the cursor are through, or for ever."""
    handed: Handed = ()
    turn = 0
    while course.forever or course.cursor is not None or turn < course.repeat:
        if course.cursor is not None:
            pages = len(course.numbers)
            turn = await Step(course.cursor, take, course.cursor.name, pages, cost="atomic")
            if turn == NOTHING_LEFT:
                return
        if course.every_ns:
            pause = course.every_ns
            await Work("pause", cost="ns", units=0, align=pause, detail="waits for its time")
        for bound in course.calls(course.numbers[turn % len(course.numbers)]):
            message = await perform(k, bound, handed)
            if bound.bind and isinstance(message, Entry) and message.ctx:
                handed = (*(h for h in handed if h[0] != bound.bind), (bound.bind, message.ctx))
            message = None
        turn = (turn + 1) % len(course.numbers) if course.forever else turn + 1
