"""A schedule in words, followed step by step."""

from collections.abc import Sequence

from uffdviz.errors import LandmarkError, ScheduleError, near_miss
from uffdviz.schedulers.base import Run
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.landmark import check_lock, holds_now, reached, where_it_is
from uffdviz.trace.schedule import EVERYONE, Instruction
from uffdviz.trace.snapshot import History, Snapshot


class Scripted:
    """Says who moves until the schedule ends.

    Raises: LandmarkError when an instruction cannot be followed: it says what happened instead.
    """

    def __init__(self, schedule: Sequence[Instruction], run: Run) -> None:
        self._schedule = tuple(schedule)
        self._history = History(run.start, run.events)
        self._at = 0
        self._taken = 0
        self._seen = len(run.events)
        self._told = len(run.events)
        self._timed = Timed()

    @property
    def line(self) -> int:
        """The line of the instruction that is being followed; 0 after the last."""
        return self._schedule[self._at].line if self._at < len(self._schedule) else 0

    def placed(self, error: ScheduleError) -> str:
        """An error as it is, or with the line whose move could not be made."""
        text = str(error)
        return text if text.startswith("line ") else f"line {self.line}: {text}"

    def pick(self, run: Run) -> str | None:
        unasked = [event.choice for event in run.events[self._told :]]
        while self._at < len(self._schedule):
            instruction = self._schedule[self._at]
            choice = self._follow(instruction, run)
            if instruction.kind == "move" and choice in unasked:
                unasked.remove(choice)  # the scenario's `kill` came first: the tape has it once
                choice = None
            if choice is not None:
                self._taken += 1
                self._told = len(run.events) + 1
                return choice
            self._at += 1
            self._taken = 0
        return None

    def _follow(self, instruction: Instruction, run: Run) -> str | None:
        """Give the next choice of an instruction, or None once it is fulfilled."""
        match instruction.kind:
            case "move":
                return None if self._taken else instruction.text
            case "steps":
                if self._taken == instruction.count:
                    return None
                return self._mover(instruction, run)
            case "until":
                if self._there(instruction):
                    return None
                return self._mover(instruction, run)

    def _there(self, instruction: Instruction) -> bool:
        landmark = instruction.landmark
        if landmark is None or (instruction.who == EVERYONE and instruction.whose == EVERYONE):
            return False
        now = self._history.last
        whose = instruction.whose
        if not self._taken:
            self._seen = len(self._history)
            self._check(instruction, now)
            return holds_now(landmark, now.tasks[whose], now)
        new = enumerate(self._history.events[self._seen :], self._seen + 1)
        self._seen = len(self._history)
        return any(reached(landmark, whose, event, self._after(n, now)) for n, event in new)

    def _after(self, n: int, now: Snapshot) -> Snapshot:
        """The snapshot after event `n`: a scenario's `kill` that came since may have changed it."""
        return now if n == len(self._history) else self._history.at(n)

    def _check(self, instruction: Instruction, now: Snapshot) -> None:
        if instruction.landmark is not None:
            try:
                check_lock(instruction.landmark, now)
            except ScheduleError as error:
                msg = f"line {instruction.line}: {error}"
                raise ScheduleError(msg) from None

    def _mover(self, instruction: Instruction, run: Run) -> str | None:
        """Find who takes the next step of an instruction."""
        if instruction.who != EVERYONE:
            if run.can_step(instruction.who):
                return instruction.who
            raise LandmarkError(self._missed(instruction))
        choice = self._timed.pick(run)
        everything = instruction.whose == EVERYONE  # done, or nobody can move: the run says which
        if choice is None and not everything:
            raise LandmarkError(self._missed(instruction))
        return choice

    def _missed(self, instruction: Instruction) -> str:
        now = self._history.last
        who = instruction.whose or instruction.who
        landmark = instruction.landmark
        if landmark is None:
            done = f"{self._taken} of {instruction.count} steps"
            instead = "nobody can move" if who == EVERYONE else where_it_is(now.tasks[who])
            return f"line {instruction.line}: {who} took {done}: {instead}"
        near = ""
        if landmark.kind in {"holds", "waits"} and landmark.subject not in now.locks:
            near = near_miss(landmark.subject, now.locks)
        last = next((e.text for e in reversed(self._history.events) if e.task == who), "")
        after = f", after it {last!r}" if last else ""
        instead = where_it_is(now.tasks[who])
        return f"line {instruction.line}: {who} did not reach {landmark.text!r}: {instead}{after}{near}"
