"""What a scenario lets happen beside the calls: a fatal signal at a landmark, a step that fails."""

from typing import TYPE_CHECKING

from uffdviz.kernel.steps import Work
from uffdviz.run.addresses import every_call
from uffdviz.run.calls import Bound
from uffdviz.trace.landmark import parse_landmark, reached
from uffdviz.trace.snapshot import History

if TYPE_CHECKING:
    from uffdviz.run.machine import Machine
    from uffdviz.run.setting import Setting


class ScenarioPlan:
    """The plan of one run. Each call is hit by its signal once."""

    def __init__(self, setting: "Setting") -> None:
        self._killed: frozenset[str] = frozenset()
        self._history: History | None = None
        self._kills = any(
            call.kill for table in setting.scenario.task for call in every_call(table)
        )

    def due(self, machine: "Machine") -> str | None:
        """Give a move of the environment that has to come now, before any task moves."""
        if not self._kills or not machine.events:
            return None
        for name, task in machine.tasks.items():
            bound = task.kernel.doing
            if not isinstance(bound, Bound) or not bound.kill or name in self._killed:
                continue
            if self._there(machine, name, bound.kill):
                self._killed |= {name}
                return f"kill {name}"
        return None

    def _there(self, machine: "Machine", name: str, landmark: str) -> bool:
        if self._history is None:
            self._history = History(machine.start, machine.events)
        return reached(parse_landmark(landmark), name, machine.events[-1], self._history.last)

    def fails(self, machine: "Machine", task: str) -> bool:
        """Whether the task's next work fails."""
        running = machine.tasks[task]
        bound = running.kernel.doing
        ask = running.ask
        return (
            isinstance(bound, Bound)
            and isinstance(ask, Work)
            and bool(bound.fail)
            and ask.name == bound.fail
        )
