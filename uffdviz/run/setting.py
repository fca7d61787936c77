"""A scenario under an era: the stage, the first world and the lives, shared by all of its runs."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from importlib import import_module
from typing import Any, Final

from uffdviz.errors import ScenarioError
from uffdviz.kernel.eras.registry import era as find_era
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import Uffd
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import Obj
from uffdviz.run import scenario as s
from uffdviz.run.addresses import (
    FAULT,
    MAIN,
    Layout,
    every_call,
    filled,
    numbers_of,
    step_of,
    uses_number,
)
from uffdviz.run.after import check_kill, wait_until
from uffdviz.run.calls import Binder, Bound, Handlers, bind, words
from uffdviz.run.chance import shuffled
from uffdviz.run.costs import cost_table
from uffdviz.run.lives import Course, Cursor, life
from uffdviz.run.machine import Machine
from uffdviz.run.plan import ScenarioPlan
from uffdviz.run.read_scenario import find_scenario, load_scenario, scenario_of
from uffdviz.run.running import Life
from uffdviz.run.sense import handed_over, pick_ctx, place_of, task_names
from uffdviz.run.work_names import check_fails
from uffdviz.run.world import furnish
from uffdviz.trace.snapshot import Snapshot

PARTS: Final = {"": "calls", "handler": "on_sigbus"}
"""The keys of a task whose calls are called otherwise here."""


class Setting:
    """Whatever a run of a scenario begins from, again and again.

    Without `era_name` the scenario's own counts; `mutations` come beside those of the scenario.
    `background` names the tasks that need not come to an end.
    Raises: ScenarioError, UsageError.
    """

    def __init__(
        self,
        scenario: s.Scenario,
        era_name: str = "",
        mutations: Sequence[str] = (),
        name: str = "",
    ) -> None:
        self.scenario = scenario
        self.name = name
        self.mutations = tuple(dict.fromkeys((*scenario.mutate.ids, *mutations)))
        self.era = mutated(find_era(era_name or scenario.era), self.mutations)
        self.era_name = self.era.era
        self.layout = Layout(scenario)
        self.costs = cost_table(scenario.costs)
        self.stage = Stage(self.era.vma_lock_state)
        furnish(self.stage, scenario, self.layout, self._registered())
        self.spans = tuple(sorted((p.start, p.end) for p in self.layout.places.values()))
        self._cursors = {
            c.name: Obj("cursor", f"cursor {c.name}", Cursor()) for c in scenario.cursor
        }
        self.tables = {n: table for table in scenario.task for n in task_names(table)}
        for task, table in self.tables.items():
            self.stage.task(task, self.stage.mm(table.mm or MAIN))
        self.background = tuple(n for n, table in self.tables.items() if table.background)
        self.courses = {n: self._course(n, table) for n, table in self.tables.items()}
        self.lives: tuple[tuple[str, Life], ...] = tuple(
            (n, partial(life, course)) for n, course in self.courses.items()
        )

    def machine(self) -> Machine:
        """A machine at the start of the run."""
        machine = Machine(self.stage, self.era, self.lives, self.costs, self.scenario.cpus or 0)
        machine.background = frozenset(self.background)
        machine.plan = ScenarioPlan(self)
        return machine

    def initial_snapshot(self) -> Snapshot:
        """What can be known before the first step."""
        return self.machine().start

    def unmet(self, returns: Mapping[str, Sequence[s.Result]]) -> list[str]:
        """What the calls of each task did not return although the scenario says so, in words."""
        said = []
        for name, results in returns.items():
            if all(call.returns is None for call in every_call(self.tables[name])):
                continue
            for number, result in enumerate(results):
                bound = self.call(name, number)
                if bound.returns is not None and bound.returns != result:
                    what = f"task {name!r}, call {number + 1} ({bound.called.fact.detail})"
                    said.append(f"{what} returned {result}, not {bound.returns}")
        return said

    def call(self, task: str, number: int) -> Bound:
        """The call of a task that gave its result of that number, counted from 0."""
        course = self.courses[task]
        each = sum(not bound.part for bound in course.calls(course.numbers[0]))
        turn, index = divmod(number, each)
        bounds = course.calls(course.numbers[turn % len(course.numbers)])
        return [bound for bound in bounds if not bound.part][index]

    def _registered(self) -> dict[str, str]:
        return {
            vma.name: pick_ctx(self.scenario, vma.uffd.ctx, f"vma {vma.name!r}, uffd")
            for vma in self.scenario.vma
            if vma.uffd is not None
        }

    def _course(self, name: str, table: s.TaskTable) -> Course:
        numbers = tuple(numbers_of(self.scenario, table))
        cursor = self._cursors.get(table.cursor)
        order, seed = table.order, table.seed
        if cursor is not None:
            mine = next(c for c in self.scenario.cursor if c.name == table.cursor)
            order, seed = mine.order, mine.seed
        if order == "random":
            numbers = shuffled(numbers, f"{seed} {table.cursor or name}")
        stepping = any(uses_number(call) for call in every_call(table)) or _forks(table)
        made: dict[int, tuple[Bound, ...]] = {}

        def calls(number: int) -> tuple[Bound, ...]:
            key = number if stepping else 0
            if key not in made:
                made[key] = self._calls(name, table, key)
            return made[key]

        return Course(
            calls,
            numbers,
            repeat=table.repeat or 1,
            forever=table.background and cursor is None,
            cursor=cursor,
            every_ns=table.every_ns,
        )

    def _calls(self, name: str, table: s.TaskTable, number: int) -> tuple[Bound, ...]:
        parts = (("setup", table.setup), ("", table.calls), ("cleanup", table.cleanup))
        return tuple(
            bound for part, calls in parts for bound in self._part(name, table, number, part, calls)
        )

    def _part(  # noqa: PLR0913, PLR0917
        self,
        name: str,
        table: s.TaskTable,
        number: int,
        part: str,
        calls: tuple[s.AnyCall, ...],
        fault: int = 0,
    ) -> tuple[Bound, ...]:
        """Bind calls of one part; those of a handler may speak of the page at `fault`."""
        made: list[Bound] = []
        before: s.Call | None = None
        for index, call in enumerate(calls):
            binder = self._binder(name, table, number, index, fault)
            handlers = Handlers()
            try:
                if isinstance(call, s.Touch) and part != "handler":
                    where = binder.address(call, "at")
                    of_page = (name, table, number, "handler", table.on_sigbus, where)
                    handlers = Handlers(partial(self._part, *of_page))
                run = bind(binder, call, polled=isinstance(before, s.Poll), handlers=handlers)
                bound = Bound(call, partial(words, binder, call, self.layout.where), part, run)
                bound.handlers = handlers
                if call.after:
                    after = filled(call.after, number, 1)
                    bound.after = wait_until(self.stage, self.layout, after, name)
                if call.kill:
                    check_kill(self.stage, call.kill)
            except ScenarioError as error:
                msg = f"{place_of(table, PARTS.get(part, part), index, call)}: {error}"
                raise s.wrong(msg) from None
            made.append(bound)
            before = call
        return tuple(made)

    def _binder(self, name: str, table: s.TaskTable, number: int, index: int, fault: int) -> Binder:
        twin = int(name.rpartition(".")[2]) if table.count else 1

        def address(call: s.Call, key: str) -> int:
            if fault and getattr(call, key) == FAULT:
                return fault
            return self.layout.address(getattr(call, key), number, step_of(call, key), twin)

        return Binder(
            address=address,
            ctx=self._ctx(table),
            uffd=lambda ctx: self.stage.uffd(pick_ctx(self.scenario, ctx, "uffd")),
            child=self._child(name, table, number, index),
            spans=self.spans,
            name=lambda text: filled(text, number, twin),
        )

    def _ctx(self, table: s.TaskTable) -> Callable[[s.Call], Uffd | str]:
        """The userfaultfd of a call: the named one, the only one, or that of the mapping."""
        handed = handed_over(table)

        def ctx(call: s.Call) -> Uffd | str:
            name: str = getattr(call, "ctx", "")
            if name in handed:
                return name
            if not name and len(self.scenario.uffd) > 1:
                name = self._ctx_at(getattr(call, "dst", "") or getattr(call, "at", ""))
            return self.stage.uffd(pick_ctx(self.scenario, name, "call", handed))

        return ctx

    def _ctx_at(self, text: str) -> str:
        mapping = text.partition("+")[0]
        vma = next((v for v in self.scenario.vma if v.name == mapping and v.uffd), None)
        return vma.uffd.ctx if vma is not None and vma.uffd is not None else ""

    @cached_property
    def _forking(self) -> int:
        """How many tasks fork."""
        return sum(_forks(t) * len(task_names(t)) for t in self.scenario.task)

    def _child(self, name: str, table: s.TaskTable, number: int, index: int) -> tuple[str, bool]:
        """How the child of this call's fork is called, and whether that has to be numbered."""
        base = "child" if self._forking <= 1 else f"{name}.child"
        earlier = sum(isinstance(call, s.Fork) for call in table.calls[:index])
        count = number * sum(isinstance(call, s.Fork) for call in table.calls) + earlier
        return f"{base}~{count + 1}" if count else base, table.background


