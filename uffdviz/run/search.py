"""A setting as a search sees it: its tables, with the moves that the scenario leaves open."""

from collections.abc import Iterable
from typing import Any

from uffdviz.check.taken import Property
from uffdviz.kernel.steps import Work
from uffdviz.light import msgspec
from uffdviz.run.addresses import TWIN, every_call
from uffdviz.run.calls import Bound
from uffdviz.run.running import Running
from uffdviz.run.scenario import Fork
from uffdviz.run.setting import Setting
from uffdviz.run.space import Space


def space_of(setting: Setting, properties: Iterable[Property], *, merge: bool = True) -> Space:
    """Make the space of every run of a setting.

    A fatal signal that a scenario puts at a landmark may come at any time here: the landmark is
    one of those times.
    """
    open_to = {name: frozenset(open_moves(setting, name)) for name in setting.courses}
    return Space(
        setting.stage,
        setting.era,
        setting.lives,
        properties,
        fails=fails,
        may_fail=may_fail,
        can_fail=[name for name, moves in open_to.items() if "fail" in moves],
        kills=[name for name, moves in open_to.items() if "kill" in moves],
        background=setting.background,
        alike=alike(setting),
        merge=merge,
    )


def alike(setting: Setting) -> list[tuple[str, ...]]:
    """Find the groups of tasks that make the same calls, so that a search need not tell them apart.

    Left out: tasks that fork (children are named after them), tasks that a landmark of the scenario
    names, and names that begin like another task's.
    """
    named = " ".join(
        word
        for table in setting.scenario.task
        for call in every_call(table)
        for word in (*call.after.split(), *call.kill.split())
    ).split()
    groups: dict[Any, list[str]] = {}
    for name, table in setting.tables.items():
        begins = any(other.startswith(f"{name}.") for other in setting.tables)
        forks = any(isinstance(call, Fork) for call in every_call(table))
        if not (forks or begins or name in named):
            groups.setdefault(course_of(setting, name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def course_of(setting: Setting, name: str) -> Any:
    """What tells a task from others, its name aside."""
    table = setting.tables[name]
    twin = name.rpartition(".")[2] if table.count else "1"
    plain = msgspec.structs.replace(table, name="", count=None, seed=0)
    text = msgspec.json.encode(plain).decode().replace(TWIN, twin)
    return text, setting.courses[name].numbers


def open_moves(setting: Setting, name: str) -> Iterable[str]:
    """What may happen to a task beside its calls."""
    course = setting.courses[name]
    for number in course.numbers[: course.repeat]:
        for bound in course.calls(number):
            if bound.may_fail:
                yield "fail"
            if bound.kill or bound.may_kill:
                yield "kill"


def fails(running: Running) -> bool:
    """Whether the scenario says that the work a task is about to do fails."""
    doing = running.kernel.doing
    ask = running.ask
    return isinstance(doing, Bound) and isinstance(ask, Work) and doing.fail == ask.name


def may_fail(running: Running) -> bool:
    """Whether the scenario leaves open if the work fails."""
    doing = running.kernel.doing
    return isinstance(doing, Bound) and doing.may_fail
