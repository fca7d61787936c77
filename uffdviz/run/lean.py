"""Timed runs of which only the totals are wanted: no events, no words, no places in the source.

The order of the steps and their times are those of a machine under the scheduler `time`; a test
compares the totals with those of the machine's events. What makes it fast: a heap of the tasks that
can step, waiters asked again only when their object changes, effects without sentences (`quick.py`),
and kernel functions that do not note their calls.
"""

from heapq import heappop, heappushpop
from typing import Any, ClassVar

from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.locks.rwsem import enter_write
from uffdviz.kernel.steps import Ask, Mark, Obj, Step, Work
from uffdviz.run.lean_order import Order
from uffdviz.run.lean_totals import QUIET, Runner, Thing
from uffdviz.run.machine import ANNOUNCED, sleeps
from uffdviz.run.processors import NEVER
from uffdviz.run.quick import QUICK, SAW
from uffdviz.run.running import FINISHED
from uffdviz.run.setting import Setting
from uffdviz.trace.totals import IDLE


def unobserved(era: type[Kernel]) -> type[Kernel]:
    """The same era, whose functions do not note that they are entered and left."""
    plain = type(f"Unobserved{era.__name__}", (era,), {})
    for name in dir(era):
        fn = getattr(era, name)
        if hasattr(fn, "__wrapped__"):
            setattr(plain, name, fn.__wrapped__)
    return plain


