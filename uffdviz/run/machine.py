"""The machine: one step of one task gives a new world and exactly one event.

It owns the coroutines and knows nothing of who chooses. A run *is* its list of choices: a choice
is a task's name, or a move of the environment:
`kill TASK`, `fail TASK` (its next work fails), `deadline LOCK` (the first waiter's 4 ms are over).
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, assert_never

from uffdviz.errors import ScheduleError
from uffdviz.kernel import queues
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.labels import place
from uffdviz.kernel.locks import rwsem
from uffdviz.kernel.memory import PageTable, TaskState
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import INTERRUPTED, Ask, Mark, Obj, Step, Work
from uffdviz.run.clock import Clock
from uffdviz.trace.events import Event, Fact, say

Life = Callable[[Kernel], Coroutine[Ask, Any, None]]


class Running:
    """One task at run time: its coroutine, and the step that it wants to take next."""

    __slots__ = ("ask", "coro", "done", "kernel", "name", "slept")

    def __init__(self, name: str, kernel: Kernel, life: Life) -> None:
        self.name = name
        self.kernel = kernel
        self.coro = life(kernel)
        self.ask: Ask | None = None
        self.done = False
        self.slept = False
        self.resume(None)

    def resume(self, answer: Any) -> None:
        """Give the answer to the last step and learn the next."""
        try:
            self.ask = self.coro.send(answer)
        except StopIteration:
            self.ask, self.done = None, True


class Machine:
    """Runs the tasks of one stage. Every public method is deterministic.

    Raises: ScheduleError when a choice cannot be taken now.
    """

    def __init__(
        self,
        stage: Stage,
        era: type[Kernel],
        lives: Sequence[tuple[str, Life]],
        costs: Mapping[str, int],
    ) -> None:
        self.world: dict[Obj, Any] = dict(stage.world)
        self.clock = Clock(costs)
        self.events: list[Event] = []
        self.tasks = {
            name: Running(name, era(stage, stage.task(name)), life) for name, life in lives
        }

    def state(self, obj: Obj) -> Any:
        """What an object is now."""
        return self.world.get(obj, obj.initial)

    def can_step(self, name: str) -> bool:
        """Whether the task's next step can be taken now."""
        task = self.tasks[name]
        ask = task.ask
        if ask is None:
            return False
        if not isinstance(ask, Step) or not ask.waits:
            return True
        taken = ask.effect(self.state(ask.obj), name, *ask.args) is not None
        return taken or (ask.killable and self._signalled(task))

    def choices(self) -> list[str]:
        """The tasks that can take a step now, in scenario order."""
        return [name for name in self.tasks if self.can_step(name)]

    def step(self, choice: str) -> Event:
        """Take one choice. Returns: the one event that it makes."""
        verb, _, whom = choice.partition(" ")
        if not whom:
            return self._step_task(choice, choice)
        match verb:
            case "fail":
                return self._step_task(choice, whom, fail=True)
            case "kill":
                return self._move(choice, whom, self.tasks[whom].kernel.current.state, queues.kill)
            case "deadline":
                return self._deadline(choice, whom)
        raise ScheduleError(f"no such move: {choice!r}; moves are kill, fail and deadline")

    def _signalled(self, task: Running) -> bool:
        state: TaskState = self.state(task.kernel.current.state)
        return state.signal

    def _step_task(self, choice: str, name: str, *, fail: bool = False) -> Event:
        task = self.tasks.get(name)
        if task is None or task.ask is None:
            raise ScheduleError(f"task {name!r} has nothing left to do")
        ask = task.ask
        obj: Obj | None = None
        before: Any = None
        after: Any = None
        match ask:
            case Step():
                obj, before = ask.obj, self.state(ask.obj)
                outcome = ask.effect(before, name, *ask.args)
                if outcome is not None:
                    after, answer, fact = outcome
                elif ask.killable and self._signalled(task):
                    after, answer, fact = before, INTERRUPTED, Fact("Resumed")
                else:
                    raise ScheduleError(f"{name} cannot move: it waits for {obj.name}")
                cost, units = ask.cost, ask.units
            case Work():
                answer = ask.errno if fail else 0
                fact = Fact("Failed" if fail else "Worked", detail=ask.detail)
                cost, units = ask.cost, ask.units
            case Mark():
                answer, fact, cost, units = None, ask.fact, "mark", 1
            case _:
                assert_never(ask)
        changed = after is not before
        if changed and obj is not None:
            self.world[obj] = after
        start, end = self.clock.charge(
            name, obj, cost, units, changed=changed, woken=isinstance(ask, Step) and ask.waits
        )
        function, label = place(task.coro)
        task.resume(answer)
        calls = tuple(task.kernel.calls)
        task.kernel.calls.clear()
        return self._record(choice, name, (function, label), (start, end), fact, obj, before, after, calls)

    def _record(  # noqa: PLR0913
        self, choice, task, where, when, fact, obj, before, after, calls
    ) -> Event:
        name = obj.name if obj else ""
        changed = after is not before
        pages = None
        if changed and isinstance(after, PageTable):
            pages = page_changes(before, after)
        event = Event(
            n=len(self.events) + 1,
            task=task,
            function=where[0],
            step=where[1],
            start=when[0],
            end=when[1],
            fact=fact.kind,
            text=say(fact, name),
            choice=choice,
            object=name,
            mode=fact.mode,
            tasks=fact.tasks,
            detail=fact.detail,
            value=after if changed and pages is None else None,
            pages=pages,
            calls=calls,
        )
        self.events.append(event)
        return event


def page_changes(before: PageTable, after: PageTable) -> dict[str, Any]:
    """The entries that differ between two states of a page table; None: now none."""
    old, new = dict(before.entries), dict(after.entries)
    pages = sorted(old.keys() | new.keys())
    return {str(p): new.get(p) for p in pages if old.get(p) is not new.get(p)}
