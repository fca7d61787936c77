"""The machine: one step of one task gives a new world and exactly one event.

It owns the coroutines and knows nothing of who chooses. A run *is* its list of choices: a choice
is a task's name, or a move of the environment:
`kill TASK`, `fail TASK` (its next work fails), `deadline LOCK` (the first waiter's 4 ms are over),
`spin TASK` (it begins to spin for the lock that it is about to ask for).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, assert_never

from uffdviz.errors import ScheduleError, near_miss
from uffdviz.kernel import queues
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.labels import Spots
from uffdviz.kernel.locks import rwsem
from uffdviz.kernel.memory import PageTable, TaskState
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import INTERRUPTED, Ask, Mark, Obj, Step, Work
from uffdviz.run.clock import Clock
from uffdviz.run.in_time import first_choice, gives_up_at, spins_for
from uffdviz.run.running import Life, Running
from uffdviz.trace.events import Event, Fact, say
from uffdviz.trace.snapshot import Snapshot, first_snapshot

Change = tuple[Obj | None, Any, Any]
"""An object, and its state before and after a step; the same state means unchanged."""


class Plan(Protocol):
    """What a scenario lets happen beside the calls: who is killed when, whose work fails."""

    def due(self, machine: "Machine") -> str | None:
        """Give a move of the environment that has to come now, before any task moves."""

    def fails(self, machine: "Machine", task: str) -> bool:
        """Whether the task's next work fails."""


ANNOUNCED: Final = ("LockContended", "Slept")


