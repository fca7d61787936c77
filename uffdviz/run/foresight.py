"""The model as it is walked beside a trace: what it will do next, and what it did unseen."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from uffdviz.kernel.steps import Mark, Step
from uffdviz.run.kernel_trace import TraceEvent
from uffdviz.run.machine import Machine
from uffdviz.run.trace_names import Names, Predicted
from uffdviz.trace.events import Fact

KINDS: Final = {
    "LockAcquired": "acquire",
    "LockContended": "contend_begin",
    "LockRefused": "fail",
    "LockReleased": "release",
    "LockDowngraded": "downgrade",
    "LockMisused": "release",
}
VISIBLE: Final = ("rwsem", "vma_lock", "spinlock")
STEP_LIMIT: Final = 10_000
NOTHING: Final = "no further lock event"


class MismatchError(Exception):
    """The trace and the model part here; it never leaves the walk along a trace."""

    def __init__(self, function: str, expected: str) -> None:
        super().__init__(expected)
        self.function = function
        self.expected = expected


class Foresight:
    """A run of the model that can be looked ahead of, and taken back.

    `pending` has, for a thread, the release or spinlock acquire that was checked and not done yet.
    """

    def __init__(self, make: Callable[[], Machine], names: Names) -> None:
        self.make = make
        self.machine = make()
        self.names = names
        self.tape: list[str] = []
        self.pending: dict[str, TraceEvent] = {}
        self.returned: Counter[str] = Counter()
        self.result: dict[str, str] = {}

    def peek(self, task: str) -> Predicted | None:
        """The lock event that the next step of `task` will make, if it will make one."""
        ask = self.machine.tasks[task].ask
        if not isinstance(ask, Step) or ask.obj.kind not in VISIBLE:
            return None
        outcome = ask.effect(self.machine.state(ask.obj), task, *ask.args)
        fact: Fact | None = outcome[2] if outcome else None
        if fact is None or fact.kind not in KINDS:
            return None
        return self.names.predicted(KINDS[fact.kind], ask.obj, fact.mode)

    def next_event(self, task: str) -> Predicted:
        """Take invisible steps until the next lock event of `task` can be foreseen."""
        for _ in range(STEP_LIMIT):
            if not self.machine.can_step(task):
                self.help(task)
            predicted = self.peek(task)
            if predicted is not None:
                return predicted
            if self.machine.tasks[task].done:
                raise MismatchError(self.function(task), NOTHING)
            self.step(task)
        raise MismatchError(self.function(task), "no lock event within sight")

    def step(self, task: str) -> str:
        made = self.machine.step(task)
        self.tape.append(task)
        if made.fact == "Returned":
            self.returned[task] += 1
            self.result[task] = made.detail.partition(" from ")[0]
        return made.fact

    def settle(self, task: str) -> None:
        """Do the release or spinlock acquire of `task` that was put off."""
        event = self.pending.pop(task, None)
        if event is None:
            return
        contended = self.step(task)
        if contended == "LockContended":
            if not self.machine.can_step(task):
                self.help(task)
            self.step(task)

    def help(self, task: str) -> None:
        """`task` cannot move: let the others go on to their next lock event, until it can."""
        for other in self.machine.tasks:
            if other == task:
                continue
            if other in self.pending:
                self.settle(other)
            while not self.machine.can_step(task):
                idle = not self.machine.can_step(other) or self.peek(other) is not None
                if idle or self.at_call(other):
                    break
                self.step(other)
            if self.machine.can_step(task):
                return
        raise MismatchError(self.function(task), f"to wait: {self.wait_text(task)}")

    def invisible(self, task: str, depth: int) -> None:
        """Take invisible steps until the call stack is no deeper than `depth`."""
        for _ in range(STEP_LIMIT):
            stack = self.stack(task)
            boundary = isinstance(self.machine.tasks[task].ask, Mark)
            if len(stack) <= depth < 1 << 30 or boundary or self.peek(task) is not None:
                return
            if task in self.pending or not self.machine.can_step(task):
                return
            self.step(task)

    def until_asleep(self, task: str) -> None:
        """Let a task whose call began before the trace go on to where it sleeps."""
        for _ in range(STEP_LIMIT):
            if not self.machine.can_step(task) or self.at_call(task):
                return
            self.step(task)

    def at_call(self, task: str) -> bool:
        ask = self.machine.tasks[task].ask
        return isinstance(ask, Mark) and ask.fact.kind == "Called" and self.returned[task] > 0

    def rewind(self, length: int) -> None:
        """Take the run back to where it had `length` choices."""
        del self.tape[length:]
        self.machine = self.make()
        for choice in self.tape:
            self.machine.step(choice)

    def function(self, task: str) -> str:
        return self.machine.tasks[task].place[0]

    def stack(self, task: str) -> list[str]:
        """The kernel functions that `task` is in, outermost first."""
        names: list[str] = []
        coro: Any = self.machine.tasks[task].coro
        while hasattr(coro, "cr_code"):
            names.append(coro.cr_code.co_name)
            coro = coro.cr_await
        return [n for n in names if n != "observed_call"]

    def wait_text(self, task: str) -> str:
        ask = self.machine.tasks[task].ask
        return f"for {ask.obj.name}" if isinstance(ask, Step) else "nothing left to do"
