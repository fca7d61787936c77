"""What can fail: the names of all work of the model that has an errno."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from uffdviz import kernel
from uffdviz.errors import near_miss
from uffdviz.run.addresses import every_call
from uffdviz.run.scenario import Scenario, wrong


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
def failing_work() -> tuple[str, ...]:
    """The names that `fail` and `may_fail` can be about."""
    names = {
        call.args[0].value
        for call in work_calls()
        if isinstance(call.args[0], ast.Constant) and any(k.arg == "errno" for k in call.keywords)
    }
    return tuple(sorted(str(name) for name in names))


def check_fails(scenario: Scenario) -> None:
    """Refuse a `fail` of something that cannot fail.

    Raises: ScenarioError with the nearest name.
    """
    for task in scenario.task:
        for call in every_call(task):
            name = call.fail.function if call.fail else ""
            if name and name not in failing_work():
                hint = near_miss(name, failing_work()) or f"; {', '.join(failing_work())} can"
                msg = f"task {task.name!r}, fail, function: {name!r} cannot fail{hint}"
                raise wrong(msg)
