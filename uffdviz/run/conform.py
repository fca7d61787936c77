"""Holding the model against a lock trace of a real kernel.

The model predicts every lock event of every thread from the scenario and the era; the trace only
says in which order the threads moved. Lock events are stamped where the probe sits: the acquire
of a rwsem when it returns, every release and every spinlock acquire when it is entered. So a
release or a spinlock acquire is first only checked against the prediction and done when the same
thread, or somebody who needs it, goes on.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec

from uffdviz.kernel.labels import place
from uffdviz.kernel.steps import Mark, Step
from uffdviz.run.kernel_trace import KernelTrace, TraceEvent
from uffdviz.run.left_out import LeftOut
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
PROBE_MISS: Final = "a spinlock hit that the probes missed"
RESCHEDULED: Final = "page-table locks dropped and taken again to reschedule"
NEW_TABLE: Final = "a page table that did not exist yet (pmd_install)"
STEP_LIMIT: Final = 10_000
NOTHING: Final = "no further lock event"


class Plan(msgspec.Struct, frozen=True):
    """How many calls one repetition of a task makes: before, in, and after what is compared."""

    setup: int
    calls: int
    cleanup: int

    @property
    def total(self) -> int:
        """All calls of one repetition."""
        return self.setup + self.calls + self.cleanup


class Divergence(msgspec.Struct, frozen=True):
    """The first event of a trace that the model cannot explain, and what it expected instead."""

    line: int
    seq: int
    rep: int | None
    thread: str
    function: str
    found: str
    expected: str


class Explained(msgspec.Struct, frozen=True):
    """What became of a trace. `repetitions` counts those that were explained to the end."""

    repetitions: int
    total: int
    explained: int
    left_out: dict[str, int]
    tolerances: dict[str, int]
    first: Divergence | None


class _Mismatch(Exception):  # noqa: N818  it never leaves this file
    def __init__(self, function: str, expected: str) -> None:
        super().__init__(expected)
        self.function = function
        self.expected = expected


class Conformance:
    """One walk along a trace."""

    def __init__(self, trace: KernelTrace, make: Callable[[], Machine], plan: Plan) -> None:
        self.trace = trace
        self.make = make
        self.machine = make()
        self.plan = plan
        self.several = len(self.machine.tasks) > 1
        self.tape: list[str] = []
        self.names = Names(trace.mappings)
        self.left_out = LeftOut(trace.mappings, tuple(self.machine.tasks))
        self.pending: dict[str, TraceEvent] = {}
        self.returned: Counter[str] = Counter()
        self.result: dict[str, str] = {}
        self.tolerances: Counter[str] = Counter()
        self.dropped: dict[str, str] = {}
        self.explained = 0
        self.repetitions = 0

    def run(self) -> Explained:
        """Explain as much of the trace as the model can."""
        first = None
        for event in self.trace.events:
            if self.left_out.skips(event):
                continue
            try:
                self._either_way(event)
            except _Mismatch as found:
                first = Divergence(
                    event.line,
                    event.seq,
                    event.rep,
                    event.thread,
                    found.function,
                    event.said,
                    found.expected,
                )
                break
        total = sum(1 for e in self.trace.events if e.is_lock)
        return Explained(
            self.repetitions,
            total,
            self.explained,
            dict(self.left_out.counts),
            dict(self.tolerances),
            first,
        )

    def _either_way(self, event: TraceEvent) -> None:
        """Explain an event with what others did unseen put off; if that fails, with it done.

        Between two lock events of another thread lie steps that leave no line in a trace, such as
        the move of `mm_lock_seq` before mmap_lock is released.
        """
        was = len(self.tape), dict(self.pending), self.returned.copy(), dict(self.result)
        bound, dropped = self.names.known(), dict(self.dropped)
        try:
            self._explain(event)
        except _Mismatch as first:
            length, self.pending, self.returned, self.result = was
            self.dropped = dropped
            self.names.restore(bound)
            self._rewind(length)
            for other in self.machine.tasks:
                if other != event.thread:
                    if other in self.pending and self.pending[other].event == "release":
                        self._settle(other)
                    self._invisible(other, 1 << 30)
            try:
                self._explain(event)
            except _Mismatch:
                raise first from None

    def _rewind(self, length: int) -> None:
        """Take the run back to where it had `length` choices."""
        del self.tape[length:]
        self.machine = self.make()
        for choice in self.tape:
            self.machine.step(choice)

    def _explain(self, event: TraceEvent) -> None:
        match event.event:
            case "begin":
                self._begin(event)
            case "end":
                self._end(event)
            case "run" | "ret":
                self._hint(event)
            case _ if event.is_lock:
                self._lock(event)
                self.explained += 1
            case _:
                pass

    def _begin(self, event: TraceEvent) -> None:
        task = event.thread
        self.names.forget()
        self._settle(task)
        due = (event.rep or 0) * self.plan.total + self.plan.setup
        others = [name for name in self.machine.tasks if name != task]
        if event.rep == 0:
            for name in others:
                if name not in self.trace.between_calls:
                    self._until_asleep(name)
        self._until_returned(task, due, silent=event.rep == 0 or not self.several)

    def _end(self, event: TraceEvent) -> None:
        task = event.thread
        self._settle(task)
        due = (event.rep or 0) * self.plan.total + self.plan.setup + self.plan.calls
        self._until_returned(task, due, silent=False)
        got = self.result.get(task, "")
        want = self.names.result(event.ret)
        if want is not None and got != want:
            raise _Mismatch(self._function(task), f"returns {got}")
        self.repetitions += 1

    def _until_asleep(self, task: str) -> None:
        """Let a task whose call began before the trace go on to where it sleeps."""
        for _ in range(STEP_LIMIT):
            if not self.machine.can_step(task) or self._at_call(task):
                return
            self._step(task)

    def _at_call(self, task: str) -> bool:
        ask = self.machine.tasks[task].ask
        return isinstance(ask, Mark) and ask.fact.kind == "Called" and self.returned[task] > 0

    def _until_returned(self, task: str, due: int, *, silent: bool) -> None:
        for _ in range(STEP_LIMIT):
            if self.returned[task] >= due:
                return
            predicted = self._peek(task)
            if predicted is not None and not silent:
                self._skip_missed(task, predicted, None)
                continue
            if not self.machine.can_step(task):
                self._help(task)
            self._step(task)
        raise _Mismatch(self._function(task), "to return")

    def _hint(self, event: TraceEvent) -> None:
        """Let invisible steps happen where the trace says that they have happened by now."""
        task = event.thread
        if event.event == "run":
            if not self.machine.can_step(task) and task not in self.pending:
                self._help(task)
            self._invisible(task, 1 << 30)
            return
        stack = self._stack(task)
        if event.fn in stack:
            self._settle(task)
            depth = len(stack) - 1 - stack[::-1].index(event.fn)
            self._invisible(task, depth)

    def _invisible(self, task: str, depth: int) -> None:
        """Take invisible steps until the call stack is no deeper than `depth`."""
        for _ in range(STEP_LIMIT):
            stack = self._stack(task)
            boundary = isinstance(self.machine.tasks[task].ask, Mark)
            if len(stack) <= depth < 1 << 30 or boundary or self._peek(task) is not None:
                return
            if task in self.pending or not self.machine.can_step(task):
                return
            self._step(task)

    def _lock(self, event: TraceEvent) -> None:
        task = event.thread
        if self._reacquires(event):
            return
        self._settle(task)
        predicted = self._next(task)
        if not self._fits(event, predicted):
            predicted = self._other_order(event, predicted)
        if not self._fits(event, predicted):
            if self._new_table(event):
                return
            self._skip_missed(task, predicted, event)
            predicted = self._next(task)
        self.names.bind(event, predicted)
        if event.event == "release" or event.spins:
            self.pending[task] = event
        else:
            self._step(task)

    def _fits(self, event: TraceEvent, predicted: Predicted) -> bool:
        kind = predicted.kind
        if event.spins and event.event == "acquire" and kind == "contend_begin":
            kind = "acquire"
        return kind == event.event and self.names.same(event, predicted)

    def _other_order(self, event: TraceEvent, predicted: Predicted) -> Predicted:
        """Do what other threads have been seen to do but what was put off, and look again."""
        for other in [name for name in self.pending if name != event.thread]:
            if self.pending[other].event == "release":
                self._settle(other)
        again = self._next(event.thread)
        return again if self._fits(event, again) else predicted

    def _next(self, task: str) -> Predicted:
        """Take invisible steps until the next lock event of `task` can be foreseen."""
        for _ in range(STEP_LIMIT):
            if not self.machine.can_step(task):
                self._help(task)
            predicted = self._peek(task)
            if predicted is not None:
                return predicted
            if self.machine.tasks[task].done:
                raise _Mismatch(self._function(task), NOTHING)
            self._step(task)
        raise _Mismatch(self._function(task), "no lock event within sight")

    def _peek(self, task: str) -> Predicted | None:
        """The lock event that the next step of `task` will make, if it will make one."""
        ask = self.machine.tasks[task].ask
        if not isinstance(ask, Step) or ask.obj.kind not in VISIBLE:
            return None
        outcome = ask.effect(self.machine.state(ask.obj), task, *ask.args)
        fact: Fact | None = outcome[2] if outcome else None
        if fact is None or fact.kind not in KINDS:
            return None
        return self.names.predicted(KINDS[fact.kind], ask.obj, fact.mode)

    def _help(self, task: str) -> None:
        """`task` cannot move: let the others go on to their next lock event, until it can."""
        for other in self.machine.tasks:
            if other == task:
                continue
            if other in self.pending:
                self._settle(other)
            while not self.machine.can_step(task):
                idle = not self.machine.can_step(other) or self._peek(other) is not None
                if idle or self._at_call(other):
                    break
                self._step(other)
            if self.machine.can_step(task):
                return
        raise _Mismatch(self._function(task), f"to wait: {self._wait_text(task)}")

    def _settle(self, task: str) -> None:
        """Do the release or spinlock acquire of `task` that was put off."""
        event = self.pending.pop(task, None)
        if event is None:
            return
        contended = self._step(task)
        if contended == "LockContended":
            if not self.machine.can_step(task):
                self._help(task)
            self._step(task)

    def _step(self, task: str) -> str:
        made = self.machine.step(task)
        self.tape.append(task)
        if made.fact == "Returned":
            self.returned[task] += 1
            self.result[task] = made.detail.partition(" from ")[0]
        return made.fact

    def _reacquires(self, event: TraceEvent) -> bool:
        """A walk that drops its page-table locks midway: allowed, and counted."""
        key, again = f"{event.thread} {event.addr}", f"{event.thread} again"
        if event.lock == "ptl" and event.event == "release":
            if self.dropped.get(again):
                left = self.dropped[again].replace(f"{event.addr};", "", 1)
                self.dropped[again] = left
                return True
            self.dropped[key] = event.site or ""
            return False
        walks = "copy_pte_range" in (event.site or "") or "__pte_offset_map_lock" in (
            event.site or ""
        )
        if event.event == "acquire" and event.lock == "ptl" and walks and key in self.dropped:
            self._settle(event.thread)
            predicted = self._next(event.thread)
            if not self._fits(event, predicted) and "copy_pte_range" in self.dropped[key]:
                self.dropped[again] = self.dropped.get(again, "") + f"{event.addr};"
                self.tolerances[RESCHEDULED] += 1
                return True
        if event.event == "acquire" and event.lock != "ptl":
            self.dropped = {k: v for k, v in self.dropped.items() if k == again}
        return False

    def _new_table(self, event: TraceEvent) -> bool:
        if event.lock == "ptl" and "pmd_install" in (event.site or ""):
            self.tolerances[NEW_TABLE] += 1
            self.left_out.until_release(event)
            return True
        return False

    def _skip_missed(self, task: str, predicted: Predicted, event: TraceEvent | None) -> None:
        """Allow one spinlock event that the trace lacks, if what comes next fits again."""
        missed = predicted
        if not missed.spin:
            raise _Mismatch(self._function(task), missed.said)
        function = self._function(task)
        self._step(task)
        if event is not None:
            follows = self._next(task)
            if not self._fits(event, follows):
                raise _Mismatch(function, missed.said)
        self.tolerances[PROBE_MISS] += 1

    def _function(self, task: str) -> str:
        running = self.machine.tasks[task]
        return "" if running.done else place(running.coro)[0]

    def _stack(self, task: str) -> list[str]:
        """The kernel functions that `task` is in, outermost first."""
        names: list[str] = []
        coro: Any = self.machine.tasks[task].coro
        while hasattr(coro, "cr_code"):
            names.append(coro.cr_code.co_name)
            coro = coro.cr_await
        return [n for n in names if n != "observed_call"]

    def _wait_text(self, task: str) -> str:
        ask = self.machine.tasks[task].ask
        return f"for {ask.obj.name}" if isinstance(ask, Step) else "nothing left to do"
