"""What can fail: the names of all work of the model that has an errno."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from uffdviz import kernel
from uffdviz.errors import near_miss
from uffdviz.run.addresses import every_call
from uffdviz.run.scenario import Fail, Scenario, wrong


def kernel_sources() -> Iterator[ast.Module]:
    """The sources of the model, parsed."""
    for folder in kernel.__path__:
        for file in sorted(Path(folder).rglob("*.py")):
            yield ast.parse(file.read_text(encoding="utf-8"))


def work_calls() -> Iterator[ast.Call]:
    """Every `Work("name", …)` of the model."""
    for module in kernel_sources():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) == "Work":
                yield node


@cache
def failing_work() -> dict[str, str]:
    """The names that `fail` and `may_fail` can be about, and with which errno each fails."""
    found = {}
    for call in work_calls():
        name, errno = call.args[0], next((k.value for k in call.keywords if k.arg == "errno"), None)
        if isinstance(name, ast.Constant) and errno is not None:
            found[str(name.value)] = f"-{ast.unparse(errno)}"
    return dict(sorted(found.items()))


def check_fails(scenario: Scenario) -> None:
    """Refuse a `fail` of something that cannot fail, or not so.

    Raises: ScenarioError with the nearest name.
    """
    for task in scenario.task:
        for call in every_call(task):
            if call.fail is not None:
                _check_fail(f"task {task.name!r}, {call.__struct_config__.tag}, fail", call.fail)


def _check_fail(place: str, fail: Fail) -> None:
    name = fail.function
    known = failing_work()
    if name not in known:
        hint = near_miss(name, known) or f"; {', '.join(known)} can"
        msg = f"{place}, function: {name!r} cannot fail{hint}"
        raise wrong(msg)
    if fail.errno not in {"", known[name]}:
        msg = f"{place}, errno: {fail.errno!r}; {name} fails with {known[name]!r}"
        raise wrong(msg)