class Lean(Order):
    """One run. `steps` counts what a machine would have made an event of."""

    runner: ClassVar[type[Runner]] = Runner
    """A task of the run; one that hears more of its time takes more."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        stage = setting.stage
        stage.settle()
        self.steps = 0
        self._costs = setting.costs
        self._things = {obj: Thing(obj, state) for obj, state in stage.world.items()}
        self._background = frozenset(setting.background)
        self._left = len(setting.lives) - len(setting.background)
        era = unobserved(setting.era)
        for place, (name, life) in enumerate(setting.lives):
            coro = life(era(stage, stage.task(name)))
            self.tasks[name] = self.runner(name, place, coro.send)
        for task in self.tasks.values():
            self._resume(task, None)
            self.place(task)
            ask = task.ask
            if isinstance(ask, Step) and ask.waits and not task.listed:
                task.waits = IDLE
            elif self.cpus:
                task.off = 0

    def thing(self, obj: Obj) -> Thing:
        """Find what an object is in this run."""
        thing = self._things.get(obj)
        if thing is None:
            thing = self._things[obj] = Thing(obj, obj.initial)
        return thing

    def run(self, most: int = NEVER) -> bool:  # noqa: C901, PLR0912, PLR0915  a call a step is too dear
        """Go on for about `most` steps. Returns: whether the run came to its end."""
        steps = self.steps - self.moves
        stop = steps + most
        heap, queue, timers = self.heap, self.queue, self.timers
        things, counted = self._things, self.cpus > 0
        get_cost, get_quick, get_note = self._costs.get, QUICK.get, self.notes.get
        check, mark = self._costs["check"], self._costs["mark"]
        task: Runner | None = None
        due = 0
        ask: Any
        thing: Any
        before: Any = None
        while self._left and steps < stop:
            # Who is first?
            if task is None:
                if heap:
                    due, _, task = heappop(heap)
                    task.listed = False
                    if self.later(task, due):
                        task = None
                        continue
                elif queue:
                    due = NEVER
                else:
                    break
            elif heap and (heap[0][0] < due or (heap[0][0] == due and heap[0][1] < task.place)):
                task.listed = True
                due, _, task = heappushpop(heap, (due, task.place, task))
                task.listed = False
                if self.later(task, due):
                    task = None
                    continue
            claimed = yields = False
            if queue and due >= self.soonest:
                turn = self.turn()
                if turn < NEVER and turn <= due:
                    self.put_back(task, due)
                    task = None
                    if timers and timers[0][0] <= turn and self.deadline(turn):
                        continue
                    task = self.in_the_way()
                    if task is not None:
                        due = max(turn, self.due(task))
                        yields = True
                    else:
                        task = queue.pop(0)
                        due = self.due(task)
                        task.listed = False
                        claimed = True
            if task is None:
                if heap:
                    continue
                break
            if timers and not claimed and not yields and timers[0][0] <= due and self.deadline(due):
                self.put_back(task, due)
                task = None
                continue
            # Its step.
            ask = task.ask
            thing = task.thing
            start = due
            if thing is not None:
                effect = ask.effect
                if counted and effect is enter_write:
                    if not claimed and not yields and self.spins_on(task, thing, due):
                        task = None
                        continue
                    if task.spins is not None and not yields:
                        start = max(due, self.floor(task, thing))
                before = thing.state
                outcome = get_quick(effect, effect)(before, task.name, *ask.args)
                if outcome is None:  # it could have gone on, but somebody was quicker
                    thing.waiters.append(task)
                    task = None
                    continue
                after, answer, fact = outcome
                queued = 0
                if claimed:
                    start, queued = self.claim(task, start)
                if after is before:
                    changed = False
                    end = start + get_cost(ask.cost, check) * ask.units
                    if end > thing.read:  # noqa: PLR1730  a call a step is too dear
                        thing.read = end
                else:
                    changed = True
                    thing.state = after
                    if thing.read > start:  # noqa: PLR1730
                        start = thing.read
                    end = start + get_cost(ask.cost, check) * ask.units
                    if end > thing.written:  # noqa: PLR1730  a call a step is too dear
                        thing.written = end
            else:
                changed, fact = False, SAW
                queued = 0
                if claimed:
                    start, queued = self.claim(task, due)
                if type(ask) is Work:
                    answer = 0
                    end = start + get_cost(ask.cost, check) * ask.units
                    if ask.align:
                        task.waits = IDLE
                else:
                    answer = None
                    end = start + mark
                    self.marked(task, ask)
            steps += 1
            # Its totals.
            if start > task.end:
                task.go_on(start, queued)
            task.running += end - start
            task.end = task.now = end
            task.waits = None
            task.woken = task.off = -1
            # What it wants next.
            try:
                ask = task.ask = task.send(answer)
            except StopIteration:
                self._end(task)
                ask = task.ask
            fresh = type(ask)
            was = thing
            if fresh is Step:
                obj = ask.obj
                thing = things.get(obj)
                if thing is None:
                    thing = things[obj] = Thing(obj, obj.initial)
                task.thing = thing
                task.slept = ask.waits and obj.kind != "spinlock"
            else:
                task.thing = None
                task.slept = False
            kind = fact.kind
            if kind not in QUIET:
                note = get_note(kind)
                if note is not None:
                    note(fact, task, was, start, end)
            if changed:
                if counted and kind not in QUIET and was.obj.kind == "rwsem":
                    self.phase(was, before, end)
                if was.waiters:
                    self.ask_again(was, fact)
                if was.spinners:
                    self.kick(was)
                if kind not in QUIET:
                    self.look_at_head(was)
            # Where it goes.
            due = end
            if fresh is Step:
                if not ask.waits:
                    if thing.written > due:  # noqa: PLR1730
                        due = thing.written
                    continue
                if kind not in ANNOUNCED and not self.can(task):
                    task.waits = IDLE
            elif fresh is Mark or (fresh is Work and not ask.align):
                continue
            elif fresh is Work:
                task.waits = IDLE
            self.place(task)
            task = None
        self.put_back(task, due)
        self.steps = steps + self.moves
        return not self._left or not (heap or queue)

    @property
    def over(self) -> bool:
        """Whether every task came to its end that has to."""
        return not self._left

    def now(self) -> int:
        """How far virtual time has come."""
        return max((task.end for task in self.tasks.values()), default=0)

    def _resume(self, task: Runner, answer: Any) -> None:
        try:
            task.ask = task.send(answer)
        except StopIteration:
            self._end(task)
            return
        ask = task.ask
        task.thing = self.thing(ask.obj) if isinstance(ask, Step) else None
        task.slept = sleeps(ask)

    def _end(self, task: Runner) -> None:
        task.thing, task.slept = None, False
        if task.over:
            task.ask = None
            if task.name not in self._background:
                self._left -= 1
        else:
            task.ask, task.over, task.send = FINISHED, True, _ended


def _ended(_: Any) -> Ask:
    raise StopIteration