def _forks(table: s.TaskTable) -> bool:
    return any(isinstance(call, s.Fork) for call in every_call(table))


def mutated(era: type[Kernel], ids: tuple[str, ...]) -> type[Kernel]:
    """An era with mistakes put into it.

    Raises: UsageError for a mistake that is not known.
    """
    if not ids:
        return era
    mutations = import_module("uffdviz.kernel.mutations")
    changed: type[Kernel] = mutations.mutated(era, ids)
    return changed


def load_setting(name: str, era_name: str = "", mutations: Sequence[str] = ()) -> Setting:
    """Set up a scenario by its path or the name of a shipped one.

    Raises: ScenarioError, UsageError.
    """
    path = find_scenario(name)
    return _set_up(load_scenario(name), path.name, era_name, mutations, path.stem)


def setting_of(
    tables: Mapping[str, Any], name: str, era_name: str = "", mutations: Sequence[str] = ()
) -> Setting:
    """Set up a scenario that a recording holds.

    Raises: ScenarioError, UsageError.
    """
    file = name or "scenario"
    return _set_up(scenario_of(dict(tables), file), file, era_name, mutations, name)


def _set_up(
    scenario: s.Scenario, file: str, era_name: str, mutations: Sequence[str], name: str
) -> Setting:
    try:
        check_fails(scenario)
        setting = Setting(scenario, era_name, mutations, name)
        for course in setting.courses.values():
            for bound in course.calls(course.numbers[0]):
                _ = bound.handlers()
    except ScenarioError as error:
        msg = f"{file}: {error}"
        raise s.wrong(msg) from None
    return setting