class Machine:
    """Runs the tasks of one stage. Every public method is deterministic.

    `spots` says for each event where in the code its task stands from then on, `first_spots` for
    each task where it stands at the start.

    Raises: ScheduleError when a choice cannot be taken now.
    """

    def __init__(
        self,
        stage: Stage,
        era: type[Kernel],
        lives: Sequence[tuple[str, Life]],
        costs: Mapping[str, int],
        cpus: int = 0,
    ) -> None:
        stage.settle()
        self.plan: Plan | None = None
        self.background: frozenset[str] = frozenset()
        self.world: dict[Obj, Any] = dict(stage.world)
        self.clock = Clock(costs, cpus)
        self.events: list[Event] = []
        self.tasks = {
            name: Running(name, era(stage, stage.task(name)), life) for name, life in lives
        }
        self._objects = {obj.name: obj for obj in self.world}
        self._order = tuple(self.tasks.values())
        for task in self._order:
            task.silent = isinstance(task.ask, Step) and task.ask.waits
        stuck = self._stuck()
        self.clock.begin(self.tasks.keys() - dict(stuck))
        self.start: Snapshot = first_snapshot(
            {obj.name: state for obj, state in self.world.items()},
            {name: task.locate() for name, task in self.tasks.items()},
            stuck,
        )
        self.spots: list[Spots] = []
        self.first_spots = {name: task.spots for name, task in self.tasks.items()}

    def state(self, obj: Obj) -> Any:
        """What an object is now."""
        return self.world.get(obj, obj.initial)

    @property
    def named(self) -> dict[str, Any]:
        """What every object that was ever touched is now, by its name."""
        return {obj.name: state for obj, state in self.world.items()}

    def can_step(self, name: str) -> bool:
        """Whether the task's next step can be taken now."""
        task = self.tasks[name]
        ask = task.ask
        if ask is None:
            return False
        if not isinstance(ask, Step) or not ask.waits:
            return True
        state = self.world.get(ask.obj, ask.obj.initial)
        if state is not task.refused:
            if ask.effect(state, name, *ask.args) is not None:
                return True
            task.refused = state  # pure effects: the same state refuses again
        return ask.killable and self._signalled(task)

    def choices(self) -> list[str]:
        """The tasks that can take a step now, in scenario order; none once only background is left."""
        if self.is_over():
            return []
        return [name for name in self.tasks if self.can_step(name)]

    def is_over(self) -> bool:
        """Whether only tasks of the background are left."""
        return bool(self.background) and self.background.issuperset(self.unfinished)

    def next_object(self, name: str) -> str:
        """The object of the task's next step; empty if it touches none."""
        ask = self.tasks[name].ask
        return ask.obj.name if isinstance(ask, Step) else ""

    def due_at(self, name: str) -> int:
        """When the task's next step would start, in virtual nanoseconds, processors aside."""
        ask = self.tasks[name].ask
        if isinstance(ask, Work) and ask.align:
            return -(-self.clock.now.get(name, 0) // ask.align) * ask.align
        obj = ask.obj if isinstance(ask, Step) else None
        return self.clock.due_at(name, obj, slept=sleeps(ask))

    def first(self, ready: Mapping[str, int]) -> str | None:
        """Give the first move in virtual time, of tasks that could start at the times of `ready`."""
        return first_choice(self, ready)

    def due(self) -> str | None:
        """Give a move that the scenario wants now, whoever would be next."""
        return self.plan.due(self) if self.plan is not None else None

    def planned(self, choice: str) -> str:
        """Give the choice that a scheduler's choice becomes: `fail TASK` where the scenario says so."""
        if self.plan is None or choice not in self.tasks or not self.plan.fails(self, choice):
            return choice
        return f"fail {choice}"

    @property
    def unfinished(self) -> list[str]:
        """The tasks that are not done yet."""
        return [name for name, task in self.tasks.items() if task.ask is not None]

    def step(self, choice: str) -> Event:
        """Take one choice. Returns: the one event that it makes."""
        verb, _, whom = choice.partition(" ")
        if not whom:
            return self._step_task(choice, choice)
        match verb:
            case "fail":
                return self._step_task(choice, whom, fail=True)
            case "kill":
                state = self._task(whom).kernel.current.state
                when = self.clock.signal(state, whom)
                return self._move(choice, whom, state, queues.kill, when)
            case "deadline":
                return self._deadline(choice, whom)
            case "spin":
                return self._spin(choice, whom)
            case _:
                msg = f"no such move: {choice!r}; moves are kill, fail, deadline and spin"
                raise ScheduleError(msg)

    def _task(self, name: str) -> Running:
        if name not in self.tasks:
            known = ", ".join(self.tasks)
            msg = f"no task {name!r}; tasks are {known}{near_miss(name, self.tasks)}"
            raise ScheduleError(msg)
        return self.tasks[name]

    def _signalled(self, task: Running) -> bool:
        state: TaskState = self.state(task.kernel.current.state)
        return state.signal

    def _step_task(self, choice: str, name: str, *, fail: bool = False) -> Event:
        task = self.tasks.get(name) or self._task(name)
        ask = task.ask
        if ask is None:
            msg = f"{name} cannot move: it is done"
            raise ScheduleError(msg)
        change: Change = (None, None, None)
        cost, units = "mark", 1
        if fail and not (isinstance(ask, Work) and ask.errno):
            msg = f"{name} cannot fail here: its next step is not one that may"
            raise ScheduleError(msg)
        floor = gives_up_at(self, name)
        match ask:
            case Step():
                change, answer, fact = self._effect(task, ask)
                cost, units = ask.cost, ask.units
            case Work():
                answer = ask.errno if fail else 0
                done = "Paused" if ask.align else "Worked"
                fact = Fact("Failed" if fail else done, detail=ask.detail)
                cost, units = ask.cost, ask.units
                self.clock.align(name, ask.align)
            case Mark():
                answer, fact = None, ask.fact
            case _:
                assert_never(ask)
        obj, before, after = change
        when = self.clock.charge(
            name,
            obj,
            cost,
            units,
            changed=after is not before,
            slept=sleeps(ask),
            floor=floor,
        )
        where = task.place
        task.resume(answer)
        if fact.kind == "LockContended":
            fact = manner(fact, task.ask)
        self.clock.tell(name, change, fact)
        if self.clock.processors is not None and self._rests(task):
            self.clock.leave(name)
        task.silent = isinstance(task.ask, Step) and task.ask.waits and fact.kind not in ANNOUNCED
        return self._record(choice, task, where, when, fact, change)

    def _rests(self, task: Running) -> bool:
        """Whether the task needs no processor now."""
        ask = task.ask
        if isinstance(ask, Work):
            return bool(ask.align)
        return ask is None or (sleeps(ask) and not self.can_step(task.name))

    def _effect(self, task: Running, ask: Step) -> tuple[Change, Any, Fact]:
        """Take a step on the world."""
        before = self.state(ask.obj)
        outcome = ask.effect(before, task.name, *ask.args)
        if outcome is not None:
            after, answer, fact = outcome
            if after is not before:
                self.world[ask.obj] = after
            return (ask.obj, before, after), answer, fact
        if ask.killable and self._signalled(task):
            return (ask.obj, before, before), INTERRUPTED, Fact("Resumed")
        msg = f"{task.name} cannot move: it waits for {ask.obj.name}"
        raise ScheduleError(msg)

    def _record(  # noqa: PLR0913, PLR0917  the parts of an event
        self,
        choice: str,
        task: Running,
        where: tuple[str, str],
        when: tuple[int, int],
        fact: Fact,
        change: Change,
    ) -> Event:
        """Make the event of a step that was taken."""
        obj, _, after = change
        value, pages = self._news(change)
        calls = tuple(task.kernel.calls)
        task.kernel.calls.clear()
        name = obj.name if obj is not None else ""
        event = Event(
            n=len(self.events) + 1,
            task=task.name,
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
            value=after if value else None,
            pages=pages,
            calls=calls,
            at=task.locate(),
            stuck=self._stuck(),
            queued=self.clock.queued,
            off=self._off(task, when[1]),
        )
        self.clock.queued, self.clock.ousted = 0, ()
        self.events.append(event)
        self.spots.append(task.spots)
        return event

    def _off(self, task: Running, now: int) -> tuple[tuple[str, int], ...]:
        """Name who has no processor from now on, and since when: who lost one, and who pauses."""
        pauses = isinstance(task.ask, Work) and task.ask.align
        return (*self.clock.ousted, (task.name, now)) if pauses else self.clock.ousted

    def _stuck(self) -> tuple[tuple[str, str], ...]:
        """Name the tasks that wait without having said so, and for what."""
        if not any(task.silent for task in self._order):
            return ()
        return tuple(
            (name, task.ask.obj.name)
            for name, task in self.tasks.items()
            if task.silent and isinstance(task.ask, Step) and not self.can_step(name)
        )

    def _news(self, change: Change) -> tuple[bool, dict[str, Any] | None]:
        """Say whether an event has to tell the object's state, or only some pages of it."""
        obj, before, after = change
        if obj is None:
            return False, None
        if obj.name not in self._objects:
            self._objects[obj.name] = obj
            self.world.setdefault(obj, after)
            return True, None
        if after is before:
            return False, None
        if isinstance(after, PageTable) and after.linked == before.linked:
            return False, page_changes(before, after)
        return True, None

    def _move(
        self, choice: str, whom: str, obj: Obj, effect: Callable[..., Any], now: int
    ) -> Event:
        """Let the environment change an object that concerns task `whom`."""
        before = self.state(obj)
        outcome = effect(before, whom)
        if outcome is None:
            msg = f"{choice!r} cannot happen now"
            raise ScheduleError(msg)
        after, _, fact = outcome
        self.world[obj] = after
        task = self._task(whom)
        return self._record(choice, task, task.place, (now, now), fact, (obj, before, after))

    def _deadline(self, choice: str, lock: str) -> Event:
        obj = self._objects.get(lock)
        if obj is None:
            msg = f"no lock {lock!r}{near_miss(lock, self._objects)}"
            raise ScheduleError(msg)
        queue = getattr(self.state(obj), "queue", ())
        if not isinstance(self.state(obj), rwsem.RwSem) or not queue:
            msg = f"{choice!r} cannot happen now: nobody queues for {lock}"
            raise ScheduleError(msg)
        if self.state(obj).handoff:
            msg = f"{choice!r} cannot happen now: it has passed"
            raise ScheduleError(msg)
        head = queue[0].task
        return self._move(choice, head, obj, rwsem.pass_deadline, self.clock.expire(obj, head))

    def _spin(self, choice: str, name: str) -> Event:
        """Let a task spin for a lock that somebody on a processor holds for writing."""
        task = self._task(name)
        ask = task.ask
        if not isinstance(ask, Step) or not spins_for(self, name):
            msg = f"{choice!r} cannot happen now: {name} is not about to take a lock that a running task holds"
            raise ScheduleError(msg)
        state = self.state(ask.obj)
        now = self.clock.spin(name, ask.obj)
        fact = Fact("LockContended", "write", state.holders, "spinning")
        return self._record(choice, task, task.place, (now, now), fact, (ask.obj, state, state))


def sleeps(ask: Ask | None) -> bool:
    """Whether the task is asleep before this step; who spins for a lock is not."""
    return isinstance(ask, Step) and ask.waits and ask.obj.kind != "spinlock"


def manner(fact: Fact, ask: Ask | None) -> Fact:
    """Say how a lock is waited for: killable, spinning, not at once, or plainly."""
    if not isinstance(ask, Step) or not ask.waits:
        how = "trying"
    else:
        how = "spinning" if ask.obj.kind == "spinlock" else "killable" if ask.killable else ""
    return Fact(fact.kind, fact.mode, fact.tasks, how) if how else fact


def page_changes(before: PageTable, after: PageTable) -> dict[str, Any]:
    """The entries that differ between two states of a page table; None: now none."""
    old, new = dict(before.entries), dict(after.entries)
    pages = sorted(old.keys() | new.keys())
    return {str(p): new.get(p) for p in pages if old.get(p) is not new.get(p)}
