"""Holding the model against a lock trace of a real kernel.

The model predicts every lock event of every thread from the scenario and the era; the trace only
says in which order the threads moved. Lock events are stamped where the probe sits: the acquire
of a rwsem when it returns, every release and every spinlock acquire when it is entered. So a
release or a spinlock acquire is first only checked against the prediction and done when the same
thread, or somebody who needs it, goes on.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from uffdviz.light import msgspec
from uffdviz.run.foresight import STEP_LIMIT, Foresight, MismatchError
from uffdviz.run.kernel_trace import KernelTrace, TraceEvent
from uffdviz.run.left_out import LeftOut
from uffdviz.run.machine import Machine
from uffdviz.run.trace_names import Names, Predicted

PROBE_MISS: Final = "a spinlock hit that the probes missed"
RESCHEDULED: Final = "page-table locks dropped and taken again to reschedule"
NEW_TABLE: Final = "a page table that did not exist yet (pmd_install)"


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


class Conformance:
    """One walk along a trace."""

    def __init__(self, trace: KernelTrace, make: Callable[[], Machine], plan: Plan) -> None:
        self.trace = trace
        self.plan = plan
        self.names = Names(trace.mappings)
        self.model = Foresight(make, self.names)
        tasks = tuple(self.model.machine.tasks)
        self.several = len(tasks) > 1
        self.left_out = LeftOut(trace.mappings, tasks)
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
            except MismatchError as found:
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
        was = (
            len(self.model.tape),
            dict(self.model.pending),
            self.model.returned.copy(),
            dict(self.model.result),
        )
        bound, dropped = self.names.known(), dict(self.dropped)
        try:
            self._explain(event)
        except MismatchError as first:
            length, self.model.pending, self.model.returned, self.model.result = was
            self.dropped = dropped
            self.names.restore(bound)
            self.model.rewind(length)
            for other in self.model.machine.tasks:
                if other != event.thread:
                    if other in self.model.pending and self.model.pending[other].event == "release":
                        self.model.settle(other)
                    self.model.invisible(other, 1 << 30)
            try:
                self._explain(event)
            except MismatchError:
                raise first from None

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
        self.model.settle(task)
        due = (event.rep or 0) * self.plan.total + self.plan.setup
        others = [name for name in self.model.machine.tasks if name != task]
        if event.rep == 0:
            for name in others:
                if name not in self.trace.between_calls:
                    self.model.until_asleep(name)
        self._until_returned(task, due, silent=event.rep == 0 or not self.several)

    def _end(self, event: TraceEvent) -> None:
        task = event.thread
        self.model.settle(task)
        due = (event.rep or 0) * self.plan.total + self.plan.setup + self.plan.calls
        self._until_returned(task, due, silent=False)
        got = self.model.result.get(task, "")
        want = self.names.result(event.ret)
        if want is not None and got != want:
            raise MismatchError(self.model.function(task), f"returns {got}")
        self.repetitions += 1

    def _until_returned(self, task: str, due: int, *, silent: bool) -> None:
        for _ in range(STEP_LIMIT):
            if self.model.returned[task] >= due:
                return
            predicted = self.model.peek(task)
            if predicted is not None and not silent:
                self._skip_missed(task, predicted, None)
                continue
            if not self.model.machine.can_step(task):
                self.model.help(task)
            self.model.step(task)
        raise MismatchError(self.model.function(task), "to return")

    def _hint(self, event: TraceEvent) -> None:
        """Let invisible steps happen where the trace says that they have happened by now."""
        task = event.thread
        if event.event == "run":
            if not self.model.machine.can_step(task) and task not in self.model.pending:
                self.model.help(task)
            self.model.invisible(task, 1 << 30)
            return
        stack = self.model.stack(task)
        if event.fn in stack:
            self.model.settle(task)
            depth = len(stack) - 1 - stack[::-1].index(event.fn)
            self.model.invisible(task, depth)

    def _lock(self, event: TraceEvent) -> None:
        task = event.thread
        if self._reacquires(event):
            return
        self.model.settle(task)
        predicted = self.model.next_event(task)
        if not self._fits(event, predicted):
            predicted = self._other_order(event, predicted)
        if not self._fits(event, predicted):
            if self._new_table(event):
                return
            self._skip_missed(task, predicted, event)
            predicted = self.model.next_event(task)
        self.names.bind(event, predicted)
        if event.event == "release" or event.spins:
            self.model.pending[task] = event
        else:
            self.model.step(task)

    def _fits(self, event: TraceEvent, predicted: Predicted) -> bool:
        kind = predicted.kind
        if event.spins and event.event == "acquire" and kind == "contend_begin":
            kind = "acquire"
        return kind == event.event and self.names.same(event, predicted)

    def _other_order(self, event: TraceEvent, predicted: Predicted) -> Predicted:
        """Do what other threads have been seen to do but what was put off, and look again."""
        for other in [name for name in self.model.pending if name != event.thread]:
            if self.model.pending[other].event == "release":
                self.model.settle(other)
        again = self.model.next_event(event.thread)
        return again if self._fits(event, again) else predicted

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
            self.model.settle(event.thread)
            predicted = self.model.next_event(event.thread)
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
            raise MismatchError(self.model.function(task), missed.said)
        function = self.model.function(task)
        self.model.step(task)
        if event is not None:
            follows = self.model.next_event(task)
            if not self._fits(event, follows):
                raise MismatchError(function, missed.said)
        self.tolerances[PROBE_MISS] += 1
